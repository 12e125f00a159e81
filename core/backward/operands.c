#include "core/backward/operands.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* Whether a loop counts with it: what it was at last is no size. */
static bool counts(const struct run *plain, const char *name)
{
    for (size_t i = 0; i < plain->syntax.statement_count; i++) {
        const struct statement *s = plain->statements[i];
        if (s != NULL && s->kind == STATEMENT_FOR && s->targets[0]->kind == EXPRESSION_NAME &&
            strcmp(s->targets[0]->name, name) == 0)
            return true;
    }
    return false;
}

static void add_name(struct operands *o, const char *name, const struct thing *thing, bool gradient)
{
    bool number = thing->kind == THING_NUMBER;
    if (o->name_count == OPERAND_NAMES_MAX || (!number && thing->kind != THING_ARRAY)) return;
    for (size_t i = 0; i < o->name_count; i++)
        if (strcmp(o->names[i].name, name) == 0) return;
    struct operand *named = &o->names[o->name_count++];
    *named = (struct operand){.name = name, .number = number, .gradient = gradient, .value = thing->number};
    if (!number) named->shape = thing->array->shape;
}

static void add_size(struct operands *o, double size)
{
    for (size_t i = 0; i < o->size_count; i++)
        if (o->sizes[i] == size) return;
    if (o->size_count < OPERAND_NUMBERS_MAX && size > 1) o->sizes[o->size_count++] = size;
}

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '[') == NULL;
}

/* Those of the code, the latest first; then those of the forward pass. */
static void find_names(struct operands *o, const struct run *run, size_t statement)
{
    const struct surroundings *s = run->surroundings;
    size_t first = run->outcomes[statement].first;
    const struct event *here = first != EVENT_NONE ? &run->events[first] : NULL;
    bool inside = here != NULL && !run_is_main(run, here); /* of a function that has names of its own */
    for (size_t i = run->events != NULL ? run->count : 0; i-- > 0;) {
        const struct event *event = &run->events[i];
        const struct thing thing = {.kind = THING_ARRAY, .array = event->array};
        bool seen = here != NULL && inside ? event->frame == here->frame : run_is_main(run, event);
        if (seen && is_plain_name(event->name)) add_name(o, event->name, &thing, event->aimed == AIMED_AT);
    }
    for (size_t n = 0; !inside && n < run->syntax.name_count; n++) {
        const struct versions *versions = &run->evaluation.names[n];
        if (versions->count > 0 && !counts(run, run->syntax.names[n]))
            add_name(o, run->syntax.names[n], &versions->list[versions->count - 1].thing, false);
    }
    for (size_t i = 0; !inside && s->program == NULL && i < s->known_count && o->name_count < OPERAND_NAMES_MAX; i++) {
        struct operand *named = &o->names[o->name_count];
        if (!is_plain_name(s->known[i].name)) continue;
        *named = (struct operand){.name = s->known[i].name, .shape = s->known[i].shape};
        o->name_count++;
    }
    for (size_t i = 0; i < o->name_count; i++)
        for (size_t k = 0; k < o->names[i].shape.rank; k++)
            add_size(o, (double)o->names[i].shape.dim[k]);
    if (s->output != NULL) add_size(o, (double)s->output->size);
}

/* Numbers with a point or an exponent in the text of the forward pass: a slope, what dropout keeps. */
static void find_constants(struct operands *o, const struct run *plain)
{
    const struct program *program = plain->surroundings->program;
    const char *at = program != NULL ? program->syntax.text : "";
    const char *end = program != NULL ? at + program->syntax.length : at;
    while (at < end && o->constant_count < OPERAND_NUMBERS_MAX) {
        size_t n = strspn(at, "0123456789.eE");
        bool letter = n == 0 || ((at[0] < '0' || at[0] > '9') && at[0] != '.');
        if (!letter && n < 24 && n <= (size_t)(end - at) && memchr(at, '.', n) != NULL) {
            double number = strtod(at, NULL);
            bool there = number == 0 || number == 1 || number == 2 || number == 0.5;
            for (size_t i = 0; i < o->constant_count; i++)
                there = there || o->constants[i] == number;
            if (!there) o->constants[o->constant_count++] = number;
        }
        at += n > 0 ? n : 1;
    }
}

