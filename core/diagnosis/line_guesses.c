#include "core/diagnosis/line_guesses.h"

#include <math.h>

#include "core/diagnosis/rules.h"
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

/* Inputs of one node that are looked at one by one; and views of one array that may be taken for each other. */
enum { INPUTS_LOOKED_AT = 16, SIBLINGS_MAX = 8, NEIGHBOURS_MAX = 64 };

struct lister {
    struct search *s;
    const struct line_places *places;
    take_guess take;
    void *context;
    bool ended;
    struct edge **edges, **others; /* room: as many as there are */
    const struct node **elsewhere;
    size_t *uses; /* by value: how many edges that send anything lead there; */
    size_t *own;  /* room, zeros */
    bool *taken;  /* by edge: room, false */
};

static void offer(struct lister *l, struct guess guess)
{
    if (l->ended || guess.count == 0) return;
    l->ended = !l->take(l->context, &guess);
}

/* A guess about what these edges send. */
static struct guess guess_about(const struct mistake *mistake, enum guess_way way, double times,
                                struct edge *const *edges, size_t count)
{
    struct guess guess = {.mistake = mistake, .way = way, .times = times, .edges = edges, .count = count};
    if (count == 0) return guess;
    guess.value = edges[0]->to;
    guess.line = edges[0]->node->place.layer;
    return guess;
}

/* ---- edges ---- */

/* Those to one input of a place's nodes, which send anything. */
static size_t edges_of_input(const struct lister *l, const struct line_place *place, size_t input, struct edge **list)
{
    const struct flow *flow = &l->s->flow;
    size_t count = 0;
    for (size_t i = 0; i < place->count; i++) {
        const struct node *node = place->nodes[i];
        struct edge *edge =
            input < node->input_count && flow->needed[node->index] ? flow_edge(flow, node, input) : NULL;
        if (edge != NULL && !flow->dead[node->index]) list[count++] = edge;
    }
    return count;
}

static size_t edges_of_place(const struct lister *l, const struct line_place *place, struct edge **list)
{
    size_t count = 0, inputs = place->nodes[0]->input_count;
    for (size_t k = 0; k < inputs; k++)
        count += edges_of_input(l, place, k, list + count);
    return count;
}

/* Whether some of these lead to values that others lead to, too. */
static bool is_shared(const struct lister *l, struct edge *const *edges, size_t count)
{
    bool shared = false;
    for (size_t e = 0; e < count; e++)
        l->own[edges[e]->to->index]++;
    for (size_t e = 0; e < count; e++)
        shared = shared || l->uses[edges[e]->to->index] > l->own[edges[e]->to->index];
    for (size_t e = 0; e < count; e++)
        l->own[edges[e]->to->index] = 0;
    return shared;
}

static size_t index_of(const struct lister *l, const struct edge *edge)
{
    return (size_t)(edge - l->s->flow.edges);
}

/* All others to the values that these lead to. */
static size_t others_of(const struct lister *l, struct edge *const *edges, size_t count, struct edge **list)
{
    size_t found = 0;
    for (size_t e = 0; e < count; e++)
        l->taken[index_of(l, edges[e])] = true;
    for (size_t e = 0; e < count; e++) {
        size_t uses;
        struct edge *const *into = flow_into(&l->s->flow, edges[e]->to, &uses);
        for (size_t k = 0; k < uses && l->own[edges[e]->to->index] == 0; k++)
            if (!l->s->flow.dead[into[k]->node->index] && !l->taken[index_of(l, into[k])]) list[found++] = into[k];
        l->own[edges[e]->to->index] = 1; /* once */
    }
    for (size_t e = 0; e < count; e++) {
        l->taken[index_of(l, edges[e])] = false;
        l->own[edges[e]->to->index] = 0;
    }
    return found;
}

/* ---- rules of the ops ---- */

static void list_rules(struct lister *l, const struct op *op, size_t input, struct edge *const *edges, size_t count)
{
    static const enum step steps[] = {STEP_INPUT, STEP_PARAMETER};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (struct rule rule = rule_first(op, steps[i], input); rule.mistake != NULL && !l->ended; rule_next(&rule)) {
            struct guess guess = guess_about(rule.mistake, GUESS_RULE, NAN, edges, count);
            guess.variant = rule.variant;
            offer(l, guess);
        }
}

/* ---- numbers ---- */

static void list_numbers(struct lister *l, struct edge *const *edges, size_t count)
{
    offer(l, guess_about(&mistake_sign_flipped, GUESS_TIMES, -1, edges, count));
    offer(l, guess_about(&mistake_constant_factor, GUESS_TIMES, NAN, edges, count));
}

