/* What operators stand between: names, numbers, strings, what is in brackets, and calls, subscripts and attributes. */
#include "core/language/parser.h"

/* What stands between brackets, up to the closing one: elements with commas between them. */
static bool parse_elements(struct parser *p, const char *closing, struct list *list, bool *comma)
{
    *comma = false;
    while (!parser_failed(p) && !parser_at_operator(p, closing)) {
        struct expression *element = parse_expression(p);
        if (element == NULL || parser_append(p, list, element) != CODE_OK) return false;
        if (!parser_take_operator(p, ",")) break;
        *comma = true;
    }
    return parser_expect(p, closing);
}

/* Behind the "for" of [element for ...]; of a dictionary `element` is key and value. */
static struct expression *parse_comprehension(struct parser *p, enum expression_kind kind, struct expression *element,
                                              const char *closing)
{
    struct list list = {0};
    struct spot spot = p->token->spot;
    if (parser_append(p, &list, element) != CODE_OK) return NULL;
    struct expression *target = parse_loop_target(p);
    if (target == NULL || parser_append(p, &list, target) != CODE_OK) return NULL;
    if (!parser_take_word(p, "in")) {
        parser_unexpected(p, "\"in\"");
        return NULL;
    }
    struct expression *over = parse_words(p, true); /* not an expression, which would take "if" for a choice */
    if (over == NULL || parser_append(p, &list, over) != CODE_OK) return NULL;
    if (parser_take_word(p, "if")) {
        struct expression *condition = parse_words(p, true);
        if (condition == NULL || parser_append(p, &list, condition) != CODE_OK) return NULL;
    }
    if (!parser_expect(p, closing)) return NULL;
    return parser_with_operands(p, kind, spot, &list);
}

