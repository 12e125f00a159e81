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

/* ---- any ranks ---- */

/* The length of a tensor's axis in a shape of that rank, aligned at the last axes: 1 where it has no such axis. */
static size_t aligned(const struct shape *in, size_t rank, size_t axis)
{
    return axis + in->rank >= rank ? in->dim[axis + in->rank - rank] : 1;
}

int broadcast_aligned_plan(const struct op_shape *shape, double work, struct op_plan *plan, struct error *error)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    struct shape *out = &plan->out;
    size_t size;
    out->rank = 0;
    for (size_t k = 0; k < shape->count; k++)
        if (shape->in[k]->rank > out->rank) out->rank = shape->in[k]->rank;
    for (size_t axis = 0; axis < out->rank; axis++) {
        out->dim[axis] = 1;
        for (size_t k = 0; k < shape->count; k++) {
            size_t dim = aligned(shape->in[k], out->rank, axis);
            if (out->dim[axis] == 1) out->dim[axis] = dim;
            if (dim == 1 || dim == out->dim[axis]) continue;
            size_t other = 0;
            while (aligned(shape->in[other], out->rank, axis) != out->dim[axis])
                other++;
            error_set(
                error, CODE_SHAPE_MISMATCH,
                "%s takes inputs of one shape, or of shapes that can be repeated to one, but these have %s and %s",
                shape->op->name, shape_text(shape->in[other], a), shape_text(shape->in[k], b));
            error_at_index(error, k);
            return error_at(error, "inputs");
        }
    }
    if (!shape_size(out, &size)) return error_set(error, CODE_OUT_OF_RANGE, "the output is too large");
    plan->work = work * (double)size;
    return CODE_OK;
}

/* Whether two neighbouring axes are one in all of the tensors: what is repeated along both, or goes on along the first
 * where it ends along the second. */
static bool is_one_axis(const struct broadcast *s, size_t dim, const size_t *step)
{
    for (size_t k = 0; k < BROADCAST_TENSORS; k++)
        if (s->stride[k][s->rank - 1] != step[k] * dim) return false;
    return true;
}

void broadcast_of(const struct op_call *call, size_t count, const size_t *inputs, struct broadcast *s)
{
    size_t rank = call->out->rank, step[BROADCAST_TENSORS] = {0};
    const struct shape *in[BROADCAST_TENSORS] = {NULL};
    s->rank = 0;
    for (size_t k = 0; k < count; k++) {
        in[k] = call->in[inputs[k]];
        step[k] = op_elements(in[k]);
    }
    for (size_t axis = 0; axis < rank; axis++) {
        size_t dim = call->out->dim[axis], stride[BROADCAST_TENSORS] = {0};
        if (dim == 1) continue;
        for (size_t k = 0; k < count; k++) {
            size_t own = aligned(in[k], rank, axis);
            step[k] /= own;
            stride[k] = own == 1 ? 0 : step[k];
        }
        bool more = s->rank > 0 && is_one_axis(s, dim, stride);
        size_t at = more ? s->rank - 1 : s->rank++;
        s->dim[at] = more ? s->dim[at] * dim : dim;
        for (size_t k = 0; k < BROADCAST_TENSORS; k++)
            s->stride[k][at] = stride[k];
    }
    if (s->rank > 0) return;
    s->rank = s->dim[0] = 1; /* a single element */
    for (size_t k = 0; k < BROADCAST_TENSORS; k++)
        s->stride[k][0] = k < count;
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