/* ---- several uses of a value ---- */

static void list_consumer(struct lister *l, struct edge *const *edges, size_t count)
{
    if (!is_shared(l, edges, count)) {
        bool given = edges[0]->to->made_by == NULL;
        offer(l, guess_about(given ? &mistake_all_zero : &mistake_detached, GUESS_TIMES, 0, edges, count));
        return;
    }
    offer(l, guess_about(&mistake_contribution_missing, GUESS_TIMES, 0, edges, count));
    size_t computed = 0; /* a loop's first turn takes what was given, the others what the one before has made */
    for (size_t e = 0; e < count; e++)
        if (edges[e]->to->made_by != NULL) l->others[computed++] = edges[e];
    if (computed < count) offer(l, guess_about(&mistake_contribution_missing, GUESS_TIMES, 0, l->others, computed));
    offer(l, guess_about(&mistake_sent_twice, GUESS_TIMES, 2, edges, count));
    size_t others = others_of(l, edges, count, l->others);
    struct guess guess = guess_about(&mistake_gradient_overwritten, GUESS_TIMES, 0, l->others, others);
    guess.left = edges[0]->node->place.layer;
    offer(l, guess);
}

/* A loop takes the same value in each of its turns: the share of one of them replaced the others, or is missing. */
static void list_turns(struct lister *l, struct edge **edges, size_t count)
{
    if (count < 2 || edges[0]->to != edges[count - 1]->to) return;
    for (size_t turn = 0; turn < 2; turn++) {
        size_t one = turn == 0 ? 0 : count - 1, kept = 0;
        for (size_t e = 0; e < count; e++)
            if (e != one) l->others[kept++] = edges[e];
        struct guess left = guess_about(&mistake_gradient_overwritten, GUESS_TIMES, 0, l->others, kept);
        struct guess missing = guess_about(&mistake_contribution_missing, GUESS_TIMES, 0, edges + one, 1);
        left.left = left.line;
        left.turn = missing.turn = turn == 0 ? TURN_FIRST : TURN_LAST;
        offer(l, left);
        offer(l, missing);
    }
}

/* The different lines of some edges, up to as many; more of them are not looked at. */
enum { LINES_MAX = 16 };
static size_t lines_of(struct edge *const *edges, size_t count, size_t lines[LINES_MAX])
{
    size_t found = 0;
    for (size_t e = 0; e < count && found < LINES_MAX; e++) {
        size_t i = 0;
        while (i < found && lines[i] != edges[e]->node->place.layer)
            i++;
        if (i == found) lines[found++] = edges[e]->node->place.layer;
    }
    return found;
}

/* What comes back to a value in all is lost, or multiplied; what comes back through all that one line does with it. */
static void list_value(struct lister *l, const struct value *value)
{
    size_t count, alive = 0, lines[LINES_MAX];
    struct edge *const *into = flow_into(&l->s->flow, value, &count);
    if (l->uses[value->index] < 2) return; /* there the edge stands for it */
    for (size_t k = 0; k < count; k++)
        if (!l->s->flow.dead[into[k]->node->index]) l->edges[alive++] = into[k];
    list_numbers(l, l->edges, alive);
    offer(l,
          guess_about(value->made_by != NULL ? &mistake_detached : &mistake_all_zero, GUESS_TIMES, 0, l->edges, alive));
    size_t line_count = lines_of(l->edges, alive, lines);
    for (size_t i = 0; i < line_count && line_count > 1 && !l->ended; i++) {
        size_t own = 0, rest = 0;
        for (size_t k = 0; k < alive; k++)
            if (l->edges[k]->node->place.layer == lines[i]) l->others[own++] = l->edges[k];
        if (own < 2) continue; /* the edge alone says that */
        offer(l, guess_about(&mistake_contribution_missing, GUESS_TIMES, 0, l->others, own));
        for (size_t k = 0; k < alive; k++)
            if (l->edges[k]->node->place.layer != lines[i]) l->others[rest++] = l->edges[k];
        struct guess guess = guess_about(&mistake_gradient_overwritten, GUESS_TIMES, 0, l->others, rest);
        guess.left = lines[i];
        offer(l, guess);
    }
}

/* Whether an op has a derivative of its own that can be skipped: an activation, or a function of one number. */
static bool has_slope(const struct op *op)
{
    return op->kind == OP_ACTIVATION || (op->kind == OP_ELEMENTARY && op->forward == elementwise_forward);
}

/* Behind a product an activation is skipped on the way back: what comes back to its output is sent on, in place of what
 * comes back to its input. */
