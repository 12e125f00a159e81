#include "tests/fuzz/vary.h"

#include <string.h>

#include "tests/fuzz/kinds.h"

/* ---- another network ---- */

/* Whether the output is good for another loss as well. */
static bool may_have_loss(const struct assignment *a, size_t loss)
{
    const struct kind *other = &losses[loss];
    bool probable = layer_kinds[a->layers[a->layer_count - 1].kind].probabilities;
    return other->classes == (a->classes > 0) && (probable || !other->probabilities);
}

static void forget_last_sample(struct assignment *a)
{
    if (a->batch == 1) return;
    a->batch--;
    for (size_t i = 0; i < a->feed_count; i++)
        a->feeds[i].value.rows--;
    for (size_t p = 0; p < a->parameter_count; p++)
        if (a->parameters[p].feed) a->parameters[p].value.rows--;
    if (a->classes > 0)
        a->y.columns--;
    else
        a->y.rows--;
}

/* An activation for another one, a sum for a product, the inputs of concat in another order. */
static void change_layer(struct assignment *a, size_t i, unsigned pick)
{
    if (i + 1 >= a->layer_count) return;
    struct layer_made *layer = &a->layers[i];
    if (layer->kind == KIND_ADD || layer->kind == KIND_MUL) {
        layer->kind = layer->kind == KIND_ADD ? KIND_MUL : KIND_ADD;
    } else if (layer->kind == KIND_CONCAT) {
        struct source_made first = layer->inputs[0];
        layer->inputs[0] = layer->inputs[1];
        layer->inputs[1] = first;
    } else if (layer->kind >= KIND_FIRST_ACTIVATION) {
        layer->kind = KIND_FIRST_ACTIVATION + pick % 3;
        layer->given = false;
    }
}

void vary_roll(struct dice *dice, struct assignment *a)
{
    size_t pick = dice_pick(dice, 5), loss = dice_pick(dice, LOSSES), layer = dice_pick(dice, LAYERS_MAX);
    if (pick == 0) a->reduction = 1 + (a->reduction + 1) % 3;
    if (pick == 1) a->l2 = a->l2 > 0 ? 0 : 0.1;
    if (pick == 2 && may_have_loss(a, loss)) {
        a->loss = loss;
        a->loss_given = losses[loss].probabilities && losses[loss].attribute != NULL;
    }
    if (pick == 3) forget_last_sample(a);
    if (pick == 4) change_layer(a, layer % a->layer_count, (unsigned)loss);
}

/* ---- consumers that send nothing back ---- */

/* A value that is known: a member of data, or a layer that has parameters, or the activation behind it. */
struct known {
    struct source_made source;
    const struct matrix *value;
};

static bool same_source(struct source_made a, struct source_made b)
{
    return a.feed == b.feed && a.at == b.at;
}

/* How many times that is taken; the last one that does. */
static size_t uses_of(const struct assignment *a, struct source_made source, size_t *layer)
{
    size_t uses = 0;
    for (size_t i = 0; i < a->layer_count; i++)
        for (size_t k = 0; k < a->layers[i].input_count; k++) {
            if (!same_source(a->layers[i].inputs[k], source)) continue;
            uses++;
            *layer = i;
        }
    return uses;
}

static size_t list_known(const struct assignment *a, const struct reference *reference, struct known *known)
{
    size_t count = 0, number = 0, user = 0;
    for (size_t i = 0; i < a->feed_count; i++)
        known[count++] = (struct known){{.feed = true, .at = i}, &a->feeds[i].value};
    for (size_t p = 0; p < a->parameter_count; p++) {
        const struct parameter_made *parameter = &a->parameters[p];
        if (parameter->feed || parameter->number == number) continue;
        number = parameter->number;
        const struct matrix *values = reference->values[number - 1];
        struct source_made z = {.at = parameter->layer};
        known[count++] = (struct known){z, &values[VALUE_Z]};
        if (uses_of(a, z, &user) == 1 && a->layers[user].kind >= KIND_FIRST_ACTIVATION)
            known[count++] = (struct known){{.at = user}, &values[VALUE_H]};
    }
    return count;
}

/* Some of its consumers, at least one, take a member of data that holds the same. */
static void cut_consumers(struct assignment *a, const struct known *known, unsigned which)
{
    struct feed_made *feed = &a->feeds[a->feed_count];
    struct source_made copy = {.feed = true, .at = a->feed_count++};
    feed->name = "copy";
    feed->shape = *source_sample(a, known->source);
    feed->value = *known->value;
    size_t use = 0;
    for (size_t i = 0; i < a->layer_count; i++)
        for (size_t k = 0; k < a->layers[i].input_count; k++) {
            struct layer_made *layer = &a->layers[i];
            if (!same_source(layer->inputs[k], known->source) || (which >> use++ % 8 & 1) == 0) continue;
            layer->inputs[k] = copy;
            layer->said = true;
        }
}

