#include "core/backward/aims.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/backward/steps.h"

/* ---- what is judged when ---- */

bool aims_puts_into(const struct expression *target, const char *name)
{
    if (target->kind == EXPRESSION_SUBSCRIPT) return aims_puts_into(target->operands[0], name);
    for (size_t i = 0; (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) && i < target->count; i++)
        if (aims_puts_into(target->operands[i], name)) return true;
    return (target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ATTRIBUTE) && strcmp(target->name, name) == 0;
}

/* Whether an expression reads the name of an event: dW of dW, grads of grads['W']. */
static bool mentions(const struct expression *x, const struct event *event)
{
    char base[128];
    size_t n = strcspn(event->name, "[");
    if (n == 0 || n >= sizeof base) return false;
    memcpy(base, event->name, n);
    base[n] = '\0';
    return syntax_mentions(x, base);
}

bool aims_is_made_of(const struct run *run, const struct event *event, const struct event *before)
{
    const struct statement *s = run->statements[event->statement];
    if (s->kind == STATEMENT_UPDATE) return true;
    bool puts = s->kind == STATEMENT_ASSIGN || (s->kind == STATEMENT_RETURN && event->array != before->array);
    return puts && mentions(s->value, event);
}

/* Whether what a function hands back of it, dW / m, could not be evaluated. */
static bool is_lost_in_return(const struct statement *s, const struct event *event)
{
    const struct expression *x = s->value;
    if (s->kind != STATEMENT_RETURN || x == NULL) return false;
    bool several = x->kind == EXPRESSION_TUPLE || x->kind == EXPRESSION_LIST || x->kind == EXPRESSION_DICTIONARY;
    for (size_t i = 0; i < (several ? x->count : 1); i++) {
        const struct expression *item = several ? x->operands[i] : x;
        if (item->kind != EXPRESSION_NAME && mentions(item, event)) return true;
    }
    return false;
}

/* Whether a statement, or anything within it, puts something there. */
static bool puts_into(const struct statement *s, const char *name)
{
    for (size_t t = 0; t < s->target_count; t++)
        if (aims_puts_into(s->targets[t], name)) return true;
    for (size_t i = 0; i < s->body.count; i++)
        if (puts_into(s->body.list[i], name)) return true;
    for (size_t i = 0; i < s->otherwise.count; i++)
        if (puts_into(s->otherwise.list[i], name)) return true;
    return false;
}

/* Whether what was to go on building it could not be evaluated, or put something else in its place. */
static bool is_cut_off(const struct run *plain, const struct event *event)
{
    if (event->lost) return true;
    for (size_t s = event->statement; s < plain->syntax.statement_count; s++) {
        const struct statement *statement = plain->statements[s];
        const struct outcome *outcome = &plain->outcomes[s];
        /* It may itself have been run again, and not have come to its end. */
        bool own = s == event->statement,
             cuts = outcome->fault != NULL || (!own && (outcome->poisoned || outcome->emptied));
        if (statement == NULL || !cuts) continue;
        if (is_lost_in_return(statement, event)) return true;
        bool of_part = statement->kind == STATEMENT_EXPRESSION ||
                       (statement->target_count > 0 && statement->targets[0]->kind == EXPRESSION_SUBSCRIPT);
        if (of_part && outcome->fault_aim != GRADIENT_NONE && event->aimed == AIMED_AT &&
            outcome->fault_aim == event->aim)
            return true;
        if (puts_into(statement, event->name)) return true;
    }
    return false;
}

static void find_judged(struct run *plain)
{
    for (size_t i = 0; i < plain->count; i++) {
        struct event *event = &plain->events[i];
        const struct event *behind = event->behind != EVENT_NONE ? &plain->events[event->behind] : NULL;
        /* What is overwritten before anybody has read it was to be added to, or is a first value. */
        event->judged = behind == NULL || (!behind->updates && (event->used || behind->array == event->array));
        if (event->behind == EVENT_NONE && is_cut_off(plain, event)) event->judged = false;
    }
}

/* Whether what comes after it at its place is made of it, and stands for the same. */
static void find_rewritten(struct run *plain)
{
    for (size_t i = 0; i < plain->count; i++) {
        struct event *event = &plain->events[i];
        const struct event *behind = event->behind != EVENT_NONE ? &plain->events[event->behind] : NULL;
        event->rewrites =
            behind != NULL && !behind->updates && event->aim == behind->aim && aims_is_made_of(plain, behind, event);
    }
}

/* ---- where it ends up ---- */

struct end {
    const struct array *array;
    size_t event;
};

static int compare_ends(const void *a, const void *b)
{
    const struct end *left = a, *right = b;
    uintptr_t one = (uintptr_t)left->array, other = (uintptr_t)right->array;
    if (one != other) return one < other ? -1 : 1;
    return (left->event > right->event) - (left->event < right->event);
}