static void list_skipped(struct lister *l, struct edge *const *edges, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        const struct value *value = edges[e]->node->output;
        const struct node *node = NULL;
        for (size_t steps = 0; steps < 2 && value->use_count == 1; steps++, value = node->output) {
            node = value->uses[0].node;
            if (!shape_equal(&node->output->shape, &edges[e]->node->output->shape)) return;
            if (has_slope(node->op)) break;
        }
        if (node == NULL || !has_slope(node->op)) return;
        l->elsewhere[e] = node;
    }
    struct guess guess = guess_about(&mistake_raw_error_propagated, GUESS_FROM, NAN, edges, count);
    guess.elsewhere = l->elsewhere;
    offer(l, guess);
}

/* ---- slices in other places ---- */

/* Whether two nodes take as many elements of arrays of one shape. */
static bool are_siblings(const struct node *a, const struct node *b)
{
    return a->op == b->op && shape_equal(&a->inputs[0]->shape, &b->inputs[0]->shape) &&
           shape_equal(&a->output->shape, &b->output->shape);
}

/* What nodes send is made by those in l->elsewhere. */
static void offer_elsewhere(struct lister *l, const struct mistake *mistake, size_t variant, size_t count)
{
    struct guess guess = guess_about(mistake, GUESS_ELSEWHERE, NAN, l->edges, count);
    guess.elsewhere = l->elsewhere;
    guess.variant = variant;
    offer(l, guess);
}

/* Two nodes that take parts of one array put what comes back where the other one took it; false where they do not. */
static bool add_exchange(struct lister *l, const struct node *a, const struct node *b, size_t *count)
{
    struct edge *first = flow_edge(&l->s->flow, a, 0), *second = flow_edge(&l->s->flow, b, 0);
    if (first == NULL || second == NULL || !are_siblings(a, b) || a->inputs[0] != b->inputs[0]) return false;
    l->edges[*count] = first;
    l->elsewhere[(*count)++] = b;
    l->edges[*count] = second;
    l->elsewhere[(*count)++] = a;
    return true;
}

/* Of one place: parts of an array that was split. */
static void list_parts(struct lister *l, const struct line_place *place)
{
    if (place->count > SIBLINGS_MAX) return;
    for (size_t i = 0; i < place->count && !l->ended; i++)
        for (size_t j = i + 1; j < place->count && !l->ended; j++) {
            size_t count = 0;
            if (add_exchange(l, place->nodes[i], place->nodes[j], &count))
                offer_elsewhere(l, &mistake_gradient_at_wrong_index, 0, count);
        }
}

/* Of two places, in all of their turns. */
static void list_exchange(struct lister *l, const struct line_place *a, const struct line_place *b)
{
    size_t count = 0;
    if (a->count != b->count) return;
    for (size_t i = 0; i < a->count; i++)
        if (!add_exchange(l, a->nodes[i], b->nodes[i], &count)) return;
    offer_elsewhere(l, &mistake_gradient_at_wrong_index, 0, count);
}

/* The next turn of a loop, or the one before; place->count where there is none. */
static size_t neighbour(const struct line_place *place, size_t turn, bool later)
{
    if (later) return turn + 1;
    return turn > 0 ? turn - 1 : place->count;
}

/* A product in a loop takes its operand of the turn before, or of the next one; where there is none, its own. */
static void list_other_turn(struct lister *l, const struct line_place *place, size_t input, bool later)
{
    size_t count = 0;
    if (place->count < 2 || place->nodes[0]->input_count != 2) return;
    for (size_t i = 0; i < place->count; i++) {
        size_t turn = neighbour(place, i, later);
        const struct node *node = place->nodes[i], *other = place->nodes[turn < place->count ? turn : i];
        struct edge *edge = flow_edge(&l->s->flow, node, input);
        if (edge == NULL || !are_siblings(node, other) ||
            !shape_equal(&node->inputs[1]->shape, &other->inputs[1]->shape))
            return;
        l->edges[count] = edge;
        l->elsewhere[count++] = other;
    }
    offer_elsewhere(l, &mistake_wrong_layer_used, later, count);
}

/* Each turn of a loop puts it where the one before, or the next one, took it; where there is none, it is lost. */
static void list_shift(struct lister *l, const struct line_place *place, bool later)
{
    size_t count = 0;
    for (size_t i = 0; i < place->count; i++) {
        size_t turn = neighbour(place, i, later);
        bool there = turn < place->count;
        const struct node *node = place->nodes[i], *other = place->nodes[there ? turn : i];
        struct edge *edge = flow_edge(&l->s->flow, node, 0);
        if (edge == NULL || !are_siblings(node, other) || node->inputs[0] != other->inputs[0]) return;
        l->edges[count] = edge;
        l->elsewhere[count++] = there ? other : NULL;
    }
    offer_elsewhere(l, &mistake_gradient_at_wrong_index, later ? 2 : 1, count);
}

