#include "tests/fuzz/assignment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what there is ---- */

enum { KIND_LINEAR, KIND_FLATTEN, KIND_FIRST_ACTIVATION };

struct kind {
    const char *name, *attribute; /* attribute: a number, or one of two words */
    double low, high;
    const char *words[2];
    bool probabilities; /* a layer: gives them; a loss: wants them */
    bool whole;         /* an activation that is not elementwise */
    bool classes;       /* a loss that takes one score per class, and indices */
};

static const struct kind layer_kinds[] = {
    {.name = "linear"},
    {.name = "flatten"},
    {.name = "relu"},
    {.name = "tanh"},
    {.name = "sigmoid", .probabilities = true},
    {.name = "leaky_relu", .attribute = "negative_slope", .low = -0.5, .high = 1},
    {.name = "elu", .attribute = "alpha", .low = -1, .high = 2},
    {.name = "softplus"},
    {.name = "silu"},
    {.name = "gelu", .attribute = "approximate", .words = {"none", "tanh"}},
    {.name = "softmax", .probabilities = true, .whole = true},
    {.name = "log_softmax", .whole = true},
};

static const struct kind losses[] = {
    {.name = "mse"},
    {.name = "bce", .probabilities = true},
    {.name = "bce_with_logits"},
    {.name = "cross_entropy", .classes = true},
    {.name = "cross_entropy",
     .attribute = "from",
     .words = {"probabilities", "probabilities"},
     .probabilities = true,
     .classes = true},
    {.name = "nll", .classes = true},
    {.name = "hinge", .classes = true},
    {.name = "l1"},
    {.name = "smooth_l1", .attribute = "beta", .low = 0, .high = 2},
    {.name = "huber", .attribute = "delta", .low = 0.01, .high = 2},
};

enum {
    LAYER_KINDS = sizeof layer_kinds / sizeof *layer_kinds,
    LOSSES = sizeof losses / sizeof *losses,
    KIND_SIGMOID = 4,
    KIND_SOFTMAX = 10,
};

