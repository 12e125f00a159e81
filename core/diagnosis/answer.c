#include "core/diagnosis/answer.h"

#include <math.h>
#include <stdlib.h>

#include "core/diagnosis/hypothesis.h"

/* The value that a choice's sentence is about: each value that is used in several places is a mistake of its own. NULL
 * where it is about anything else, or about tensors, which are listed. */
static const struct value *value_of(const struct choice *choice)
{
    bool of_value = choice->mistake->step == STEP_CONSUMER && choice->parameter == PARAMETER_NONE;
    return of_value ? choice->below : NULL;
}

/* The mistake's entry, new where it is not there yet; NULL when memory is short. */
static struct found *found_entry(const struct search *s, struct diagnosis *d, const struct mistake *mistake,
                                 const struct value *below)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->found[i].mistake == mistake && d->found[i].below == below) return &d->found[i];
    if (d->count == FOUND_MAX) return NULL;
    struct found *found = &d->found[d->count];
    *found = (struct found){.mistake = mistake, .below = below};
    found->of_tensors = found->of_data = found->of_l2 = true; /* until a place is not */
    found->layers = arena_array(s->arena, s->network->definition->layer_count + 1, sizeof *found->layers);
    found->parameters = arena_array(s->arena, search_count(s), sizeof *found->parameters);
    if (found->layers == NULL || found->parameters == NULL) return NULL;
    d->count++;
    return found;
}

/* Where a choice was made, for people. */
static size_t layer_of(const struct choice *choice)
{
    return choice->node != NULL ? choice->node->place.layer : LAYER_LOSS;
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
    bool named = found->mistake->factor != NULL && !found->mistake->or_constant;
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
    for (size_t i = 0; i < s->best->length; i++) {
        const struct choice *choice = &s->best->path[i];
        bool of_it = choice->mistake == found->mistake && value_of(choice) == found->below;
        for (size_t p = 0; of_it && p < search_count(s); p++)
            if (search_reaches(s, choice, p)) add_parameter(s, p, found);
    }
}

/* Whether a tensor gets its gradient through a node: what the node sends back goes on to it. */
static bool lies_below(const struct search *s, const struct node *node, size_t p)
{
    for (size_t k = 0; node != NULL && k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        if (value != NULL && value->kind != VALUE_PARAMETER && ancestry_has(&s->ancestry, value, p)) return true;
    }
    return false;
}

/* Whether there is something below the tensors that a mistake spoils, and nothing wrong with it. */
static bool is_right_below(const struct search *s, const struct found *found)
{
    size_t below = 0;
    for (size_t p = 0; p < search_count(s); p++) {
        bool lies = false;
        for (size_t i = 0; i < found->parameter_count; i++)
            lies = lies || lies_below(s, s->network->graded[found->parameters[i]].node, p);
        if (lies && s->observed[p].failing) return false;
        below += lies;
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

/* The first entry of a mistake; NULL where there is none. */
static struct found *find_found(struct diagnosis *diagnosis, const struct mistake *mistake)
{
    for (size_t i = 0; i < diagnosis->count; i++)
        if (diagnosis->found[i].mistake == mistake) return &diagnosis->found[i];
    return NULL;
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
        struct found *found = find_found(diagnosis, replaced[k < replaced_count ? k : replaced_count - 1]);
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
    for (size_t i = 0; found->mistake->step == STEP_FINISHED && !found->sent && i < found->parameter_count; i++)
        if (s->network->graded[found->parameters[i]].slot != NULL)
            add_unique(found->layers, &found->layer_count, s->network->graded[found->parameters[i]].layer);
    qsort(found->layers, found->layer_count, sizeof *found->layers, compare_sizes);
    qsort(found->parameters, found->parameter_count, sizeof *found->parameters, compare_sizes);
}

bool answer_finished(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis)
{
    struct found *found = found_entry(s, diagnosis, finished->mistake, NULL);
    if (found == NULL) return false;
    for (size_t p = 0; p < search_count(s); p++) {
        bool named = p == finished->parameters[0] || p == finished->parameters[1];
        if (finished->all ? s->observed[p].failing : named) add_unique(found->parameters, &found->parameter_count, p);
    }
    place_found(s, found);
    found->residual = finished->residual;
    found->has_factor = !isnan(finished->factor);
    found->factor = found->has_factor ? snap(finished->factor) : 0;
    found->by_norm = finished->by_norm;
    found->of_tensors = found->of_data = found->of_l2 = false;
    if (finished->mistake == &mistake_gradient_accumulated || finished->by_norm)
        add_found_alternative(found, &mistake_constant_factor);
    return true;
}

/* Whether a factor is on one of several ways back: then no tensor need be a multiple of what it should be, and it is
 * told where it is made. In a line of layers it is told by the tensors that it is on. */
static bool is_way_back(const struct search *s, const struct choice *choice)
{
    bool step = choice->parameter == PARAMETER_NONE && choice->node != NULL;
    return step && choice->mistake->step == STEP_FINISHED && !network_is_chain(s->network);
}

bool answer_solution(const struct search *s, struct diagnosis *diagnosis)
{
    const struct solution *best = s->best;
    for (size_t i = 0; i < best->length; i++) {
        const struct choice *choice = &best->path[i];
        struct found *found = found_entry(s, diagnosis, choice->mistake, value_of(choice));
        if (found == NULL) return false;
        bool of_data = choice->parameter != PARAMETER_NONE && s->network->graded[choice->parameter].slot == NULL;
        bool placed = choice->mistake->step != STEP_FINISHED || is_way_back(s, choice);
        if (placed && (choice->node != NULL || !of_data))
            add_unique(found->layers, &found->layer_count, layer_of(choice));
        found->sent = found->sent || is_way_back(s, choice);
        if (choice->has_factor && !found->has_factor) found->factor = snap(choice->factor);
        found->has_factor = found->has_factor || choice->has_factor;
        found->of_tensors = found->of_tensors && choice->parameter != PARAMETER_NONE;
        found->of_data = found->of_data && of_data;
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

bool answer_rounded(const struct search *s, const struct report *report, struct diagnosis *diagnosis)
{
    struct found *found = NULL;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct entry *entry = &report->entries[p];
        if (!entry->rounded || entry->passed) continue;
        if (found == NULL && diagnosis->count == FOUND_MAX) return true;
        if (found == NULL) found = found_entry(s, diagnosis, &mistake_rounded, NULL);
        if (found == NULL) return false;
        add_unique(found->parameters, &found->parameter_count, p);
        found->residual = fmax(found->residual, entry->comparison.max_abs_diff);
        found->printed = entry->printed;
    }
    if (found != NULL) place_found(s, found);
    return true;
}