static void list_slices(struct lister *l, size_t at)
{
    const struct line_place *place = &l->places->list[at];
    if (place->nodes[0]->input_count != 1 || place->op->kind != OP_ELEMENTARY) return;
    bool selects = place->nodes[0]->inputs[0]->size != place->nodes[0]->output->size;
    if (!selects) return;
    size_t end = at + 1 + NEIGHBOURS_MAX < l->places->count ? at + 1 + NEIGHBOURS_MAX : l->places->count;
    for (size_t other = at + 1, seen = 0; other < end && seen < SIBLINGS_MAX && !l->ended; other++) {
        if (!are_siblings(place->nodes[0], l->places->list[other].nodes[0])) continue;
        seen++;
        list_exchange(l, place, &l->places->list[other]);
    }
    if (place->count < 2) return;
    list_parts(l, place);
    list_shift(l, place, false);
    list_shift(l, place, true);
}

/* ---- whole lines ---- */

/* One run of a line: its nodes follow each other. */
struct segment {
    size_t begin, end; /* of the graph's nodes */
};

/* The n-th array of the output's shape that a run of a line takes from outside; NULL where there are fewer. */
static const struct value *taken(const struct lister *l, struct segment run, size_t n)
{
    const struct graph *graph = &l->s->network->graph;
    const struct value *output = graph->nodes[run.end - 1]->output;
    for (size_t i = run.begin; i < run.end; i++)
        for (size_t k = 0; k < graph->nodes[i]->input_count; k++) {
            const struct value *value = graph->nodes[i]->inputs[k];
            bool outside = value != NULL && (value->made_by == NULL || value->made_by->index < run.begin);
            if (!outside || flow_edge(&l->s->flow, graph->nodes[i], k) == NULL) continue;
            if (shape_equal(&value->shape, &output->shape) && n-- == 0) return value;
        }
    return NULL;
}

/* What comes back to the line's result is passed on to one array that it takes: one of the edges to that brings it, the
 * others nothing. */
static size_t pass_through(struct lister *l, struct segment run, const struct value *value, size_t count)
{
    const struct graph *graph = &l->s->network->graph;
    size_t first = count;
    for (size_t i = run.begin; i < run.end; i++)
        for (size_t k = 0; k < graph->nodes[i]->input_count; k++) {
            struct edge *edge = flow_edge(&l->s->flow, graph->nodes[i], k);
            if (edge == NULL || edge->to != value || l->s->flow.dead[i]) continue;
            l->elsewhere[count] = count == first ? graph->nodes[run.end - 1] : NULL;
            l->edges[count++] = edge;
        }
    return count;
}

static struct segment segment_at(const struct graph *graph, size_t begin)
{
    struct segment run = {begin, begin + 1};
    const struct place place = graph->nodes[begin]->place;
    while (run.end < graph->node_count && graph->nodes[run.end]->place.kind == place.kind &&
           graph->nodes[run.end]->place.layer == place.layer)
        run.end++;
    return run;
}

/* The derivative of all that a line computes is missing. Of one operation alone its own rule says that. */
static void list_line(struct lister *l, size_t begin)
{
    enum { TAKEN_MAX = 3 };
    const struct graph *graph = &l->s->network->graph;
    const struct segment first = segment_at(graph, begin);
    if (graph->nodes[begin]->place.kind != PLACE_LINE || first.end - first.begin < 2) return;
    for (size_t i = begin; i-- > 0;)
        if (graph->nodes[i]->place.layer == graph->nodes[begin]->place.layer) return; /* it was listed there */
    if (search_looks(l->s)) l->ended = true;
    for (size_t n = 0; n < TAKEN_MAX && taken(l, first, n) != NULL && !l->ended; n++) {
        size_t count = 0;
        for (size_t at = begin; at < graph->node_count; at = segment_at(graph, at).end) {
            const struct segment run = segment_at(graph, at);
            if (graph->nodes[at]->place.layer != graph->nodes[begin]->place.layer) continue;
            const struct value *value = taken(l, run, n);
            if (value != NULL) count = pass_through(l, run, value, count);
        }
        struct guess guess = guess_about(&mistake_missing_activation_derivative, GUESS_PASSED, NAN, l->edges, count);
        guess.elsewhere = l->elsewhere;
        offer(l, guess);
    }
}

