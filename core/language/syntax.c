/* Tokens to a tree, by recursive descent: a function for each level of precedence, the loosest first. */
#include <stdint.h>
#include <string.h>

#include "core/language/syntax.h"

enum { LIST_FIRST = 4 };

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

static int append(struct parser *p, struct list *list, void *item)
{
    void **items = arena_grow(p->reader->arena, list->items, list->count, &list->room, sizeof *items, LIST_FIRST);
    if (items == NULL) return text_no_memory(p->reader);
    list->items = items;
    list->items[list->count++] = item;
    return CODE_OK;
}

/* ---- tokens ---- */

static bool failed(const struct parser *p)
{
    return p->reader->error->code != CODE_OK;
}

static void next(struct parser *p)
{
    p->last_end = p->token->text + p->token->length;
    if (p->token->kind != TOKEN_END) p->token++;
}

static bool is_text(const struct token *token, enum token_kind kind, const char *text)
{
    if (token->kind != kind || token->text[0] != text[0]) return false; /* which nearly all are told apart by */
    return strncmp(token->text, text, token->length) == 0 && text[token->length] == '\0';
}

static bool at_operator(const struct parser *p, const char *text)
{
    return is_text(p->token, TOKEN_OPERATOR, text);
}

static bool at_word(const struct parser *p, const char *text)
{
    return is_text(p->token, TOKEN_NAME, text);
}

static bool take_operator(struct parser *p, const char *text)
{
    if (!at_operator(p, text)) return false;
    next(p);
    return true;
}

static bool take_word(struct parser *p, const char *text)
{
    if (!at_word(p, text)) return false;
    next(p);
    return true;
}

static int unexpected(struct parser *p, const char *wanted)
{
    static const char *const names[] = {[TOKEN_END] = "the end of the program",
                                        [TOKEN_NEWLINE] = "the end of the line",
                                        [TOKEN_INDENT] = "a line that stands further in",
                                        [TOKEN_DEDENT] = "the end of the block"};
    const struct token *t = p->token;
    if (t->kind <= TOKEN_DEDENT)
        return text_fault(p->reader, t->spot, "%s is expected here, not %s", wanted, names[t->kind]);
    return text_fault(p->reader, t->spot, "%s is expected here, not \"%.*s\"", wanted,
                      (int)(t->length < 40 ? t->length : 40), t->text);
}

static bool expect_operator(struct parser *p, const char *text)
{
    if (take_operator(p, text)) return true;
    char wanted[16] = "\"";
    strncat(wanted, text, 8);
    strncat(wanted, "\"", 2);
    unexpected(p, wanted);
    return false;
}

