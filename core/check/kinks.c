#include "core/check/kinks.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/check/kink_equations.h"
#include "core/check/kink_groups.h"
#include "core/check/report.h"

/* ---- all errors 0 ---- */

static size_t count_submitted(const struct settling *s)
{
    size_t submitted = 0;
    for (size_t t = 0; t < s->tensor_count; t++)
        submitted += s->tensors[t].student != NULL;
    return submitted;
}

/* All errors of the loss that are 0 but for rounding are taken for that: at a perfect fit nothing comes back then.
 * *fits: all tensors are the student's so; else all is as it was. */
static int try_perfect_fit(struct settling *s, bool *fits)
{
    size_t chosen = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct spot *spot = &s->spots[i];
        if (!kink_is_of_error(spot) || spot->side_count == 0) continue;
        kink_choose(spot, spot->is_at ? 0 : spot->side_count); /* the last of its sides is the kink itself */
        chosen += spot->choice > 0;
    }
    *fits = false;
    int code = chosen > 0 ? kink_run(s) : CODE_OK;
    if (code == CODE_OK && chosen > 0) *fits = kink_fitting(s) == count_submitted(s);
    for (size_t i = 0; i < s->count && !*fits; i++)
        kink_choose(&s->spots[i], 0);
    return code == CODE_OK && chosen > 0 && !*fits ? kink_run(s) : code;
}

/* ---- few: all combinations ---- */

enum { COMBINATIONS_MOST = 729 };

static double combinations(const struct settling *s)
{
    double product = 1;
    for (size_t i = 0; i < s->count; i++)
        product *= 1 + (double)s->spots[i].side_count;
    return product;
}

/* The next combination; false after the last. */
static bool next_combination(struct settling *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct spot *spot = &s->spots[i];
        bool more = spot->choice < spot->side_count;
        kink_choose(spot, more ? spot->choice + 1 : 0);
        if (more) return true;
    }
    return false;
}

static bool is_flipped(const struct spot *spot)
{
    return spot->choice > 0 || spot->between;
}

static size_t count_flipped(const struct settling *s)
{
    size_t flipped = 0;
    for (size_t i = 0; i < s->count; i++)
        flipped += is_flipped(&s->spots[i]);
    return flipped;
}

/* The combination under which most tensors are the student's; of several the one that leaves most as it was. */
static int try_all(struct settling *s)
{
    size_t best_fitting = 0, best_flipped = 0;
    size_t *best = arena_zeroed(s->arena, s->count, sizeof *best);
    if (best == NULL) return error_out_of_memory(s->error);
    bool first = true;
    do {
        if (kink_run(s) != CODE_OK) return s->error->code;
        size_t fitting = kink_fitting(s), flipped = count_flipped(s);
        if (first || fitting > best_fitting || (fitting == best_fitting && flipped < best_flipped)) {
            best_fitting = fitting;
            best_flipped = flipped;
            for (size_t i = 0; i < s->count; i++)
                best[i] = s->spots[i].choice;
        }
        first = false;
    } while (next_combination(s));
    for (size_t i = 0; i < s->count; i++)
        kink_choose(&s->spots[i], best[i]);
    return kink_run(s);
}

/* The open spots up to `end` that a tensor depends on; how many they are. */
static size_t list_open(const struct settling *s, size_t t, size_t end, size_t *open)
{
    size_t count = 0;
    for (size_t i = 0; i < end; i++)
        if (!s->spots[i].settled && kink_reaches(s, &s->spots[i], t)) open[count++] = i;
    return count;
}

/* The tensors from the loss down, and of one node in the order of its inputs: a weight says more than a bias. */
static void sort_tensors(const struct settling *s, size_t *order)
{
    for (size_t t = 0; t < s->tensor_count; t++) {
        size_t at = t, place = s->tensors[t].value->use_count > 0 ? s->tensors[t].value->uses[0].node->index : 0;
        for (; at > 0; at--) {
            const struct value *before = s->tensors[order[at - 1]].value;
            if ((before->use_count > 0 ? before->uses[0].node->index : 0) >= place) break;
            order[at] = order[at - 1];
        }
        order[at] = t;
    }
}

/* From the loss down: the spots of each node, by the tensors that come to be ready with them: all at once where that
 * says enough, else one tensor after the other. */
static int settle_stages(struct settling *s)
{
    size_t *open = arena_array(s->arena, s->count, sizeof *open);
    size_t *order = arena_array(s->arena, s->tensor_count, sizeof *order);
    bool *used = arena_zeroed(s->arena, s->tensor_count, sizeof *used);
    if (open == NULL || order == NULL || used == NULL) return error_out_of_memory(s->error);
    sort_tensors(s, order);
    for (size_t end = 0; end < s->count;) {
        const struct node *node = s->spots[end].node;
        while (end < s->count && s->spots[end].node == node)
            end++;
        if (kink_settle_jointly(s, end, open) != CODE_OK) return s->error->code;
        for (size_t i = 0; i < s->tensor_count; i++) {
            size_t t = order[i];
            if (used[t] || s->tensors[t].student == NULL || !kink_ready(s, t, end)) continue;
            used[t] = true;
            size_t count = list_open(s, t, end, open);
            if (count > 0 && kink_settle_by(s, t, open, count) != CODE_OK) return s->error->code;
        }
    }
    return CODE_OK;
}