static struct expression *parse_parentheses(struct parser *p)
{
    struct list list = {0};
    const struct token *open = p->token;
    bool comma = false;
    parser_next(p);
    struct expression *first = parser_at_operator(p, ")") ? NULL : parse_expression(p);
    if (parser_failed(p)) return NULL;
    if (first != NULL && parser_take_word(p, "for"))
        return parse_comprehension(p, EXPRESSION_COMPREHENSION, first, ")");
    if (first != NULL) {
        if (parser_append(p, &list, first) != CODE_OK) return NULL;
        comma = parser_take_operator(p, ",");
        bool more = false;
        if (comma ? !parse_elements(p, ")", &list, &more) : !parser_expect(p, ")")) return NULL;
    } else if (!parser_expect(p, ")")) {
        return NULL;
    }
    struct expression *e =
        first != NULL && !comma ? first : parser_with_operands(p, EXPRESSION_TUPLE, open->spot, &list);
    if (e == NULL) return NULL;
    e->begin = open->text;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_list(struct parser *p)
{
    struct list list = {0};
    const struct token *open = p->token;
    parser_next(p);
    struct expression *first = parser_at_operator(p, "]") ? NULL : parse_expression(p), *e;
    if (parser_failed(p)) return NULL;
    if (first != NULL && parser_take_word(p, "for")) {
        e = parse_comprehension(p, EXPRESSION_COMPREHENSION, first, "]");
    } else {
        bool comma;
        if (first != NULL && parser_append(p, &list, first) != CODE_OK) return NULL;
        if (first == NULL || !parser_take_operator(p, ",") ? !parser_expect(p, "]")
                                                           : !parse_elements(p, "]", &list, &comma))
            return NULL;
        e = parser_with_operands(p, EXPRESSION_LIST, open->spot, &list);
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
    parser_next(p);
    while (!parser_failed(p) && !parser_at_operator(p, "}")) {
        struct expression *key = parse_expression(p);
        if (key == NULL || parser_append(p, &list, key) != CODE_OK || !parser_expect(p, ":")) return NULL;
        struct expression *value = parse_expression(p);
        if (value == NULL || parser_append(p, &list, value) != CODE_OK) return NULL;
        comprehension = list.count == 2 && parser_take_word(p, "for");
        if (comprehension || !parser_take_operator(p, ",")) break;
    }
    if (parser_failed(p) || (!comprehension && !parser_expect(p, "}"))) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_DICTIONARY, open->spot, &list);
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
        parser_unexpected(p, "the end of the braces");
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
    parser_next(p);
    p->last_end = t->text + t->length + 1;
    for (size_t i = 0; i <= t->length;) {
        size_t n = 0;
        while (i + n < t->length && t->text[i + n] != '{')
            n++;
        struct expression *text = parser_new_expression(p, EXPRESSION_STRING, t->spot, t->text + i);
        if (text == NULL || parser_intern(p, t->text + i, n, &text->name, &text->symbol) != CODE_OK ||
            parser_append(p, &list, text) != CODE_OK)
            return NULL;
        i += n + 1;
        if (i > t->length) break;
        while (i < t->length && t->text[i] == ' ')
            i++;
        for (n = 0; i + n < t->length && t->text[i + n] != '}';)
            n++;
        struct spot spot = {t->spot.line, t->spot.column + (unsigned)i + 2};
        struct expression *value = parse_braces(p, t->text + i, n, spot);
        if (value == NULL || parser_append(p, &list, value) != CODE_OK) return NULL;
        i += n + 1;
    }
    struct expression *e = parser_with_operands(p, EXPRESSION_FORMAT, t->spot, &list);
    if (e == NULL) return NULL;
    e->begin = t->text - 2;
    e->end = p->last_end;
    return e;
}

static struct expression *parse_atom(struct parser *p)
{
    const struct token *t = p->token;
    struct expression *e;
    if (parser_at_operator(p, "(")) return parse_parentheses(p);
    if (parser_at_operator(p, "[")) return parse_list(p);
    if (parser_at_operator(p, "{")) return parse_dictionary(p);
    if (parser_take_operator(p, "...")) return parser_new_expression(p, EXPRESSION_ELLIPSIS, t->spot, t->text);
    if (t->kind == TOKEN_NUMBER) {
        parser_next(p);
        e = parser_new_expression(p, EXPRESSION_NUMBER, t->spot, t->text);
        if (e == NULL) return NULL;
        e->number = t->number;
        e->is_whole = t->is_whole;
        return e;
    }
    if (t->kind == TOKEN_FORMAT) return parse_format(p);
    if (t->kind != TOKEN_NAME && t->kind != TOKEN_STRING) {
        parser_unexpected(p, "a value");
        return NULL;
    }
    if (t->kind == TOKEN_NAME && parser_is_reserved(t)) {
        if (parser_at_word(p, "lambda") || parser_at_word(p, "await") || parser_at_word(p, "yield"))
            text_fault(p->reader, t->spot, "the language has no %.*s", (int)t->length, t->text);
        else
            parser_unexpected(p, "a value");
        return NULL;
    }
    parser_next(p);
    if (t->kind == TOKEN_STRING) p->last_end = t->text + t->length + 1;
    e = parser_new_expression(p, t->kind == TOKEN_NAME ? EXPRESSION_NAME : EXPRESSION_STRING, t->spot, t->text);
    if (e == NULL || parser_intern(p, t->text, t->length, &e->name, &e->symbol) != CODE_OK) return NULL;
    if (t->kind == TOKEN_STRING) e->begin = t->text - 1;
    return e;
}

static const char *take_keyword(struct parser *p)
{
    const char *keyword = NULL;
    size_t symbol;
    if (p->token->kind != TOKEN_NAME || !parser_is_text(&p->token[1], TOKEN_OPERATOR, "=")) return NULL;
    if (parser_intern(p, p->token->text, p->token->length, &keyword, &symbol) != CODE_OK) return NULL;
    parser_next(p);
    parser_next(p);
    return keyword;
}

const char syntax_star[] = "*";

static struct expression *parse_call(struct parser *p, struct expression *callee)
{
    struct list list = {0}, keywords = {0};
    bool closed = false;
    parser_next(p);
    if (parser_append(p, &list, callee) != CODE_OK || parser_append(p, &keywords, NULL) != CODE_OK) return NULL;
    while (!parser_failed(p) && !closed && !parser_at_operator(p, ")")) {
        const char *keyword = parser_take_operator(p, "*") ? syntax_star : take_keyword(p);
        struct expression *argument = parser_failed(p) ? NULL : parse_expression(p);
        if (argument != NULL && keyword == NULL && parser_take_word(p, "for")) {
            argument = parse_comprehension(p, EXPRESSION_COMPREHENSION, argument, ")");
            closed = true;
        }
        if (argument == NULL || parser_append(p, &list, argument) != CODE_OK ||
            parser_append(p, &keywords, (void *)(uintptr_t)keyword) != CODE_OK)
            return NULL;
        if (!closed && !parser_take_operator(p, ",")) break;
    }
    if (parser_failed(p) || (!closed && !parser_expect(p, ")"))) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_CALL, callee->spot, &list);
    if (e != NULL) e->keywords = (const char **)(void *)keywords.items;
    return e;
}

