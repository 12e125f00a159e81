#include "core/ops/rows.h"

enum { OUT_FEATURES, IN_FEATURES, BIAS };

static int plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error)
{
    if (in->rank == 0) return error_set(error, CODE_SHAPE_MISMATCH, "linear needs an input of at least one axis");
    size_t width = in->dim[in->rank - 1];
    size_t out = (size_t)attributes[OUT_FEATURES];
    if (attributes[IN_FEATURES] > 0 && (size_t)attributes[IN_FEATURES] != width) {
        error_set(error, CODE_SHAPE_MISMATCH, "in_features is %zu, but the layer's input has %zu",
                  (size_t)attributes[IN_FEATURES], width);
        return error_at(error, "in_features");
    }
    plan->out = *in;
    plan->out.dim[in->rank - 1] = out;
    plan->has[0] = true;
    plan->parameters[0] = shape_of(2, (size_t[]){width, out});
    plan->has[1] = attributes[BIAS] > 0;
    plan->parameters[1] = shape_of(1, (size_t[]){out});
    /* Three products of 2 * rows * in * out operations: z, dW, dx. */
    plan->work = 6.0 * (double)op_elements(in) * (double)out;
    return CODE_OK;
}

/* z = x @ W + b */
static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    size_t out = (size_t)call->attributes[OUT_FEATURES];
    int code =
        call->backend->gemm(false, false, rows.count, out, rows.width, 1, call->x, call->parameters[0], 0, call->y);
    if (code == CODE_OK && call->parameters[1] != NULL)
        code = call->backend->add_row(rows.count, out, call->parameters[1], call->y);
    return code;
}

/* dW = x.T @ dz, db = dz.sum(0), dx = dz @ W.T */
static int backward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    size_t out = (size_t)call->attributes[OUT_FEATURES];
    int code =
        call->backend->gemm(true, false, rows.width, out, rows.count, 1, call->x, call->dy, 0, call->gradients[0]);
    if (code == CODE_OK && call->gradients[1] != NULL)
        code = call->backend->sum_rows(rows.count, out, call->dy, call->gradients[1]);
    if (code == CODE_OK && call->dx != NULL)
        code = call->backend->gemm(false, true, rows.count, rows.width, out, 1, call->dy, call->parameters[0], 0,
                                   call->dx);
    return code;
}

const struct op op_linear = {
    .name = "linear",
    .summary = "x @ W + b, over the last axis",
    .kind = OP_LAYER,
    .attributes = {{.name = "out_features", .kind = ATTRIBUTE_SIZE, .required = true},
                   {.name = "in_features", .kind = ATTRIBUTE_SIZE},
                   {.name = "bias", .kind = ATTRIBUTE_FLAG, .fallback = 1}},
    .parameters = {{.symbol = "W", .member = "weight", .weight = true}, {.symbol = "b", .member = "bias"}},
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
