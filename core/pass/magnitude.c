#include "core/pass/magnitude.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/ops/elementwise.h"

/* What rounding makes of a pass is found out by passes in which all is rounded by much more, up or down at random: by
 * so much of what each number is made of. Where the longer step leads somewhere else, as below 0 or to the other side
 * of a clamp, the shorter one shows less, which counts. */
enum { STEPS = 2 };
static const double steps[STEPS] = {0x1p-40, 0x1p-47};

/* So many for each step: the largest of the changes of one number is hardly ever less than a third of what they are
 * usually. Where that takes too many operations a few, which may show half of it. */
enum { TRIALS = 6, TRIALS_OF_LARGE = 2 };
#define OPERATIONS_MOST 5e10
#define PASSES_OF_A_TRIAL 1.5 /* forward twice, back once */

struct work {
    struct arena *arena;
    const struct pass *pass;
    struct magnitudes *magnitudes;
    double **terms_back;          /* by value: of its gradient, as magnitudes->terms */
    double **tried, **tried_back; /* by value: a pass in which all is rounded by a step, and its gradients */
    double **seen, **seen_back;   /* likewise: the largest changes with the step at hand, in steps */
    unsigned long long state;
    double step; /* one of steps */
    double eps;
    double times; /* what changes are taken to be, of what they are seen to be */
    /* by input of a node: what goes in, and what comes back; room for a gradient of an output */
    const void **x;
    void **dx, *saved[OP_SAVED_MAX];
    double **changed, **back, *y, *dy;
    const double *overwrite; /* zeros */
};

/* ---- how much room ---- */

static double **take_list(struct work *w)
{
    return arena_zeroed(w->arena, w->pass->graph->value_count, sizeof(double *));
}

/* Room for one number by element of a value in each of some lists. */
static bool take_each(struct work *w, size_t v, double **const *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((lists[i][v] = arena_zeroed(w->arena, w->pass->graph->values[v]->size, sizeof(double))) == NULL)
            return false;
    return true;
}

static bool take_values(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    struct magnitudes *m = w->magnitudes;
    double **const of_values[] = {m->values = take_list(w), m->terms = take_list(w), w->tried = take_list(w),
                                  w->seen = take_list(w)};
    double **const of_gradients[] = {m->gradients = take_list(w), w->terms_back = take_list(w),
                                     w->tried_back = take_list(w), w->seen_back = take_list(w)};
    enum { LISTS = sizeof of_values / sizeof *of_values };
    for (size_t i = 0; i < LISTS; i++)
        if (of_values[i] == NULL || of_gradients[i] == NULL) return false;
    for (size_t v = 0; v < graph->value_count; v++) {
        if (graph->values[v]->is_term) continue;
        if (!take_each(w, v, of_values, LISTS)) return false;
        if (w->pass->gradients[v] != NULL && !take_each(w, v, of_gradients, LISTS)) return false;
    }
    return true;
}

/* Room for one node at a time, as the largest needs it. */
static bool take_room(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    size_t inputs = 2, largest_out = 1, largest_saved = 1; /* a joined loss has two inputs, whatever it stands for */
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        inputs = node->input_count > inputs ? node->input_count : inputs;
        largest_out = node->output->size > largest_out ? node->output->size : largest_out;
        for (size_t s = 0; s < OP_SAVED_MAX; s++)
            largest_saved = node->saved[s] > largest_saved ? node->saved[s] : largest_saved;
    }
    w->x = arena_array(w->arena, inputs, sizeof *w->x);
    w->dx = arena_array(w->arena, inputs, sizeof *w->dx);
    w->overwrite = arena_zeroed(w->arena, inputs, sizeof *w->overwrite);
    w->changed = arena_array(w->arena, inputs, sizeof *w->changed);
    w->back = arena_array(w->arena, inputs, sizeof *w->back);
    size_t *most = arena_zeroed(w->arena, inputs, sizeof *most); /* elements of an input, by its place */
    if (w->x == NULL || w->dx == NULL || w->overwrite == NULL || w->changed == NULL || w->back == NULL || most == NULL)
        return false;
    for (size_t i = 0; i < graph->node_count; i++)
        for (size_t k = 0; k < graph->nodes[i]->input_count; k++) {
            const struct value *input = graph->nodes[i]->inputs[k];
            if (input != NULL && input->size > most[k]) most[k] = input->size;
        }
    for (size_t k = 0; k < inputs; k++) {
        w->changed[k] = arena_doubles(w->arena, most[k] + 1);
        w->back[k] = arena_doubles(w->arena, most[k] + 1);
        if (w->changed[k] == NULL || w->back[k] == NULL) return false;
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if ((w->saved[s] = arena_doubles(w->arena, largest_saved)) == NULL) return false;
    w->y = arena_doubles(w->arena, largest_out);
    w->dy = arena_doubles(w->arena, largest_out);
    return w->y != NULL && w->dy != NULL;
}

