#include "core/diagnosis/line_flow.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/rules.h"
#include "core/diagnosis/steps.h"

/* ---- one edge ---- */

static unsigned char *mark_of(const struct line_flow *flow, const struct edge *edge)
{
    return &flow->at[edge - flow->s->flow.edges];
}

/* Room for what an edge sends by a guess. */
static double *room_of(const struct edge *edge)
{
    return edge->value != NULL ? edge->value : edge->right_value;
}

static bool is_zero(size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0) return false;
    return true;
}

/* By the op's rule that the guess names; false where it does not apply, or nothing comes of it: that is a share that is
 * missing. */
static bool send_by_rule(struct line_flow *flow, const struct guess *guess, struct edge *edge)
{
    struct search *s = flow->s;
    const struct node *node = edge->node;
    struct alternative made = {.mistake = guess->mistake, .variant = guess->variant};
    struct step_call step = node->op->over_rows ? step_at(s, node) : step_at_activation(s, node);
    if (node->op->kind == OP_LAYER) step = step_at(s, node);
    step.input = edge->input;
    made.value = room_of(edge);
    made.slope = flow->scratch;
    if (!guess->mistake->alternative(&step, &made) || made.has_slope) return false;
    if (is_zero(edge->to->size, made.value) && !is_zero(edge->to->size, edge->right)) return false;
    edge->g = made.value;
    edge->gs = NULL;
    return true;
}

static void multiply(struct edge *edge, double times)
{
    double *to = room_of(edge);
    for (size_t i = 0; i < edge->to->size; i++)
        to[i] = times == 0 ? 0 : times * edge->g[i];
    edge->g = to;
}

/* By the call of another node, or of what comes back to that one's output. */
static bool send_elsewhere(struct line_flow *flow, const struct guess *guess, const struct node *other,
                           struct edge *edge)
{
    const struct search *s = flow->s;
    bool from = guess->way == GUESS_FROM;
    const struct node *source = from || guess->way == GUESS_PASSED ? other : edge->node;
    /* Nothing comes back to what nothing flows through: behind a floor, say. */
    const double *dy = other != NULL ? s->flow.g[source->output->index] : NULL;
    if (dy == NULL) {
        edge->g = edge->right;
        edge->gs = NULL;
        multiply(edge, 0);
        return true;
    }
    if (guess->way == GUESS_PASSED) {
        memcpy(room_of(edge), dy, edge->to->size * sizeof(double));
        edge->g = room_of(edge);
        edge->gs = NULL;
        return true;
    }
    struct op_call call = *pass_call(s->pass, from ? edge->node : other);
    double *to = room_of(edge);
    call.dy = dy;
    s->flow.only[edge->input] = to;
    call.dx = s->flow.only;
    call.add = s->flow.overwrite;
    int code = call.op->backward(&call);
    s->flow.only[edge->input] = NULL;
    edge->g = to;
    edge->gs = NULL;
    return code == CODE_OK;
}

/* What guesses make of what an edge sends by the right rule. */
static bool send(struct line_flow *flow, struct edge *edge)
{
    const unsigned char mark = *mark_of(flow, edge);
    const struct guess *guess = mark > 0 ? flow->guesses[mark - 1] : NULL;
    if (guess == NULL) return true;
    if (guess->way == GUESS_RULE) return send_by_rule(flow, guess, edge);
    if (guess->way == GUESS_TIMES) {
        multiply(edge, guess->times);
        return true;
    }
    return send_elsewhere(flow, guess, guess->elsewhere[flow->which[edge - flow->s->flow.edges]], edge);
}

/* ---- what was handed in ---- */

static bool is_comparable(const struct line_flow *flow, size_t p)
{
    const struct observed *o = &flow->s->observed[p];
    return !o->absent && search_is_plain(o);
}

/* student = base + (times - 1) * part, of which twice the part was made: the times that fit best. */
static double fit_times(size_t n, const double *student, const double *base, const double *twice)
{
    double product = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double part = twice[i] - base[i];
        product += part * (student[i] - base[i]);
        square += part * part;
    }
    double times = 1 + product / square;
    return isfinite(times) ? times : NAN;
}

