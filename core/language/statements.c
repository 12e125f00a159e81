/* Tokens to a tree: statements and their blocks. */
#include "core/language/parser.h"

static bool parse_block(struct parser *p, struct block *block);

static enum operation take_update(struct parser *p)
{
    static const struct binary updates[] = {
        {"+=", OPERATION_ADD},    {"-=", OPERATION_SUBTRACT}, {"*=", OPERATION_MULTIPLY},
        {"/=", OPERATION_DIVIDE}, {"**=", OPERATION_POWER},   {"//=", OPERATION_FLOOR_DIVIDE},
        {"@=", OPERATION_MATMUL}, {"%=", OPERATION_MODULO},   {"&=", OPERATION_AND},
        {"|=", OPERATION_OR},     {NULL, OPERATION_NONE}};
    enum operation operation = parser_operation(p, updates);
    if (operation != OPERATION_NONE) parser_next(p);
    return operation;
}

static struct statement *parse_assignment(struct parser *p)
{
    struct list targets = {0};
    const struct token *begin = p->token;
    struct expression *e = parse_expressions(p);
    if (e == NULL) return NULL;
    if (e->kind == EXPRESSION_NAME && parser_take_operator(p, ":")) { /* an annotation says nothing here */
        if (parse_expression(p) == NULL) return NULL;
    }
    enum operation operation = take_update(p);
    if (operation != OPERATION_NONE) {
        if (e->kind == EXPRESSION_TUPLE || !parser_is_target(p, e, true)) return NULL;
        struct statement *s = parser_new_statement(p, STATEMENT_UPDATE, begin);
        if (s == NULL || parser_append(p, &targets, e) != CODE_OK) return NULL;
        s->operation = operation;
        s->targets = (struct expression **)(void *)targets.items;
        s->target_count = 1;
        s->value = parse_expressions(p);
        return s->value != NULL ? s : NULL;
    }
    while (parser_take_operator(p, "=")) {
        if (!parser_is_target(p, e, false) || parser_append(p, &targets, e) != CODE_OK) return NULL;
        e = parse_expressions(p);
        if (e == NULL) return NULL;
    }
    struct statement *s = parser_new_statement(p, targets.count > 0 ? STATEMENT_ASSIGN : STATEMENT_EXPRESSION, begin);
    if (s == NULL) return NULL;
    s->targets = (struct expression **)(void *)targets.items;
    s->target_count = targets.count;
    s->value = e;
    return s;
}

static struct statement *parse_for(struct parser *p)
{
    struct list targets = {0};
    struct statement *s = parser_new_statement(p, STATEMENT_FOR, p->token);
    parser_next(p);
    struct expression *target = parse_loop_target(p);
    if (s == NULL || target == NULL || parser_append(p, &targets, target) != CODE_OK) return NULL;
    if (!parser_take_word(p, "in")) {
        parser_unexpected(p, "\"in\"");
        return NULL;
    }
    s->targets = (struct expression **)(void *)targets.items;
    s->target_count = 1;
    s->value = parse_expressions(p);
    p->loops++;
    if (s->value == NULL || !parse_block(p, &s->body)) return NULL;
    p->loops--;
    if (parser_at_word(p, "else")) {
        text_fault(p->reader, p->token->spot, "the language has no else of a loop");
        return NULL;
    }
    return s;
}

/* if or elif, its condition and its block. */
static struct statement *parse_branch(struct parser *p)
{
    struct statement *s = parser_new_statement(p, STATEMENT_IF, p->token);
    parser_next(p);
    if (s == NULL) return NULL;
    s->value = parse_expression(p);
    return s->value != NULL && parse_block(p, &s->body) ? s : NULL;
}

/* Each elif is the if that stands alone in what is done otherwise: one within the other, but on one level. */
static struct statement *parse_if(struct parser *p)
{
    struct statement *first = parse_branch(p), *last = first;
    while (last != NULL && parser_at_word(p, "elif")) {
        struct list list = {0};
        struct statement *other = parse_branch(p);
        if (other == NULL || parser_append(p, &list, other) != CODE_OK) return NULL;
        other->end = p->last_end;
        last->otherwise = (struct block){.list = (struct statement **)(void *)list.items, .count = 1};
        last->is_followed = true;
        last = other;
    }
    if (last == NULL) return NULL;
    if (parser_take_word(p, "else") && !parse_block(p, &last->otherwise)) return NULL;
    return first;
}

static struct statement *parse_define(struct parser *p)
{
    struct statement *s = parser_new_statement(p, STATEMENT_DEFINE, p->token);
    parser_next(p);
    const struct token *t = p->token;
    if (s == NULL) return NULL;
    if (t->kind != TOKEN_NAME || parser_is_reserved(t)) {
        parser_unexpected(p, "a function's name");
        return NULL;
    }
    parser_next(p);
    if (parser_intern(p, t->text, t->length, &s->name, &s->symbol) != CODE_OK || !parser_expect(p, "(")) return NULL;
    if (!parse_parameters(p, ")", s)) return NULL;
    if (parser_take_operator(p, "->") && parse_expression(p) == NULL) return NULL;
    size_t around = p->loops;
    p->loops = 0;
    if (!parse_block(p, &s->body)) return NULL;
    p->loops = around;
    return s;
}

static struct statement *parse_return(struct parser *p)
{
    struct statement *s = parser_new_statement(p, STATEMENT_RETURN, p->token);
    parser_next(p);
    if (s == NULL || p->token->kind == TOKEN_NEWLINE) return s;
    s->value = parse_expressions(p);
    return s->value != NULL ? s : NULL;
}

