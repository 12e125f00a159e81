#include "core/train/symptoms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/op.h"

const char *const symptom_names[] = {"dead_relu", "saturated", "vanishing_gradients", "exploding_gradients",
                                     "diverged",  "plateau",   "oscillating",         NULL};

const char *const symptom_summaries[] = {
    "ReLU units that are 0 on all samples, in a run that does not learn",
    "a sigmoid or tanh layer at its limits on nearly all samples, in a run that does not learn",
    "the first layer's gradient is tiny beside the last one's, in a run that does not learn",
    "gradients that grow without bounds",
    "the loss stopped being finite, or grew far beyond where it began",
    "the loss stopped falling before anything was learnt",
    "the loss goes up and down instead of falling",
    NULL};

/* ---- the rules' numbers ---- */

/* A run has learnt where its accuracy is so high, or nearer to 1 by more than this part than that of always giving the
 * same answer; without an accuracy, where its loss has come down by this part of itself; or where the loss is next to
 * nothing. */
#define LEARNT_ACCURACY 0.95
#define LEARNT_PART 0.5
#define LEARNT_FALL 0.75
#define NEXT_TO_NOTHING 1e-6

/* A layer is saturated where so much of it is (op->saturates_below, saturates_above). */
#define SATURATED_PART 0.9

/* The root mean square of the first weight's gradient beside the last one's, in most of the first points: later on the
 * last one's, too, may be next to nothing, in a run that is stuck. */
#define VANISHING 1e-3
enum { VANISHING_POINTS = 10 };

/* Growth of the whole gradient's norm beside that of the first epoch (or 1, where that is less). */
#define EXPLODING 100.0

/* Growth of the loss, in parts of the first one. */
#define DIVERGED 10.0

/* A plateau: the loss changes by less than this, relative to itself, over the last half of at least so many points. */
#define PLATEAU 0.01
enum { POINTS_NEEDED = 20 };

/* Oscillation: over the last half the loss turns so often, per point, by so much of itself. */
#define TURNS 0.3
#define SWING 0.05

/* ---- what the activations tell ---- */

enum watch { WATCH_NOTHING, WATCH_DEAD, WATCH_SATURATED };

#define NEVER ((size_t)-1)

/* What is watched together: a layer; of a program all that one place in it makes, which loops come to many times. There
 * a unit is an index along the last axis, and what else there is are rows: which axis counts samples, a program does
 * not say. */
struct watched {
    struct node *const *nodes;
    size_t node_count;
    size_t layer, line; /* for the remark */
    enum watch watch;
    size_t units, rows; /* the latter of the epoch so far */
    size_t *within;     /* by unit: in how many rows of the epoch it is where it should not be, or should */
    size_t *since;      /* by unit: dead since; NEVER where it lives */
    size_t saturated_since;
    size_t *list; /* of dead units, for the remark */
};

struct vitals {
    const struct network *network;
    struct watched *watched;
    size_t watched_count;
    struct remark *remarks; /* room for all there can be */
    size_t count;
};

static bool is_zero(const struct value *value, double *const *given)
{
    if (value->made_by != NULL || value->kind == VALUE_PARAMETER || given[value->index] == NULL) return false;
    for (size_t i = 0; i < value->size; i++)
        if (given[value->index][i] != 0) return false;
    return true;
}

/* np.maximum(0, z) is a ReLU, too. */
static bool is_maximum_with_zero(const struct node *node, double *const *given)
{
    bool maximum = node->op->kind == OP_ELEMENTARY && node->op->binary == BINARY_maximum;
    return maximum && (is_zero(node->inputs[0], given) || is_zero(node->inputs[1], given));
}

static enum watch watch_of(const struct node *node, double *const *given)
{
    if (node->op->dies || is_maximum_with_zero(node, given)) return WATCH_DEAD;
    return node->op->saturates_below < node->op->saturates_above ? WATCH_SATURATED : WATCH_NOTHING;
}

