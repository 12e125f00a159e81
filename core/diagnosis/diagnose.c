#include "core/diagnosis/diagnose.h"

#include <math.h>

#include "core/base/clock.h"
#include "core/base/numbers.h"
#include "core/diagnosis/answer.h"
#include "core/diagnosis/carry.h"
#include "core/diagnosis/forward_wrong.h"
#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/line_search.h"
#include "core/diagnosis/nearly.h"
#include "core/diagnosis/prepare.h"
#include "core/diagnosis/sketch.h"
#include "core/diagnosis/start.h"
#include "core/diagnosis/suspects.h"
#include "core/diagnosis/sweep.h"
#include "core/diagnosis/written.h"

/* Three mistakes at once are searched only in networks up to so many parameters times samples. */
#define TRIPLES_MOST 1e5

struct job {
    struct arena *arena;
    const struct check *check;
    struct report *report;
    struct diagnosis *diagnosis;
    const struct pass *pass;   /* float64 on the CPU */
    struct observed *observed; /* what was handed in */
    struct whole_room room;
    struct search search;
    struct given_list given; /* for values on the way */
    struct forward_slip slip;
    struct whole finished;
};

/* ---- what was handed in ---- */

/* The layout inside of a tensor that has the shape of a view. False when memory is short. */
static bool import_tensor(struct arena *arena, const struct view *view, const double *from, const double **to)
{
    *to = from;
    if (view->same) return true;
    double *copy = arena_doubles(arena, view->size);
    if (copy == NULL) return false;
    view_import(view, from, copy);
    *to = copy;
    return true;
}

/* One number for all units of a bias. */
static bool repeat(struct arena *arena, size_t n, double number, const double **to)
{
    double *values = arena_doubles(arena, n);
    if (values == NULL) return false;
    for (size_t i = 0; i < n; i++)
        values[i] = number;
    *to = values;
    return true;
}

/* Whether there is one gradient for each sample of a weight, on an axis before all others. */
static bool is_stacked(const struct job *job, const struct graded *graded, const struct view *view,
                       const struct shape *shape)
{
    if (graded->slot == NULL || !graded->slot->product) return false;
    if (shape->rank != view->shape.rank + 1 || shape->dim[0] != job->search.network->batch) return false;
    for (size_t k = 0; k < view->shape.rank; k++)
        if (shape->dim[k + 1] != view->shape.dim[k]) return false;
    return true;
}

static const struct view *keep_view(struct arena *arena, const struct view *view)
{
    struct view *copy = arena_array(arena, 1, sizeof *copy);
    if (copy != NULL) *copy = *view;
    return copy;
}

/* The sum of the samples' gradients. */
static bool add_up(struct arena *arena, const struct view *view, const double *from, size_t count, const double **to)
{
    double *sum = arena_zeroed(arena, view->size, sizeof *sum);
    for (size_t i = 0; sum != NULL && i < count * view->size; i++)
        sum[i % view->size] += from[i];
    return sum != NULL && import_tensor(arena, view, sum, to);
}

/* One parameter's tensor in the layout inside, where it has the parameter's shape, its transpose, one axis, one number,
 * or a batch axis too much. False when memory is short. */
static bool observe(const struct job *job, size_t p, struct observed *o)
{
    const struct problem *problem = &job->check->problem;
    const struct entry *entry = &job->report->entries[p];
    const struct graded *graded = &problem->network->graded[p];
    const struct tensor *student = entry->submission != NULL ? entry->submission->tensor : NULL;
    struct view view = convention_graded(problem->convention, graded);
    *o = (struct observed){.failing = !entry->passed,
                           .absent = student == NULL,
                           .float32 = entry->of_float32,
                           .tolerance = entry->tolerance};
    if (entry_is_lost(entry)) {
        o->failing = false;
        o->absent = true;
    }
    if (entry->rounded) o->failing = false; /* right, to what was printed: answer_rounded tells of it */
    o->tolerance.atol += entry->printed.decimals > 0 ? printed_half_unit(&entry->printed, 1) : 0;
    o->tolerance.rtol += entry->printed.digits > 0 ? 0.5 * pow(10, 1 - entry->printed.digits) : 0;
    if (student == NULL || o->absent) return true;
    o->raw = student->data;
    if (view_accepts(&view, problem->loose, &student->shape))
        return import_tensor(job->arena, &view, student->data, &o->values);
    if (view.vector && student->size == 1) {
        o->one_number = true;
        return repeat(job->arena, view.size, student->data[0], &o->values);
    }
    if (view.vector) {
        struct view samples = convention_samples(problem->convention, &graded->node->output->shape);
        o->per_sample = shape_equal(&samples.shape, &student->shape);
        return !o->per_sample || import_tensor(job->arena, &samples, student->data, &o->values);
    }
    if (student->shape.rank == 1 && view.shape.rank == 2 && student->size == view.size) {
        o->flattened = o->transposed = true;
        o->turned = !view.same;
        o->values = student->data;
        return true;
    }
    if (is_stacked(job, graded, &view, &student->shape)) {
        o->transposed = true;
        o->stacked = keep_view(job->arena, &view);
        return o->stacked != NULL && add_up(job->arena, &view, student->data, job->search.network->batch, &o->values);
    }
    const size_t *dim = student->shape.dim;
    if (student->shape.rank != 2 || view.shape.rank != 2) return true;
    if (dim[0] != view.shape.dim[1] || dim[1] != view.shape.dim[0]) return true;
    o->transposed = true; /* values in the layout of the transpose of what is inside */
    const struct shape inside = shape_of(2, (size_t[]){view.inside->dim[1], view.inside->dim[0]});
    struct view turned = view;
    turned.inside = &inside;
    return import_tensor(job->arena, &turned, student->data, &o->values);
}