/* Of a member of data that nobody takes any more there is no gradient. */
static void drop_feeds(struct assignment *a)
{
    size_t kept = 0;
    for (size_t p = 0; p < a->parameter_count; p++) {
        const struct parameter_made *parameter = &a->parameters[p];
        if (parameter->feed && parameter->layer > 0 && !assignment_takes(a, parameter->layer)) continue;
        if (kept != p) a->parameters[kept] = *parameter;
        kept++;
    }
    a->parameter_count = kept;
}

static bool cut_value(struct dice *dice, struct assignment *a, const struct reference *reference)
{
    struct known known[FEEDS_MAX + 2 * NUMBERED_MAX];
    size_t count = list_known(a, reference, known), start = dice_pick(dice, (unsigned)count), layer;
    unsigned which = 1 + dice_pick(dice, 255);
    for (size_t n = 0; n < count; n++) {
        const struct known *one = &known[(start + n) % count];
        if (uses_of(a, one->source, &layer) < 2) continue; /* without its only consumer it has no gradient at all */
        cut_consumers(a, one, which);
        drop_feeds(a);
        return true;
    }
    return false;
}

/* ---- parameters ---- */

static void copy_parameter(const struct parameter_made *from, bool turned, struct parameter_made *to)
{
    size_t rows = from->value.rows, columns = from->value.columns;
    to->weight = from->weight;
    to->value.rows = turned ? columns : rows;
    to->value.columns = turned ? rows : columns;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to->value.at[turned ? j * rows + i : i * columns + j] = from->value.at[i * columns + j];
}

/* The place of the first parameter behind those of a layer. */
static size_t place_behind(const struct assignment *a, size_t layer)
{
    size_t p = 0;
    while (p < a->parameter_count && !a->parameters[p].feed && a->parameters[p].layer <= layer)
        p++;
    return p;
}

/* Puts a copy of number `from` where parameter `second` of the layer belongs. */
static void insert_copy(struct assignment *a, size_t layer, bool second, size_t from, bool turned)
{
    struct parameter_made copy = {.layer = layer, .second = second};
    copy_parameter(&a->parameters[from], turned, &copy);
    size_t at = place_behind(a, layer);
    while (at > 0 && a->parameters[at - 1].layer == layer && a->parameters[at - 1].second > second)
        at--;
    memmove(&a->parameters[at + 1], &a->parameters[at], (a->parameter_count - at) * sizeof *a->parameters);
    a->parameters[at] = copy;
    a->parameter_count++;
    for (size_t i = 0; i < a->layer_count; i++)
        for (size_t k = 0; k < 2; k++)
            a->layers[i].tensors[k] += a->layers[i].tensors[k] > at;
    a->layers[layer].tensors[second] = at + 1;
}

/* Whether another layer has what this one has from its owner. */
static bool is_owner(const struct assignment *a, size_t layer)
{
    for (size_t i = layer + 1; i < a->layer_count; i++)
        if (a->layers[i].shares && a->layers[i].owner == layer) return true;
    return false;
}

/* A layer that shares has a copy of its own: what comes back through it is not added up. */
static bool cut_parameters(struct dice *dice, struct assignment *a)
{
    size_t start = dice_pick(dice, LAYERS_MAX);
    for (size_t n = 0; n < a->layer_count && a->scheme == NULL; n++) {
        size_t i = (start + n) % a->layer_count;
        struct layer_made *layer = &a->layers[i];
        if (!layer->shares || is_owner(a, i)) continue;
        bool turned = layer->transposed;
        const size_t had[2] = {layer->tensors[0], layer->tensors[1]};
        layer->shares = layer->transposed = false;
        for (unsigned second = 2; second-- > 0;) /* the later first, so that the earlier one's place stays */
            if (had[second] > 0 && a->parameters[had[second] - 1].layer != i)
                insert_copy(a, i, second, had[second] - 1, turned && second == 0);
        assignment_name(a);
        return true;
    }
    return false;
}

bool vary_cut(struct dice *dice, struct assignment *a, const struct reference *reference)
{
    bool parameters = dice_pick(dice, 2) > 0;
    if (parameters && cut_parameters(dice, a)) return true;
    return cut_value(dice, a, reference);
}

/* ---- by the graded of the right one ---- */

static bool same_graded(const struct parameter_made *a, const struct parameter_made *b)
{
    return a->feed == b->feed && a->layer == b->layer && a->second == b->second;
}

void vary_map(const struct assignment *a, const struct assignment *other, const struct reference *from,
              struct reference *to)
{
    for (size_t p = 0; p < a->parameter_count; p++) {
        struct matrix *gradient = &to->gradients[p];
        *gradient = (struct matrix){.rows = a->parameters[p].value.rows, .columns = a->parameters[p].value.columns};
        for (size_t q = 0; q < other->parameter_count; q++) {
            const struct matrix *found = &from->gradients[q];
            if (!same_graded(&a->parameters[p], &other->parameters[q])) continue;
            memcpy(gradient->at, found->at, found->rows * found->columns * sizeof *found->at);
        }
    }
}
