#include "core/diagnose.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/diagnose_path.h"
#include "core/diagnose_search.h"

/* Three mistakes at once are searched only in networks up to so many parameters times samples. */
#define TRIPLES_MOST 1e5

/* Rounding to float32, and what a few sums make of it. */
#define OWN_ROUNDING 1e-5

struct job {
    struct arena *arena;
    const struct check *check;
    const struct report *report;
    struct diagnosis *diagnosis;
    const struct pass *pass;
    struct observed *observed;
    struct search search;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int out_of_memory(struct error *error)
{
    return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
}

/* ---- what was handed in ---- */

static bool copy_transposed(struct arena *arena, size_t rows, size_t columns, const double *from, const double **to)
{
    double *copy = arena_doubles(arena, rows * columns);
    if (copy == NULL) return false;
    tensor_transpose(rows, columns, from, copy);
    *to = copy;
    return true;
}

/* One parameter's tensor in the layout inside, where it has the parameter's shape, its transpose, or a batch axis too
 * much. False when memory is short. */
static bool observe(const struct job *job, size_t p, struct observed *o)
{
    const struct check *check = job->check;
    const struct entry *entry = &job->report->parameters[p];
    const struct tensor *student = entry->submission != NULL ? entry->submission->tensor : NULL;
    struct view view = convention_parameter(check->convention, &check->network->parameters[p]);
    *o = (struct observed){.failing = !entry->passed, .absent = student == NULL};
    if (student == NULL) return true;
    o->raw = student->data;
    if (view_accepts(&view, check->convention, &student->shape)) {
        o->values = student->data;
        return !view.transposed || copy_transposed(job->arena, view.columns, view.rows, student->data, &o->values);
    }
    if (view.bias && student->size == 1) { /* one number for all units */
        double *values = arena_doubles(job->arena, view.columns);
        if (values == NULL) return false;
        for (size_t i = 0; i < view.columns; i++)
            values[i] = student->data[0];
        o->values = values;
        o->one_number = true;
        return true;
    }
    const struct node *node = &check->network->nodes[check->network->parameters[p].node];
    struct view samples = convention_samples(check->convention, job->pass->batch, &node->out);
    if (view.bias && shape_equal(&samples.shape, &student->shape)) {
        o->per_sample = true;
        o->values = student->data;
        return !samples.transposed ||
               copy_transposed(job->arena, samples.columns, samples.rows, student->data, &o->values);
    }
    const size_t *dim = student->shape.dim;
    if (student->shape.rank != 2) return true;
    if (!view.bias && dim[0] == view.shape.dim[1] && dim[1] == view.shape.dim[0]) {
        o->transposed = true; /* values in the layout of the transpose of what is inside */
        o->values = student->data;
        return !view.transposed || copy_transposed(job->arena, dim[0], dim[1], student->data, &o->values);
    }
    return true;
}

static bool observe_all(struct job *job)
{
    const struct network *network = job->check->network;
    double squares = 0, largest = 0;
    bool whole = true;
    for (size_t p = 0; p < network->parameter_count; p++) {
        struct observed *o = &job->observed[p];
        size_t n = network->parameters[p].size;
        if (!observe(job, p, o)) return false;
        bool same_size = o->values != NULL && !o->per_sample;
        whole = whole && same_size;
        for (size_t i = 0; same_size && i < n; i++)
            squares += o->values[i] * o->values[i];
        const double *g = job->pass->gradients[p];
        for (size_t i = 0; i < n; i++)
            largest = fabs(g[i]) > largest ? fabs(g[i]) : largest;
    }
    struct matching matching = {.tolerance = job->check->tolerance, .scale = largest, .clip = HUGE_VAL};
    for (size_t p = 0; p < network->parameter_count; p++) {
        struct observed *o = &job->observed[p];
        size_t n = o->per_sample ? job->report->parameters[p].submission->tensor->size : network->parameters[p].size;
        double own = 0;
        for (size_t i = 0; o->values != NULL && i < n; i++)
            own = fabs(o->values[i]) > own ? fabs(o->values[i]) : own;
        o->bound = match_bound(&matching, own);
    }
    job->search.matching = matching;
    job->search.norm = whole ? sqrt(squares) : NAN;
    return true;
}

/* ---- the answer ---- */

/* The mistake's entry, new where it is not there yet; NULL when memory is short. */
static struct found *found_entry(struct job *job, const struct mistake *mistake)
{
    struct diagnosis *d = job->diagnosis;
    for (size_t i = 0; i < d->count; i++)
        if (d->found[i].mistake == mistake) return &d->found[i];
    if (d->count == FOUND_MAX) return NULL;
    struct found *found = &d->found[d->count];
    *found = (struct found){.mistake = mistake};
    found->layers = arena_array(job->arena, 2 * job->check->network->node_count + 2, sizeof *found->layers);
    found->parameters = arena_array(job->arena, job->check->network->parameter_count, sizeof *found->parameters);
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
    if (mistake == &mistake_constant_factor && is_named_factor(found)) return;
    if (mistake == found->mistake || found->alternative_count == FOUND_ALTERNATIVES_MAX) return;
    for (size_t i = 0; i < found->alternative_count; i++)
        if (found->alternatives[i] == mistake) return;
    found->alternatives[found->alternative_count++] = mistake;
}

/* The failing parameters that a choice spoils. */
static void add_parameters(const struct job *job, const struct choice *choice, const struct match *matches,
                           struct found *found)
{
    const struct network *network = job->check->network;
    for (size_t p = 0; p < network->parameter_count; p++) {
        bool own = choice->parameter == p;
        bool below = choice->parameter == PARAMETER_NONE &&
                     (choice->layer == LAYER_LOSS || network->parameters[p].node < choice->layer);
        if (!job->observed[p].failing || job->observed[p].absent || (!own && !below)) continue;
        add_unique(found->parameters, &found->parameter_count, p);
        found->residual = fmax(found->residual, matches[p].residual);
    }
}

static bool holds(const struct solution *solution, const struct mistake *mistake)
{
    for (size_t i = 0; i < solution->length; i++)
        if (solution->path[i].mistake == mistake) return true;
    return false;
}

/* Another solution that differs in one mistake names an alternative to it. */
static void merge(struct job *job, const struct solution *best, const struct solution *other)
{
    const struct mistake *only_best = NULL, *only_other = NULL;
    size_t count = 0;
    for (size_t i = 0; i < best->length; i++)
        if (!holds(other, best->path[i].mistake) && best->path[i].mistake != only_best) {
            only_best = best->path[i].mistake;
            count++;
        }
    for (size_t i = 0; i < other->length; i++)
        if (!holds(best, other->path[i].mistake) && other->path[i].mistake != only_other) {
            only_other = other->path[i].mistake;
            count++;
        }
    if (count != 2 || only_best == NULL || only_other == NULL) return;
    struct found *found = found_entry(job, only_best);
    if (found == NULL) return;
    add_found_alternative(found, only_other);
    for (size_t i = 0; i < other->length; i++)
        for (size_t a = 0; other->path[i].mistake == only_other && a < other->path[i].alternative_count; a++)
            add_found_alternative(found, other->path[i].alternatives[a]);
}

/* A fitted number without the noise of the fit: 0.1 for 0.10000000000000012. */
static double snap(double x)
{
    if (!(fabs(x) > 1e-12 && fabs(x) < 1e12)) return x;
    double unit = pow(10, floor(log10(fabs(x))) - 7), near = round(x / unit) * unit;
    return fabs(x - near) <= 1e-9 * fabs(x) ? near : x;
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Mistakes on the finished gradients are where those gradients belong; layers and parameters in the network's order. */
static void place_found(const struct job *job, struct found *found)
{
    for (size_t i = 0; found->mistake->step == STEP_FINISHED && i < found->parameter_count; i++)
        add_unique(found->layers, &found->layer_count, job->check->network->parameters[found->parameters[i]].node);
    qsort(found->layers, found->layer_count, sizeof *found->layers, compare_sizes);
    qsort(found->parameters, found->parameter_count, sizeof *found->parameters, compare_sizes);
}

static int report_solution(struct job *job, struct error *error)
{
    const struct solution *best = job->search.best;
    for (size_t i = 0; i < best->length; i++) {
        const struct choice *choice = &best->path[i];
        struct found *found = found_entry(job, choice->mistake);
        if (found == NULL) return out_of_memory(error);
        add_parameters(job, choice, best->matches, found);
        if (choice->mistake->step != STEP_FINISHED) add_unique(found->layers, &found->layer_count, choice->layer);
        if (choice->has_factor && !found->has_factor) found->factor = snap(choice->factor);
        found->has_factor = found->has_factor || choice->has_factor;
        found->of_tensors = choice->parameter != PARAMETER_NONE;
        found->by_norm = choice->by_norm;
        found->sample = choice->sample;
        for (size_t a = 0; a < choice->alternative_count; a++)
            add_found_alternative(found, choice->alternatives[a]);
    }
    for (size_t i = 0; i < job->diagnosis->count; i++)
        place_found(job, &job->diagnosis->found[i]);
    for (size_t i = 0; i < job->search.other_count; i++)
        merge(job, best, &job->search.pool[1 + i]);
    job->diagnosis->explained = best->unexplained == 0;
    return CODE_OK;
}

/* One mistake on the finished gradients that spoils all failing parameters. */
static int report_finished(struct job *job, const struct mistake *mistake, double residual, double factor,
                           struct error *error)
{
    struct found *found = found_entry(job, mistake);
    if (found == NULL) return out_of_memory(error);
    const struct network *network = job->check->network;
    for (size_t p = 0; p < network->parameter_count; p++)
        if (job->observed[p].failing) add_unique(found->parameters, &found->parameter_count, p);
    place_found(job, found);
    found->residual = residual;
    found->has_factor = !isnan(factor);
    found->factor = snap(factor);
    job->diagnosis->explained = true;
    return CODE_OK;
}

/* ---- mistakes on the finished gradients ---- */

/* Whether a difference is rounding by the tensor's own numbers: beside much larger ones anything would be. */
static bool is_rounding(const struct observed *o, size_t n, const double *g, double c, double residual)
{
    double own = 0;
    for (size_t i = 0; i < n; i++)
        own = fmax(own, fmin(fabs(o->values[i]), fabs(c * g[i])));
    return !o->failing || residual <= OWN_ROUNDING * own;
}

/* Whether all that was handed in is c times the reference, to that fit at least; the largest difference into *residual.
 */
static bool is_multiple(const struct job *job, double c, enum fit worst, double *residual)
{
    const struct network *network = job->check->network;
    double *scaled = job->search.weight_room;
    *residual = 0;
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct observed *o = &job->observed[p];
        size_t n = network->parameters[p].size;
        if (o->absent && !o->failing) continue;
        if (o->values == NULL || o->transposed || o->per_sample || o->one_number) return false;
        const double *g = job->pass->gradients[p];
        for (size_t i = 0; i < n; i++)
            scaled[i] = c * g[i];
        struct match match = match_numbers(&job->search.matching, n, o->values, scaled, g, HUGE_VAL);
        if (match.fit > worst || !is_rounding(o, n, g, c, match.residual)) return false;
        *residual = fmax(*residual, match.residual);
    }
    return true;
}

/* The values of one parameter under the name of another, where its shape is that one's too. */
static bool is_other(const struct job *job, size_t p, size_t q, double *residual)
{
    const struct check *check = job->check;
    const struct tensor *student = job->report->parameters[p].submission->tensor;
    struct view view = convention_parameter(check->convention, &check->network->parameters[q]);
    if (!view_accepts(&view, check->convention, &student->shape)) return false;
    double *values = job->search.weight_room;
    view_import(&view, student->data, values);
    size_t n = check->network->parameters[q].size;
    struct match match =
        match_numbers(&job->search.matching, n, values, job->pass->gradients[q], job->pass->gradients[q], HUGE_VAL);
    if (match.fit > FIT_FLOAT32) return false;
    *residual = fmax(*residual, match.residual);
    return true;
}

static bool is_swapped(const struct job *job, double *residual)
{
    size_t n = job->check->network->parameter_count, failing = 0;
    bool *used = job->search.unexplained; /* room by parameter, which every search sets anew */
    memset(used, 0, n * sizeof *used);
    *residual = 0;
    for (size_t p = 0; p < n; p++) {
        if (!job->observed[p].failing) continue;
        failing++;
        if (job->observed[p].absent) return false;
        bool found = false;
        for (size_t q = 0; !found && q < n; q++) {
            found = q != p && !used[q] && job->observed[q].failing && is_other(job, p, q, residual);
            used[q] = used[q] || found;
        }
        if (!found) return false;
    }
    return failing >= 2;
}

/* The limit to which the values may have been clipped: the largest that was handed in, where it is round and the
 * reference has larger ones. Infinite where there is none. */
static double clip_limit(const struct job *job)
{
    const struct network *network = job->check->network;
    double largest = 0;
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct observed *o = &job->observed[p];
        size_t n = network->parameters[p].size;
        for (size_t i = 0; o->values != NULL && !o->per_sample && i < n; i++)
            largest = fmax(largest, fabs(o->values[i]));
    }
    if (!(largest > 0 && largest < DBL_MAX)) return HUGE_VAL;
    double unit = pow(10, floor(log10(largest)) - 1), round_limit = round(largest / unit) * unit;
    bool is_round = fabs(largest - round_limit) <= 1e-7 * largest;
    size_t at_limit = 0; /* one number that happens to be round is no clipping */
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct observed *o = &job->observed[p];
        for (size_t i = 0; o->values != NULL && !o->per_sample && i < network->parameters[p].size; i++)
            at_limit += fabs(fabs(o->values[i]) - largest) <= 1e-7 * largest;
    }
    return is_round && at_limit >= 2 && largest < job->search.matching.scale * (1 - 1e-6) ? round_limit : HUGE_VAL;
}