static bool observe_all(struct job *job)
{
    const struct network *network = job->check->problem.network;
    double squares = 0, largest = 0;
    bool whole = true;
    for (size_t p = 0; p < network->graded_count; p++) {
        struct observed *o = &job->observed[p];
        size_t n = network->graded[p].value->size;
        if (!observe(job, p, o)) return false;
        bool same_size = o->values != NULL && !o->per_sample;
        whole = whole && same_size;
        if (same_size) squares += numbers_dot(n, o->values, o->values);
        largest = fmax(largest, numbers_largest(n, job->pass->gradients[network->graded[p].value->index]));
    }
    struct matching matching = {.scale = largest, .clip = HUGE_VAL};
    for (size_t p = 0; p < network->graded_count; p++) {
        struct observed *o = &job->observed[p];
        size_t n = o->per_sample ? job->report->entries[p].submission->tensor->size : network->graded[p].value->size;
        o->bound = match_bound(&matching, o->tolerance, o->values != NULL ? numbers_largest(n, o->values) : 0);
    }
    job->search.matching = matching;
    const struct tolerance_rule *rule = &job->check->tolerance;
    job->search.within = rule->kind == TOLERANCE_PLAIN ? rule->plain : (struct tolerance){.atol = 1e-6};
    job->search.norm = whole ? sqrt(squares) : NAN;
    return true;
}

/* ---- the search ---- */

static bool is_over(const struct search *s)
{
    return s->best != NULL || s->stopped;
}

/* Whether what explains anything is a factor that nobody would have written down. */
static bool is_mere_constant(const struct search *s)
{
    if (s->best == NULL || s->best->distinct != 1 || s->best->mistakes[0] != &mistake_constant_factor) return false;
    return isnan(written_round(fabs(s->best->path[0].factor)));
}

/* Where nothing explains anything yet but a mere constant: what is one mistake, too, but none of a step of the backward
 * pass. False when memory is short. */
static bool look_at_causes(struct job *job)
{
    struct search *s = &job->search;
    if (job->finished.mistake != NULL || (s->best != NULL && !is_mere_constant(s))) return true;
    if (!nearly_find(s, job->check, job->report, &job->finished)) return false;
    if (job->finished.mistake != NULL) s->best = NULL;
    if (job->finished.mistake != NULL || s->best != NULL) return true;
    return forward_wrong_look(s, job->check, &job->given, job->diagnosis, &job->slip);
}

/* From what asks least to be believed: one mistake, one and a clipping, differences or an epsilon, one of the forward
 * pass, two, two and a clipping, one and an exchange of names, three, two and an exchange; and at last what explains
 * only some of the parameters. The first of them that explains anything ends the search. */
