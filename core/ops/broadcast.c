#include "core/ops/broadcast.h"

const struct slot broadcast_slots[] = {
    {.symbol = "a", .role = SLOT_INPUT}, {.symbol = "b", .role = SLOT_INPUT, .repeated = true}, {.symbol = NULL}};

static int shape_error(const struct op_shape *shape, size_t input, struct error *error)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    error_set(error, CODE_SHAPE_MISMATCH,
              "%s takes inputs of one shape, or with axes of length 1 to be repeated, but these have %s and %s (batch "
              "first)",
              shape->op->name, shape_text(shape->in[0], a), shape_text(shape->in[input], b));
    error_at_index(error, input);
    return error_at(error, "inputs");
}

int broadcast_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    plan->out = *shape->in[0];
    for (size_t k = 1; k < shape->count; k++) {
        const struct shape *in = shape->in[k];
        if (in->rank != plan->out.rank) return shape_error(shape, k, error);
        for (size_t axis = 0; axis < in->rank; axis++) {
            size_t *dim = &plan->out.dim[axis];
            if (in->dim[axis] != *dim && in->dim[axis] != 1 && *dim != 1) return shape_error(shape, k, error);
            if (*dim == 1) *dim = in->dim[axis];
        }
    }
    size_t size;
    bool repeated = false;
    if (!shape_size(&plan->out, &size)) return error_set(error, CODE_OUT_OF_RANGE, "the output is too large");
    for (size_t k = 0; k < shape->count; k++)
        repeated = repeated || !shape_equal(shape->in[k], &plan->out);
    plan->saved[BROADCAST_ROOM] = plan->saved[BROADCAST_GRADIENT] = repeated ? size : 0;
    plan->work = 4.0 * (double)shape->count * (double)size;
    return CODE_OK;
}

bool broadcast_needed(const struct op_call *call, size_t input)
{
    return !shape_equal(call->in[input], call->out);
}

/* How an input lies in the output. */
static struct spread spread_of(const struct op_call *call, size_t input)
{
    const struct shape *in = call->in[input];
    struct spread spread = {.rank = in->rank};
    size_t stride = 1;
    for (size_t axis = in->rank; axis-- > 0;) {
        spread.dim[axis] = call->out->dim[axis];
        spread.stride[axis] = in->dim[axis] == 1 ? 0 : stride;
        stride *= in->dim[axis];
    }
    return spread;
}

int broadcast_input(const struct op_call *call, size_t input, const void **x)
{
    *x = call->x[input];
    if (!broadcast_needed(call, input)) return CODE_OK;
    struct spread spread = spread_of(call, input);
    *x = call->saved[BROADCAST_ROOM];
    return call->backend->spread(&spread, call->x[input], call->saved[BROADCAST_ROOM]);
}

void *broadcast_place(const struct op_call *call, size_t input)
{
    return broadcast_needed(call, input) ? call->saved[BROADCAST_GRADIENT] : call->dx[input];
}

int broadcast_home(const struct op_call *call, size_t input)
{
    if (!broadcast_needed(call, input)) return CODE_OK;
    struct spread spread = spread_of(call, input);
    return call->backend->sum_spread(&spread, call->saved[BROADCAST_GRADIENT], call->dx[input]);
}

/* ---- wrong ways ---- */

bool broadcast_make(const struct step_call *step, struct alternative *made,
                    void (*fill)(const struct step_call *step, const struct alternative *made, double *dx))
{
    const struct op_call *call = step->call;
    bool repeated = broadcast_needed(call, step->input);
    double *whole = repeated ? call->saved[BROADCAST_GRADIENT] : made->value;
    fill(step, made, whole);
    if (!repeated) return true;
    struct spread spread = spread_of(call, step->input);
    return call->backend->sum_spread(&spread, whole, made->value) == CODE_OK;
}

/* The right one, divided by how often the input is repeated. */
static bool averaged(const struct step_call *step, struct alternative *made)
{
    struct op_call call = *step->call;
    void *dx[OP_INPUTS_MAX] = {NULL};
    if (!broadcast_needed(&call, step->input) || call.count > OP_INPUTS_MAX) return false;
    dx[step->input] = made->value;
    call.dy = step->dy;
    call.dx = dx;
    if (call.op->backward(&call) != CODE_OK) return false;
    size_t n = op_elements(call.in[step->input]);
    double times = (double)op_elements(call.out) / (double)n;
    for (size_t i = 0; i < n; i++)
        made->value[i] /= times;
    return true;
}

const struct mistake mistake_broadcast_averaged = {
    .id = "broadcast_averaged",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "the gradient of a value that was broadcast is averaged instead of summed",
    .message = "An input of layer {layer} was repeated to fit the others. What comes back was averaged over these"
               " repetitions; it has to be summed.",
    .hint = "Every repetition has its own share in the loss, and the shares add up.",
    .wrong = "db = dy.mean(axis=0)",
    .right = "db = dy.sum(axis=0)",
    .alternative = averaged,
};