/* Whether the run goes on. */
static bool compare(struct line_flow *flow, size_t p, struct outcome *outcome)
{
    const struct observed *o = &flow->s->observed[p];
    const double *predicted = flow->s->flow.g[search_value(flow->s, p)->index], *base = flow->base[p];
    size_t n = search_size(flow->s, p);
    if (base == NULL || predicted == base || !is_comparable(flow, p) || !match_differs(n, base, predicted)) return true;
    outcome->touched[p] = true;
    if (!flow->wrong[p] && !flow->right[p]) return true;
    if (outcome->fit_times && flow->wrong[p]) {
        outcome->times = fit_times(n, o->values, base, predicted);
        return false;
    }
    struct match match = match_numbers(&flow->s->matching, o->tolerance, n, o->values, predicted, base, o->bound);
    if (flow->right[p]) {
        outcome->broken = match.fit == FIT_NONE && !outcome->fit_times;
        return !outcome->broken;
    }
    outcome->explained[p] = match.fit != FIT_NONE && match.digits > 0;
    outcome->explained_count += outcome->explained[p];
    outcome->open += !outcome->explained[p];
    if (!outcome->explained[p]) return true;
    outcome->digits += match.digits;
    if (match.fit > outcome->fit) outcome->fit = match.fit;
    outcome->residual = fmax(outcome->residual, match.residual);
    return true;
}

/* ---- the way back ---- */

/* What is known of a value that all has come to. */
typedef bool (*at_graded)(struct line_flow *flow, size_t p, struct outcome *outcome);

/* What goes on from a value on the way. */
static void take_theirs(struct line_flow *flow, size_t p)
{
    const struct value *value = search_value(flow->s, p);
    if (value->made_by != NULL && flow->instead[p]) flow->s->flow.g[value->index] = flow->s->observed[p].values;
}

static bool arrive(struct line_flow *flow, const struct value *value, at_graded found, struct outcome *outcome)
{
    struct search *s = flow->s;
    size_t p = s->graded_of[value->index];
    if (value == s->network->output) {
        s->flow.g[value->index] = flow_right(&s->flow, value);
        s->flow.gs[value->index] = NULL;
    } else {
        flow_gather(&s->flow, value);
    }
    if (p == PARAMETER_NONE) return true;
    if (!found(flow, p, outcome)) return false;
    take_theirs(flow, p);
    return true;
}

/* What a node sends: by the right rule, and then by what guesses make of that. */
static bool send_on(struct line_flow *flow, const struct node *node)
{
    struct search *s = flow->s;
    bool dead = s->flow.dead[node->index];
    if (!dead) flow_send_all(&s->flow, node);
    for (size_t k = 0; k < node->input_count; k++) {
        struct edge *edge = flow_edge(&s->flow, node, k);
        if (edge == NULL) continue;
        if (dead) edge->g = edge->right;
        if (dead) edge->gs = NULL;
        if (!dead && !send(flow, edge)) return false;
    }
    return true;
}

/* From the loss to what was given. False where it ended early. */
static bool go_back(struct line_flow *flow, at_graded found, struct outcome *outcome)
{
    struct search *s = flow->s;
    const struct graph *graph = &s->network->graph;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        if (node->output->is_term || !s->flow.needed[i]) continue;
        if (!arrive(flow, node->output, found, outcome)) return false;
        if (!send_on(flow, node)) {
            outcome->broken = true;
            return false;
        }
        for (size_t k = 0; k < node->input_count; k++) {
            const struct value *value = node->inputs[k];
            bool complete = value != NULL && value->made_by == NULL && step_is_last_to(s, node, k);
            if (complete && !arrive(flow, value, found, outcome)) return false;
        }
    }
    return true;
}

static void mark(struct line_flow *flow, bool set)
{
    for (size_t g = 0; g < GUESSES_AT_ONCE; g++)
        for (size_t e = 0; flow->guesses[g] != NULL && e < flow->guesses[g]->count; e++) {
            struct edge *edge = flow->guesses[g]->edges[e];
            *mark_of(flow, edge) = set ? (unsigned char)(g + 1) : 0;
            flow->which[edge - flow->s->flow.edges] = e;
        }
}

void line_flow_run(struct line_flow *flow, struct outcome *outcome)
{
    size_t n = search_count(flow->s);
    bool *touched = outcome->touched, *explained = outcome->explained;
    *outcome = (struct outcome){
        .touched = touched, .explained = explained, .fit_times = outcome->fit_times, .fit = FIT_EXACT, .times = NAN};
    memset(touched, 0, n * sizeof *touched);
    memset(explained, 0, n * sizeof *explained);
    mark(flow, true);
    go_back(flow, compare, outcome);
    mark(flow, false);
}

