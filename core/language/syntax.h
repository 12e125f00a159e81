/* A program as a tree: what the parser makes of its tokens, and the evaluation walks through. */
#ifndef CORE_LANGUAGE_SYNTAX_H
#define CORE_LANGUAGE_SYNTAX_H

#include <stdbool.h>

#include "core/language/scanner.h"

enum expression_kind {
    EXPRESSION_NUMBER,
    EXPRESSION_STRING,
    EXPRESSION_NAME,
    EXPRESSION_CHAIN,     /* operands with operators of one precedence between them, from the left: a - b + c */
    EXPRESSION_POWER,     /* operands[0] ** operands[1] */
    EXPRESSION_UNARY,     /* -x, +x, ~x, not x: operation says which */
    EXPRESSION_COMPARE,   /* operands with comparisons between them: a < b <= c */
    EXPRESSION_BOTH,      /* a and b and c; */
    EXPRESSION_EITHER,    /* or */
    EXPRESSION_CHOICE,    /* operands: what is chosen, by what, and what else: a if c else b */
    EXPRESSION_CALL,      /* operands[0] is called with the rest; keywords stand for each, NULL of those without one */
    EXPRESSION_ATTRIBUTE, /* operands[0].name */
    EXPRESSION_SUBSCRIPT, /* operands[0][operands[1], ...] */
    EXPRESSION_SLICE,     /* a:b:c, operands of which are NULL where they are left out; only within a subscript */
    EXPRESSION_TUPLE,
    EXPRESSION_LIST,
    EXPRESSION_DICTIONARY,    /* operands: keys and values in turn */
    EXPRESSION_COMPREHENSION, /* [operands[0] for operands[1] in operands[2] if operands[3]]; the last may be missing */
    EXPRESSION_DICTIONARY_COMPREHENSION, /* the same; operands[0] is a dictionary of one key and value */
    EXPRESSION_LAMBDA,                   /* lambda parameters: x; function says the rest */
    EXPRESSION_ELLIPSIS,
    EXPRESSION_FORMAT, /* f"W{l}": operands behind each other, as text */
};

enum operation {
    OPERATION_ADD,
    OPERATION_SUBTRACT,
    OPERATION_MULTIPLY,
    OPERATION_DIVIDE,
    OPERATION_MATMUL,
    OPERATION_FLOOR_DIVIDE,
    OPERATION_MODULO,
    OPERATION_POWER,
    OPERATION_AND, /* & */
    OPERATION_OR,
    OPERATION_XOR,
    OPERATION_LESS,
    OPERATION_LESS_EQUAL,
    OPERATION_GREATER,
    OPERATION_GREATER_EQUAL,
    OPERATION_EQUAL,
    OPERATION_NOT_EQUAL,
    OPERATION_IN,
    OPERATION_NOT_IN,
    OPERATION_IS,
    OPERATION_IS_NOT,
    OPERATION_NEGATIVE,
    OPERATION_POSITIVE,
    OPERATION_INVERT,
    OPERATION_NOT,
    OPERATION_ADD_EACH, /* np.add.at: as often as an index is there */
    OPERATION_NONE,
};

struct statement;

struct expression {
    enum expression_kind kind;
    struct spot spot;        /* where it begins; of a chain, its first operator */
    const char *begin, *end; /* its text in the program */
    double number;
    bool is_whole;
    const char *name;         /* terminated: of a name, an attribute, a string */
    size_t symbol;            /* of a name: its number among all names */
    enum operation operation; /* of a unary one */
    size_t count;             /* of operands */
    struct expression **operands;
    enum operation *operations;       /* of a chain or comparison: before operand i + 1 */
    struct spot *operators;           /* of a chain: where these stand */
    const struct statement *function; /* of a lambda: as if it had been defined, without a name */
    const char **keywords; /* of a call, by operand; syntax_star of one whose elements are the arguments: f(*x) */
};

enum statement_kind {
    STATEMENT_ASSIGN, /* targets[0] = targets[1] = ... = value */
    STATEMENT_UPDATE, /* targets[0] op= value */
    STATEMENT_EXPRESSION,
    STATEMENT_FOR,    /* for targets[0] in value: body */
    STATEMENT_IF,     /* if value: body, else: otherwise */
    STATEMENT_DEFINE, /* def name(parameters): body */
    STATEMENT_RETURN, /* value may be NULL */
    STATEMENT_PASS,
    STATEMENT_BREAK,
    STATEMENT_CONTINUE,
    STATEMENT_RAISE, /* where it is run, the program is at fault */
    STATEMENT_CLASS, /* body: its functions are names like any others */
};

struct block {
    struct statement **list;
    size_t count;
};

struct parameter {
    const char *name;
    size_t symbol;
    struct expression *fallback; /* NULL: it has to be given */
};

struct statement {
    enum statement_kind kind;
    size_t number;  /* in the order in which they begin */
    bool of_lambda; /* what a lambda gives, which stands within another statement */
    struct spot spot;
    const char *begin, *end; /* its text; of a block's, the line that opens it */
    struct expression **targets;
    size_t target_count;
    enum operation operation; /* of STATEMENT_UPDATE */
    struct expression *value;
    struct block body, otherwise;
    bool is_followed; /* by an elif: the one statement of what is done otherwise */
    const char *name; /* of STATEMENT_DEFINE */
    size_t symbol;
    struct parameter *parameters;
    size_t parameter_count;
};

extern const char syntax_star[];

struct syntax {
    struct block body;
    const char **names; /* by symbol */
    size_t name_count;
    size_t statement_count;
    const char *text;
    size_t length;
};

/* The tree of a text, from the arena; the text must outlive it. Faults as scanner_read's, and what stands where it
 * cannot. Imports are passed over. */
int syntax_read(struct text_reader *reader, const char *text, size_t length, struct syntax *syntax);

/* The same of a student's code around the arithmetic: names that `before` has (NULL: none) have the same symbols here,
 * so that its functions can be called; the methods of a class are functions; what computes nothing (assert, del, with,
 * super().__init__()) is passed over. */
int syntax_read_code(struct text_reader *reader, const char *text, size_t length, const struct syntax *before,
                     struct syntax *syntax);

/* The number of a name; syntax->name_count where the program has none such. */
size_t syntax_symbol(const struct syntax *syntax, const char *name);

/* Whether a name, or an attribute of that name, is anywhere in an expression; NULL has none. */
bool syntax_mentions(const struct expression *expression, const char *name);

#endif
