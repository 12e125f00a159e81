#include "core/diagnosis/replay.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/steps.h"

/* Decimal digits of evidence: no coincidence among all slips at all nodes. */
#define DIGITS_NEEDED 10.0

bool replay_new(const struct search *s, const struct problem *problem, const struct given_list *given,
                struct replay *replay)
{
    *replay = (struct replay){.given = given};
    if (!sweep_new(s, problem, &replay->sweep)) return false;
    size_t largest = 1;
    for (size_t v = 0; v < s->network->graph.value_count; v++)
        if (s->network->graph.values[v]->size > largest) largest = s->network->graph.values[v]->size;
    double **const rooms[] = {&replay->room.x, &replay->room.y, &replay->room.dy, &replay->room.dx};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if ((*rooms[i] = arena_doubles(s->arena, largest)) == NULL) return false;
    return true;
}

bool replay_is_place(const struct replay *replay, const struct node *node)
{
    return node == replay->node || (replay->all && node->op == replay->node->op);
}

/* ---- forward ---- */

/* From a node to the end; false where the slip does not apply, or changes nothing. */
static bool go_forward(struct replay *replay, size_t from)
{
    const struct graph *graph = &replay->sweep.s->network->graph;
    bool changed = false;
    for (size_t i = from; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        double *y = sweep_value(&replay->sweep, node->output);
        sweep_forward(&replay->sweep, node);
        if (!replay_is_place(replay, node) || node->output->is_term) continue;
        memcpy(replay->sweep.turned, y, node->output->size * sizeof *y);
        if (!slip_forward(&replay->slip, pass_call(&replay->sweep.pass, node), &replay->room, y)) return false;
        changed = changed || match_differs(node->output->size, replay->sweep.turned, y);
    }
    return changed;
}

/* The activation inside of a loss on logits, as if it were a node. */
static bool call_inside(const struct replay *replay, struct op_call *call)
{
    static const double none[OP_ATTRIBUTES_MAX];
    const struct node *loss = replay->sweep.s->network->loss;
    *call = *pass_call(&replay->sweep.pass, loss);
    if (!loss_takes_logits(loss->op, loss->attributes)) return false;
    call->op = loss->op->goes_with;
    call->attributes = none;
    call->count = 1;
    call->out = call->in[LOSS_PREDICTION];
    call->scalar = NULL;
    return true;
}

/* ---- back ---- */

/* What arrives at the input of an activation that goes with the loss: output minus target. */
static void add_shortcut(const struct replay *replay, const struct node *to, const double *output)
{
    const struct node *loss = replay->sweep.s->network->loss;
    const struct value *at = to->inputs[0];
    const double *target = sweep_value(&replay->sweep, loss->inputs[LOSS_TARGET]);
    double factor = loss_factor(loss->op, loss->attributes, &loss->inputs[LOSS_PREDICTION]->shape);
    for (size_t i = 0; i < at->size; i++)
        replay->sweep.room[i] = factor * (output[i] - target[i]);
    sweep_add(&replay->sweep, to, 0, replay->sweep.room);
}

enum { WAY_SHORTCUT = SLIP_DERIVATIVES, WAYS };

/* Through a layer that the slip was made in: by what was asked for, or by what was done. */
static bool send_layer(const struct replay *replay, const struct node *node, int way)
{
    if (way == SLIP_ASKED_FOR) sweep_send(&replay->sweep, node);
    if (way != SLIP_ITS_OWN) return way == SLIP_ASKED_FOR;
    struct op_call call = *pass_call(&replay->sweep.pass, node);
    call.add = replay->sweep.overwrite;
    for (size_t k = 0; k < node->input_count; k++) {
        if (node->inputs[k] == NULL || sweep_gradient(&replay->sweep, node->inputs[k]) == NULL) continue;
        if (!slip_backward_layer(&replay->slip, k, &call, &replay->room, replay->sweep.turned)) return false;
        sweep_add(&replay->sweep, node, k, replay->sweep.turned);
    }
    return true;
}

