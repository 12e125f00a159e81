#include "core/diagnosis/answer.h"

#include <math.h>
#include <stdlib.h>

#include "core/diagnosis/hypothesis.h"

/* The mistake's entry, new where it is not there yet; NULL when memory is short. */
static struct found *found_entry(const struct search *s, struct diagnosis *d, const struct mistake *mistake)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->found[i].mistake == mistake) return &d->found[i];
    if (d->count == FOUND_MAX) return NULL;
    struct found *found = &d->found[d->count];
    *found = (struct found){.mistake = mistake, .of_tensors = true, .of_l2 = true}; /* until a place is not */
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
    if (mistake == found->mistake || found->alternative_count == FOUND_ALTERNATIVES_MAX) return;
    if (mistake == &mistake_constant_factor && is_named_factor(found)) return;
    for (size_t i = 0; i < found->alternative_count; i++)
        if (found->alternatives[i] == mistake) return;
    found->alternatives[found->alternative_count++] = mistake;
}

/* A failing parameter that a mistake spoils, if what was handed in for it is explained: the residual is of that. */
static void add_parameter(const struct search *s, size_t p, struct found *found)
{
    const struct match *match = &s->best->matches[p];
    if (!s->observed[p].failing || match->fit == FIT_NONE) return;
    add_unique(found->parameters, &found->parameter_count, p);
    found->residual = fmax(found->residual, match->residual);
}

/* Those of all the places where the best solution makes it. */
static void add_parameters(const struct search *s, struct found *found)
{
    const struct network *network = s->network;
    size_t reach = 0; /* all nodes below */
    for (size_t i = 0; i < s->best->length; i++) {
        const struct choice *choice = &s->best->path[i];
        if (choice->mistake != found->mistake) continue;
        if (choice->parameter != PARAMETER_NONE)
            add_parameter(s, choice->parameter, found);
        else if (choice->layer > reach)
            reach = choice->layer;
    }
    for (size_t p = 0; p < network->parameter_count; p++)
        if (network->parameters[p].node < reach) add_parameter(s, p, found);
}

/* Whether there is something below the uppermost tensor that a mistake spoils, and nothing wrong with it. */
static bool is_right_below(const struct search *s, const struct found *found)
{
    const struct parameter *parameters = s->network->parameters;
    size_t uppermost = 0, below = 0;
    for (size_t i = 0; i < found->parameter_count; i++) {
        size_t node = parameters[found->parameters[i]].node;
        uppermost = node > uppermost ? node : uppermost;
    }
    for (size_t p = 0; p < s->network->parameter_count; p++) {
        if (parameters[p].node >= uppermost) continue;
        if (s->observed[p].failing) return false;
        below++;
    }
    return below > 0;
}

/* The mistakes of a that b does not make, as the backward pass comes to them. */
static size_t list_only_in(const struct solution *a, const struct solution *b, const struct mistake *only[BUDGET_MAX])
{
    size_t count = 0;
    for (size_t k = 0; k < a->distinct && count < BUDGET_MAX; k++) {
        bool listed = hypothesis_holds(b, a->mistakes[k]);
        for (size_t j = 0; j < count; j++)
            listed = listed || only[j] == a->mistakes[k];
        if (!listed) only[count++] = a->mistakes[k];
    }
    return count;
}

/* Another solution: what only it makes stands in for what only the best makes, the first for the first as the backward
 * pass comes to them; where the best is a single mistake, all of it for that. */
static void add_other(const struct search *s, struct diagnosis *diagnosis, const struct solution *other)
{
    const struct mistake *replaced[BUDGET_MAX], *instead[BUDGET_MAX];
    size_t replaced_count = list_only_in(s->best, other, replaced);
    size_t count = list_only_in(other, s->best, instead);
    if (replaced_count == 0 && s->best->distinct == 1) replaced[replaced_count++] = s->best->path[0].mistake;
    for (size_t k = 0; replaced_count > 0 && k < count; k++) {
        struct found *found = found_entry(s, diagnosis, replaced[k < replaced_count ? k : replaced_count - 1]);
        if (found == NULL) return;
        add_found_alternative(found, instead[k]);
        for (size_t i = 0; i < other->length; i++)
            for (size_t a = 0; other->path[i].mistake == instead[k] && a < other->path[i].alternative_count; a++)
                add_found_alternative(found, other->path[i].alternatives[a]);
    }
}

/* First what stands in alone, then what does only together with another; the likelier first. */
static void add_others(const struct search *s, struct diagnosis *diagnosis)
{
    const struct solution *others = &s->pool[1];
    size_t order[SOLUTIONS_MAX] = {0};
    for (size_t i = 0; i < s->other_count; i++) {
        size_t at = i;
        for (; at > 0 && hypothesis_is_likelier(&others[i], &others[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 0; i < s->other_count; i++)
        add_other(s, diagnosis, &others[order[i]]);
}

/* A fitted number without the noise of the fit: 0.1 for 0.10000000000000012. */
static double snap(double x)
{
    if (!(fabs(x) > 1e-12 && fabs(x) < 1e12)) return x;
    double digits = pow(10, 7 - floor(log10(fabs(x)))), near = round(x * digits) / digits;
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

bool answer_finished(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis)
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
    found->of_tensors = found->of_l2 = false;
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
        if (choice->mistake->step != STEP_FINISHED) add_unique(found->layers, &found->layer_count, choice->layer);
        if (choice->has_factor && !found->has_factor) found->factor = snap(choice->factor);
        found->has_factor = found->has_factor || choice->has_factor;
        found->of_tensors = found->of_tensors && choice->parameter != PARAMETER_NONE;
        found->of_l2 = found->of_l2 && choice->of_l2;
        found->by_norm = choice->by_norm;
        found->sample = choice->sample;
        for (size_t a = 0; a < choice->alternative_count; a++)
            add_found_alternative(found, choice->alternatives[a]);
    }
    for (size_t i = 0; i < diagnosis->count; i++) {
        add_parameters(s, &diagnosis->found[i]);
        diagnosis->found[i].right_below = is_right_below(s, &diagnosis->found[i]);
        place_found(s, &diagnosis->found[i]);
    }
    add_others(s, diagnosis);
    return true;
}