static void search(struct job *job)
{
    struct search *s = &job->search;
    double size = (double)s->network->parameter_elements * (double)s->network->batch;
    size_t most = size <= TRIPLES_MOST ? BUDGET_MAX : size <= 100 * TRIPLES_MOST ? 2 : 1;
    for (size_t budget = 1; budget <= most && !is_over(s); budget++) {
        start_run(s, budget, false);
        if (budget < BUDGET_MAX && !is_over(s)) whole_search_clipped(s, budget, &job->finished);
        if (budget == 1 && !s->stopped && !look_at_causes(job)) s->out_of_memory = s->stopped = true;
        if (job->slip.found || (job->finished.mistake != NULL && s->best == NULL)) return;
        if (budget < BUDGET_MAX && !is_over(s)) whole_search_norm(s, budget, &job->room, &job->finished);
        if (budget > 1 && !is_over(s)) whole_search_swapped(s, budget - 1, &job->room, &job->finished);
    }
    if (!is_over(s)) start_run(s, most < 2 ? 1 : 2, true);
    /* Two mistakes that explain all of it, too, are not claimed, but they are among the one's alternatives. */
    bool single = s->best != NULL && s->best->distinct == 1 && !s->now.partial && job->finished.mistake == NULL;
    if (single && !s->stopped && most == BUDGET_MAX && hypothesis_may_be_two(s->best)) start_run(s, 2, false);
}

/* Whether a mistake in the answer spoils it. */
static bool is_listed(const struct diagnosis *diagnosis, size_t p)
{
    for (size_t i = 0; i < diagnosis->count; i++)
        for (size_t k = 0; k < diagnosis->found[i].parameter_count; k++)
            if (diagnosis->found[i].parameters[k] == p) return true;
    return false;
}

/* Whether every failing parameter is one that a mistake spoils. Where numbers are large beside the tolerance, mere
 * rounding fails a parameter too, which fits the right gradient and belongs to no mistake. */
static bool lists_all(const struct job *job)
{
    const struct diagnosis *diagnosis = job->diagnosis;
    for (size_t p = 0; p < job->check->problem.network->graded_count; p++) {
        if (!job->report->entries[p].passed && !is_listed(diagnosis, p)) return false;
    }
    return true;
}

/* What is right to the digits that it was printed with, and whether all is accounted for. */
static int conclude(struct job *job, bool nothing_left, struct error *error)
{
    struct diagnosis *diagnosis = job->diagnosis;
    if (!answer_rounded(&job->search, job->report, diagnosis)) return error_out_of_memory(error);
    diagnosis->explained = diagnosis->count > 0 && nothing_left && lists_all(job);
    return CODE_OK;
}

static bool is_cancelled(const struct search *s)
{
    return s->cancelled != NULL && atomic_load(s->cancelled);
}

/* A pass ends early where nobody waits any more; else memory was short. */
static int gave_up(const struct search *s, struct error *error)
{
    return is_cancelled(s) ? error_set(error, CODE_CANCELLED, "the check was cancelled") : error_out_of_memory(error);
}

/* What else there is to say: a slip of the forward pass, where the slip may be, what only follows. */
static bool look_around(struct job *job)
{
    struct search *s = &job->search;
    return forward_wrong_find(s, job->check, &job->given, &job->slip, job->diagnosis) &&
           suspects_find(s, job->diagnosis) && carry_find(s, &job->finished, job->diagnosis);
}

/* Whether there is anything to reproduce. */
static bool has_numbers(const struct job *job)
{
    for (size_t p = 0; p < search_count(&job->search); p++) {
        const struct observed *o = &job->observed[p];
        for (size_t i = 0; o->failing && o->values != NULL && i < search_size(&job->search, p); i++)
            if (isfinite(o->values[i])) return true;
    }
    return false;
}

/* What may have been lost to float32, and no mistake explains, was: its numbers say nothing. What one does explain was
 * not. Whether there was any such tensor. */
static bool settle_lost(struct job *job)
{
    const struct search *s = &job->search;
    bool any = false;
    for (size_t p = 0; p < search_count(s); p++) {
        struct entry *entry = &job->report->entries[p];
        struct observed *o = &job->observed[p];
        if (entry->lost_perhaps == LOST_NOT || !o->failing) continue;
        bool finished = job->finished.mistake != NULL && s->best == NULL && job->finished.all;
        bool explained = finished || (s->best != NULL && s->best->matches[p].fit != FIT_NONE) || job->slip.found ||
                         is_listed(job->diagnosis, p);
        entry->lost = explained ? LOST_NOT : entry->lost_perhaps;
        if (explained) continue;
        any = true;
        o->failing = false;
        o->absent = true;
        sketch_observe(&job->search, p);
    }
    return any;
}

