#include "core/pass/pass.h"

#include <float.h>
#include <math.h>

/* Pieces start at multiples of so many elements, so that vector loads are aligned. */
enum { PIECE = 8 };

static bool add_piece(size_t count, size_t size, size_t *total)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n) || __builtin_add_overflow(n, PIECE - 1, &n)) return false;
    return !__builtin_add_overflow(*total, n - n % PIECE, total);
}

bool pass_elements(const struct network *network, size_t batch, size_t *elements)
{
    *elements = 0;
    bool fits = add_piece(batch, network->input_size, elements) &&
                add_piece(batch, network_output(network)->out_size, elements);
    for (size_t i = 0; fits && i < network->node_count; i++)
        fits = add_piece(batch, network->nodes[i].out_size, elements) &&
               add_piece(batch, network->nodes[i].out_size, elements);
    for (size_t i = 0; fits && i < network->parameter_count; i++)
        fits = add_piece(1, network->parameters[i].size, elements) && /* and its gradient */
               add_piece(1, network->parameters[i].size, elements);
    return fits;
}

/* The next n elements of the pass's one piece of memory. */
static void *next_piece(const struct pass *pass, size_t n, size_t *used)
{
    void *piece = (char *)pass->memory + *used * pass->backend->element_size;
    *used += (n + PIECE - 1) / PIECE * PIECE;
    return piece;
}

/* ---- the calls of the ops, made once ---- */

/* The parameters of one node and their gradients, for its op. */
struct pass_tensors {
    void *parameters[OP_PARAMETERS_MAX], *gradients[OP_PARAMETERS_MAX];
};

static struct op_call call_of(const struct pass *pass, size_t i)
{
    const struct node *node = &pass->network->nodes[i];
    struct pass_tensors *tensors = &pass->tensors[i];
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++) {
        size_t p = node->parameters[r];
        tensors->parameters[r] = p != PARAMETER_NONE ? pass->parameters[p] : NULL;
        tensors->gradients[r] = p != PARAMETER_NONE ? pass->gradients[p] : NULL;
    }
    bool first = node->input == NODE_INPUT;
    return (struct op_call){
        .op = node->layer->op,
        .backend = pass->backend,
        .attributes = node->layer->attributes,
        .batch = pass->batch,
        .in = &node->in,
        .out = &node->out,
        .parameters = tensors->parameters,
        .gradients = tensors->gradients,
        .x = first ? pass->x : pass->y[node->input],
        .y = pass->y[i],
        .dy = pass->dy[i],
        .dx = first ? NULL : pass->dy[node->input],
    };
}

static struct op_call loss_call_of(const struct pass *pass)
{
    const struct network *network = pass->network;
    const struct node *output = network_output(network);
    const struct layer *layer = &network->definition->loss;
    return (struct op_call){
        .op = layer->op,
        .backend = pass->backend,
        .attributes = layer->attributes,
        .batch = pass->batch,
        .in = &output->out,
        .x = pass->y[network->node_count - 1],
        .dx = pass->dy[network->node_count - 1],
        .target = pass->target,
        .scale = network_scale(network, pass->batch),
    };
}

static void prepare_calls(struct pass *pass)
{
    const struct network *network = pass->network;
    for (size_t i = 0; i < network->node_count; i++)
        pass->calls[i] = call_of(pass, i);
    pass->calls[network->node_count] = loss_call_of(pass);
    pass->joined = network_joins(network);
}

void pass_share(struct pass *pass, const struct pass *with)
{
    for (size_t p = 0; p < pass->network->parameter_count; p++) {
        pass->parameters[p] = with->parameters[p];
        pass->gradients[p] = with->gradients[p];
    }
    prepare_calls(pass);
}

void pass_use_data(struct pass *pass, void *x, void *target)
{
    pass->x = x;
    pass->target = target;
    pass->calls[pass->network->node_count].target = target;
    for (size_t i = 0; i < pass->network->node_count; i++)
        if (pass->network->nodes[i].input == NODE_INPUT) pass->calls[i].x = x;
}

