#include "core/diagnosis/whole.h"

#include <math.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/diagnosis/factors.h"
#include "core/diagnosis/sketch.h"
#include "core/diagnosis/start.h"

/* How near a clipped number is to the limit: rounding to float32. */
#define AT_LIMIT 1e-7

/* ---- what accounts for all gradients at once ---- */

/* Data's gradients that are right are none of what an update, adding up, or clipping does to those of parameters. */
static bool is_right_data(const struct search *s, size_t p)
{
    return search_value(s, p)->kind != VALUE_PARAMETER && !s->observed[p].failing;
}

/* Whether any of them was handed in, and says that a factor on all gradients was not on it, too: zeros are right under
 * every factor. */
static bool are_spared(const struct search *s, double c)
{
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        double largest = numbers_largest(search_size(s, p), search_right(s, p));
        bool shows = fabs(c - 1) * largest > 2 * (o->tolerance.atol + o->tolerance.rtol * largest);
        if (is_right_data(s, p) && !o->absent && shows) return true;
    }
    return false;
}

/* The norm of what was handed in for parameters. */
static double norm_of_parameters(const struct search *s)
{
    double squares = 0;
    for (size_t p = 0; p < search_count(s); p++)
        if (!is_right_data(s, p) && s->observed[p].values != NULL)
            squares += numbers_dot(search_size(s, p), s->observed[p].values, s->observed[p].values);
    return sqrt(squares);
}

/* How near all that was handed in is to c times the reference, clipped to the limit: FIT_NONE beyond rounding to
 * float32. The largest difference into *residual. */
static enum fit fit_multiple(const struct search *s, double c, double limit, double *residual)
{
    struct matching matching = s->matching;
    double *scaled = s->room;
    enum fit fit = FIT_EXACT;
    matching.clip = limit;
    *residual = 0;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        size_t n = search_size(s, p);
        if ((o->absent && !o->failing) || is_right_data(s, p)) continue;
        if (!search_is_plain(o)) return FIT_NONE;
        const double *g = search_right(s, p);
        for (size_t i = 0; i < n; i++)
            scaled[i] = c * g[i];
        struct match match = match_numbers(&matching, o->tolerance, n, o->values, scaled, g, o->bound);
        if (match.fit > FIT_FLOAT32) return FIT_NONE;
        if (match.fit > fit) fit = match.fit;
        *residual = fmax(*residual, match.residual);
    }
    return fit;
}

/* The values of one parameter under the name of another, where its shape is that one's too. */
static bool is_other(const struct search *s, const struct check *check, const struct tensor *student, size_t q,
                     double *residual)
{
    struct view view = convention_graded(check->problem.convention, &s->network->graded[q]);
    if (!view_accepts(&view, check->problem.loose, &student->shape)) return false;
    double *values = s->room;
    view_import(&view, student->data, values);
    const double *g = search_right(s, q);
    struct match match =
        match_numbers(&s->matching, s->observed[q].tolerance, search_size(s, q), values, g, g, HUGE_VAL);
    if (match.fit > FIT_FLOAT32) return false;
    *residual = fmax(*residual, match.residual);
    return true;
}

/* Whether the failing parameters are each other's. */
static bool is_swapped(const struct search *s, const struct check *check, const struct report *report, double *residual)
{
    size_t n = search_count(s), failing = 0;
    bool *used = s->taken;
    memset(used, 0, n * sizeof *used);
    *residual = 0;
    for (size_t p = 0; p < n; p++) {
        if (!s->observed[p].failing) continue;
        failing++;
        if (s->observed[p].absent) return false;
        bool found = false;
        for (size_t q = 0; !found && q < n; q++) {
            found = q != p && !used[q] && s->observed[q].failing &&
                    is_other(s, check, report->entries[p].submission->tensor, q, residual);
            used[q] = used[q] || found;
        }
        if (!found) return false;
    }
    return failing >= 2;
}

/* The factor by which all gradients are off, if they are; NaN where not all can be compared. */
static double factor_of_all(const struct search *s)
{
    double sg = 0, gg = 0;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        if (is_right_data(s, p)) continue;
        if (!search_is_plain(o)) return NAN;
        const double *g = search_right(s, p);
        sg += numbers_dot(search_size(s, p), o->values, g);
        gg += numbers_dot(search_size(s, p), g, g);
    }
    return sg / gg;
}

