/* What the files of the parser share: its tokens, names, and lists that grow. Tokens become a tree by recursive
 * descent, a function for each level of precedence, the loosest first: statements in statements.c, what stands between
 * operators in expressions.c, what they stand between in atoms.c. All that can fail leave the fault in the reader. */
#ifndef CORE_LANGUAGE_PARSER_H
#define CORE_LANGUAGE_PARSER_H

#include <stdint.h>
#include <string.h>

#include "core/language/syntax.h"

struct parser {
    struct text_reader *reader;
    struct syntax *syntax;
    const struct token *token;      /* the next one */
    const char *last_end;           /* where the one before ends */
    size_t level, loops, name_room; /* loops around, within a def */
    uint32_t *slots;                /* a hash table of names: their symbol + 1, 0 where a slot is free */
    size_t slot_mask;
    bool code; /* a student's: what computes nothing is passed over */
};

/* A list that grows. */
struct list {
    void **items;
    size_t count, room;
};

/* Operators of one level, by their text. The last one has none. */
struct binary {
    const char *text;
    enum operation operation;
};

/* ---- tokens ---- */

static inline bool parser_failed(const struct parser *p)
{
    return p->reader->error->code != CODE_OK;
}

static inline void parser_next(struct parser *p)
{
    p->last_end = p->token->text + p->token->length;
    if (p->token->kind != TOKEN_END) p->token++;
}

static inline bool parser_is_text(const struct token *token, enum token_kind kind, const char *text)
{
    if (token->kind != kind || token->text[0] != text[0]) return false; /* which nearly all are told apart by */
    return strncmp(token->text, text, token->length) == 0 && text[token->length] == '\0';
}

static inline bool parser_at_operator(const struct parser *p, const char *text)
{
    return parser_is_text(p->token, TOKEN_OPERATOR, text);
}

static inline bool parser_at_word(const struct parser *p, const char *text)
{
    return parser_is_text(p->token, TOKEN_NAME, text);
}

static inline bool parser_take_operator(struct parser *p, const char *text)
{
    if (!parser_at_operator(p, text)) return false;
    parser_next(p);
    return true;
}

static inline bool parser_take_word(struct parser *p, const char *text)
{
    if (!parser_at_word(p, text)) return false;
    parser_next(p);
    return true;
}

/* A fault: something else is expected where the next token stands. */
int parser_unexpected(struct parser *p, const char *wanted);

/* Takes an operator that has to stand there. */
bool parser_expect(struct parser *p, const char *text);

/* Whether a token is a word of Python's, which names nothing. */
bool parser_is_reserved(const struct token *token);

/* The operation of the operator that stands there, which is not taken; OPERATION_NONE where it is none of these. */
static inline enum operation parser_operation(const struct parser *p, const struct binary *list)
{
    const char first = p->token->kind == TOKEN_OPERATOR ? *p->token->text : ')';
    if (first == ')' || first == ',' || first == ']') return OPERATION_NONE; /* as at the end of most expressions */
    for (; list->text != NULL; list++)
        if (parser_at_operator(p, list->text)) return list->operation;
    return OPERATION_NONE;
}

/* ---- what the tree is made of, from the arena ---- */

int parser_append(struct parser *p, struct list *list, void *item);

/* Makes the table of names of a text of so many bytes; finds a name in it, which is new perhaps. */
int parser_make_slots(struct parser *p, size_t length);
int parser_intern(struct parser *p, const char *text, size_t length, const char **name, size_t *symbol);

/* NULL where memory is short. An expression ends where the last token that was taken does. */
struct expression *parser_new_expression(struct parser *p, enum expression_kind kind, struct spot spot,
                                         const char *begin);
struct expression *parser_with_operands(struct parser *p, enum expression_kind kind, struct spot spot,
                                        const struct list *operands);
struct statement *parser_new_statement(struct parser *p, enum statement_kind kind, const struct token *at);

/* One level further in; a fault where there are too many. And out again. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

/* Whether something can be assigned to this, or, with `single`, to it as one thing; else a fault. */
bool parser_is_target(struct parser *p, const struct expression *e, bool single);

/* ---- expressions; NULL after a fault ---- */

/* Any one; several with commas between them, which are a tuple. */
struct expression *parse_expression(struct parser *p);
struct expression *parse_expressions(struct parser *p);

/* "a or b", but no "x if c else y", whose if a comprehension has for itself. */
struct expression *parse_words(struct parser *p, bool either);

/* What a for runs over with: a name, or several. Not an expression, which would take "in" for a comparison. */
struct expression *parse_loop_target(struct parser *p);

/* Until `closing`, which is taken, too. A colon that closes them is no annotation's. */
bool parse_parameters(struct parser *p, const char *closing, struct statement *s);

/* A value with its calls, subscripts and attributes. (atoms.c) */
struct expression *parse_primary(struct parser *p);

#endif
