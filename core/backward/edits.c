#include "core/backward/edits.h"

#include <stdio.h>
#include <string.h>

#include "core/backward/expression_edits.h"
#include "core/backward/gradient_of.h"

/* A size as the code may call it. */
static const char *size_text(const struct lister *l, double size, char *text, size_t room)
{
    for (size_t i = 0; i < l->operands.name_count; i++)
        if (l->operands.names[i].number && l->operands.names[i].value == size) return l->operands.names[i].name;
    snprintf(text, room, "%.0f", size);
    return text;
}

/* ---- a statement ---- */

/* for i in range(1, n): other bounds, or the other way round. */
static void edit_loop(struct lister *l, const struct expression *x)
{
    if (x->kind != EXPRESSION_CALL || x->operands[0]->kind != EXPRESSION_NAME || x->count < 2) return;
    const struct expression *first = x->operands[1], *last = x->operands[x->count - 1];
    bool range = strcmp(x->operands[0]->name, "range") == 0, reversed = strcmp(x->operands[0]->name, "reversed") == 0;
    if (!edit_has_text(l, x) || !edit_has_text(l, first) || !edit_has_text(l, last)) return;
    if (reversed) {
        edit_add(l, x->begin, x->end, "gradient_at_wrong_index", "%.*s", edit_width(first), first->begin);
        edit_loop(l, first);
    }
    if (!range) return;
    const struct expression *end = x->count == 2 ? first : x->operands[2];
    if (x->count == 3) edit_add(l, first->begin, last->begin, "gradient_at_wrong_index", "%s", "");
    if (x->count == 2)
        edit_add(l, first->begin, first->end, "gradient_at_wrong_index", "1, %.*s", edit_width(first), first->begin);
    if (edit_has_text(l, end)) {
        edit_add(l, end->begin, end->end, "gradient_at_wrong_index", "%.*s - 1", edit_width(end), end->begin);
        edit_add(l, end->begin, end->end, "gradient_at_wrong_index", "%.*s + 1", edit_width(end), end->begin);
    }
    edit_add(l, x->begin, x->end, "gradient_at_wrong_index", "reversed(%.*s)", edit_width(x), x->begin);
}

/* r, s = i, j the other way round. */
static void edit_pair(struct lister *l, const struct expression *x)
{
    if (x->kind != EXPRESSION_TUPLE || x->count != 2 || !edit_has_text(l, x->operands[0]) ||
        !edit_has_text(l, x->operands[1]))
        return;
    const struct expression *a = x->operands[0], *b = x->operands[1];
    edit_add(l, a->begin, b->end, "gradient_at_wrong_index", "%.*s, %.*s", edit_width(b), b->begin, edit_width(a),
             a->begin);
}

/* What is put beside an expression, and what encloses that. */
struct beside {
    int width;
    const char *text, *open, *close;
};

static void add_beside(struct lister *l, const struct expression *x, const struct beside *b, const char *mistake,
                       const char *before, const char *behind)
{
    edit_add(l, x->begin, x->end, mistake, "%s%.*s%s%s%.*s%s", b->open, edit_width(x), x->begin, b->close, before,
             b->width, b->text, behind);
}

static void edit_factor(struct lister *l, const struct expression *x, const struct beside *b)
{
    add_beside(l, x, b, "other_factor_missing", " * ", "");
    add_beside(l, x, b, "other_factor_missing", " / ", "");
}

/* The factor that an activation leaves, in terms of what goes into it or comes out of it. */
static void edit_activation(struct lister *l, const struct expression *x, const struct beside *b)
{
    static const char *const missing = "missing_activation_derivative";
    add_beside(l, x, b, missing, " * (", " > 0)");
    add_beside(l, x, b, missing, " * (1 - ", "**2)");
    edit_add(l, x->begin, x->end, missing, "%s%.*s%s * %.*s * (1 - %.*s)", b->open, edit_width(x), x->begin, b->close,
             b->width, b->text, b->width, b->text);
    add_beside(l, x, b, "other_factor_missing", " * (1 - ", ")");
    add_beside(l, x, b, "other_factor_missing", " * np.sign(", ")");
}

static void edit_term(struct lister *l, const struct expression *x, const struct beside *b)
{
    static const char *const missing = "contribution_missing";
    edit_add(l, x->begin, x->end, missing, "%.*s + %.*s", edit_width(x), x->begin, b->width, b->text);
    edit_add(l, x->begin, x->end, missing, "%.*s - %.*s", edit_width(x), x->begin, b->width, b->text);
    edit_add(l, x->begin, x->end, missing, "%.*s - %s%.*s%s", b->width, b->text, b->open, edit_width(x), x->begin,
             b->close);
}

