/* Layers, activations and losses of the op table as functions: of their tensors, then their attributes by name or in
 * the table's order. */
#include <math.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/ops/ops.h"

static int read_attribute(struct evaluation *e, const struct attribute *attribute, const struct thing *thing,
                          double *value);

/* A size for each of so many axes, in a tuple or list. */
static int read_sizes(struct evaluation *e, const struct attribute *attribute, const struct sequence *sizes,
                      double *values)
{
    const size_t axes = attribute->kind == ATTRIBUTE_SIZES ? 2 : 1;
    if (sizes->count != axes)
        return evaluation_fault(e, "%s is a number%s, not %zu of them", attribute->name, axes == 2 ? ", or two" : "",
                                sizes->count);
    struct attribute each = *attribute;
    each.kind = ATTRIBUTE_SIZE;
    for (size_t i = 0; i < axes; i++)
        if (read_attribute(e, &each, &sizes->items[i], &values[i]) != CODE_OK) return evaluation_failed(e);
    return CODE_OK;
}

/* A number for an attribute, which may be given as a number, a truth value or the name of a choice; or two sizes. None
 * stands for a size that is not given. */
static int read_attribute(struct evaluation *e, const struct attribute *attribute, const struct thing *thing,
                          double *value)
{
    char words[SHAPE_TEXT_MAX + 32];
    const bool is_size = attribute_is_size(attribute);
    if (is_size && thing->kind == THING_NONE && !attribute->required) return CODE_OK;
    if (is_size && (thing->kind == THING_TUPLE || thing->kind == THING_LIST))
        return read_sizes(e, attribute, thing->sequence, value);
    if (attribute->kind == ATTRIBUTE_CHOICE) {
        for (size_t i = 0; thing->kind == THING_TEXT && attribute->choices[i] != NULL; i++)
            if (strcmp(attribute->choices[i], thing->text) == 0) {
                *value = (double)i;
                return CODE_OK;
            }
        return evaluation_fault(e, "%s is none of its choices, as \"%s\"", attribute->name, attribute->choices[0]);
    }
    if (thing->kind != THING_NUMBER)
        return evaluation_fault(e, "%s must be a number, not %s", attribute->name, thing_words(thing, words));
    bool whole = is_size || attribute->kind == ATTRIBUTE_FLAG;
    *value = thing->number;
    bool low = attribute->open ? *value <= attribute->least : *value < attribute->least;
    bool high = is_size && *value > (attribute->most > 0 ? attribute->most : SIZE_MOST);
    high = high || (attribute->below > 0 && *value >= attribute->below);
    if (!isfinite(*value) || (whole && *value != floor(*value)) || (attribute->kind != ATTRIBUTE_FLAG && (low || high)))
        return evaluation_fault(e, "%s may not be %g", attribute->name, *value);
    if (attribute->kind == ATTRIBUTE_SIZES) value[1] = value[0];
    return CODE_OK;
}

/* Of those that do not follow from parameters. */
static const struct attribute *find_attribute(const struct op *op, const char *name, size_t *index)
{
    for (*index = 0; attribute_stands(&op->attributes[*index]); ++*index) {
        const struct attribute *a = &op->attributes[*index];
        if (a->name != NULL && !a->follows && strcmp(a->name, name) == 0) return a;
    }
    return NULL;
}

static int read_reduction(struct evaluation *e, const struct thing *thing, double *value)
{
    for (size_t i = 0; thing->kind == THING_TEXT && reduction_names[i] != NULL; i++)
        if (strcmp(reduction_names[i], thing->text) == 0) {
            *value = (double)i;
            return CODE_OK;
        }
    return evaluation_fault(e, "reduction is \"mean\", \"sum\" or \"batchmean\"");
}

/* The arguments of a call as an op's inputs and attributes. */
struct layer_call {
    const struct op *op;
    struct array *inputs[OP_SLOTS_MAX];
    size_t count, next; /* inputs; the attribute that the next argument by position is */
    double attributes[OP_ATTRIBUTES_MAX];
    struct thing axis; /* THING_NONE: the last */
};

