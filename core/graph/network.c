#include "core/graph/network.h"

#include <string.h>

#include "core/ops/ops.h"

/* ---- the data ---- */

static int give_feed(struct network *network, size_t i, struct error *error)
{
    const struct feed *feed = &network->definition->feeds[i];
    char text[SHAPE_TEXT_MAX];
    struct shape shape = {.rank = feed->sample.rank + 1, .dim = {network->batch}};
    if (feed->sample.rank >= TENSOR_RANK_MAX)
        return error_set(error, CODE_OUT_OF_RANGE, "input has %zu axes, at most %d are taken", feed->sample.rank,
                         TENSOR_RANK_MAX - 1);
    for (size_t axis = 0; axis < feed->sample.rank; axis++) {
        shape.dim[axis + 1] = feed->sample.dim[axis];
        if (feed->sample.dim[axis] == 0)
            return error_set(error, CODE_OUT_OF_RANGE, "an input of shape %s has no elements",
                             shape_text(&feed->sample, text));
    }
    int code = graph_give(&network->graph, VALUE_DATA, feed->name, &shape, "an input", &network->feeds[i], error);
    if (code == CODE_OK) network->feeds[i]->differentiated = feed->wanted;
    return code;
}

static int give_feeds(struct network *network, struct error *error)
{
    const struct definition *definition = network->definition;
    network->feeds = arena_array(network->graph.arena, definition->feed_count, sizeof *network->feeds);
    if (network->feeds == NULL) return error_out_of_memory(error);
    for (size_t i = 0; i < definition->feed_count; i++)
        if (give_feed(network, i, error) != CODE_OK) return i == 0 ? error_at(error, "input") : error->code;
    return CODE_OK;
}

/* ---- a layer ---- */

/* What goes into a layer, by input, and how many that is. */
struct inputs {
    struct value **values;
    const struct shape **shapes;
    size_t count, given; /* given: inputs that are no parameters */
};

static const struct value *value_of(const struct network *network, size_t layer)
{
    return layer == 0 ? network->feeds[0] : network->layers[layer - 1]->output;
}

/* The inputs that are values: those named, or what comes before. */
static int take_values(const struct network *network, size_t i, struct inputs *inputs, struct error *error)
{
    const struct layer *layer = &network->definition->layers[i], *all = network->definition->layers;
    size_t least, most;
    op_inputs(layer->op, &least, &most);
    inputs->given = layer->inputs != NULL ? layer->input_count : 1;
    if (inputs->given < least || inputs->given > most) {
        error_set(error, CODE_OUT_OF_RANGE, "%s takes %s%zu input%s, here it has %zu", layer->op->name,
                  most > least ? "at least " : "", least, least > 1 ? "s" : "", inputs->given);
        return error_at(error, "inputs");
    }
    inputs->count = inputs->given + op_parameters(layer->op);
    inputs->values = arena_zeroed(network->graph.arena, inputs->count, sizeof *inputs->values);
    inputs->shapes = arena_zeroed(network->graph.arena, inputs->count, sizeof *inputs->shapes);
    if (inputs->values == NULL || inputs->shapes == NULL) return error_out_of_memory(error);
    for (size_t k = 0, at = 0; k < inputs->count && at < inputs->given; k++) {
        if (op_slot(layer->op, k)->role != SLOT_INPUT) continue;
        const struct source *source = layer->inputs != NULL ? &layer->inputs[at] : NULL;
        const struct value *value = source == NULL          ? value_of(network, i)
                                    : source->layer != NULL ? network->layers[source->layer - all]->output
                                                            : network->feeds[source->feed];
        inputs->values[k] = (struct value *)value;
        inputs->shapes[k] = &value->shape;
        at++;
    }
    return CODE_OK;
}

/* Parameters of the layer that this one shares with. */
static void take_shared(const struct network *network, const struct layer *layer, struct inputs *inputs)
{
    const struct node *owner = network->layers[layer->shares - network->definition->layers];
    for (size_t k = 0; k < inputs->count && k < owner->input_count; k++) {
        if (op_slot(layer->op, k)->role != SLOT_PARAMETER || owner->inputs[k] == NULL) continue;
        if (layer->op->shares != NULL && !layer->op->shares(layer->attributes, layer->shares->attributes, k)) continue;
        inputs->values[k] = owner->inputs[k];
        inputs->shapes[k] = &owner->inputs[k]->shape;
    }
}

/* One parameter of the layer's own. */
static int give_parameter(struct network *network, size_t i, size_t k, const struct op_plan *plan,
                          struct inputs *inputs, bool *any, struct error *error)
{
    const struct slot *slot = op_slot(network->definition->layers[i].op, k);
    struct value *value;
    int code = graph_give(&network->graph, VALUE_PARAMETER, NULL, &plan->parameters[k], slot->member, &value, error);
    if (code != CODE_OK) return code;
    if (!*any) network->numbered[network->numbered_count++] = i;
    *any = true;
    inputs->values[k] = value;
    network->parameter_elements += value->size;
    network->graded[network->parameter_count++] = (struct graded){.value = value,
                                                                  .slot = slot,
                                                                  .input = k,
                                                                  .layer = i,
                                                                  .number = network->numbered_count,
                                                                  .fan_in = plan->fan_in[k],
                                                                  .fan_out = plan->fan_out[k]};
    return CODE_OK;
}

