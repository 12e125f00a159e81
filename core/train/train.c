#include "core/train/train.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"

/* How a prediction is told right or wrong. */
enum judging { JUDGED_NOT, JUDGED_BY_THRESHOLD, JUDGED_BY_ARGMAX };

/* How far the sum of a row of probabilities may be off 1. */
#define ROW_SUM_PRECISION 1e-6

struct run {
    const struct training *training;
    struct arena *arena;
    const struct problem *problem;
    struct network batch_network, rest_network; /* of batch_size samples, and of what remains */
    struct pass whole, rest;                    /* over these */
    size_t remaining;                           /* samples of the last, smaller batch; 0 where there is none */
    void *data;                                 /* the backend's: all samples of all data, one after the other; */
    size_t *data_at;                            /* by value of the graph: where its begin */
    void *first, *second, *kept;                /* the backend's: state; parameters to go back to */
    struct vitals *vitals;
    struct curve *curve;
    enum judging judging;
    double threshold;
    double *outputs; /* host, of one batch */
    size_t steps, path_points;
    double told; /* when progress was last called */
};

static int out_of_memory(struct error *error)
{
    error_set(error, CODE_OUT_OF_MEMORY, "the network, its data and its curve do not fit into memory");
    return CODE_OUT_OF_MEMORY;
}

static size_t output_size(const struct run *run)
{
    return network_sample_size(run->problem->network, run->problem->network->output);
}

static const double *targets(const struct run *run)
{
    return problem_given(run->problem, run->problem->network->target);
}

/* ---- accuracy ---- */

/* A threshold for one output where every target is 0 or 1; the largest output where every target is a row of
 * probabilities (classes are one-hot); else there is no accuracy. */
static enum judging how_to_judge(const struct run *run)
{
    const struct network *network = run->problem->network;
    size_t width = output_size(run);
    enum target target = network->loss->op->target;
    if (network->output->shape.rank > 2 || target == TARGET_UPSTREAM) return JUDGED_NOT;
    if (target != TARGET_LIKE_OUTPUT && width == 1) return JUDGED_NOT;
    for (size_t i = 0; i < network->batch; i++) {
        const double *row = targets(run) + i * width;
        double sum = 0;
        for (size_t j = 0; j < width; j++) {
            if (row[j] < 0 || row[j] > 1 || (width == 1 && row[j] > 0 && row[j] < 1)) return JUDGED_NOT;
            sum += row[j];
        }
        if (width > 1 && !(fabs(sum - 1) <= ROW_SUM_PRECISION)) return JUDGED_NOT;
    }
    return width == 1 ? JUDGED_BY_THRESHOLD : JUDGED_BY_ARGMAX;
}

static size_t largest_of(size_t n, const double *row)
{
    size_t at = 0;
    for (size_t j = 1; j < n; j++)
        if (row[j] > row[at]) at = j;
    return at;
}

static size_t count_right(const struct run *run, size_t samples, const double *outputs, const double *target)
{
    size_t width = output_size(run), right = 0;
    for (size_t i = 0; run->judging == JUDGED_BY_THRESHOLD && i < samples; i++)
        right += (outputs[i] > run->threshold) == (target[i] > 0.5);
    for (size_t i = 0; run->judging == JUDGED_BY_ARGMAX && i < samples; i++)
        right += largest_of(width, outputs + i * width) == largest_of(width, target + i * width);
    return right;
}

/* The accuracy of always giving the most frequent answer; counts: room for one number per output. */
static double majority_of(const struct run *run, double *counts)
{
    const double *target = targets(run);
    size_t width = output_size(run), samples = run->problem->network->batch;
    memset(counts, 0, width * sizeof *counts);
    for (size_t i = 0; i < samples; i++)
        counts[run->judging == JUDGED_BY_ARGMAX ? largest_of(width, target + i * width) : 0] +=
            run->judging == JUDGED_BY_ARGMAX ? 1 : target[i];
    double most = counts[largest_of(width, counts)] / (double)samples;
    return run->judging == JUDGED_BY_THRESHOLD && most < 0.5 ? 1 - most : most;
}

/* ---- batches ---- */

static void *offset(const struct run *run, void *memory, size_t elements)
{
    return (char *)memory + elements * run->problem->backend->element_size;
}

/* Samples of a pass. */
static size_t batch_of(const struct run *run, const struct pass *pass)
{
    return pass == &run->whole ? run->batch_network.batch : run->rest_network.batch;
}

