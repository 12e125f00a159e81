#include "core/pass/pass.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/backend/generic.h"

/* Pieces start at multiples of so many elements, so that vector loads are aligned. */
enum { PIECE = 8 };

/* A gradient that comes to a value from one more of its consumers: added to what is there. */
struct addition {
    const void *from;
    void *to;
    size_t n;
};

struct pass_step {
    struct op_call call;                      /* the op's own */
    const struct op_call *forward, *backward; /* what is run: that, or a joined call */
    const void **x;
    const void **joined_x; /* of a loss that is joined: the inputs of what is run in its place */
    struct addition *additions;
    size_t addition_count;
    bool counts; /* the loss depends on what the node makes */
};

/* ---- how much it is ---- */

static bool add_piece(size_t size, size_t *total)
{
    size_t n;
    if (__builtin_add_overflow(size, PIECE - 1, &n)) return false;
    return !__builtin_add_overflow(*total, n - n % PIECE, total);
}

/* The room that a node needs at most for gradients that its op cannot make where they belong, because another
 * consumer's are there already. Of a value with one consumer there are none. */
static bool most_beside(const struct graph *graph, size_t *most)
{
    *most = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        size_t n = 0;
        const struct node *node = graph->nodes[i];
        for (size_t k = 0; k < node->input_count; k++) {
            const struct value *value = node->inputs[k];
            bool several = value != NULL && value->differentiated && value->use_count > 1 && !node->op->adds;
            if (several && !add_piece(value->size, &n)) return false;
        }
        if (n > *most) *most = n;
    }
    return true;
}

bool pass_elements(const struct graph *graph, size_t *elements)
{
    size_t most;
    *elements = 0;
    for (size_t v = 0; v < graph->value_count; v++) {
        const struct value *value = graph->values[v];
        if (value->is_term) continue;
        if (!add_piece(value->size, elements)) return false;
        if (value->differentiated && !add_piece(value->size, elements)) return false;
    }
    for (size_t i = 0; i < graph->node_count; i++)
        for (size_t s = 0; s < OP_SAVED_MAX; s++)
            if (!add_piece(graph->nodes[i]->saved[s], elements)) return false;
    return most_beside(graph, &most) && !__builtin_add_overflow(*elements, most, elements);
}

/* ---- its memory ---- */

/* The next n elements of the pass's one piece of memory. */
static void *next_piece(const struct pass *pass, size_t n, size_t *used)
{
    void *piece = (char *)pass->memory + *used * pass->backend->element_size;
    *used += (n + PIECE - 1) / PIECE * PIECE;
    return piece;
}

/* Parameters first and their gradients, each a block; then the rest, a value and its gradient together. */
static void lay_out(struct pass *pass, size_t *used)
{
    const struct graph *graph = pass->graph;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->kind == VALUE_PARAMETER) pass->values[v] = next_piece(pass, graph->values[v]->size, used);
    pass->block = *used;
    pass->parameters = pass->block > 0 ? pass->memory : NULL;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->kind == VALUE_PARAMETER)
            pass->gradients[v] = next_piece(pass, graph->values[v]->size, used);
    pass->parameter_gradients =
        pass->block > 0 ? (char *)pass->memory + pass->block * pass->backend->element_size : NULL;
    for (size_t v = 0; v < graph->value_count; v++) {
        const struct value *value = graph->values[v];
        if (value->kind == VALUE_PARAMETER || value->is_term) continue;
        pass->values[v] = next_piece(pass, value->size, used);
        if (value->differentiated) pass->gradients[v] = next_piece(pass, value->size, used);
    }
}

bool pass_counts(const struct pass *pass, const struct node *node)
{
    return pass->steps[node->index].counts;
}

/* Whether the loss depends on a value, by more than which element a program takes. */
static bool value_counts(const struct pass *pass, const struct value *value)
{
    bool counts = value->is_term;
    for (size_t u = 0; !counts && u < value->use_count; u++) {
        const struct use *use = &value->uses[u];
        counts = pass_counts(pass, use->node) && op_differentiates(use->node->op, use->input);
    }
    return counts;
}

