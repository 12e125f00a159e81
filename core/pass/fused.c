#include "core/pass/fused.h"

#include "core/graph/network.h"
#include "core/ops/elementwise.h"

static bool small(size_t n)
{
    return n <= SEQUENCE_ELEMENTS_MAX;
}

/* One node; false where it cannot be a step. Offsets of parameters are counted as they come. */
static bool add_node(const struct network *network, size_t i, struct sequence *sequence)
{
    const struct node *node = &network->nodes[i];
    const struct op *op = node->layer->op;
    if (!small(node->in_size) || !small(node->out_size) || !small(sequence->batch * node->in_size) ||
        !small(sequence->batch * node->out_size))
        return false;
    if (op->plain == PLAIN_SAME) return true;
    if (sequence->step_count == SEQUENCE_STEPS_MAX) return false;
    struct sequence_step *step = &sequence->steps[sequence->step_count++];
    unsigned elements = sequence->batch * (unsigned)node->out_size;
    if (op->plain == PLAIN_LINEAR) {
        unsigned in = (unsigned)node->in.dim[node->in.rank - 1], out = (unsigned)node->out.dim[node->out.rank - 1];
        *step = (struct sequence_step){
            .linear = true, .rows = elements / out, .in = in, .out = out, .weight = sequence->parameters};
        if (!small((size_t)in * out)) return false;
        sequence->parameters += in * out;
        step->bias = node->parameters[1] != PARAMETER_NONE ? sequence->parameters : SEQUENCE_NONE;
        if (step->bias != SEQUENCE_NONE) sequence->parameters += out;
    } else {
        unsigned width = (unsigned)node->out_size;
        *step = (struct sequence_step){.rows = sequence->batch,
                                       .in = width,
                                       .out = width,
                                       .kinked = op->kink == KINK_INPUT,
                                       .kink_at = op->kink_at};
        if (!elementwise_map(op, node->layer->attributes, &step->f, &step->attribute)) return false;
        if (op->kink != KINK_NONE && op->kink != KINK_INPUT) return false;
        if (step->kinked) sequence->sides += elements;
    }
    sequence->outputs += elements;
    if (elements > sequence->widest) sequence->widest = elements;
    return small(sequence->outputs) && small(sequence->parameters);
}

static bool add_loss(const struct network *network, struct sequence *sequence)
{
    const struct layer *loss = &network->definition->loss;
    const struct op *op = loss->op;
    bool probabilities = op->on_probabilities != NULL && op->on_probabilities(loss->attributes);
    sequence->kinked_error = op->kink == KINK_ERROR;
    if (op->plain == PLAIN_SOFTMAX_CROSS_ENTROPY) {
        sequence->softmax = !probabilities || network_joins(network);
        sequence->on_probabilities = !sequence->softmax;
        sequence->loss = LOSS_cross_entropy;
        return true;
    }
    sequence->on_probabilities = probabilities;
    sequence->loss = op->loss;
    sequence->loss_attribute = loss->attributes[0];
    return op->forward == elementwise_loss_forward && op->kink != KINK_MARGIN && op->kink != KINK_INPUT;
}

bool sequence_of(const struct network *network, size_t batch, struct sequence *sequence)
{
    if (batch == 0 || !small(batch) || !small(network->input_size) || !small(batch * network->input_size)) return false;
    *sequence = (struct sequence){.batch = (unsigned)batch,
                                  .input = (unsigned)network->input_size,
                                  .scale = network_scale(network, batch),
                                  .l2 = network->definition->l2,
                                  .work = network->work * (double)batch / 3};
    if (!add_loss(network, sequence)) return false;
    size_t nodes = network->node_count - network_joins(network);
    for (size_t i = 0; i < nodes; i++)
        if (network->nodes[i].input != (i == 0 ? NODE_INPUT : i - 1) || !add_node(network, i, sequence)) return false;
    sequence->output = (unsigned)network_output(network)->out_size;
    if (sequence->kinked_error) sequence->sides += sequence->batch * sequence->output;
    return sequence->step_count > 0;
}