/* What its network predicts. */
static const struct value *output_of(const struct run *run, const struct pass *pass)
{
    return pass == &run->whole ? run->batch_network.output : run->rest_network.output;
}

/* The pass over the batch that begins at that sample. */
static struct pass *batch_at(struct run *run, size_t start)
{
    size_t samples = run->problem->network->batch, batch_size = run->training->batch_size;
    struct pass *pass = samples - start >= batch_size ? &run->whole : &run->rest;
    for (size_t v = 0; batch_size < samples && v < pass->graph->value_count; v++) {
        const struct value *all = run->problem->network->graph.values[v];
        if (all->kind != VALUE_DATA) continue;
        pass_place(pass, pass->graph->values[v],
                   offset(run, run->data, run->data_at[v] + start * (all->size / samples)));
    }
    return pass;
}

/* What one epoch, or the last look, adds up to. */
struct tally {
    double loss;  /* of batches, weighted by their samples */
    size_t right; /* samples */
};

/* judged: the predictions are wanted, too, which costs a copy. */
static int forward(struct run *run, struct pass *pass, size_t start, bool judged, struct tally *tally,
                   struct error *error)
{
    size_t samples = batch_of(run, pass), width = output_size(run);
    if (pass_forward(pass, error) != CODE_OK) return error->code;
    tally->loss += pass->loss * (double)samples;
    if (!judged || run->judging == JUDGED_NOT) return CODE_OK;
    if (pass_read(pass, output_of(run, pass), run->outputs, error) != CODE_OK) return error->code;
    tally->right += count_right(run, samples, run->outputs, targets(run) + start * width);
    return CODE_OK;
}

static int step(struct run *run, struct pass *pass, struct error *error)
{
    const struct optimizer *optimizer = &run->training->optimizer;
    struct update update;
    optimizer->type->step(optimizer->attributes, ++run->steps, &update);
    if (pass->block == 0) return CODE_OK;
    return backend_error(pass->backend,
                         pass->backend->update(&update, pass->block, pass->parameter_gradients, pass->parameters,
                                               run->first, run->second),
                         error);
}

/* ---- epochs ---- */

static int record(struct run *run, const struct pass *pass, size_t epoch, const struct tally *tally,
                  struct error *error)
{
    struct curve *curve = run->curve;
    const struct network *network = run->problem->network;
    double samples = (double)network->batch;
    size_t at = curve->count++;
    curve->epochs[at] = epoch;
    curve->loss[at] = tally->loss / samples;
    if (curve->accuracy != NULL) curve->accuracy[at] = (double)tally->right / samples;
    int code = CODE_OK;
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++) {
        double squares = 0;
        const struct value *value = network->graded[p].value;
        const void *gradient = pass->gradients[value->index];
        code = pass->backend->dot(value->size, gradient, gradient, &squares);
        curve->norms[p][at] = sqrt(squares);
    }
    return backend_error(pass->backend, code, error);
}

/* The next point of the path: the parameters as they are. */
static int add_to_path(struct run *run, struct error *error)
{
    const struct network *network = run->problem->network;
    if (run->training->path == NULL) return CODE_OK;
    double *to = run->training->path + run->path_points++ * network->parameter_elements;
    for (size_t p = 0; p < network->parameter_count; to += network->graded[p++].value->size)
        if (pass_read(&run->whole, run->batch_network.graded[p].value, to, error) != CODE_OK) return error->code;
    return CODE_OK;
}

static int run_epoch(struct run *run, size_t epoch, struct error *error)
{
    const struct training *t = run->training;
    bool recorded = epoch % t->record_every == 0;
    struct tally tally = {0, 0};
    size_t samples = run->problem->network->batch;
    struct pass *pass = NULL;
    for (size_t start = 0; start < samples; start += batch_of(run, pass)) {
        pass = batch_at(run, start);
        int code = forward(run, pass, start, recorded, &tally, error);
        /* Where the run diverges later in this epoch or in the next forward, it ends with these. */
        if (code == CODE_OK && start == 0 && pass->block > 0)
            code = backend_error(pass->backend, pass->backend->axpby(pass->block, 1, pass->parameters, 0, run->kept),
                                 error);
        bool last = start + batch_of(run, pass) >= samples;
        if (code == CODE_OK && recorded)
            code = backend_error(pass->backend,
                                 vitals_look(run->vitals, pass, batch_of(run, pass), epoch, start == 0, last), error);
        if (code == CODE_OK) code = pass_backward(pass, error);
        /* Before the update: the point belongs to the parameters that made its loss. */
        if (code == CODE_OK && recorded && last) code = record(run, pass, epoch, &tally, error);
        if (code == CODE_OK && recorded && last) code = add_to_path(run, error);
        if (code == CODE_OK) code = step(run, pass, error);
        if (code != CODE_OK) return code;
    }
    return CODE_OK;
}