/* What the loss does not depend on has a gradient of zero, and no node writes it. */
static int clear_unused(const struct pass *pass)
{
    for (size_t v = 0; v < pass->graph->value_count; v++) {
        const struct value *value = pass->graph->values[v];
        if (pass->gradients[v] == NULL || value_counts(pass, value)) continue;
        int code = backend_fill(pass->backend, value->size, 0, pass->gradients[v]);
        if (code != CODE_OK) return code;
    }
    return CODE_OK;
}

/* ---- the calls of the ops, made once ---- */

/* A step's lists: shapes, x, dx, add, by input; and saved. */
static bool take_lists(struct arena *arena, const struct node *node, struct pass_step *step)
{
    size_t n = node->input_count;
    _Static_assert(sizeof(double) == sizeof(void *), "numbers and pointers share a list");
    void **lists = arena_zeroed(arena, 4 * n + OP_SAVED_MAX, sizeof *lists);
    if (lists == NULL) return false;
    step->x = (const void **)lists;
    step->call.x = step->x;
    step->call.in = (const struct shape *const *)(lists + n);
    step->call.dx = lists + 2 * n;
    step->call.saved = lists + 3 * n;
    step->call.add = (const double *)(lists + 3 * n + OP_SAVED_MAX); /* zeros */
    return true;
}

/* The lists are this file's own; a call only reads them. */
#define OWN(type, list) ((type *)(list))

