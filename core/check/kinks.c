#include "core/check/kinks.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Numbers that are compared while the choices of one group are tried; numbers that are kept of what choices change; and
 * operations that finding it out may take. */
#define TRIED_MOST 2e7
#define KEPT_MOST 1e6
#define OPERATIONS_MOST 4e9

/* So many choices are found out by each number; more may come to the same by chance. */
enum { FOR_EACH_NUMBER = 8 };

/* An element at a kink. */
struct spot {
    const struct node *node; /* whose derivative jumps there */
    double *at, was;         /* in the pass's memory */
    double sides[3];         /* what puts it on the sides that it is not on, the kink itself being one */
    size_t side_count;
    size_t choice; /* 0: as it was; k: sides[k - 1] */
    bool settled;
};

struct settling {
    struct arena *arena;
    struct pass *pass;
    const struct magnitudes *magnitudes;
    double eps;
    bool exact_too;
    struct kinks_tensor *tensors;
    size_t tensor_count;
    struct spot *spots;
    size_t count;
    struct ancestry ancestry; /* which values a tensor's gradient comes through */
    struct error *error;
};

/* ---- which elements ---- */

/* One element that is off its kink by `off`; sides that are `step` away from it on. What is exact may be off by
 * nothing: it is at the kink or it is not. */
static void add_spot(struct settling *s, const struct node *node, double *at, double off, double kink, double magnitude,
                     bool exact)
{
    double step = s->eps * magnitude + DBL_MIN;
    if (exact ? off != 0 || !s->exact_too : !(fabs(off) <= MAGNITUDE_ROUNDINGS * s->eps * magnitude)) return;
    if (s->spots != NULL) {
        struct spot spot = {.node = node, .at = at, .was = *at};
        if (off >= 0) spot.sides[spot.side_count++] = kink - step;
        if (off <= 0) spot.sides[spot.side_count++] = kink + step;
        /* Right on it the slope of |e| is neither. Elsewhere it is that of one side. */
        if (off != 0 && op_kink(node->op, node->attributes) == KINK_ERROR) spot.sides[spot.side_count++] = kink;
        s->spots[s->count] = spot;
    }
    s->count++;
}

/* Scores that are 1 below the right class's. */
static void add_margins(struct settling *s, const struct node *node, const struct op_call *call, const double *off)
{
    const struct value *value = node->inputs[LOSS_PREDICTION];
    double *p = (double *)call->x[LOSS_PREDICTION];
    const double *t = call->x[LOSS_TARGET];
    size_t rows = call->in[0]->dim[0], columns = node->inputs[0]->size / rows;
    for (size_t i = 0; i < rows; i++, p += columns, t += columns, off += columns) {
        size_t right = 0;
        while (right + 1 < columns && t[right] == 0)
            right++;
        for (size_t j = 0; j < columns; j++) {
            bool exact = magnitude_is_exact(s->magnitudes, value, i * columns + j) &&
                         magnitude_is_exact(s->magnitudes, value, i * columns + right);
            double magnitude = off[j] + off[right] + fabs(p[right]) + 1;
            if (j != right) add_spot(s, node, &p[j], p[j] - p[right] + 1, p[right] - 1, magnitude, exact);
        }
    }
}

/* All of them, or how many they are. From the loss down, as the gradients come to them. */
static void find_spots(struct settling *s)
{
    const struct graph *graph = s->pass->graph;
    s->count = 0;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        enum kink where = op_kink(node->op, node->attributes);
        if (where == KINK_NONE || !pass_counts(s->pass, node)) continue;
        const struct op_call *call = pass_call(s->pass, node);
        const struct value *value = node->inputs[0];
        const double *off = s->magnitudes->values[value->index], *t = call->x[call->count - 1];
        double *x = s->pass->values[value->index], kink = node->op->kink_at;
        if (where == KINK_MARGIN) {
            add_margins(s, node, call, off);
            continue;
        }
        for (size_t e = 0; e < value->size; e++) {
            double at = where == KINK_ERROR ? t[e] : kink;
            bool exact = magnitude_is_exact(s->magnitudes, value, e);
            add_spot(s, node, &x[e], x[e] - at, at, off[e] + fabs(at), exact);
        }
    }
}

/* ---- trying ---- */

static int run(struct settling *s)
{
    return pass_backward(s->pass, s->error);
}

static void choose(struct spot *spot, size_t choice)
{
    spot->choice = choice;
    *spot->at = choice == 0 ? spot->was : spot->sides[choice - 1];
}