/* All gradients off by one factor: clipped by their norm (PyTorch adds 1e-6 to it); with l2, where a factor on the
 * finished gradients is not one on the loss, also a whole multiple or any other. */
static bool read_multiple(struct job *job, int *code, struct error *error)
{
    const struct network *network = job->check->network;
    double sg = 0, gg = 0, residual;
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct observed *o = &job->observed[p];
        if (o->values == NULL || o->transposed || o->per_sample || o->one_number) return false;
        const double *g = job->pass->gradients[p];
        for (size_t i = 0; i < network->parameters[p].size; i++) {
            sg += o->values[i] * g[i];
            gg += g[i] * g[i];
        }
    }
    double c = sg / gg, norm = sqrt(gg), l2 = network->definition->l2;
    if (!(fabs(c) > 1e-9 && fabs(c) < 1e12) || network->parameter_elements < 3) return false;
    const double limits[] = {c * norm, c * (norm + CLIP_EPSILON)};
    const struct mistake *mistake = NULL;
    double factor = c;
    for (size_t i = 0; i < 2 && mistake == NULL; i++)
        if (c > 0 && c < 1 && path_is_round(limits[i])) {
            mistake = &mistake_clipped;
            factor = limits[i];
        }
    if (mistake == NULL && l2 > 0)
        mistake = c > 1.5 && fabs(c - round(c)) < 1e-6 * c ? &mistake_gradient_accumulated : &mistake_constant_factor;
    if (mistake == NULL || !is_multiple(job, c, FIT_FLOAT32, &residual)) return false;
    *code = report_finished(job, mistake, residual, factor, error);
    if (*code == CODE_OK) job->diagnosis->found[0].by_norm = mistake == &mistake_clipped;
    if (*code == CODE_OK && mistake != &mistake_constant_factor)
        add_found_alternative(&job->diagnosis->found[0], &mistake_constant_factor);
    return true;
}