static void skip_statement(struct parser *p)
{
    while (p->token->kind != TOKEN_NEWLINE && p->token->kind != TOKEN_END)
        parser_next(p);
}

/* One that stands on a line, with others behind ';'. */
static struct statement *parse_simple(struct parser *p)
{
    static const char *const missing[] = {"while", "class", "with",     "try", "global",
                                          "yield", "async", "nonlocal", NULL};
    static const char *const nothing[] = {"assert", "del", "global", "nonlocal", "super", NULL};
    const struct token *begin = p->token;
    for (size_t i = 0; p->code && nothing[i] != NULL; i++)
        if (parser_at_word(p, nothing[i])) {
            skip_statement(p);
            return parser_new_statement(p, STATEMENT_PASS, begin);
        }
    for (size_t i = 0; missing[i] != NULL; i++)
        if (parser_at_word(p, missing[i])) {
            text_fault(p->reader, begin->spot, "the language has no %s", missing[i]);
            return NULL;
        }
    static const struct {
        const char *word;
        enum statement_kind kind;
    } passed_over[] = {{"import", STATEMENT_PASS},       {"from", STATEMENT_PASS},   {"pass", STATEMENT_PASS},
                       {"assert", STATEMENT_PASS},       {"del", STATEMENT_PASS},    {"break", STATEMENT_BREAK},
                       {"continue", STATEMENT_CONTINUE}, {"raise", STATEMENT_RAISE}, {NULL, STATEMENT_PASS}};
    if (parser_at_word(p, "return")) return parse_return(p);
    for (size_t i = 0; passed_over[i].word != NULL; i++) {
        if (!parser_at_word(p, passed_over[i].word)) continue;
        enum statement_kind kind = passed_over[i].kind;
        if (p->loops == 0 && (kind == STATEMENT_BREAK || kind == STATEMENT_CONTINUE)) {
            text_fault(p->reader, begin->spot, "a %s stands outside of a loop", passed_over[i].word);
            return NULL;
        }
        skip_statement(p);
        return parser_new_statement(p, kind, begin);
    }
    return parse_assignment(p);
}

/* class NAME(...):, with ...: a block whose statements stand for themselves. */
static struct statement *parse_class(struct parser *p)
{
    struct statement *s = parser_new_statement(p, STATEMENT_CLASS, p->token);
    while (p->token->kind != TOKEN_NEWLINE && p->token->kind != TOKEN_END && !parser_at_operator(p, ":"))
        parser_next(p);
    return s != NULL && parse_block(p, &s->body) ? s : NULL;
}

static bool parse_line(struct parser *p, struct list *list)
{
    while (p->code && parser_at_operator(p, "@")) { /* a decorator */
        skip_statement(p);
        parser_next(p);
    }
    bool class = p->code && (parser_at_word(p, "class") || parser_at_word(p, "with"));
    bool compound = class || parser_at_word(p, "for") || parser_at_word(p, "if") || parser_at_word(p, "def");
    struct statement *s = class                      ? parse_class(p)
                          : parser_at_word(p, "for") ? parse_for(p)
                          : parser_at_word(p, "if")  ? parse_if(p)
                          : parser_at_word(p, "def") ? parse_define(p)
                                                     : parse_simple(p);
    if (s == NULL) return false;
    if (s->end == NULL) s->end = p->last_end;
    if (parser_append(p, list, s) != CODE_OK) return false;
    if (compound) return true;
    if (p->token->kind != TOKEN_NEWLINE) {
        parser_unexpected(p, "the end of the statement");
        return false;
    }
    parser_next(p);
    return true;
}

static bool parse_lines(struct parser *p, enum token_kind until, struct block *block)
{
    struct list list = {0};
    while (p->token->kind != until) {
        if (p->token->kind == TOKEN_NEWLINE) { /* of an empty statement behind ';' */
            parser_next(p);
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
    if (!parser_expect(p, ":") || !parser_enter(p)) return false;
    if (p->token->kind != TOKEN_NEWLINE) {
        size_t line = p->token->spot.line;
        while (p->token->kind > TOKEN_DEDENT && p->token->spot.line == line)
            if (!parse_line(p, &list)) return false;
        block->list = (struct statement **)(void *)list.items;
        block->count = list.count;
    } else {
        parser_next(p);
        if (p->token->kind != TOKEN_INDENT) {
            text_fault(p->reader, p->token->spot, "a line that stands further in is expected here: the block's first");
            return false;
        }
        parser_next(p);
        if (!parse_lines(p, TOKEN_DEDENT, block)) return false;
        parser_next(p);
    }
    parser_leave(p);
    return true;
}

int syntax_read(struct text_reader *reader, const char *text, size_t length, struct syntax *syntax)
{
    struct token *tokens;
    int code = scanner_read(reader, text, length, &tokens);
    if (code != CODE_OK) return code;
    *syntax = (struct syntax){.text = text, .length = length};
    struct parser p = {.reader = reader, .syntax = syntax, .token = tokens, .last_end = text};
    if (parser_make_slots(&p, length) == CODE_OK) parse_lines(&p, TOKEN_END, &syntax->body);
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
    code =
        parser_make_slots(&p, length + 2 * names); /* a table that is never more than half full, these names included */
    for (size_t s = 0; code == CODE_OK && s < names; s++) {
        const char *name;
        size_t symbol;
        code = parser_intern(&p, before->names[s], strlen(before->names[s]), &name, &symbol);
    }
    if (code == CODE_OK) parse_lines(&p, TOKEN_END, &syntax->body);
    return reader->error->code;
}
