#include "core/language/arrays.h"

#include <stdint.h>
#include <string.h>

#include "core/language/compute.h"
#include "core/ops/ops.h"

/* ---- new ones ---- */

static struct array *new_array(struct evaluation *e, const struct shape *shape, size_t size, enum number_type type)
{
    struct array *array = arena_zeroed(e->arena, 1, sizeof *array);
    if (array == NULL) return NULL;
    shape_copy(&array->shape, shape);
    array->size = size;
    array->type = type;
    return array;
}

/* Whether a shape may be: its elements are counted, once for all arrays of known numbers. */
static int check_shape(struct evaluation *e, const struct shape *shape, size_t *size)
{
    char text[SHAPE_TEXT_MAX];
    if (shape->rank > LANGUAGE_RANK_MAX)
        return evaluation_fault(e, "an array of %zu axes: %d are the most", shape->rank, LANGUAGE_RANK_MAX);
    if (!shape_size(shape, size) || *size > (size_t)1 << 40)
        return evaluation_fault(e, "an array of shape %s is too large", shape_text(shape, text));
    return CODE_OK;
}

int array_known(struct evaluation *e, const struct shape *shape, enum number_type type, struct array **array,
                double **numbers)
{
    size_t size = 0;
    char text[SHAPE_TEXT_MAX];
    int code = check_shape(e, shape, &size);
    if (code != CODE_OK) return code;
    e->spent = e->spent || size > e->left.elements;
    if (e->spent)
        return evaluation_fault(e, "with this array, of shape %s, %s too many elements", shape_text(shape, text),
                                e->observer != NULL ? "what the code computes has" : "the program's constants have");
    e->left.elements -= size;
    *array = new_array(e, shape, size, type);
    *numbers = arena_doubles(e->arena, size);
    if (*array == NULL || *numbers == NULL) return evaluation_no_memory(e);
    (*array)->numbers = *numbers;
    return CODE_OK;
}

struct array *array_given(struct evaluation *e, struct value *value, enum number_type type, const double *numbers)
{
    struct array *array = new_array(e, &value->shape, value->size, type);
    if (array == NULL) return NULL;
    array->value = value;
    array->numbers = numbers;
    return array;
}

/* ---- in the graph ---- */

enum { CONSTANTS_FIRST = 32 };

static int remember_constant(struct evaluation *e, struct value *value, const double *numbers)
{
    struct constant *list =
        arena_grow(e->arena, e->constants, e->constant_count, &e->constant_room, sizeof *list, CONSTANTS_FIRST);
    if (list == NULL) return evaluation_no_memory(e);
    e->constants = list;
    e->constants[e->constant_count++] = (struct constant){.value = value, .numbers = numbers};
    return compute_remember(e, value, numbers);
}

int array_value(struct evaluation *e, struct array *array, struct value **value)
{
    int code = array_settle(e, array);
    if (code != CODE_OK) return code;
    if (array->value == NULL) {
        struct error error;
        error_init(&error);
        code = graph_give(e->graph, VALUE_DATA, NULL, &array->shape, "a constant", &array->value, &error);
        if (code != CODE_OK) return text_fault_at(e->reader, e->spot, &error);
        if (remember_constant(e, array->value, array->numbers) != CODE_OK) return evaluation_failed(e);
    }
    *value = array->value;
    return CODE_OK;
}

/* A copy of numbers that outlives the call, with as many as any op may look at. */
static double *keep_numbers(struct evaluation *e, const double *numbers, size_t count)
{
    size_t n = count > OP_ATTRIBUTES_MAX ? count : OP_ATTRIBUTES_MAX;
    double *kept = arena_doubles(e->arena, n);
    if (kept == NULL) return NULL;
    for (size_t i = 0; i < n; i++)
        kept[i] = i < count ? numbers[i] : 0;
    return kept;
}

static int add_node(struct evaluation *e, const struct op *op, const double *numbers, struct array *const *inputs,
                    size_t count, const struct op_plan *plan, enum number_type type, struct array **array)
{
    struct error error;
    struct node *node;
    struct value **values = arena_array(e->arena, count, sizeof *values);
    if (values == NULL) return evaluation_no_memory(e);
    if (e->graph->node_count >= LANGUAGE_NODES_MAX)
        return evaluation_fault(e, "more than %d steps have to be computed", LANGUAGE_NODES_MAX);
    bool flows = false;
    for (size_t k = 0; k < count; k++) {
        values[k] = NULL;
        if (inputs[k] == NULL) continue;
        int code = array_value(e, inputs[k], &values[k]);
        if (code != CODE_OK) return code;
        enum slot_role role = op_slot(op, k)->role;
        flows = flows || (values[k]->differentiated && role != SLOT_CONSTANT && role != SLOT_TARGET);
    }
    struct place place = {.kind = PLACE_LINE, .layer = e->spot.line, .column = e->spot.column};
    error_init(&error);
    int code = graph_apply(e->graph, op, numbers, values, count, plan, place, &node, &error);
    if (code != CODE_OK) return text_fault_at(e->reader, e->spot, &error);
    node->output->differentiated = flows;
    *array = array_given(e, node->output, type, NULL);
    return *array != NULL ? CODE_OK : evaluation_no_memory(e);
}

