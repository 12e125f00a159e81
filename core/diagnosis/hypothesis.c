#include "core/diagnosis/hypothesis.h"

#include <math.h>
#include <string.h>

#include "core/diagnosis/written.h"

/* A number that is right, and that two mistakes would have to agree on, counts for so many digits. */
#define DIGITS_OF_A_RIGHT_NUMBER 3.0

/* A number that was fitted costs what it could have fitted. */
#define DIGITS_OF_A_FIT 8.0
#define DIGITS_OF_A_ROUND_FIT 4.0 /* of a number with at most two digits, and its power of ten */

/* A mistake that explains without a number to fit is likelier than any with one. */
#define RANK_OF_A_FIT 100

/* ---- choices ---- */

static bool same_kind(const struct choice *choice, const struct mistake *mistake, size_t variant)
{
    return choice->mistake == mistake && choice->variant == variant;
}

bool hypothesis_makes(const struct search *s, const struct mistake *mistake, size_t variant)
{
    for (size_t k = 0; k < s->now.distinct; k++)
        if (same_kind(&s->now.path[s->now.kinds[k]], mistake, variant)) return true;
    return false;
}

struct choice *hypothesis_push(struct search *s, const struct mistake *mistake, size_t variant, const struct node *node,
                               const struct value *below)
{
    bool known = hypothesis_makes(s, mistake, variant);
    if ((!known && s->now.distinct >= s->now.budget) || s->now.length == s->now.path_max) return NULL;
    if (!known) s->now.kinds[s->now.distinct++] = s->now.length;
    struct choice *choice = &s->now.path[s->now.length++];
    *choice = (struct choice){
        .mistake = mistake, .variant = variant, .node = node, .below = below, .parameter = PARAMETER_NONE};
    return choice;
}

struct choice *hypothesis_push_own(struct search *s, const struct mistake *mistake, size_t variant, size_t parameter)
{
    const struct graded *graded = &s->network->graded[parameter];
    struct choice *choice = hypothesis_push(s, mistake, variant, graded->node, graded->value);
    if (choice == NULL) return NULL;
    choice->parameter = parameter;
    s->now.of_tensors++;
    return choice;
}

bool hypothesis_has_room(const struct search *s, const struct rule *rule)
{
    return s->now.distinct < s->now.budget || hypothesis_makes(s, rule->mistake, rule->variant);
}

void hypothesis_pop_to(struct search *s, size_t length)
{
    while (s->now.length > length)
        s->now.of_tensors -= s->now.path[--s->now.length].parameter != PARAMETER_NONE;
    while (s->now.distinct > 0 && s->now.kinds[s->now.distinct - 1] >= length)
        s->now.distinct--;
    if (s->now.pending != NOTHING_PENDING && s->now.pending >= length) s->now.pending = NOTHING_PENDING;
}

bool hypothesis_recount(struct search *s)
{
    s->now.distinct = 0;
    for (size_t i = 0; i < s->now.length && s->now.distinct <= BUDGET_MAX; i++)
        if (!hypothesis_makes(s, s->now.path[i].mistake, s->now.path[i].variant)) s->now.kinds[s->now.distinct++] = i;
    return s->now.distinct <= s->now.budget;
}

void hypothesis_add_alternative(struct choice *choice, const struct mistake *mistake)
{
    if (mistake == choice->mistake || choice->alternative_count == CHOICE_ALTERNATIVES) return;
    for (size_t i = 0; i < choice->alternative_count; i++)
        if (choice->alternatives[i] == mistake) return;
    size_t at = choice->alternative_count++;
    for (; at > 0 && choice->alternatives[at - 1]->rank > mistake->rank; at--)
        choice->alternatives[at] = choice->alternatives[at - 1];
    choice->alternatives[at] = mistake;
}

bool hypothesis_may_explain(const struct search *s)
{
    return s->now.of_tensors > 0 || s->now.distinct < s->now.budget;
}

/* ---- a hypothesis at its end ---- */

