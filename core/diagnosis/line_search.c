#include "core/diagnosis/line_search.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/line_guesses.h"
#include "core/diagnosis/line_own.h"
#include "core/diagnosis/line_suspects.h"
#include "core/diagnosis/written.h"

/* A number that was found in what was handed in could be any: what it could have fitted is no evidence for it. One that
 * somebody may have written down could be fewer. */
#define DIGITS_OF_A_FIT 12.0
#define DIGITS_OF_A_ROUND_FIT 4.0
#define RANK_OF_A_FIT 4

/* What a whole line leaves out, one of its operations may leave out, too. */
#define RANK_OF_A_LINE 8

enum { KEPT_MAX = 32, HALVES_MAX = 12 };

/* Guesses that make some of what was handed in. */
struct kept {
    struct guess guesses[GUESSES_AT_ONCE];
    size_t count, room[GUESSES_AT_ONCE]; /* of edges */
    struct outcome outcome;
    unsigned rank;
};

struct hunt {
    struct search *s;
    struct line_flow flow;
    struct line_places places;
    struct lister *lister;
    struct outcome outcome;
    struct kept whole[KEPT_MAX], halves[HALVES_MAX]; /* all that they touch is explained; some of it is not */
    size_t whole_count, half_count;
    const struct kept *first; /* the half that a second guess is looked for */
    bool *left;               /* by graded: wrong, and not explained yet */
};

static bool out_of_memory(struct hunt *hunt)
{
    hunt->s->out_of_memory = hunt->s->stopped = true;
    return false;
}

/* ---- keeping ---- */

/* Into a place of the list, whose lists may have room already. */
static bool copy_guess(struct hunt *hunt, const struct guess *from, struct guess *to, size_t *room)
{
    struct arena *arena = hunt->s->arena;
    struct edge **edges = (struct edge **)(uintptr_t)to->edges;
    const struct node **elsewhere = (const struct node **)(uintptr_t)to->elsewhere;
    if (*room < from->count || (from->elsewhere != NULL && elsewhere == NULL)) {
        edges = arena_array(arena, from->count, sizeof *edges);
        elsewhere = from->elsewhere != NULL ? arena_array(arena, from->count, sizeof *elsewhere) : NULL;
        if (edges == NULL || (from->elsewhere != NULL && elsewhere == NULL)) return out_of_memory(hunt);
        *room = from->count;
    }
    if (edges == NULL || from->edges == NULL) return out_of_memory(hunt);
    *to = *from;
    memcpy(edges, from->edges, from->count * sizeof *edges);
    to->edges = edges;
    to->elsewhere = from->elsewhere != NULL ? elsewhere : NULL;
    if (from->elsewhere != NULL) memcpy(elsewhere, from->elsewhere, from->count * sizeof *elsewhere);
    return true;
}

/* Whether somebody may have written a number, or one that it is divided by. */
static bool is_round(double times)
{
    return !isnan(written_round(fabs(times))) || !isnan(written_round(fabs(1 / times)));
}

/* A number of its own is likelier on what is handed in than on what goes on. */
static unsigned rank_of(const struct guess *guess)
{
    bool on_the_way = guess->value != NULL && guess->value->made_by != NULL;
    unsigned rarer = guess->way == GUESS_PASSED ? RANK_OF_A_LINE : 0;
    return guess->mistake->rank + rarer + (guess->fitted ? RANK_OF_A_FIT + on_the_way : 0);
}

static bool has_odd_number(const struct kept *kept)
{
    for (size_t g = 0; g < kept->count; g++)
        if (kept->guesses[g].odd) return true;
    return false;
}

/* A number that was found in what was handed in fits it better than any that was not: that says nothing for it. */
static enum fit fit_of(const struct kept *kept)
{
    for (size_t g = 0; g < kept->count; g++)
        if (kept->guesses[g].fitted && kept->outcome.fit == FIT_EXACT) return FIT_FLOAT32;
    return kept->outcome.fit;
}

