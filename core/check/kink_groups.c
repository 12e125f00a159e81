#include "core/check/kink_groups.h"

#include <math.h>
#include <string.h>

/* Numbers that are compared while choices are tried: for one group, and for all of them together. */
#define TRIED_FOR_A_GROUP 2e6
#define TRIED_MOST 1e7

/* So many choices are found out by each number; more may come to the same by chance. */
enum { FOR_EACH_NUMBER = 8 };

/* What the open spots of a stage change in one tensor. */
struct changes {
    size_t tensor, n;
    const size_t *open; /* the spots; */
    size_t open_count;
    double *by;       /* of each of their choices but the first, one behind the other: [choices, n] */
    size_t *first;    /* by open spot: its first row there */
    double *residual; /* student - gradient */
};

/* Makes the rows: what each choice changes, all else as it is. */
static int measure(struct settling *s, struct changes *c)
{
    const double *g = kink_gradient(s, c->tensor);
    double *right = arena_doubles(s->arena, c->n);
    if (right == NULL) return error_out_of_memory(s->error);
    memcpy(right, g, c->n * sizeof *right);
    for (size_t e = 0; e < c->n; e++)
        c->residual[e] = s->tensors[c->tensor].student[e] - right[e];
    for (size_t i = 0, row = 0; i < c->open_count; i++) {
        struct spot *spot = &s->spots[c->open[i]];
        c->first[i] = row;
        for (size_t k = 1; k <= spot->side_count; k++, row++) {
            kink_choose(spot, k);
            if (kink_run(s) != CODE_OK) return s->error->code;
            for (size_t e = 0; e < c->n; e++)
                c->by[row * c->n + e] = g[e] - right[e];
        }
        kink_choose(spot, 0);
    }
    return kink_run(s);
}

/* A group: spots that change the same elements, and those elements. */
struct group {
    struct settling *settling;
    const struct changes *changes;
    size_t *spots, count; /* indices into changes->open */
    size_t *elements, element_count;
    double *left;           /* by depth of the search: [count + 1, element_count] */
    double *reach;          /* likewise: what the spots from there on can change at most */
    size_t *choice, *best;  /* by spot */
    size_t flipped, fewest; /* fewest: of the best; count + 1 where none fits */
    double tried;           /* numbers that were compared */
};

/* What a choice changes; NULL where nothing. */
static const double *change_of(const struct group *g, size_t depth, size_t choice)
{
    const struct changes *c = g->changes;
    return choice > 0 ? c->by + (c->first[g->spots[depth]] + choice - 1) * c->n : NULL;
}

/* Whether the spots from that depth on can still make up for what is left. */
static bool may_fit(struct group *g, size_t depth)
{
    const double *left = g->left + depth * g->element_count, *reach = g->reach + depth * g->element_count;
    const double *allowed = g->settling->tensors[g->changes->tensor].allowed;
    g->tried += (double)g->element_count;
    for (size_t e = 0; e < g->element_count; e++)
        if (!(fabs(left[e]) <= reach[e] + allowed[g->elements[e]])) return false;
    return true;
}

static bool takes_too_long(const struct group *g)
{
    return g->tried > TRIED_FOR_A_GROUP || g->settling->tried + g->tried > TRIED_MOST;
}

static void search_group(struct group *g, size_t depth)
{
    const double *left = g->left + depth * g->element_count;
    if (g->flipped >= g->fewest || takes_too_long(g) || !may_fit(g, depth)) return;
    if (depth == g->count) {
        g->fewest = g->flipped;
        memcpy(g->best, g->choice, g->count * sizeof *g->best);
        return;
    }
    const struct spot *spot = &g->settling->spots[g->changes->open[g->spots[depth]]];
    double *next = g->left + (depth + 1) * g->element_count;
    for (size_t k = 0; k <= spot->side_count; k++) {
        const double *by = change_of(g, depth, k);
        for (size_t e = 0; e < g->element_count; e++)
            next[e] = left[e] - (by != NULL ? by[g->elements[e]] : 0);
        g->choice[depth] = k;
        g->flipped += k > 0;
        search_group(g, depth + 1);
        g->flipped -= k > 0;
    }
}