/* Whether the hypothesis has more mistakes than what explains everything already: it can be but an alternative to that.
 */
static bool is_beside(const struct search *s)
{
    return !s->now.partial && s->best != NULL && s->best->distinct < s->now.distinct;
}

/* What a parameter says for the mistakes that touch it. That one is right speaks for none of them, save beside an
 * explanation of all that is wrong: there two mistakes that cancel out must reproduce it, too. */
static double evidence_of(const struct search *s, size_t p)
{
    if (s->now.matches[p].fit == FIT_NONE) return 0;
    if (s->observed[p].failing) return s->now.matches[p].digits;
    const double *values = s->observed[p].values;
    double digits = 0;
    for (size_t i = 0; values != NULL && is_beside(s) && i < search_size(s, p); i++)
        digits += values[i] != 0 ? DIGITS_OF_A_RIGHT_NUMBER : 0;
    return digits;
}

/* Whether a step of the path shows in a tensor: it spoils all that lies below it, but what comes after a step that
 * takes nothing from above. */
static bool shows_in(const struct search *s, size_t step, size_t p)
{
    if (!search_reaches(s, &s->now.path[step], p)) return false;
    for (size_t i = step + 1; i < s->now.length; i++) {
        const struct choice *choice = &s->now.path[i];
        if (choice->mistake->takes_nothing && choice->parameter == PARAMETER_NONE && search_reaches(s, choice, p))
            return false;
    }
    return true;
}

/* Whether one of a mistake's steps shows in a tensor. */
static bool a_step_reaches(const struct search *s, const struct choice *first, size_t p)
{
    for (size_t i = 0; i < s->now.length; i++) {
        const struct choice *choice = &s->now.path[i];
        bool step = choice->parameter == PARAMETER_NONE && same_kind(choice, first->mistake, first->variant);
        if (step && shows_in(s, i, p)) return true;
    }
    return false;
}

/* Whether a tensor that a choice spoils was not computed at all. */
static bool leaves_nothing(const struct choice *own)
{
    return own->mistake == &mistake_all_zero || own->mistake == &mistake_parameter_as_gradient;
}

/* Whether no step shows in a tensor, since it was not computed. */
static bool is_plain(const struct search *s, size_t p)
{
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].parameter == p && leaves_nothing(&s->now.path[i])) return true;
    return false;
}

/* Whether a tensor has a mistake of its own. */
static bool has_own(const struct search *s, size_t p)
{
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].parameter == p) return true;
    return false;
}

static bool is_round(const struct choice *choice)
{
    double round = written_round(fabs(choice->factor));
    return fabs(fabs(choice->factor) / round - 1) <= EXACT_FACTOR;
}

/* Whether the tensor that a choice spoils has another mistake of its own, which stands beside it on the path. */
static bool shares_tensor(const struct search *s, size_t i)
{
    const struct choice *choice = &s->now.path[i];
    for (size_t k = i > 0 ? i - 1 : i; k < s->now.length && k <= i + 1; k++)
        if (s->now.path[k].parameter == choice->parameter && s->now.path[k].mistake != choice->mistake) return true;
    return false;
}

/* What a tensor says for a mistake of its own: two share it, and a shape speaks for what is no factor. */
static double own_evidence_of(const struct search *s, size_t i)
{
    const struct choice *choice = &s->now.path[i];
    if (s->now.matches[choice->parameter].shape && !choice->has_factor) return DIGITS_NEEDED;
    return evidence_of(s, choice->parameter) / (shares_tensor(s, i) ? 2 : 1);
}

