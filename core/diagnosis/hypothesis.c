#include "core/diagnosis/hypothesis.h"

#include <math.h>
#include <string.h>

/* Decimal digits of evidence that a mistake needs: no coincidence among all the rules that are tried. A coincidence at
 * a single number is not enough where that number is easily come by: a zero counts for three digits (diagnose_match.c),
 * so that one unit's bias alone, handed in as 0, is not said to be left at zero, while a weight with its bias is. Nor
 * is it enough that one number is right that two mistakes would have to agree on. */
#define DIGITS_NEEDED 6.0
#define DIGITS_OF_A_RIGHT_NUMBER 3.0

/* A number that was fitted costs what it could have fitted. */
#define DIGITS_OF_A_FIT 8.0

/* A mistake that explains without a number to fit is likelier than any with one. */
#define RANK_OF_A_FIT 100

/* What a number may be off by and still be taken for the round one that it looks like: a fit to numbers that were
 * rounded to float32. */
#define FACTOR_PRECISION 2e-6

enum { ACCUMULATED_MAX = 100 };

/* ---- choices ---- */

static bool same_kind(const struct choice *choice, const struct mistake *mistake, size_t variant)
{
    return choice->mistake == mistake && choice->variant == variant;
}

bool hypothesis_makes(const struct search *s, const struct mistake *mistake, size_t variant)
{
    for (size_t k = 0; k < s->distinct; k++)
        if (same_kind(&s->path[s->kinds[k]], mistake, variant)) return true;
    return false;
}

struct choice *hypothesis_push(struct search *s, const struct mistake *mistake, size_t variant, size_t layer)
{
    bool known = hypothesis_makes(s, mistake, variant);
    if ((!known && s->distinct >= s->budget) || s->length == s->path_max) return NULL;
    if (!known) s->kinds[s->distinct++] = s->length;
    struct choice *choice = &s->path[s->length++];
    *choice = (struct choice){.mistake = mistake, .variant = variant, .layer = layer, .parameter = PARAMETER_NONE};
    return choice;
}

struct choice *hypothesis_push_own(struct search *s, const struct mistake *mistake, size_t variant, size_t parameter)
{
    struct choice *choice = hypothesis_push(s, mistake, variant, s->network->parameters[parameter].node);
    if (choice == NULL) return NULL;
    choice->parameter = parameter;
    s->of_tensors++;
    return choice;
}

bool hypothesis_has_room(const struct search *s, const struct rule *rule)
{
    return s->distinct < s->budget || hypothesis_makes(s, rule->mistake, rule->variant);
}

void hypothesis_pop_to(struct search *s, size_t length)
{
    while (s->length > length)
        s->of_tensors -= s->path[--s->length].parameter != PARAMETER_NONE;
    while (s->distinct > 0 && s->kinds[s->distinct - 1] >= length)
        s->distinct--;
    if (s->pending != NOTHING_PENDING && s->pending >= length) s->pending = NOTHING_PENDING;
}

bool hypothesis_recount(struct search *s)
{
    s->distinct = 0;
    for (size_t i = 0; i < s->length && s->distinct <= BUDGET_MAX; i++)
        if (!hypothesis_makes(s, s->path[i].mistake, s->path[i].variant)) s->kinds[s->distinct++] = i;
    return s->distinct <= s->budget;
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
    return s->of_tensors > 0 || s->distinct < s->budget;
}

/* ---- a hypothesis at its end ---- */

/* Whether the hypothesis has more mistakes than what explains everything already: it can be but an alternative to that.
 */
static bool is_beside(const struct search *s)
{
    return !s->partial && s->best != NULL && s->best->distinct < s->distinct;
}

/* What a parameter says for the mistakes that touch it. That one is right speaks for none of them, save beside an
 * explanation of all that is wrong: there two mistakes that cancel out must reproduce it, too. */
static double evidence_of(const struct search *s, size_t p)
{
    if (s->matches[p].fit == FIT_NONE) return 0;
    if (s->observed[p].failing) return s->matches[p].digits;
    const double *values = s->observed[p].values;
    double digits = 0;
    for (size_t i = 0; values != NULL && is_beside(s) && i < s->network->parameters[p].size; i++)
        digits += values[i] != 0 ? DIGITS_OF_A_RIGHT_NUMBER : 0;
    return digits;
}