/* What can be read off the finished gradients at once. True where it explains them all. */
static bool read_off(struct job *job, int *code, struct error *error)
{
    double residual;
    if (is_multiple(job, 1, FIT_FLOAT32, &residual)) {
        *code = report_finished(job, &mistake_low_precision, residual, NAN, error);
        return true;
    }
    if (is_swapped(job, &residual)) {
        *code = report_finished(job, &mistake_swapped_parameters, residual, NAN, error);
        return true;
    }
    double limit = clip_limit(job);
    job->search.matching.clip = limit;
    bool clipped = limit < HUGE_VAL && is_multiple(job, 1, FIT_FLOAT32, &residual);
    job->search.matching.clip = HUGE_VAL;
    if (clipped) {
        *code = report_finished(job, &mistake_clipped, residual, limit, error);
        return true;
    }
    *code = CODE_OK;
    return read_multiple(job, code, error);
}

/* ---- the search ---- */

static bool is_done(const struct job *job)
{
    size_t absent = 0;
    for (size_t p = 0; p < job->check->network->parameter_count; p++)
        absent += job->observed[p].failing && job->observed[p].absent;
    return job->search.stopped || (job->search.best != NULL && job->search.best->unexplained <= absent);
}

/* The parameters whose names may have been exchanged: each pair of one shape that fails, with one mistake more. */
static int search_swapped(struct job *job, struct error *error)
{
    const struct network *network = job->check->network;
    struct search *s = &job->search;
    for (size_t p = 0; p < network->parameter_count; p++)
        for (size_t q = p + 1; q < network->parameter_count; q++) {
            struct observed *a = &job->observed[p], *b = &job->observed[q];
            bool alike = shape_equal(&network->parameters[p].shape, &network->parameters[q].shape) && a->failing &&
                         b->failing && a->values != NULL && b->values != NULL && !a->per_sample && !b->per_sample;
            if (!alike) continue;
            const struct observed kept = *a;
            *a = *b;
            *b = kept;
            search_run(s, 1, false);
            if (s->best != NULL && is_done(job) && !s->stopped) {
                struct found *found = found_entry(job, &mistake_swapped_parameters);
                if (found == NULL) return out_of_memory(error);
                add_unique(found->parameters, &found->parameter_count, p);
                add_unique(found->parameters, &found->parameter_count, q);
                return CODE_OK;
            }
            s->best = NULL;
            s->other_count = 0;
            *b = *a;
            *a = kept;
        }
    return CODE_OK;
}