/* ---- a pass ---- */

int pass_new(struct arena *arena, const struct network *network, const struct backend *backend, size_t batch,
             struct pass *pass, struct error *error)
{
    *pass = (struct pass){.network = network, .backend = backend, .batch = batch};
    size_t elements;
    void **lists = arena_array(arena, 2 * (network->node_count + network->parameter_count), sizeof *lists);
    pass->calls = arena_array(arena, network->node_count + 1, sizeof *pass->calls);
    pass->tensors = arena_array(arena, network->node_count, sizeof *pass->tensors);
    int code = CODE_OUT_OF_MEMORY;
    if (lists != NULL && pass->calls != NULL && pass->tensors != NULL && pass_elements(network, batch, &elements))
        code = backend->allocate(arena, elements, &pass->memory);
    if (code == CODE_OUT_OF_MEMORY) return error_set(error, code, "the network and its data do not fit into memory");
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    pass->y = lists;
    pass->dy = pass->y + network->node_count;
    pass->parameters = pass->dy + network->node_count;
    pass->gradients = pass->parameters + network->parameter_count;

    size_t used = 0;
    pass->x = next_piece(pass, batch * network->input_size, &used);
    pass->target = next_piece(pass, batch * network_output(network)->out_size, &used);
    for (size_t i = 0; i < network->node_count; i++) {
        pass->y[i] = next_piece(pass, batch * network->nodes[i].out_size, &used);
        pass->dy[i] = next_piece(pass, batch * network->nodes[i].out_size, &used);
    }
    size_t before = used;
    for (size_t i = 0; i < network->parameter_count; i++)
        pass->parameters[i] = next_piece(pass, network->parameters[i].size, &used);
    pass->block = used - before;
    for (size_t i = 0; i < network->parameter_count; i++)
        pass->gradients[i] = next_piece(pass, network->parameters[i].size, &used);
    prepare_calls(pass);
    return CODE_OK;
}

void pass_free(struct pass *pass)
{
    if (pass->memory != NULL) pass->backend->release(pass->memory);
    pass->memory = NULL;
}

int pass_set_parameter(struct pass *pass, size_t parameter, const double *host, struct error *error)
{
    size_t n = pass->network->parameters[parameter].size;
    return backend_error(pass->backend, pass->backend->upload(n, host, pass->parameters[parameter]), error);
}

int pass_set_data(struct pass *pass, const double *x, const double *target, struct error *error)
{
    const struct network *network = pass->network;
    int code = pass->backend->upload(pass->batch * network->input_size, x, pass->x);
    if (code == CODE_OK)
        code = pass->backend->upload(pass->batch * network_output(network)->out_size, target, pass->target);
    return backend_error(pass->backend, code, error);
}

int pass_read(const struct pass *pass, const void *from, size_t n, double *host, struct error *error)
{
    return backend_error(pass->backend, pass->backend->download(n, from, host), error);
}

static bool is_cancelled(const struct pass *pass)
{
    return pass->cancelled != NULL && atomic_load_explicit(pass->cancelled, memory_order_relaxed);
}

static int cancelled_error(struct error *error)
{
    return error_set(error, CODE_CANCELLED, "the work was cancelled");
}

/* Names the first node whose output is not finite: that is where the arithmetic overflowed. */
static int explain_not_finite(const struct pass *pass, struct error *error)
{
    double limit = pass->backend->dtype == DTYPE_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    for (size_t i = 0; i < pass->network->node_count; i++) {
        const struct node *node = &pass->network->nodes[i];
        size_t n = pass->batch * node->out_size, at = n;
        int code = pass->backend->first_outside(n, pass->y[i], -limit, limit, &at);
        if (code != CODE_OK) return backend_error(pass->backend, code, error);
        if (at < n) {
            error_set(error, CODE_NOT_FINITE, "with these parameters the output of layer %zu (%s) overflows %s", i,
                      node->layer->op->name, dtype_names[pass->backend->dtype]);
            return error_at(error, "parameters");
        }
    }
    error_set(error, CODE_NOT_FINITE, "with these parameters the loss overflows %s", dtype_names[pass->backend->dtype]);
    return error_at(error, "parameters");
}