/* Room for the search, and how far it can reach. */
static bool prepare_group(struct group *g)
{
    size_t n = g->element_count;
    struct arena *arena = g->settling->arena;
    g->left = arena_doubles(arena, (g->count + 1) * n);
    g->reach = arena_zeroed(arena, (g->count + 1) * n, sizeof *g->reach);
    g->choice = arena_array(arena, g->count, sizeof *g->choice);
    g->best = arena_array(arena, g->count, sizeof *g->best);
    if (g->left == NULL || g->reach == NULL || g->choice == NULL || g->best == NULL) return false;
    for (size_t e = 0; e < n; e++)
        g->left[e] = g->changes->residual[g->elements[e]];
    for (size_t depth = g->count; depth-- > 0;)
        for (size_t e = 0; e < n; e++) {
            double most = 0;
            const struct spot *spot = &g->settling->spots[g->changes->open[g->spots[depth]]];
            for (size_t k = 1; k <= spot->side_count; k++)
                most = fmax(most, fabs(change_of(g, depth, k)[g->elements[e]]));
            g->reach[depth * n + e] = g->reach[(depth + 1) * n + e] + most;
        }
    return true;
}

/* A change of less than that part of what an element may be off by says nothing, and settles nothing. */
#define SAYS_NOTHING 0.01

static bool changes_element(const struct settling *s, const struct changes *c, size_t open, size_t e)
{
    double least = SAYS_NOTHING * s->tensors[c->tensor].allowed[e];
    for (size_t k = 0; k < s->spots[c->open[open]].side_count; k++)
        if (fabs(c->by[(c->first[open] + k) * c->n + e]) > least) return true;
    return false;
}

/* Settles the spots of one group by the tensor's elements that they change. */
static int settle_group(struct settling *s, const struct changes *c, size_t *spots, size_t count, size_t *elements,
                        size_t element_count)
{
    struct group group = {.settling = s,
                          .changes = c,
                          .spots = spots,
                          .count = count,
                          .elements = elements,
                          .element_count = element_count,
                          .fewest = count + 1};
    /* A few numbers that many choices fit say nothing; nor does a search that was not finished. */
    if (count > FOR_EACH_NUMBER * element_count) return CODE_OK;
    if (!prepare_group(&group)) return error_out_of_memory(s->error);
    search_group(&group, 0);
    bool unfinished = takes_too_long(&group);
    s->tried += group.tried;
    if (unfinished) return CODE_OK;
    for (size_t i = 0; i < count && group.fewest <= count; i++) {
        struct spot *spot = &s->spots[c->open[spots[i]]];
        kink_choose(spot, group.best[i]);
        spot->settled = true;
    }
    return CODE_OK;
}

/* Splits the open spots into groups that have no element in common, and settles each. */
static int settle_groups(struct settling *s, const struct changes *c)
{
    size_t *spots = arena_array(s->arena, c->open_count, sizeof *spots);
    size_t *elements = arena_array(s->arena, c->n, sizeof *elements);
    bool *taken = arena_zeroed(s->arena, c->open_count, sizeof *taken);
    bool *touched = arena_zeroed(s->arena, c->n, sizeof *touched);
    if (spots == NULL || elements == NULL || taken == NULL || touched == NULL) return error_out_of_memory(s->error);
    for (size_t first = 0; first < c->open_count; first++) {
        size_t count = 0, element_count = 0;
        if (taken[first]) continue;
        spots[count++] = first;
        taken[first] = true;
        for (size_t i = 0; i < count; i++)
            for (size_t e = 0; e < c->n; e++) {
                if (touched[e] || !changes_element(s, c, spots[i], e)) continue;
                touched[e] = true;
                elements[element_count++] = e;
                for (size_t other = 0; other < c->open_count; other++)
                    if (!taken[other] && changes_element(s, c, other, e)) {
                        taken[other] = true;
                        spots[count++] = other;
                    }
            }
        if (element_count > 0 && settle_group(s, c, spots, count, elements, element_count) != CODE_OK)
            return s->error->code;
    }
    return CODE_OK;
}

/* Settles what is open down to a stage by one tensor, which depends on nothing that is open further down. */
int kink_settle_by(struct settling *s, size_t t, const size_t *open, size_t open_count)
{
    struct changes c = {.tensor = t, .n = s->tensors[t].value->size, .open = open, .open_count = open_count};
    double rows = 0;
    for (size_t i = 0; i < open_count; i++)
        rows += (double)s->spots[open[i]].side_count;
    if (!kink_may_keep(s, rows, (double)c.n)) return CODE_OK;
    c.by = arena_doubles(s->arena, (size_t)rows * c.n);
    c.first = arena_array(s->arena, open_count, sizeof *c.first);
    c.residual = arena_doubles(s->arena, c.n);
    if (c.by == NULL || c.first == NULL || c.residual == NULL) return error_out_of_memory(s->error);
    if (measure(s, &c) != CODE_OK || settle_groups(s, &c) != CODE_OK) return s->error->code;
    return kink_run(s);
}