/* Whether the tensors that a mistake touches, its own and all below its steps, say enough for it. */
static bool has_evidence(const struct search *s, const struct choice *first)
{
    double digits = 0, needed = DIGITS_NEEDED;
    for (size_t i = 0; i < s->now.length; i++) {
        const struct choice *choice = &s->now.path[i];
        if (!same_kind(choice, first->mistake, first->variant)) continue;
        if (choice->fitted) needed = DIGITS_NEEDED + (is_round(choice) ? DIGITS_OF_A_ROUND_FIT : DIGITS_OF_A_FIT);
        size_t p = choice->parameter;
        bool again = i > 0 && s->now.path[i - 1].parameter == p &&
                     same_kind(&s->now.path[i - 1], first->mistake, first->variant);
        if (p != PARAMETER_NONE && !again && !a_step_reaches(s, first, p)) digits += own_evidence_of(s, i);
    }
    /* Where something stays unexplained, what has a mistake of its own on top says too little for a step. */
    for (size_t p = 0; p < search_count(s); p++)
        if (a_step_reaches(s, first, p) && !is_plain(s, p) && !(s->now.partial && has_own(s, p)))
            digits += evidence_of(s, p);
    return digits >= needed;
}

/* Whether a factor on all below a step is undone again: every tensor there is right after all, or has the inverse
 * factor on its own. Such two mistakes only stand for something else: beside a factor on the loss and its inverse on a
 * weight it is l2's part that is too large or too small. */
static bool is_undone(const struct search *s, const struct choice *choice)
{
    if (choice->times == 0 || choice->parameter != PARAMETER_NONE) return false;
    size_t failing = 0, undone = 0;
    for (size_t p = 0; p < search_count(s); p++)
        failing += s->observed[p].failing && !s->observed[p].absent && search_reaches(s, choice, p);
    for (size_t i = 0; i < s->now.length; i++) {
        const struct choice *own = &s->now.path[i];
        bool step = own->parameter == PARAMETER_NONE && own != choice;
        if (step && own->times != 0 && fabs(own->times * choice->times - 1) < NO_FACTOR) return true;
        if (own->parameter == PARAMETER_NONE || !s->observed[own->parameter].failing) continue;
        undone += search_reaches(s, choice, own->parameter) && fabs(own->times * choice->times - 1) < NO_FACTOR;
    }
    /* Where something stays unexplained, none may be: what is right but for rounding would be said to have both. */
    return undone == failing || (s->now.partial && undone > 0);
}

/* Smaller is better: what stays unexplained, then how many mistakes, then how near, then how likely. */
static int compare_solutions(const struct solution *a, const struct solution *b)
{
    if (a->unexplained != b->unexplained) return a->unexplained < b->unexplained ? -1 : 1;
    if (a->distinct != b->distinct) return a->distinct < b->distinct ? -1 : 1;
    if (a->fit != b->fit) return a->fit < b->fit ? -1 : 1;
    return 0;
}

/* How good the hypothesis is: all of a solution but its path and matches. */
static struct solution rate(const struct search *s)
{
    struct solution rated = {.length = s->now.length, .distinct = s->now.distinct};
    for (size_t k = 0; k < s->now.distinct; k++) {
        const struct choice *first = &s->now.path[s->now.kinds[k]];
        rated.mistakes[k] = first->mistake;
        rated.rank += first->mistake->rank + first->rarer + (first->fitted ? RANK_OF_A_FIT : 0);
    }
    for (size_t p = 0; p < search_count(s); p++)
        if (s->now.matches[p].fit == FIT_NONE)
            rated.unexplained += s->observed[p].failing;
        else if (s->now.matches[p].fit > rated.fit)
            rated.fit = s->now.matches[p].fit;
    return rated;
}

/* Room in a place of the pool for the hypothesis: few are ever taken, and most paths are short. False, the search being
 * stopped, where memory is short. */
static bool make_room(struct search *s, struct solution *place)
{
    if (place->matches == NULL) place->matches = arena_array(s->arena, search_count(s), sizeof *place->matches);
    if (place->room < s->now.length) {
        place->room = s->now.length < s->now.path_max / 2 ? 2 * s->now.length : s->now.path_max;
        place->path = arena_array(s->arena, place->room, sizeof *place->path);
    }
    s->out_of_memory = place->matches == NULL || place->path == NULL;
    s->stopped = s->stopped || s->out_of_memory;
    return !s->out_of_memory;
}

