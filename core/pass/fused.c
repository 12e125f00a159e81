#include "core/pass/fused.h"

#include "core/graph/network.h"
#include "core/ops/elementwise.h"
#include "core/ops/rows.h"

/* The inputs of an op that is PLAIN_LINEAR. */
enum { X, WEIGHT, BIAS };

static bool small(size_t n)
{
    return n <= FUSED_ELEMENTS_MAX;
}

/* One node; false where it cannot be a step. Offsets of parameters are counted as they come. */
static bool add_node(const struct node *node, struct fused *fused)
{
    const struct op *op = node->op;
    if (!small(node->inputs[0]->size) || !small(node->output->size)) return false;
    if (op->plain == PLAIN_SAME) return true;
    if (fused->step_count == FUSED_STEPS_MAX) return false;
    struct fused_step *step = &fused->steps[fused->step_count++];
    unsigned elements = (unsigned)node->output->size;
    if (op->plain == PLAIN_LINEAR) {
        struct rows in = rows_of(&node->inputs[X]->shape), out = rows_of(&node->output->shape);
        if (!small(in.width * out.width)) return false;
        *step = (struct fused_step){.linear = true,
                                    .rows = (unsigned)out.count,
                                    .in = (unsigned)in.width,
                                    .out = (unsigned)out.width,
                                    .weight = fused->parameters};
        fused->parameters += step->in * step->out;
        step->bias = node->inputs[BIAS] != NULL ? fused->parameters : FUSED_NONE;
        if (step->bias != FUSED_NONE) fused->parameters += step->out;
    } else {
        unsigned width = elements / fused->batch;
        const enum kink kink = op_kink(op, node->attributes);
        *step = (struct fused_step){
            .rows = fused->batch, .in = width, .out = width, .kinked = kink == KINK_INPUT, .kink_at = op->kink_at};
        if (!elementwise_map(op, node->attributes, &step->f, &step->attribute)) return false;
        if (kink != KINK_NONE && kink != KINK_INPUT) return false;
        if (step->kinked) fused->sides += elements;
    }
    fused->outputs += elements;
    if (elements > fused->widest) fused->widest = elements;
    return small(fused->outputs) && small(fused->parameters);
}

/* joined: how the loss is joined with the last layer, or NULL. */
static bool add_loss(const struct node *loss, const struct op_join *joined, struct fused *fused)
{
    const struct op *op = loss->op;
    const enum kink kink = op_kink(op, loss->attributes);
    bool probabilities = op->on_probabilities != NULL && op->on_probabilities(loss->attributes);
    fused->kinked_error = kink == KINK_ERROR;
    if (op->plain == PLAIN_SOFTMAX_CROSS_ENTROPY) {
        fused->softmax = !probabilities || joined != NULL;
        fused->on_probabilities = !fused->softmax;
        fused->loss = LOSS_cross_entropy;
        return true;
    }
    if (joined != NULL) op = joined->instead;
    fused->on_probabilities = probabilities && joined == NULL;
    fused->loss = op->loss;
    fused->loss_attribute = joined != NULL ? joined->attributes[0] : loss->attributes[0];
    return op->forward == elementwise_loss_forward && kink != KINK_MARGIN && kink != KINK_INPUT;
}

bool fused_of(const struct network *network, struct fused *fused)
{
    if (network->program != NULL) return false;
    const struct node *loss = network->loss;
    const struct value *x = network->feeds[0];
    if (!network_is_chain(network) || network->graded_count > network->parameter_count) return false;
    const struct definition *definition = network->definition;
    if (definition->l2_of != NULL || definition->l1_of != NULL || definition->l1 > 0) return false;
    if (network->batch == 0 || !small(network->batch) || !small(x->size)) return false;
    const struct op_join *join = loss->op->join != NULL ? loss->op->join(loss->attributes) : NULL;
    if (join != NULL && network->output->made_by->op != join->before) join = NULL;
    *fused = (struct fused){.batch = (unsigned)network->batch,
                            .input = (unsigned)network_sample_size(network, x),
                            .scale = loss_factor(loss->op, loss->attributes, &network->output->shape),
                            .l2 = definition->l2,
                            .work = network->work / 3};
    if (!add_loss(loss, join, fused)) return false;
    size_t steps = network->definition->layer_count - (join != NULL);
    for (size_t i = 0; i < steps; i++)
        if (!add_node(network->layers[i], fused)) return false;
    fused->output = (unsigned)network_sample_size(network, network->output);
    if (fused->kinked_error) fused->sides += fused->batch * fused->output;
    return fused->step_count > 0;
}