static bool is_slot(const struct op *op, const char *name, size_t *slot)
{
    for (*slot = 0; op->slots[*slot].symbol != NULL; ++*slot) {
        const struct slot *s = &op->slots[*slot];
        /* as PyTorch calls the first, and the second of a loss */
        bool input = (*slot == 0 && strcmp(name, "input") == 0) ||
                     (op->kind == OP_LOSS && *slot == LOSS_TARGET && strcmp(name, "target") == 0);
        if (input || strcmp(s->symbol, name) == 0 || (s->member != NULL && strcmp(s->member, name) == 0)) return true;
    }
    return false;
}

static int take_keyword(struct evaluation *e, struct layer_call *c, const char *name, const struct thing *thing)
{
    size_t i;
    if (c->op->kind == OP_LOSS && strcmp(name, "reduction") == 0)
        return read_reduction(e, thing, &c->attributes[LOSS_REDUCTION]);
    if (c->op->over_rows && (strcmp(name, "axis") == 0 || strcmp(name, "dim") == 0)) {
        c->axis = *thing;
        return CODE_OK;
    }
    const struct attribute *attribute = find_attribute(c->op, name, &i);
    if (attribute != NULL) return read_attribute(e, attribute, thing, &c->attributes[i]);
    if (is_slot(c->op, name, &i) && i < OP_SLOTS_MAX) {
        if (thing->kind == THING_NONE) return CODE_OK;
        if (i >= c->count) c->count = i + 1;
        return array_of(e, thing, &c->inputs[i]);
    }
    if (function_passes_over(name)) return CODE_OK;
    return evaluation_fault(e, "%s has no argument \"%.40s\"", c->op->name, name);
}

static int take_position(struct evaluation *e, struct layer_call *c, const struct thing *thing)
{
    size_t slots = 0;
    while (c->op->slots[slots].symbol != NULL)
        slots++;
    bool repeated = c->op->slots[slots - 1].repeated;
    if (c->next == 0 && (c->count < slots || repeated) && c->count < OP_SLOTS_MAX && thing->kind != THING_TEXT) {
        if (thing->kind != THING_NONE) return array_of(e, thing, &c->inputs[c->count++]);
        c->inputs[c->count++] = NULL;
        return CODE_OK;
    }
    if (c->op->over_rows && c->axis.kind == THING_NONE) {
        c->axis = *thing;
        return CODE_OK;
    }
    const struct attribute *attribute = &c->op->attributes[c->next];
    while (attribute_stands(attribute) && (attribute->name == NULL || attribute->follows))
        attribute = &c->op->attributes[++c->next];
    if (attribute->name == NULL && c->op->kind == OP_LOSS && thing->kind == THING_TEXT)
        return read_reduction(e, thing, &c->attributes[LOSS_REDUCTION]);
    if (attribute->name == NULL) return evaluation_fault(e, "%s takes fewer arguments", c->op->name);
    return read_attribute(e, attribute, thing, &c->attributes[c->next++]);
}

/* Indices of classes as rows of 0 and 1. */
static int spread_classes(struct evaluation *e, struct layer_call *c)
{
    struct array *prediction = c->inputs[LOSS_PREDICTION], *target = c->inputs[LOSS_TARGET];
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    struct thing things[2] = {0}, hot = {0};
    if (c->op->target == TARGET_LIKE_OUTPUT || c->op->target == TARGET_UPSTREAM ||
        shape_equal(&prediction->shape, &target->shape))
        return CODE_OK;
    if (prediction->shape.rank != target->shape.rank + 1 ||
        memcmp(prediction->shape.dim, target->shape.dim, target->shape.rank * sizeof *target->shape.dim) != 0)
        return evaluation_fault(e, "%s takes one class for each row of %s, not %s", c->op->name,
                                shape_text(&prediction->shape, one), shape_text(&target->shape, other));
    things[0] = thing_array(target);
    things[1] = thing_number((double)prediction->shape.dim[prediction->shape.rank - 1], TYPE_INT);
    const struct thing callee = {.kind = THING_BUILTIN, .builtin = functions_find("one_hot", false)};
    const char *const keywords[2] = {NULL, NULL};
    int code = evaluation_call(e, &callee, things, keywords, 2, &hot);
    if (code == CODE_OK) c->inputs[LOSS_TARGET] = hot.array;
    return code;
}

