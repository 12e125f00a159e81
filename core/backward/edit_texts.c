#include "core/backward/edit_texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 600 };

static size_t offset(const struct lister *l, const char *at)
{
    return (size_t)(at - l->plain->syntax.text);
}

void edit_add(struct lister *l, const char *from, const char *to, const char *mistake, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    if (l->count == EDITS_MAX || l->failed) return;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof text) return;
    struct edit *edit = &l->list[l->count];
    *edit = (struct edit){
        .statement = l->statement, .from = offset(l, from), .to = offset(l, to), .cost = l->cost, .mistake = mistake};
    edit->text = arena_text(l->arena, text, (size_t)n);
    l->failed = edit->text == NULL;
    l->count++;
}

int edit_width(const struct expression *x)
{
    return (int)(x->end - x->begin);
}

/* Whether what stands there is in parentheses as a whole. */
bool edit_is_enclosed(const struct expression *x)
{
    int depth = 0;
    if (*x->begin != '(' || x->end[-1] != ')') return false;
    for (const char *c = x->begin; c < x->end; c++) {
        depth += (*c == '(') - (*c == ')');
        if (depth == 0) return c + 1 == x->end;
    }
    return false;
}

bool edit_is_primary(const struct expression *x)
{
    return x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_CALL || x->kind == EXPRESSION_ATTRIBUTE ||
           x->kind == EXPRESSION_SUBSCRIPT || edit_is_enclosed(x);
}

bool edit_has_text(const struct lister *l, const struct expression *x)
{
    const struct syntax *syntax = &l->plain->syntax;
    return x->begin != NULL && x->end != NULL && x->begin < x->end && x->begin >= syntax->text &&
           x->end <= syntax->text + syntax->length && edit_width(x) < TEXT_MAX / 2;
}

void edit_replace(struct lister *l, const struct expression *x, const char *mistake, const char *text)
{
    edit_add(l, x->begin, x->end, mistake, "%s", text);
}

/* "(a + b)" where that is needed for something to stand behind it. */
void edit_extend(struct lister *l, const struct expression *x, const char *mistake, const char *behind)
{
    bool bare = edit_is_primary(x) || x->kind == EXPRESSION_NUMBER;
    edit_add(l, x->begin, x->end, mistake, "%s%.*s%s%s", bare ? "" : "(", edit_width(x), x->begin, bare ? "" : ")",
             behind);
}

bool edit_has_same_text(const struct expression *a, const struct expression *b)
{
    return edit_width(a) == edit_width(b) && memcmp(a->begin, b->begin, (size_t)edit_width(a)) == 0;
}
