/* A copy of the first input into which the others are written, one after the other: as many elements as a program's
 * loops write take one node. The numbers are, for each of them, whether it is added to what stands there (1) or put in
 * its place (0), and then a view of the first (core/ops/numbers.h) that has its shape and names no element twice. */
#include <stdio.h>
#include <string.h>

#include "core/ops/numbers.h"
#include "core/ops/writing.h"

enum { A };
enum { GRADIENT }; /* room for what goes back to the first input */

static const struct slot slots[] = {
    {.symbol = "a", .role = SLOT_INPUT}, {.symbol = "b", .role = SLOT_INPUT, .repeated = true}, {.symbol = NULL}};

/* One of the writes: whether it adds, where it goes, and where the numbers of the next one begin. */
struct step {
    bool adds;
    struct strided view;
    const double *next;
};

/* Where the numbers of the next one begin. */
static const double *step_behind(const double *numbers)
{
    return numbers + 3 + 2 * (size_t)numbers[1];
}

static struct step step_at(const double *numbers)
{
    struct step step = {.adds = numbers[0] != 0, .view = number_view(numbers + 1)};
    step.next = step_behind(numbers);
    return step;
}

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const double *numbers = shape->attributes;
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    plan->out = *shape->in[A];
    plan->saved[GRADIENT] = op_elements(shape->in[A]);
    plan->work = 3 * (double)op_elements(shape->in[A]);
    for (size_t k = 1; k < shape->count; k++) {
        struct strided view;
        if (number_view_of(shape, numbers + 1, shape->in[A], &view, error) != CODE_OK) return error->code;
        const struct shape place = view_shape(&view);
        if (!shape_equal(&place, shape->in[k]))
            return error_set(error, CODE_SHAPE_MISMATCH, "an array of shape %s cannot stand at places of shape %s",
                             shape_text(shape->in[k], a), shape_text(&place, b));
        if (!view_is_apart(&view))
            return error_set(error, CODE_OUT_OF_RANGE, "the places of shape %s in an array of shape %s overlap",
                             shape_text(&place, a), shape_text(shape->in[A], b));
        plan->work += 3 * (double)op_elements(&place);
        numbers = step_behind(numbers);
    }
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    const double *numbers = call->attributes;
    int code = backend_copy(call->backend, op_elements(call->out), call->x[A], call->y);
    for (size_t k = 1; code == CODE_OK && k < call->count; k++) {
        const struct step step = step_at(numbers);
        code = step.adds ? backend_view_add(call->backend, &step.view, call->x[k], call->y)
                         : backend_view_write(call->backend, &step.view, call->x[k], call->y);
        numbers = step.next;
    }
    return code;
}

/* The writes from the last to the first: each gets the gradient at its place, where nothing is left then for what it
 * was put over. Their numbers are found by going over all before: from the front, a list of where they begin would need
 * memory; so they are gone through as often as it takes in blocks. */
enum { BLOCK = 256 };

static int backward(const struct op_call *call)
{
    void *left = call->saved[GRADIENT];
    size_t end = call->count;
    bool flows = false;
    for (size_t k = 0; k < call->count; k++)
        flows = flows || call->dx[k] != NULL;
    if (!flows) return CODE_OK; /* there need be no dy either */
    int code = backend_copy(call->backend, op_elements(call->out), call->dy, left);
    while (code == CODE_OK && end > 1) {
        size_t begin = end > BLOCK + 1 ? end - BLOCK : 1;
        const double *numbers = call->attributes, *starts[BLOCK];
        for (size_t k = 1; k < end; k++) {
            if (k >= begin) starts[k - begin] = numbers;
            numbers = step_behind(numbers);
        }
        for (size_t k = end; code == CODE_OK && k-- > begin;) {
            const struct step step = step_at(starts[k - begin]);
            if (call->dx[k] != NULL) code = backend_view_read(call->backend, &step.view, left, call->dx[k]);
            if (code == CODE_OK && !step.adds) code = backend_view_fill(call->backend, &step.view, 0, left);
        }
        end = begin;
    }
    if (code != CODE_OK || call->dx[A] == NULL) return code;
    return backend_copy(call->backend, op_elements(call->out), left, call->dx[A]);
}

/* What is left for the first input: where nothing was put over it. */
static bool write_rest(struct op_writing *w)
{
    const double *numbers = w->attributes;
    char place[WRITING_MAX / 2], statements[WRITING_MAX] = "";
    for (size_t k = 1; k < w->count; k++) {
        const struct step step = step_at(numbers);
        numbers = step.next;
        if (step.adds) continue;
        if (!writing_place(&step.view, w->in[A], place)) return false;
        w->nothing = w->nothing || place[0] == '\0';
        size_t length = strlen(statements);
        int more =
            snprintf(statements + length, sizeof statements - length, "%s{dx}%s = 0", length > 0 ? "; " : "", place);
        if (more < 0 || (size_t)more >= sizeof statements - length) return false;
    }
    w->clears = statements[0] != '\0';
    w->whole = w->moves = true;
    return writing_put(w, "%s", w->clears ? statements : "{dy}");
}

/* What was written gets the gradient at its place. That nothing was written over it later is for whoever evaluates the
 * formula to see. */
static bool write(struct op_writing *w)
{
    const double *numbers = w->attributes;
    char place[WRITING_MAX / 2];
    if (w->input == A) return write_rest(w);
    if (w->input < 1) return false;
    for (long k = 1; k < w->input; k++)
        numbers = step_at(numbers).next;
    const struct strided view = step_at(numbers).view;
    w->whole = w->moves = true;
    return writing_place(&view, w->in[A], place) && writing_put(w, "{dy}%s", place);
}

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {1, {4}}}, CASE_NUMBERS(0, 1, 4, 1, 4)},
    {.count = 2, .in = {{2, {3, 4}}, {0}}, CASE_NUMBERS(1, 0, 7)},
    {.count = 3, .in = {{2, {3, 4}}, {2, {3, 2}}, {1, {4}}}, CASE_NUMBERS(0, 2, 3, 2, -4, 2, 8, 1, 1, 4, 1, 4)},
    {.count = 4, .in = {{2, {3, 3}}, {1, {3}}, {1, {3}}, {0}}, CASE_NUMBERS(0, 1, 3, 3, 1, 0, 1, 3, 1, 3, 0, 0, 4)},
    {.count = 2, .in = {{3, {2, 3, 3}}, {2, {2, 3}}}, CASE_NUMBERS(1, 2, 2, 3, 9, 4, 0)},
    {.count = 2, .in = {{0}, {0}}, CASE_NUMBERS(0, 0, 0)},
    {.count = 0}};

const struct op op_write = {
    .name = "write",
    .summary = "a copy of a into which others are written, or added, at some places",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .write = write,
    .cases = cases,
};
