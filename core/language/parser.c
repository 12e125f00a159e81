#include "core/language/parser.h"

enum { LIST_FIRST = 4 };

int parser_append(struct parser *p, struct list *list, void *item)
{
    void **items = arena_grow(p->reader->arena, list->items, list->count, &list->room, sizeof *items, LIST_FIRST);
    if (items == NULL) return text_no_memory(p->reader);
    list->items = items;
    list->items[list->count++] = item;
    return CODE_OK;
}

/* ---- tokens ---- */

int parser_unexpected(struct parser *p, const char *wanted)
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

bool parser_expect(struct parser *p, const char *text)
{
    if (parser_take_operator(p, text)) return true;
    char wanted[16] = "\"";
    strncat(wanted, text, 8);
    strncat(wanted, "\"", 2);
    parser_unexpected(p, wanted);
    return false;
}

bool parser_is_reserved(const struct token *token)
{
    static const char *const words[] = {"and",   "or",       "not",    "if",    "else",  "elif",     "for",    "in",
                                        "is",    "def",      "return", "while", "class", "lambda",   "import", "from",
                                        "with",  "try",      "except", "raise", "del",   "global",   "yield",  "assert",
                                        "break", "continue", "pass",   "async", "await", "nonlocal", "as",     NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (parser_is_text(token, TOKEN_NAME, words[i])) return true;
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

static bool mentions(const struct expression *x, const char *name, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return false;
    if ((x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) && strcmp(x->name, name) == 0) return true;
    for (size_t i = 0; i < x->count; i++)
        if (mentions(x->operands[i], name, depth + 1)) return true;
    return false;
}

bool syntax_mentions(const struct expression *expression, const char *name)
{
    return mentions(expression, name, 0);
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

int parser_intern(struct parser *p, const char *text, size_t length, const char **name, size_t *symbol)
{
    struct syntax *syntax = p->syntax;
    uint32_t *slot = find_slot(p, text, length);
    if (*slot == 0) {
        struct list names = {
            .items = (void **)(void *)syntax->names, .count = syntax->name_count, .room = p->name_room};
        char *copy = arena_text(p->reader->arena, text, length);
        if (copy == NULL) return text_no_memory(p->reader);
        if (parser_append(p, &names, copy) != CODE_OK) return p->reader->error->code;
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
int parser_make_slots(struct parser *p, size_t length)
{
    size_t count = 16;
    while (count < length + 2)
        count *= 2;
    p->slots = arena_zeroed(p->reader->arena, count, sizeof *p->slots);
    p->slot_mask = count - 1;
    return p->slots != NULL ? CODE_OK : text_no_memory(p->reader);
}

/* ---- the tree ---- */

struct expression *parser_new_expression(struct parser *p, enum expression_kind kind, struct spot spot,
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

struct expression *parser_with_operands(struct parser *p, enum expression_kind kind, struct spot spot,
                                        const struct list *operands)
{
    struct expression *e = parser_new_expression(p, kind, spot, NULL);
    if (e == NULL) return NULL;
    e->operands = (struct expression **)(void *)operands->items;
    e->count = operands->count;
    if (e->count > 0 && e->operands[0] != NULL) e->begin = e->operands[0]->begin;
    return e;
}

struct statement *parser_new_statement(struct parser *p, enum statement_kind kind, const struct token *at)
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

bool parser_enter(struct parser *p)
{
    if (++p->level <= LANGUAGE_LEVELS_MAX) return true;
    text_fault(p->reader, p->token->spot, "more than %d levels stand within each other", LANGUAGE_LEVELS_MAX);
    return false;
}

void parser_leave(struct parser *p)
{
    p->level--;
}

bool parser_is_target(struct parser *p, const struct expression *e, bool single)
{
    if (e->kind == EXPRESSION_NAME || e->kind == EXPRESSION_SUBSCRIPT || e->kind == EXPRESSION_ATTRIBUTE) return true;
    bool several = (e->kind == EXPRESSION_TUPLE || e->kind == EXPRESSION_LIST) && !single && e->count > 0;
    for (size_t i = 0; several && i < e->count; i++)
        if (!parser_is_target(p, e->operands[i], false)) return false;
    if (!several) text_fault(p->reader, e->spot, "nothing can be assigned to this");
    return several;
}
