#include "core/diagnosis/answer.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/numbers.h"
#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/parts.h"

/* The value that a choice's sentence is about: each value that is used in several places is a mistake of its own. NULL
 * where it is about anything else, or about tensors, which are listed. */
static const struct value *value_of(const struct choice *choice)
{
    bool of_value = choice->mistake->step == STEP_CONSUMER && choice->parameter == PARAMETER_NONE;
    return of_value ? choice->below : NULL;
}

/* A fitted number without the noise of the fit: 0.1 for 0.10000000000000012. */
static double snap(double x)
{
    if (!(fabs(x) > 1e-12 && fabs(x) < 1e12)) return x;
    double digits = pow(10, 7 - floor(log10(fabs(x)))), near = round(x * digits) / digits;
    return fabs(x - near) <= 1e-9 * fabs(x) ? near : x;
}

/* Whether a factor is on one of several ways back: then no tensor need be a multiple of what it should be, and it is
 * told where it is made. In a line of layers it is told by the tensors that it is on, if it is made at one place. */
static bool is_way_back(const struct search *s, const struct choice *choice)
{
    bool step = choice->parameter == PARAMETER_NONE && choice->node != NULL;
    bool several = !network_is_chain(s->network) || parts_places(s, choice) > 1;
    return step && choice->mistake->step == STEP_FINISHED && several;
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

/* with: another mistake that it takes beside, or NULL. */
static void add_found_alternative(struct found *found, const struct mistake *mistake, const struct mistake *with)
{
    if (mistake == found->mistake || found->alternative_count == FOUND_ALTERNATIVES_MAX) return;
    if (mistake == &mistake_constant_factor && is_named_factor(found)) return;
    for (size_t i = 0; i < found->alternative_count; i++)
        if (found->alternatives[i] == mistake) return;
    found->with[found->alternative_count] = with;
    found->alternatives[found->alternative_count++] = mistake;
}

/* Whether an entry says of a choice what is true of it: the same mistake made in the same way, with the same number. */
static bool is_told_by(const struct found *found, const struct choice *choice)
{
    return found->mistake == choice->mistake && found->below == value_of(choice) && found->variant == choice->variant &&
           found->of_tensors == (choice->parameter != PARAMETER_NONE) && found->of_l2 == choice->of_l2 &&
           found->but_l2 == choice->but_l2 && found->sent_back == choice->sent_back &&
           found->has_factor == choice->has_factor &&
           (!choice->has_factor || written_near(found->factor, choice->factor));
}

/* A new entry; NULL when memory is short. */
static struct found *found_new(const struct search *s, struct diagnosis *d, const struct mistake *mistake)
{
    struct found *found = &d->found[d->count];
    *found = (struct found){.mistake = mistake};
    found->layers = arena_array(s->arena, s->network->definition->layer_count + 1, sizeof *found->layers);
    found->parameters = arena_array(s->arena, search_count(s), sizeof *found->parameters);
    if (found->layers == NULL || found->parameters == NULL) return NULL;
    d->count++;
    return found;
}

/* The choice's entry, new where it is not there yet. Of more than an answer holds the last stands for the rest. NULL
 * when memory is short. */
static struct found *found_entry(const struct search *s, struct diagnosis *d, const struct choice *choice)
{
    for (size_t i = 0; i < d->count; i++)
        if (is_told_by(&d->found[i], choice)) return &d->found[i];
    if (d->count == FOUND_MAX) return &d->found[FOUND_MAX - 1];
    struct found *found = found_new(s, d, choice->mistake);
    if (found == NULL) return NULL;
    found->below = value_of(choice);
    found->variant = choice->variant;
    found->of_tensors = choice->parameter != PARAMETER_NONE;
    found->of_data = true; /* until a tensor is not */
    found->of_l2 = choice->of_l2;
    found->but_l2 = choice->but_l2;
    found->sent_back = choice->sent_back;
    found->has_factor = choice->has_factor;
    found->factor = choice->has_factor ? snap(choice->factor) : 0;
    found->scale = choice->scale;
    found->by_norm = choice->by_norm;
    found->sample = choice->sample;
    for (size_t a = 0; a < choice->alternative_count; a++)
        add_found_alternative(found, choice->alternatives[a], NULL);
    return found;
}

/* A failing parameter that a mistake spoils, if what was handed in for it is explained: the residual is of that. */
static void add_parameter(const struct search *s, size_t p, struct found *found)
{
    const struct match *match = &s->best->matches[p];
    if (!s->observed[p].failing || match->fit == FIT_NONE) return;
    add_unique(found->parameters, &found->parameter_count, p);
    found->residual = fmax(found->residual, match->residual);
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

/* The mistake that another one takes beside to stand in for what the best solution makes; NULL where it needs none. */
static const struct mistake *beside(const struct solution *best, const struct solution *other,
                                    const struct mistake *const *instead, size_t count, size_t k)
{
    if (count > 1) return instead[k == 0 ? 1 : 0];
    for (size_t i = 0; other->distinct > best->distinct && i < other->distinct; i++)
        if (other->mistakes[i] != instead[k]) return other->mistakes[i];
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
        const struct mistake *with = beside(s->best, other, instead, count, k);
        add_found_alternative(found, instead[k], with);
        for (size_t i = 0; i < other->length; i++)
            for (size_t a = 0; other->path[i].mistake == instead[k] && a < other->path[i].alternative_count; a++)
                add_found_alternative(found, other->path[i].alternatives[a], with);
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

/* Mistakes on the finished gradients are where those gradients belong; layers and parameters in the network's order. */
static void place_found(const struct search *s, struct found *found)
{
    for (size_t i = 0; found->mistake->step == STEP_FINISHED && !found->sent && i < found->parameter_count; i++)
        if (s->network->graded[found->parameters[i]].slot != NULL)
            add_unique(found->layers, &found->layer_count, s->network->graded[found->parameters[i]].layer);
    qsort(found->layers, found->layer_count, sizeof *found->layers, numbers_compare_sizes);
    qsort(found->parameters, found->parameter_count, sizeof *found->parameters, numbers_compare_sizes);
}

bool answer_finished(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis)
{
    struct found *found = found_new(s, diagnosis, finished->mistake);
    if (found == NULL) return false;
    for (size_t p = 0; p < search_count(s); p++) {
        bool named = p == finished->parameters[0] || p == finished->parameters[1];
        bool wrong = s->observed[p].failing && !s->observed[p].absent;
        if (finished->all ? wrong : named) add_unique(found->parameters, &found->parameter_count, p);
    }
    if (finished->mistake->step == STEP_LOSS) found->layers[found->layer_count++] = LAYER_LOSS;
    place_found(s, found);
    found->variant = finished->variant;
    found->residual = finished->residual;
    for (size_t i = 0; s->best != NULL && i < found->parameter_count;
         i++) { /* what lies under it leaves the difference */
        const struct match *match = &s->best->matches[found->parameters[i]];
        if (match->fit != FIT_NONE) found->residual = fmax(found->residual, match->residual);
    }
    found->has_factor = !isnan(finished->factor);
    found->factor = found->has_factor ? snap(finished->factor) : 0;
    found->by_norm = finished->by_norm;
    found->of_tensors = finished->spares_data && finished->mistake != &mistake_clipped;
    bool of_update = finished->mistake == &mistake_learning_rate_applied || finished->mistake == &mistake_velocity;
    bool accumulated = finished->mistake == &mistake_gradient_accumulated;
    found->with_l2 = found->at_loss = of_update || accumulated || finished->mistake == &mistake_constant_factor;
    if (accumulated || finished->by_norm || of_update) add_found_alternative(found, &mistake_constant_factor, NULL);
    return true;
}

/* Only what gives the same numbers at each place of an entry is an alternative to it. */
static void keep_common_alternatives(struct found *found, const struct choice *choice)
{
    size_t kept = 0;
    for (size_t i = 0; i < found->alternative_count; i++) {
        bool common = false;
        for (size_t a = 0; a < choice->alternative_count; a++)
            common = common || choice->alternatives[a] == found->alternatives[i];
        if (common) found->alternatives[kept++] = found->alternatives[i];
    }
    found->alternative_count = kept;
}

/* A wrong step that was taken for all tensors that it could spoil is no step for single ones. */
static void widen(const struct search *s, struct choice *choice)
{
    const struct solution *best = s->best;
    const struct value *below = choice->node != NULL ? choice->node->inputs[0] : NULL;
    if (choice->parameter == PARAMETER_NONE || choice->mistake->step != STEP_INPUT || below == NULL) return;
    for (size_t p = 0; p < search_count(s); p++) {
        bool made = s->observed[p].absent || !ancestry_has(&s->ancestry, below, p);
        for (size_t i = 0; i < best->length && !made; i++) {
            const struct choice *other = &best->path[i];
            made = other->parameter == p && other->mistake == choice->mistake && other->variant == choice->variant &&
                   other->node == choice->node;
        }
        if (!made) return;
    }
    choice->parameter = PARAMETER_NONE;
    choice->below = below;
}

/* One choice of the solution. False when memory is short. */
static bool tell(const struct search *s, struct diagnosis *diagnosis, const struct choice *choice)
{
    struct found *found = found_entry(s, diagnosis, choice);
    if (found == NULL) return false;
    bool of_data = choice->parameter != PARAMETER_NONE && s->network->graded[choice->parameter].slot == NULL;
    bool placed = choice->mistake->step != STEP_FINISHED || is_way_back(s, choice);
    if (placed && (choice->node != NULL || !of_data)) add_unique(found->layers, &found->layer_count, layer_of(choice));
    found->sent = found->sent || is_way_back(s, choice);
    found->at_loss = search_at_loss(choice);
    found->of_data = found->of_data && of_data;
    keep_common_alternatives(found, choice);
    for (size_t p = 0; p < search_count(s); p++)
        if (search_reaches(s, choice, p)) add_parameter(s, p, found);
    return true;
}

/* Whether a factor on the loss was found on l2's part, too: on all tensors that have one. */
static bool is_with_l2(const struct search *s, const struct found *found)
{
    size_t with = 0, without = 0;
    for (size_t i = 0; i < found->parameter_count; i++) {
        size_t p = found->parameters[i];
        if (s->best->matches[p].fit != FIT_NONE && hypothesis_shows_l2(s, s->best->path, s->best->length, p))
            *(s->best->matches[p].with_l2 ? &with : &without) += 1;
    }
    return with > 0 && without == 0;
}

/* Whether something that a step would spoil is right: the step was taken for the other tensors alone. */
static bool spares_any(const struct search *s, const struct found *found)
{
    for (size_t i = 0; i < s->best->length; i++) {
        const struct choice *choice = &s->best->path[i];
        if (choice->mistake != found->mistake || choice->variant != found->variant || choice->node == NULL) continue;
        for (size_t p = 0; choice->parameter == PARAMETER_NONE && p < search_count(s); p++) {
            const struct observed *o = &s->observed[p];
            if (!o->failing && !o->absent && s->best->matches[p].fit == FIT_NONE && search_reaches(s, choice, p))
                return true;
        }
    }
    return false;
}

/* What is to be said of an entry besides, once all are there. */
static void finish(const struct search *s, const struct diagnosis *diagnosis, struct found *found)
{
    found->right_below = is_right_below(s, found);
    if (found->mistake->step == STEP_INPUT && !found->has_factor && spares_any(s, found)) found->of_tensors = true;
    bool may_be = found->has_factor && found->at_loss && !found->sent_back && found->mistake != &mistake_clipped;
    found->with_l2 = may_be && is_with_l2(s, found);
    for (size_t i = 0; i < diagnosis->count; i++) {
        const struct found *other = &diagnosis->found[i];
        for (size_t k = 0; other != found && k < other->parameter_count; k++)
            for (size_t j = 0; j < found->parameter_count; j++)
                found->others_reach = found->others_reach || found->parameters[j] == other->parameters[k];
    }
    place_found(s, found);
}

/* Twice all gradients from somewhere down, or half of them, are what adding up does wrong, too: what came back was
 * added twice; and where one of two shares is missing, the other may have overwritten it. */
static void add_consumers(const struct search *s, struct found *found)
{
    bool all = found->of_tensors && found->has_factor && !found->right_below;
    for (size_t p = 0; p < search_count(s) && all; p++)
        for (size_t i = 0; i < found->parameter_count && all; i++) {
            const struct graded *here = &s->network->graded[found->parameters[i]], *other = &s->network->graded[p];
            bool same_layer = here->slot != NULL && other->slot != NULL && here->layer == other->layer;
            all = !same_layer || s->observed[p].failing;
        }
    if (all && written_near(found->factor, 2)) add_found_alternative(found, &mistake_sent_twice, NULL);
    for (size_t i = 0; i < found->alternative_count && written_near(found->factor, 0.5); i++)
        if (found->alternatives[i] == &mistake_contribution_missing)
            add_found_alternative(found, &mistake_gradient_overwritten, NULL);
}

/* Mistakes that spoil nothing which failed are not told: the tolerance does not see them. */
static void drop_idle(struct diagnosis *diagnosis)
{
    size_t kept = 0;
    for (size_t i = 0; i < diagnosis->count; i++)
        if (diagnosis->found[i].parameter_count > 0) diagnosis->found[kept++] = diagnosis->found[i];
    diagnosis->count = kept;
}

bool answer_solution(const struct search *s, struct diagnosis *diagnosis)
{
    const struct solution *best = s->best;
    for (size_t i = 0; i < best->length; i++) {
        struct choice parts[PARTS_MAX];
        size_t count = parts_of(s, &best->path[i], parts);
        for (size_t k = 0; k < count; k++) {
            widen(s, &parts[k]);
            if (!tell(s, diagnosis, &parts[k])) return false;
        }
    }
    drop_idle(diagnosis);
    for (size_t i = 0; i < diagnosis->count; i++)
        finish(s, diagnosis, &diagnosis->found[i]);
    add_others(s, diagnosis);
    if (diagnosis->count == 1) add_consumers(s, &diagnosis->found[0]);
    return true;
}

/* The entry of what was printed so; NULL where there is none. */
static struct found *find_rounded(const struct diagnosis *diagnosis, const struct printed *printed)
{
    for (size_t i = 0; i < diagnosis->count; i++) {
        struct found *found = &diagnosis->found[i];
        bool alike = found->printed.decimals == printed->decimals && found->printed.digits == printed->digits;
        if (found->mistake == &mistake_rounded && alike) return found;
    }
    return NULL;
}

bool answer_rounded(const struct search *s, const struct report *report, struct diagnosis *diagnosis)
{
    size_t before = diagnosis->count;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct entry *entry = &report->entries[p];
        if (!entry->rounded || entry->passed) continue;
        struct found *found = find_rounded(diagnosis, &entry->printed);
        if (found == NULL && diagnosis->count == FOUND_MAX) continue;
        if (found == NULL) found = found_new(s, diagnosis, &mistake_rounded);
        if (found == NULL) return false;
        add_unique(found->parameters, &found->parameter_count, p);
        found->residual = fmax(found->residual, entry->comparison.max_abs_diff);
        found->printed = entry->printed;
    }
    for (size_t i = before; i < diagnosis->count; i++)
        place_found(s, &diagnosis->found[i]);
    return true;
}