/* What has no name of a gradient, and is put where one is later, is that one. */
static bool follow(struct run *plain)
{
    struct end *ends = arena_array(plain->arena, plain->count, sizeof *ends);
    size_t count = 0;
    if (ends == NULL) return false;
    for (size_t i = 0; i < plain->count; i++)
        if (plain->events[i].aimed == AIMED_AT && plain->events[i].judged)
            ends[count++] = (struct end){.array = plain->events[i].array, .event = i};
    qsort(ends, count, sizeof *ends, compare_ends);
    for (size_t i = 0; i < plain->count; i++) {
        struct event *event = &plain->events[i];
        const struct end key = {.array = event->array, .event = i};
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (compare_ends(&ends[middle], &key) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (event->aimed == AIMED_AT || low == count || ends[low].array != event->array) continue;
        const struct event *end = &plain->events[ends[low].event];
        /* dx = dx1: that this is all of dx may be what is wrong. */
        bool named = run_is_main(plain, event) && run_is_main(plain, end) && event->name[0] == 'd' &&
                     strchr(end->name, '[') == NULL && strncmp(event->name, "delta", 5) != 0;
        if (named) continue;
        event->aimed = AIMED_AT;
        event->aim = end->aim;
        event->of = end->of;
    }
    return true;
}

/* ---- what is handed in ---- */

static bool is_final(const struct run *plain, size_t i)
{
    return plain->events[i].behind == EVENT_NONE;
}

/* The last thing of that name. */
static size_t claim_by_name(const struct run *plain, size_t graded)
{
    const char *name = plain->surroundings->aims[graded].name;
    for (size_t i = plain->count; i-- > 0;) {
        const struct event *event = &plain->events[i];
        bool named =
            event->aimed == AIMED_AT ? event->aim == graded : event->aimed == AIMED_ANY && strcmp(event->of, name) == 0;
        if (named && run_is_main(plain, event) && is_final(plain, i)) return i;
    }
    return EVENT_NONE;
}

/* Whether the student's function hands back anything. */
static bool hands_back(const struct run *plain)
{
    for (size_t i = 0; i < plain->count; i++)
        if (plain->statements[plain->events[i].statement]->kind == STATEMENT_RETURN &&
            run_is_main(plain, &plain->events[i]))
            return true;
    return false;
}

/* Whether it ends with the function that it is a variable of. */
static bool is_local(const struct run *plain, const struct event *event)
{
    const struct statement *s = plain->statements[event->statement];
    return event->frame != 0 && s->target_count > 0 && s->targets[0]->kind == EXPRESSION_NAME;
}

/* What nobody has a name for and has the gradient's numbers; `back`: hands_back. */
static size_t claim_by_numbers(const struct run *plain, size_t graded, bool back)
{
    const struct aim *aim = &plain->surroundings->aims[graded];
    for (size_t i = plain->count; i-- > 0;) {
        const struct event *event = &plain->events[i];
        if (back && is_local(plain, event)) continue;
        if (event->aimed == AIMED_NOT && is_final(plain, i) && event->array->size == aim->size &&
            aim_is_exactly(aim, &event->array->shape, event->array->numbers, 1))
            return i;
    }
    return EVENT_NONE;
}

/* Of what is handed back without a name: the one thing of that shape, for the one gradient of that shape. */
static size_t claim_by_shape(const struct run *plain, size_t graded, const size_t *claimed)
{
    const struct surroundings *s = plain->surroundings;
    const struct aim *aim = &s->aims[graded];
    size_t found = EVENT_NONE, others = 0;
    for (size_t p = 0; p < s->check->problem.network->graded_count; p++)
        others += claimed[p] == EVENT_NONE && aim_fits(aim, &s->aims[p].shape);
    for (size_t i = 0; others == 1 && i < plain->count; i++) {
        const struct event *event = &plain->events[i];
        bool handed_back = plain->statements[event->statement]->kind == STATEMENT_RETURN && run_is_main(plain, event);
        if (!handed_back || event->aimed != AIMED_NOT || !aim_fits(aim, &event->array->shape)) continue;
        if (found != EVENT_NONE && plain->events[found].array != event->array) return EVENT_NONE;
        found = i;
    }
    return found;
}

static void settle_claim(struct run *plain, size_t graded, size_t which, size_t *claimed)
{
    claimed[graded] = which;
    if (which == EVENT_NONE) return;
    struct event *event = &plain->events[which];
    if (event->aimed == AIMED_ANY) return;
    event->aimed = AIMED_AT;
    event->aim = graded;
    event->of = plain->surroundings->aims[graded].name;
}

/* What put something else in a gradient's place is at fault. */
static void tell_emptied(struct run *plain, const struct event *event)
{
    for (size_t s = event->statement + 1; s < plain->syntax.statement_count; s++) {
        const struct statement *statement = plain->statements[s];
        struct outcome *outcome = &plain->outcomes[s];
        if (statement == NULL || !outcome->emptied || statement->target_count == 0) continue;
        const struct expression *target = statement->targets[0];
        if (target->name == NULL || strcmp(target->name, event->name) != 0) continue;
        if (outcome->fault == NULL) outcome->fault = "what stands here for a gradient is no tensor";
        outcome->spot = statement->spot;
    }
}

/* By names first: what these leave goes by its numbers, and what is left then by its shape. */
static void settle_claims(struct run *plain, size_t *claimed)
{
    size_t graded = plain->surroundings->check->problem.network->graded_count;
    bool back = hands_back(plain);
    for (size_t p = 0; p < graded; p++)
        settle_claim(plain, p, claim_by_name(plain, p), claimed);
    for (size_t p = 0; p < graded; p++)
        if (claimed[p] == EVENT_NONE) settle_claim(plain, p, claim_by_numbers(plain, p, back), claimed);
    for (size_t p = 0; p < graded; p++)
        if (claimed[p] == EVENT_NONE) settle_claim(plain, p, claim_by_shape(plain, p, claimed), claimed);
    for (size_t p = 0; p < graded; p++)
        if (claimed[p] != EVENT_NONE && is_cut_off(plain, &plain->events[claimed[p]])) {
            tell_emptied(plain, &plain->events[claimed[p]]);
            claimed[p] = EVENT_NONE; /* in Python there would be none */
        }
}

bool aims_settle(struct run *plain, size_t *claimed)
{
    find_judged(plain);
    steps_settle(plain);
    if (!plain->raised) settle_claims(plain, claimed);
    if (!follow(plain)) return false;
    find_rewritten(plain);
    return true;
}