static int does_not_fit(const struct layer *layer, const struct slot *slot, const struct shape *shared,
                        const struct shape *wanted, struct error *error)
{
    char has[SHAPE_TEXT_MAX], wants[SHAPE_TEXT_MAX];
    error_set(error, CODE_SHAPE_MISMATCH, "the %s that this %s shares has shape %s, for its input it must be %s%s",
              slot->member, layer->op->name, shape_text(shared, has), shape_text(wanted, wants),
              slot->product ? " ([in,out])" : "");
    return error_at(error, "shares");
}

/* Takes what the plan asks for of what is shared, and gives the rest: what the layer that it shares with goes without.
 */
static int settle_parameters(struct network *network, size_t i, const struct op_plan *plan, struct inputs *inputs,
                             struct error *error)
{
    const struct layer *layer = &network->definition->layers[i];
    bool any = false;
    for (size_t k = 0; k < inputs->count; k++) {
        const struct slot *slot = op_slot(layer->op, k);
        if (slot->role != SLOT_PARAMETER) continue;
        const struct value *shared = inputs->values[k];
        inputs->values[k] = NULL;
        if (!plan->has[k]) continue;
        if (shared != NULL && !shape_equal(&shared->shape, &plan->parameters[k]))
            return does_not_fit(layer, slot, &shared->shape, &plan->parameters[k], error);
        inputs->values[k] = (struct value *)shared;
        if (shared == NULL && give_parameter(network, i, k, plan, inputs, &any, error) != CODE_OK) return error->code;
    }
    return CODE_OK;
}

static int add_layer(struct network *network, size_t i, struct error *error)
{
    const struct layer *layer = &network->definition->layers[i];
    struct inputs inputs = {0};
    struct op_plan plan;
    if (take_values(network, i, &inputs, error) != CODE_OK) return error->code;
    if (layer->shares != NULL) take_shared(network, layer, &inputs);
    const struct op_shape shape = {
        .op = layer->op, .attributes = layer->attributes, .count = inputs.count, .in = inputs.shapes};
    op_no_plan(&plan);
    if (layer->op->plan(&shape, &plan, error) != CODE_OK) return error->code;
    size_t before = network->parameter_count;
    if (settle_parameters(network, i, &plan, &inputs, error) != CODE_OK) return error->code;
    const struct place place = {.kind = PLACE_LAYER, .layer = i};
    int code = graph_apply(&network->graph, layer->op, layer->attributes, inputs.values, inputs.count, &plan, place,
                           &network->layers[i], error);
    for (size_t p = before; code == CODE_OK && p < network->parameter_count; p++)
        network->graded[p].node = network->layers[i];
    return code;
}

/* ---- the loss ---- */

static int add_loss(struct network *network, struct error *error)
{
    const struct layer *loss = &network->definition->loss;
    struct graph *graph = &network->graph;
    struct value *inputs[] = {network->output, NULL};
    const struct shape *shapes[] = {&network->output->shape, &network->output->shape};
    const struct op_shape shape = {.op = loss->op, .attributes = loss->attributes, .count = 2, .in = shapes};
    struct op_plan plan;
    op_no_plan(&plan);
    if (loss->op->plan(&shape, &plan, error) != CODE_OK) return error->code;
    int code = graph_give(graph, VALUE_DATA, loss_target(loss->op), &network->output->shape, "a target",
                          &network->target, error);
    inputs[LOSS_TARGET] = network->target;
    const struct place place = {.kind = PLACE_LOSS};
    if (code == CODE_OK)
        code = graph_apply(graph, loss->op, loss->attributes, inputs, 2, &plan, place, &network->loss, error);
    if (code != CODE_OK) return code;
    return graph_add_term(graph, network->loss->output) ? CODE_OK : error_out_of_memory(error);
}

/* A term of the loss for one parameter. */
static int add_penalty(struct network *network, const struct op *op, const double *lambda, struct value *value,
                       struct error *error)
{
    const struct shape *shapes[] = {&value->shape};
    const struct op_shape shape = {.op = op, .attributes = lambda, .count = 1, .in = shapes};
    const struct place place = {.kind = PLACE_PENALTY};
    struct op_plan plan;
    struct node *node;
    if (!(*lambda > 0)) return CODE_OK;
    op_no_plan(&plan);
    int code = op->plan(&shape, &plan, error);
    if (code == CODE_OK) code = graph_apply(&network->graph, op, lambda, &value, 1, &plan, place, &node, error);
    if (code != CODE_OK) return code;
    return graph_add_term(&network->graph, node->output) ? CODE_OK : error_out_of_memory(error);
}

