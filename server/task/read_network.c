#include "server/task/read_network.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/ops/ops.h"
#include "server/limits.h"
#include "server/task/code_names.h"
#include "server/task/graded_names.h"
#include "server/task/read_attributes.h"
#include "server/task/read_penalties.h"

_Static_assert(LIMIT_INPUTS <= OP_INPUTS_MAX, "ops have room for all inputs of a layer");

/* ---- ops by name ---- */

static int unknown_op(struct members *r, const char *name, bool loss)
{
    const char *known[64];
    size_t n = 0;
    for (size_t i = 0; ops[i] != NULL && n < sizeof known / sizeof *known; i++)
        if ((ops[i]->kind == OP_LOSS) == loss) known[n++] = ops[i]->name;
    bool other_kind = ops_find(name, !loss) != NULL;
    return error_set(r->error, loss ? CODE_UNKNOWN_LOSS : CODE_UNKNOWN_LAYER, "there is no %s %.*s%s",
                     loss ? "loss" : "layer", LIMIT_NAME, name,
                     other_kind ? (loss ? " (it is a layer)" : " (it is a loss: network.loss)")
                                : members_suggestion(r->arena, name, known, n));
}

static int read_op(struct members *r, const json_t *object, bool loss, const struct op **op)
{
    const char *name = NULL;
    if (members_string(r, object, "type", REQUIRED, &name) != CODE_OK) return r->error->code;
    *op = ops_find(name, loss);
    if (*op != NULL) return CODE_OK;
    unknown_op(r, name, loss);
    return error_at(r->error, "type");
}

/* ---- what a layer takes ---- */

/* The feed of that name, new where it is not there yet; SIZE_MAX where there is no room for one more. What a sample of
 * it is, is read once the layers are. */
static size_t find_feed(struct problem_set *set, const char *name)
{
    struct feed *feeds = (struct feed *)set->definition.feeds; /* this reader's own */
    size_t count = set->definition.feed_count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(feeds[i].name, name) == 0) return i;
    if (count == 1 + LIMIT_FEEDS) return SIZE_MAX;
    feeds[count] = (struct feed){.name = name};
    return set->definition.feed_count++;
}

/* The layer of that name among the first n; NULL where there is none. Two of one name are an error. */
static const struct layer *find_layer(struct members *r, const struct layer *layers, size_t n, const char *name)
{
    const struct layer *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (layers[i].name == NULL || strcmp(layers[i].name, name) != 0) continue;
        if (found != NULL) {
            error_set(r->error, CODE_OUT_OF_RANGE, "two layers before this one are called %.*s", LIMIT_NAME, name);
            return NULL;
        }
        found = &layers[i];
    }
    return found;
}

/* Names that a layer could have taken, for a suggestion. */
static const char *suggest_source(struct members *r, const json_t *root, const struct layer *layers, size_t n,
                                  const char *name)
{
    const json_t *data = json_object_get(root, "data");
    const char **known = arena_array(r->arena, n + json_object_size(data) + 1, sizeof *known);
    size_t count = 0;
    if (known == NULL) return "";
    for (size_t i = 0; i < n; i++)
        if (layers[i].name != NULL) known[count++] = layers[i].name;
    for (void *at = json_object_iter((json_t *)data); at != NULL; at = json_object_iter_next((json_t *)data, at))
        if (!loss_is_target(json_object_iter_key(at))) known[count++] = json_object_iter_key(at);
    return members_suggestion(r->arena, name, known, count);
}

/* x is a member even where it is missing, for which read_batch has a word. */
static bool is_member(const json_t *root, const char *name)
{
    return strcmp(name, "x") == 0 || json_object_get(json_object_get(root, "data"), name) != NULL;
}

/* Whether the n-th layer itself, or one behind it, has that name. */
static bool comes_later(const json_t *root, size_t n, const char *name)
{
    const json_t *layers = json_object_get(json_object_get(root, "network"), "layers");
    for (size_t i = n; i < json_array_size(layers); i++) {
        const char *other = json_string_value(json_object_get(json_array_get(layers, i), "name"));
        if (other != NULL && strcmp(other, name) == 0) return true;
    }
    return false;
}