static const char *const reductions[] = {NULL, "mean", "sum", "batchmean"};
static const char *const namings[] = {"numpy", "pytorch", "columns"};
static const char *const schemes[] = {"he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "zeros"};

enum { REDUCTIONS = 4, REDUCTION_SUM_HERE = 2, NAMINGS = 3, SCHEMES = 5 };

bool layer_is_linear(const struct layer_made *layer)
{
    return layer->kind == KIND_LINEAR;
}

/* ---- numbers ---- */

static double rounded(double value, double step)
{
    return round(value / step) * step;
}

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

static unsigned roll_sort(struct dice *dice)
{
    unsigned sort = dice_pick(dice, SORTS_OFTEN);
    return sort < SORTS ? sort : sort % 3;
}

static void roll_matrix(struct dice *dice, size_t rows, size_t columns, unsigned sort, struct matrix *matrix)
{
    matrix->rows = rows;
    matrix->columns = columns;
    for (size_t i = 0; i < rows * columns; i++)
        matrix->at[i] = number_of_sort(dice, sort);
}

/* ---- the network ---- */

static size_t product(size_t rank, const size_t *dim)
{
    size_t size = 1;
    for (size_t i = 0; i < rank; i++)
        size *= dim[i];
    return size;
}

static struct layer_made *add_layer(struct assignment *a, size_t kind)
{
    struct layer_made *layer = &a->layers[a->layer_count++];
    *layer = (struct layer_made){.kind = kind};
    return layer;
}

static void add_flatten(struct assignment *a)
{
    add_layer(a, KIND_FLATTEN);
    a->out[0] = product(a->out_rank, a->out);
    a->out_rank = 1;
}

/* An activation's or a loss's attribute, or nothing of it. */
static void roll_attribute(struct dice *dice, const struct kind *kind, bool *given, double *number)
{
    *given = kind->attribute != NULL && (kind->probabilities || !dice_rarely(dice, 3));
    if (!*given) return;
    unsigned at = dice_pick(dice, 9);
    *number = kind->words[0] != NULL ? at % 2 : rounded(kind->low + (kind->high - kind->low) * at / 8, 0.01);
}

static void add_activation(struct dice *dice, struct assignment *a, size_t kind)
{
    struct layer_made *layer = add_layer(a, kind);
    roll_attribute(dice, &layer_kinds[kind], &layer->given, &layer->number);
}

static struct parameter_made *add_parameter(struct assignment *a, size_t layer, bool weight)
{
    struct parameter_made *parameter = &a->parameters[a->parameter_count++];
    parameter->layer = layer;
    parameter->weight = weight;
    parameter->number = a->numbered;
    return parameter;
}

static void add_linear(struct dice *dice, struct assignment *a, unsigned sort)
{
    size_t in = a->out[a->out_rank - 1], at = a->layer_count;
    struct layer_made *layer = add_layer(a, KIND_LINEAR);
    layer->out = dice_rarely(dice, 4) ? in % 6 + (in % 6 == 0) : 1 + dice_pick(dice, 4);
    layer->bias = !dice_rarely(dice, 8);
    a->out[a->out_rank - 1] = layer->out;
    a->numbered++;
    roll_matrix(dice, in, layer->out, sort, &add_parameter(a, at, true)->value);
    if (layer->bias) roll_matrix(dice, 1, layer->out, sort, &add_parameter(a, at, false)->value);
}

static void roll_input(struct dice *dice, struct assignment *a)
{
    a->rank = 1;
    if (dice_rarely(dice, 4)) a->rank = 2 + dice_pick(dice, 2);
    for (size_t i = 0; i < a->rank; i++)
        a->dim[i] = 1 + dice_pick(dice, a->rank == 1 ? 5 : 3);
    a->out_rank = a->rank;
    memcpy(a->out, a->dim, sizeof a->out);
    a->plain = a->rank == 1;
    if (a->rank > 1 && !dice_rarely(dice, 3)) add_flatten(a);
}

/* linear and what is behind it. */
static void roll_block(struct dice *dice, struct assignment *a, unsigned sort)
{
    if (dice_rarely(dice, 16)) add_flatten(a), a->plain = false;
    add_linear(dice, a, sort);
    unsigned activations = dice_pick(dice, 8);
    activations = activations < 6 ? 1 : activations == 6 ? 0 : 2;
    if (activations > 1) a->plain = false;
    while (activations-- > 0)
        add_activation(dice, a, KIND_FIRST_ACTIVATION + dice_pick(dice, LAYER_KINDS - KIND_FIRST_ACTIVATION));
    a->plain = a->plain && !layer_kinds[a->layers[a->layer_count - 1].kind].whole;
}

static void roll_layers(struct dice *dice, struct assignment *a)
{
    unsigned sort = roll_sort(dice), blocks = 1 + dice_pick(dice, 3);
    if (dice_rarely(dice, 32)) blocks = 0;
    if (blocks == 0 || dice_rarely(dice, 24)) {
        add_activation(dice, a, KIND_FIRST_ACTIVATION + dice_pick(dice, LAYER_KINDS - KIND_FIRST_ACTIVATION));
        a->plain = false;
    }
    while (blocks-- > 0)
        roll_block(dice, a, sort);
}

/* What the loss asks of the output. */
static void fit_to_loss(struct dice *dice, struct assignment *a)
{
    const struct kind *loss = &losses[a->loss];
    if (loss->classes && a->out_rank > 1) {
        add_flatten(a);
        a->plain = false;
    }
    bool soft = strcmp(loss->name, "cross_entropy") == 0 && dice_rarely(dice, 3); /* targets are probabilities */
    if (loss->classes && !soft) a->classes = a->out[0];
    if (!loss->probabilities || layer_kinds[a->layers[a->layer_count - 1].kind].probabilities) return;
    bool whole = loss->classes || dice_rarely(dice, 4);
    a->plain = a->plain && !whole && a->layers[a->layer_count - 1].kind == KIND_LINEAR;
    add_layer(a, whole ? KIND_SOFTMAX : KIND_SIGMOID);
}

static void roll_loss(struct dice *dice, struct assignment *a)
{
    a->loss = dice_pick(dice, LOSSES);
    roll_attribute(dice, &losses[a->loss], &a->loss_given, &a->loss_number);
    a->reduction = dice_pick(dice, REDUCTIONS);
    if (dice_rarely(dice, 4)) a->l2 = rounded(0.05 * (1 + dice_pick(dice, 10)), 0.05);
    fit_to_loss(dice, a);
}

/* ---- names ---- */

/* Of layers, for pytorch; with the layer's index behind they are all different. */
static const char *const stems[] = {"", "fc", "net.", "a/b~", "\xC3\xA9\xE2\x82\xAC", "\"\\", "fc1.weight.grad"};
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

static void name_parameters(struct dice *dice, struct assignment *a)
{
    for (size_t i = 0; i < a->layer_count; i++)
        if (dice_rarely(dice, 3)) name_layer(dice, i, a->layers[i].name);
    for (size_t p = 0; p < a->parameter_count; p++) {
        struct parameter_made *parameter = &a->parameters[p];
        const char *layer = a->layers[parameter->layer].name;
        const char *member = parameter->weight ? "weight" : "bias";
        if (a->naming != NAMING_PYTORCH)
            snprintf(parameter->name, sizeof parameter->name, "%c%zu", parameter->weight ? 'W' : 'b',
                     parameter->number);
        else if (layer[0] != '\0')
            snprintf(parameter->name, sizeof parameter->name, "%.200s.%s", layer, member);
        else
            snprintf(parameter->name, sizeof parameter->name, "%zu.%s", parameter->layer, member);
    }
}

/* ---- data and grading ---- */

static void roll_target(struct dice *dice, struct assignment *a)
{
    size_t one = product(a->out_rank, a->out);
    if (a->classes > 0) {
        a->y.rows = 1;
        a->y.columns = a->batch;
        for (size_t i = 0; i < a->batch; i++)
            a->y.at[i] = (double)dice_number(dice, a->classes);
        return;
    }
    roll_matrix(dice, a->batch, one, dice_pick(dice, 3), &a->y);
    /* Within [0, 1], as binary cross-entropy has them; the others do not mind. */
    for (size_t i = 0; i < a->batch * one; i++)
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
    name_parameters(dice, a);
    a->batch = 1 + dice_pick(dice, BATCH_MAX);
    roll_matrix(dice, a->batch, product(a->rank, a->dim), roll_sort(dice), &a->x);
    roll_target(dice, a);
    roll_grading(dice, a);
    a->bias_as_matrix = dice_rarely(dice, 4);
    if (dice_rarely(dice, 12)) {
        a->seed = dice_pick(dice, 256);
        a->scheme = schemes[a->seed % SCHEMES];
    }
}

double assignment_divisor(const struct assignment *a)
{
    return a->reduction == REDUCTION_SUM_HERE ? 1 : (double)a->batch;
}

/* Whether the output is good for another loss as well. */
static bool may_have_loss(const struct assignment *a, size_t loss)
{
    const struct kind *other = &losses[loss];
    bool probable = layer_kinds[a->layers[a->layer_count - 1].kind].probabilities;
    return other->classes == (a->classes > 0) && (probable || !other->probabilities);
}

void assignment_vary(struct dice *dice, struct assignment *a)
{
    size_t pick = dice_pick(dice, 5), loss = dice_pick(dice, LOSSES), layer = dice_pick(dice, LAYERS_MAX);
    if (pick == 0) a->reduction = 1 + (a->reduction + 1) % 3;
    if (pick == 1) a->l2 = a->l2 > 0 ? 0 : 0.1;
    if (pick == 2 && may_have_loss(a, loss)) {
        a->loss = loss;
        a->loss_given = losses[loss].probabilities && losses[loss].attribute != NULL;
    }
    if (pick == 3 && a->batch > 1) { /* the last sample is forgotten */
        a->batch--;
        a->x.rows--;
        if (a->classes > 0)
            a->y.columns--;
        else
            a->y.rows--;
    }
    bool swappable =
        layer < a->layer_count && a->layers[layer].kind >= KIND_FIRST_ACTIVATION && layer + 1 < a->layer_count;
    if (pick == 4 && swappable) a->layers[layer] = (struct layer_made){.kind = KIND_FIRST_ACTIVATION + loss % 3};
}

/* ---- as JSON ---- */

static void write_attribute(struct text *text, const struct kind *kind, bool given, double number)
{
    if (!given) return;
    write_key(text, kind->attribute);
    if (kind->words[0] != NULL)
        write_string(text, kind->words[number > 0]);
    else
        write_number(text, number);
}

static void write_layer(struct text *text, const struct layer_made *layer)
{
    const struct kind *kind = &layer_kinds[layer->kind];
    text_add(text, "{");
    write_key(text, "type");
    write_string(text, kind->name);
    if (layer->kind == KIND_LINEAR) {
        write_key(text, "out_features");
        write_number(text, (double)layer->out);
        if (!layer->bias) text_add(text, ",\"bias\":false");
    }
    write_attribute(text, kind, layer->given, layer->number);
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
    write_attribute(text, kind, a->loss_given, a->loss_number);
    if (a->reduction > 0) {
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
    write_key(text, "network");
    text_add(text, "{");
    write_key(text, "input");
    double dim[RANK_MAX];
    for (size_t i = 0; i < a->rank; i++)
        dim[i] = (double)a->dim[i];
    write_nested(text, a->rank > 1, &a->rank, dim);
    write_key(text, "layers");
    text_add(text, "[");
    for (size_t i = 0; i < a->layer_count; i++) {
        if (i > 0) text_add(text, ",");
        write_layer(text, &a->layers[i]);
    }
    text_add(text, "]");
    write_loss(text, a);
    text_add(text, "}");
}

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
    if (!parameter->weight) {
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

void assignment_write_samples(struct text *text, const struct assignment *a, size_t rank, const size_t *one,
                              const double *values)
{
    size_t dim[RANK_MAX + 1], size = product(rank, one);
    double turned[ELEMENTS_MAX];
    bool upright = a->naming == NAMING_COLUMNS;
    memcpy(dim + (upright ? 0 : 1), one, rank * sizeof *one);
    dim[upright ? rank : 0] = a->batch;
    if (upright) transpose(a->batch, size, values, turned);
    write_nested(text, rank + 1, dim, upright ? turned : values);
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
        write_key(text, a->parameters[p].name);
        assignment_write_parameter(text, a, &a->parameters[p], a->parameters[p].value.at);
    }
    text_add(text, "}");
}

static void write_data(struct text *text, const struct assignment *a)
{
    write_key(text, "data");
    text_add(text, "{");
    write_key(text, "x");
    assignment_write_samples(text, a, a->rank, a->dim, a->x.at);
    write_key(text, "y");
    if (a->classes > 0)
        write_nested(text, 1, &a->batch, a->y.at);
    else
        assignment_write_samples(text, a, a->out_rank, a->out, a->y.at);
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