bool magnitude_is_exact(const struct magnitudes *magnitudes, const struct value *value, size_t element)
{
    size_t v = value->index;
    return magnitudes->values[v][element] == 0 ||
           exactness_of(&magnitudes->exactness, v, magnitudes->terms[v][element]);
}

/* ---- what each number is made of ---- */

static struct op_call call_like(const struct work *w, const struct op_call *call)
{
    struct op_call made = *call;
    made.x = w->x;
    made.y = w->y;
    made.saved = w->saved;
    made.add = w->overwrite;
    made.scalar = NULL;
    return made;
}

/* The magnitudes of a node's inputs in their place. */
static void take_magnitudes(struct work *w, const struct node *node, const struct op_call *like)
{
    for (size_t k = 0; k < node->input_count; k++) {
        w->x[k] = NULL;
        if (node->inputs[k] == NULL) continue;
        const double *value = like->x[k];
        for (size_t i = 0; i < node->inputs[k]->size; i++)
            w->changed[k][i] = fabs(value[i]);
        w->x[k] = w->changed[k];
    }
}

/* What the op's usual formula leaves out at x, as if rounding did. */
static double left_out(const struct work *w, const struct op *op, double x)
{
    return op->left_out != NULL ? op->left_out(x) / (MAGNITUDE_ROUNDINGS * w->eps) : 0;
}

/* The output itself; and of an op of one input what its formula has on the way: 1 + tanh(u) for gelu, where that is
 * nearly 0; no more than 1 where what comes out is no more (a tanh of 1e9 is as good as any). But a softmax is made of
 * products alone, however small it is; a sigmoid may be made of a tanh. */
static void take_output(const struct work *w, const struct node *node, const struct op_call *call, double *terms)
{
    const double *x = call->x[0], *y = call->y;
    bool one = node->input_count == 1 && node->inputs[0]->size == node->output->size && !node->op->probabilities;
    bool kinked = op_kink(node->op, node->attributes) != KINK_NONE;
    for (size_t i = 0; i < node->output->size; i++) {
        terms[i] = fabs(y[i]);
        if (one && !kinked) terms[i] += fabs(y[i]) <= 1 ? fmin(fabs(x[i]), 1) : fabs(x[i]);
        if (node->op->left_out != NULL) terms[i] += left_out(w, node->op, x[i]);
    }
}

static int terms_forward(struct work *w, const struct node *node)
{
    const struct op_call *like = pass_call(w->pass, node);
    double *terms = w->magnitudes->terms[node->output->index];
    int code = CODE_OK;
    if (node->op->term_unit != NULL) {
        struct op_call call = call_like(w, like);
        take_magnitudes(w, node, like);
        call.y = terms;
        code = node->op->forward(&call);
    } else {
        take_output(w, node, like, terms);
    }
    if (code == CODE_OK) exactness_made(&w->magnitudes->exactness, w->pass, node, terms);
    return code;
}

/* What is wanted of a call: into `back`. */
static void want(struct work *w, const struct op_call *call, const struct value *const *values, double *const *back)
{
    for (size_t k = 0; k < call->count; k++) {
        bool wanted =
            values[k] != NULL && op_differentiates(call->op, k) && w->magnitudes->gradients[values[k]->index] != NULL;
        w->dx[k] = wanted ? back[k] : NULL;
    }
}

/* What the numbers of a gradient are made of besides themselves. A derivative that is taken from the output is off by
 * that one's rounding: 1 - h**2, where h is nearly 1; and so is the difference of a probability and a target. */