static bool is_within(const struct block *block, const struct statement *s)
{
    for (size_t i = 0; i < block->count; i++)
        if (block->list[i] == s || is_within(&block->list[i]->body, s) || is_within(&block->list[i]->otherwise, s))
            return true;
    return false;
}

static void find_turns(struct operands *o, const struct run *plain, const struct statement *s)
{
    for (size_t i = 0; i < plain->syntax.statement_count; i++) {
        const struct statement *loop = plain->statements[i];
        if (loop == NULL || loop->kind != STATEMENT_FOR || !is_within(&loop->body, s)) continue;
        const struct expression *target = loop->targets[0];
        bool fits = target->kind == EXPRESSION_NAME && o->turn_count < OPERAND_NUMBERS_MAX;
        if (fits) o->turns[o->turn_count++] = target->name;
    }
}

/* ---- items ---- */

static size_t width(const struct expression *x)
{
    return (size_t)(x->end - x->begin);
}

static bool is_module(const struct expression *x)
{
    return x->kind == EXPRESSION_NAME &&
           (strcmp(x->name, "np") == 0 || strcmp(x->name, "numpy") == 0 || strcmp(x->name, "torch") == 0);
}

static void add_item(struct operands *o, const struct syntax *syntax, const struct expression *x)
{
    bool there = x->begin == NULL || x->end <= x->begin || x->begin < syntax->text ||
                 x->end > syntax->text + syntax->length || width(x) > OPERAND_TEXT_MAX;
    for (size_t i = 0; !there && i < o->name_count; i++)
        there = strlen(o->names[i].name) == width(x) && memcmp(o->names[i].name, x->begin, width(x)) == 0;
    for (size_t i = 0; !there && i < o->item_count; i++)
        there = width(o->items[i]) == width(x) && memcmp(o->items[i]->begin, x->begin, width(x)) == 0;
    if (!there && o->item_count < OPERAND_ITEMS_MAX) o->items[o->item_count++] = x;
}

/* Whether a function makes of an array one of the same shape. */
static bool is_elementwise(const struct expression *callee)
{
    static const char *const names[] = {"sigmoid", "tanh", "relu", "exp",     "log",
                                        "sqrt",    "sign", "abs",  "softmax", NULL};
    if (callee->kind != EXPRESSION_NAME && callee->kind != EXPRESSION_ATTRIBUTE) return false;
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], callee->name) == 0) return true;
    return false;
}

static void find_in(struct operands *o, const struct syntax *syntax, const struct expression *x, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    bool call = x->kind == EXPRESSION_CALL, attribute = x->kind == EXPRESSION_ATTRIBUTE;
    if (attribute && (strcmp(x->name, "shape") == 0 || is_module(x->operands[0]))) return;
    if (x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_SUBSCRIPT || (attribute && strcmp(x->name, "T") != 0)) {
        add_item(o, syntax, x);
        return;
    }
    if (call && x->count == 2 && is_elementwise(x->operands[0])) add_item(o, syntax, x);
    if (x->kind == EXPRESSION_LAMBDA) find_in(o, syntax, x->function->body.list[0]->value, depth + 1);
    if (call && x->operands[0]->kind == EXPRESSION_ATTRIBUTE && !is_module(x->operands[0]->operands[0]))
        find_in(o, syntax, x->operands[0]->operands[0], depth + 1); /* the method's object */
    for (size_t i = call ? 1 : 0; i < x->count; i++)
        find_in(o, syntax, x->operands[i], depth + 1);
}

static void find_items(struct operands *o, const struct run *plain, size_t statement)
{
    const struct syntax *syntax = &plain->syntax;
    for (size_t away = 0; away < syntax->statement_count && o->item_count < OPERAND_ITEMS_MAX; away++)
        for (int side = 0; side < (away > 0 ? 2 : 1); side++) {
            size_t number = side == 0 ? statement - away : statement + away; /* one below 0 is none */
            const struct statement *s = number < syntax->statement_count ? plain->statements[number] : NULL;
            if (s != NULL && s->kind != STATEMENT_FOR) find_in(o, syntax, s->value, 0);
        }
}

void operands_find(const struct run *plain, const struct statement *s, struct operands *to)
{
    *to = (struct operands){.name_count = 0};
    find_names(to, plain, s->number);
    find_constants(to, plain);
    find_turns(to, plain, s);
    find_items(to, plain, s->number);
}
