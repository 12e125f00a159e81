#include "core/language/known.h"

#include <stdint.h>
#include <string.h>

#include "core/language/arrays.h"

/* What it takes to go through an element, in operations of a product. */
#define WORK_OF_LOOKING 8.0

/* ---- what is known ---- */

static bool is_known(const struct evaluation *e, const struct value *value)
{
    return value == NULL || (value->index < e->known_room && e->known[value->index] != NULL);
}

/* ---- a value that was asked for ---- */

/* One whose inputs are all known. */
static int compute_value(struct evaluation *e, const struct value *value)
{
    const struct node *node = value->made_by;
    struct error error;
    error_init(&error);
    struct op_plan plan;
    const struct shape **in = arena_array(e->arena, node->input_count, sizeof *in);
    const void **x = arena_array(e->arena, node->input_count, sizeof *x);
    if (in == NULL || x == NULL) return evaluation_no_memory(e);
    for (size_t k = 0; k < node->input_count; k++) {
        const struct value *input = node->inputs[k];
        in[k] = input != NULL ? &input->shape : NULL;
        x[k] = input != NULL ? e->known[input->index] : NULL;
    }
    const struct op_shape shape = {
        .op = node->op, .attributes = node->attributes, .count = node->input_count, .in = in};
    op_no_plan(&plan);
    int code = node->op->plan(&shape, &plan, &error);
    if (code != CODE_OK) return text_fault_at(e->reader, e->spot, &error);
    e->spent = e->spent || value->size > e->left.elements;
    if (e->spent) return evaluation_fault(e, "what has to be known here takes too many elements");
    e->left.elements -= value->size;
    double *y = arena_doubles(e->arena, value->size);
    if (y == NULL) return evaluation_no_memory(e);
    const struct compute_call call = {.op = node->op,
                                      .attributes = node->attributes,
                                      .in = in,
                                      .x = x,
                                      .count = node->input_count,
                                      .out = &value->shape,
                                      .saved = node->saved,
                                      .work = plan.work};
    code = compute_run(e, &call, y);
    return code == CODE_OK ? compute_remember(e, value, y) : code;
}

/* A stack of values that wait for what is above them. */
struct waiting {
    const struct value **list;
    size_t count, room;
};

enum { WAITING_FIRST = 16 };

static bool push(struct evaluation *e, struct waiting *w, const struct value *value)
{
    const struct value **list =
        arena_grow(e->arena, (void *)(uintptr_t)w->list, w->count, &w->room, sizeof *list, WAITING_FIRST);
    if (list == NULL) return false;
    w->list = list;
    w->list[w->count++] = value;
    return true;
}

/* What is decided by a parameter's number is not what it would be for another one. */
static void note_parameter(struct evaluation *e, const struct value *value)
{
    if (value == NULL || value->kind != VALUE_PARAMETER || e->decided.line > 0) return;
    e->decided = e->spot;
}

static int know_value(struct evaluation *e, const struct value *value)
{
    struct waiting w = {0};
    if (!push(e, &w, value)) return evaluation_no_memory(e);
    while (w.count > 0) {
        const struct value *top = w.list[w.count - 1];
        size_t before = w.count;
        if (is_known(e, top)) {
            w.count--;
            continue;
        }
        if (top->made_by == NULL) return evaluation_fault(e, "what has to be known here is not");
        for (size_t k = 0; k < top->made_by->input_count; k++)
            note_parameter(e, top->made_by->inputs[k]);
        for (size_t k = 0; k < top->made_by->input_count; k++)
            if (!is_known(e, top->made_by->inputs[k]) && !push(e, &w, top->made_by->inputs[k]))
                return evaluation_no_memory(e);
        if (w.count > before) continue;
        if (compute_value(e, top) != CODE_OK) return evaluation_failed(e);
        w.count--;
    }
    return CODE_OK;
}

int known_numbers(struct evaluation *e, struct array *array, const double **numbers)
{
    *numbers = NULL;
    if (array_settle(e, array) != CODE_OK || compute_charge(e, WORK_OF_LOOKING * (double)array->size) != CODE_OK)
        return evaluation_failed(e);
    *numbers = array->numbers;
    if (*numbers != NULL) return CODE_OK;
    note_parameter(e, array->value);
    int code = know_value(e, array->value);
    if (code == CODE_OK) *numbers = e->known[array->value->index];
    return code;
}

int known_number(struct evaluation *e, struct array *array, double *number)
{
    const double *numbers;
    char text[SHAPE_TEXT_MAX];
    *number = 0;
    if (array->size != 1)
        return evaluation_fault(e, "one number is expected here, not an array of shape %s",
                                shape_text(&array->shape, text));
    int code = known_numbers(e, array, &numbers);
    if (code == CODE_OK) *number = numbers[0];
    return code;
}