static const double *gradient_of(const struct settling *s, size_t t)
{
    return s->pass->gradients[s->tensors[t].value->index];
}

static bool tensor_fits(const struct settling *s, size_t t)
{
    const struct kinks_tensor *tensor = &s->tensors[t];
    const double *g = gradient_of(s, t);
    for (size_t e = 0; e < tensor->value->size; e++)
        if (!(fabs(tensor->student[e] - g[e]) <= tensor->allowed[e])) return false;
    return true;
}

static size_t count_fitting(const struct settling *s)
{
    size_t fitting = 0;
    for (size_t t = 0; t < s->tensor_count; t++)
        fitting += s->tensors[t].student != NULL && tensor_fits(s, t);
    return fitting;
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
        choose(spot, more ? spot->choice + 1 : 0);
        if (more) return true;
    }
    return false;
}

static size_t count_flipped(const struct settling *s)
{
    size_t flipped = 0;
    for (size_t i = 0; i < s->count; i++)
        flipped += s->spots[i].choice > 0;
    return flipped;
}

/* The combination under which most tensors are the student's; of several the one that leaves most as it was. */
static int try_all(struct settling *s)
{
    size_t best_fitting = 0, best_flipped = 0;
    size_t *best = arena_zeroed(s->arena, s->count, sizeof *best);
    if (best == NULL) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    bool first = true;
    do {
        if (run(s) != CODE_OK) return s->error->code;
        size_t fitting = count_fitting(s), flipped = count_flipped(s);
        if (first || fitting > best_fitting || (fitting == best_fitting && flipped < best_flipped)) {
            best_fitting = fitting;
            best_flipped = flipped;
            for (size_t i = 0; i < s->count; i++)
                best[i] = s->spots[i].choice;
        }
        first = false;
    } while (next_combination(s));
    for (size_t i = 0; i < s->count; i++)
        choose(&s->spots[i], best[i]);
    return run(s);
}

/* ---- many: by one node after the other, and tensor by tensor ---- */

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
    const double *g = gradient_of(s, c->tensor);
    double *right = arena_doubles(s->arena, c->n);
    if (right == NULL) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    memcpy(right, g, c->n * sizeof *right);
    for (size_t e = 0; e < c->n; e++)
        c->residual[e] = s->tensors[c->tensor].student[e] - right[e];
    for (size_t i = 0, row = 0; i < c->open_count; i++) {
        struct spot *spot = &s->spots[c->open[i]];
        c->first[i] = row;
        for (size_t k = 1; k <= spot->side_count; k++, row++) {
            choose(spot, k);
            if (run(s) != CODE_OK) return s->error->code;
            for (size_t e = 0; e < c->n; e++)
                c->by[row * c->n + e] = g[e] - right[e];
        }
        choose(spot, 0);
    }
    return run(s);
}