/* One of a layer's inputs. */
static int read_source(struct members *r, const json_t *root, struct problem_set *set, const struct layer *layers,
                       size_t n, const json_t *value, struct source *source)
{
    if (!json_is_string(value))
        return error_set(r->error, CODE_WRONG_TYPE, "an input must be the name of a layer or of a member of data");
    const char *name = json_string_value(value);
    *source = (struct source){.layer = find_layer(r, layers, n, name)};
    if (r->error->code != CODE_OK) return r->error->code;
    bool member = is_member(root, name);
    if (source->layer != NULL && member)
        return error_set(r->error, CODE_OUT_OF_RANGE,
                         "both a layer and a member of data are called %.*s: the layer needs another name", LIMIT_NAME,
                         name);
    if (source->layer != NULL) return CODE_OK;
    /* A network that takes the target has nothing to learn. */
    if (loss_is_target(name))
        return error_set(r->error, CODE_OUT_OF_RANGE, "y and upstream are the target, which cannot be an input");
    if (!member && comes_later(root, n, name))
        return error_set(r->error, CODE_OUT_OF_RANGE, "a layer takes what comes before it: %.*s does not", LIMIT_NAME,
                         name);
    if (!member)
        return error_set(r->error, CODE_OUT_OF_RANGE, "no layer before this one and no member of data is called %.*s%s",
                         LIMIT_NAME, name, suggest_source(r, root, layers, n, name));
    source->feed = find_feed(set, name);
    if (source->feed != SIZE_MAX) return CODE_OK;
    return error_set(r->error, CODE_OUT_OF_RANGE, "layers take more than %d members of data besides x", LIMIT_FEEDS);
}

static int read_inputs(struct members *r, const json_t *root, const json_t *object, struct problem_set *set,
                       struct layer *layers, size_t n)
{
    const json_t *list;
    if (members_member(r, object, "inputs", OPTIONAL, &list) != CODE_OK || list == NULL) return r->error->code;
    size_t count = json_array_size(list);
    if (!json_is_array(list) || document_numbers(r->document, list) != NULL || count == 0 || count > LIMIT_INPUTS) {
        error_set(r->error, CODE_WRONG_TYPE, "inputs must be an array of 1 to %d names", LIMIT_INPUTS);
        return error_at(r->error, "inputs");
    }
    struct source *sources = arena_array(r->arena, count, sizeof *sources);
    if (sources == NULL) return members_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        if (read_source(r, root, set, layers, n, json_array_get(list, i), &sources[i]) != CODE_OK) {
            error_at_index(r->error, i);
            return error_at(r->error, "inputs");
        }
    layers[n].inputs = sources;
    layers[n].input_count = count;
    return CODE_OK;
}

/* The layer whose parameters it uses. */
static int read_shares(struct members *r, const json_t *object, struct layer *layers, size_t n)
{
    const char *name = NULL;
    if (members_string(r, object, "shares", OPTIONAL, &name) != CODE_OK || name == NULL) return r->error->code;
    const struct op *op = layers[n].op;
    if (op_parameters(op) == 0) {
        error_set(r->error, CODE_OUT_OF_RANGE, "a layer of type %s has no parameters to share", op->name);
        return error_at(r->error, "shares");
    }
    const struct layer *owner = find_layer(r, layers, n, name);
    if (owner == NULL && r->error->code == CODE_OK)
        error_set(r->error, CODE_OUT_OF_RANGE, "no layer before this one is called %.*s%s", LIMIT_NAME, name,
                  suggest_source(r, NULL, layers, n, name));
    else if (owner != NULL && owner->op != op)
        error_set(r->error, CODE_OUT_OF_RANGE, "%.*s is a layer of type %s: one of type %s cannot share its parameters",
                  LIMIT_NAME, name, owner->op->name, op->name);
    layers[n].shares = owner;
    return r->error->code != CODE_OK ? error_at(r->error, "shares") : CODE_OK;
}

/* A layer that shares has from the other one what it does not say itself; but sizes that follow from the parameters. */
static int read_layer_attributes(struct members *r, const json_t *object, struct layer *layer)
{
    static const char *const others[] = {"type", "name", "inputs", "shares", NULL};
    if (layer->shares == NULL) return read_attributes(r, object, layer->op->attributes, others, layer->attributes);
    struct attribute list[OP_ATTRIBUTES_MAX + 1];
    memcpy(list, layer->op->attributes, sizeof list);
    for (size_t i = 0; attribute_stands(&list[i]); i++) {
        list[i].required = false;
        if (!attribute_is_size(&list[i]) || !list[i].follows) list[i].fallback = layer->shares->attributes[i];
    }
    return read_attributes(r, object, list, others, layer->attributes);
}

/* Whether a layer says nothing of what it takes or shares: nearly all do not, and a look at the names of its members is
 * much cheaper than to look these two up. */
