#include "core/diagnosis/diagnose.h"

#include <math.h>

#include "core/base/clock.h"
#include "core/diagnosis/answer.h"
#include "core/diagnosis/hypothesis.h"

/* Three mistakes at once are searched only in networks up to so many parameters times samples. */
#define TRIPLES_MOST 1e5

struct job {
    struct arena *arena;
    const struct check *check;
    const struct report *report;
    struct diagnosis *diagnosis;
    const struct pass *pass;               /* float64 on the CPU */
    struct observed *observed, *exchanged; /* what was handed in; room for the same with two parameters exchanged */
    struct search search;
    struct whole finished;
};

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

/* ---- the search ---- */

static bool is_over(const struct search *s)
{
    return s->best != NULL || s->stopped;
}

/* From what asks least to be believed: one mistake, one and a clipping, two, one and an exchange of names, three; and
 * at last what explains only some of the parameters. The first of them that explains anything ends the search. */
static void search(struct job *job)
{
    struct search *s = &job->search;
    double size = (double)s->network->parameter_elements * (double)job->pass->batch;
    size_t most = size <= TRIPLES_MOST ? BUDGET_MAX : size <= 100 * TRIPLES_MOST ? 2 : 1;
    for (size_t budget = 1; budget <= most && !is_over(s); budget++) {
        search_run(s, budget, false);
        if (budget == 1 && !is_over(s)) whole_search_clipped(s, &job->finished);
        if (budget == 2 && !is_over(s)) whole_search_swapped(s, job->exchanged, &job->finished);
    }
    if (!is_over(s)) search_run(s, most < 2 ? 1 : 2, true);
    /* Two mistakes that explain all of it, too, are not claimed, but they are among the one's alternatives. */
    bool single = s->best != NULL && s->best->distinct == 1 && !s->partial && job->finished.mistake == NULL;
    if (single && !s->stopped && most == BUDGET_MAX && hypothesis_may_be_two(s->best)) search_run(s, 2, false);
}

static int diagnose(struct job *job, struct error *error)
{
    struct search *s = &job->search;
    struct diagnosis *diagnosis = job->diagnosis;
    if (!search_prepare(s)) return out_of_memory(error);
    bool all = whole_read(s, job->check, job->report, &job->finished);
    if (!all) search(job);
    diagnosis->explained = (all && job->finished.mistake != NULL) || (s->best != NULL && s->best->unexplained == 0);
    diagnosis->stopped = s->stopped;
    if (s->cancelled != NULL && atomic_load(s->cancelled))
        return error_set(error, CODE_CANCELLED, "the check was cancelled");
    if (job->finished.mistake != NULL && !answer_finished(s, &job->finished, diagnosis)) return out_of_memory(error);
    if (s->best != NULL && !answer_solution(s, diagnosis)) return out_of_memory(error);
    return CODE_OK;
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

/* The check's own pass where that is float64 in host memory, else one that is. Its memory is the arena's. */
static int take_pass(struct job *job, struct error *error)
{
    const struct backend *backend = backend_cpu(DTYPE_FLOAT64);
    job->pass = &job->report->pass;
    if (job->pass->backend == backend) return CODE_OK;
    struct pass *pass = arena_array(job->arena, 1, sizeof *pass);
    if (pass == NULL) return out_of_memory(error);
    job->pass = pass;
    return check_pass(job->arena, job->check, backend, pass, error);
}

/* The right numbers, and what was handed in. */
static int prepare(struct job *job, struct error *error)
{
    size_t n = job->check->network->parameter_count;
    int code = take_pass(job, error);
    if (code != CODE_OK) return code;
    job->observed = arena_array(job->arena, n, sizeof *job->observed);
    job->exchanged = arena_array(job->arena, n, sizeof *job->exchanged);
    job->diagnosis->found = arena_array(job->arena, FOUND_MAX, sizeof *job->diagnosis->found);
    bool room = job->observed != NULL && job->exchanged != NULL && job->diagnosis->found != NULL;
    return room && observe_all(job) ? CODE_OK : out_of_memory(error);
}

/* Whether there is anything to reproduce. */
static bool has_numbers(const struct job *job)
{
    for (size_t p = 0; p < job->check->network->parameter_count; p++)
        if (job->observed[p].failing && job->observed[p].values != NULL) return true;
    return false;
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
    double begun = clock_seconds();
    int code = prepare(&job, error);
    struct search *s = &job.search;
    s->arena = arena;
    s->network = check->network;
    s->pass = job.pass;
    s->parameters = check->parameters;
    s->observed = job.observed;
    s->deadline = begun + seconds;
    s->cancelled = check->cancelled;
    if (code == CODE_OK && has_numbers(&job)) code = diagnose(&job, error);
    return code;
}