static void judge(struct run *run, struct trained *trained)
{
    trained->remarks = symptoms_judge(run->vitals, run->curve, &trained->health);
}

static void tell(struct run *run, struct trained *trained)
{
    const struct training *t = run->training;
    double time = clock_seconds();
    if (run->curve->count > 1 && time - run->told < t->progress_seconds) return;
    run->told = time;
    judge(run, trained);
    t->progress(t->context, trained);
}

/* Loss, accuracy and predictions of the parameters as they are. */
static int look_at_end(struct run *run, struct trained *trained, struct error *error)
{
    struct tally tally = {0, 0};
    size_t width = output_size(run), samples = run->problem->network->batch;
    struct pass *pass = NULL;
    for (size_t start = 0; start < samples; start += batch_of(run, pass)) {
        pass = batch_at(run, start);
        int code = forward(run, pass, start, true, &tally, error);
        if (code == CODE_OK) code = pass_read(pass, output_of(run, pass), trained->predictions + start * width, error);
        if (code != CODE_OK) return code;
    }
    trained->loss = tally.loss / (double)samples;
    trained->accuracy = run->judging != JUDGED_NOT ? (double)tally.right / (double)samples : NAN;
    return CODE_OK;
}

/* Ends the curve at its last finite loss and goes back to the parameters that made it. */
static int diverge(struct run *run, size_t epoch, struct error *error)
{
    run->curve->diverged = true;
    run->curve->diverged_at = epoch;
    *error = (struct error){0};
    if (run->whole.block == 0) return CODE_OK;
    return backend_error(run->whole.backend,
                         run->whole.backend->axpby(run->whole.block, 1, run->kept, 0, run->whole.parameters), error);
}

static int run_epochs(struct run *run, struct trained *trained, struct error *error)
{
    const struct training *t = run->training;
    for (size_t epoch = 0; epoch < t->epochs; epoch++) {
        int code = run_epoch(run, epoch, error);
        if (code == CODE_NOT_FINITE && run->steps > 0) {
            if (diverge(run, epoch, error) != CODE_OK) return error->code;
            break;
        }
        if (code != CODE_OK) return code;
        if (t->progress != NULL && epoch % t->record_every == 0) tell(run, trained);
    }
    int code = look_at_end(run, trained, error);
    if (code == CODE_NOT_FINITE && !run->curve->diverged) { /* the last update of all was the one too many */
        if (diverge(run, t->epochs, error) != CODE_OK) return error->code;
        code = look_at_end(run, trained, error);
    }
    if (code != CODE_NOT_FINITE) return code;
    /* Of several batches the first may be finite and another not. */
    trained->loss = trained->accuracy = NAN;
    *error = (struct error){0};
    return CODE_OK;
}

/* ---- before the first epoch ---- */

size_t train_points(size_t epochs, size_t record_every)
{
    return (epochs - 1) / record_every + 1;
}

double train_work(const struct training *t)
{
    const struct network *network = t->problem.network;
    double batches = ceil((double)network->batch / (double)t->batch_size);
    /* An update takes some ten operations on every parameter; the last look is less than one epoch more. */
    double epoch = network->work + 10 * batches * (double)network->parameter_elements;
    return ((double)t->epochs + 1) * epoch;
}

/* So many elements of the backend's memory, all `value`: a few from the host, and twice as many with each copy. On a
 * device every upload waits for it. */
static int allocate_filled(struct run *run, size_t n, double value, void **memory, struct error *error)
{
    enum { CHUNK = 512 };
    const struct backend *backend = run->problem->backend;
    double chunk[CHUNK];
    for (size_t i = 0; i < CHUNK; i++)
        chunk[i] = value;
    int code = backend->allocate(run->arena, n > 0 ? n : 1, memory);
    size_t filled = n < CHUNK ? n : CHUNK;
    if (code == CODE_OK) code = backend->upload(filled, chunk, *memory);
    for (size_t m; code == CODE_OK && filled < n; filled += m) {
        m = n - filled < filled ? n - filled : filled;
        code = backend->axpby(m, 1, *memory, 0, offset(run, *memory, filled));
    }
    return code == CODE_OK              ? CODE_OK
           : code == CODE_OUT_OF_MEMORY ? out_of_memory(error)
                                        : backend_error(backend, code, error);
}