static void store(struct search *s, struct solution rated, struct solution *place)
{
    if (!make_room(s, place)) return;
    rated.path = place->path;
    rated.room = place->room;
    rated.matches = place->matches;
    *place = rated;
    memcpy(place->path, s->now.path, s->now.length * sizeof *s->now.path);
    memcpy(place->matches, s->now.matches, search_count(s) * sizeof *s->now.matches);
}

bool hypothesis_holds(const struct solution *solution, const struct mistake *mistake)
{
    for (size_t k = 0; k < solution->distinct; k++)
        if (solution->mistakes[k] == mistake) return true;
    return false;
}

/* Whether both make the same mistakes, be it elsewhere or in another variant. */
static bool same_mistakes(const struct solution *a, const struct solution *b)
{
    for (size_t k = 0; k < a->distinct; k++)
        if (!hypothesis_holds(b, a->mistakes[k])) return false;
    for (size_t k = 0; k < b->distinct; k++)
        if (!hypothesis_holds(a, b->mistakes[k])) return false;
    return true;
}

bool hypothesis_may_be_two(const struct solution *single)
{
    const struct choice *first = &single->path[0];
    if (first->parameter != PARAMETER_NONE) return first->has_factor && !first->of_l2;
    if (!search_at_loss(first)) return first->fitted;
    /* One sample's gradients are often so few numbers that much else explains them. */
    return !first->has_factor && first->mistake != &mistake_single_sample;
}

/* Whether several mistakes are worth a word beside a single one that explains as much: none of them may be that one, or
 * what could stand in its place, nor a factor. Only on the loss is a named factor something that other mistakes go
 * with: even the same one that the single mistake puts on some tensors. */
static bool is_worth_a_word(const struct search *s, const struct solution *single)
{
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].fitted || (s->now.path[i].has_factor && s->now.path[i].parameter != PARAMETER_NONE))
            return false;
    for (size_t k = 0; k < s->now.distinct; k++) {
        const struct choice *made = &s->now.path[s->now.kinds[k]];
        for (size_t j = 0; j < single->length; j++) {
            const struct choice *choice = &single->path[j];
            bool another = choice->parameter != PARAMETER_NONE && search_at_loss(made);
            if (choice->mistake == made->mistake && !another) return false;
            for (size_t a = 0; a < choice->alternative_count; a++)
                if (choice->alternatives[a] == made->mistake) return false;
        }
    }
    return true;
}

bool hypothesis_is_likelier(const struct solution *a, const struct solution *b)
{
    if (a->distinct != b->distinct) return a->distinct < b->distinct;
    return a->rank != b->rank ? a->rank < b->rank : a->length < b->length;
}

/* Where in the pool a solution as good as the best belongs: in place of one that makes the same mistakes at more
 * places, in a free place, or in that of the unlikeliest; NULL where it is no likelier than that. */
static struct solution *place_in_pool(struct search *s, const struct solution *rated)
{
    struct solution *unlikeliest = &s->pool[0];
    for (size_t i = 0; i <= s->other_count; i++) {
        bool same = rated->distinct == s->pool[i].distinct && same_mistakes(rated, &s->pool[i]);
        if (same) return rated->length < s->pool[i].length ? &s->pool[i] : NULL;
        if (hypothesis_is_likelier(unlikeliest, &s->pool[i])) unlikeliest = &s->pool[i];
    }
    if (s->other_count < SOLUTIONS_MAX) return &s->pool[1 + s->other_count++];
    return hypothesis_is_likelier(rated, unlikeliest) ? unlikeliest : NULL;
}