/* Where something nearer to the loss is wrong, and stays so, what it spoils was not lost. */
static void take_back_lost(struct job *job)
{
    const struct search *s = &job->search;
    for (size_t p = 0; p < search_count(s); p++) {
        struct entry *entry = &job->report->entries[p];
        if (entry->lost_perhaps == LOST_NOT || entry->lost == LOST_NOT) continue;
        for (size_t q = 0; q < search_count(s) && entry->lost != LOST_NOT; q++) {
            bool open = job->observed[q].failing && (s->best == NULL || s->best->matches[q].fit == FIT_NONE);
            const struct graded *at = &s->network->graded[p], *above = &s->network->graded[q];
            if (open && at->node != NULL && above->node != NULL && above->node->index > at->node->index)
                entry->lost = LOST_NOT;
        }
    }
}

/* Whether what explains anything explains all of it. */
static bool is_nothing_left(const struct job *job)
{
    const struct search *s = &job->search;
    if (s->best == NULL) return job->finished.mistake != NULL;
    for (size_t p = 0; p < search_count(s); p++)
        if (job->observed[p].failing && s->best->matches[p].fit == FIT_NONE) return false;
    return true;
}

/* Whether all that fails may be lost. */
static bool is_lost_perhaps(const struct job *job)
{
    for (size_t p = 0; p < job->check->problem.network->graded_count; p++)
        if (job->observed[p].failing && job->report->entries[p].lost_perhaps == LOST_NOT) return false;
    return true;
}

/* Searches; and once more without what was lost, where that is why nothing was found. */
static void search_all(struct job *job)
{
    struct search *s = &job->search;
    if (has_numbers(job)) search(job);
    if (is_mere_constant(s) && is_lost_perhaps(job)) s->best = NULL; /* float32 makes that, too */
    bool found = s->best != NULL || job->finished.mistake != NULL || job->slip.found;
    if (settle_lost(job) && !found && !s->stopped && has_numbers(job)) search(job);
    if (job->finished.mistake == NULL && !job->slip.found) take_back_lost(job);
}

/* Values on the way are lost where no mistake was found at all. */
static void settle_lost_on_the_way(struct job *job)
{
    bool found =
        job->search.best != NULL || job->finished.mistake != NULL || job->slip.found || job->diagnosis->count > 0;
    for (size_t i = 0; i < job->report->intermediate_count; i++) {
        struct entry *entry = &job->report->intermediates[i];
        if (entry->lost_perhaps != LOST_NOT) entry->lost = found ? LOST_NOT : entry->lost_perhaps;
    }
}

/* What is done to finished gradients and is told of a program, too. What else whole_read finds has a line there. */
static bool is_of_finished(const struct mistake *mistake)
{
    return mistake == &mistake_clipped || mistake == &mistake_low_precision || mistake == &mistake_rounded ||
           mistake == &mistake_learning_rate_applied || mistake == &mistake_updated_parameter ||
           mistake == &mistake_velocity;
}

static int diagnose_program(struct job *job, struct error *error)
{
    struct search *s = &job->search;
    struct diagnosis *diagnosis = job->diagnosis;
    if (!prepare_search(s) || !given_read(s, job->check, job->report, &job->given) ||
        !given_judge(s, job->check, &job->given, diagnosis))
        return gave_up(s, error);
    bool all = !s->stopped && whole_read(s, job->check, job->report, &job->finished);
    if (all && job->finished.mistake != NULL && !is_of_finished(job->finished.mistake)) {
        job->finished = (struct whole){0};
        all = false;
    }
    if (job->finished.mistake != NULL && !answer_finished(s, &job->finished, diagnosis))
        return error_out_of_memory(error);
    if (!line_search(s, job->report, all, diagnosis) || s->out_of_memory) return gave_up(s, error);
    settle_lost(job);
    settle_lost_on_the_way(job);
    if (is_cancelled(s)) return error_set(error, CODE_CANCELLED, "the check was cancelled");
    return conclude(job, diagnosis->explained || all, error);
}

static int diagnose(struct job *job, struct error *error)
{
    struct search *s = &job->search;
    struct diagnosis *diagnosis = job->diagnosis;
    if (!prepare_search(s) || !given_read(s, job->check, job->report, &job->given) ||
        !given_judge(s, job->check, &job->given, diagnosis))
        return gave_up(s, error);
    bool all = !s->stopped && whole_read(s, job->check, job->report, &job->finished);
    bool small = all && job->finished.mistake == &mistake_low_precision; /* a small epsilon looks like it */
    if (small && !nearly_find(s, job->check, job->report, &job->finished)) return gave_up(s, error);
    if (all) settle_lost(job);
    if (!all && !s->stopped) search_all(job);
    if (s->out_of_memory) return gave_up(s, error);
    settle_lost_on_the_way(job);
    bool nothing_left = is_nothing_left(job);
    diagnosis->stopped = s->stopped;
    if (is_cancelled(s)) return error_set(error, CODE_CANCELLED, "the check was cancelled");
    if (job->finished.mistake != NULL && !answer_finished(s, &job->finished, diagnosis))
        return error_out_of_memory(error);
    if (s->best != NULL && !answer_solution(s, diagnosis)) return error_out_of_memory(error);
    if (conclude(job, nothing_left, error) != CODE_OK) return error->code;
    if (!look_around(job)) return gave_up(s, error);
    diagnosis->stopped = s->stopped; /* there, too, time may have run out */
    return CODE_OK;
}