/* ---- at once ---- */

static int compute(struct evaluation *e, const struct op *op, const double *numbers, struct array *const *inputs,
                   size_t count, const struct op_plan *plan, enum number_type type, struct array **array)
{
    struct array *made = NULL; /* *array may be one of the inputs */
    double *y;
    int code = array_known(e, &plan->out, type, &made, &y);
    const struct shape **in = arena_array(e->arena, count, sizeof *in);
    const void **x = arena_array(e->arena, count, sizeof *x);
    if (code == CODE_OK && (in == NULL || x == NULL)) code = evaluation_no_memory(e);
    for (size_t k = 0; code == CODE_OK && k < count; k++) {
        in[k] = inputs[k] != NULL ? &inputs[k]->shape : NULL;
        x[k] = inputs[k] != NULL ? inputs[k]->numbers : NULL;
    }
    if (code != CODE_OK) return code;
    const struct compute_call call = {.op = op,
                                      .attributes = numbers,
                                      .in = in,
                                      .x = x,
                                      .count = count,
                                      .out = &plan->out,
                                      .saved = plan->saved,
                                      .work = plan->work};
    code = compute_run(e, &call, y);
    if (code == CODE_OK) *array = made;
    return code;
}

/* Parameters of layers have the shapes that the plan says: networks make them so, programs bring their own. */
static int check_parameters(struct evaluation *e, const struct op *op, const struct op_plan *plan,
                            const struct shape *const *in, size_t count)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    for (size_t k = 0; k < count; k++) {
        const struct slot *slot = op_slot(op, k);
        if (slot->role != SLOT_PARAMETER) continue;
        if (in[k] == NULL && plan->has[k]) return evaluation_fault(e, "%s needs its %s", op->name, slot->symbol);
        if (in[k] == NULL) continue;
        if (!plan->has[k]) return evaluation_fault(e, "%s takes no %s here", op->name, slot->symbol);
        if (!shape_equal(in[k], &plan->parameters[k]))
            return evaluation_fault(e, "%s's %s has shape %s, where %s is needed", op->name, slot->symbol,
                                    shape_text(in[k], a), shape_text(&plan->parameters[k], b));
    }
    return CODE_OK;
}