static size_t units_of(const struct node *node)
{
    const struct shape *shape = &node->output->shape;
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

/* By place, then as the pass goes. */
static int compare_places(const void *a, const void *b)
{
    const struct node *left = *(const struct node *const *)a, *right = *(const struct node *const *)b;
    const struct place *l = &left->place, *r = &right->place;
    if (l->layer != r->layer) return l->layer < r->layer ? -1 : 1;
    if (l->column != r->column) return l->column < r->column ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static bool is_same_place(const struct node *a, const struct node *b)
{
    return a->place.layer == b->place.layer && a->place.column == b->place.column && a->op == b->op &&
           units_of(a) == units_of(b);
}

/* The places of a program at which there is something to watch. */
static bool watch_program(struct arena *arena, const struct graph *graph, double *const *given, struct vitals *v)
{
    size_t count = 0;
    struct node **nodes = arena_array(arena, graph->node_count, sizeof *nodes);
    if (nodes == NULL) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->place.kind == PLACE_LINE && watch_of(graph->nodes[i], given) != WATCH_NOTHING)
            nodes[count++] = graph->nodes[i];
    if (count > 1) qsort(nodes, count, sizeof *nodes, compare_places);
    v->watched = arena_zeroed(arena, count, sizeof *v->watched);
    for (size_t i = 0; v->watched != NULL && i < count; i++) {
        struct watched *last = v->watched_count > 0 ? &v->watched[v->watched_count - 1] : NULL;
        if (last != NULL && is_same_place(last->nodes[0], nodes[i]))
            last->node_count++;
        else
            v->watched[v->watched_count++] = (struct watched){
                .nodes = &nodes[i], .node_count = 1, .layer = REMARK_NO_LAYER, .line = nodes[i]->place.layer};
    }
    return v->watched != NULL;
}

static bool watch_layers(struct arena *arena, const struct network *network, struct vitals *v)
{
    v->watched_count = network->definition->layer_count;
    v->watched = arena_zeroed(arena, v->watched_count, sizeof *v->watched);
    for (size_t i = 0; v->watched != NULL && i < v->watched_count; i++)
        v->watched[i] = (struct watched){.nodes = &network->layers[i], .node_count = 1, .layer = i};
    return v->watched != NULL;
}

struct vitals *vitals_new(struct arena *arena, const struct network *network, double *const *given)
{
    struct vitals *v = arena_zeroed(arena, 1, sizeof *v);
    bool program = network->program != NULL;
    if (v == NULL) return NULL;
    v->network = network;
    if (program ? !watch_program(arena, &network->graph, given, v) : !watch_layers(arena, network, v)) return NULL;
    size_t most = SYMPTOM_COUNT + 2 * v->watched_count;
    v->remarks = arena_array(arena, most, sizeof *v->remarks);
    if (v->remarks == NULL) return NULL;
    for (size_t i = 0; i < v->watched_count; i++) {
        struct watched *l = &v->watched[i];
        l->watch = watch_of(l->nodes[0], given);
        l->units = program ? units_of(l->nodes[0]) : network_sample_size(network, l->nodes[0]->output);
        l->saturated_since = NEVER;
        if (l->watch == WATCH_NOTHING) continue;
        l->within = arena_zeroed(arena, l->units, sizeof *l->within);
        l->since = arena_array(arena, l->units, sizeof *l->since);
        l->list = arena_array(arena, l->units, sizeof *l->list);
        if (l->within == NULL || l->since == NULL || l->list == NULL) return NULL;
        for (size_t j = 0; j < l->units; j++)
            l->since[j] = NEVER;
    }
    return v;
}

/* The epoch is over: who is dead, and what is saturated. */
static void close_epoch(struct watched *l, size_t epoch)
{
    size_t inside = 0;
    for (size_t j = 0; j < l->units; j++) {
        inside += l->within[j];
        if (l->watch == WATCH_DEAD && l->within[j] < l->rows)
            l->since[j] = NEVER;
        else if (l->watch == WATCH_DEAD && l->since[j] == NEVER)
            l->since[j] = epoch;
    }
    bool saturated = (double)inside <= (1 - SATURATED_PART) * (double)l->rows * (double)l->units;
    if (l->watch == WATCH_DEAD || !saturated)
        l->saturated_since = NEVER;
    else if (l->saturated_since == NEVER)
        l->saturated_since = epoch;
}

int vitals_look(struct vitals *v, const struct pass *pass, size_t samples, size_t epoch, bool first, bool last)
{
    for (size_t i = 0; i < v->watched_count; i++) {
        struct watched *l = &v->watched[i];
        if (l->watch == WATCH_NOTHING) continue;
        /* A dead ReLU is never above 0; what is not saturated is between its limits. */
        const struct op *op = l->nodes[0]->op;
        double low = l->watch == WATCH_DEAD ? -HUGE_VAL : op->saturates_below;
        double high = l->watch == WATCH_DEAD ? 0 : op->saturates_above;
        if (first) memset(l->within, 0, l->units * sizeof *l->within);
        if (first) l->rows = 0;
        for (size_t k = 0; k < l->node_count; k++) {
            const struct value *output = l->nodes[k]->output;
            size_t rows = v->network->program != NULL ? output->size / l->units : samples;
            l->rows += rows;
            int code = pass->backend->count_within(rows, l->units, pass->values[output->index], low, high, l->within);
            if (code != CODE_OK) return code;
        }
        if (last) close_epoch(l, epoch);
    }
    return CODE_OK;
}

/* ---- remarks ---- */

static struct remark *add(struct vitals *v, enum symptom symptom, size_t layer, size_t epoch)
{
    struct remark *remark = &v->remarks[v->count++];
    *remark = (struct remark){.symptom = symptom, .layer = layer, .epoch = epoch};
    return remark;
}

static double last_of(const struct curve *curve)
{
    return curve->loss[curve->count - 1];
}

/* How far the loss has come down from one value to another, as a part of the first; losses may be negative. */
static double fall(double from, double to)
{
    return (from - to) / (fabs(from) > NEXT_TO_NOTHING ? fabs(from) : NEXT_TO_NOTHING);
}

static bool has_learnt(const struct curve *curve)
{
    if (curve->diverged) return false;
    if (fabs(last_of(curve)) <= NEXT_TO_NOTHING) return true;
    if (curve->accuracy == NULL) return fall(curve->loss[0], last_of(curve)) >= LEARNT_FALL;
    double accuracy = curve->accuracy[curve->count - 1];
    return accuracy >= LEARNT_ACCURACY || accuracy > curve->majority + LEARNT_PART * (1 - curve->majority);
}

/* Whether the loss is still on its way down: by more than a plateau would. */
static bool is_falling(const struct curve *curve)
{
    size_t half = curve->count / 2;
    return fall(curve->loss[half], last_of(curve)) > PLATEAU;
}

static void remark_diverged(struct vitals *v, const struct curve *curve)
{
    bool grown = -fall(curve->loss[0], last_of(curve)) > DIVERGED;
    if (!curve->diverged && !grown) return;
    size_t epoch = curve->diverged_at;
    for (size_t i = 0; !curve->diverged && i < curve->count; i++)
        if (-fall(curve->loss[0], curve->loss[i]) > DIVERGED) {
            epoch = curve->epochs[i];
            break;
        }
    struct remark *r = add(v, SYMPTOM_DIVERGED, REMARK_NO_LAYER, epoch);
    if (curve->diverged)
        snprintf(r->message, REMARK_TEXT_MAX,
                 "The loss was no longer finite in epoch %zu; the curve ends at the last "
                 "finite one, %.4g.",
                 epoch, last_of(curve));
    else
        snprintf(r->message, REMARK_TEXT_MAX, "The loss grew from %.4g to %.4g.", curve->loss[0], last_of(curve));
    snprintf(r->hint, REMARK_TEXT_MAX,
             "Make the learning rate smaller, by a factor of 10 to begin with; check that the "
             "update goes against the gradient.");
}

static void remark_exploding(struct vitals *v, const struct curve *curve)
{
    const size_t parameters = v->network->parameter_count;
    double first = 0;
    for (size_t p = 0; p < parameters; p++)
        first += curve->norms[p][0] * curve->norms[p][0];
    double least = first > 1 ? sqrt(first) : 1;
    bool got_worse = curve->diverged || last_of(curve) > curve->loss[0];
    for (size_t i = 1; got_worse && i < curve->count; i++) {
        double squares = 0;
        for (size_t p = 0; p < parameters; p++)
            squares += curve->norms[p][i] * curve->norms[p][i];
        double norm = sqrt(squares);
        if (norm <= EXPLODING * least) continue;
        struct remark *r = add(v, SYMPTOM_EXPLODING_GRADIENTS, REMARK_NO_LAYER, curve->epochs[i]);
        snprintf(r->message, REMARK_TEXT_MAX, "The norm of all gradients together grew from %.3g to %.3g.", sqrt(first),
                 norm);
        snprintf(r->hint, REMARK_TEXT_MAX,
                 "Make the learning rate smaller, clip the gradients, or draw smaller initial "
                 "weights (he_normal, xavier_normal).");
        return;
    }
}

enum { PLACE_TEXT_MAX = 40 };

/* Names the first units of a list: "0, 2, 5 and 7 more". */
static void write_units(const size_t *units, size_t count, char *text, size_t size)
{
    enum { NAMED = 8 };
    size_t used = 0;
    for (size_t i = 0; i < count && i < NAMED; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? ", " : "", units[i]);
    if (count > NAMED) snprintf(text + used, size - used, " and %zu more", count - NAMED);
}

/* "layer 1", "line 3": where something is that is watched. */
static const char *place_of(const struct watched *l, char *text, size_t size)
{
    bool line = l->layer == REMARK_NO_LAYER;
    snprintf(text, size, "%s %zu", line ? "line" : "layer", line ? l->line : l->layer);
    return text;
}

static void remark_dead(struct vitals *v)
{
    for (size_t i = 0; i < v->watched_count; i++) {
        const struct watched *l = &v->watched[i];
        if (l->watch != WATCH_DEAD) continue;
        size_t dead = 0, epoch = NEVER;
        for (size_t j = 0; j < l->units; j++) {
            if (l->since[j] == NEVER) continue;
            l->list[dead++] = j;
            if (l->since[j] < epoch) epoch = l->since[j];
        }
        if (dead == 0) continue;
        struct remark *r = add(v, SYMPTOM_DEAD_RELU, l->layer, epoch);
        char units[120] = "", place[PLACE_TEXT_MAX];
        write_units(l->list, dead, units, sizeof units);
        r->line = l->line;
        r->units = l->list;
        r->unit_count = dead;
        snprintf(r->message, REMARK_TEXT_MAX,
                 "%zu of the %zu ReLUs of %s (unit%s %s) %s 0 %s: no "
                 "gradient goes through, so what leads into %s is not learnt.",
                 dead, l->units, place_of(l, place, sizeof place), dead > 1 ? "s" : "", units, dead > 1 ? "are" : "is",
                 l->line > 0 ? "in every row" : "on every sample", dead > 1 ? "them" : "it");
        snprintf(r->hint, REMARK_TEXT_MAX,
                 "Try a smaller learning rate, another seed, more units, or leaky_relu, whose "
                 "gradient is never 0.");
    }
}

static void remark_saturated(struct vitals *v)
{
    for (size_t i = 0; i < v->watched_count; i++) {
        const struct watched *l = &v->watched[i];
        if (l->watch != WATCH_SATURATED || l->saturated_since == NEVER) continue;
        char place[PLACE_TEXT_MAX];
        struct remark *r = add(v, SYMPTOM_SATURATED, l->layer, l->saturated_since);
        r->line = l->line;
        snprintf(r->message, REMARK_TEXT_MAX,
                 "The outputs of %s (%s) are at the function's limits %s, where its derivative is almost 0.",
                 place_of(l, place, sizeof place), l->nodes[0]->op->name,
                 l->line > 0 ? "nearly everywhere" : "on nearly all samples");
        snprintf(r->hint, REMARK_TEXT_MAX,
                 "Draw smaller initial weights (xavier_normal), scale the inputs to about 1, "
                 "or make the learning rate smaller.");
    }
}

/* The root mean square of a gradient's elements at a point. */
static double spread(const struct vitals *v, const struct curve *curve, size_t p, size_t at)
{
    return curve->norms[p][at] / sqrt((double)v->network->graded[p].value->size);
}

static void remark_vanishing(struct vitals *v, const struct curve *curve)
{
    const struct network *network = v->network;
    if (network->numbered_count < 2) return;
    size_t lowest = 0, highest = 0; /* the first parameters of the first and of the last layer that has any */
    while (network->graded[highest].number < network->numbered_count)
        highest++;
    size_t points = 0, first = NEVER;
    double ratio = 0;
    for (size_t i = 0; i < curve->count && i < VANISHING_POINTS; i++) {
        double low = spread(v, curve, lowest, i), high = spread(v, curve, highest, i);
        if (!(low < VANISHING * high)) continue;
        points++;
        if (first != NEVER) continue;
        first = i;
        ratio = low / high;
    }
    if (2 * points <= VANISHING_POINTS) return;
    size_t layer = network->numbered[0];
    struct remark *r = add(v, SYMPTOM_VANISHING_GRADIENTS, layer, curve->epochs[first]);
    snprintf(r->message, REMARK_TEXT_MAX,
             "The gradient of the weight of layer %zu is %.1e times that of the last layer, "
             "element by element: the first layers hardly learn.",
             layer, ratio);
    snprintf(r->hint, REMARK_TEXT_MAX,
             "Use relu or tanh instead of sigmoid in the hidden layers, fewer layers, or "
             "initial weights that keep the scale (he_normal, xavier_normal).");
}

static void remark_plateau(struct vitals *v, const struct curve *curve)
{
    /* One layer has one minimum: there it has arrived. What a program has is not known. */
    if (v->network->program == NULL && v->network->numbered_count < 2) return;
    double last = last_of(curve);
    size_t begin = curve->count;
    while (begin > 0 && fabs(curve->loss[begin - 1] - last) <= PLATEAU * fabs(last))
        begin--;
    if (curve->count - begin < curve->count / 2) return;
    struct remark *r = add(v, SYMPTOM_PLATEAU, REMARK_NO_LAYER, curve->epochs[begin]);
    snprintf(r->message, REMARK_TEXT_MAX, "Since epoch %zu the loss has stayed near %.4g; it began at %.4g.",
             curve->epochs[begin], last, curve->loss[0]);
    snprintf(r->hint, REMARK_TEXT_MAX,
             "The run is stuck, its steps are too small, or this is all that the data gives: try another seed, another "
             "learning "
             "rate, more hidden units, or momentum.");
}

static bool remark_oscillating(struct vitals *v, const struct curve *curve)
{
    size_t turns = 0, first = NEVER, half = curve->count / 2;
    double swing = 0, sum = 0;
    for (size_t i = half > 0 ? half : 1; i + 1 < curve->count; i++) {
        double before = curve->loss[i] - curve->loss[i - 1], after = curve->loss[i + 1] - curve->loss[i];
        swing += fabs(after);
        sum += fabs(curve->loss[i]);
        if (before * after >= 0) continue;
        turns++;
        if (first == NEVER) first = i;
    }
    if (first == NEVER || (double)turns < TURNS * (double)(curve->count - half) || swing < SWING * sum) return false;
    struct remark *r = add(v, SYMPTOM_OSCILLATING, REMARK_NO_LAYER, curve->epochs[first]);
    snprintf(r->message, REMARK_TEXT_MAX, "The loss goes up and down, by %.0f %% of itself from one point to the next.",
             100 * swing / sum);
    snprintf(r->hint, REMARK_TEXT_MAX, "The steps jump over the minimum: make the learning rate smaller.");
    return true;
}

size_t symptoms_judge(struct vitals *v, const struct curve *curve, const struct remark **remarks)
{
    v->count = 0;
    *remarks = v->remarks;
    if (curve->count == 0 && !curve->diverged) return 0;
    if (curve->count == 0) { /* in the middle of the first epoch */
        struct remark *r = add(v, SYMPTOM_DIVERGED, REMARK_NO_LAYER, curve->diverged_at);
        snprintf(r->message, REMARK_TEXT_MAX, "The loss was no longer finite within the first epoch.");
        snprintf(
            r->hint, REMARK_TEXT_MAX,
            "Make the learning rate smaller, by a factor of 10 to begin with, and look for huge numbers in the data.");
        return v->count;
    }
    bool learnt = has_learnt(curve), long_enough = curve->count >= POINTS_NEEDED;
    remark_diverged(v, curve);
    bool diverged = v->count > 0;
    remark_exploding(v, curve);
    bool unlearnt = long_enough && !learnt, stuck = unlearnt && !is_falling(curve);
    if (stuck) remark_dead(v);
    bool dead = v->count > 0 && v->remarks[v->count - 1].symptom == SYMPTOM_DEAD_RELU;
    if (unlearnt) remark_saturated(v);
    if (unlearnt && !dead) remark_vanishing(v, curve);
    if (stuck && !diverged && !remark_oscillating(v, curve)) remark_plateau(v, curve);
    return v->count;
}