static bool stands_in_line(const json_t *object)
{
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        const char *key = json_object_iter_key(at);
        if (strcmp(key, "inputs") == 0 || strcmp(key, "shares") == 0) return false;
    }
    return true;
}

static int read_layer(struct members *r, const json_t *root, const json_t *object, struct problem_set *set,
                      struct layer *layers, size_t n)
{
    struct layer *layer = &layers[n];
    if (!json_is_object(object)) return error_set(r->error, CODE_WRONG_TYPE, "a layer must be an object with a type");
    if (read_op(r, object, false, &layer->op) != CODE_OK) return r->error->code;
    if (members_string(r, object, "name", OPTIONAL, &layer->name) != CODE_OK) return r->error->code;
    if (layer->name != NULL && (layer->name[0] == '\0' || strlen(layer->name) > LIMIT_NAME)) {
        error_set(r->error, CODE_OUT_OF_RANGE, "the name of a layer has 1 to %d bytes", LIMIT_NAME);
        return error_at(r->error, "name");
    }
    bool in_line = stands_in_line(object);
    if (!in_line && read_shares(r, object, layers, n) != CODE_OK) return r->error->code;
    if (read_layer_attributes(r, object, layer) != CODE_OK) return r->error->code;
    return in_line ? CODE_OK : read_inputs(r, root, object, set, layers, n);
}