static int search(struct job *job, struct error *error)
{
    struct search *s = &job->search;
    double size = (double)job->check->network->parameter_elements * (double)job->pass->batch;
    size_t most = size <= TRIPLES_MOST ? BUDGET_MAX : size <= 100 * TRIPLES_MOST ? 2 : 1;
    for (size_t budget = 1; budget <= most && !is_done(job); budget++) {
        search_run(s, budget, false);
        double limit = clip_limit(job);
        if (is_done(job)) break;
        s->matching.clip = budget == 1 ? limit : HUGE_VAL;
        if (s->matching.clip < HUGE_VAL) search_run(s, budget, false);
        /* Found under the clipping while time ran out: without its entry for the clipping it would not be true. */
        if (s->matching.clip < HUGE_VAL && s->stopped) s->best = NULL;
        if (s->matching.clip < HUGE_VAL && s->best != NULL) {
            struct found *found = found_entry(job, &mistake_clipped);
            if (found == NULL) return out_of_memory(error);
            found->has_factor = true;
            found->factor = limit;
            for (size_t p = 0; p < job->check->network->parameter_count; p++)
                if (job->observed[p].failing) add_unique(found->parameters, &found->parameter_count, p);
        }
        s->matching.clip = HUGE_VAL;
        if (budget == 2 && !is_done(job) && search_swapped(job, error) != CODE_OK) return error->code;
    }
    if (!is_done(job)) search_run(s, most < 2 ? 1 : 2, true);
    job->diagnosis->stopped = s->stopped && !(s->best != NULL && s->best->unexplained == 0);
    if (s->cancelled != NULL && atomic_load(s->cancelled))
        return error_set(error, CODE_CANCELLED, "the check was cancelled");
    return s->best != NULL ? report_solution(job, error) : CODE_OK;
}

