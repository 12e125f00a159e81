#include "core/backward/elsewhere.h"

#include <math.h>

#include "core/backward/run.h"
#include "core/base/numbers.h"

/* The most that is added to a number, and to its multiple. */
#define MOVED_BY 0.1
#define MOVED_TIMES 0.25

/* Another number, of no pattern in either place: parameters that are equal are so no more. With `turned`, every other
 * one is of the other sign. */
static double move(double number, size_t parameter, size_t i, bool turned)
{
    double golden = 0.6180339887498949, silver = 0.4142135623730951,
           step = fmod(golden * (double)(i + 1) + silver * (double)parameter, 1);
    double other = (1 + MOVED_TIMES * step) * number;
    return (turned && i % 2 == 1 ? -other : other) + MOVED_BY * step;
}

static int move_parameters(struct arena *arena, const struct problem *problem, bool turned, double **given)
{
    const struct network *network = problem->network;
    for (size_t v = 0; v < network->graph.value_count; v++)
        given[v] = problem->given[v];
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct value *value = network->graded[p].value;
        double *moved = arena_doubles(arena, value->size);
        if (moved == NULL) return CODE_OUT_OF_MEMORY;
        for (size_t i = 0; i < value->size; i++)
            moved[i] = move(problem_given(problem, value)[i], p, i, turned);
        given[value->index] = moved;
    }
    return CODE_OK;
}

static bool is_finite(const struct surroundings *s)
{
    for (size_t a = 0; a < s->aim_count; a++)
        if (!isfinite(numbers_largest(s->aims[a].size, s->aims[a].numbers))) return false;
    return true;
}

/* Gives the events of the code there what is known of those here; false where they are others. */
static bool take_over(const struct run *here, struct run *there)
{
    if (there->error.code != CODE_OK || there->outcomes == NULL || there->count != here->count) return false;
    for (size_t i = 0; i < here->count; i++) {
        const struct event *from = &here->events[i];
        struct event *to = &there->events[i];
        if (to->statement != from->statement || to->execution != from->execution || to->part != from->part ||
            !shape_equal(&to->array->shape, &from->array->shape))
            return false;
        to->aimed = from->aimed;
        to->aim = from->aim;
        to->of = from->of;
        to->judged = from->judged;
        to->rewrites = from->rewrites;
    }
    return true;
}

static int look(struct arena *arena, const struct run *plain, bool turned, struct elsewhere *to)
{
    const struct surroundings *here = plain->surroundings;
    struct problem *problem = &to->check.problem;
    struct error error = {0};
    to->check = *here->check;
    problem->given = arena_array(arena, problem->network->graph.value_count, sizeof *problem->given);
    if (problem->given == NULL) return CODE_OUT_OF_MEMORY;
    int code = move_parameters(arena, &here->check->problem, turned, problem->given);
    if (code == CODE_OK) code = problem_run(arena, problem, backend_cpu(DTYPE_FLOAT64), &to->pass, &error);
    if (code == CODE_OK) code = surroundings_find(arena, &to->check, &to->pass, here->code, &to->surroundings, &error);
    if (code != CODE_OK) return code == CODE_OUT_OF_MEMORY ? code : CODE_OK; /* it cannot be evaluated there */
    if (to->surroundings.aim_count != here->aim_count || !is_finite(&to->surroundings)) return CODE_OK;
    code = run_code(&to->plain, arena, &to->surroundings, NULL, plain->syntax.text, plain->syntax.length);
    to->is = code == CODE_OK && take_over(plain, &to->plain);
    return code;
}

int elsewhere_find(struct arena *arena, const struct run *plain, struct elsewhere *to)
{
    *to = (struct elsewhere){.is = false};
    int code = look(arena, plain, true, to);
    if (code == CODE_OK && !to->is) code = look(arena, plain, false, to); /* where all had to be above 0 */
    return code;
}
