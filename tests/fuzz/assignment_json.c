/* An assignment as JSON. */
#include <string.h>

#include "tests/fuzz/assignment.h"
#include "tests/fuzz/kinds.h"

static const char *const reductions[] = {NULL, "mean", "sum", "batchmean"};
static const char *const namings[] = {"numpy", "pytorch", "columns", "numpy_out_in"};

/* ---- the network ---- */

static void write_inputs(struct text *text, const struct assignment *a, const struct layer_made *layer)
{
    write_key(text, "inputs");
    text_add(text, "[");
    for (size_t k = 0; k < layer->input_count; k++) {
        struct source_made source = layer->inputs[k];
        if (k > 0) text_add(text, ",");
        write_string(text, source.feed ? a->feeds[source.at].name : a->layers[source.at].name);
    }
    text_add(text, "]");
}

/* What differs from the layer that it shares with, or from what is the case when nothing is said. */
static void write_flag(struct text *text, const char *name, bool value, bool unsaid)
{
    if (value == unsaid) return;
    write_key(text, name);
    text_add(text, value ? "true" : "false");
}

static void write_flags(struct text *text, const struct assignment *a, const struct layer_made *layer)
{
    const struct layer_made *owner = layer->shares ? &a->layers[layer->owner] : NULL;
    if (layer->kind == KIND_NORM) {
        write_flag(text, "affine", layer->bias, owner != NULL ? owner->bias : true);
    } else if (layer->kind == KIND_LINEAR) {
        write_flag(text, "bias", layer->bias, owner != NULL ? owner->bias : true);
        write_flag(text, "transposed", layer->transposed, owner != NULL && owner->transposed);
    }
}

static void write_layer(struct text *text, const struct assignment *a, const struct layer_made *layer)
{
    const struct kind *kind = &layer_kinds[layer->kind];
    text_add(text, "{");
    write_key(text, "type");
    write_string(text, kind->name);
    if (layer->kind == KIND_LINEAR && !layer->shares) {
        write_key(text, "out_features");
        write_number(text, (double)layer->shape.dim[layer->shape.rank - 1]);
    }
    if (layer->said) write_inputs(text, a, layer);
    if (layer->shares) {
        write_key(text, "shares");
        write_string(text, a->layers[layer->owner].name);
    }
    write_flags(text, a, layer);
    kind_write(text, kind, layer->given, layer->number);
    if (layer->name[0] != '\0') {
        write_key(text, "name");
        write_string(text, layer->name);
    }
    text_add(text, "}");
}

static void write_loss(struct text *text, const struct assignment *a)
{
    const struct kind *kind = &losses[a->loss];
    write_key(text, "loss");
    if (!a->loss_given && a->reduction == 0 && a->l2 <= 0) {
        write_string(text, kind->name);
        return;
    }
    text_add(text, "{");
    write_key(text, "type");
    write_string(text, kind->name);
    kind_write(text, kind, a->loss_given, a->loss_number);
    if (!kind->upstream && a->reduction > 0) {
        write_key(text, "reduction");
        write_string(text, reductions[a->reduction]);
    }
    if (a->l2 > 0) {
        write_key(text, "l2");
        write_number(text, a->l2);
    }
    text_add(text, "}");
}

static void write_network(struct text *text, const struct assignment *a)
{
    const struct sample *input = &a->feeds[0].shape;
    write_key(text, "network");
    text_add(text, "{");
    write_key(text, "input");
    double dim[RANK_MAX];
    for (size_t i = 0; i < input->rank; i++)
        dim[i] = (double)input->dim[i];
    write_nested(text, input->rank > 1, &input->rank, dim);
    write_key(text, "layers");
    text_add(text, "[");
    for (size_t i = 0; i < a->layer_count; i++) {
        if (i > 0) text_add(text, ",");
        write_layer(text, a, &a->layers[i]);
    }
    text_add(text, "]");
    write_loss(text, a);
    text_add(text, "}");
}

/* ---- tensors ---- */

static void transpose(size_t rows, size_t columns, const double *from, double *to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
}