/* Fewer guesses, none with a number that fits whatever there is, a better fit, likelier mistakes, at fewer places. */
static bool is_likelier(const struct kept *a, const struct kept *b)
{
    if (a->count != b->count) return a->count < b->count;
    if (has_odd_number(a) != has_odd_number(b)) return has_odd_number(b);
    if (fit_of(a) != fit_of(b)) return fit_of(a) < fit_of(b);
    if (a->rank != b->rank) return a->rank < b->rank;
    return a->guesses[0].count < b->guesses[0].count;
}

/* Whether one is worth a place that another has: it explains more, or as much and is likelier. */
static bool is_better(const struct kept *a, const struct kept *b)
{
    if (a->outcome.explained_count != b->outcome.explained_count)
        return a->outcome.explained_count > b->outcome.explained_count;
    return is_likelier(a, b);
}

static bool keep_in(struct hunt *hunt, struct kept *list, size_t most, size_t *count, const struct kept *made)
{
    size_t at = *count;
    if (at == most) {
        at = 0;
        for (size_t i = 1; i < most; i++)
            if (is_better(&list[at], &list[i])) at = i;
        if (!is_better(made, &list[at])) return true;
    } else {
        ++*count;
    }
    struct kept *place = &list[at];
    size_t n = search_count(hunt->s);
    if (place->outcome.touched == NULL && !line_flow_outcome(&hunt->flow, &place->outcome)) return out_of_memory(hunt);
    bool *touched = place->outcome.touched, *explained = place->outcome.explained;
    if (touched == NULL || explained == NULL) return out_of_memory(hunt);
    memcpy(touched, made->outcome.touched, n * sizeof *touched);
    memcpy(explained, made->outcome.explained, n * sizeof *explained);
    place->outcome = made->outcome;
    place->outcome.touched = touched;
    place->outcome.explained = explained;
    place->count = made->count;
    place->rank = made->rank;
    for (size_t g = 0; g < made->count; g++)
        if (!copy_guess(hunt, &made->guesses[g], &place->guesses[g], &place->room[g])) return false;
    return true;
}

/* ---- one guess ---- */

/* Whether anything that is wrong depends on what it spoils. */
static bool may_explain(const struct hunt *hunt, const struct guess *guess)
{
    const struct search *s = hunt->s;
    for (size_t e = 0; e < guess->count; e++)
        for (size_t p = 0; p < search_count(s); p++)
            if (hunt->left[p] && ancestry_has(&s->ancestry, guess->edges[e]->to, p)) return true;
    return false;
}

static double evidence_needed(const struct guess *guess)
{
    if (!guess->fitted) return DIGITS_NEEDED;
    return DIGITS_NEEDED + (guess->odd ? DIGITS_OF_A_FIT : DIGITS_OF_A_ROUND_FIT);
}

/* Whether all that is explained was handed in as zeros: there a rule says nothing that a missing share does not. */
static bool explains_zeros(const struct hunt *hunt)
{
    for (size_t p = 0; p < search_count(hunt->s); p++) {
        const double *values = hunt->s->observed[p].values;
        for (size_t i = 0; hunt->outcome.explained[p] && i < search_size(hunt->s, p); i++)
            if (values[i] != 0) return false;
    }
    return true;
}

static void take_outcome(struct hunt *hunt, const struct guess *guess)
{
    if (guess->way != GUESS_TIMES && explains_zeros(hunt)) return;
    struct kept made = {.count = 1, .guesses = {*guess}, .outcome = hunt->outcome, .rank = rank_of(guess)};
    if (hunt->first != NULL) {
        made.guesses[1] = *guess;
        made.guesses[0] = hunt->first->guesses[0];
        made.count = 2;
        made.rank += rank_of(&made.guesses[0]);
    }
    double before = hunt->first != NULL ? hunt->first->outcome.digits : 0;
    if (hunt->outcome.explained_count == 0 || hunt->outcome.digits - before < evidence_needed(guess)) return;
    if (hunt->outcome.open == 0)
        keep_in(hunt, hunt->whole, KEPT_MAX, &hunt->whole_count, &made);
    else if (hunt->first == NULL)
        keep_in(hunt, hunt->halves, HALVES_MAX, &hunt->half_count, &made);
}