static int allocate_state(struct run *run, struct error *error)
{
    const struct optimizer *o = &run->training->optimizer;
    size_t n = run->whole.block;
    double begins = optimizer_second_begins(o);
    int code = allocate_filled(run, n, 0, &run->kept, error);
    struct update update;
    o->type->step(o->attributes, 1, &update);
    run->first = run->second = run->kept; /* where a rule has no state of its own */
    if (code == CODE_OK && update.uses_first) code = allocate_filled(run, n, 0, &run->first, error);
    if (code == CODE_OK && update.uses_second) code = allocate_filled(run, n, begins, &run->second, error);
    return code;
}

/* The padding between parameters takes part in updates: zeros, with zero gradients. */
static int clear_padding(struct run *run, struct error *error)
{
    struct pass *pass = &run->whole;
    if (pass->block == 0) return CODE_OK;
    int code = pass->backend->axpby(pass->block, 1, run->kept, 0, pass->parameters);
    if (code == CODE_OK) code = pass->backend->axpby(pass->block, 1, run->kept, 0, pass->parameter_gradients);
    return backend_error(run->problem->backend, code, error);
}

static int load(struct run *run, struct error *error)
{
    const struct problem *problem = run->problem;
    const struct graph *all = &problem->network->graph, *graph = &run->batch_network.graph;
    size_t elements = 0;
    run->data_at = arena_array(run->arena, all->value_count, sizeof *run->data_at);
    if (run->data_at == NULL) return out_of_memory(error);
    for (size_t v = 0; v < all->value_count; v++) {
        run->data_at[v] = elements;
        if (all->values[v]->kind == VALUE_DATA) elements += all->values[v]->size;
    }
    int code = problem->backend->allocate(run->arena, elements, &run->data);
    if (code == CODE_OUT_OF_MEMORY) return out_of_memory(error);
    for (size_t v = 0; code == CODE_OK && v < all->value_count; v++) {
        const struct value *value = all->values[v];
        if (value->kind != VALUE_DATA) continue;
        void *memory = offset(run, run->data, run->data_at[v]);
        code = problem->backend->upload(value->size, problem_given(problem, value), memory);
        pass_place(&run->whole, graph->values[v], memory);
    }
    if (code != CODE_OK) return backend_error(problem->backend, code, error);
    for (size_t v = 0; code == CODE_OK && v < graph->value_count; v++)
        if (graph->values[v]->kind == VALUE_PARAMETER)
            code = pass_set(&run->whole, graph->values[v], problem_given(problem, all->values[v]), error);
    return code;
}

static bool make_curve(struct run *run, struct curve *curve)
{
    const struct training *t = run->training;
    size_t most = train_points(t->epochs, t->record_every), parameters = run->problem->network->parameter_count;
    *curve = (struct curve){0};
    curve->epochs = arena_array(run->arena, most, sizeof *curve->epochs);
    curve->loss = arena_doubles(run->arena, most);
    curve->norms = arena_array(run->arena, parameters, sizeof *curve->norms);
    if (run->judging != JUDGED_NOT && (curve->accuracy = arena_doubles(run->arena, most)) == NULL) return false;
    if (curve->epochs == NULL || curve->loss == NULL || curve->norms == NULL) return false;
    for (size_t p = 0; p < parameters; p++)
        if ((curve->norms[p] = arena_doubles(run->arena, most)) == NULL) return false;
    return true;
}

/* The network for batches of so many samples, and a pass over it. A program is of all its data, which is its only
 * batch. */
static int make_pass(struct run *run, size_t samples, struct network *network, struct pass *pass, struct error *error)
{
    int code = CODE_OK;
    if (run->problem->network->program != NULL)
        *network = *run->problem->network;
    else
        code = network_build(run->arena, run->problem->network->definition, samples, network, error);
    if (code == CODE_OK) code = pass_new(run->arena, &network->graph, run->problem->backend, pass, error);
    pass->cancelled = run->problem->cancelled;
    return code;
}