static void add_formula(struct work *w, const struct node *node, const struct op_call *like)
{
    const double *dy = like->dy;
    double *terms = w->terms_back[node->inputs[0]->index];
    size_t n = node->inputs[0]->size;
    if (like->op->kind == OP_LOSS && like->op->goes_with == NULL) return;
    if (like->op->kind == OP_LOSS) {
        double factor = fabs(loss_factor(like->op, like->attributes, like->in[LOSS_PREDICTION]));
        for (size_t i = 0; i < n; i++)
            terms[i] += factor;
        return;
    }
    enum map map;
    double attribute;
    if (like->op->made_of != NULL) like->op->made_of(like, terms);
    if (!elementwise_map(like->op, like->attributes, &map, &attribute)) return;
    bool closes = op_kink(like->op, like->attributes) != KINK_NONE; /* and lets nothing through then */
    for (size_t i = 0; dy != NULL && i < n; i++)
        if (!closes || w->back[0][i] != 0)
            terms[i] += fabs(dy[i]) * (1 + left_out(w, like->op, ((const double *)like->x[0])[i]));
}

/* Adds what a node sends back to each of its inputs to what the others do. */
static void add_back(struct work *w, const struct op_call *call, const struct value *const *values, double **to)
{
    for (size_t k = 0; k < call->count; k++)
        for (size_t i = 0; w->dx[k] != NULL && i < values[k]->size; i++)
            to[values[k]->index][i] += to == w->terms_back ? fabs(w->back[k][i]) : w->back[k][i];
}

/* Whether backward reads what forward has left. */
static bool saves(const struct node *node)
{
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if (node->saved[s] > 0) return true;
    return false;
}

/* What a call makes that is run for a node: the node's output, or, of a joined one, that of the loss behind it. */
static const struct value *made_by(const struct work *w, const struct node *node, const struct op_call *call)
{
    return call == pass_call(w->pass, node) ? node->output : node->output->uses[0].node->output;
}

/* A call of backward, the op's own or a joined one; values are those of its inputs. */
static int terms_back(struct work *w, const struct node *node, const struct op_call *like,
                      const struct value *const *values)
{
    struct op_call call = *like;
    bool sums = node->op->term_unit != NULL;
    call.add = w->overwrite;
    if (sums) {
        call = call_like(w, like);
        take_magnitudes(w, node, like);
        const double *dy = like->dy; /* NULL at the loss */
        for (size_t i = 0; dy != NULL && i < node->output->size; i++)
            w->dy[i] = fabs(dy[i]);
        call.dy = dy != NULL ? w->dy : NULL;
    }
    want(w, like, values, w->back);
    call.dx = w->dx;
    int code = sums && saves(node) ? like->op->forward(&call) : CODE_OK;
    if (code == CODE_OK) code = like->op->backward(&call);
    if (code != CODE_OK) return code;
    add_back(w, like, values, w->terms_back);
    if (!sums && w->dx[0] != NULL) add_formula(w, node, like);
    return CODE_OK;
}

/* ---- a pass in which all is rounded ---- */

/* Steps up or down, as many as a word has bits. */
enum { DRAWN = 64 };

static void draw(struct work *w, double drawn[DRAWN])
{
    w->state ^= w->state << 13;
    w->state ^= w->state >> 7;
    w->state ^= w->state << 17;
    for (unsigned i = 0; i < DRAWN; i++)
        drawn[i] = w->step * (1 - 2 * (double)(w->state >> i & 1));
}

/* Adds a step of each magnitude. */
static void add_steps(struct work *w, size_t n, const double *x, const double *magnitudes, double *to)
{
    double drawn[DRAWN];
    for (size_t from = 0; from < n; from += DRAWN) {
        size_t count = n - from < DRAWN ? n - from : DRAWN;
        draw(w, drawn);
        for (size_t i = 0; i < count; i++)
            to[from + i] = x[from + i] + drawn[i] * fabs(magnitudes[from + i]);
    }
}

/* Whether a step goes over a kink, where there is no slope to be seen: what lies at one is another matter
 * (core/check/kinks.h). */
static bool goes_over(const struct op_call *call, enum kink where, size_t i, double from, double to)
{
    if (where == KINK_NONE) return false;
    if (where == KINK_MARGIN || call->op->sides != NULL)
        return true; /* between these the slope is the same everywhere */
    double kink = where == KINK_ERROR ? ((const double *)call->x[LOSS_TARGET])[i] : call->op->kink_at;
    return (from > kink) != (to > kink) || (from < kink) != (to < kink);
}