/* What the statement makes, with something done to all of it. */
static void edit_whole(struct lister *l, const struct expression *x, const struct shape *shape)
{
    char text[32];
    bool enclosed = edit_is_primary(x) || x->kind == EXPRESSION_POWER, product = x->kind == EXPRESSION_CHAIN &&
                                                                                 x->operations[0] != OPERATION_ADD &&
                                                                                 x->operations[0] != OPERATION_SUBTRACT;
    const char *open = enclosed || product ? "" : "(", *close = enclosed || product ? "" : ")";
    int n = edit_width(x);
    l->cost = 2;
    edit_add(l, x->begin, x->end, "sign_flipped", "-%s%.*s%s", open, n, x->begin, close);
    for (size_t i = 0; i < l->operands.constant_count; i++) {
        const char *mistake = "other_factor_missing";
        edit_add(l, x->begin, x->end, mistake, "%s%.*s%s * %.12g", open, n, x->begin, close, l->operands.constants[i]);
        edit_add(l, x->begin, x->end, mistake, "%s%.*s%s / %.12g", open, n, x->begin, close, l->operands.constants[i]);
    }
    edit_add(l, x->begin, x->end, "missing_factor_two", "2 * %s%.*s%s", open, n, x->begin, close);
    edit_add(l, x->begin, x->end, "constant_factor", "%s%.*s%s / 2", open, n, x->begin, close);
    for (size_t i = 0; i < l->operands.size_count; i++) {
        const char *size = size_text(l, l->operands.sizes[i], text, sizeof text);
        edit_add(l, x->begin, x->end, "not_averaged_over_batch", "%s%.*s%s / %s", open, n, x->begin, close, size);
        edit_add(l, x->begin, x->end, "averaged_twice", "%s%.*s%s * %s", open, n, x->begin, close, size);
        edit_add(l, x->begin, x->end, NULL, "2 * %s%.*s%s / %s", open, n, x->begin, close, size);
    }
    for (int axis = 0; axis < 2; axis++)
        edit_add(l, x->begin, x->end, "broadcast_not_summed", "np.sum(%.*s, axis=%d)", n, x->begin, axis);
    edit_add(l, x->begin, x->end, "broadcast_not_summed", "np.sum(%.*s)", n, x->begin);
    bool bare = edit_is_primary(x);
    edit_add(l, x->begin, x->end, "transposed", "%s%.*s%s.T", bare ? "" : "(", n, x->begin, bare ? "" : ")");
    l->cost = 3;
    for (size_t i = 0; shape != NULL && i < l->operands.name_count; i++) {
        const struct operand *m = &l->operands.names[i];
        struct shape common;
        if (m->number || !array_common_shape(&m->shape, shape, &common) || !shape_equal(&common, shape)) continue;
        const struct beside beside = {(int)strlen(m->name), m->name, open, close};
        edit_factor(l, x, &beside);
        if (!shape_equal(&m->shape, shape)) continue;
        if (!m->gradient) edit_activation(l, x, &beside);
        edit_term(l, x, &beside);
    }
    for (size_t i = 0; i < l->operands.item_count; i++) {
        const struct expression *item = l->operands.items[i];
        const struct beside beside = {edit_width(item), item->begin, open, close};
        edit_factor(l, x, &beside);
        edit_activation(l, x, &beside);
        edit_term(l, x, &beside);
    }
}

/* += for =, and the other way round. */
static void edit_assignment(struct lister *l, const struct statement *s)
{
    const struct expression *target = s->targets[s->target_count - 1];
    if (!edit_has_text(l, target) || s->value == NULL || !edit_has_text(l, s->value)) return;
    const char *from = target->end, *to = s->value->begin;
    if (s->kind == STATEMENT_ASSIGN && s->target_count == 1 && target->kind != EXPRESSION_TUPLE) {
        /* A name for something else is not added to. */
        if (target->kind != EXPRESSION_NAME || is_like_gradient(target->name))
            edit_add(l, from, to, "gradient_overwritten", " += ");
        return;
    }
    if (s->kind != STATEMENT_UPDATE) return;
    edit_add(l, from, to, "sent_twice", " = ");
    if (s->operation == OPERATION_ADD) edit_add(l, from, to, "sign_flipped", " -= ");
    if (s->operation == OPERATION_SUBTRACT) edit_add(l, from, to, "sign_flipped", " += ");
    if (s->operation == OPERATION_MULTIPLY) edit_add(l, from, to, "quotient_rule", " /= ");
    if (s->operation == OPERATION_DIVIDE) edit_add(l, from, to, "quotient_rule", " *= ");
}