void assignment_write_parameter(struct text *text, const struct assignment *a, const struct parameter_made *parameter,
                                const double *values)
{
    size_t rows = parameter->value.rows, columns = parameter->value.columns;
    double turned[ELEMENTS_MAX];
    if (parameter->feed) {
        assignment_write_samples(text, a, &a->feeds[parameter->layer].shape, values);
    } else if (!parameter->weight) {
        bool upright = a->naming == NAMING_COLUMNS;
        size_t dim[2] = {upright ? columns : 1, upright ? 1 : columns};
        write_nested(text, a->bias_as_matrix ? 2 : 1, a->bias_as_matrix ? dim : &columns, values);
    } else if (a->naming == NAMING_NUMPY) {
        write_nested(text, 2, (size_t[]){rows, columns}, values);
    } else {
        transpose(rows, columns, values, turned);
        write_nested(text, 2, (size_t[]){columns, rows}, turned);
    }
}

void assignment_write_samples(struct text *text, const struct assignment *a, const struct sample *one,
                              const double *values)
{
    size_t dim[RANK_MAX + 1], size = sample_size(one);
    double turned[ELEMENTS_MAX];
    bool upright = a->naming == NAMING_COLUMNS;
    memcpy(dim + (upright ? 0 : 1), one->dim, one->rank * sizeof *dim);
    dim[upright ? one->rank : 0] = a->batch;
    if (upright) transpose(a->batch, size, values, turned);
    write_nested(text, one->rank + 1, dim, upright ? turned : values);
}

static void write_parameters(struct text *text, const struct assignment *a)
{
    write_key(text, "parameters");
    text_add(text, "{");
    if (a->scheme != NULL) {
        text_add(text, "\"init\":{");
        write_key(text, "scheme");
        write_string(text, a->scheme);
        write_key(text, "seed");
        write_number(text, a->seed);
        text_add(text, "}");
    }
    for (size_t p = 0; a->scheme == NULL && p < a->parameter_count; p++) {
        if (a->parameters[p].feed) continue;
        write_key(text, a->parameters[p].name);
        assignment_write_parameter(text, a, &a->parameters[p], a->parameters[p].value.at);
    }
    text_add(text, "}");
}

/* ---- data and grading ---- */

static void write_data(struct text *text, const struct assignment *a)
{
    write_key(text, "data");
    text_add(text, "{");
    for (size_t i = 0; i < a->feed_count; i++) {
        if (i > 0 && !assignment_takes(a, i)) continue;
        write_key(text, a->feeds[i].name);
        assignment_write_samples(text, a, &a->feeds[i].shape, a->feeds[i].value.at);
    }
    write_key(text, losses[a->loss].upstream ? "upstream" : "y");
    if (a->classes > 0)
        write_nested(text, 1, &a->batch, a->y.at);
    else
        assignment_write_samples(text, a, assignment_output(a), a->y.at);
    text_add(text, "}");
}

static void write_grading(struct text *text, const struct assignment *a)
{
    if (a->atol >= 0) {
        write_key(text, "tolerance");
        text_add(text, "{");
        write_key(text, "atol");
        write_number(text, a->atol);
        write_key(text, "rtol");
        write_number(text, a->rtol);
        text_add(text, "}");
    }
    if (a->worth > 0) {
        write_key(text, "points");
        text_add(text, "{");
        for (size_t p = 0; p < a->parameter_count; p++) {
            write_key(text, a->parameters[p].name);
            write_number(text, 0.7 * (double)((p + a->worth) % 3));
        }
        text_add(text, "}");
    }
    if (a->float32) text_add(text, ",\"dtype\":\"float32\"");
    if (a->verify) text_add(text, ",\"verify_reference\":true");
}

void assignment_write(struct text *text, const struct assignment *a)
{
    write_network(text, a);
    if (a->naming != NAMING_NUMPY) {
        write_key(text, "convention");
        write_string(text, namings[a->naming]);
    }
    write_parameters(text, a);
    write_data(text, a);
    write_grading(text, a);
}