/* Whether a solution of more mistakes than the best is kept for its alternatives. */
static bool may_stand_beside(const struct search *s, const struct solution *rated)
{
    const struct solution *best = s->best;
    if (!is_beside(s) || rated->unexplained != best->unexplained || rated->fit > best->fit) return false;
    if (best->distinct != 1 || !hypothesis_may_be_two(best)) return false;
    for (size_t i = 0; i <= s->other_count; i++)
        if (s->pool[i].distinct == 1 && !is_worth_a_word(s, &s->pool[i])) return false;
    return true;
}

/* Whether what was handed in speaks for each mistake of the hypothesis, and for no other reading of it. */
static bool is_credible(const struct search *s)
{
    unsigned constants = 0, signs = 0;
    for (size_t k = 0; k < s->now.distinct; k++) {
        const struct choice *first = &s->now.path[s->now.kinds[k]];
        constants += first->mistake == &mistake_constant_factor;
        signs += first->parameter == PARAMETER_NONE && first->times < 0;
        if (is_undone(s, first) || !has_evidence(s, first)) return false;
    }
    /* Several constants explain more than anybody did, and an entry of the answer has one; two signs are none. Where
     * something stays unexplained a mere constant explains too little. */
    return constants <= (s->now.partial ? 0 : 1) && signs <= 1;
}

/* A constant that is nearer to 1 than that may as well be what rounding made of a few numbers. */
#define NEAR_ONE 0.05

/* With another mistake, a mere constant can be fitted to a few numbers within almost any tolerance, and one that is
 * nearly 1 to what was rounded: what somebody did is met to the rounding of float64. */
static bool is_met_by_chance(const struct search *s, const struct solution *rated)
{
    if (rated->fit == FIT_EXACT || !hypothesis_holds(rated, &mistake_constant_factor)) return false;
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].mistake == &mistake_constant_factor && fabs(s->now.path[i].factor - 1) < NEAR_ONE)
            return true;
    return rated->distinct > 1;
}

bool hypothesis_shows_l2(const struct search *s, const struct choice *path, size_t length, size_t p)
{
    if (!search_has_l2(s, p)) return false;
    for (size_t i = 0; i < length; i++) {
        const struct choice *own = &path[i];
        bool hides = (leaves_nothing(own) && !own->but_l2) || own->mistake->step == STEP_LOSS || own->of_l2;
        if (own->parameter == p && hides) return false;
    }
    return true;
}

/* Whether a factor is on l2's part of one tensor and not on that of another, which one sentence cannot say. */
static bool mixes_l2(const struct search *s)
{
    size_t with = 0, without = 0;
    for (size_t p = 0; p < search_count(s); p++) {
        bool shows = s->observed[p].failing && s->now.matches[p].fit != FIT_NONE &&
                     hypothesis_shows_l2(s, s->now.path, s->now.length, p);
        if (shows) *(s->now.matches[p].with_l2 ? &with : &without) += 1;
    }
    return with > 0 && without > 0;
}

/* Where all else is exact, so are the numbers that were written down. */
static bool has_exact_numbers(const struct search *s)
{
    for (size_t i = 0; i < s->now.length; i++)
        if (s->now.path[i].off > EXACT_FACTOR) return false;
    return true;
}

void hypothesis_record(struct search *s)
{
    if (s->now.length == 0 || s->now.pending != NOTHING_PENDING || !is_credible(s)) return;
    struct solution rated = rate(s);
    if ((rated.fit == FIT_EXACT && !has_exact_numbers(s)) || is_met_by_chance(s, &rated) || mixes_l2(s)) return;
    int order = s->best != NULL ? compare_solutions(&rated, s->best) : -1;
    if (order < 0) {
        s->best = &s->pool[0];
        s->other_count = 0;
        store(s, rated, s->best);
        return;
    }
    if (order > 0 && !may_stand_beside(s, &rated)) return;
    /* The pool holds the best first, then the others that explain as much. */
    struct solution *place = place_in_pool(s, &rated);
    if (place == NULL) return;
    store(s, rated, place);
    if (place == s->best || !hypothesis_is_likelier(place, s->best)) return;
    const struct solution likelier = *place;
    *place = *s->best;
    *s->best = likelier;
}