static bool is_reserved(const struct token *token)
{
    static const char *const words[] = {"and",   "or",       "not",    "if",    "else",  "elif",     "for",    "in",
                                        "is",    "def",      "return", "while", "class", "lambda",   "import", "from",
                                        "with",  "try",      "except", "raise", "del",   "global",   "yield",  "assert",
                                        "break", "continue", "pass",   "async", "await", "nonlocal", "as",     NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (is_text(token, TOKEN_NAME, words[i])) return true;
    return false;
}

/* ---- names ---- */

size_t syntax_symbol(const struct syntax *syntax, const char *name)
{
    size_t i = 0;
    while (i < syntax->name_count && strcmp(syntax->names[i], name) != 0)
        i++;
    return i;
}

/* The slot of a name: where it stands, or the free one for it (FNV-1a). */
static uint32_t *find_slot(struct parser *p, const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    for (size_t i = hash & p->slot_mask;; i = (i + 1) & p->slot_mask) {
        if (p->slots[i] == 0) return &p->slots[i];
        const char *name = p->syntax->names[p->slots[i] - 1];
        if (strncmp(name, text, length) == 0 && name[length] == '\0') return &p->slots[i];
    }
}

static int intern(struct parser *p, const char *text, size_t length, const char **name, size_t *symbol)
{
    struct syntax *syntax = p->syntax;
    uint32_t *slot = find_slot(p, text, length);
    if (*slot == 0) {
        struct list names = {
            .items = (void **)(void *)syntax->names, .count = syntax->name_count, .room = p->name_room};
        char *copy = arena_text(p->reader->arena, text, length);
        if (copy == NULL) return text_no_memory(p->reader);
        if (append(p, &names, copy) != CODE_OK) return p->reader->error->code;
        syntax->names = (const char **)(void *)names.items;
        syntax->name_count = names.count;
        p->name_room = names.room;
        *slot = (uint32_t)names.count;
    }
    *symbol = *slot - 1;
    *name = syntax->names[*symbol];
    return CODE_OK;
}

/* No name is shorter than a byte, and between two of them stands something: the table is never more than half full. */
static int make_slots(struct parser *p, size_t length)
{
    size_t count = 16;
    while (count < length + 2)
        count *= 2;
    p->slots = arena_zeroed(p->reader->arena, count, sizeof *p->slots);
    p->slot_mask = count - 1;
    return p->slots != NULL ? CODE_OK : text_no_memory(p->reader);
}

/* ---- expressions ---- */

static struct expression *parse_expression(struct parser *p);
static struct expression *parse_unary(struct parser *p);
static struct expression *parse_inner_unary(struct parser *p);
static struct expression *parse_words(struct parser *p, bool either);

static struct expression *new_expression(struct parser *p, enum expression_kind kind, struct spot spot,
                                         const char *begin)
{
    struct expression *e = arena_zeroed(p->reader->arena, 1, sizeof *e);
    if (e == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    e->kind = kind;
    e->spot = spot;
    e->begin = begin;
    e->end = p->last_end;
    e->operation = OPERATION_NONE;
    return e;
}

static bool enter(struct parser *p)
{
    if (++p->level <= LANGUAGE_LEVELS_MAX) return true;
    text_fault(p->reader, p->token->spot, "more than %d levels stand within each other", LANGUAGE_LEVELS_MAX);
    return false;
}

static void leave(struct parser *p)
{
    p->level--;
}

static struct expression *with_operands(struct parser *p, enum expression_kind kind, struct spot spot,
                                        const struct list *operands)
{
    struct expression *e = new_expression(p, kind, spot, NULL);
    if (e == NULL) return NULL;
    e->operands = (struct expression **)(void *)operands->items;
    e->count = operands->count;
    if (e->count > 0 && e->operands[0] != NULL) e->begin = e->operands[0]->begin;
    return e;
}

/* What stands between brackets, up to the closing one: elements with commas between them. */
static bool parse_elements(struct parser *p, const char *closing, struct list *list, bool *comma)
{
    *comma = false;
    while (!failed(p) && !at_operator(p, closing)) {
        struct expression *element = parse_expression(p);
        if (element == NULL || append(p, list, element) != CODE_OK) return false;
        if (!take_operator(p, ",")) break;
        *comma = true;
    }
    return expect_operator(p, closing);
}

/* ... for NAME in EXPRESSION if CONDITION], the element being there already. */
static bool is_target(struct parser *p, const struct expression *e, bool in_tuple);

/* What a for runs over with: a name, or several. Not an expression, which would take "in" for a comparison. */
static struct expression *parse_loop_target(struct parser *p)
{
    struct list names = {0};
    struct spot spot = p->token->spot;
    do {
        struct expression *target = parse_unary(p);
        if (target == NULL || !is_target(p, target, false) || append(p, &names, target) != CODE_OK) return NULL;
    } while (take_operator(p, ","));
    return names.count == 1 ? names.items[0] : with_operands(p, EXPRESSION_TUPLE, spot, &names);
}

/* Behind the "for" of [element for ...]; of a dictionary `element` is key and value. */
static struct expression *parse_comprehension(struct parser *p, enum expression_kind kind, struct expression *element,
                                              const char *closing)
{
    struct list list = {0};
    struct spot spot = p->token->spot;
    if (append(p, &list, element) != CODE_OK) return NULL;
    struct expression *target = parse_loop_target(p);
    if (target == NULL || append(p, &list, target) != CODE_OK) return NULL;
    if (!take_word(p, "in")) {
        unexpected(p, "\"in\"");
        return NULL;
    }
    struct expression *over = parse_words(p, true); /* not an expression, which would take "if" for a choice */
    if (over == NULL || append(p, &list, over) != CODE_OK) return NULL;
    if (take_word(p, "if")) {
        struct expression *condition = parse_words(p, true);
        if (condition == NULL || append(p, &list, condition) != CODE_OK) return NULL;
    }
    if (!expect_operator(p, closing)) return NULL;
    return with_operands(p, kind, spot, &list);
}

static struct expression *parse_parentheses(struct parser *p)
{
    struct list list = {0};
    const struct token *open = p->token;
    bool comma = false;
    next(p);
    struct expression *first = at_operator(p, ")") ? NULL : parse_expression(p);
    if (failed(p)) return NULL;
    if (first != NULL && take_word(p, "for")) return parse_comprehension(p, EXPRESSION_COMPREHENSION, first, ")");
    if (first != NULL) {
        if (append(p, &list, first) != CODE_OK) return NULL;
        comma = take_operator(p, ",");
        bool more = false;
        if (comma ? !parse_elements(p, ")", &list, &more) : !expect_operator(p, ")")) return NULL;
    } else if (!expect_operator(p, ")")) {
        return NULL;
    }
    struct expression *e = first != NULL && !comma ? first : with_operands(p, EXPRESSION_TUPLE, open->spot, &list);
    if (e == NULL) return NULL;
    e->begin = open->text;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_list(struct parser *p)
{
    struct list list = {0};
    const struct token *open = p->token;
    next(p);
    struct expression *first = at_operator(p, "]") ? NULL : parse_expression(p), *e;
    if (failed(p)) return NULL;
    if (first != NULL && take_word(p, "for")) {
        e = parse_comprehension(p, EXPRESSION_COMPREHENSION, first, "]");
    } else {
        bool comma;
        if (first != NULL && append(p, &list, first) != CODE_OK) return NULL;
        if (first == NULL || !take_operator(p, ",") ? !expect_operator(p, "]") : !parse_elements(p, "]", &list, &comma))
            return NULL;
        e = with_operands(p, EXPRESSION_LIST, open->spot, &list);
    }
    if (e == NULL) return NULL;
    e->begin = open->text;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_dictionary(struct parser *p)
{
    struct list list = {0};
    const struct token *open = p->token;
    bool comprehension = false;
    next(p);
    while (!failed(p) && !at_operator(p, "}")) {
        struct expression *key = parse_expression(p);
        if (key == NULL || append(p, &list, key) != CODE_OK || !expect_operator(p, ":")) return NULL;
        struct expression *value = parse_expression(p);
        if (value == NULL || append(p, &list, value) != CODE_OK) return NULL;
        comprehension = list.count == 2 && take_word(p, "for");
        if (comprehension || !take_operator(p, ",")) break;
    }
    if (failed(p) || (!comprehension && !expect_operator(p, "}"))) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_DICTIONARY, open->spot, &list);
    if (e != NULL && comprehension) e = parse_comprehension(p, EXPRESSION_DICTIONARY_COMPREHENSION, e, "}");
    if (e == NULL) return NULL;
    e->begin = open->text;
    e->end = p->last_end;
    return e;
}

/* The tokens of a part of the text, which stand where they do in all of it. */
static struct token *scan_part(struct parser *p, const char *text, size_t length, struct spot spot)
{
    struct token *tokens = NULL;
    if (scanner_read(p->reader, text, length, &tokens) != CODE_OK) return NULL;
    for (struct token *t = tokens;; t++) {
        t->spot.column += t->spot.line == 1 ? spot.column - 1 : 0;
        t->spot.line += spot.line - 1;
        if (t->kind == TOKEN_END) return tokens;
    }
}

/* Where a format's expression ends: how it is written, behind ':' or '!', says nothing. */
static size_t cut_format(const char *text, size_t length)
{
    size_t depth = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr("([", text[i]) != NULL && text[i] != '\0') depth++;
        if (strchr(")]", text[i]) != NULL && text[i] != '\0' && depth > 0) depth--;
        bool ends = text[i] == ':' || (text[i] == '!' && i + 1 < length && text[i + 1] != '=');
        if (depth == 0 && ends) return i;
    }
    return length;
}

/* What stands between the braces of a format: an expression. */
static struct expression *parse_braces(struct parser *p, const char *text, size_t length, struct spot spot)
{
    const struct token *behind = p->token, *tokens;
    const char *last_end = p->last_end;
    tokens = scan_part(p, text, cut_format(text, length), spot);
    if (tokens == NULL) return NULL;
    p->token = tokens;
    struct expression *e = parse_expression(p);
    if (e != NULL && p->token->kind != TOKEN_NEWLINE) {
        unexpected(p, "the end of the braces");
        e = NULL;
    }
    p->token = behind;
    p->last_end = last_end;
    return e;
}

/* f"W{l}": its text and what stands in braces, in turn. */
static struct expression *parse_format(struct parser *p)
{
    struct list list = {0};
    const struct token *t = p->token;
    next(p);
    p->last_end = t->text + t->length + 1;
    for (size_t i = 0; i <= t->length;) {
        size_t n = 0;
        while (i + n < t->length && t->text[i + n] != '{')
            n++;
        struct expression *text = new_expression(p, EXPRESSION_STRING, t->spot, t->text + i);
        if (text == NULL || intern(p, t->text + i, n, &text->name, &text->symbol) != CODE_OK ||
            append(p, &list, text) != CODE_OK)
            return NULL;
        i += n + 1;
        if (i > t->length) break;
        while (i < t->length && t->text[i] == ' ')
            i++;
        for (n = 0; i + n < t->length && t->text[i + n] != '}';)
            n++;
        struct spot spot = {t->spot.line, t->spot.column + (unsigned)i + 2};
        struct expression *value = parse_braces(p, t->text + i, n, spot);
        if (value == NULL || append(p, &list, value) != CODE_OK) return NULL;
        i += n + 1;
    }
    struct expression *e = with_operands(p, EXPRESSION_FORMAT, t->spot, &list);
    if (e == NULL) return NULL;
    e->begin = t->text - 2;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_atom(struct parser *p)
{
    const struct token *t = p->token;
    struct expression *e;
    if (at_operator(p, "(")) return parse_parentheses(p);
    if (at_operator(p, "[")) return parse_list(p);
    if (at_operator(p, "{")) return parse_dictionary(p);
    if (take_operator(p, "...")) return new_expression(p, EXPRESSION_ELLIPSIS, t->spot, t->text);
    if (t->kind == TOKEN_NUMBER) {
        next(p);
        e = new_expression(p, EXPRESSION_NUMBER, t->spot, t->text);
        if (e == NULL) return NULL;
        e->number = t->number;
        e->is_whole = t->is_whole;
        return e;
    }
    if (t->kind == TOKEN_FORMAT) return parse_format(p);
    if (t->kind != TOKEN_NAME && t->kind != TOKEN_STRING) {
        unexpected(p, "a value");
        return NULL;
    }
    if (t->kind == TOKEN_NAME && is_reserved(t)) {
        if (at_word(p, "lambda") || at_word(p, "await") || at_word(p, "yield"))
            text_fault(p->reader, t->spot, "the language has no %.*s", (int)t->length, t->text);
        else
            unexpected(p, "a value");
        return NULL;
    }
    next(p);
    if (t->kind == TOKEN_STRING) p->last_end = t->text + t->length + 1;
    e = new_expression(p, t->kind == TOKEN_NAME ? EXPRESSION_NAME : EXPRESSION_STRING, t->spot, t->text);
    if (e == NULL || intern(p, t->text, t->length, &e->name, &e->symbol) != CODE_OK) return NULL;
    if (t->kind == TOKEN_STRING) e->begin = t->text - 1;
    return e;
}

static const char *take_keyword(struct parser *p)
{
    const char *keyword = NULL;
    size_t symbol;
    if (p->token->kind != TOKEN_NAME || !is_text(&p->token[1], TOKEN_OPERATOR, "=")) return NULL;
    if (intern(p, p->token->text, p->token->length, &keyword, &symbol) != CODE_OK) return NULL;
    next(p);
    next(p);
    return keyword;
}

const char syntax_star[] = "*";

static struct expression *parse_call(struct parser *p, struct expression *callee)
{
    struct list list = {0}, keywords = {0};
    bool closed = false;
    next(p);
    if (append(p, &list, callee) != CODE_OK || append(p, &keywords, NULL) != CODE_OK) return NULL;
    while (!failed(p) && !closed && !at_operator(p, ")")) {
        const char *keyword = take_operator(p, "*") ? syntax_star : take_keyword(p);
        struct expression *argument = failed(p) ? NULL : parse_expression(p);
        if (argument != NULL && keyword == NULL && take_word(p, "for")) {
            argument = parse_comprehension(p, EXPRESSION_COMPREHENSION, argument, ")");
            closed = true;
        }
        if (argument == NULL || append(p, &list, argument) != CODE_OK ||
            append(p, &keywords, (void *)(uintptr_t)keyword) != CODE_OK)
            return NULL;
        if (!closed && !take_operator(p, ",")) break;
    }
    if (failed(p) || (!closed && !expect_operator(p, ")"))) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_CALL, callee->spot, &list);
    if (e != NULL) e->keywords = (const char **)(void *)keywords.items;
    return e;
}

static bool at_slice_end(const struct parser *p)
{
    return at_operator(p, ":") || at_operator(p, ",") || at_operator(p, "]");
}

/* One subscript: a value, or a slice. */
static struct expression *parse_subscript(struct parser *p)
{
    struct list list = {0};
    const struct token *begin = p->token;
    struct expression *first = at_slice_end(p) ? NULL : parse_expression(p);
    if (failed(p) || !at_operator(p, ":")) {
        if (first == NULL) unexpected(p, "a subscript");
        return first;
    }
    if (append(p, &list, first) != CODE_OK) return NULL;
    while (list.count < 3 && take_operator(p, ":")) {
        struct expression *bound = at_slice_end(p) ? NULL : parse_expression(p);
        if (failed(p) || append(p, &list, bound) != CODE_OK) return NULL;
    }
    struct expression *e = with_operands(p, EXPRESSION_SLICE, begin->spot, &list);
    if (e != NULL) e->begin = begin->text;
    return e;
}

static struct expression *parse_subscripts(struct parser *p, struct expression *of)
{
    struct list list = {0};
    struct spot spot = p->token->spot;
    next(p);
    if (append(p, &list, of) != CODE_OK) return NULL;
    do {
        if (list.count > 1 && at_operator(p, "]")) break;
        struct expression *subscript = parse_subscript(p);
        if (subscript == NULL || append(p, &list, subscript) != CODE_OK) return NULL;
    } while (take_operator(p, ","));
    if (!expect_operator(p, "]")) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_SUBSCRIPT, spot, &list);
    if (e != NULL) e->spot = of->spot;
    return e;
}