/* The scores of one sample, without an axis for samples, as a row. */
static int one_sample(struct evaluation *e, struct layer_call *c)
{
    const struct array *prediction = c->inputs[LOSS_PREDICTION];
    const struct shape row = {.rank = 2, .dim = {1, prediction->size}};
    bool classes = c->op->target == TARGET_CLASSES || c->op->target == TARGET_CLASSES_OR_SOFT;
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && classes && prediction->shape.rank == 1 && k < 2; k++)
        if (c->inputs[k]->size == prediction->size) code = array_reshape(e, c->inputs[k], &row, &c->inputs[k]);
    return code;
}

static int fit_loss(struct evaluation *e, struct layer_call *c)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    if (c->count != 2 || c->inputs[LOSS_PREDICTION] == NULL || c->inputs[LOSS_TARGET] == NULL)
        return evaluation_fault(e, "%s takes a prediction and a target", c->op->name);
    if (spread_classes(e, c) != CODE_OK || one_sample(e, c) != CODE_OK) return evaluation_failed(e);
    struct array *prediction = c->inputs[LOSS_PREDICTION], *target = c->inputs[LOSS_TARGET];
    if (prediction->size == target->size && prediction->shape.rank != target->shape.rank)
        return array_reshape(e, target, &prediction->shape, &c->inputs[LOSS_TARGET]);
    if (shape_equal(&prediction->shape, &target->shape)) return CODE_OK;
    return evaluation_fault(e, "%s takes a prediction and a target of one shape, not %s and %s", c->op->name,
                            shape_text(&prediction->shape, one), shape_text(&target->shape, other));
}

/* No gradient flows through the target of a loss of the op table. Where one should, a loss of the differences alone is
 * that of these and zeros. */
static int free_target(struct evaluation *e, struct layer_call *c)
{
    struct array **inputs = c->inputs, *zeros = NULL;
    double *numbers;
    int code = array_settle(e, inputs[LOSS_TARGET]);
    const struct value *value = inputs[LOSS_TARGET]->value;
    if (code != CODE_OK || value == NULL || !value->differentiated) return code;
    if (!c->op->of_difference)
        return evaluation_fault(e, "no gradient flows through the target of %s: detach() it, if none should",
                                c->op->name);
    const struct shape shape = inputs[LOSS_PREDICTION]->shape;
    code = array_op(e, "sub", NULL, 0, inputs, 2, TYPE_FLOAT, &inputs[LOSS_PREDICTION]);
    if (code == CODE_OK) code = array_known(e, &shape, TYPE_FLOAT, &zeros, &numbers);
    if (code != CODE_OK) return code;
    memset(numbers, 0, zeros->size * sizeof *numbers);
    inputs[LOSS_TARGET] = zeros;
    return CODE_OK;
}

static int apply(struct evaluation *e, struct layer_call *c, struct array **y)
{
    size_t axis = 0, last;
    struct array **x = &c->inputs[0];
    if (c->count == 0 || c->inputs[0] == NULL) return evaluation_fault(e, "%s takes an array", c->op->name);
    if (c->op->kind == OP_LOSS) {
        if (fit_loss(e, c) != CODE_OK || free_target(e, c) != CODE_OK) return evaluation_failed(e);
        return array_apply(e, c->op, c->attributes, OP_ATTRIBUTES_MAX, c->inputs, c->count, TYPE_FLOAT, y);
    }
    last = (*x)->shape.rank > 0 ? (*x)->shape.rank - 1 : 0;
    const struct shape shape = (*x)->shape;
    bool vector = shape.rank == 1 && c->op->over_rows;
    const struct shape row = {.rank = 2, .dim = {1, shape.dim[0]}};
    int code = CODE_OK;
    if (c->axis.kind != THING_NONE)
        code = function_axis(e, &c->axis, shape.rank, &axis);
    else
        axis = last;
    if (code == CODE_OK && vector)
        code = array_reshape(e, *x, &row, x);
    else if (code == CODE_OK && axis != last) /* a softmax over another axis: that one is moved there and back */
        code = array_move_axis(e, *x, axis, last, x);
    if (code == CODE_OK)
        code = array_apply(e, c->op, c->attributes, OP_ATTRIBUTES_MAX, c->inputs, c->count, TYPE_FLOAT, y);
    if (code == CODE_OK && vector)
        code = array_reshape(e, *y, &shape, y);
    else if (code == CODE_OK && axis != last)
        code = array_move_axis(e, *y, last, axis, y);
    return code;
}