/* A factor that is fitted to fewer numbers than that says nothing. */
enum { NUMBERS_FOR_A_FACTOR = 3 };

static bool are_enough(const struct search *s)
{
    size_t count = 0;
    for (size_t p = 0; p < search_count(s); p++)
        for (size_t i = 0; !is_right_data(s, p) && i < search_size(s, p) && count < NUMBERS_FOR_A_FACTOR; i++)
            count += s->observed[p].values != NULL && search_right(s, p)[i] != 0;
    return count >= NUMBERS_FOR_A_FACTOR;
}

/* All gradients off by one factor: clipped by their norm; with l2, or data's gradients that are right, where a factor
 * on the finished gradients is not one on the loss, also a whole multiple or any other. */
static bool read_multiple(const struct search *s, struct whole *finished)
{
    double c = factor_of_all(s), off = 0;
    bool spared = are_spared(s, c), not_loss = search_any_l2(s) || spared;
    double limit = factors_norm_limit(spared ? norm_of_parameters(s) : s->norm, c, &off);
    bool whole = c > 1.5 && written_near(c, round(c));
    if (!(fabs(c) > 1e-9 && fabs(c) < 1e12) || !are_enough(s)) return false;
    *finished = (struct whole){.all = true, .spares_data = spared, .factor = c};
    if (!isnan(limit)) {
        finished->mistake = &mistake_clipped;
        finished->factor = limit;
        finished->by_norm = true;
    } else if (not_loss && whole) {
        finished->mistake = &mistake_gradient_accumulated;
        off = fabs(c / round(c) - 1);
    } else if (not_loss && fabs(c - 1) >= NO_FACTOR) {
        const struct mistake *of_update = factors_of_update(c);
        finished->mistake = of_update != NULL ? of_update : &mistake_constant_factor;
        off = 0;
    } else {
        return false;
    }
    enum fit fit = fit_multiple(s, c, HUGE_VAL, &finished->residual);
    return fit != FIT_NONE && (fit != FIT_EXACT || off <= EXACT_FACTOR);
}

/* The parameters after an update: W - lr * g of all, with a learning rate that somebody wrote down. */
static bool read_update(const struct search *s, struct whole *finished)
{
    double sg = 0, gg = 0;
    for (size_t p = 0; p < search_count(s); p++) {
        const double *g = search_right(s, p), *W = search_given(s, p);
        if (is_right_data(s, p)) continue;
        if (!search_is_plain(&s->observed[p])) return false;
        for (size_t i = 0; i < search_size(s, p); i++) {
            sg += (W[i] - s->observed[p].values[i]) * g[i];
            gg += g[i] * g[i];
        }
    }
    double lr = written_round(sg / gg);
    if (isnan(lr) || !are_enough(s)) return false;
    *finished = (struct whole){.mistake = &mistake_updated_parameter, .all = true, .factor = lr};
    for (size_t p = 0; p < search_count(s); p++) {
        const double *g = search_right(s, p), *W = search_given(s, p);
        size_t n = is_right_data(s, p) ? 0 : search_size(s, p);
        for (size_t i = 0; i < n; i++)
            s->room[i] = W[i] - lr * g[i];
        struct match match = match_numbers(&s->matching, s->observed[p].tolerance, n, s->observed[p].values, s->room, g,
                                           s->observed[p].bound);
        if (match.fit > FIT_FLOAT32) return false;
        finished->residual = fmax(finished->residual, match.residual);
    }
    return true;
}

/* What a clipping by value would have to be. */
struct clipping {
    double limit;           /* the largest number that was handed in; infinite where there was no clipping */
    size_t at_limit, below; /* how many are there, and how many others are not 0 */
};

/* So many numbers at the limit say as much as one below it. */
enum { MANY_AT_LIMIT = 20 };