static int check_probabilities(const struct pass *pass, struct error *error)
{
    const struct layer *loss = &pass->network->definition->loss;
    if (loss->op->on_probabilities == NULL || !loss->op->on_probabilities(loss->attributes)) return CODE_OK;
    size_t last = pass->network->node_count - 1;
    size_t n = pass->batch * pass->network->nodes[last].out_size, at = n;
    int code = pass->backend->first_outside(n, pass->y[last], 0, 1, &at);
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    if (at == n) return CODE_OK;
    double value = 0;
    code = pass->backend->download(1, (char *)pass->y[last] + at * pass->backend->element_size, &value);
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    if (!isfinite(value)) return explain_not_finite(pass, error);
    error_set(error, CODE_OUT_OF_RANGE, "%s takes probabilities, but the network's output %.6g is not within [0,1]%s",
              loss->op->name, value,
              loss->op->target == TARGET_LIKE_OUTPUT ? "; put a sigmoid before it or use bce_with_logits" : "");
    error_at(error, "loss");
    return error_at(error, "network");
}

/* l2/2 * sum(W**2) over the weights. */
static int add_l2(struct pass *pass)
{
    double l2 = pass->network->definition->l2;
    pass->loss = pass->data_loss;
    for (size_t p = 0; l2 > 0 && p < pass->network->parameter_count; p++) {
        if (!pass->network->parameters[p].role->weight) continue;
        double squares = 0;
        int code =
            pass->backend->dot(pass->network->parameters[p].size, pass->parameters[p], pass->parameters[p], &squares);
        if (code != CODE_OK) return code;
        pass->loss += l2 / 2 * squares;
    }
    return CODE_OK;
}

int pass_outputs(struct pass *pass, struct error *error)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < pass->network->node_count; i++) {
        if (is_cancelled(pass)) return cancelled_error(error);
        code = pass->calls[i].op->forward(&pass->calls[i]);
    }
    return backend_error(pass->backend, code, error);
}

int pass_forward(struct pass *pass, struct error *error)
{
    const size_t count = pass->network->node_count;
    int code = pass_outputs(pass, error);
    if (code != CODE_OK) return code;
    if (check_probabilities(pass, error) != CODE_OK) return error->code;
    struct op_call *loss = &pass->calls[count];
    loss->loss = &pass->data_loss; /* here, since a pass may be copied */
    code = pass->joined ? loss->op->forward_joined(loss, &pass->calls[count - 1]) : loss->op->forward(loss);
    if (code == CODE_OK) code = add_l2(pass);
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    return isfinite(pass->loss) ? CODE_OK : explain_not_finite(pass, error);
}

int pass_backward(struct pass *pass, struct error *error)
{
    size_t i = pass->network->node_count;
    const struct op_call *loss = &pass->calls[i];
    int code = loss->op->backward(loss);
    if (code == CODE_OK && pass->joined) {
        i--;
        code = loss->op->backward_joined(loss, &pass->calls[i]);
    }
    while (code == CODE_OK && i-- > 0) {
        if (is_cancelled(pass)) return cancelled_error(error);
        code = pass->calls[i].op->backward(&pass->calls[i]);
    }
    double l2 = pass->network->definition->l2;
    for (size_t p = 0; code == CODE_OK && l2 > 0 && p < pass->network->parameter_count; p++)
        if (pass->network->parameters[p].role->weight)
            code =
                pass->backend->axpby(pass->network->parameters[p].size, l2, pass->parameters[p], 1, pass->gradients[p]);
    return backend_error(pass->backend, code, error);
}