/* The attributes that follow from the parameters, all of which have a place among the inputs from then on. A bias may
 * be a row or a column. */
static int follow_parameters(struct evaluation *e, struct layer_call *c)
{
    const struct shape *in[OP_SLOTS_MAX] = {NULL};
    struct error error = {0};
    size_t slots = 0, affine;
    while (c->op->slots[slots].symbol != NULL)
        slots++;
    if (c->op->kind == OP_LAYER && !c->op->slots[slots - 1].repeated && c->count < slots)
        c->count = slots; /* what is left out has its place */
    if (find_attribute(c->op, "affine", &affine) != NULL) c->attributes[affine] = c->count > 1 && c->inputs[1] != NULL;
    if (c->op->follow == NULL) return CODE_OK;
    for (size_t k = 0; c->op->slots[k].symbol != NULL; k++) {
        if (k >= c->count) c->inputs[c->count++] = NULL;
        struct array **input = &c->inputs[k];
        const char *member = c->op->slots[k].member;
        if (*input == NULL) continue;
        const struct shape flat = {.rank = 1, .dim = {(*input)->size}};
        if (member != NULL && strcmp(member, "bias") == 0 && array_reshape(e, *input, &flat, input) != CODE_OK)
            return evaluation_failed(e);
        in[k] = &(*input)->shape;
    }
    const struct op_shape shape = {.op = c->op, .attributes = c->attributes, .count = c->count, .in = in};
    if (c->op->follow(&shape, c->attributes, &error) == CODE_OK) return CODE_OK;
    return evaluation_fault(e, "%s", error.detail);
}

static int check_required(struct evaluation *e, const struct layer_call *c)
{
    for (size_t i = 0; attribute_stands(&c->op->attributes[i]); i++) {
        const struct attribute *a = &c->op->attributes[i];
        if (a->required && !a->follows && c->attributes[i] < a->least)
            return evaluation_fault(e, "%s needs %s", c->op->name, a->name);
    }
    return CODE_OK;
}

/* A loss that its op does not have: of each element, with weights, over classes in the middle. It is one of the
 * library's then, put together of other ops; NULL where the op does. */
static const struct builtin *beyond_op(const struct op *op, const struct arguments *a)
{
    static const char *const words[] = {"weight", "pos_weight", "ignore_index", "label_smoothing", NULL};
    char name[32] = "_";
    const struct thing *first = a->rest.count > 0 ? &a->rest.items[0] : NULL;
    bool classes = op->target == TARGET_CLASSES || op->target == TARGET_CLASSES_OR_SOFT;
    bool beyond = first != NULL && first->kind == THING_ARRAY && classes && first->array->shape.rank > 2;
    for (size_t i = 0; i < a->keyword_count; i++) {
        const struct thing *thing = &a->keyword_things[i];
        for (size_t w = 0; words[w] != NULL; w++)
            beyond = beyond || (strcmp(words[w], a->keywords[i]) == 0 && thing->kind != THING_NONE);
        beyond = beyond || (strcmp(a->keywords[i], "reduction") == 0 && thing->kind == THING_TEXT &&
                            strcmp(thing->text, "none") == 0);
    }
    if (op->kind != OP_LOSS || !beyond) return NULL;
    strncat(name, op->name, sizeof name - 2);
    return functions_find(name, false);
}