static struct clipping count_clipped(const struct search *s)
{
    struct clipping c = {0};
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        for (size_t i = 0; o->values != NULL && !o->per_sample && i < search_size(s, p); i++) {
            double magnitude = fabs(o->values[i]);
            if (magnitude == 0) continue;
            if (magnitude > c.limit * (1 + AT_LIMIT)) {
                c.below += c.at_limit;
                c.at_limit = 0;
            }
            c.limit = magnitude > c.limit ? magnitude : c.limit;
            if (magnitude >= c.limit * (1 - AT_LIMIT))
                c.at_limit++;
            else
                c.below++;
        }
    }
    return c;
}

/* The values may have been clipped to the largest that was handed in, where that is a round number and the reference
 * has larger ones. One number that happens to be round is no clipping. */
static struct clipping find_clipping(const struct search *s)
{
    struct clipping c = count_clipped(s);
    double limit = written_round(c.limit);
    double least = 0;
    for (size_t p = 0; p < search_count(s); p++)
        least = fmax(least, s->observed[p].tolerance.atol);
    bool shows = c.limit > least; /* below that no sign shows */
    bool may_be = !isnan(limit) && shows && c.at_limit >= 2 && c.limit < s->matching.scale * (1 - 1e-6);
    c.limit = may_be ? limit : HUGE_VAL;
    return c;
}

/* Whether nothing but zeros was handed in. */
static bool is_all_zero(const struct search *s)
{
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        if (o->absent) continue;
        if (!search_is_plain(o)) return false;
        for (size_t i = 0; i < search_size(s, p); i++)
            if (o->values[i] != 0) return false;
    }
    return true;
}

/* Beyond that, relative to the tensor's largest number, float64 is not all that a number was computed in. */
#define BEYOND_FLOAT64 1e-12

/* Whether something is wrong and float32 may have made all of it: it rounds most of a tensor's numbers. One among exact
 * ones that is off by a little is wrong. */
static bool is_rounded_throughout(const struct search *s)
{
    bool any = false;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        const double *g = search_right(s, p);
        size_t off = 0, nonzero = 0, n = search_size(s, p);
        if (!o->failing || o->absent) continue;
        double largest = numbers_largest(n, g);
        for (size_t i = 0; i < n; i++) {
            nonzero += g[i] != 0;
            off += fabs(o->values[i] - g[i]) > BEYOND_FLOAT64 * largest;
        }
        if (2 * off < nonzero) return false;
        any = true;
    }
    return any;
}

bool whole_read(const struct search *s, const struct check *check, const struct report *report, struct whole *finished)
{
    *finished = (struct whole){.all = true, .factor = NAN};
    enum fit right = fit_multiple(s, 1, HUGE_VAL, &finished->residual);
    if (right != FIT_NONE) {
        /* A tolerance that rounding of float64 breaks, or a reference that is rounded itself, is nobody's mistake. */
        bool reference_is_exact = check->problem.backend->dtype == DTYPE_FLOAT64;
        if (right == FIT_FLOAT32 && reference_is_exact && is_rounded_throughout(s))
            finished->mistake = &mistake_low_precision;
        return true;
    }
    struct clipping clipping = find_clipping(s);
    bool says_enough = clipping.below > 0 || clipping.at_limit >= MANY_AT_LIMIT;
    if (is_all_zero(s)) {
        finished->mistake = &mistake_all_zero;
    } else if (is_swapped(s, check, report, &finished->residual)) {
        finished->mistake = &mistake_swapped_parameters;
    } else if (clipping.limit < HUGE_VAL && says_enough &&
               fit_multiple(s, 1, clipping.limit, &finished->residual) != FIT_NONE) {
        finished->mistake = &mistake_clipped;
        finished->factor = clipping.limit;
    } else if (!read_multiple(s, finished) && !read_update(s, finished)) {
        finished->mistake = NULL;
    }
    return finished->mistake != NULL;
}

/* ---- what another mistake lies under ---- */

void whole_search_clipped(struct search *s, size_t budget, struct whole *finished)
{
    struct clipping clipping = find_clipping(s);
    /* Signs alone are no evidence of two mistakes, however many: a layer's are not independent of each other. */
    if (!(clipping.limit < HUGE_VAL) || clipping.below == 0) return;
    s->matching.clip = clipping.limit; /* nowhere but here; no other search may see it */
    start_run(s, budget, false);
    s->matching.clip = HUGE_VAL;
    if (s->best != NULL) *finished = (struct whole){.mistake = &mistake_clipped, .factor = clipping.limit, .all = true};
}