static struct expression *parse_attribute(struct parser *p, struct expression *of)
{
    struct list list = {0};
    next(p);
    const struct token *t = p->token;
    if (t->kind != TOKEN_NAME) {
        unexpected(p, "a name");
        return NULL;
    }
    next(p);
    if (append(p, &list, of) != CODE_OK) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_ATTRIBUTE, t->spot, &list);
    if (e == NULL || intern(p, t->text, t->length, &e->name, &e->symbol) != CODE_OK) return NULL;
    return e;
}

static struct expression *parse_primary(struct parser *p)
{
    struct expression *e = parse_atom(p);
    size_t suffixes = 0;
    while (e != NULL && (at_operator(p, "(") || at_operator(p, "[") || at_operator(p, "."))) {
        if (++suffixes > LANGUAGE_LEVELS_MAX) {
            text_fault(p->reader, p->token->spot, "more than %d calls, subscripts and attributes in a row",
                       LANGUAGE_LEVELS_MAX);
            return NULL;
        }
        e = at_operator(p, "(")   ? parse_call(p, e)
            : at_operator(p, "[") ? parse_subscripts(p, e)
                                  : parse_attribute(p, e);
    }
    return e;
}

/* x ** y: tighter than a sign on its left, looser than one on its right. */
static struct expression *parse_power(struct parser *p)
{
    struct list list = {0};
    struct expression *e = parse_primary(p);
    struct spot spot = p->token->spot;
    if (e == NULL || !take_operator(p, "**")) return e;
    struct expression *exponent = parse_inner_unary(p);
    if (exponent == NULL || append(p, &list, e) != CODE_OK || append(p, &list, exponent) != CODE_OK) return NULL;
    return with_operands(p, EXPRESSION_POWER, spot, &list);
}