/* A group: spots that change the same elements, and those elements. */
struct group {
    const struct settling *settling;
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

static void search_group(struct group *g, size_t depth)
{
    const double *left = g->left + depth * g->element_count;
    if (g->flipped >= g->fewest || g->tried > TRIED_MOST || !may_fit(g, depth)) return;
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

static bool changes_element(const struct settling *s, const struct changes *c, size_t open, size_t e)
{
    for (size_t k = 0; k < s->spots[c->open[open]].side_count; k++)
        if (c->by[(c->first[open] + k) * c->n + e] != 0) return true;
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
    if (!prepare_group(&group)) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    search_group(&group, 0);
    /* A search that was not finished, or a few numbers that many choices fit, say nothing. */
    if (group.tried > TRIED_MOST || count > FOR_EACH_NUMBER * element_count) return CODE_OK;
    for (size_t i = 0; i < count && group.fewest <= count; i++) {
        struct spot *spot = &s->spots[c->open[spots[i]]];
        choose(spot, group.best[i]);
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
    if (spots == NULL || elements == NULL || taken == NULL || touched == NULL)
        return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
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
static int settle_by(struct settling *s, size_t t, const size_t *open, size_t open_count)
{
    struct changes c = {.tensor = t, .n = s->tensors[t].value->size, .open = open, .open_count = open_count};
    double rows = 0;
    for (size_t i = 0; i < open_count; i++)
        rows += (double)s->spots[open[i]].side_count;
    if (rows * (double)c.n > KEPT_MOST || rows * s->pass->graph->work > OPERATIONS_MOST) return CODE_OK;
    c.by = arena_doubles(s->arena, (size_t)rows * c.n);
    c.first = arena_array(s->arena, open_count, sizeof *c.first);
    c.residual = arena_doubles(s->arena, c.n);
    if (c.by == NULL || c.first == NULL || c.residual == NULL)
        return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    if (measure(s, &c) != CODE_OK || settle_groups(s, &c) != CODE_OK) return s->error->code;
    return run(s);
}

static bool comes_through(const struct settling *s, size_t t, const struct spot *spot)
{
    return ancestry_has(&s->ancestry, spot->node->op->kind == OP_LOSS ? spot->node->inputs[0] : spot->node->output, t);
}

/* Whether a tensor can be looked at: it depends on no spot below those of the stage, which ends before `end`. */
static bool is_ready(const struct settling *s, size_t t, size_t end)
{
    for (size_t i = end; i < s->count; i++)
        if (comes_through(s, t, &s->spots[i])) return false;
    return true;
}

/* The open spots up to `end` that a tensor depends on; how many they are. */
static size_t list_open(const struct settling *s, size_t t, size_t end, size_t *open)
{
    size_t count = 0;
    for (size_t i = 0; i < end; i++)
        if (!s->spots[i].settled && comes_through(s, t, &s->spots[i])) open[count++] = i;
    return count;
}

/* ---- very many: by all equations at once ---- */

/* Spots whose choices change all tensors that are ready by multiples of one vector each: how often, by least squares.
 */
struct equations {
    const size_t *open;
    size_t open_count, n; /* n: elements of all tensors together */
    double *by;           /* [open_count, n]: what the first choice changes; */
    double *multiples;    /* [open_count, 3]: what the others are of that; */
    double *residual;     /* [n] */
    double *products;     /* [open_count, open_count], and the right side behind it */
};

static size_t elements_ready(const struct settling *s, size_t end, double *to, const double *less)
{
    size_t n = 0;
    for (size_t t = 0; t < s->tensor_count; t++) {
        if (s->tensors[t].student == NULL || !is_ready(s, t, end)) continue;
        const double *g = gradient_of(s, t);
        for (size_t e = 0; to != NULL && e < s->tensors[t].value->size; e++)
            to[n + e] = less != NULL ? g[e] - less[n + e] : g[e];
        n += s->tensors[t].value->size;
    }
    return n;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static int measure_all(struct settling *s, size_t end, struct equations *q)
{
    double *right = arena_doubles(s->arena, q->n), *other = arena_doubles(s->arena, q->n);
    if (right == NULL || other == NULL) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    elements_ready(s, end, right, NULL);
    for (size_t t = 0, n = 0; t < s->tensor_count; t++) {
        if (s->tensors[t].student == NULL || !is_ready(s, t, end)) continue;
        for (size_t e = 0; e < s->tensors[t].value->size; e++, n++)
            q->residual[n] = s->tensors[t].student[e] - right[n];
    }
    for (size_t i = 0; i < q->open_count; i++) {
        struct spot *spot = &s->spots[q->open[i]];
        double *by = q->by + i * q->n;
        for (size_t k = 1; k <= spot->side_count; k++) {
            choose(spot, k);
            if (run(s) != CODE_OK) return s->error->code;
            elements_ready(s, end, k == 1 ? by : other, right);
            double squares = dot(q->n, by, by);
            q->multiples[3 * i + k - 1] = k == 1 ? 1 : squares > 0 ? dot(q->n, by, other) / squares : 0;
        }
        choose(spot, 0);
    }
    return run(s);
}

/* Solves the normal equations by Cholesky's method, in place; false where they do not say enough. What changes nothing,
 * as an ELU whose slopes meet, is not to be found out and stays as it is. */
static bool solve(size_t n, double *a, double *b)
{
    for (size_t j = 0; j < n; j++) {
        if (a[j * n + j] == 0) {
            a[j * n + j] = 1;
            b[j] = 0;
        }
        double whole = a[j * n + j], pivot = whole;
        for (size_t k = 0; k < j; k++)
            pivot -= a[j * n + k] * a[j * n + k];
        if (!(pivot > 1e-12 * whole)) return false;
        a[j * n + j] = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++) {
            for (size_t k = 0; k < j; k++)
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            a[i * n + j] /= a[j * n + j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
}

/* The choice whose multiple is nearest. */
static size_t nearest_choice(const struct spot *spot, const double *multiples, double times)
{
    size_t nearest = 0;
    double off = fabs(times);
    for (size_t k = 1; k <= spot->side_count; k++)
        if (fabs(times - multiples[k - 1]) < off) {
            nearest = k;
            off = fabs(times - multiples[k - 1]);
        }
    return nearest;
}

/* What is still open down to a stage, by all tensors that are ready; taken back where it does not make more of them the
 * student's. */
static int settle_jointly(struct settling *s, size_t end, size_t *open)
{
    struct equations q = {.open = open, .n = elements_ready(s, end, NULL, NULL)};
    for (size_t i = 0; i < end; i++)
        if (!s->spots[i].settled) open[q.open_count++] = i;
    double rows = 3 * (double)q.open_count;
    if (q.open_count == 0 || q.n < q.open_count || rows * (double)q.n > KEPT_MOST ||
        rows * s->pass->graph->work > OPERATIONS_MOST)
        return CODE_OK;
    size_t n = q.open_count, before = count_fitting(s);
    q.by = arena_doubles(s->arena, n * q.n);
    q.multiples = arena_doubles(s->arena, 3 * n);
    q.residual = arena_doubles(s->arena, q.n);
    q.products = arena_doubles(s->arena, n * n + n);
    if (q.by == NULL || q.multiples == NULL || q.residual == NULL || q.products == NULL)
        return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    if (measure_all(s, end, &q) != CODE_OK) return s->error->code;
    double *times = q.products + n * n;
    for (size_t i = 0; i < n; i++) {
        times[i] = dot(q.n, q.by + i * q.n, q.residual);
        for (size_t j = 0; j <= i; j++)
            q.products[i * n + j] = dot(q.n, q.by + i * q.n, q.by + j * q.n);
    }
    if (!solve(n, q.products, times)) return CODE_OK;
    for (size_t i = 0; i < n; i++) {
        struct spot *spot = &s->spots[open[i]];
        choose(spot, nearest_choice(spot, q.multiples + 3 * i, times[i]));
    }
    if (run(s) != CODE_OK) return s->error->code;
    bool better = count_fitting(s) > before;
    for (size_t i = 0; i < n; i++) {
        s->spots[open[i]].settled = better;
        if (!better) choose(&s->spots[open[i]], 0);
    }
    return better ? CODE_OK : run(s);
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
    if (open == NULL || order == NULL || used == NULL) return error_set(s->error, CODE_OUT_OF_MEMORY, "out of memory");
    sort_tensors(s, order);
    for (size_t end = 0; end < s->count;) {
        const struct node *node = s->spots[end].node;
        while (end < s->count && s->spots[end].node == node)
            end++;
        if (settle_jointly(s, end, open) != CODE_OK) return s->error->code;
        for (size_t i = 0; i < s->tensor_count; i++) {
            size_t t = order[i];
            if (used[t] || s->tensors[t].student == NULL || !is_ready(s, t, end)) continue;
            used[t] = true;
            size_t count = list_open(s, t, end, open);
            if (count > 0 && settle_by(s, t, open, count) != CODE_OK) return s->error->code;
        }
    }
    return CODE_OK;
}

/* ---- all of it ---- */

static bool prepare(struct settling *s)
{
    find_spots(s);
    if (s->count == 0) return true;
    s->spots = arena_array(s->arena, s->count, sizeof *s->spots);
    struct value **values = arena_array(s->arena, s->tensor_count, sizeof *values);
    if (s->spots == NULL || values == NULL) return false;
    for (size_t t = 0; t < s->tensor_count; t++)
        values[t] = (struct value *)s->tensors[t].value;
    find_spots(s);
    return graph_ancestry(s->arena, s->pass->graph, values, s->tensor_count, &s->ancestry);
}

int kinks_settle(struct arena *arena, struct pass *pass, const struct magnitudes *magnitudes, double eps,
                 bool exact_too, struct kinks_tensor *tensors, size_t count, size_t *flipped, struct error *error)
{
    struct settling s = {.arena = arena,
                         .pass = pass,
                         .magnitudes = magnitudes,
                         .eps = eps,
                         .exact_too = exact_too,
                         .tensors = tensors,
                         .tensor_count = count,
                         .error = error};
    *flipped = 0;
    if (!prepare(&s)) return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
    if (s.count == 0) return CODE_OK;
    size_t before = count_fitting(&s);
    int code = combinations(&s) <= COMBINATIONS_MOST ? try_all(&s) : settle_stages(&s);
    if (code != CODE_OK) return code;
    if (count_fitting(&s) <= before) {
        for (size_t i = 0; i < s.count; i++)
            choose(&s.spots[i], 0);
        return run(&s);
    }
    *flipped = count_flipped(&s);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < s.count; i++)
            tensors[t].flipped += s.spots[i].choice > 0 && comes_through(&s, t, &s.spots[i]);
    return CODE_OK;
}
