#include "core/language/source.h"

#include <string.h>

struct wanted_place {
    struct spot spot;
    struct source_text found;
};

static bool is_at(const struct wanted_place *wanted, struct spot spot)
{
    return wanted->spot.line == spot.line && wanted->spot.column == spot.column;
}

static struct source_text text_between(const char *begin, const char *end)
{
    return (struct source_text){.begin = begin, .length = begin != NULL && end > begin ? (size_t)(end - begin) : 0};
}

/* Whether the operation of an expression itself stands there; a name or a number makes nothing. */
static bool makes(const struct wanted_place *wanted, const struct expression *x)
{
    switch (x->kind) {
    case EXPRESSION_POWER:
    case EXPRESSION_UNARY:
    case EXPRESSION_COMPARE:
    case EXPRESSION_SUBSCRIPT:
    case EXPRESSION_ATTRIBUTE:
        return is_at(wanted, x->spot);
    case EXPRESSION_CALL:
        return is_at(wanted, x->operands[0]->kind == EXPRESSION_ATTRIBUTE ? x->operands[0]->spot : x->spot);
    default:
        return false;
    }
}

/* The outermost expression of them all is found first: of a call that of the call, not of its attribute. */
static void look(struct wanted_place *wanted, const struct expression *x)
{
    if (x == NULL || wanted->found.length > 0) return;
    for (size_t i = 0; x->kind == EXPRESSION_CHAIN && i + 1 < x->count; i++)
        if (is_at(wanted, x->operators[i]))
            wanted->found = text_between(x->operands[0]->begin, x->operands[i + 1]->end);
    if (makes(wanted, x)) wanted->found = text_between(x->begin, x->end);
    for (size_t i = 0; i < x->count; i++)
        look(wanted, x->operands[i]);
}

static void look_in(struct wanted_place *wanted, const struct block *block)
{
    for (size_t i = 0; i < block->count && wanted->found.length == 0; i++) {
        const struct statement *s = block->list[i];
        look(wanted, s->value);
        for (size_t t = 0; t < s->target_count; t++)
            look(wanted, s->targets[t]);
        look_in(wanted, &s->body);
        look_in(wanted, &s->otherwise);
    }
}

struct source_text source_expression(const struct program *program, struct place place)
{
    struct wanted_place wanted = {.spot = {(unsigned)place.layer, (unsigned)place.column}};
    if (place.kind == PLACE_LINE) look_in(&wanted, &program->syntax.body);
    return wanted.found;
}

struct source_text source_line(const struct program *program, size_t line)
{
    const char *at = program->syntax.text, *end = at + program->syntax.length;
    for (size_t l = 1; l < line && at < end; l++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next != NULL ? next + 1 : end;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (stop == NULL) stop = end;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
        stop--;
    return text_between(at, stop);
}