static struct expression *parse_signed(struct parser *p, enum operation operation)
{
    struct list list = {0};
    const struct token *sign = p->token;
    next(p);
    struct expression *operand = parse_inner_unary(p);
    if (operand == NULL || append(p, &list, operand) != CODE_OK) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_UNARY, sign->spot, &list);
    if (e == NULL) return NULL;
    e->operation = operation;
    e->begin = sign->text;
    return e;
}

static struct expression *parse_unary(struct parser *p)
{
    return at_operator(p, "-")   ? parse_signed(p, OPERATION_NEGATIVE)
           : at_operator(p, "+") ? parse_signed(p, OPERATION_POSITIVE)
           : at_operator(p, "~") ? parse_signed(p, OPERATION_INVERT)
                                 : parse_power(p);
}

/* One within a unary one, or an exponent. */
static struct expression *parse_inner_unary(struct parser *p)
{
    if (!enter(p)) return NULL;
    struct expression *e = parse_unary(p);
    leave(p);
    return e;
}

struct binary {
    const char *text;
    enum operation operation;
};

static const struct binary factors[] = {{"*", OPERATION_MULTIPLY}, {"/", OPERATION_DIVIDE},
                                        {"@", OPERATION_MATMUL},   {"//", OPERATION_FLOOR_DIVIDE},
                                        {"%", OPERATION_MODULO},   {NULL, OPERATION_NONE}};