/* Only a part of it, as of weights with the bias among them: W[1:] += W[1:] for W += W. */
static void edit_parts(struct lister *l, const struct statement *s)
{
    static const char *const parts[] = {"[1:]", "[:-1]", "[:, 1:]", "[:, :-1]", NULL};
    const struct expression *target = s->targets[0], *x = s->value;
    if (s->kind != STATEMENT_UPDATE || target->kind != EXPRESSION_NAME || !edit_has_text(l, target) ||
        !edit_has_text(l, x))
        return;
    bool product = x->kind == EXPRESSION_CHAIN || x->kind == EXPRESSION_NAME;
    const struct expression *last = product && x->kind == EXPRESSION_CHAIN ? x->operands[x->count - 1] : x;
    for (size_t i = 0; product && last->kind == EXPRESSION_NAME && parts[i] != NULL; i++)
        edit_add(l, target->end, x->end, NULL, "%s%.*s%s", parts[i], (int)(x->end - target->end), target->end,
                 parts[i]);
}

/* All edits of the statement, the likeliest first. */
static void edit_statement(struct lister *l, const struct statement *s)
{
    operands_find(l->plain, s, &l->operands);
    l->cost = 1;
    expression_edits(l, s->value);
    edit_pair(l, s->value);
    if (s->kind == STATEMENT_FOR) {
        edit_loop(l, s->value);
        return;
    }
    l->target = true;
    for (size_t t = 0; t < s->target_count; t++)
        if (s->targets[t]->kind == EXPRESSION_SUBSCRIPT) expression_edits(l, s->targets[t]);
    if (s->target_count > 0) edit_assignment(l, s);
    l->cost = 2;
    if (s->target_count > 0) edit_parts(l, s);
    const struct shape *shape = NULL;
    size_t first = l->plain->outcomes[l->statement].first;
    if (first != EVENT_NONE) {
        const struct event *event = &l->plain->events[first];
        shape = event->aim != GRADIENT_NONE ? &l->plain->surroundings->aims[event->aim].shape : &event->array->shape;
    }
    if (edit_has_text(l, s->value) && s->value->kind != EXPRESSION_TUPLE && s->value->kind != EXPRESSION_DICTIONARY)
        edit_whole(l, s->value, shape);
}

bool edits_list(struct arena *arena, const struct run *plain, size_t statement, struct edit **edits, size_t *count)
{
    struct lister *l = arena_zeroed(arena, 1, sizeof *l);
    const struct statement *s = plain->statements[statement];
    *edits = NULL;
    *count = 0;
    if (l == NULL) return false;
    l->arena = arena;
    l->plain = plain;
    l->statement = statement;
    l->list = arena_array(arena, EDITS_MAX, sizeof *l->list);
    if (l->list == NULL) return false;
    if (s != NULL && s->value != NULL) edit_statement(l, s);
    *edits = l->list;
    *count = l->count;
    return !l->failed;
}

const char *edits_apply(struct arena *arena, const struct run *plain, const struct edit *const *edits, size_t count,
                        size_t *length)
{
    const char *text = plain->syntax.text;
    size_t room = plain->syntax.length + 1, at = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        room += strlen(edits[i]->text);
    char *made = arena_alloc(arena, room);
    if (made == NULL) return NULL;
    for (size_t done = 0; done < count; done++) {
        const struct edit *next = NULL;
        for (size_t i = 0; i < count; i++)
            if (edits[i]->from >= at && edits[i]->to > at && (next == NULL || edits[i]->from < next->from))
                next = edits[i]; /* none is empty, which would be found again */
        if (next == NULL) break;
        memcpy(made + used, text + at, next->from - at);
        used += next->from - at;
        memcpy(made + used, next->text, strlen(next->text));
        used += strlen(next->text);
        at = next->to;
    }
    memcpy(made + used, text + at, plain->syntax.length - at);
    *length = used + plain->syntax.length - at;
    made[*length] = '\0';
    return made;
}