static void run(struct hunt *hunt, const struct guess *guess, bool fit_times)
{
    hunt->outcome.fit_times = fit_times;
    hunt->flow.guesses[0] = guess;
    hunt->flow.guesses[1] = hunt->first != NULL ? &hunt->first->guesses[0] : NULL;
    line_flow_run(&hunt->flow, &hunt->outcome);
}

/* The number that somebody has written, where what was fitted is one. */
static double snap(const struct guess *guess, double times)
{
    const struct shape *in = &guess->edges[0]->to->shape, *out = &guess->edges[0]->node->output->shape;
    double known[3 + 4 * TENSOR_RANK_MAX] = {2, 0.5, -2};
    size_t count = 3;
    for (size_t i = 0; i < in->rank + out->rank; i++) {
        double n = (double)(i < in->rank ? in->dim[i] : out->dim[i - in->rank]);
        known[count++] = n;
        known[count++] = 1 / n;
    }
    for (size_t i = 0; i < count; i++)
        if (written_near(times, known[i])) return known[i];
    return times;
}

static bool take(void *context, const struct guess *offered)
{
    struct hunt *hunt = context;
    struct guess guess = *offered;
    if (search_looks(hunt->s)) return false;
    if (!may_explain(hunt, &guess)) return true;
    if (hunt->first != NULL && !line_flow_apart(&hunt->flow, &guess, &hunt->first->guesses[0])) return true;
    if (guess.way == GUESS_TIMES && isnan(guess.times)) {
        guess.times = 2;
        run(hunt, &guess, true);
        double times = hunt->outcome.times, off = fabs(fabs(times) - 1);
        if (!(fabs(times) > 1e-6 && fabs(times) < 1e6) || off < NO_FACTOR) return true;
        double known = snap(&guess, times);
        guess.odd = known == times && !is_round(times);
        guess.times = known;
        guess.fitted = true;
    }
    run(hunt, &guess, false);
    if (!hunt->outcome.broken) take_outcome(hunt, &guess);
    return !hunt->s->stopped;
}

/* ---- choosing ---- */

static bool overlap(size_t n, const bool *a, const bool *b)
{
    for (size_t p = 0; p < n; p++)
        if (a[p] && b[p]) return true;
    return false;
}

/* What explains most of what is left, and touches nothing that another has explained. */
static const struct kept *choose(const struct hunt *hunt, const bool *touched)
{
    size_t n = search_count(hunt->s), most = 0;
    const struct kept *best = NULL;
    for (size_t i = 0; i < hunt->whole_count; i++) {
        const struct kept *kept = &hunt->whole[i];
        size_t count = 0;
        for (size_t p = 0; p < n; p++)
            count += kept->outcome.explained[p] && hunt->left[p];
        if (count == 0 || overlap(n, kept->outcome.touched, touched)) continue;
        if (count < most || (count == most && !is_likelier(kept, best))) continue;
        most = count;
        best = kept;
    }
    return best;
}

static void add_line(struct found *found, size_t line)
{
    for (size_t i = 0; i < found->layer_count; i++)
        if (found->layers[i] == line) return;
    found->layers[found->layer_count++] = line;
}

/* Others that explain the same, each mistake once, the likeliest first. */
static void add_alternatives(const struct hunt *hunt, const struct kept *kept, struct found *found)
{
    size_t n = search_count(hunt->s);
    for (size_t i = 0; i < hunt->whole_count && kept->count == 1; i++) {
        const struct kept *other = &hunt->whole[i];
        const struct mistake *mistake = other->guesses[0].mistake;
        bool same = other != kept && other->count == 1 && strcmp(mistake->id, found->mistake->id) != 0 &&
                    memcmp(other->outcome.explained, kept->outcome.explained, n * sizeof(bool)) == 0;
        for (size_t a = 0; same && a < found->alternative_count; a++)
            same = strcmp(found->alternatives[a]->id, mistake->id) != 0;
        if (same && found->alternative_count < FOUND_ALTERNATIVES_MAX)
            found->alternatives[found->alternative_count++] = mistake;
    }
}

