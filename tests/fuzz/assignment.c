#include "tests/fuzz/assignment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/graph.h"
#include "tests/fuzz/kinds.h"

static const char *const schemes[] = {"he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "zeros"};

enum { REDUCTIONS = 4, NAMINGS = 4, SCHEMES = 5 };

/* ---- numbers ---- */

/* Of several sorts: as a generator draws them, short ones, small whole ones with many zeros, and extremes. */
static double number_of_sort(struct dice *dice, unsigned sort)
{
    double u = dice_uniform(dice);
    switch (sort) {
    case 1:
        return rounded(u, 0.25);
    case 2:
        return rounded(2 * u, 1);
    case 3:
        return rounded(u, 1) * 0;
    case 4:
        return u * 30;
    case 5:
        return u * 1e-12;
    case 6:
        return u * 1e9;
    default:
        return u;
    }
}

enum { SORTS = 7, SORTS_OFTEN = 12 };

unsigned roll_sort(struct dice *dice)
{
    unsigned sort = dice_pick(dice, SORTS_OFTEN);
    return sort < SORTS ? sort : sort % 3;
}

void roll_matrix(struct dice *dice, size_t rows, size_t columns, unsigned sort, struct matrix *matrix)
{
    matrix->rows = rows;
    matrix->columns = columns;
    for (size_t i = 0; i < rows * columns; i++)
        matrix->at[i] = number_of_sort(dice, sort);
}

/* ---- the network ---- */

size_t sample_size(const struct sample *sample)
{
    size_t size = 1;
    for (size_t i = 0; i < sample->rank; i++)
        size *= sample->dim[i];
    return size;
}

const struct sample *source_sample(const struct assignment *a, struct source_made source)
{
    return source.feed ? &a->feeds[source.at].shape : &a->layers[source.at].shape;
}

/* What a layer takes that says nothing. */
static struct source_made source_before(const struct assignment *a)
{
    return (struct source_made){.feed = a->layer_count == 0, .at = a->layer_count > 0 ? a->layer_count - 1 : 0};
}

const struct sample *assignment_output(const struct assignment *a)
{
    return source_sample(a, source_before(a));
}

bool assignment_takes(const struct assignment *a, size_t feed)
{
    for (size_t i = 0; i < a->layer_count; i++)
        for (size_t k = 0; k < a->layers[i].input_count; k++)
            if (a->layers[i].inputs[k].feed && a->layers[i].inputs[k].at == feed) return true;
    return false;
}

struct layer_made *assignment_add(struct assignment *a, size_t kind)
{
    struct source_made before = source_before(a);
    struct layer_made *layer = &a->layers[a->layer_count++];
    *layer = (struct layer_made){.kind = kind, .inputs = {before}, .input_count = 1};
    layer->shape = *source_sample(a, before);
    return layer;
}

void assignment_add_flatten(struct assignment *a)
{
    struct sample *shape = &assignment_add(a, KIND_FLATTEN)->shape;
    *shape = (struct sample){.rank = 1, .dim = {sample_size(shape)}};
}

void assignment_add_activation(struct dice *dice, struct assignment *a)
{
    size_t kind = KIND_FIRST_ACTIVATION + dice_pick(dice, LAYER_KINDS - KIND_FIRST_ACTIVATION);
    struct layer_made *layer = assignment_add(a, kind);
    kind_roll(dice, &layer_kinds[kind], &layer->given, &layer->number);
}

struct parameter_made *assignment_add_parameter(struct assignment *a, bool weight, bool second)
{
    size_t at = a->layer_count - 1;
    struct parameter_made *parameter = &a->parameters[a->parameter_count++];
    if (a->parameter_count < 2 || parameter[-1].layer != at) a->numbered++;
    *parameter = (struct parameter_made){.layer = at, .weight = weight, .second = second, .number = a->numbered};
    a->layers[at].tensors[second] = a->parameter_count;
    return parameter;
}

void assignment_add_linear(struct dice *dice, struct assignment *a, struct source_made source, unsigned sort)
{
    struct layer_made *layer = assignment_add(a, KIND_LINEAR);
    layer->said = source.feed != layer->inputs[0].feed || source.at != layer->inputs[0].at;
    layer->inputs[0] = source;
    layer->shape = *source_sample(a, source);
    size_t *width = &layer->shape.dim[layer->shape.rank - 1], in = *width;
    *width = dice_rarely(dice, 4) ? in % 6 + (in % 6 == 0) : 1 + dice_pick(dice, 4);
    if (sample_size(&layer->shape) > SAMPLE_MAX || in * *width > ELEMENTS_MAX) *width = 1;
    layer->bias = !dice_rarely(dice, 8);
    roll_matrix(dice, in, *width, sort, &assignment_add_parameter(a, true, false)->value);
    if (layer->bias) roll_matrix(dice, 1, *width, sort, &assignment_add_parameter(a, false, true)->value);
}

static void roll_input(struct dice *dice, struct assignment *a)
{
    struct feed_made *x = &a->feeds[a->feed_count++];
    x->name = "x";
    x->shape.rank = 1;
    if (dice_rarely(dice, 4)) x->shape.rank = 2 + dice_pick(dice, 2);
    for (size_t i = 0; i < x->shape.rank; i++)
        x->shape.dim[i] = 1 + dice_pick(dice, x->shape.rank == 1 ? 5 : 3);
    a->plain = x->shape.rank == 1;
    if (x->shape.rank > 1 && !dice_rarely(dice, 3)) assignment_add_flatten(a);
}

/* linear and what is behind it. */
static void roll_block(struct dice *dice, struct assignment *a, unsigned sort)
{
    if (dice_rarely(dice, 16)) assignment_add_flatten(a), a->plain = false;
    assignment_add_linear(dice, a, source_before(a), sort);
    unsigned activations = dice_pick(dice, 8);
    activations = activations < 6 ? 1 : activations == 6 ? 0 : 2;
    if (activations > 1) a->plain = false;
    while (activations-- > 0)
        assignment_add_activation(dice, a);
    a->plain = a->plain && !layer_kinds[a->layers[a->layer_count - 1].kind].whole;
}

static void roll_layers(struct dice *dice, struct assignment *a)
{
    unsigned sort = roll_sort(dice), blocks = 1 + dice_pick(dice, 3);
    a->graph = dice_pick(dice, 2) > 0;
    if (a->graph) {
        graph_roll(dice, a, sort);
        return;
    }
    if (dice_rarely(dice, 32)) blocks = 0;
    if (blocks == 0 || dice_rarely(dice, 24)) {
        assignment_add_activation(dice, a);
        a->plain = false;
    }
    while (blocks-- > 0)
        roll_block(dice, a, sort);
}

/* What the loss asks of the output. */
static void fit_to_loss(struct dice *dice, struct assignment *a)
{
    const struct kind *loss = &losses[a->loss];
    if (loss->classes && assignment_output(a)->rank > 1) {
        assignment_add_flatten(a);
        a->plain = false;
    }
    bool soft = loss->soft && dice_rarely(dice, 3); /* targets are probabilities */
    if (loss->classes && !soft) a->classes = assignment_output(a)->dim[0];
    if (!loss->probabilities || layer_kinds[a->layers[a->layer_count - 1].kind].probabilities) return;
    bool whole = loss->classes || dice_rarely(dice, 4);
    a->plain = a->plain && !whole && a->layers[a->layer_count - 1].kind == KIND_LINEAR;
    assignment_add(a, whole ? KIND_SOFTMAX : KIND_SIGMOID);
}

static void roll_loss(struct dice *dice, struct assignment *a)
{
    a->loss = dice_pick(dice, LOSSES);
    kind_roll(dice, &losses[a->loss], &a->loss_given, &a->loss_number);
    a->reduction = dice_pick(dice, REDUCTIONS);
    if (dice_rarely(dice, 4)) a->l2 = rounded(0.05 * (1 + dice_pick(dice, 10)), 0.05);
    fit_to_loss(dice, a);
}

/* ---- names ---- */

/* Of layers; with the layer's index behind they are all different. */
static const char *const stems[] = {"v", "fc", "net.", "a/b~", "\xC3\xA9\xE2\x82\xAC", "\"\\", "fc1.weight.grad"};
enum { STEMS = 7, LONG_NAME = 190 };

static void name_layer(struct dice *dice, size_t i, char *name)
{
    unsigned pick = dice_pick(dice, 16);
    name[0] = '\0';
    if (pick == 8) {
        memset(name, 'n', LONG_NAME);
        snprintf(name + LONG_NAME, NAME_MAX_HERE - LONG_NAME, "%zu", i);
    } else if (pick > 0 && pick < STEMS) {
        snprintf(name, NAME_MAX_HERE, "%s%zu", stems[pick], i);
    }
}

/* Whether another layer refers to that one. */
static bool is_referred_to(const struct assignment *a, size_t layer)
{
    for (size_t i = layer + 1; i < a->layer_count; i++) {
        const struct layer_made *other = &a->layers[i];
        if (other->shares && other->owner == layer) return true;
        for (size_t k = 0; other->said && k < other->input_count; k++)
            if (!other->inputs[k].feed && other->inputs[k].at == layer) return true;
    }
    return false;
}

static void name_layers(struct dice *dice, struct assignment *a)
{
    for (size_t i = 0; i < a->layer_count; i++) {
        char *name = a->layers[i].name;
        if (dice_rarely(dice, 3)) name_layer(dice, i, name);
        if (name[0] == '\0' && is_referred_to(a, i)) snprintf(name, NAME_MAX_HERE, "%s%zu", stems[0], i);
    }
}

static void name_parameter(const struct assignment *a, struct parameter_made *parameter)
{
    const struct layer_made *layer = &a->layers[parameter->layer];
    const char *member = parameter->second ? "bias" : "weight";
    const char *symbol =
        layer->kind == KIND_NORM ? (parameter->second ? "beta" : "gamma") : (parameter->second ? "b" : "W");
    if (a->naming != NAMING_PYTORCH)
        snprintf(parameter->name, sizeof parameter->name, "%s%zu", symbol, parameter->number);
    else if (layer->name[0] != '\0')
        snprintf(parameter->name, sizeof parameter->name, "%.200s.%s", layer->name, member);
    else
        snprintf(parameter->name, sizeof parameter->name, "%zu.%s", parameter->layer, member);
}

void assignment_name(struct assignment *a)
{
    a->numbered = 0;
    for (size_t p = 0; p < a->parameter_count; p++) {
        struct parameter_made *parameter = &a->parameters[p];
        if (parameter->feed) {
            snprintf(parameter->name, sizeof parameter->name, "%s", a->feeds[parameter->layer].name);
            continue;
        }
        if (p == 0 || parameter[-1].layer != parameter->layer) a->numbered++;
        parameter->number = a->numbered;
        name_parameter(a, parameter);
    }
}

/* ---- data and grading ---- */

/* Members of data, and which of their gradients are graded, too. */
static void roll_data(struct dice *dice, struct assignment *a)
{
    a->batch = 1 + dice_pick(dice, BATCH_MAX);
    for (size_t i = 0; i < a->feed_count; i++) {
        struct feed_made *feed = &a->feeds[i];
        roll_matrix(dice, a->batch, sample_size(&feed->shape), roll_sort(dice), &feed->value);
        bool graded = a->graph ? dice_pick(dice, 2) > 0 : dice_rarely(dice, 6);
        if (!graded || (i > 0 && !assignment_takes(a, i))) continue;
        struct parameter_made *parameter = &a->parameters[a->parameter_count++];
        *parameter = (struct parameter_made){.feed = true, .layer = i, .value = feed->value};
    }
}

static void roll_target(struct dice *dice, struct assignment *a)
{
    size_t one = sample_size(assignment_output(a));
    if (a->classes > 0) {
        a->y.rows = 1;
        a->y.columns = a->batch;
        for (size_t i = 0; i < a->batch; i++)
            a->y.at[i] = (double)dice_number(dice, a->classes);
        return;
    }
    roll_matrix(dice, a->batch, one, dice_pick(dice, 3), &a->y);
    /* Within [0, 1], as binary cross-entropy has them; the others do not mind. */
    for (size_t i = 0; i < a->batch * one && !losses[a->loss].upstream; i++)
        a->y.at[i] = fmin(1, fabs(a->y.at[i]));
}

static void roll_grading(struct dice *dice, struct assignment *a)
{
    static const double bounds[] = {-1, 1e-6, 1e-9, 0, 1e-3, 10};
    static const double relative[] = {0, 0, 1e-5, 0.1};
    a->atol = bounds[dice_pick(dice, 6)];
    a->rtol = relative[dice_pick(dice, 4)];
    a->worth = dice_pick(dice, 4);
    a->float32 = dice_rarely(dice, 5);
    a->verify = dice_rarely(dice, 8);
}

void assignment_roll(struct dice *dice, struct assignment *a)
{
    a->naming = (enum naming)dice_pick(dice, NAMINGS);
    dice_seed(dice);
    roll_input(dice, a);
    roll_layers(dice, a);
    roll_loss(dice, a);
    name_layers(dice, a);
    roll_data(dice, a);
    assignment_name(a);
    roll_target(dice, a);
    roll_grading(dice, a);
    a->bias_as_matrix = dice_rarely(dice, 4);
    if (dice_rarely(dice, 12)) {
        a->seed = dice_pick(dice, 256);
        a->scheme = schemes[a->seed % SCHEMES];
    }
}