int array_apply(struct evaluation *e, const struct op *op, const double *numbers, size_t number_count,
                struct array *const *inputs, size_t count, enum number_type type, struct array **array)
{
    struct error error;
    struct op_plan plan;
    const struct shape **in = arena_array(e->arena, count, sizeof *in);
    double *kept = keep_numbers(e, numbers, number_count);
    bool known = true, empty = false;
    if (in == NULL || kept == NULL) return evaluation_no_memory(e);
    for (size_t k = 0; k < count; k++) {
        in[k] = NULL;
        if (inputs[k] == NULL) continue;
        if (array_settle(e, inputs[k]) != CODE_OK) return evaluation_failed(e);
        in[k] = &inputs[k]->shape;
        known = known && inputs[k]->numbers != NULL;
        empty = empty || inputs[k]->size == 0;
    }
    if (empty) return array_apply_empty(e, op, kept, number_count, inputs, count, type, array);
    op_no_plan(&plan);
    const struct op_shape shape = {.op = op, .attributes = kept, .count = count, .in = in};
    if (evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    error_init(&error);
    int code = op->plan(&shape, &plan, &error);
    if (code != CODE_OK) return text_fault_at(e->reader, e->spot, &error);
    if (check_parameters(e, op, &plan, in, count) != CODE_OK) return evaluation_failed(e);
    size_t size = 0;
    double *none;
    if (check_shape(e, &plan.out, &size) != CODE_OK) return evaluation_failed(e);
    if (size == 0) return array_known(e, &plan.out, type, array, &none);
    return known ? compute(e, op, kept, inputs, count, &plan, type, array)
                 : add_node(e, op, kept, inputs, count, &plan, type, array);
}

int array_op(struct evaluation *e, const char *name, const double *numbers, size_t number_count,
             struct array *const *inputs, size_t count, enum number_type type, struct array **array)
{
    const struct op *op = ops_find_elementary(name);
    if (op == NULL) op = ops_find(name, false);
    if (op == NULL) return evaluation_fault(e, "%s is not there yet", name);
    return array_apply(e, op, numbers, number_count, inputs, count, type, array);
}

/* ---- what was written into it ---- */

int array_write_view(struct evaluation *e, struct array *array, const struct array_view *view, bool adds,
                     struct array *what, struct array **result)
{
    double numbers[ARRAY_VIEW_NUMBERS];
    size_t n = array_view_numbers(view, numbers);
    struct array *made = new_array(e, &array->shape, array->size, array->type > what->type ? array->type : what->type);
    struct write *write = arena_alloc(e->arena, sizeof *write);
    double *kept = arena_doubles(e->arena, n);
    if (made == NULL || write == NULL || kept == NULL) return evaluation_no_memory(e);
    memcpy(kept, numbers, n * sizeof *kept);
    if (array_settle(e, what) != CODE_OK) return evaluation_failed(e);
    bool settled = array->value != NULL || array->numbers != NULL;
    *write = (struct write){
        .before = settled ? NULL : array->writes, .what = what, .view = kept, .adds = adds, .spot = e->spot};
    made->under = settled ? array : array->under;
    made->writes = write;
    made->write_count = settled ? 1 : array->write_count + 1;
    *result = made;
    return CODE_OK;
}

int array_settle(struct evaluation *e, const struct array *array)
{
    if (array->writes == NULL || array->value != NULL || array->numbers != NULL) return CODE_OK;
    size_t n = array->write_count, room = 0, used = 0;
    struct array **inputs = arena_array(e->arena, n + 1, sizeof *inputs);
    const struct write **writes = arena_array(e->arena, n + 1, sizeof *writes);
    if (inputs == NULL || writes == NULL) return evaluation_no_memory(e);
    inputs[0] = (struct array *)(uintptr_t)array->under;
    const struct write *w = array->writes;
    for (size_t i = n; i > 0; i--, w = w->before) {
        inputs[i] = w->what;
        writes[i] = w;
        room += 3 + 2 * (size_t)w->view[0];
    }
    double *numbers = arena_doubles(e->arena, room);
    if (numbers == NULL) return evaluation_no_memory(e);
    for (size_t i = 1; i <= n; i++) {
        size_t length = 2 + 2 * (size_t)writes[i]->view[0];
        numbers[used++] = writes[i]->adds;
        memcpy(numbers + used, writes[i]->view, length * sizeof *numbers);
        used += length;
    }
    struct array *settled, *self = (struct array *)(uintptr_t)array;
    struct spot here = e->spot;
    e->spot = array->writes->spot;
    int code = array_op(e, "write", numbers, used, inputs, n + 1, array->type, &settled);
    e->spot = here;
    if (code != CODE_OK) return code;
    self->value = settled->value;
    self->numbers = settled->numbers;
    return CODE_OK;
}

int array_has_gradient(struct evaluation *e, const struct array *array, bool *has)
{
    int code = array_settle(e, array);
    *has = code == CODE_OK && array->value != NULL && array->value->differentiated;
    return code;
}

/* ---- shapes ---- */

int array_reshape(struct evaluation *e, struct array *array, const struct shape *shape, struct array **result)
{
    double numbers[1 + TENSOR_RANK_MAX] = {(double)shape->rank}, *none;
    size_t size = 0;
    if (shape_equal(&array->shape, shape)) {
        *result = array;
        return CODE_OK;
    }
    if (array->size == 0 && shape_size(shape, &size) && size == 0)
        return array_known(e, shape, array->type, result, &none);
    for (size_t i = 0; i < shape->rank; i++)
        numbers[1 + i] = (double)shape->dim[i];
    return array_op(e, "reshape", numbers, 1 + shape->rank, &array, 1, array->type, result);
}

struct array_view array_whole(const struct shape *shape)
{
    struct array_view view = {.shape = *shape};
    ptrdiff_t stride = 1;
    for (size_t axis = shape->rank; axis-- > 0;) {
        view.stride[axis] = stride;
        stride *= (ptrdiff_t)shape->dim[axis];
    }
    return view;
}

size_t array_view_numbers(const struct array_view *view, double *numbers)
{
    size_t rank = view->shape.rank;
    numbers[0] = (double)rank;
    for (size_t i = 0; i < rank; i++) {
        numbers[1 + i] = (double)view->shape.dim[i];
        numbers[1 + rank + i] = (double)view->stride[i];
    }
    numbers[1 + 2 * rank] = (double)view->offset;
    return 2 + 2 * rank;
}

static bool is_whole(const struct array_view *view, const struct shape *shape)
{
    const struct array_view whole = array_whole(shape);
    if (view->offset != 0 || !shape_equal(&view->shape, shape)) return false;
    for (size_t i = 0; i < shape->rank; i++)
        if (view->shape.dim[i] > 1 && view->stride[i] != whole.stride[i]) return false;
    return true;
}

int array_read_view(struct evaluation *e, struct array *array, const struct array_view *view, struct array **result)
{
    double numbers[ARRAY_VIEW_NUMBERS];
    size_t size = 0;
    double *none;
    int code = check_shape(e, &view->shape, &size);
    if (code != CODE_OK) return code;
    if (size == 0) return array_known(e, &view->shape, array->type, result, &none);
    if (is_whole(view, &array->shape)) {
        *result = array;
        return CODE_OK;
    }
    if (array_find_written(e, array, view, result) != CODE_OK) return evaluation_failed(e);
    if (*result != NULL) return CODE_OK;
    /* Only axes of length 1 come or go: the elements stay where they are. */
    struct shape bare[2] = {{0}, {0}};
    for (size_t i = 0; i < array->shape.rank; i++)
        if (array->shape.dim[i] != 1) bare[0].dim[bare[0].rank++] = array->shape.dim[i];
    struct array_view squeezed = {.offset = view->offset};
    for (size_t i = 0; i < view->shape.rank; i++) {
        if (view->shape.dim[i] == 1) continue;
        squeezed.stride[squeezed.shape.rank] = view->stride[i];
        squeezed.shape.dim[squeezed.shape.rank++] = view->shape.dim[i];
    }
    if (is_whole(&squeezed, &bare[0])) return array_reshape(e, array, &view->shape, result);
    size_t n = array_view_numbers(view, numbers);
    return array_op(e, "view", numbers, n, &array, 1, array->type, result);
}

int array_permute(struct evaluation *e, struct array *array, const size_t *axes, struct array **result)
{
    const struct array_view whole = array_whole(&array->shape);
    struct array_view view = {.shape.rank = array->shape.rank};
    for (size_t i = 0; i < view.shape.rank; i++) {
        view.shape.dim[i] = array->shape.dim[axes[i]];
        view.stride[i] = whole.stride[axes[i]];
    }
    struct array *permuted = NULL; /* *result may be the array */
    int code = array_read_view(e, array, &view, &permuted);
    if (code == CODE_OK) code = array_share_view(e, array, &view, &permuted);
    if (code == CODE_OK) *result = permuted;
    return code;
}

int array_turn(struct evaluation *e, struct array *array, struct array **result)
{
    size_t axes[TENSOR_RANK_MAX], rank = array->shape.rank;
    for (size_t i = 0; i < rank; i++)
        axes[i] = rank - 1 - i;
    return array_permute(e, array, axes, result);
}

int array_swap_axes(struct evaluation *e, struct array *array, size_t one, size_t other, struct array **result)
{
    size_t axes[TENSOR_RANK_MAX];
    for (size_t i = 0; i < array->shape.rank; i++)
        axes[i] = i == one ? other : i == other ? one : i;
    return array_permute(e, array, axes, result);
}

int array_move_axis(struct evaluation *e, struct array *array, size_t from, size_t to, struct array **result)
{
    size_t axes[TENSOR_RANK_MAX], at = 0;
    for (size_t i = 0; i < array->shape.rank; i++) {
        if (at == from) at++;
        axes[i] = i == to ? from : at++;
    }
    return array_permute(e, array, axes, result);
}

int array_detach(struct evaluation *e, struct array *array, struct array **result)
{
    bool has;
    *result = array;
    int code = array_has_gradient(e, array, &has);
    return code == CODE_OK && has ? array_op(e, "detach", NULL, 0, &array, 1, array->type, result) : code;
}

int array_broadcast(struct evaluation *e, struct array *array, const struct shape *shape, struct array **result)
{
    char from[SHAPE_TEXT_MAX], to[SHAPE_TEXT_MAX];
    const struct array_view whole = array_whole(&array->shape);
    struct array_view view = {.shape = *shape};
    size_t rank = array->shape.rank, ahead = shape->rank - rank;
    bool fits = rank <= shape->rank;
    for (size_t i = 0; fits && i < rank; i++) {
        bool repeated = array->shape.dim[i] == 1 && shape->dim[ahead + i] != 1;
        fits = repeated || array->shape.dim[i] == shape->dim[ahead + i];
        view.stride[ahead + i] = repeated ? 0 : whole.stride[i];
    }
    if (!fits)
        return evaluation_fault(e, "an array of shape %s cannot be broadcast to %s", shape_text(&array->shape, from),
                                shape_text(shape, to));
    return array_read_view(e, array, &view, result);
}

bool array_common_shape(const struct shape *a, const struct shape *b, struct shape *common)
{
    const struct shape *longer = a->rank >= b->rank ? a : b, *shorter = longer == a ? b : a;
    size_t ahead = longer->rank - shorter->rank;
    *common = *longer;
    for (size_t i = 0; i < shorter->rank; i++) {
        size_t *dim = &common->dim[ahead + i];
        if (*dim != shorter->dim[i] && *dim != 1 && shorter->dim[i] != 1) return false;
        if (*dim == 1) *dim = shorter->dim[i];
    }
    return true;
}
