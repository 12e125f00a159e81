#include "server/task/read_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/ops.h"
#include "server/limits.h"
#include "server/task/read_attributes.h"

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

/* ---- the network ---- */

static int read_layer(struct members *r, const json_t *object, struct layer *layer)
{
    static const char *const others[] = {"type", "name", NULL};
    if (!json_is_object(object)) return error_set(r->error, CODE_WRONG_TYPE, "a layer must be an object with a type");
    if (read_op(r, object, false, &layer->op) != CODE_OK) return r->error->code;
    if (members_string(r, object, "name", OPTIONAL, &layer->name) != CODE_OK) return r->error->code;
    if (layer->name != NULL && (layer->name[0] == '\0' || strlen(layer->name) > LIMIT_NAME)) {
        error_set(r->error, CODE_OUT_OF_RANGE, "the name of a layer has 1 to %d bytes", LIMIT_NAME);
        return error_at(r->error, "name");
    }
    return read_attributes(r, object, layer->op->attributes, others, layer->attributes);
}

static int read_layers(struct members *r, const json_t *network, struct definition *definition)
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
        if (read_layer(r, json_array_get(layers, i), &list[i]) != CODE_OK) {
            error_at_index(r->error, i);
            return error_at(r->error, "layers");
        }
    definition->layers = list;
    definition->layer_count = count;
    return CODE_OK;
}

static int read_loss(struct members *r, const json_t *network, struct definition *definition)
{
    static const char *const others[] = {"type", "reduction", "l2", NULL};
    const json_t *loss;
    if (members_member(r, network, "loss", REQUIRED, &loss) != CODE_OK) return r->error->code;
    if (json_is_string(loss)) {
        const struct op *op = ops_find(json_string_value(loss), true);
        definition->loss.op = op;
        if (op == NULL) unknown_op(r, json_string_value(loss), true);
        if (op != NULL) read_no_attributes(op->attributes, definition->loss.attributes);
    } else if (!json_is_object(loss)) {
        error_set(r->error, CODE_WRONG_TYPE, "loss must be a name or an object with a type");
    } else if (read_op(r, loss, true, &definition->loss.op) == CODE_OK &&
               read_attributes(r, loss, definition->loss.op->attributes, others, definition->loss.attributes) ==
                   CODE_OK) {
        int reduction = REDUCTION_MEAN;
        if (members_choice(r, loss, "reduction", OPTIONAL, reduction_names, &reduction) == CODE_OK)
            definition->reduction = (enum reduction)reduction;
        members_number(r, loss, "l2", OPTIONAL, &definition->l2);
        if (r->error->code == CODE_OK && definition->l2 < 0) {
            error_set(r->error, CODE_OUT_OF_RANGE, "l2 is %.17g, it must be at least 0", definition->l2);
            error_at(r->error, "l2");
        }
    }
    return r->error->code != CODE_OK ? error_at(r->error, "loss") : CODE_OK;
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

static int compare_names(const void *a, const void *b)
{
    const char *const *const *left = a, *const *const *right = b;
    int order = strcmp(**left, **right);
    return order != 0 ? order : (*left > *right) - (*left < *right); /* of equals the later layer comes second */
}

/* Two parameters of one name would make a report that nobody can read. */
static int check_names(struct members *r, const struct problem_set *set)
{
    size_t count = set->network.parameter_count;
    const char ***sorted = arena_array(r->arena, count, sizeof *sorted);
    if (sorted == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < count; p++)
        sorted[p] = &set->names[p];
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(*sorted[i - 1], *sorted[i]) != 0) continue;
        error_set(r->error, CODE_OUT_OF_RANGE, "two layers would have a parameter %s: layer names must differ",
                  *sorted[i]);
        error_at(r->error, "name");
        error_at_index(r->error, set->network.parameters[sorted[i] - set->names].node);
        error_at(r->error, "layers");
        return error_at(r->error, "network");
    }
    return CODE_OK;
}

static int name_parameters(struct members *r, struct problem_set *set)
{
    size_t count = set->network.parameter_count;
    set->names = arena_array(r->arena, count, sizeof *set->names);
    set->shapes = arena_array(r->arena, count, sizeof *set->shapes);
    set->parameters = arena_array(r->arena, count, sizeof *set->parameters);
    if (set->names == NULL || set->shapes == NULL || set->parameters == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < count; p++) {
        set->names[p] = convention_name(set->convention, &set->network, p, r->arena);
        if (set->names[p] == NULL) return members_out_of_memory(r);
    }
    /* Only pytorch's names hold what a user chose. */
    return set->convention == CONVENTION_PYTORCH ? check_names(r, set) : CODE_OK;
}

int read_network(struct members *r, const json_t *root, struct problem_set *set)
{
    static const char *const known[] = {"input", "layers", "loss", NULL};
    int convention = CONVENTION_NUMPY;
    if (members_choice(r, root, "convention", OPTIONAL, convention_names, &convention) != CODE_OK)
        return r->error->code;
    set->convention = (enum convention)convention;
    const json_t *network = NULL;
    if (members_object(r, root, "network", REQUIRED, &network) != CODE_OK) return r->error->code;
    if (members_known(r, network, known) == CODE_OK && read_input(r, network, &set->definition.input) == CODE_OK &&
        read_layers(r, network, &set->definition) == CODE_OK && read_loss(r, network, &set->definition) == CODE_OK)
        network_build(r->arena, &set->definition, &set->network, r->error);
    if (r->error->code != CODE_OK) return error_at(r->error, "network");
    return name_parameters(r, set);
}