/* Rounds what was made of a value, in place; where that is no number, it is what it was. */
static void round_each(struct work *w, size_t n, const double *right, const double *terms, double *tried)
{
    add_steps(w, n, tried, terms, tried);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(tried[i])) tried[i] = right[i];
}

/* What goes into a call: of sums of products what was made of it; else that, rounded once more, as an exponential shows
 * it; w->x. A loss's target is what it is, and so are indices. */
static void take_tried(struct work *w, const struct op_call *like, const struct value *const *values)
{
    bool sums = like->op->term_unit != NULL;
    for (size_t k = 0; k < like->count; k++) {
        w->x[k] = like->x[k];
        if (values[k] == NULL || like->x[k] == NULL || op_slot(like->op, k)->role == SLOT_CONSTANT) continue;
        const double *tried = w->tried[values[k]->index], *x = like->x[k];
        enum kink where = k == 0 ? op_kink(like->op, like->attributes) : KINK_NONE;
        w->x[k] = tried;
        if (sums || (like->op->kind == OP_LOSS && k == LOSS_TARGET)) continue;
        add_steps(w, values[k]->size, tried, x, w->changed[k]);
        for (size_t i = 0; where != KINK_NONE && i < values[k]->size; i++)
            if (goes_over(like, where, i, x[i], w->changed[k][i])) w->changed[k][i] = x[i];
        w->x[k] = w->changed[k];
    }
}

/* What lies at a kink was held there, and may be let through as it came, or not. */
static void let_through(struct work *w, const struct node *node, double *tried)
{
    const struct value *from = node->inputs[0];
    if (op_kink(node->op, node->attributes) == KINK_NONE || from->size != node->output->size) return;
    const double *x = w->pass->values[from->index], *came = w->tried[from->index], *went = w->x[0];
    for (size_t i = 0; i < from->size; i++)
        if (went[i] == x[i]) tried[i] += came[i] - x[i];
}

static bool is_cancelled(const struct pass *pass)
{
    return pass->cancelled != NULL && atomic_load_explicit(pass->cancelled, memory_order_relaxed);
}

static int try_forward(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        if (node->output->is_term) continue;
        if (is_cancelled(w->pass)) return CODE_CANCELLED;
        size_t out = node->output->index;
        struct op_call call = call_like(w, pass_call(w->pass, node));
        take_tried(w, pass_call(w->pass, node), (const struct value *const *)node->inputs);
        call.y = w->tried[out];
        int code = node->op->forward(&call);
        if (code != CODE_OK) return code;
        let_through(w, node, w->tried[out]);
        round_each(w, node->output->size, w->pass->values[out], w->magnitudes->terms[out], w->tried[out]);
    }
    return CODE_OK;
}

static int try_back_at(struct work *w, const struct node *node, const struct op_call *like,
                       const struct value *const *values)
{
    struct op_call call = call_like(w, like);
    int code = CODE_OK;
    take_tried(w, like, values);
    const struct value *made = made_by(w, node, like);
    const double *dy = like->dy, *tried = w->tried_back[made->index];
    if (node->op->term_unit == NULL || saves(node)) code = like->op->forward(&call);
    if (node->op->term_unit == NULL) {
        if (dy != NULL && tried != NULL) add_steps(w, made->size, tried, dy, w->dy);
        tried = w->dy;
    }
    want(w, like, values, w->back);
    call.dx = w->dx;
    call.dy = dy != NULL ? tried : NULL;
    if (code == CODE_OK) code = like->op->backward(&call);
    if (code == CODE_OK) add_back(w, like, values, w->tried_back);
    return code;
}

/* ---- all of it ---- */

/* From the loss down: `go` is terms_back or try_back_at. Where gradients are tried, what comes to a value is rounded
 * once all of it is there. */
static int go_back(struct work *w, bool tries,
                   int (*go)(struct work *, const struct node *, const struct op_call *, const struct value *const *))
{
    const struct graph *graph = w->pass->graph;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        const struct op_call *own = pass_call(w->pass, node), *run = pass_backward_call(w->pass, node);
        size_t out = node->output->index;
        if (!pass_counts(w->pass, node)) continue;
        if (is_cancelled(w->pass)) return CODE_CANCELLED;
        if (tries && w->tried_back[out] != NULL)
            round_each(w, node->output->size, w->pass->gradients[out], w->terms_back[out], w->tried_back[out]);
        /* A joined loss takes what its prediction's op takes, and the target. */
        const struct value *const joined[OP_SLOTS_MAX] = {node->inputs[0]};
        int code = go(w, node, run, run != own ? joined : (const struct value *const *)node->inputs);
        if (code != CODE_OK) return code;
    }
    return CODE_OK;
}