/* ---- all of them ---- */

static void list_place(struct lister *l, size_t at)
{
    const struct line_place *place = &l->places->list[at];
    size_t inputs = place->nodes[0]->input_count, edged = 0;
    for (size_t k = 0; k < inputs && k < INPUTS_LOOKED_AT && !l->ended; k++) {
        size_t count = edges_of_input(l, place, k, l->edges);
        if (count == 0) continue;
        edged++;
        list_rules(l, place->op, k, l->edges, count);
        list_consumer(l, l->edges, count);
        list_turns(l, l->edges, count);
        if (place->nodes[0]->input_count == 2) list_skipped(l, l->edges, count);
        list_numbers(l, l->edges, count);
        list_other_turn(l, place, k, false); /* these two write other edges over them */
        list_other_turn(l, place, k, true);
    }
    size_t all = edges_of_place(l, place, l->edges);
    if (edged > 1) list_numbers(l, l->edges, all);
    if (edged > 1) list_rules(l, place->op, ANY_INPUT, l->edges, all);
    list_slices(l, at);
}

/* The same slip wherever an op stands. */
static void list_everywhere(struct lister *l, const struct op *op)
{
    size_t places = 0;
    for (size_t i = 0; i < l->places->count; i++)
        places += l->places->list[i].op == op;
    for (size_t k = 0; places > 1 && k < 2 && !l->ended; k++) {
        size_t count = 0;
        for (size_t i = 0; i < l->places->count; i++)
            if (l->places->list[i].op == op) count += edges_of_input(l, &l->places->list[i], k, l->edges + count);
        if (count < 2) continue;
        list_rules(l, op, k, l->edges, count);
        offer(l, guess_about(&mistake_sign_flipped, GUESS_TIMES, -1, l->edges, count));
    }
}

/* The same slip at all activations, whichever they are. */
static void list_activations(struct lister *l)
{
    const struct op *first = NULL;
    bool several = false;
    size_t count = 0;
    for (size_t i = 0; i < l->places->count; i++) {
        const struct line_place *place = &l->places->list[i];
        if (place->op->kind != OP_ACTIVATION) continue;
        if (first == NULL) first = place->op;
        several = several || place->op != first;
        count += edges_of_input(l, place, 0, l->edges + count);
    }
    if (several) list_rules(l, first, 0, l->edges, count);
}

static bool take_room(struct lister *l)
{
    struct search *s = l->s;
    size_t edges = 2 * s->flow.edge_count + 2, values = s->network->graph.value_count;
    l->edges = arena_array(s->arena, edges, sizeof *l->edges);
    l->others = arena_array(s->arena, edges, sizeof *l->others);
    l->elsewhere = arena_array(s->arena, edges, sizeof *l->elsewhere);
    l->taken = arena_zeroed(s->arena, edges, sizeof *l->taken);
    l->uses = arena_zeroed(s->arena, values, sizeof *l->uses);
    l->own = arena_zeroed(s->arena, values, sizeof *l->own);
    if (l->edges == NULL || l->others == NULL || l->elsewhere == NULL || l->taken == NULL || l->uses == NULL ||
        l->own == NULL)
        return false;
    for (size_t e = 0; e < s->flow.edge_count; e++)
        l->uses[s->flow.edges[e].to->index] += !s->flow.dead[s->flow.edges[e].node->index];
    return true;
}

static void list_everything(struct lister *l)
{
    const struct graph *graph = &l->s->network->graph;
    for (size_t i = 0; i < l->places->count && !l->ended; i++)
        list_place(l, i);
    for (size_t v = graph->value_count; v-- > 0 && !l->ended;)
        list_value(l, graph->values[v]);
    for (size_t i = 0; elementary_ops[i] != NULL && !l->ended; i++)
        list_everywhere(l, elementary_ops[i]);
    for (size_t i = 0; ops[i] != NULL && !l->ended; i++)
        list_everywhere(l, ops[i]);
    list_activations(l);
    for (size_t at = 0; at < graph->node_count && !l->ended; at = segment_at(graph, at).end)
        list_line(l, at);
}

struct lister *line_guesses_new(struct search *s, const struct line_places *places)
{
    struct lister *l = arena_zeroed(s->arena, 1, sizeof *l);
    if (l == NULL) return NULL;
    l->s = s;
    l->places = places;
    return take_room(l) ? l : NULL;
}

void line_guesses(struct lister *lister, take_guess take, void *context)
{
    lister->take = take;
    lister->context = context;
    lister->ended = false;
    list_everything(lister);
}
