#include "core/backward/steps.h"

#include <string.h>

enum { STEPS_MAX = 256, PARTS_MAX = 16 };

/* What a statement makes of one name, step by step, and the gradients of the values of that name. */
struct steps {
    struct event *events[STEPS_MAX];
    size_t count;
    size_t aims[STEPS_MAX];
    size_t aim_count;
};

/* false where they are too many, or not of one name all through. */
static bool find_events(struct run *plain, size_t statement, size_t part, struct steps *steps)
{
    steps->count = 0;
    for (size_t i = plain->outcomes[statement].first; i != EVENT_NONE; i = plain->events[i].next) {
        struct event *event = &plain->events[i];
        if (event->part != part) continue;
        bool same = steps->count == 0 || strcmp(event->of, steps->events[0]->of) == 0;
        if (event->aimed != AIMED_ANY || !same || steps->count == STEPS_MAX) return false;
        steps->events[steps->count++] = event;
    }
    return steps->count > 1;
}

static bool find_values(const struct surroundings *s, struct steps *steps)
{
    steps->aim_count = 0;
    for (size_t i = 0; i < s->known_count; i++) {
        const struct known *known = &s->known[i];
        if (known->aim == GRADIENT_NONE || strcmp(known->name, steps->events[0]->of) != 0) continue;
        if (steps->aim_count == STEPS_MAX) return false;
        steps->aims[steps->aim_count++] = known->aim;
    }
    /* What the name stood for before the loop of the forward pass may be among them. */
    return steps->aim_count == steps->count || steps->aim_count == steps->count + 1;
}

static bool find_steps(struct run *plain, size_t statement, size_t part, struct steps *steps)
{
    if (!find_events(plain, statement, part, steps) || !find_values(plain->surroundings, steps)) return false;
    for (size_t k = 0; k < steps->count; k++)
        if (!aim_fits(&plain->surroundings->aims[steps->aims[0]], &steps->events[k]->array->shape)) return false;
    return true;
}

/* The gradient of step k; `down`: the last value's comes first. */
static size_t aim_of_step(const struct steps *steps, size_t k, bool down)
{
    return down ? steps->aims[steps->aim_count - 1 - k] : steps->aims[steps->aim_count - steps->count + k];
}

static bool is_right(const struct run *plain, const struct event *event, size_t aim)
{
    return event->array->numbers != NULL &&
           aim_is_exactly(&plain->surroundings->aims[aim], &event->array->shape, event->array->numbers, 1);
}

/* Whether all that comes out as any of the gradients does so in its turn. */
static bool is_in_turn(const struct run *plain, const struct steps *steps, bool down)
{
    for (size_t k = 0; k < steps->count; k++) {
        if (is_right(plain, steps->events[k], aim_of_step(steps, k, down))) continue;
        for (size_t a = 0; a < steps->aim_count; a++)
            if (is_right(plain, steps->events[k], steps->aims[a])) return false;
    }
    return true;
}

void steps_settle(struct run *plain)
{
    struct steps steps;
    size_t votes[2] = {0, 0};
    for (size_t s = 0; s < plain->syntax.statement_count; s++)
        for (size_t part = 0; part < PARTS_MAX && find_steps(plain, s, part, &steps); part++)
            for (int down = 0; down < 2; down++)
                votes[down] += is_right(plain, steps.events[0], aim_of_step(&steps, 0, down));
    if ((votes[0] > 0) == (votes[1] > 0)) return;
    bool down = votes[1] > 0;
    for (size_t s = 0; s < plain->syntax.statement_count; s++)
        for (size_t part = 0; part < PARTS_MAX && find_steps(plain, s, part, &steps); part++) {
            bool in_turn = is_in_turn(plain, &steps, down);
            for (size_t k = 0; in_turn && k < steps.count; k++) {
                steps.events[k]->aimed = AIMED_AT;
                steps.events[k]->aim = aim_of_step(&steps, k, down);
            }
        }
}