static int find_terms(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL) exactness_given(&w->magnitudes->exactness, w->pass, graph->values[v]);
    for (size_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i]->output->is_term) continue;
        int code = terms_forward(w, graph->nodes[i]);
        if (code != CODE_OK) return code;
    }
    return go_back(w, false, terms_back);
}

/* Keeps the largest change. */
static void keep(const struct work *w, size_t n, const double *right, const double *tried, double *off)
{
    for (size_t i = 0; i < n; i++) {
        double change = w->times * fabs(tried[i] - right[i]) / w->step;
        if (change > off[i]) off[i] = change;
    }
}

static int try_once(struct work *w)
{
    const struct graph *graph = w->pass->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        size_t bytes = graph->values[v]->size * sizeof(double);
        if (w->tried[v] != NULL && graph->values[v]->made_by == NULL) memcpy(w->tried[v], w->pass->values[v], bytes);
        if (w->tried_back[v] != NULL) memset(w->tried_back[v], 0, bytes);
    }
    int code = try_forward(w);
    if (code == CODE_OK) code = go_back(w, true, try_back_at);
    for (size_t v = 0; v < graph->value_count && code == CODE_OK; v++) {
        size_t n = graph->values[v]->size;
        const double *right = w->pass->gradients[v];
        if (w->tried[v] != NULL) keep(w, n, w->pass->values[v], w->tried[v], w->seen[v]);
        if (w->tried_back[v] == NULL) continue;
        if (graph->values[v]->made_by == NULL) round_each(w, n, right, w->terms_back[v], w->tried_back[v]);
        keep(w, n, right, w->tried_back[v], w->seen_back[v]);
    }
    return code;
}

/* All trials with one step. */
static int try_step(struct work *w, size_t trials)
{
    int code = CODE_OK;
    for (size_t v = 0; v < w->pass->graph->value_count; v++) {
        size_t bytes = w->pass->graph->values[v]->size * sizeof(double);
        if (w->seen[v] != NULL) memset(w->seen[v], 0, bytes);
        if (w->seen_back[v] != NULL) memset(w->seen_back[v], 0, bytes);
    }
    for (size_t trial = 0; trial < trials && code == CODE_OK; trial++)
        code = try_once(w);
    return code;
}

/* What both steps show, and no less than a number is made of itself. */
static void settle(size_t n, bool first, const double *terms, const double *seen, double *off)
{
    for (size_t i = 0; i < n; i++) {
        double here = fmax(seen[i], terms[i]);
        off[i] = first ? here : fmin(off[i], here);
    }
}

int magnitudes_of(struct arena *arena, const struct pass *pass, double eps, struct magnitudes *magnitudes,
                  struct error *error)
{
    struct work w = {.arena = arena, .pass = pass, .magnitudes = magnitudes, .eps = eps, .state = 88172645463325252ULL};
    *magnitudes = (struct magnitudes){.values = NULL};
    bool large = pass->graph->work * PASSES_OF_A_TRIAL * STEPS * TRIALS > OPERATIONS_MOST;
    w.times = large ? 2 : 1;
    bool room =
        exactness_new(arena, pass->graph->value_count, eps, &magnitudes->exactness) && take_values(&w) && take_room(&w);
    int code = room ? find_terms(&w) : CODE_OUT_OF_MEMORY;
    for (size_t s = 0; s < STEPS && code == CODE_OK; s++) {
        w.step = steps[s];
        code = try_step(&w, large ? TRIALS_OF_LARGE : TRIALS);
        for (size_t v = 0; v < pass->graph->value_count && code == CODE_OK; v++) {
            size_t n = pass->graph->values[v]->size;
            if (w.seen[v] != NULL) settle(n, s == 0, magnitudes->terms[v], w.seen[v], magnitudes->values[v]);
            if (w.seen_back[v] != NULL) settle(n, s == 0, w.terms_back[v], w.seen_back[v], magnitudes->gradients[v]);
        }
    }
    return code == CODE_CANCELLED ? error_set(error, code, "the work was cancelled")
                                  : backend_error(pass->backend, code, error);
}
