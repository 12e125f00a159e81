/* What ops make of arrays without elements, as indices are of what there is not: dz[np.where(z < 0)] = 0. Nothing is
 * computed of them, and no value of a graph is one. */
#include <string.h>

#include "core/language/arrays.h"

static int fault(struct evaluation *e, const struct shape *shape)
{
    char text[SHAPE_TEXT_MAX];
    return evaluation_fault(e, "an array of shape %s has no elements", shape_text(shape, text));
}

/* Those that have elements, if any has. */
static size_t keep_filled(struct array *const *inputs, size_t count, struct array **kept)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i] != NULL && inputs[i]->size > 0) kept[n++] = inputs[i];
    return n;
}

int array_apply_empty(struct evaluation *e, const struct op *op, const double *numbers, size_t number_count,
                      struct array *const *inputs, size_t count, enum number_type type, struct array **array)
{
    struct error error;
    struct op_plan plan;
    size_t size = 0;
    double *made = NULL;
    const struct shape **in = arena_array(e->arena, count, sizeof *in), *none = NULL;
    struct array **kept = arena_array(e->arena, count, sizeof *kept);
    if (in == NULL || kept == NULL) return evaluation_no_memory(e);
    for (size_t k = 0; k < count; k++) {
        in[k] = inputs[k] != NULL ? &inputs[k]->shape : NULL;
        if (inputs[k] != NULL && inputs[k]->size == 0 && none == NULL) none = in[k];
    }
    if (op->kind != OP_ELEMENTARY || strcmp(op->name, "matmul") == 0) return fault(e, none);
    size_t filled = strcmp(op->name, "concatenate") == 0 ? keep_filled(inputs, count, kept) : 0;
    if (filled > 0) return array_apply(e, op, numbers, number_count, kept, filled, type, array);
    op_no_plan(&plan);
    error_init(&error);
    const struct op_shape shape = {.op = op, .attributes = numbers, .count = count, .in = in};
    if (evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    if (op->plan(&shape, &plan, &error) != CODE_OK) return text_fault_at(e->reader, e->spot, &error);
    const bool sums = strcmp(op->name, "sum") == 0, multiplies = strcmp(op->name, "prod") == 0;
    if (!shape_size(&plan.out, &size) || (size > 0 && !sums && !multiplies)) return fault(e, none);
    int code = array_known(e, &plan.out, type, array, &made);
    for (size_t i = 0; code == CODE_OK && i < size; i++)
        made[i] = multiplies;
    return code;
}