static bool take_room(struct run *run, struct trained *trained)
{
    const struct network *network = run->problem->network;
    size_t width = output_size(run);
    run->outputs = arena_array(run->arena, run->training->batch_size, width * sizeof(double));
    trained->predictions = arena_array(run->arena, network->batch, width * sizeof(double));
    trained->parameters = arena_array(run->arena, network->parameter_count, sizeof *trained->parameters);
    if (run->outputs == NULL || trained->predictions == NULL || trained->parameters == NULL) return false;
    for (size_t p = 0; p < network->parameter_count; p++)
        if ((trained->parameters[p] = arena_doubles(run->arena, network->graded[p].value->size)) == NULL) return false;
    for (size_t i = 0; i < network->batch * width; i++)
        trained->predictions[i] = NAN; /* what a last look that ends early leaves out */
    return make_curve(run, &trained->curve);
}

static int prepare(struct run *run, struct trained *trained, struct error *error)
{
    const struct training *t = run->training;
    const struct node *loss = run->problem->network->loss;
    /* A logit of 0 is a probability of 1/2. */
    run->threshold = loss_takes_logits(loss->op, loss->attributes) ? 0 : 0.5;
    run->judging = how_to_judge(run);
    run->remaining = run->problem->network->batch % t->batch_size;
    run->curve = &trained->curve;
    if (!take_room(run, trained)) return out_of_memory(error);
    if (run->judging != JUDGED_NOT) trained->curve.majority = majority_of(run, run->outputs);
    int code = make_pass(run, t->batch_size, &run->batch_network, &run->whole, error);
    if (code == CODE_OK && run->remaining > 0)
        code = make_pass(run, run->remaining, &run->rest_network, &run->rest, error);
    if (code != CODE_OK) return code;
    run->vitals = vitals_new(run->arena, &run->batch_network, run->problem->given);
    if (run->vitals == NULL) return out_of_memory(error);
    code = allocate_state(run, error);
    if (code == CODE_OK) code = clear_padding(run, error);
    if (code == CODE_OK) code = load(run, error);
    if (code == CODE_OK && run->remaining > 0) pass_share(&run->rest, &run->whole);
    return code;
}

static void release(struct run *run)
{
    const struct backend *backend = run->problem->backend;
    pass_free(&run->whole);
    if (run->rest.backend != NULL) pass_free(&run->rest);
    if (run->first != NULL && run->first != run->kept) backend->release(run->first);
    if (run->second != NULL && run->second != run->kept) backend->release(run->second);
    if (run->kept != NULL) backend->release(run->kept);
    if (run->data != NULL) backend->release(run->data);
}

int train_run(struct arena *arena, const struct training *training, struct trained *trained, struct error *error)
{
    struct run run = {.training = training, .problem = &training->problem, .arena = arena};
    *trained = (struct trained){.accuracy = NAN};
    int code = prepare(&run, trained, error);
    if (code == CODE_OK) code = run_epochs(&run, trained, error);
    for (size_t p = 0; code == CODE_OK && p < run.batch_network.parameter_count; p++)
        code = pass_read(&run.whole, run.batch_network.graded[p].value, trained->parameters[p], error);
    if (code == CODE_OK) code = add_to_path(&run, error);
    if (code == CODE_OK) judge(&run, trained);
    trained->path_points = run.path_points;
    release(&run);
    return code;
}

int train_outputs(struct arena *arena, const struct training *training, double *const *parameters, size_t samples,
                  const double *x, double *outputs, struct error *error)
{
    const struct problem *problem = &training->problem;
    size_t at_once = samples < TRAIN_OUTPUTS_AT_ONCE ? samples : TRAIN_OUTPUTS_AT_ONCE;
    struct run run = {.training = training, .problem = problem, .arena = arena};
    struct network *network = &run.batch_network;
    struct pass *pass = &run.whole;
    int code = make_pass(&run, at_once, network, pass, error);
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++)
        code = pass_set(pass, network->graded[p].value, parameters[p], error);
    size_t in = code == CODE_OK ? network_sample_size(network, network->feeds[0]) : 0, out = output_size(&run);
    for (size_t start = 0; code == CODE_OK && start < samples; start += at_once) {
        size_t n = samples - start < at_once ? samples - start : at_once;
        code = problem->backend->upload(n * in, x + start * in, pass->values[network->feeds[0]->index]);
        if (code == CODE_OK) code = pass_outputs(pass, error); /* the last one's rest is what stood there before */
        if (code == CODE_OK)
            code = problem->backend->download(n * out, pass->values[network->output->index], outputs + start * out);
        backend_error(problem->backend, code, error);
    }
    pass_free(pass);
    return code;
}