/* A factor that clipping by norm may have had: that on the norm of one tensor, were it right before, or its own numbers
 * in another order. */
struct clipped_times {
    double c;
    size_t tensors; /* that say so */
};

/* As many factors are tried: those that most tensors speak for. */
enum { CLIPPED_TIMES_MAX = 4 };

/* By what a tensor's norm was multiplied; NaN where that says nothing. */
static double clipped_times(const struct search *s, size_t p)
{
    const struct observed *o = &s->observed[p];
    size_t n = search_size(s, p);
    if (o->values == NULL || o->per_sample || o->one_number || n < 2) return NAN;
    double gg = numbers_dot(n, search_right(s, p), search_right(s, p));
    double c = sqrt(numbers_dot(n, o->values, o->values) / gg);
    return c > 1e-6 && c < 1e6 ? c : NAN;
}

/* Those of the tensors behind most others, of which more are right; what most of them say first. How many. */
static size_t list_clipped_times(const struct search *s, struct clipped_times list[CLIPPED_TIMES_MAX])
{
    size_t count = 0;
    for (size_t p = search_count(s); p-- > 0;) {
        struct clipped_times new = {.c = clipped_times(s, p), .tensors = 1};
        size_t i = 0;
        if (isnan(new.c)) continue;
        while (i < count && !written_near(new.c, list[i].c))
            i++;
        if (i == CLIPPED_TIMES_MAX) continue;
        if (i == count)
            list[count++] = new;
        else
            list[i].tensors++;
        for (; i > 0 && list[i].tensors > list[i - 1].tensors; i--) {
            struct clipped_times more = list[i];
            list[i] = list[i - 1];
            list[i - 1] = more;
        }
    }
    return count;
}

/* n numbers divided by c, into *room, which is taken where it is not there yet; NULL when memory is short. */
static double *divided(struct arena *arena, size_t n, const double *from, double c, double **room)
{
    if (*room == NULL) *room = arena_doubles(arena, n);
    for (size_t i = 0; *room != NULL && i < n; i++)
        (*room)[i] = from[i] / c;
    return *room;
}

bool whole_take_room(struct arena *arena, size_t graded, struct whole_room *room)
{
    *room = (struct whole_room){arena_array(arena, graded, sizeof *room->observed),
                                arena_zeroed(arena, graded, sizeof *room->values),
                                arena_zeroed(arena, graded, sizeof *room->raw)};
    return room->observed != NULL && room->values != NULL && room->raw != NULL;
}

/* What was handed in before it was clipped. False when memory is short. */
static bool unclip(const struct search *s, double c, const struct whole_room *room)
{
    memcpy(room->observed, s->observed, search_count(s) * sizeof *room->observed);
    for (size_t p = 0; p < search_count(s); p++) {
        size_t n = search_size(s, p);
        struct observed *o = &room->observed[p];
        if (o->values == NULL || o->per_sample || o->one_number || o->stacked != NULL) continue;
        bool same = o->values == o->raw;
        const double *g = search_right(s, p);
        o->values = divided(s->arena, n, o->values, c, &room->values[p]);
        o->raw = same ? o->values : divided(s->arena, n, o->raw, c, &room->raw[p]);
        if (o->values == NULL || o->raw == NULL) return false;
        o->bound /= c;
        o->tolerance.atol /= c;
        if (search_is_plain(o))
            o->failing = match_numbers(&s->matching, o->tolerance, n, o->values, g, g, o->bound).fit == FIT_NONE;
    }
    return true;
}

/* Whether a factor on the loss, which clipping takes away, is among what was found, and nothing that would show it. */
static bool is_absorbed(const struct search *s)
{
    bool factor = false, shows = search_any_l2(s);
    for (size_t i = 0; i < s->best->length; i++) {
        const struct choice *choice = &s->best->path[i];
        factor = factor || (search_at_loss(choice) && choice->times > 0);
        shows = shows || choice->mistake->unscaled || choice->mistake->nonlinear;
    }
    return factor && !shows;
}