static int add_penalties(struct network *network, struct error *error)
{
    const struct definition *definition = network->definition;
    for (size_t p = 0; p < network->parameter_count; p++) {
        struct graded *graded = &network->graded[p];
        bool regularized = graded->slot->regularized;
        graded->l2 = definition->l2_of != NULL ? definition->l2_of[p] : regularized ? definition->l2 : 0;
        graded->l1 = definition->l1_of != NULL ? definition->l1_of[p] : regularized ? definition->l1 : 0;
        if (add_penalty(network, ops_l2_penalty, &graded->l2, graded->value, error) != CODE_OK) return error->code;
        if (add_penalty(network, ops_l1_penalty, &graded->l1, graded->value, error) != CODE_OK) return error->code;
    }
    return CODE_OK;
}

/* ---- the whole ---- */

static bool take_room(struct arena *arena, struct network *network)
{
    const struct definition *definition = network->definition;
    size_t parameters = definition->feed_count;
    for (size_t i = 0; i < definition->layer_count; i++)
        parameters += op_parameters(definition->layers[i].op);
    network->layers = arena_array(arena, definition->layer_count, sizeof *network->layers);
    network->graded = arena_array(arena, parameters, sizeof *network->graded);
    network->numbered = arena_array(arena, definition->layer_count, sizeof *network->numbered);
    return network->layers != NULL && network->graded != NULL && network->numbered != NULL;
}

int network_build(struct arena *arena, const struct definition *definition, size_t batch, struct network *network,
                  struct error *error)
{
    *network = (struct network){.definition = definition, .batch = batch};
    if (definition->layer_count == 0) {
        error_set(error, CODE_OUT_OF_RANGE, "a network needs at least one layer");
        return error_at(error, "layers");
    }
    graph_begin(arena, &network->graph);
    if (!take_room(arena, network)) return error_out_of_memory(error);
    if (give_feeds(network, error) != CODE_OK) return error->code;
    for (size_t i = 0; i < definition->layer_count; i++)
        if (add_layer(network, i, error) != CODE_OK) {
            error_at_index(error, i);
            return error_at(error, "layers");
        }
    network->output = network->layers[definition->layer_count - 1]->output;
    if (add_loss(network, error) != CODE_OK || add_penalties(network, error) != CODE_OK) return error_at(error, "loss");
    network->graded_count = network->parameter_count;
    for (size_t i = 0; i < definition->feed_count; i++)
        if (definition->feeds[i].wanted)
            network->graded[network->graded_count++] =
                (struct graded){.value = network->feeds[i], .layer = definition->layer_count};
    network->work = network->graph.work + 2 * (double)network->parameter_elements;
    return graph_finish(&network->graph) ? CODE_OK : error_out_of_memory(error);
}

struct shape network_sample(const struct value *value)
{
    struct shape sample = {.rank = value->shape.rank > 0 ? value->shape.rank - 1 : 0};
    for (size_t i = 0; i < sample.rank; i++)
        sample.dim[i] = value->shape.dim[i + 1];
    return sample;
}

size_t network_sample_size(const struct network *network, const struct value *value)
{
    return value->size / network->batch;
}

bool network_is_chain(const struct network *network)
{
    for (size_t i = 0; i < network->definition->layer_count; i++) {
        const struct value *before = value_of(network, i);
        const struct node *node = network->layers[i];
        if (node->inputs[0] != before || before->use_count != 1) return false;
        for (size_t k = 1; k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->kind != VALUE_PARAMETER) return false;
        if (network->definition->layers[i].shares != NULL) return false;
    }
    return network->output->use_count == 1;
}

/* Whether all labels are whole numbers from 1 to as many as there are classes: someone counts from 1. */
static bool counted_from_one(const double *index, size_t count, size_t classes)
{
    for (size_t i = 0; i < count; i++)
        if (!(index[i] >= 1 && index[i] <= (double)classes && index[i] == (double)(size_t)index[i])) return false;
    return true;
}

int network_classes(const struct network *network, const double *index, double *to, struct error *error)
{
    size_t classes = network_sample_size(network, network->output);
    memset(to, 0, network->batch * classes * sizeof *to);
    for (size_t i = 0; i < network->batch; i++) {
        /* False for NaN, and before the conversion: a double beyond size_t must not be converted. */
        bool fits = index[i] >= 0 && index[i] < (double)classes && index[i] == (double)(size_t)index[i];
        if (!fits) {
            error_set(error, CODE_OUT_OF_RANGE, "class %.17g is not one of 0 to %zu%s", index[i], classes - 1,
                      counted_from_one(index, network->batch, classes) ? ": labels counted from 1? subtract 1" : "");
            return error_at_index(error, i);
        }
        to[i * classes + (size_t)index[i]] = 1;
    }
    return CODE_OK;
}