/* Through one node on the way back; false where that way does not exist there. */
static bool send(const struct replay *replay, const struct node *node, int way)
{
    const struct network *network = replay->sweep.s->network;
    const struct node *loss = network->loss;
    struct op_call call;
    if (!replay_is_place(replay, node)) {
        sweep_send(&replay->sweep, node);
        return true;
    }
    if (node == loss) { /* what would be the activation's output is made here */
        double *q = replay->room.dy;
        bool made =
            way == WAY_SHORTCUT && call_inside(replay, &call) && slip_forward(&replay->slip, &call, &replay->room, q);
        if (made) add_shortcut(replay, loss, q);
        return made;
    }
    if (node->op->kind != OP_ACTIVATION) return send_layer(replay, node, way);
    if (sweep_gradient(&replay->sweep, node->inputs[0]) == NULL) return true;
    if (way == WAY_SHORTCUT) {
        if (node->output != network->output || loss->op->goes_with != node->op || replay->all) return false;
        add_shortcut(replay, node, sweep_value(&replay->sweep, node->output));
        return true;
    }
    double *dx = replay->sweep.turned;
    if (!slip_backward(&replay->slip, (enum slip_derivative)way, pass_call(&replay->sweep.pass, node), &replay->room,
                       dx))
        return false;
    sweep_add(&replay->sweep, node, 0, dx);
    return true;
}

/* Compares one tensor that is complete; false where it is not what was handed in. */
static bool compare(const struct replay *replay, size_t p, double *digits, double *residual)
{
    const struct search *s = replay->sweep.s;
    const struct observed *o = &s->observed[p];
    double *made = sweep_gradient(&replay->sweep, search_value(s, p));
    if (o->absent) return true;
    if (!search_is_plain(o) || made == NULL) return false;
    search_add_l2(s, p, 1, made);
    struct match match = search_match(s, p, made);
    if (o->failing) *digits += match.digits;
    if (o->failing) *residual = fmax(*residual, match.residual);
    return match.fit != FIT_NONE;
}

static bool go_back(const struct replay *replay, int way, double *residual)
{
    const struct search *s = replay->sweep.s;
    const struct graph *graph = &s->network->graph;
    double digits = 0;
    *residual = 0;
    sweep_clear(&replay->sweep);
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        if (!sweep_counts(&replay->sweep, node)) continue;
        if (!send(replay, node, way)) return false;
        for (size_t k = 0; k < node->input_count; k++) {
            size_t p = step_completes(s, node, k);
            if (p != PARAMETER_NONE && !compare(replay, p, &digits, residual)) return false;
        }
    }
    for (size_t p = 0; p < search_count(s); p++)
        if (s->network->graded[p].slot == NULL && !compare(replay, p, &digits, residual)) return false;
    return digits >= DIGITS_NEEDED;
}

bool replay_explains(struct replay *replay, double *residual)
{
    for (int way = 0; way < WAYS; way++)
        if (go_back(replay, way, residual)) return true;
    return false;
}

/* ---- all slips ---- */

/* All slips at a node; the values before it are the right ones. */
static bool try_node(struct replay *replay, bool (*wanted)(const struct replay *, void *),
                     bool (*fits)(struct replay *, void *), void *with)
{
    const struct search *s = replay->sweep.s;
    size_t from = replay->node->index;
    for (size_t i = 0; replay->all && i < from; i++)
        if (replay_is_place(replay, s->network->graph.nodes[i])) from = i;
    bool inside = replay->node == s->network->loss, ran = false;
    struct op_call call;
    if (inside && !call_inside(replay, &call)) return false;
    for (replay->slip = (struct slip){.kind = SLIP_OVER_BATCH}; !search_looks((struct search *)s);) {
        bool may = wanted(replay, with) &&
                   (inside || slip_applies(&replay->slip, pass_call(&replay->sweep.pass, replay->node)));
        bool made = may && (inside ? replay->slip.kind <= SLIP_OTHER : go_forward(replay, from));
        ran = ran || may;
        if (made && fits(replay, with)) return true;
        if (!slip_next(&replay->slip)) break;
    }
    replay->slip.kind = SLIP_KINDS;
    for (size_t i = from; ran && i < s->network->graph.node_count; i++)
        sweep_forward(&replay->sweep, s->network->graph.nodes[i]);
    return false;
}

bool replay_each(struct replay *replay, bool (*wanted)(const struct replay *, void *),
                 bool (*fits)(struct replay *, void *), void *with)
{
    const struct graph *graph = &replay->sweep.s->network->graph;
    for (int all = 0; all < 2; all++)
        for (size_t i = graph->node_count; i-- > 0;) {
            replay->node = graph->nodes[i];
            replay->all = all > 0;
            bool again = false; /* of several places the first stands for all */
            for (size_t k = i + 1; all > 0 && k < graph->node_count; k++)
                again = again || graph->nodes[k]->op == graph->nodes[i]->op;
            bool several = all == 0;
            for (size_t k = 0; !several && k < i; k++)
                several = graph->nodes[k]->op == graph->nodes[i]->op;
            if (again || !several) continue;
            if (try_node(replay, wanted, fits, with)) return true;
        }
    return false;
}