static bool add_found(struct hunt *hunt, const struct kept *kept, const struct guess *guess,
                      struct diagnosis *diagnosis)
{
    struct search *s = hunt->s;
    size_t n = search_count(s);
    if (diagnosis->count == FOUND_MAX) return true;
    struct found *found = &diagnosis->found[diagnosis->count];
    *found = (struct found){.mistake = guess->mistake, .variant = guess->variant, .residual = kept->outcome.residual};
    found->layers = arena_array(s->arena, guess->count + 1, sizeof *found->layers);
    found->parameters = arena_array(s->arena, n, sizeof *found->parameters);
    if (found->layers == NULL || found->parameters == NULL) return out_of_memory(hunt);
    for (size_t e = 0; e < guess->count; e++)
        add_line(found, guess->edges[e]->node->place.layer);
    for (size_t p = 0; p < n; p++) {
        bool reached = false;
        for (size_t e = 0; e < guess->count; e++)
            reached = reached || ancestry_has(&s->ancestry, guess->edges[e]->to, p);
        bool follows = s->observed[p].failing && !s->observed[p].absent && !hunt->flow.wrong[p];
        if (reached && (kept->outcome.explained[p] || follows)) found->parameters[found->parameter_count++] = p;
    }
    found->has_factor = guess->way == GUESS_TIMES && guess->fitted;
    found->factor = found->has_factor ? guess->times : 0;
    found->below = guess->value;
    found->whole_line = guess->way == GUESS_PASSED;
    found->made_at = found->whole_line ? guess->elsewhere[0] : guess->edges[0]->node;
    found->left_line = guess->left;
    found->turn = guess->turn;
    add_alternatives(hunt, kept, found);
    diagnosis->count++;
    return true;
}

/* Takes what explains all, or one after the other what explains some. */
static bool settle(struct hunt *hunt, bool *touched, struct line_carry *carry, struct diagnosis *diagnosis)
{
    size_t n = search_count(hunt->s);
    const struct kept *kept;
    while ((kept = choose(hunt, touched)) != NULL) {
        for (size_t g = 0; g < kept->count; g++) {
            if (!add_found(hunt, kept, &kept->guesses[g], diagnosis)) return false;
            line_carry_take(carry, &hunt->flow, kept->outcome.explained, &kept->guesses[g]);
        }
        for (size_t p = 0; p < n; p++) {
            touched[p] = touched[p] || kept->outcome.touched[p];
            if (kept->outcome.explained[p]) hunt->left[p] = false;
        }
    }
    return true;
}

/* As the way back comes to them. */
static void sort_found(struct diagnosis *diagnosis, size_t from)
{
    for (size_t i = from + 1; i < diagnosis->count; i++) {
        const struct found found = diagnosis->found[i];
        size_t at = i;
        for (; at > from && diagnosis->found[at - 1].made_at->index < found.made_at->index; at--)
            diagnosis->found[at] = diagnosis->found[at - 1];
        diagnosis->found[at] = found;
    }
}

static bool is_anything_left(const struct hunt *hunt)
{
    for (size_t p = 0; p < search_count(hunt->s); p++)
        if (hunt->left[p]) return true;
    return false;
}

/* Whether one of them explains all that is wrong: there is no need to look for two. */
static bool explains_all(const struct hunt *hunt)
{
    for (size_t i = 0; i < hunt->whole_count; i++) {
        bool all = true;
        for (size_t p = 0; p < search_count(hunt->s); p++)
            all = all && (!hunt->left[p] || hunt->whole[i].outcome.explained[p]);
        if (all) return true;
    }
    return false;
}

static void look(struct hunt *hunt)
{
    struct search *s = hunt->s;
    line_guesses(hunt->lister, take, hunt);
    size_t halves = hunt->half_count;
    for (size_t h = 0; h < halves && !s->stopped && !explains_all(hunt); h++) {
        hunt->first = &hunt->halves[h];
        line_guesses(hunt->lister, take, hunt);
    }
    hunt->first = NULL;
}