bool line_flow_apart(struct line_flow *flow, const struct guess *a, const struct guess *b)
{
    bool apart = true;
    for (size_t e = 0; e < a->count; e++)
        *mark_of(flow, a->edges[e]) = 1;
    for (size_t e = 0; e < b->count; e++)
        apart = apart && *mark_of(flow, b->edges[e]) == 0;
    for (size_t e = 0; e < a->count; e++)
        *mark_of(flow, a->edges[e]) = 0;
    return apart;
}

/* ---- without a guess ---- */

/* Keeps what comes to what was handed in, and judges that by it. */
static bool keep(struct line_flow *flow, size_t p, struct outcome *outcome)
{
    struct search *s = flow->s;
    const struct value *value = search_value(s, p);
    const struct observed *o = &s->observed[p];
    size_t n = value->size;
    const double *made = s->flow.g[value->index];
    (void)outcome;
    flow->wrong[p] = o->failing && !o->absent; /* of another shape: wrong in any case */
    flow->base[p] = made;
    if (made != flow_right(&s->flow, value)) {
        double *copy = arena_doubles(s->arena, n);
        if (copy == NULL) return false;
        memcpy(copy, made, n * sizeof *copy);
        flow->base[p] = copy;
    }
    if (!is_comparable(flow, p)) return true;
    enum fit fit = match_numbers(&s->matching, o->tolerance, n, o->values, made, made, o->bound).fit;
    /* What the verdict has found wrong is no rounding beside the tensor's largest number. */
    bool judged = o->failing && !o->float32 && !match_differs(n, flow_right(&s->flow, value), made);
    bool near = judged ? fit == FIT_EXACT : fit != FIT_NONE;
    flow->wrong[p] = o->failing && !near;
    flow->right[p] = near;
    return true;
}

/* So often what went on is looked for; who hands in more that does not fit together is judged by what is right. */
enum { ROUNDS_MAX = 8 };

/* Whether something that is right in itself does not follow from what was handed in above: then that was not what went
 * on. Lets it go on no longer. */
static bool mend(struct line_flow *flow)
{
    const struct search *s = flow->s;
    bool mended = false;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        if (o->failing || o->absent || !is_comparable(flow, p) || flow->right[p]) continue;
        for (size_t q = 0; q < search_count(s); q++) {
            const struct value *above = search_value(s, q);
            if (!flow->instead[q] || q == p || !ancestry_has(&s->ancestry, above, p)) continue;
            flow->instead[q] = false;
            mended = true;
        }
    }
    return mended;
}

bool line_flow_new(struct search *s, struct line_flow *flow)
{
    size_t n = search_count(s), largest = 1;
    *flow = (struct line_flow){.s = s};
    for (size_t v = 0; v < s->network->graph.value_count; v++)
        if (s->network->graph.values[v]->size > largest) largest = s->network->graph.values[v]->size;
    flow->base = arena_zeroed(s->arena, n, sizeof *flow->base);
    flow->instead = arena_zeroed(s->arena, n, sizeof *flow->instead);
    flow->wrong = arena_zeroed(s->arena, n, sizeof *flow->wrong);
    flow->right = arena_zeroed(s->arena, n, sizeof *flow->right);
    flow->at = arena_zeroed(s->arena, s->flow.edge_count + 1, sizeof *flow->at);
    flow->which = arena_array(s->arena, s->flow.edge_count + 1, sizeof *flow->which);
    flow->scratch = arena_doubles(s->arena, largest);
    if (flow->base == NULL || flow->instead == NULL || flow->wrong == NULL || flow->right == NULL || flow->at == NULL ||
        flow->which == NULL || flow->scratch == NULL)
        return false;
    for (size_t p = 0; p < n; p++) {
        const struct observed *o = &s->observed[p];
        flow->instead[p] = o->failing && is_comparable(flow, p);
        for (size_t i = 0; flow->instead[p] && i < search_size(s, p); i++)
            flow->instead[p] = isfinite(o->values[i]);
    }
    struct outcome unused = {0};
    for (size_t round = 0;; round++) {
        memset(flow->right, 0, n * sizeof *flow->right);
        if (!go_back(flow, keep, &unused)) return false;
        if (!mend(flow)) return true;
        if (round == ROUNDS_MAX) memset(flow->instead, 0, n * sizeof *flow->instead);
    }
}

bool line_flow_outcome(const struct line_flow *flow, struct outcome *outcome)
{
    size_t n = search_count(flow->s);
    *outcome = (struct outcome){.touched = arena_zeroed(flow->s->arena, n, sizeof *outcome->touched),
                                .explained = arena_zeroed(flow->s->arena, n, sizeof *outcome->explained)};
    return outcome->touched != NULL && outcome->explained != NULL;
}