/* ---- errors that are 0, and nothing says on which side ---- */

/* Taken back where that does not make all tensors the student's, since another mistake may be made up for so; and where
 * there need be no sides that do: *undecided then. */
static int try_between(struct settling *s, bool *undecided)
{
    size_t *open = arena_array(s->arena, s->count, sizeof *open);
    size_t *choices = arena_array(s->arena, s->count, sizeof *choices);
    if (open == NULL || choices == NULL) return error_out_of_memory(s->error);
    bool any = false;
    for (size_t i = 0; i < s->count; i++) {
        choices[i] = s->spots[i].choice;
        any = any || kink_is_of_error(&s->spots[i]);
    }
    if (!any) return CODE_OK;
    bool ambiguous = false;
    if (kink_settle_between(s, open, &ambiguous) != CODE_OK) return s->error->code;
    bool fits = kink_fitting(s) == count_submitted(s);
    if (fits && ambiguous) return CODE_OK;
    *undecided = fits;
    for (size_t i = 0; i < s->count; i++) {
        s->spots[i].between = false;
        kink_choose(&s->spots[i], choices[i]);
    }
    return kink_run(s);
}

/* ---- all of it ---- */

/* The memory that is taken for each number that is kept, and for each element, at most: half of what is left for both.
 */
#define BYTES_OF_A_NUMBER 64.0
#define BYTES_OF_A_SPOT (4.0 * sizeof(struct spot))

static bool prepare(struct settling *s)
{
    kink_find(s);
    double left = (double)(s->arena->limit - s->arena->held);
    s->kept_most = fmin(KINK_KEPT_MOST, left / BYTES_OF_A_NUMBER);
    if ((double)s->count > fmin(KINK_SPOTS_MOST, left / BYTES_OF_A_SPOT)) s->count = 0; /* nobody finds out so many */
    if (s->count == 0) return true;
    s->spots = arena_array(s->arena, s->count, sizeof *s->spots);
    struct value **values = arena_array(s->arena, s->tensor_count, sizeof *values);
    if (s->spots == NULL || values == NULL) return false;
    for (size_t t = 0; t < s->tensor_count; t++)
        values[t] = (struct value *)s->tensors[t].value;
    kink_find(s);
    s->last = arena_zeroed(s->arena, s->tensor_count, sizeof *s->last);
    if (s->last == NULL) return false;
    if (!graph_ancestry(s->arena, s->pass->graph, values, s->tensor_count, &s->ancestry)) return false;
    kink_find_last(s);
    return true;
}

/* Whether a brief search will not do. */
static bool takes_long(const struct settling *s)
{
    double ways = combinations(s);
    return ways > COMBINATIONS_MOST || ways * kink_operations(s) > CHECK_BRIEF_OPERATIONS;
}

int kinks_settle(struct arena *arena, struct pass *pass, const struct magnitudes *magnitudes,
                 const struct kinks_asked *asked, struct kinks_tensor *tensors, size_t count,
                 struct kinks_settled *settled, struct error *error)
{
    struct settling s = {.arena = arena,
                         .pass = pass,
                         .magnitudes = magnitudes,
                         .eps = asked->eps,
                         .exact_too = asked->exact_too,
                         .tensors = tensors,
                         .tensor_count = count,
                         .error = error};
    *settled = (struct kinks_settled){.flipped = 0};
    if (!prepare(&s)) return error_out_of_memory(error);
    if (s.count == 0) return CODE_OK;
    settled->postponed = asked->brief && takes_long(&s);
    if (settled->postponed) return CODE_OK;
    size_t before = kink_fitting(&s);
    bool fits;
    int code = try_perfect_fit(&s, &fits);
    bool few = combinations(&s) <= COMBINATIONS_MOST && !kink_takes_too_long(&s, combinations(&s));
    if (code == CODE_OK && !fits) code = few ? try_all(&s) : settle_stages(&s);
    if (code == CODE_OK && !few && kink_fitting(&s) < count_submitted(&s)) code = try_between(&s, &settled->undecided);
    if (code != CODE_OK) return code;
    if (kink_fitting(&s) <= before) {
        for (size_t i = 0; i < s.count; i++)
            kink_choose(&s.spots[i], 0);
        return kink_run(&s);
    }
    settled->flipped = count_flipped(&s);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < s.count; i++)
            tensors[t].flipped += is_flipped(&s.spots[i]) && kink_reaches(&s, &s.spots[i], t);
    return CODE_OK;
}