static int read_layers(struct members *r, const json_t *root, const json_t *network, struct problem_set *set)
{
    const json_t *layers;
    if (members_member(r, network, "layers", REQUIRED, &layers) != CODE_OK) return r->error->code;
    const struct numbers *numbers = document_numbers(r->document, layers);
    /* [] is an array of no numbers too; [[]] and [[1],[2,3]] are arrays of other things than layers. */
    bool none = numbers != NULL && !numbers->ragged && numbers->tensor.shape.rank == 1 && numbers->tensor.size == 0;
    if (!json_is_array(layers) || (numbers != NULL && !none)) {
        error_set(r->error, CODE_WRONG_TYPE, "layers must be an array of objects");
        return error_at(r->error, "layers");
    }
    size_t count = none ? 0 : json_array_size(layers);
    if (count > LIMIT_LAYERS) {
        error_set(r->error, CODE_OUT_OF_RANGE, "the network has %zu layers, at most %d are taken", count, LIMIT_LAYERS);
        return error_at(r->error, "layers");
    }
    struct layer *list = arena_zeroed(r->arena, count, sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        if (read_layer(r, root, json_array_get(layers, i), set, list, i) != CODE_OK) {
            error_at_index(r->error, i);
            return error_at(r->error, "layers");
        }
    set->definition.layers = list;
    set->definition.layer_count = count;
    return CODE_OK;
}

/* What arrives at the output is no mean of anything, so that there is nothing to choose with `upstream`. */
static bool is_reduced(const struct op *loss)
{
    return loss->target != TARGET_UPSTREAM;
}

static int read_loss_object(struct members *r, const json_t *loss, struct definition *definition)
{
    static const char *const others[] = {"type", "scale", "l2", "l1", "reduction", NULL};
    static const char *const of_upstream[] = {"type", "scale", "l2", "l1", NULL};
    const struct op **op = &definition->loss.op;
    double *attributes = definition->loss.attributes;
    if (read_op(r, loss, true, op) != CODE_OK || *op == NULL) return r->error->code;
    if (read_attributes(r, loss, (*op)->attributes, is_reduced(*op) ? others : of_upstream, attributes) != CODE_OK)
        return r->error->code;
    int reduction = REDUCTION_MEAN;
    if (members_choice(r, loss, "reduction", OPTIONAL, reduction_names, &reduction) != CODE_OK) return r->error->code;
    attributes[LOSS_REDUCTION] = reduction;
    if (members_number(r, loss, "scale", OPTIONAL, &attributes[LOSS_SCALE]) != CODE_OK) return r->error->code;
    if (attributes[LOSS_SCALE] > 0) return read_penalties(r, loss, definition);
    error_set(r->error, CODE_OUT_OF_RANGE, "scale is %.17g, it must be greater than 0", attributes[LOSS_SCALE]);
    return error_at(r->error, "scale");
}

static int read_loss(struct members *r, const json_t *network, struct definition *definition)
{
    double *attributes = definition->loss.attributes;
    const json_t *loss;
    attributes[LOSS_SCALE] = 1;
    if (members_member(r, network, "loss", REQUIRED, &loss) != CODE_OK) return r->error->code;
    if (json_is_string(loss)) {
        const struct op *op = ops_find(json_string_value(loss), true);
        definition->loss.op = op;
        if (op == NULL) unknown_op(r, json_string_value(loss), true);
        if (op != NULL) read_no_attributes(op->attributes, attributes);
    } else if (!json_is_object(loss)) {
        error_set(r->error, CODE_WRONG_TYPE, "loss must be a name or an object with a type");
    } else {
        read_loss_object(r, loss, definition);
    }
    if (r->error->code != CODE_OK) return error_at(r->error, "loss");
    const struct op *op = definition->loss.op;
    if (op != NULL && !is_reduced(op)) attributes[LOSS_REDUCTION] = REDUCTION_SUM;
    return CODE_OK;
}

/* `input`: the shape of one sample, or the length of a vector. */
static int read_input(struct members *r, const json_t *network, struct shape *input)
{
    const json_t *member;
    if (members_member(r, network, "input", REQUIRED, &member) != CODE_OK) return r->error->code;
    const struct numbers *numbers = document_numbers(r->document, member);
    if (numbers == NULL || numbers->tensor.shape.rank == 0) {
        double length = 0;
        if (!json_is_number(member) && (numbers == NULL || numbers->ragged)) {
            error_set(r->error, CODE_WRONG_TYPE, "input must be the length of a sample, or its shape as an array");
            return error_at(r->error, "input");
        }
        if (members_size(r, network, "input", REQUIRED, 1, SIZE_MOST, &length) != CODE_OK) return r->error->code;
        *input = shape_of(1, (size_t[]){(size_t)length});
        return CODE_OK;
    }
    const struct tensor *dims;
    if (members_tensor(r, network, "input", &dims) != CODE_OK) return r->error->code;
    if (dims->shape.rank != 1 || dims->size == 0 || dims->size >= TENSOR_RANK_MAX) {
        error_set(r->error, CODE_OUT_OF_RANGE, "input must be an array of 1 to %d sizes", TENSOR_RANK_MAX - 1);
        return error_at(r->error, "input");
    }
    input->rank = dims->size;
    for (size_t i = 0; i < dims->size; i++) {
        double size = dims->data[i];
        if (!(size >= 1 && size <= SIZE_MOST && size == floor(size))) {
            error_set(r->error, CODE_OUT_OF_RANGE, "a size of input is %.17g, it must be a whole number from 1", size);
            error_at_index(r->error, i);
            return error_at(r->error, "input");
        }
        input->dim[i] = (size_t)size;
    }
    return CODE_OK;
}

/* Builds the network; anew where penalties are given by the names that its parameters have only then. */
static int build(struct members *r, const json_t *network, struct problem_set *set)
{
    const json_t *loss = json_object_get(network, "loss");
    if (network_build(r->arena, &set->definition, set->batch, &set->network, r->error) != CODE_OK)
        return error_at(r->error, "network");
    set->names = graded_names(r, set->problem.convention, &set->renames, &set->network);
    if (r->error->code != CODE_OK || !penalties_are_named(loss)) return r->error->code;
    size_t count = set->network.parameter_count;
    if (read_named_penalties(r, loss, set->names, count, &set->definition) != CODE_OK)
        error_at(r->error, "loss");
    else
        network_build(r->arena, &set->definition, set->batch, &set->network, r->error);
    return r->error->code != CODE_OK ? error_at(r->error, "network") : CODE_OK;
}

static int name_graded(struct members *r, struct problem_set *set)
{
    set->shapes = arena_array(r->arena, set->network.graded_count, sizeof *set->shapes);
    set->problem.given = arena_zeroed(r->arena, set->network.graph.value_count, sizeof *set->problem.given);
    if (set->shapes == NULL || set->problem.given == NULL) return members_out_of_memory(r);
    set->problem.network = &set->network;
    set->problem.names = set->names;
    set->problem.shapes = set->shapes;
    return r->error->code;
}

/* ---- gradients of data ---- */

/* Whether a request asks for the gradient of a feed: it hands one in, or says what it is worth. */
static int read_wanted(struct members *r, const json_t *root, const struct problem_set *set, struct feed *feed)
{
    const char *name = renames_client(&set->renames, feed->name);
    bool named = false;
    if (!code_names(r->arena, json_string_value(json_object_get(root, "backward")), &name, 1, &named))
        return members_out_of_memory(r);
    feed->wanted = json_object_get(json_object_get(root, "points"), name) != NULL || named ||
                   graded_is_wanted(r, set->problem.convention, &set->renames, &set->definition, feed,
                                    json_object_get(root, "gradients"));
    return r->error->code;
}

/* How many samples `data.x` seems to have: 1 where that cannot be told. read_batch has a word for that, once the
 * network is known to be right. */
static size_t guess_batch(const struct members *r, const json_t *root, const struct problem_set *set)
{
    const json_t *x = json_object_get(json_object_get(root, "data"), "x");
    const struct numbers *numbers = x != NULL ? document_numbers(r->document, x) : NULL;
    const struct shape *sample = &set->definition.feeds[0].sample;
    if (numbers == NULL || numbers->ragged) return 1;
    size_t batch = 1, elements;
    if (numbers->tensor.shape.rank == sample->rank + 1)
        batch = numbers->tensor.shape.dim[set->problem.convention == CONVENTION_COLUMNS ? sample->rank : 0];
    else if (set->problem.loose && shape_size(sample, &elements) && elements > 0)
        batch = numbers->tensor.size / elements;
    return batch > 0 ? batch : 1;
}

/* What a sample of each member of `data` is that layers take besides x: the batch is the first axis, in columns the
 * last. Where axes of length 1 may be missing, that of a batch of one may. */
static int read_samples(struct members *r, const json_t *root, struct problem_set *set)
{
    const json_t *data = json_object_get(root, "data");
    struct feed *feeds = (struct feed *)set->definition.feeds; /* this reader's own */
    bool columns = set->problem.convention == CONVENTION_COLUMNS;
    for (size_t i = 1; i < set->definition.feed_count; i++) {
        const struct tensor *given;
        struct shape *sample = &feeds[i].sample;
        if (members_tensor(r, data, feeds[i].name, &given) != CODE_OK) return r->error->code;
        if (given->size == 0) {
            error_set(r->error, CODE_OUT_OF_RANGE, "data.%.*s is empty", LIMIT_NAME, feeds[i].name);
            return error_at(r->error, feeds[i].name);
        }
        size_t axis = columns ? given->shape.rank - 1 : 0;
        bool without =
            set->problem.loose && set->batch == 1 && given->shape.dim[axis] != 1 && given->shape.rank < TENSOR_RANK_MAX;
        sample->rank = given->shape.rank - !without;
        memcpy(sample->dim, given->shape.dim + (without || columns ? 0 : 1), sample->rank * sizeof sample->dim[0]);
    }
    return CODE_OK;
}

/* How tensors are named and laid out. */
static int read_layout(struct members *r, const json_t *root, struct problem_set *set)
{
    static const char *const shapes[] = {"strict", "loose", NULL};
    int convention = CONVENTION_NUMPY, loose = 0;
    if (members_choice(r, root, "convention", OPTIONAL, convention_names, &convention) != CODE_OK)
        return r->error->code;
    if (members_choice(r, root, "shapes", OPTIONAL, shapes, &loose) != CODE_OK) return r->error->code;
    set->problem.convention = (enum convention)convention;
    set->problem.loose = loose == 1;
    return renames_read(r, root, &set->renames);
}

int read_network(struct members *r, const json_t *root, struct problem_set *set)
{
    static const char *const known[] = {"input", "layers", "loss", NULL};
    if (read_layout(r, root, set) != CODE_OK) return r->error->code;
    const json_t *network = NULL;
    if (members_object(r, root, "network", REQUIRED, &network) != CODE_OK) return r->error->code;
    size_t members = json_object_size(json_object_get(root, "data"));
    struct feed *feeds = arena_array(r->arena, 1 + (members < LIMIT_FEEDS ? members : LIMIT_FEEDS), sizeof *feeds);
    if (feeds == NULL) return members_out_of_memory(r);
    feeds[0] = (struct feed){.name = "x"};
    set->definition.feeds = feeds;
    set->definition.feed_count = 1;
    if (members_known(r, network, known) != CODE_OK || read_input(r, network, &feeds[0].sample) != CODE_OK ||
        read_layers(r, root, network, set) != CODE_OK || read_loss(r, network, &set->definition) != CODE_OK)
        return error_at(r->error, "network");
    set->batch = guess_batch(r, root, set);
    if (read_samples(r, root, set) != CODE_OK) return error_at(r->error, "data");
    for (size_t i = 0; i < set->definition.feed_count; i++)
        if (read_wanted(r, root, set, &feeds[i]) != CODE_OK) return r->error->code;
    if (build(r, network, set) != CODE_OK) return r->error->code;
    return name_graded(r, set);
}