/* Looks under a clipping that multiplied all by c, if it may have been one. */
static void search_unclipped(struct search *s, size_t budget, double c, const struct whole_room *room,
                             struct whole *finished)
{
    const struct observed *as_handed_in = s->observed;
    double off, limit = c < 1 - NO_FACTOR ? factors_norm_limit(s->norm, c, &off) : NAN;
    if (isnan(limit) || s->best != NULL || s->stopped) return;
    if (!unclip(s, c, room)) {
        s->out_of_memory = s->stopped = true;
        return;
    }
    s->observed = room->observed;
    for (size_t p = 0; p < search_count(s); p++)
        sketch_observe(s, p);
    start_run(s, budget, false);
    s->observed = as_handed_in;
    for (size_t p = 0; p < search_count(s); p++)
        sketch_observe(s, p);
    if (s->best != NULL && is_absorbed(s)) s->best = NULL;
    if (s->best != NULL)
        *finished = (struct whole){.mistake = &mistake_clipped, .factor = limit, .by_norm = true, .all = true};
}

void whole_search_norm(struct search *s, size_t budget, const struct whole_room *room, struct whole *finished)
{
    struct clipped_times list[CLIPPED_TIMES_MAX];
    if (isnan(written_between(s->norm, s->norm + CLIP_EPSILON))) return; /* what eps takes off is less */
    size_t count = list_clipped_times(s, list);
    for (size_t i = 0; i < count; i++)
        search_unclipped(s, budget, list[i].c, room, finished);
    /* Clipping takes a factor on the loss away; but what is not linear shows it. */
    for (size_t i = 0; i < count && budget > 1; i++)
        for (size_t k = 0; k < s->factor_count; k++)
            search_unclipped(s, budget, list[i].c / s->factors[k].value, room, finished);
}

/* Lets the search see these as what was handed in; p and q are the parameters that changed. */
static void observe_instead(struct search *s, const struct observed *observed, size_t p, size_t q)
{
    s->observed = observed;
    sketch_observe(s, p);
    sketch_observe(s, q);
}

/* What was handed in for q, as p's. */
static struct observed as_if(const struct search *s, const struct observed *as_handed_in, size_t q, size_t p)
{
    struct observed o = as_handed_in[q];
    o.tolerance = as_handed_in[p].tolerance;
    o.bound = match_bound(&s->matching, o.tolerance, numbers_largest(search_size(s, p), o.values));
    return o;
}

/* Whether two parameters' names may have been exchanged. */
static bool may_be_swapped(const struct search *s, size_t p, size_t q)
{
    const struct observed *a = &s->observed[p], *b = &s->observed[q];
    if (!shape_equal(&search_value(s, p)->shape, &search_value(s, q)->shape) || !a->failing || !b->failing ||
        a->values == NULL || b->values == NULL || a->per_sample || b->per_sample)
        return false;
    size_t n = search_size(s, p); /* of zeros nothing shows whose they are */
    return numbers_largest(n, a->values) > 0 && numbers_largest(n, b->values) > 0;
}

void whole_search_swapped(struct search *s, size_t budget, const struct whole_room *with, struct whole *finished)
{
    struct observed *room = with->observed;
    const struct observed *as_handed_in = s->observed;
    size_t n = search_count(s);
    memcpy(room, as_handed_in, n * sizeof *room);
    for (size_t p = 0; p < n && s->best == NULL && !s->stopped; p++)
        for (size_t q = p + 1; q < n && s->best == NULL && !s->stopped; q++) {
            if (!may_be_swapped(s, p, q) || search_is_over(s)) continue;
            room[p] = as_if(s, as_handed_in, q, p);
            room[q] = as_if(s, as_handed_in, p, q);
            observe_instead(s, room, p, q);
            start_run(s, budget, false);
            observe_instead(s, as_handed_in, p, q);
            room[p] = as_handed_in[p];
            room[q] = as_handed_in[q];
            if (s->best != NULL)
                *finished = (struct whole){.mistake = &mistake_swapped_parameters, .factor = NAN, .parameters = {p, q}};
        }
}