/* Whether the tensors that a mistake touches, its own and all below its steps, say enough for it. */
static bool has_evidence(const struct search *s, const struct choice *first)
{
    size_t reach = 0; /* of its steps: all nodes below */
    double digits = 0, needed = DIGITS_NEEDED;
    for (size_t i = 0; i < s->length; i++) {
        const struct choice *choice = &s->path[i];
        if (!same_kind(choice, first->mistake, first->variant)) continue;
        if (choice->fitted) needed = DIGITS_NEEDED + DIGITS_OF_A_FIT;
        if (choice->parameter == PARAMETER_NONE && choice->layer > reach) reach = choice->layer;
    }
    for (size_t i = 0; i < s->length; i++) {
        size_t p = s->path[i].parameter;
        if (p == PARAMETER_NONE || s->network->parameters[p].node < reach) continue;
        if (same_kind(&s->path[i], first->mistake, first->variant)) digits += evidence_of(s, p);
    }
    for (size_t p = 0; p < s->network->parameter_count; p++) {
        double here = s->network->parameters[p].node < reach ? evidence_of(s, p) : 0;
        /* A shape speaks for the mistake that makes it, and for no other. */
        if (here < DIGITS_OF_A_SHAPE) digits += here;
    }
    return digits >= needed;
}

/* Whether a factor on all below a step is undone again: every tensor there is right after all, or has the inverse
 * factor on its own. Such two mistakes only stand for something else: beside a factor on the loss and its inverse on a
 * weight it is l2's part that is too large or too small. */
static bool is_undone(const struct search *s, const struct choice *choice)
{
    if (choice->times == 0 || choice->parameter != PARAMETER_NONE) return false;
    size_t failing = 0, undone = 0;
    for (size_t p = 0; p < s->network->parameter_count; p++)
        failing += s->observed[p].failing && !s->observed[p].absent && s->network->parameters[p].node < choice->layer;
    for (size_t i = 0; i < s->length; i++) {
        const struct choice *own = &s->path[i];
        if (own->parameter == PARAMETER_NONE || !s->observed[own->parameter].failing) continue;
        undone += own->layer < choice->layer && fabs(own->times * choice->times - 1) < NO_FACTOR;
    }
    return undone == failing;
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
    struct solution rated = {.length = s->length, .distinct = s->distinct};
    for (size_t k = 0; k < s->distinct; k++) {
        const struct choice *first = &s->path[s->kinds[k]];
        rated.mistakes[k] = first->mistake;
        rated.rank += first->mistake->rank + (first->fitted ? RANK_OF_A_FIT : 0);
    }
    for (size_t p = 0; p < s->network->parameter_count; p++)
        if (s->matches[p].fit == FIT_NONE)
            rated.unexplained += s->observed[p].failing;
        else if (s->matches[p].fit > rated.fit)
            rated.fit = s->matches[p].fit;
    return rated;
}

static void store(const struct search *s, struct solution rated, struct solution *place)
{
    rated.path = place->path;
    rated.matches = place->matches;
    *place = rated;
    memcpy(place->path, s->path, s->length * sizeof *s->path);
    memcpy(place->matches, s->matches, s->network->parameter_count * sizeof *s->matches);
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
    if (first->layer != LAYER_LOSS) return first->fitted;
    /* One sample's gradients are often so few numbers that much else explains them. */
    return !first->has_factor && first->mistake != &mistake_single_sample;
}

/* Whether several mistakes are worth a word beside a single one that explains as much: none of them may be that one, or
 * what could stand in its place, nor a factor. Only on the loss is a named factor something that other mistakes go
 * with: even the same one that the single mistake puts on some tensors. */