/* ---- step by step ---- */

/* What was handed in on the way, and what belongs to it, from the loss down. */
static bool list_steps(struct hunt *hunt, struct diagnosis *diagnosis)
{
    const struct search *s = hunt->s;
    size_t n = search_count(s), on_the_way = 0;
    for (size_t p = 0; p < n; p++)
        on_the_way += search_value(s, p)->made_by != NULL && !s->observed[p].absent;
    if (on_the_way == 0) return true;
    struct given_step *steps = arena_array(s->arena, diagnosis->step_count + n, sizeof *steps);
    if (steps == NULL) return out_of_memory(hunt);
    if (diagnosis->step_count > 0) memcpy(steps, diagnosis->steps, diagnosis->step_count * sizeof *steps);
    diagnosis->steps = steps;
    for (size_t at = s->network->graph.value_count; at-- > 0;) {
        const struct value *value = s->network->graph.values[at];
        size_t p = s->graded_of[value->index];
        if (p == PARAMETER_NONE || s->observed[p].absent) continue;
        enum given_state state = !s->observed[p].failing ? GIVEN_RIGHT
                                 : hunt->flow.wrong[p]   ? GIVEN_WRONG_HERE
                                                         : GIVEN_RIGHT_FOR_INPUT;
        steps[diagnosis->step_count++] =
            (struct given_step){.name = NULL, .graded = p, .value = value, .gradient = true, .state = state};
    }
    return true;
}

/* What float32 may have made of right work says nothing, where no mistake explains it. */
static void forget_lost(struct hunt *hunt, const struct report *report)
{
    for (size_t p = 0; p < search_count(hunt->s); p++)
        if (report->entries[p].lost_perhaps != LOST_NOT) hunt->left[p] = false;
}

/* ---- all of it ---- */

bool line_search(struct search *s, const struct report *report, bool taken, struct diagnosis *diagnosis)
{
    struct hunt *hunt = arena_zeroed(s->arena, 1, sizeof *hunt);
    size_t n = search_count(s);
    bool *touched = arena_zeroed(s->arena, n, sizeof *touched);
    struct line_carry carry;
    if (hunt == NULL || touched == NULL) return false;
    hunt->s = s;
    hunt->left = arena_zeroed(s->arena, n, sizeof *hunt->left);
    if (hunt->left == NULL || !line_flow_new(s, &hunt->flow) || !line_flow_outcome(&hunt->flow, &hunt->outcome) ||
        !line_places_find(s->arena, &s->network->graph, &hunt->places) || !line_carry_new(s, &carry) ||
        (hunt->lister = line_guesses_new(s, &hunt->places)) == NULL)
        return false;
    memcpy(hunt->left, hunt->flow.wrong, n * sizeof *hunt->left);
    if (!taken) {
        if (!line_own_find(&hunt->flow, report, hunt->left, &carry, diagnosis)) return false;
        look(hunt);
        if (s->out_of_memory || !settle(hunt, touched, &carry, diagnosis)) return false;
        sort_found(diagnosis, 0);
    }
    forget_lost(hunt, report);
    diagnosis->stopped = s->stopped;
    diagnosis->explained = diagnosis->count > 0 && (taken || !is_anything_left(hunt));
    if (diagnosis->explained && !taken) line_carry_finish(&carry, &hunt->flow, diagnosis);
    if (!list_steps(hunt, diagnosis)) return false;
    return (taken && diagnosis->count > 0) || line_suspects_find(&hunt->flow, hunt->left, diagnosis);
}

size_t line_first_wrong(const struct network *network, const struct report *report)
{
    size_t first = 0, latest = 0;
    for (size_t p = 0; p < network->graded_count; p++) {
        const struct value *value = network->graded[p].value;
        if (report->entries[p].passed) continue;
        size_t last = value->made_by != NULL ? value->made_by->index + 1 : 0; /* behind it, it is complete */
        if (value->made_by == NULL && value->use_count > 0) last = value->uses[0].node->index;
        if (last >= latest) first = p;
        if (last >= latest) latest = last;
    }
    return first;
}
