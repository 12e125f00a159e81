#include "tests/fuzz/graph.h"

#include "tests/fuzz/kinds.h"

/* ---- where a layer's inputs come from ---- */

/* Names that may be another's elsewhere: of an intermediate, of a parameter in another convention, of a loss. */
static const char *const feed_names[FEEDS_ROLLED] = {"x", "h0", "\xC3\xA9/~"};

/* Like x, like x but for axes of length 1, which are repeated, or a vector. */
static void roll_feed(struct dice *dice, struct assignment *a)
{
    struct feed_made *feed = &a->feeds[a->feed_count];
    unsigned pick = dice_pick(dice, 8);
    feed->name = feed_names[a->feed_count++];
    feed->shape = a->feeds[0].shape;
    if (pick == 6) feed->shape.dim[dice_pick(dice, (unsigned)feed->shape.rank)] = 1;
    if (pick == 7) feed->shape = (struct sample){.rank = 1, .dim = {1 + dice_pick(dice, 5)}};
}

/* The last layer most often; else any other, or a member of data. */
static struct source_made roll_source(struct dice *dice, struct assignment *a)
{
    unsigned pick = dice_pick(dice, 64);
    if (a->layer_count > 0 && pick < 30) return (struct source_made){.at = a->layer_count - 1};
    if (a->layer_count > 0 && pick < 54) return (struct source_made){.at = pick % a->layer_count};
    size_t feed = pick % FEEDS_ROLLED;
    if (feed >= a->feed_count) {
        feed = a->feed_count;
        roll_feed(dice, a);
    }
    return (struct source_made){.feed = true, .at = feed};
}

/* A layer that takes that. Now and then the inputs are said though they need not be. */
static struct layer_made *begin(struct dice *dice, struct assignment *a, size_t kind, struct source_made source)
{
    struct layer_made *layer = assignment_add(a, kind);
    bool before = source.feed == layer->inputs[0].feed && source.at == layer->inputs[0].at;
    layer->said = !before || dice_rarely(dice, 4);
    layer->inputs[0] = source;
    layer->shape = *source_sample(a, source);
    return layer;
}

static void take(struct layer_made *layer, struct source_made source)
{
    layer->inputs[layer->input_count++] = source;
    layer->said = true;
}

/* ---- layers of several inputs ---- */

/* Whether the two go together, axes of length 1 being repeated; what comes out. */
static bool joined(const struct sample *a, const struct sample *b, struct sample *out)
{
    if (a->rank != b->rank) return false;
    out->rank = a->rank;
    for (size_t i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i] && a->dim[i] != 1 && b->dim[i] != 1) return false;
        out->dim[i] = a->dim[i] > b->dim[i] ? a->dim[i] : b->dim[i];
    }
    return sample_size(out) <= SAMPLE_MAX;
}

static unsigned roll_count(struct dice *dice)
{
    unsigned pick = dice_pick(dice, 8);
    return pick < 6 ? 2 : pick == 6 ? 3 : INPUTS_MAX;
}

/* What does not fit is replaced by the first input: a value may be used twice. */
static void add_together(struct dice *dice, struct assignment *a, size_t kind)
{
    struct source_made first = roll_source(dice, a);
    struct layer_made *layer = begin(dice, a, kind, first);
    for (unsigned count = roll_count(dice); layer->input_count < count;) {
        a->layer_count--; /* a layer cannot take itself */
        struct source_made source = roll_source(dice, a);
        a->layer_count++;
        struct sample out;
        bool fits = joined(&layer->shape, source_sample(a, source), &out);
        if (fits) layer->shape = out;
        take(layer, fits ? source : first);
    }
}

static bool same_but(const struct sample *a, const struct sample *b, size_t axis)
{
    bool same = a->rank == b->rank;
    for (size_t i = 0; same && i < a->rank; i++)
        same = i == axis || a->dim[i] == b->dim[i];
    return same;
}

static void add_concat(struct dice *dice, struct assignment *a)
{
    struct source_made first = roll_source(dice, a);
    const struct sample one = *source_sample(a, first);
    size_t axis = dice_pick(dice, (unsigned)one.rank);
    if (2 * sample_size(&one) > SAMPLE_MAX) return;
    struct layer_made *layer = begin(dice, a, KIND_CONCAT, first);
    layer->given = axis > 0 || dice_rarely(dice, 2);
    layer->number = dice_rarely(dice, 3) ? (double)axis - (double)one.rank : (double)axis + 1;
    for (unsigned count = roll_count(dice); layer->input_count < count;) {
        a->layer_count--;
        struct source_made source = roll_source(dice, a);
        a->layer_count++;
        struct sample out = layer->shape;
        if (!same_but(&one, source_sample(a, source), axis)) source = first;
        out.dim[axis] += source_sample(a, source)->dim[axis];
        if (sample_size(&out) > SAMPLE_MAX) {
            source = first;
            out = layer->shape;
            out.dim[axis] += one.dim[axis];
        }
        if (sample_size(&out) > SAMPLE_MAX) break;
        layer->shape = out;
        take(layer, source);
    }
}

/* ---- layers with parameters ---- */

static void add_norm(struct dice *dice, struct assignment *a, unsigned sort)
{
    struct source_made source = roll_source(dice, a);
    struct layer_made *layer = begin(dice, a, KIND_NORM, source);
    kind_roll(dice, &layer_kinds[KIND_NORM], &layer->given, &layer->number);
    layer->bias = !dice_rarely(dice, 4);
    size_t width = layer->shape.dim[layer->shape.rank - 1];
    if (!layer->bias) return;
    roll_matrix(dice, 1, width, sort, &assignment_add_parameter(a, false, false)->value);
    roll_matrix(dice, 1, width, sort, &assignment_add_parameter(a, false, true)->value);
}

