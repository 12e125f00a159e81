#include "core/diagnose_answer.h"

#include <math.h>
#include <stdlib.h>

/* The mistake's entry, new where it is not there yet; NULL when memory is short. */
static struct found *found_entry(const struct search *s, struct diagnosis *d, const struct mistake *mistake)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->found[i].mistake == mistake) return &d->found[i];
    if (d->count == FOUND_MAX) return NULL;
    struct found *found = &d->found[d->count];
    *found = (struct found){.mistake = mistake};
    found->layers = arena_array(s->arena, 2 * s->network->node_count + 2, sizeof *found->layers);
    found->parameters = arena_array(s->arena, s->network->parameter_count, sizeof *found->parameters);
    if (found->layers == NULL || found->parameters == NULL) return NULL;
    d->count++;
    return found;
}

static void add_unique(size_t *list, size_t *count, size_t value)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i] == value) return;
    list[(*count)++] = value;
}

/* A factor on the loss that has a name needs no "or some constant". */
static bool is_named_factor(const struct found *found)
{
    const struct mistake *mistake = found->mistake;
    bool named = mistake == &mistake_not_averaged_over_batch || mistake == &mistake_averaged_twice ||
                 mistake == &mistake_missing_factor_two || mistake == &mistake_sign_flipped;
    for (size_t i = 0; i < found->layer_count; i++)
        if (found->layers[i] == LAYER_LOSS) return named;
    return false;
}

static void add_found_alternative(struct found *found, const struct mistake *mistake)
{
    if (mistake == &mistake_constant_factor && is_named_factor(found)) return;
    if (mistake == found->mistake || found->alternative_count == FOUND_ALTERNATIVES_MAX) return;
    for (size_t i = 0; i < found->alternative_count; i++)
        if (found->alternatives[i] == mistake) return;
    found->alternatives[found->alternative_count++] = mistake;
}

/* The failing parameters that a choice spoils. */
static void add_parameters(const struct search *s, const struct choice *choice, const struct match *matches,
                           struct found *found)
{
    const struct network *network = s->network;
    for (size_t p = 0; p < network->parameter_count; p++) {
        bool own = choice->parameter == p;
        bool below = choice->parameter == PARAMETER_NONE &&
                     (choice->layer == LAYER_LOSS || network->parameters[p].node < choice->layer);
        if (!s->observed[p].failing || s->observed[p].absent || (!own && !below)) continue;
        add_unique(found->parameters, &found->parameter_count, p);
        found->residual = fmax(found->residual, matches[p].residual);
    }
}

static bool holds(const struct solution *solution, const struct mistake *mistake)
{
    for (size_t i = 0; i < solution->length; i++)
        if (solution->path[i].mistake == mistake) return true;
    return false;
}

/* Another solution that differs in one mistake names an alternative to it. */
static void merge(const struct search *s, struct diagnosis *diagnosis, const struct solution *best,
                  const struct solution *other)
{
    const struct mistake *only_best = NULL, *only_other = NULL;
    size_t count = 0;
    for (size_t i = 0; i < best->length; i++)
        if (!holds(other, best->path[i].mistake) && best->path[i].mistake != only_best) {
            only_best = best->path[i].mistake;
            count++;
        }
    for (size_t i = 0; i < other->length; i++)
        if (!holds(best, other->path[i].mistake) && other->path[i].mistake != only_other) {
            only_other = other->path[i].mistake;
            count++;
        }
    if (count != 2 || only_best == NULL || only_other == NULL) return;
    struct found *found = found_entry(s, diagnosis, only_best);
    if (found == NULL) return;
    add_found_alternative(found, only_other);
    for (size_t i = 0; i < other->length; i++)
        for (size_t a = 0; other->path[i].mistake == only_other && a < other->path[i].alternative_count; a++)
            add_found_alternative(found, other->path[i].alternatives[a]);
}

/* A fitted number without the noise of the fit: 0.1 for 0.10000000000000012. */
static double snap(double x)
{
    if (!(fabs(x) > 1e-12 && fabs(x) < 1e12)) return x;
    double unit = pow(10, floor(log10(fabs(x))) - 7), near = round(x / unit) * unit;
    return fabs(x - near) <= 1e-9 * fabs(x) ? near : x;
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Mistakes on the finished gradients are where those gradients belong; layers and parameters in the network's order. */
static void place_found(const struct search *s, struct found *found)
{
    for (size_t i = 0; found->mistake->step == STEP_FINISHED && i < found->parameter_count; i++)
        add_unique(found->layers, &found->layer_count, s->network->parameters[found->parameters[i]].node);
    qsort(found->layers, found->layer_count, sizeof *found->layers, compare_sizes);
    qsort(found->parameters, found->parameter_count, sizeof *found->parameters, compare_sizes);
}

bool answer_finished(const struct search *s, const struct finished *finished, struct diagnosis *diagnosis)
{
    struct found *found = found_entry(s, diagnosis, finished->mistake);
    if (found == NULL) return false;
    for (size_t p = 0; p < s->network->parameter_count; p++) {
        bool named = p == finished->parameters[0] || p == finished->parameters[1];
        if (finished->all ? s->observed[p].failing : named) add_unique(found->parameters, &found->parameter_count, p);
    }
    place_found(s, found);
    found->residual = finished->residual;
    found->has_factor = !isnan(finished->factor);
    found->factor = found->has_factor ? snap(finished->factor) : 0;
    found->by_norm = finished->by_norm;
    if (finished->mistake == &mistake_gradient_accumulated || finished->by_norm)
        add_found_alternative(found, &mistake_constant_factor);
    return true;
}

bool answer_solution(const struct search *s, struct diagnosis *diagnosis)
{
    const struct solution *best = s->best;
    for (size_t i = 0; i < best->length; i++) {
        const struct choice *choice = &best->path[i];
        struct found *found = found_entry(s, diagnosis, choice->mistake);
        if (found == NULL) return false;
        add_parameters(s, choice, best->matches, found);
        if (choice->mistake->step != STEP_FINISHED) add_unique(found->layers, &found->layer_count, choice->layer);
        if (choice->has_factor && !found->has_factor) found->factor = snap(choice->factor);
        found->has_factor = found->has_factor || choice->has_factor;
        found->of_tensors = choice->parameter != PARAMETER_NONE;
        found->by_norm = choice->by_norm;
        found->sample = choice->sample;
        for (size_t a = 0; a < choice->alternative_count; a++)
            add_found_alternative(found, choice->alternatives[a]);
    }
    for (size_t i = 0; i < diagnosis->count; i++)
        place_found(s, &diagnosis->found[i]);
    for (size_t i = 0; i < s->other_count; i++)
        merge(s, diagnosis, best, &s->pool[1 + i]);
    return true;
}