static const struct binary terms[] = {{"+", OPERATION_ADD}, {"-", OPERATION_SUBTRACT}, {NULL, OPERATION_NONE}};
static const struct binary ands[] = {{"&", OPERATION_AND}, {NULL, OPERATION_NONE}};
static const struct binary xors[] = {{"^", OPERATION_XOR}, {NULL, OPERATION_NONE}};
static const struct binary ors[] = {{"|", OPERATION_OR}, {NULL, OPERATION_NONE}};
static const struct binary *const chains[] = {factors, terms, ands, xors, ors};
enum { CHAINS = sizeof chains / sizeof *chains };

static enum operation operation_of(const struct parser *p, const struct binary *list)
{
    const char first = p->token->kind == TOKEN_OPERATOR ? *p->token->text : ')';
    if (first == ')' || first == ',' || first == ']') return OPERATION_NONE; /* as at the end of most expressions */
    for (; list->text != NULL; list++)
        if (at_operator(p, list->text)) return list->operation;
    return OPERATION_NONE;
}

/* Operands of the next tighter level with the operators of this one between them. */
static struct expression *parse_chain(struct parser *p, size_t level)
{
    struct list list = {0}, operations = {0}, operators = {0};
    struct expression *e;
    enum operation operation;
    for (;;) {
        e = level == 0 ? parse_unary(p) : parse_chain(p, level - 1);
        if (e == NULL) return NULL;
        operation = operation_of(p, chains[level]);
        if (operation == OPERATION_NONE && list.count == 0) return e;
        if (append(p, &list, e) != CODE_OK) return NULL;
        if (operation == OPERATION_NONE) break;
        if (append(p, &operations, (void *)(uintptr_t)operation) != CODE_OK) return NULL;
        if (append(p, &operators, (void *)(uintptr_t)p->token) != CODE_OK) return NULL;
        next(p);
    }
    e = with_operands(p, EXPRESSION_CHAIN, ((const struct token *)operators.items[0])->spot, &list);
    if (e == NULL) return NULL;
    e->operations = arena_array(p->reader->arena, operations.count, sizeof *e->operations);
    e->operators = arena_array(p->reader->arena, operations.count, sizeof *e->operators);
    if (e->operations == NULL || e->operators == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    for (size_t i = 0; i < operations.count; i++) {
        e->operations[i] = (enum operation)(uintptr_t)operations.items[i];
        e->operators[i] = ((const struct token *)operators.items[i])->spot;
    }
    return e;
}

static enum operation take_comparison(struct parser *p)
{
    static const struct binary comparisons[] = {{"<", OPERATION_LESS},    {"<=", OPERATION_LESS_EQUAL},
                                                {">", OPERATION_GREATER}, {">=", OPERATION_GREATER_EQUAL},
                                                {"==", OPERATION_EQUAL},  {"!=", OPERATION_NOT_EQUAL},
                                                {NULL, OPERATION_NONE}};
    enum operation operation = operation_of(p, comparisons);
    if (operation != OPERATION_NONE) {
        next(p);
    } else if (take_word(p, "in")) {
        operation = OPERATION_IN;
    } else if (at_word(p, "not") && is_text(&p->token[1], TOKEN_NAME, "in")) {
        next(p);
        next(p);
        operation = OPERATION_NOT_IN;
    } else if (take_word(p, "is")) {
        operation = take_word(p, "not") ? OPERATION_IS_NOT : OPERATION_IS;
    }
    return operation;
}

static struct expression *parse_comparison(struct parser *p)
{
    struct list list = {0};
    enum { COMPARISONS_MAX = 8 };
    enum operation operations[COMPARISONS_MAX];
    struct spot spot = {0};
    for (;;) {
        struct expression *e = parse_chain(p, CHAINS - 1);
        struct spot here = p->token->spot;
        enum operation operation = e != NULL ? take_comparison(p) : OPERATION_NONE;
        if (e == NULL || (operation == OPERATION_NONE && list.count == 0)) return e;
        if (append(p, &list, e) != CODE_OK) return NULL;
        if (operation == OPERATION_NONE) break;
        if (list.count == 1) spot = here;
        if (list.count > COMPARISONS_MAX) {
            text_fault(p->reader, here, "more than %d comparisons in a row", COMPARISONS_MAX);
            return NULL;
        }
        operations[list.count - 1] = operation;
    }
    struct expression *e = with_operands(p, EXPRESSION_COMPARE, spot, &list);
    if (e == NULL) return NULL;
    e->operations = arena_array(p->reader->arena, list.count, sizeof *e->operations);
    if (e->operations == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    memcpy(e->operations, operations, (list.count - 1) * sizeof *operations);
    return e;
}

static struct expression *parse_not(struct parser *p)
{
    struct list list = {0};
    const struct token *word = p->token;
    if (!take_word(p, "not")) return parse_comparison(p);
    if (!enter(p)) return NULL;
    struct expression *operand = parse_not(p);
    leave(p);
    if (operand == NULL || append(p, &list, operand) != CODE_OK) return NULL;
    struct expression *e = with_operands(p, EXPRESSION_UNARY, word->spot, &list);
    if (e == NULL) return NULL;
    e->operation = OPERATION_NOT;
    e->begin = word->text;
    return e;
}

static struct expression *parse_words(struct parser *p, bool either)
{
    struct list list = {0};
    struct spot spot = {0};
    for (;;) {
        struct expression *e = either ? parse_words(p, false) : parse_not(p);
        struct spot here = p->token->spot;
        bool more = e != NULL && take_word(p, either ? "or" : "and");
        if (e == NULL || (!more && list.count == 0)) return e;
        if (append(p, &list, e) != CODE_OK) return NULL;
        if (list.count == 1) spot = here;
        if (!more) return with_operands(p, either ? EXPRESSION_EITHER : EXPRESSION_BOTH, spot, &list);
    }
}

static struct expression *parse_choice(struct parser *p)
{
    struct list list = {0};
    struct expression *e = parse_words(p, true);
    struct spot spot = p->token->spot;
    if (e == NULL || !take_word(p, "if")) return e;
    struct expression *condition = parse_words(p, true);
    if (condition == NULL) return NULL;
    if (!take_word(p, "else")) {
        unexpected(p, "\"else\"");
        return NULL;
    }
    struct expression *otherwise = parse_expression(p);
    if (otherwise == NULL || append(p, &list, e) != CODE_OK || append(p, &list, condition) != CODE_OK ||
        append(p, &list, otherwise) != CODE_OK)
        return NULL;
    return with_operands(p, EXPRESSION_CHOICE, spot, &list);
}

/* Until `closing`, which is taken, too. A colon that closes them is no annotation's. */
static bool parse_parameters(struct parser *p, const char *closing, struct statement *s);

static struct statement *new_statement(struct parser *p, enum statement_kind kind, const struct token *at);

static struct expression *parse_lambda(struct parser *p)
{
    struct list list = {0};
    const struct token *word = p->token;
    struct statement *s = new_statement(p, STATEMENT_DEFINE, word), *body = new_statement(p, STATEMENT_RETURN, word);
    next(p);
    if (s == NULL || body == NULL || !parse_parameters(p, ":", s)) return NULL;
    s->name = "a lambda";
    body->value = parse_expression(p);
    if (body->value == NULL || append(p, &list, body) != CODE_OK) return NULL;
    s->body = (struct block){.list = (struct statement **)(void *)list.items, .count = 1};
    struct list none = {0};
    struct expression *e = with_operands(p, EXPRESSION_LAMBDA, word->spot, &none);
    if (e == NULL) return NULL;
    e->function = s;
    e->begin = word->text;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_expression(struct parser *p)
{
    if (!enter(p)) return NULL;
    struct expression *e = at_word(p, "lambda") ? parse_lambda(p) : parse_choice(p);
    leave(p);
    return e;
}

/* An expression, or several with commas between them: a tuple without parentheses. */
static struct expression *parse_expressions(struct parser *p)
{
    struct list list = {0};
    const struct token *begin = p->token;
    struct expression *e = parse_expression(p);
    if (e == NULL || !at_operator(p, ",")) return e;
    if (append(p, &list, e) != CODE_OK) return NULL;
    while (take_operator(p, ",")) {
        if (p->token->kind == TOKEN_NEWLINE || at_operator(p, "=")) break;
        e = parse_expression(p);
        if (e == NULL || append(p, &list, e) != CODE_OK) return NULL;
    }
    return with_operands(p, EXPRESSION_TUPLE, begin->spot, &list);
}

/* ---- statements ---- */

static bool parse_block(struct parser *p, struct block *block);

static struct statement *new_statement(struct parser *p, enum statement_kind kind, const struct token *at)
{
    struct statement *s = arena_zeroed(p->reader->arena, 1, sizeof *s);
    if (s == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    s->kind = kind;
    s->number = p->syntax->statement_count++;
    s->spot = at->spot;
    s->begin = at->text;
    return s;
}

static enum operation take_update(struct parser *p)
{
    static const struct binary updates[] = {
        {"+=", OPERATION_ADD},    {"-=", OPERATION_SUBTRACT}, {"*=", OPERATION_MULTIPLY},
        {"/=", OPERATION_DIVIDE}, {"**=", OPERATION_POWER},   {"//=", OPERATION_FLOOR_DIVIDE},
        {"@=", OPERATION_MATMUL}, {"%=", OPERATION_MODULO},   {"&=", OPERATION_AND},
        {"|=", OPERATION_OR},     {NULL, OPERATION_NONE}};
    enum operation operation = operation_of(p, updates);
    if (operation != OPERATION_NONE) next(p);
    return operation;
}

static bool is_target(struct parser *p, const struct expression *e, bool in_tuple)
{
    if (e->kind == EXPRESSION_NAME || e->kind == EXPRESSION_SUBSCRIPT || e->kind == EXPRESSION_ATTRIBUTE) return true;
    bool several = (e->kind == EXPRESSION_TUPLE || e->kind == EXPRESSION_LIST) && !in_tuple && e->count > 0;
    for (size_t i = 0; several && i < e->count; i++)
        if (!is_target(p, e->operands[i], true)) return false;
    if (!several) text_fault(p->reader, e->spot, "nothing can be assigned to this");
    return several;
}

static struct statement *parse_assignment(struct parser *p)
{
    struct list targets = {0};
    const struct token *begin = p->token;
    struct expression *e = parse_expressions(p);
    if (e == NULL) return NULL;
    if (e->kind == EXPRESSION_NAME && take_operator(p, ":")) { /* an annotation says nothing here */
        if (parse_expression(p) == NULL) return NULL;
    }
    enum operation operation = take_update(p);
    if (operation != OPERATION_NONE) {
        if (e->kind == EXPRESSION_TUPLE || !is_target(p, e, true)) return NULL;
        struct statement *s = new_statement(p, STATEMENT_UPDATE, begin);
        if (s == NULL || append(p, &targets, e) != CODE_OK) return NULL;
        s->operation = operation;
        s->targets = (struct expression **)(void *)targets.items;
        s->target_count = 1;
        s->value = parse_expressions(p);
        return s->value != NULL ? s : NULL;
    }
    while (take_operator(p, "=")) {
        if (!is_target(p, e, false) || append(p, &targets, e) != CODE_OK) return NULL;
        e = parse_expressions(p);
        if (e == NULL) return NULL;
    }
    struct statement *s = new_statement(p, targets.count > 0 ? STATEMENT_ASSIGN : STATEMENT_EXPRESSION, begin);
    if (s == NULL) return NULL;
    s->targets = (struct expression **)(void *)targets.items;
    s->target_count = targets.count;
    s->value = e;
    return s;
}

static struct statement *parse_for(struct parser *p)
{
    struct list targets = {0};
    struct statement *s = new_statement(p, STATEMENT_FOR, p->token);
    next(p);
    struct expression *target = parse_loop_target(p);
    if (s == NULL || target == NULL || append(p, &targets, target) != CODE_OK) return NULL;
    if (!take_word(p, "in")) {
        unexpected(p, "\"in\"");
        return NULL;
    }
    s->targets = (struct expression **)(void *)targets.items;
    s->target_count = 1;
    s->value = parse_expressions(p);
    p->loops++;
    if (s->value == NULL || !parse_block(p, &s->body)) return NULL;
    p->loops--;
    if (at_word(p, "else")) {
        text_fault(p->reader, p->token->spot, "the language has no else of a loop");
        return NULL;
    }
    return s;
}

/* if or elif, its condition and its block. */
static struct statement *parse_branch(struct parser *p)
{
    struct statement *s = new_statement(p, STATEMENT_IF, p->token);
    next(p);
    if (s == NULL) return NULL;
    s->value = parse_expression(p);
    return s->value != NULL && parse_block(p, &s->body) ? s : NULL;
}

/* Each elif is the if that stands alone in what is done otherwise: one within the other, but on one level. */
static struct statement *parse_if(struct parser *p)
{
    struct statement *first = parse_branch(p), *last = first;
    while (last != NULL && at_word(p, "elif")) {
        struct list list = {0};
        struct statement *other = parse_branch(p);
        if (other == NULL || append(p, &list, other) != CODE_OK) return NULL;
        other->end = p->last_end;
        last->otherwise = (struct block){.list = (struct statement **)(void *)list.items, .count = 1};
        last->is_followed = true;
        last = other;
    }
    if (last == NULL) return NULL;
    if (take_word(p, "else") && !parse_block(p, &last->otherwise)) return NULL;
    return first;
}

static bool parse_parameters(struct parser *p, const char *closing, struct statement *s)
{
    struct list list = {0};
    const bool annotated = strcmp(closing, ":") != 0;
    while (!failed(p) && !at_operator(p, closing)) {
        struct parameter *parameter = arena_zeroed(p->reader->arena, 1, sizeof *parameter);
        const struct token *t = p->token;
        if (parameter == NULL) return text_no_memory(p->reader) == CODE_OK;
        if (t->kind != TOKEN_NAME || is_reserved(t)) {
            unexpected(p, "a parameter's name");
            return false;
        }
        next(p);
        if (intern(p, t->text, t->length, &parameter->name, &parameter->symbol) != CODE_OK) return false;
        if (annotated && take_operator(p, ":") && parse_expression(p) == NULL) return false;
        if (take_operator(p, "=") && (parameter->fallback = parse_expression(p)) == NULL) return false;
        if (append(p, &list, parameter) != CODE_OK) return false;
        if (!take_operator(p, ",")) break;
    }
    if (!expect_operator(p, closing)) return false;
    s->parameters = arena_array(p->reader->arena, list.count, sizeof *s->parameters);
    if (s->parameters == NULL) return text_no_memory(p->reader) == CODE_OK;
    for (size_t i = 0; i < list.count; i++)
        s->parameters[i] = *(struct parameter *)list.items[i];
    s->parameter_count = list.count;
    return true;
}

static struct statement *parse_define(struct parser *p)
{
    struct statement *s = new_statement(p, STATEMENT_DEFINE, p->token);
    next(p);
    const struct token *t = p->token;
    if (s == NULL) return NULL;
    if (t->kind != TOKEN_NAME || is_reserved(t)) {
        unexpected(p, "a function's name");
        return NULL;
    }
    next(p);
    if (intern(p, t->text, t->length, &s->name, &s->symbol) != CODE_OK || !expect_operator(p, "(")) return NULL;
    if (!parse_parameters(p, ")", s)) return NULL;
    if (take_operator(p, "->") && parse_expression(p) == NULL) return NULL;
    size_t around = p->loops;
    p->loops = 0;
    if (!parse_block(p, &s->body)) return NULL;
    p->loops = around;
    return s;
}

static struct statement *parse_return(struct parser *p)
{
    struct statement *s = new_statement(p, STATEMENT_RETURN, p->token);
    next(p);
    if (s == NULL || p->token->kind == TOKEN_NEWLINE) return s;
    s->value = parse_expressions(p);
    return s->value != NULL ? s : NULL;
}

static void skip_statement(struct parser *p)
{
    while (p->token->kind != TOKEN_NEWLINE && p->token->kind != TOKEN_END)
        next(p);
}

/* One that stands on a line, with others behind ';'. */
static struct statement *parse_simple(struct parser *p)
{
    static const char *const missing[] = {"while", "class", "with",     "try", "global",
                                          "yield", "async", "nonlocal", NULL};
    static const char *const nothing[] = {"assert", "del", "global", "nonlocal", "super", NULL};
    const struct token *begin = p->token;
    for (size_t i = 0; p->code && nothing[i] != NULL; i++)
        if (at_word(p, nothing[i])) {
            skip_statement(p);
            return new_statement(p, STATEMENT_PASS, begin);
        }
    for (size_t i = 0; missing[i] != NULL; i++)
        if (at_word(p, missing[i])) {
            text_fault(p->reader, begin->spot, "the language has no %s", missing[i]);
            return NULL;
        }
    static const struct {
        const char *word;
        enum statement_kind kind;
    } passed_over[] = {{"import", STATEMENT_PASS},       {"from", STATEMENT_PASS},   {"pass", STATEMENT_PASS},
                       {"assert", STATEMENT_PASS},       {"del", STATEMENT_PASS},    {"break", STATEMENT_BREAK},
                       {"continue", STATEMENT_CONTINUE}, {"raise", STATEMENT_RAISE}, {NULL, STATEMENT_PASS}};
    if (at_word(p, "return")) return parse_return(p);
    for (size_t i = 0; passed_over[i].word != NULL; i++) {
        if (!at_word(p, passed_over[i].word)) continue;
        enum statement_kind kind = passed_over[i].kind;
        if (p->loops == 0 && (kind == STATEMENT_BREAK || kind == STATEMENT_CONTINUE)) {
            text_fault(p->reader, begin->spot, "a %s stands outside of a loop", passed_over[i].word);
            return NULL;
        }
        skip_statement(p);
        return new_statement(p, kind, begin);
    }
    return parse_assignment(p);
}

/* class NAME(...):, with ...: a block whose statements stand for themselves. */
static struct statement *parse_class(struct parser *p)
{
    struct statement *s = new_statement(p, STATEMENT_CLASS, p->token);
    while (p->token->kind != TOKEN_NEWLINE && p->token->kind != TOKEN_END && !at_operator(p, ":"))
        next(p);
    return s != NULL && parse_block(p, &s->body) ? s : NULL;
}

static bool parse_line(struct parser *p, struct list *list)
{
    while (p->code && at_operator(p, "@")) { /* a decorator */
        skip_statement(p);
        next(p);
    }
    bool class = p->code && (at_word(p, "class") || at_word(p, "with"));
    bool compound = class || at_word(p, "for") || at_word(p, "if") || at_word(p, "def");
    struct statement *s = class               ? parse_class(p)
                          : at_word(p, "for") ? parse_for(p)
                          : at_word(p, "if")  ? parse_if(p)
                          : at_word(p, "def") ? parse_define(p)
                                              : parse_simple(p);
    if (s == NULL) return false;
    if (s->end == NULL) s->end = p->last_end;
    if (append(p, list, s) != CODE_OK) return false;
    if (compound) return true;
    if (p->token->kind != TOKEN_NEWLINE) {
        unexpected(p, "the end of the statement");
        return false;
    }
    next(p);
    return true;
}

static bool parse_lines(struct parser *p, enum token_kind until, struct block *block)
{
    struct list list = {0};
    while (p->token->kind != until) {
        if (p->token->kind == TOKEN_NEWLINE) { /* of an empty statement behind ';' */
            next(p);
            continue;
        }
        if (p->token->kind == TOKEN_INDENT) {
            text_fault(p->reader, p->token->spot,
                       "this line stands further in than the one before, which opens no block");
            return false;
        }
        if (!parse_line(p, &list)) return false;
    }
    block->list = (struct statement **)(void *)list.items;
    block->count = list.count;
    return true;
}

/* ":" and what is in the block: the rest of the line, or the lines that stand further in. */
static bool parse_block(struct parser *p, struct block *block)
{
    struct list list = {0};
    if (!expect_operator(p, ":") || !enter(p)) return false;
    if (p->token->kind != TOKEN_NEWLINE) {
        size_t line = p->token->spot.line;
        while (p->token->kind > TOKEN_DEDENT && p->token->spot.line == line)
            if (!parse_line(p, &list)) return false;
        block->list = (struct statement **)(void *)list.items;
        block->count = list.count;
    } else {
        next(p);
        if (p->token->kind != TOKEN_INDENT) {
            text_fault(p->reader, p->token->spot, "a line that stands further in is expected here: the block's first");
            return false;
        }
        next(p);
        if (!parse_lines(p, TOKEN_DEDENT, block)) return false;
        next(p);
    }
    leave(p);
    return true;
}

int syntax_read(struct text_reader *reader, const char *text, size_t length, struct syntax *syntax)
{
    struct token *tokens;
    int code = scanner_read(reader, text, length, &tokens);
    if (code != CODE_OK) return code;
    *syntax = (struct syntax){.text = text, .length = length};
    struct parser p = {.reader = reader, .syntax = syntax, .token = tokens, .last_end = text};
    if (make_slots(&p, length) == CODE_OK) parse_lines(&p, TOKEN_END, &syntax->body);
    return reader->error->code;
}

int syntax_read_code(struct text_reader *reader, const char *text, size_t length, const struct syntax *before,
                     struct syntax *syntax)
{
    struct token *tokens;
    size_t names = before != NULL ? before->name_count : 0;
    int code = scanner_read(reader, text, length, &tokens);
    if (code != CODE_OK) return code;
    *syntax = (struct syntax){.text = text, .length = length};
    struct parser p = {.reader = reader, .syntax = syntax, .token = tokens, .last_end = text, .code = true};
    code = make_slots(&p, length + 2 * names); /* a table that is never more than half full, these names included */
    for (size_t s = 0; code == CODE_OK && s < names; s++) {
        const char *name;
        size_t symbol;
        code = intern(&p, before->names[s], strlen(before->names[s]), &name, &symbol);
    }
    if (code == CODE_OK) parse_lines(&p, TOKEN_END, &syntax->body);
    return reader->error->code;
}