/* ---- all of it ---- */

static size_t first_wrong(const struct check *check, const struct report *report)
{
    size_t first = 0, node = 0;
    bool any = false;
    for (size_t p = 0; p < check->network->parameter_count; p++) {
        if (report->parameters[p].passed || (any && check->network->parameters[p].node <= node)) continue;
        any = true;
        first = p;
        node = check->network->parameters[p].node;
    }
    return first;
}

int diagnose_run(struct arena *arena, const struct check *check, const struct report *report, double seconds,
                 struct diagnosis *diagnosis, struct error *error)
{
    *diagnosis = (struct diagnosis){.first_wrong = first_wrong(check, report)};
    if (!(seconds > 0)) {
        diagnosis->stopped = true;
        return CODE_OK;
    }
    struct job job = {.arena = arena, .check = check, .report = report, .diagnosis = diagnosis};
    double begun = now();
    struct pass pass = {0}; /* the check's own will do where it is float64 in host memory */
    const struct backend *backend = backend_cpu(DTYPE_FLOAT64);
    job.pass = report->pass.backend == backend ? &report->pass : &pass;
    if (job.pass == &pass && check_pass(arena, check, backend, &pass, error) != CODE_OK) return error->code;
    job.observed = arena_array(arena, check->network->parameter_count, sizeof *job.observed);
    diagnosis->found = arena_array(arena, FOUND_MAX, sizeof *diagnosis->found);
    if (job.observed == NULL || diagnosis->found == NULL || !observe_all(&job)) return out_of_memory(error);
    bool any = false; /* something to reproduce */
    for (size_t p = 0; p < check->network->parameter_count; p++)
        any = any || (job.observed[p].failing && job.observed[p].values != NULL);
    struct search *s = &job.search;
    s->arena = arena;
    s->network = check->network;
    s->pass = job.pass;
    s->parameters = check->parameters;
    s->observed = job.observed;
    s->deadline = begun + seconds;
    s->cancelled = check->cancelled;
    int code = CODE_OK;
    if (any && !search_prepare(s)) code = out_of_memory(error);
    if (any && code == CODE_OK && !read_off(&job, &code, error) && code == CODE_OK) code = search(&job, error);
    return code;
}