static bool make_step(struct arena *arena, struct pass *pass, const struct node *node, size_t *used)
{
    struct pass_step *step = &pass->steps[node->index];
    *step = (struct pass_step){.call = {.op = node->op}};
    if (!take_lists(arena, node, step)) return false;
    for (size_t k = 0; k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        if (value == NULL) continue;
        step->x[k] = pass->values[value->index];
        OWN(const struct shape *, step->call.in)[k] = &value->shape;
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if (node->saved[s] > 0) OWN(void *, step->call.saved)[s] = next_piece(pass, node->saved[s], used);
    step->call.backend = pass->backend;
    step->call.attributes = node->attributes;
    step->call.count = node->input_count;
    step->call.out = &node->output->shape;
    step->call.y = pass->values[node->output->index];
    step->call.dy = pass->gradients[node->output->index];
    if (node->output->is_term) step->call.scalar = &pass->terms[node->output->term];
    step->forward = step->backward = &step->call;
    return true;
}

/* Where what a node sends back goes: where it belongs, if it is the first that comes there; else on top of that. A node
 * that the loss does not depend on sends nothing: not even a zero, which times an infinity would be no number. */
static bool route(struct arena *arena, struct pass *pass, const struct node *node, bool *written, void *room)
{
    struct pass_step *step = &pass->steps[node->index];
    step->addition_count = 0;
    step->counts = value_counts(pass, node->output);
    for (size_t k = 0; step->counts && k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        void **dx = &OWN(void *, step->call.dx)[k];
        *dx = value != NULL && op_differentiates(node->op, k) ? pass->gradients[value->index] : NULL;
        if (*dx == NULL) continue;
        bool more = written[value->index];
        written[value->index] = true;
        OWN(double, step->call.add)[k] = more ? 1 : 0;
        if (!more || node->op->adds) continue;
        if (step->additions == NULL) step->additions = arena_array(arena, node->input_count, sizeof *step->additions);
        if (step->additions == NULL) return false;
        step->additions[step->addition_count++] = (struct addition){.from = room, .to = *dx, .n = value->size};
        *dx = room;
        room = (char *)room + (value->size + PIECE - 1) / PIECE * PIECE * pass->backend->element_size;
    }
    return true;
}

/* Where a loss is joined with the op that makes its prediction: what is run instead, forward in place of the loss,
 * backward in place of that op. The loss's own backward goes on filling in the gradient between the two. */
static bool join(struct arena *arena, struct pass *pass, const struct node *loss)
{
    const struct op_join *how = loss->op->join != NULL ? loss->op->join(loss->attributes) : NULL;
    const struct value *prediction = loss->op->kind == OP_LOSS ? loss->inputs[LOSS_PREDICTION] : NULL;
    const struct node *before = prediction != NULL ? prediction->made_by : NULL;
    if (how == NULL || before == NULL || before->op != how->before || prediction->use_count != 1) return true;
    struct pass_step *step = &pass->steps[loss->index], *step_before = &pass->steps[before->index];
    struct op_call *joined = arena_alloc(arena, sizeof *joined);
    double *attributes = arena_array(arena, OP_ATTRIBUTES_MAX, sizeof *attributes);
    void **lists = arena_zeroed(arena, 6, sizeof *lists);
    if (joined == NULL || attributes == NULL || lists == NULL) return false;
    memcpy(attributes, how->attributes, sizeof how->attributes);
    attributes[LOSS_REDUCTION] = loss->attributes[LOSS_REDUCTION];
    attributes[LOSS_SCALE] = loss->attributes[LOSS_SCALE];
    step->joined_x = (const void **)lists;
    step->joined_x[LOSS_PREDICTION] = step_before->call.x[0];
    step->joined_x[LOSS_TARGET] = step->call.x[LOSS_TARGET];
    const struct shape **in = (const struct shape **)(lists + 2);
    in[LOSS_PREDICTION] = step_before->call.in[0];
    in[LOSS_TARGET] = step->call.in[LOSS_TARGET];
    lists[4 + LOSS_PREDICTION] = step_before->call.dx[0];
    *joined = step->call;
    joined->op = how->instead;
    joined->attributes = attributes;
    joined->x = step->joined_x;
    joined->in = in;
    joined->dx = lists + 4;
    step->forward = step_before->backward = joined;
    return true;
}

static bool make_calls(struct arena *arena, struct pass *pass, size_t used)
{
    const struct graph *graph = pass->graph;
    bool *written = arena_zeroed(arena, graph->value_count, sizeof *written);
    if (written == NULL) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        if (!make_step(arena, pass, graph->nodes[i], &used)) return false;
    void *room = next_piece(pass, 0, &used);
    for (size_t i = graph->node_count; i-- > 0;)
        if (!route(arena, pass, graph->nodes[i], written, room)) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        if (!join(arena, pass, graph->nodes[i])) return false;
    return true;
}

/* ---- a pass ---- */

int pass_new(struct arena *arena, const struct graph *graph, const struct backend *backend, struct pass *pass,
             struct error *error)
{
    *pass = (struct pass){.graph = graph, .backend = backend};
    size_t elements, used = 0;
    pass->values = arena_zeroed(arena, 2 * graph->value_count, sizeof *pass->values);
    pass->steps = arena_array(arena, graph->node_count, sizeof *pass->steps);
    pass->terms = arena_doubles(arena, graph->term_count);
    int code = CODE_OUT_OF_MEMORY;
    if (pass->values != NULL && pass->steps != NULL && pass->terms != NULL && pass_elements(graph, &elements))
        code = backend->allocate(arena, elements, &pass->memory);
    if (code == CODE_OK) {
        pass->gradients = pass->values + graph->value_count;
        lay_out(pass, &used);
        code = make_calls(arena, pass, used) ? clear_unused(pass) : CODE_OUT_OF_MEMORY;
    }
    if (code == CODE_OUT_OF_MEMORY) return error_set(error, code, "the network and its data do not fit into memory");
    return backend_error(backend, code, error);
}

void pass_free(struct pass *pass)
{
    if (pass->memory != NULL) pass->backend->release(pass->memory);
    pass->memory = NULL;
}

void pass_place(struct pass *pass, const struct value *value, void *memory)
{
    pass->values[value->index] = memory;
    for (size_t u = 0; u < value->use_count; u++) {
        const struct node *node = value->uses[u].node;
        pass->steps[node->index].x[value->uses[u].input] = memory;
    }
    /* Joined calls hold what goes into two nodes. */
    for (size_t u = 0; u < value->use_count; u++) {
        const struct node *node = value->uses[u].node;
        struct pass_step *step = &pass->steps[node->index];
        if (step->joined_x != NULL && value->uses[u].input == LOSS_TARGET) step->joined_x[LOSS_TARGET] = memory;
        for (size_t l = 0; step->backward != &step->call && l < node->output->use_count; l++)
            pass->steps[node->output->uses[l].node->index].joined_x[LOSS_PREDICTION] = step->call.x[0];
    }
}

/* Lets a value's gradient go elsewhere. */
static void move_gradient(struct pass *pass, const struct value *value, void *memory)
{
    void *old = pass->gradients[value->index];
    pass->gradients[value->index] = memory;
    for (size_t u = 0; u < value->use_count; u++) {
        struct pass_step *step = &pass->steps[value->uses[u].node->index];
        void **dx = &OWN(void *, step->call.dx)[value->uses[u].input];
        if (*dx == old) *dx = memory;
        for (size_t a = 0; a < step->addition_count; a++)
            if (step->additions[a].to == old) step->additions[a].to = memory;
    }
}

void pass_share(struct pass *pass, const struct pass *with)
{
    pass->parameters = with->parameters;
    pass->parameter_gradients = with->parameter_gradients;
    size_t theirs = 0;
    for (size_t v = 0; v < pass->graph->value_count; v++) {
        const struct value *value = pass->graph->values[v];
        if (value->kind != VALUE_PARAMETER) continue;
        while (with->graph->values[theirs]->kind != VALUE_PARAMETER)
            theirs++;
        pass_place(pass, value, with->values[theirs]);
        move_gradient(pass, value, with->gradients[theirs++]);
    }
}

bool pass_is_joined(const struct pass *pass)
{
    for (size_t i = 0; i < pass->graph->node_count; i++)
        if (pass->steps[i].joined_x != NULL) return true;
    return false;
}

void pass_take_apart(struct pass *pass)
{
    for (size_t i = 0; i < pass->graph->node_count; i++)
        pass->steps[i].forward = pass->steps[i].backward = &pass->steps[i].call;
}

int pass_set(struct pass *pass, const struct value *value, const double *host, struct error *error)
{
    return backend_error(pass->backend, pass->backend->upload(value->size, host, pass->values[value->index]), error);
}

int pass_read(const struct pass *pass, const struct value *value, double *host, struct error *error)
{
    return backend_error(pass->backend, pass->backend->download(value->size, pass->values[value->index], host), error);
}

int pass_read_gradient(const struct pass *pass, const struct value *value, double *host, struct error *error)
{
    return backend_error(pass->backend, pass->backend->download(value->size, pass->gradients[value->index], host),
                         error);
}

const struct op_call *pass_call(const struct pass *pass, const struct node *node)
{
    return &pass->steps[node->index].call;
}

const struct op_call *pass_backward_call(const struct pass *pass, const struct node *node)
{
    return pass->steps[node->index].backward;
}

/* ---- forward and backward ---- */

static bool is_cancelled(const struct pass *pass)
{
    return pass->cancelled != NULL && atomic_load_explicit(pass->cancelled, memory_order_relaxed);
}

static int cancelled_error(struct error *error)
{
    return error_set(error, CODE_CANCELLED, "the work was cancelled");
}

/* One element of a value, into host memory. */
static int read_element(const struct pass *pass, const struct value *value, size_t at, double *host)
{
    const char *memory = pass->values[value->index];
    return pass->backend->download(1, memory + at * pass->backend->element_size, host);
}

/* What grew too large overflows; but 0/0, or an infinity less another, is no number. */
static const char *how_not_finite(double number)
{
    return isnan(number) ? "is not finite in" : "overflows";
}

/* Names the first node whose output is not finite: that is where it happened. */
static int explain_not_finite(const struct pass *pass, struct error *error)
{
    double limit = pass->backend->dtype == DTYPE_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    for (size_t i = 0; i < pass->graph->node_count; i++) {
        const struct node *node = pass->graph->nodes[i];
        size_t n = node->output->size, at = n;
        double number = 0;
        if (node->place.kind != PLACE_LAYER) continue;
        int code = pass->backend->first_outside(n, pass->values[node->output->index], -limit, limit, &at);
        if (code == CODE_OK && at < n) code = read_element(pass, node->output, at, &number);
        if (code != CODE_OK) return backend_error(pass->backend, code, error);
        if (at < n) {
            error_set(error, CODE_NOT_FINITE, "with these parameters the output of layer %zu (%s) %s %s",
                      node->place.layer, node->op->name, how_not_finite(number), dtype_names[pass->backend->dtype]);
            return error_at(error, "parameters");
        }
    }
    error_set(error, CODE_NOT_FINITE, "with these parameters the loss %s %s", how_not_finite(pass->loss),
              dtype_names[pass->backend->dtype]);
    return error_at(error, "parameters");
}

/* Before a loss on probabilities. */
static int check_probabilities(const struct pass *pass, const struct node *loss, struct error *error)
{
    if (loss->op->on_probabilities == NULL || !loss->op->on_probabilities(loss->attributes)) return CODE_OK;
    const struct value *prediction = loss->inputs[LOSS_PREDICTION];
    size_t n = prediction->size, at = n;
    int code = pass->backend->first_outside(n, pass->values[prediction->index], 0, 1, &at);
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    if (at == n) return CODE_OK;
    double value = 0;
    code = read_element(pass, prediction, at, &value);
    if (code != CODE_OK) return backend_error(pass->backend, code, error);
    if (!isfinite(value)) return explain_not_finite(pass, error);
    error_set(error, CODE_OUT_OF_RANGE, "%s takes probabilities, but the network's output %.6g is not within [0,1]%s",
              loss->op->name, value,
              loss->op->target == TARGET_LIKE_OUTPUT ? "; put a sigmoid before it or use bce_with_logits" : "");
    error_at(error, "loss");
    return error_at(error, "network");
}

static int run_forward(struct pass *pass, bool with_terms, struct error *error)
{
    for (size_t i = 0; i < pass->graph->node_count; i++) {
        const struct node *node = pass->graph->nodes[i];
        const struct op_call *call = pass->steps[i].forward;
        if (is_cancelled(pass)) return cancelled_error(error);
        if (node->output->is_term && !with_terms) continue;
        if (node->output->is_term && check_probabilities(pass, node, error) != CODE_OK) return error->code;
        int code = call->op->forward(call);
        if (code == CODE_OUT_OF_RANGE && call->op->explain != NULL) return call->op->explain(call, error);
        if (code != CODE_OK) return backend_error(pass->backend, code, error);
    }
    return CODE_OK;
}

int pass_outputs(struct pass *pass, struct error *error)
{
    return run_forward(pass, false, error);
}

int pass_forward(struct pass *pass, struct error *error)
{
    int code = run_forward(pass, true, error);
    if (code != CODE_OK) return code;
    pass->loss = 0;
    for (size_t t = 0; t < pass->graph->term_count; t++)
        pass->loss += pass->terms[t];
    return isfinite(pass->loss) ? CODE_OK : explain_not_finite(pass, error);
}

int pass_backward(struct pass *pass, struct error *error)
{
    int code = CODE_OK;
    for (size_t i = pass->graph->node_count; code == CODE_OK && i-- > 0;) {
        const struct pass_step *step = &pass->steps[i];
        if (is_cancelled(pass)) return cancelled_error(error);
        if (!step->counts) continue;
        code = step->backward->op->backward(step->backward);
        for (size_t a = 0; code == CODE_OK && a < step->addition_count; a++)
            code = pass->backend->axpby(step->additions[a].n, 1, step->additions[a].from, 1, step->additions[a].to);
    }
    return backend_error(pass->backend, code, error);
}
