#include "core/graph/network.h"

#include <string.h>

const char *const reduction_names[] = {"mean", "sum", "batchmean", NULL};

/* More elements than that in one sample or parameter cannot be meant; keeps every product of a few sizes
 * within 64 bits. */
#define ELEMENTS_MAX ((size_t)1 << 40)

static int check_size(const struct shape *shape, const char *what, size_t *size, struct error *error)
{
    char text[SHAPE_TEXT_MAX];
    for (size_t i = 0; i < shape->rank; i++)
        if (shape->dim[i] == 0)
            return error_set(error, CODE_OUT_OF_RANGE, "%s of shape %s has no elements", what, shape_text(shape, text));
    if (!shape_size(shape, size) || *size > ELEMENTS_MAX)
        return error_set(error, CODE_OUT_OF_RANGE, "%s of shape %s is too large", what, shape_text(shape, text));
    return CODE_OK;
}

/* Enters the parameters that a plan asks for, and counts their layer where there are any. */
static int add_parameters(struct network *network, size_t node, const struct op_plan *plan, struct error *error)
{
    const struct op *op = network->nodes[node].layer->op;
    bool any = false;
    for (size_t r = 0; r < OP_PARAMETERS_MAX; r++) {
        network->nodes[node].parameters[r] = PARAMETER_NONE;
        if (op->parameters[r].symbol == NULL || !plan->has[r]) continue;
        if (!any) network->numbered[network->numbered_count++] = node;
        any = true;
        struct parameter *p = &network->parameters[network->parameter_count];
        *p = (struct parameter){
            .node = node, .number = network->numbered_count, .role = &op->parameters[r], .shape = plan->parameters[r]};
        if (check_size(&p->shape, op->parameters[r].member, &p->size, error) != CODE_OK) return error->code;
        network->parameter_elements += p->size;
        network->nodes[node].parameters[r] = network->parameter_count++;
    }
    return CODE_OK;
}

static int add_node(struct network *network, size_t i, const struct shape *in, size_t in_size, struct error *error)
{
    const struct layer *layer = &network->definition->layers[i];
    struct node *node = &network->nodes[i];
    *node = (struct node){.layer = layer, .input = i == 0 ? NODE_INPUT : i - 1, .in = *in, .in_size = in_size};
    struct op_plan plan = {0};
    if (layer->op->plan(layer->attributes, in, &plan, error) != CODE_OK) return error->code;
    node->out = plan.out;
    network->work += plan.work;
    if (check_size(&node->out, "an output", &node->out_size, error) != CODE_OK) return error->code;
    return add_parameters(network, i, &plan, error);
}

static int add_loss(struct network *network, struct error *error)
{
    const struct layer *loss = &network->definition->loss;
    const struct node *output = network_output(network);
    char text[SHAPE_TEXT_MAX];
    if (loss->op->target != TARGET_LIKE_OUTPUT && output->out.rank != 1)
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "%s needs one score per class, but the network's output has shape %s", loss->op->name,
                         shape_text(&output->out, text));
    struct op_plan plan = {0};
    int code = loss->op->plan(loss->attributes, &output->out, &plan, error);
    network->work += plan.work + 2 * (double)network->parameter_elements;
    return code;
}

int network_build(struct arena *arena, const struct definition *definition, struct network *network,
                  struct error *error)
{
    *network = (struct network){.definition = definition, .node_count = definition->layer_count};
    if (definition->layer_count == 0) {
        error_set(error, CODE_OUT_OF_RANGE, "a network needs at least one layer");
        return error_at(error, "layers");
    }
    network->nodes = arena_array(arena, definition->layer_count, sizeof(struct node));
    network->parameters = arena_array(arena, definition->layer_count, OP_PARAMETERS_MAX * sizeof(struct parameter));
    network->numbered = arena_array(arena, definition->layer_count, sizeof *network->numbered);
    if (network->nodes == NULL || network->parameters == NULL || network->numbered == NULL)
        return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
    if (definition->input.rank >= TENSOR_RANK_MAX) {
        error_set(error, CODE_OUT_OF_RANGE, "input has %zu axes, at most %d are taken", definition->input.rank,
                  TENSOR_RANK_MAX - 1);
        return error_at(error, "input");
    }
    if (check_size(&definition->input, "an input", &network->input_size, error) != CODE_OK)
        return error_at(error, "input");

    const struct shape *in = &definition->input;
    size_t in_size = network->input_size;
    for (size_t i = 0; i < definition->layer_count; i++) {
        if (add_node(network, i, in, in_size, error) != CODE_OK) {
            error_at_index(error, i);
            return error_at(error, "layers");
        }
        in = &network->nodes[i].out;
        in_size = network->nodes[i].out_size;
    }
    if (add_loss(network, error) != CODE_OK) return error_at(error, "loss");
    return CODE_OK;
}

const struct node *network_output(const struct network *network)
{
    return &network->nodes[network->node_count - 1];
}

bool network_joins(const struct network *network)
{
    const struct layer *loss = &network->definition->loss;
    return loss->op->joins != NULL && strcmp(loss->op->joins, network_output(network)->layer->op->name) == 0 &&
           loss->op->joins_when(loss->attributes);
}

double network_scale(const struct network *network, size_t batch)
{
    const struct definition *d = network->definition;
    switch (d->reduction) {
    case REDUCTION_SUM:
        return 1;
    case REDUCTION_BATCHMEAN:
        return 1 / (double)batch;
    case REDUCTION_MEAN:
        break;
    }
    size_t per_sample = d->loss.op->mean_over_batch ? 1 : network_output(network)->out_size;
    return 1 / ((double)batch * (double)per_sample);
}

bool network_takes_classes(const struct network *network, const struct shape *y)
{
    enum target target = network->definition->loss.op->target;
    return target == TARGET_CLASSES || (target == TARGET_CLASSES_OR_SOFT && y->rank == 1);
}

int network_classes(const struct network *network, size_t batch, const double *index, double *to, struct error *error)
{
    size_t classes = network_output(network)->out_size;
    memset(to, 0, batch * classes * sizeof *to);
    for (size_t i = 0; i < batch; i++) {
        /* False for NaN, and before the conversion: a double beyond size_t must not be converted. */
        bool fits = index[i] >= 0 && index[i] < (double)classes && index[i] == (double)(size_t)index[i];
        if (!fits) {
            error_set(error, CODE_OUT_OF_RANGE, "class %.17g is not one of 0 to %zu", index[i], classes - 1);
            return error_at_index(error, i);
        }
        to[i * classes + (size_t)index[i]] = 1;
    }
    return CODE_OK;
}