static bool is_worth_a_word(const struct search *s, const struct solution *single)
{
    for (size_t i = 0; i < s->length; i++)
        if (s->path[i].fitted || (s->path[i].has_factor && s->path[i].parameter != PARAMETER_NONE)) return false;
    for (size_t k = 0; k < s->distinct; k++) {
        const struct choice *made = &s->path[s->kinds[k]];
        for (size_t j = 0; j < single->length; j++) {
            const struct choice *choice = &single->path[j];
            bool another = choice->parameter != PARAMETER_NONE && made->layer == LAYER_LOSS;
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
    unsigned constants = 0;
    for (size_t k = 0; k < s->distinct; k++) {
        const struct choice *first = &s->path[s->kinds[k]];
        constants += first->mistake == &mistake_constant_factor;
        if (is_undone(s, first) || !has_evidence(s, first)) return false;
    }
    /* Several constants explain more than anybody did, and an entry of the answer has one. Where something stays
     * unexplained a mere constant explains too little. */
    return constants <= (s->partial ? 0 : 1);
}

/* Where all else is exact, so are the numbers that were written down. */
static bool has_exact_numbers(const struct search *s)
{
    for (size_t i = 0; i < s->length; i++)
        if (s->path[i].off > EXACT_FACTOR) return false;
    return true;
}

void hypothesis_record(struct search *s)
{
    if (s->length == 0 || s->pending != NOTHING_PENDING || !is_credible(s)) return;
    struct solution rated = rate(s);
    if (rated.fit == FIT_EXACT && !has_exact_numbers(s)) return;
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

/* ---- factors ---- */

double hypothesis_loss_times(const struct search *s)
{
    double times = 1;
    for (size_t i = 0; i < s->length && s->path[i].layer == LAYER_LOSS; i++)
        if (s->path[i].times != 0) times *= s->path[i].times;
    return times;
}

bool hypothesis_near(double a, double b)
{
    return fabs(a - b) <= FACTOR_PRECISION * fabs(b);
}

double hypothesis_round_number(double x)
{
    if (!(x > 0 && x < 1e12)) return NAN;
    double unit = pow(10, floor(log10(x)) - 1), round_x = round(x / unit) * unit;
    return hypothesis_near(x, round_x) ? round_x : NAN;
}

bool hypothesis_is_round(double x)
{
    return !isnan(hypothesis_round_number(x));
}

double hypothesis_norm_limit(const struct search *s, double c, double *off)
{
    double least = s->norm, most = s->norm + c * CLIP_EPSILON, limit = hypothesis_round_number(least);
    if (isnan(limit)) limit = hypothesis_round_number(most);
    *off = limit < least ? (least - limit) / limit : limit > most ? (limit - most) / limit : 0;
    return c > 0 && c < 1 ? limit : NAN;
}

/* What a factor may be taken for, and by how much it is off from that. */
struct factor_reading {
    const struct mistake *mistake;
    double off;
};

/* All that a factor on whole gradients may be taken for. */
static size_t read_factor(const struct search *s, double c, struct factor_reading readings[FACTORS_MAX + 2])
{
    size_t count = 0;
    for (size_t i = 0; i < s->factor_count; i++) {
        const struct factor_name *name = &s->factors[i];
        if (hypothesis_near(c, name->value))
            readings[count++] = (struct factor_reading){name->mistake, fabs(c / name->value - 1)};
    }
    if (c > 1.5 && c < ACCUMULATED_MAX && hypothesis_near(c, round(c)))
        readings[count++] = (struct factor_reading){&mistake_gradient_accumulated, fabs(c / round(c) - 1)};
    double off;
    if (!isnan(hypothesis_norm_limit(s, c, &off))) readings[count++] = (struct factor_reading){&mistake_clipped, off};
    return count;
}

void hypothesis_name_factor(const struct search *s, double c, bool whole, struct choice *choice)
{
    struct factor_reading readings[FACTORS_MAX + 2], likeliest = {&mistake_constant_factor, 0};
    size_t count = whole ? read_factor(s, c, readings) : 0;
    choice->by_norm = false;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || readings[i].mistake->rank < likeliest.mistake->rank) likeliest = readings[i];
        choice->by_norm = choice->by_norm || readings[i].mistake == &mistake_clipped;
    }
    double unused;
    choice->mistake = likeliest.mistake;
    choice->off = likeliest.off;
    choice->times = c;
    choice->factor = choice->mistake == &mistake_clipped ? hypothesis_norm_limit(s, c, &unused) : c;
    choice->has_factor = true;
    choice->fitted = count == 0; /* a number that has a name costs no evidence */
    for (size_t i = 0; i < count; i++)
        hypothesis_add_alternative(choice, readings[i].mistake);
    if (choice->mistake == &mistake_gradient_accumulated || choice->mistake == &mistake_wrong_normalization)
        hypothesis_add_alternative(choice, &mistake_constant_factor);
}

bool hypothesis_name_two_factors(struct search *s, size_t at, double c)
{
    for (size_t i = 0; i < s->factor_count; i++)
        for (size_t j = i + 1; j < s->factor_count; j++) {
            const struct factor_name *a = &s->factors[i], *b = &s->factors[j];
            if (a->mistake == b->mistake || !hypothesis_near(c, a->value * b->value)) continue;
            struct choice *first = &s->path[at];
            first->mistake = a->mistake;
            first->has_factor = true;
            first->fitted = false;
            first->factor = first->times = a->value;
            struct choice *second = hypothesis_push(s, b->mistake, 0, LAYER_LOSS);
            if (second == NULL) return false;
            second->has_factor = true;
            second->factor = second->times = b->value;
            return true;
        }
    return false;
}

size_t hypothesis_factor_variant(size_t family, double c)
{
    /* Logarithms make the step a relative one; the sum keeps it positive for every float64. */
    double step = round(log(fabs(c)) * 1e5) + 1e8;
    return family + 2 * (size_t)step + (c < 0);
}