static int call_layer(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct layer_call c = {.op = ops_find(a->builtin->op, true)};
    if (c.op == NULL) c.op = ops_find(a->builtin->op, false);
    if (c.op == NULL) return function_fault(e, a, "is not there yet");
    const struct builtin *library = beyond_op(c.op, a);
    if (library != NULL) {
        struct arguments same = *a;
        same.builtin = library;
        return library->call(e, &same, result);
    }
    for (size_t i = 0; attribute_stands(&c.op->attributes[i]); i++)
        c.attributes[i] = c.op->attributes[i].fallback;
    if (c.op->kind == OP_LOSS) {
        c.attributes[LOSS_REDUCTION] = REDUCTION_MEAN;
        c.attributes[LOSS_SCALE] = 1;
    }
    for (size_t i = 0; i < a->rest.count; i++)
        if (take_position(e, &c, &a->rest.items[i]) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; i < a->keyword_count; i++)
        if (take_keyword(e, &c, a->keywords[i], &a->keyword_things[i]) != CODE_OK) return evaluation_failed(e);
    struct array *y = NULL;
    int code = check_required(e, &c);
    if (code == CODE_OK) code = follow_parameters(e, &c);
    if (code == CODE_OK) code = apply(e, &c, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

/* A tensor of a loss by its place, or by its name; None where it is not there. */
static struct thing tensor_of(const struct arguments *a, size_t place, const char *name)
{
    if (place < a->rest.count) return a->rest.items[place];
    for (size_t i = 0; i < a->keyword_count; i++)
        if (strcmp(a->keywords[i], name) == 0) return a->keyword_things[i];
    return (struct thing){.kind = THING_NONE};
}

/* PyTorch's losses of each element. Where shapes differ these are broadcast there, [n,1] and [n] to [n,n]: every
 * prediction is compared with every target, and nobody means that. */
static int call_torch_loss(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    const struct thing x = tensor_of(a, LOSS_PREDICTION, "input"), y = tensor_of(a, LOSS_TARGET, "target");
    bool arrays = x.kind == THING_ARRAY && y.kind == THING_ARRAY;
    if (!arrays || shape_equal(&x.array->shape, &y.array->shape) || (x.array->size == 1 && y.array->size == 1))
        return call_layer(e, a, result);
    return evaluation_fault(e,
                            "%s is given a prediction and a target of different shapes, %s and %s, which PyTorch would "
                            "broadcast: give them one shape",
                            a->builtin->name, shape_text(&x.array->shape, one), shape_text(&y.array->shape, other));
}

#define LAYER(name)                                                                                                    \
    {                                                                                                                  \
#name, "*", call_layer, #name, BOTH                                                                            \
    }

/* Not as methods. */
#define FUNCTION(name)                                                                                                 \
    {                                                                                                                  \
#name, "*", call_layer, #name, FREE                                                                            \
    }

const struct builtin layer_builtins[] = {
    LAYER(relu),
    LAYER(leaky_relu),
    LAYER(elu),
    LAYER(sigmoid),
    LAYER(tanh),
    LAYER(softplus),
    LAYER(silu),
    LAYER(gelu),
    LAYER(softmax),
    LAYER(log_softmax),
    LAYER(linear),
    LAYER(layer_norm),
    FUNCTION(conv1d),
    FUNCTION(conv2d),
    FUNCTION(conv_transpose1d),
    FUNCTION(conv_transpose2d),
    FUNCTION(max_pool1d),
    FUNCTION(max_pool2d),
    FUNCTION(avg_pool1d),
    FUNCTION(avg_pool2d),
    LAYER(mse),
    LAYER(l1),
    LAYER(smooth_l1),
    LAYER(huber),
    LAYER(bce),
    LAYER(bce_with_logits),
    LAYER(cross_entropy),
    LAYER(nll),
    LAYER(hinge),
    {"mse_loss", "*", call_torch_loss, "mse", FREE},
    {"l1_loss", "*", call_torch_loss, "l1", FREE},
    {"nll_loss", "*", call_layer, "nll", FREE},
    {"binary_cross_entropy", "*", call_torch_loss, "bce", FREE},
    {"binary_cross_entropy_with_logits", "*", call_torch_loss, "bce_with_logits", FREE},
    {"huber_loss", "*", call_torch_loss, "huber", FREE},
    {"smooth_l1_loss", "*", call_torch_loss, "smooth_l1", FREE},
    {.name = NULL},
};