static bool at_slice_end(const struct parser *p)
{
    return parser_at_operator(p, ":") || parser_at_operator(p, ",") || parser_at_operator(p, "]");
}

/* One subscript: a value, or a slice. */
static struct expression *parse_subscript(struct parser *p)
{
    struct list list = {0};
    const struct token *begin = p->token;
    struct expression *first = at_slice_end(p) ? NULL : parse_expression(p);
    if (parser_failed(p) || !parser_at_operator(p, ":")) {
        if (first == NULL) parser_unexpected(p, "a subscript");
        return first;
    }
    if (parser_append(p, &list, first) != CODE_OK) return NULL;
    while (list.count < 3 && parser_take_operator(p, ":")) {
        struct expression *bound = at_slice_end(p) ? NULL : parse_expression(p);
        if (parser_failed(p) || parser_append(p, &list, bound) != CODE_OK) return NULL;
    }
    struct expression *e = parser_with_operands(p, EXPRESSION_SLICE, begin->spot, &list);
    if (e != NULL) e->begin = begin->text;
    return e;
}

static struct expression *parse_subscripts(struct parser *p, struct expression *of)
{
    struct list list = {0};
    struct spot spot = p->token->spot;
    parser_next(p);
    if (parser_append(p, &list, of) != CODE_OK) return NULL;
    do {
        if (list.count > 1 && parser_at_operator(p, "]")) break;
        struct expression *subscript = parse_subscript(p);
        if (subscript == NULL || parser_append(p, &list, subscript) != CODE_OK) return NULL;
    } while (parser_take_operator(p, ","));
    if (!parser_expect(p, "]")) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_SUBSCRIPT, spot, &list);
    if (e != NULL) e->spot = of->spot;
    return e;
}

static struct expression *parse_attribute(struct parser *p, struct expression *of)
{
    struct list list = {0};
    parser_next(p);
    const struct token *t = p->token;
    if (t->kind != TOKEN_NAME) {
        parser_unexpected(p, "a name");
        return NULL;
    }
    parser_next(p);
    if (parser_append(p, &list, of) != CODE_OK) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_ATTRIBUTE, t->spot, &list);
    if (e == NULL || parser_intern(p, t->text, t->length, &e->name, &e->symbol) != CODE_OK) return NULL;
    return e;
}

struct expression *parse_primary(struct parser *p)
{
    struct expression *e = parse_atom(p);
    size_t suffixes = 0;
    while (e != NULL && (parser_at_operator(p, "(") || parser_at_operator(p, "[") || parser_at_operator(p, "."))) {
        if (++suffixes > LANGUAGE_LEVELS_MAX) {
            text_fault(p->reader, p->token->spot, "more than %d calls, subscripts and attributes in a row",
                       LANGUAGE_LEVELS_MAX);
            return NULL;
        }
        e = parser_at_operator(p, "(")   ? parse_call(p, e)
            : parser_at_operator(p, "[") ? parse_subscripts(p, e)
                                         : parse_attribute(p, e);
    }
    return e;
}
