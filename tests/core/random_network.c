#include "tests/core/random_network.h"

#include <check.h>
#include <string.h>

enum { WIDTH = 3, DRAWN_LAYERS = 46 };

double random_number(struct random_network *r, double low, double high)
{
    r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return low + (high - low) * (double)(r->state >> 11) / 9007199254740992.0;
}

static size_t below(struct random_network *r, size_t n)
{
    return (size_t)random_number(r, 0, (double)n);
}

static struct layer *begin_layer(struct random_network *r, const char *name)
{
    struct layer *layer = &r->layers[r->definition.layer_count];
    ck_assert_uint_lt(r->definition.layer_count, RANDOM_LAYERS_MAX);
    *layer = (struct layer){.op = ops_find(name, false), .inputs = r->inputs[r->definition.layer_count]};
    ck_assert_msg(layer->op != NULL, "no op %s", name);
    for (size_t a = 0; attribute_stands(&layer->op->attributes[a]); a++)
        layer->attributes[a] = layer->op->attributes[a].fallback;
    return layer;
}

static void end_layer(struct random_network *r, size_t width)
{
    r->widths[r->definition.layer_count++] = width;
}

static void take(struct random_network *r, struct layer *layer, struct source source)
{
    ck_assert_uint_lt(layer->input_count, RANDOM_INPUTS_MAX);
    r->inputs[layer - r->layers][layer->input_count++] = source;
    if (source.layer != NULL) r->uses[source.layer - r->layers]++;
}

static size_t width_of(const struct random_network *r, struct source source)
{
    return source.layer != NULL ? r->widths[source.layer - r->layers] : WIDTH;
}

/* A feed or a layer so far, of the width if that is not 0; sooner a layer that nobody takes yet. */
static struct source pick(struct random_network *r, size_t width)
{
    size_t layers = r->definition.layer_count;
    for (int attempt = 0; attempt < 50 && layers > 0; attempt++) {
        size_t i = below(r, layers);
        if (r->uses[i] > 0 && attempt < 2) continue;
        if (width == 0 || r->widths[i] == width) return (struct source){.layer = &r->layers[i]};
    }
    ck_assert(width == 0 || width == WIDTH);
    return (struct source){.feed = below(r, RANDOM_FEEDS)};
}

static void activate(struct random_network *r, struct source source)
{
    static const char *const names[] = {"tanh", "sigmoid", "softplus", "silu", "elu", "leaky_relu", "gelu"};
    take(r, begin_layer(r, names[below(r, sizeof names / sizeof *names)]), source);
    end_layer(r, width_of(r, source));
}

/* A linear layer, of its own or with an earlier one's weight, turned round now and then. */
static void add_linear(struct random_network *r)
{
    struct source source = pick(r, 0);
    struct layer *layer = begin_layer(r, "linear");
    take(r, layer, source);
    layer->attributes[0] = WIDTH;
    for (size_t i = 0; below(r, 2) > 0 && i < r->definition.layer_count; i++) {
        const struct layer *other = &r->layers[below(r, r->definition.layer_count)];
        bool fits = other->op == layer->op && other->shares == NULL && width_of(r, source) == WIDTH &&
                    width_of(r, other->inputs[0]) == WIDTH;
        if (!fits) continue;
        layer->shares = other;
        layer->attributes[3] = (double)below(r, 2); /* transposed */
        break;
    }
    end_layer(r, WIDTH);
}

/* add or mul; what comes out is squashed, or it would grow without end. */
static void add_together(struct random_network *r)
{
    struct source first = pick(r, 0);
    struct layer *layer = begin_layer(r, below(r, 2) > 0 ? "add" : "mul");
    size_t width = width_of(r, first), count = 2 + below(r, 2);
    take(r, layer, first);
    while (layer->input_count < count) /* the same value again, now and then */
        take(r, layer, below(r, 4) == 0 ? first : pick(r, width));
    end_layer(r, width);
    take(r, begin_layer(r, "tanh"), (struct source){.layer = layer});
    end_layer(r, width);
}

static void add_concat(struct random_network *r)
{
    struct layer *layer = begin_layer(r, "concat");
    size_t width = 0;
    for (size_t k = 0; k < 2; k++) {
        struct source source = pick(r, WIDTH);
        take(r, layer, source);
        width += width_of(r, source);
    }
    end_layer(r, width);
}

static void add_norm(struct random_network *r)
{
    struct source source = pick(r, 0);
    struct layer *layer = begin_layer(r, "layer_norm");
    take(r, layer, source);
    layer->attributes[0] = 0.1; /* eps: not too steep for differences */
    end_layer(r, width_of(r, source));
}

/* What is left over, as far as it goes in. */
static void add_last(struct random_network *r)
{
    struct layer *layer = begin_layer(r, "add");
    for (size_t i = r->definition.layer_count; i-- > 0 && layer->input_count < RANDOM_INPUTS_MAX;)
        if (r->uses[i] == 0 && r->widths[i] == WIDTH) take(r, layer, (struct source){.layer = &r->layers[i]});
    while (layer->input_count < 2)
        take(r, layer, pick(r, WIDTH));
    end_layer(r, WIDTH);
}

void random_network(struct random_network *r, unsigned seed)
{
    static const char *const names[RANDOM_FEEDS] = {"x", "h0", "context"};
    *r = (struct random_network){.state = seed * 2654435761ULL + 1};
    for (size_t i = 0; i < RANDOM_FEEDS; i++)
        r->feeds[i] = (struct feed){.name = names[i], .sample = {1, {WIDTH}}, .wanted = below(r, 2) > 0};
    r->definition = (struct definition){.feeds = r->feeds, .feed_count = RANDOM_FEEDS, .layers = r->layers};
    while (r->definition.layer_count < DRAWN_LAYERS) {
        switch (below(r, 8)) {
        case 0:
        case 1:
        case 2:
            add_linear(r);
            break;
        case 3:
            add_together(r);
            break;
        case 4:
            add_concat(r);
            break;
        case 5:
            add_norm(r);
            break;
        default:
            activate(r, pick(r, 0));
        }
    }
    add_last(r);
    r->definition.loss = (struct layer){.op = ops_find("mse", true), .attributes = {[LOSS_SCALE] = 1.5}};
    r->definition.l2 = below(r, 2) > 0 ? 0.3 : 0;
}

struct problem random_problem(struct arena *arena, struct random_network *r, const struct network *network,
                              const struct backend *backend)
{
    struct problem problem = {.network = network, .backend = backend};
    problem.given = arena_zeroed(arena, network->graph.value_count, sizeof *problem.given);
    ck_assert_ptr_nonnull(problem.given);
    for (size_t v = 0; v < network->graph.value_count; v++) {
        const struct value *value = network->graph.values[v];
        if (value->made_by != NULL) continue;
        problem.given[v] = arena_doubles(arena, value->size);
        ck_assert_ptr_nonnull(problem.given[v]);
        for (size_t i = 0; i < value->size; i++)
            problem.given[v][i] = random_number(r, -0.8, 0.8);
    }
    return problem;
}