/* ---- how much room it takes ---- */

double diagnose_elements(const struct network *network)
{
    /* By edge five tensors, and with several at a value one more, and five for that (core/diagnosis/flow.c); a
     * parameter that is used once is but compared, with one. A copy of what was handed in, and what it was before it
     * was clipped, twice in both layouts. Some rooms serve all of them. */
    double elements = 0, largest = 0;
    for (size_t v = 0; v < network->graph.value_count; v++) {
        const struct value *value = network->graph.values[v];
        double uses = (double)value->use_count, size = (double)value->size;
        bool compared = value->kind == VALUE_PARAMETER && value->use_count == 1;
        elements += (compared ? 6 : value->use_count > 1 ? 6 * uses + 10 : 10) * size;
        largest = fmax(largest, size);
    }
    /* What stands by node, edge and value: the path, and lists of pointers. */
    double edges = 0, nodes = (double)network->graph.node_count;
    for (size_t i = 0; i < network->graph.node_count; i++)
        edges += (double)network->graph.nodes[i]->input_count;
    double choice = (double)sizeof(struct choice) / sizeof(double);
    return elements + suspects_elements(network) + 4 * sweep_elements(network) + 7 * largest +
           5 * (double)network->output->size + (choice + 32) * (3 * edges + 2 * nodes);
}

/* ---- all of it ---- */

/* Of what failed, that whose op comes last. */
static size_t first_wrong(const struct check *check, const struct report *report)
{
    const struct network *network = check->problem.network;
    size_t first = 0;
    bool any = false;
    for (size_t p = 0; p < network->graded_count; p++) {
        if (report->entries[p].passed) continue;
        bool data = network->graded[p].slot == NULL, first_is_data = any && network->graded[first].slot == NULL;
        bool later = any && !data && (first_is_data || network->graded[p].layer > network->graded[first].layer);
        if (any && !later) continue;
        any = true;
        first = p;
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
    if (pass == NULL) return error_out_of_memory(error);
    job->pass = pass;
    return problem_run(job->arena, &job->check->problem, backend, pass, error);
}

/* The right numbers, and what was handed in. */
static int prepare(struct job *job, struct error *error)
{
    size_t n = job->check->problem.network->graded_count;
    int code = take_pass(job, error);
    if (code != CODE_OK) return code;
    job->search.arena = job->arena;
    job->search.network = job->check->problem.network;
    job->search.pass = job->pass;
    job->observed = arena_array(job->arena, n, sizeof *job->observed);
    job->diagnosis->found = arena_array(job->arena, FOUND_MAX, sizeof *job->diagnosis->found);
    bool room = job->observed != NULL && job->diagnosis->found != NULL && whole_take_room(job->arena, n, &job->room);
    return room && observe_all(job) ? CODE_OK : error_out_of_memory(error);
}

int diagnose_run(struct arena *arena, const struct check *check, struct report *report, double seconds,
                 struct diagnosis *diagnosis, struct error *error)
{
    bool program = check->problem.network->program != NULL;
    *diagnosis = (struct diagnosis){.first_wrong = program ? line_first_wrong(check->problem.network, report)
                                                           : first_wrong(check, report)};
    if (!(seconds > 0)) {
        diagnosis->stopped = true;
        return CODE_OK;
    }
    struct job job = {.arena = arena, .check = check, .report = report, .diagnosis = diagnosis};
    double begun = clock_thread_seconds();
    int code = prepare(&job, error);
    struct search *s = &job.search;
    s->observed = job.observed;
    s->deadline = begun + seconds;
    s->cancelled = check->problem.cancelled;
    if (code == CODE_OK)
        code = program             ? diagnose_program(&job, error)
               : has_numbers(&job) ? diagnose(&job, error)
                                   : conclude(&job, true, error);
    return code;
}