static void settle_vector(struct dice *dice, struct assignment *a, struct layer_made *layer, size_t shared, bool second,
                          size_t width)
{
    layer->tensors[second] = shared;
    if (shared == 0) roll_matrix(dice, 1, width, 0, &assignment_add_parameter(a, false, second)->value);
}

static void share_norm(struct dice *dice, struct assignment *a, size_t owner, struct source_made source)
{
    const struct layer_made *from = &a->layers[owner];
    struct layer_made *layer = begin(dice, a, KIND_NORM, source);
    size_t width = layer->shape.dim[layer->shape.rank - 1];
    layer->shares = true;
    layer->owner = owner;
    layer->bias = dice_rarely(dice, 8) ? !from->bias : from->bias;
    for (unsigned second = 0; layer->bias && second < 2; second++)
        settle_vector(dice, a, layer, from->tensors[second], second, width);
}

static void share_linear(struct dice *dice, struct assignment *a, size_t owner, struct source_made source,
                         bool transposed)
{
    const struct layer_made *from = &a->layers[owner];
    const struct matrix *weight = &a->parameters[from->tensors[0] - 1].value;
    size_t out = transposed ? weight->rows : weight->columns;
    struct layer_made *layer = begin(dice, a, KIND_LINEAR, source);
    layer->shape.dim[layer->shape.rank - 1] = out;
    layer->shares = true;
    layer->owner = owner;
    layer->transposed = transposed;
    layer->bias = dice_rarely(dice, 4) ? !from->bias : from->bias;
    layer->tensors[0] = from->tensors[0];
    /* A bias lies on one side of the weight: turned round, a layer has its own. */
    if (layer->bias) settle_vector(dice, a, layer, transposed == from->transposed ? from->tensors[1] : 0, true, out);
}

/* Whether gamma and beta of `owner`, where it has them, are as wide as that source. */
static bool norm_takes(const struct assignment *a, size_t owner, struct source_made source)
{
    const struct sample *in = source_sample(a, source);
    for (unsigned second = 0; second < 2; second++) {
        size_t tensor = a->layers[owner].tensors[second];
        if (tensor > 0 && a->parameters[tensor - 1].value.columns != in->dim[in->rank - 1]) return false;
    }
    return true;
}

/* Whether the weight of `owner` takes that source. */
static bool weight_takes(const struct assignment *a, size_t owner, struct source_made source, bool transposed)
{
    const struct matrix *weight = &a->parameters[a->layers[owner].tensors[0] - 1].value;
    const struct sample *in = source_sample(a, source);
    size_t wide = transposed ? weight->columns : weight->rows, out = transposed ? weight->rows : weight->columns;
    size_t rows = sample_size(in) / in->dim[in->rank - 1];
    return in->dim[in->rank - 1] == wide && rows * out <= SAMPLE_MAX;
}

/* The parameters of an earlier layer once more. False where there is none that fits. */
static bool add_sharing(struct dice *dice, struct assignment *a)
{
    unsigned start = dice_pick(dice, 16), turned = dice_pick(dice, 2);
    struct source_made source = roll_source(dice, a);
    for (size_t n = 0; n < a->layer_count; n++) {
        size_t owner = (start + n) % a->layer_count;
        size_t kind = a->layers[owner].kind;
        if (kind == KIND_NORM && norm_takes(a, owner, source)) {
            share_norm(dice, a, owner, source);
            return true;
        }
        for (unsigned turn = 0; kind == KIND_LINEAR && turn < 2; turn++) {
            bool transposed = (turned + turn) % 2 > 0;
            if (!weight_takes(a, owner, source, transposed)) continue;
            share_linear(dice, a, owner, source, transposed);
            return true;
        }
    }
    return false;
}

/* ---- all together ---- */

static void add_activation(struct dice *dice, struct assignment *a, struct source_made source)
{
    size_t kind = KIND_FIRST_ACTIVATION + dice_pick(dice, LAYER_KINDS - KIND_FIRST_ACTIVATION);
    struct layer_made *layer = begin(dice, a, kind, source);
    kind_roll(dice, &layer_kinds[kind], &layer->given, &layer->number);
}

static void add_linear(struct dice *dice, struct assignment *a, unsigned sort)
{
    struct source_made source = roll_source(dice, a);
    assignment_add_linear(dice, a, source, sort);
    if (dice_rarely(dice, 2)) assignment_add_activation(dice, a);
}

static void add_step(struct dice *dice, struct assignment *a, unsigned sort)
{
    unsigned pick = dice_pick(dice, 16);
    bool room = a->numbered < NUMBERED_MAX; /* for parameters */
    if (pick < 5 && room)
        add_linear(dice, a, sort);
    else if (pick < 7)
        add_together(dice, a, KIND_ADD);
    else if (pick < 9)
        add_together(dice, a, KIND_MUL);
    else if (pick < 10)
        add_concat(dice, a);
    else if (pick < 11 && room)
        add_norm(dice, a, sort);
    else if (pick >= 14 || !room || !add_sharing(dice, a))
        add_activation(dice, a, roll_source(dice, a));
}

enum { STEPS_MAX = 9 };

void graph_roll(struct dice *dice, struct assignment *a, unsigned sort)
{
    unsigned steps = 2 + dice_pick(dice, STEPS_MAX - 1);
    a->plain = false;
    while (steps-- > 0)
        add_step(dice, a, sort);
    if (a->layer_count == 0) assignment_add_activation(dice, a);
}
