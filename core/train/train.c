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
    struct pass whole, rest;            /* of batch_size samples, and of what remains */
    size_t remaining;                   /* samples of the last, smaller batch; 0 where there is none */
    void *data, *first, *second, *kept; /* the backend's: all samples and targets; state; parameters to go back to */
    struct vitals *vitals;
    struct curve *curve;
    enum judging judging;
    double threshold;
    double *outputs; /* host, of one batch */
    size_t steps;
    double told; /* when progress was last called */
};

static int out_of_memory(struct error *error)
{
    error_set(error, CODE_OUT_OF_MEMORY, "the network, its data and its curve do not fit into memory");
    return CODE_OUT_OF_MEMORY;
}

static size_t output_size(const struct run *run)
{
    return network_output(run->training->network)->out_size;
}

/* ---- accuracy ---- */

/* A threshold for one output where every target is 0 or 1; the largest output where every target is a row of
 * probabilities (classes are one-hot); else there is no accuracy. */
static enum judging how_to_judge(const struct training *t)
{
    const struct node *output = network_output(t->network);
    size_t width = output->out_size;
    bool classes = t->network->definition->loss.op->target != TARGET_LIKE_OUTPUT;
    if (output->out.rank > 1 || (classes && width == 1)) return JUDGED_NOT;
    for (size_t i = 0; i < t->samples; i++) {
        const double *row = t->target + i * width;
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
    const struct training *t = run->training;
    size_t width = output_size(run);
    memset(counts, 0, width * sizeof *counts);
    for (size_t i = 0; i < t->samples; i++)
        counts[run->judging == JUDGED_BY_ARGMAX ? largest_of(width, t->target + i * width) : 0] +=
            run->judging == JUDGED_BY_ARGMAX ? 1 : t->target[i];
    double most = counts[largest_of(width, counts)] / (double)t->samples;
    return run->judging == JUDGED_BY_THRESHOLD && most < 0.5 ? 1 - most : most;
}

/* ---- batches ---- */

static void *offset(const struct run *run, void *memory, size_t elements)
{
    return (char *)memory + elements * run->training->backend->element_size;
}

/* The pass over the batch that begins at that sample. */
static struct pass *batch_at(struct run *run, size_t start)
{
    const struct training *t = run->training;
    struct pass *pass = t->samples - start >= t->batch_size ? &run->whole : &run->rest;
    if (t->batch_size < t->samples)
        pass_use_data(pass, offset(run, run->data, start * t->network->input_size),
                      offset(run, run->data, t->samples * t->network->input_size + start * output_size(run)));
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
    const struct training *t = run->training;
    if (pass_forward(pass, error) != CODE_OK) return error->code;
    tally->loss += pass->loss * (double)pass->batch;
    if (!judged || run->judging == JUDGED_NOT) return CODE_OK;
    const void *outputs = pass->y[t->network->node_count - 1];
    size_t width = output_size(run);
    if (pass_read(pass, outputs, pass->batch * width, run->outputs, error) != CODE_OK) return error->code;
    tally->right += count_right(run, pass->batch, run->outputs, t->target + start * width);
    return CODE_OK;
}

static int step(struct run *run, struct pass *pass, struct error *error)
{
    const struct optimizer *optimizer = &run->training->optimizer;
    struct update update;
    optimizer->type->step(optimizer->attributes, ++run->steps, &update);
    if (pass->block == 0) return CODE_OK;
    return backend_error(
        pass->backend,
        pass->backend->update(&update, pass->block, pass->gradients[0], pass->parameters[0], run->first, run->second),
        error);
}

/* ---- epochs ---- */

static int record(struct run *run, const struct pass *pass, size_t epoch, const struct tally *tally,
                  struct error *error)
{
    struct curve *curve = run->curve;
    const struct network *network = run->training->network;
    double samples = (double)run->training->samples;
    size_t at = curve->count++;
    curve->epochs[at] = epoch;
    curve->loss[at] = tally->loss / samples;
    if (curve->accuracy != NULL) curve->accuracy[at] = (double)tally->right / samples;
    int code = CODE_OK;
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++) {
        double squares = 0;
        code = pass->backend->dot(network->parameters[p].size, pass->gradients[p], pass->gradients[p], &squares);
        curve->norms[p][at] = sqrt(squares);
    }
    return backend_error(pass->backend, code, error);
}

static int run_epoch(struct run *run, size_t epoch, struct error *error)
{
    const struct training *t = run->training;
    bool recorded = epoch % t->record_every == 0;
    struct tally tally = {0, 0};
    struct pass *pass = NULL;
    for (size_t start = 0; start < t->samples; start += pass->batch) {
        pass = batch_at(run, start);
        int code = forward(run, pass, start, recorded, &tally, error);
        /* Where the run diverges later in this epoch or in the next forward, it ends with these. */
        if (code == CODE_OK && start == 0 && pass->block > 0)
            code = backend_error(pass->backend, pass->backend->axpby(pass->block, 1, pass->parameters[0], 0, run->kept),
                                 error);
        bool last = start + pass->batch >= t->samples;
        if (code == CODE_OK && recorded)
            code = backend_error(pass->backend, vitals_look(run->vitals, pass, epoch, start == 0, last), error);
        if (code == CODE_OK) code = pass_backward(pass, error);
        /* Before the update: the point belongs to the parameters that made its loss. */
        if (code == CODE_OK && recorded && last) code = record(run, pass, epoch, &tally, error);
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
    const struct training *t = run->training;
    struct tally tally = {0, 0};
    size_t width = output_size(run);
    struct pass *pass = NULL;
    for (size_t start = 0; start < t->samples; start += pass->batch) {
        pass = batch_at(run, start);
        int code = forward(run, pass, start, true, &tally, error);
        if (code == CODE_OK)
            code = pass_read(pass, pass->y[t->network->node_count - 1], pass->batch * width,
                             trained->predictions + start * width, error);
        if (code != CODE_OK) return code;
    }
    trained->loss = tally.loss / (double)t->samples;
    trained->accuracy = run->judging != JUDGED_NOT ? (double)tally.right / (double)t->samples : NAN;
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
                         run->whole.backend->axpby(run->whole.block, 1, run->kept, 0, run->whole.parameters[0]), error);
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
    const struct network *network = t->network;
    double batches = ceil((double)t->samples / (double)t->batch_size);
    /* An update takes some ten operations on every parameter; the last look is less than one epoch more. */
    double epoch = network->work * (double)t->samples + 10 * batches * (double)network->parameter_elements;
    return ((double)t->epochs + 1) * epoch;
}

/* So many elements of the backend's memory, all `value`: a few from the host, and twice as many with each copy. On a
 * device every upload waits for it. */
static int allocate_filled(struct run *run, size_t n, double value, void **memory, struct error *error)
{
    enum { CHUNK = 512 };
    const struct backend *backend = run->training->backend;
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
    double begins = o->type->second_begins != NULL ? o->type->second_begins(o->attributes) : 0;
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
    int code = pass->backend->axpby(pass->block, 1, run->kept, 0, pass->parameters[0]);
    if (code == CODE_OK) code = pass->backend->axpby(pass->block, 1, run->kept, 0, pass->gradients[0]);
    return backend_error(run->training->backend, code, error);
}

static int load(struct run *run, struct error *error)
{
    const struct training *t = run->training;
    size_t inputs = t->samples * t->network->input_size, outputs = t->samples * output_size(run);
    int code = t->backend->allocate(run->arena, inputs + outputs, &run->data);
    if (code == CODE_OUT_OF_MEMORY) return out_of_memory(error);
    if (code == CODE_OK) code = t->backend->upload(inputs, t->x, run->data);
    if (code == CODE_OK) code = t->backend->upload(outputs, t->target, offset(run, run->data, inputs));
    if (code != CODE_OK) return backend_error(run->training->backend, code, error);
    pass_use_data(&run->whole, run->data, offset(run, run->data, inputs));
    for (size_t p = 0; code == CODE_OK && p < t->network->parameter_count; p++)
        code = pass_set_parameter(&run->whole, p, t->parameters[p], error);
    return code;
}

static bool make_curve(struct run *run, struct curve *curve)
{
    const struct training *t = run->training;
    size_t most = train_points(t->epochs, t->record_every), parameters = t->network->parameter_count;
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

static int prepare(struct run *run, struct trained *trained, struct error *error)
{
    const struct training *t = run->training;
    const struct network *network = t->network;
    run->judging = how_to_judge(t);
    run->threshold = network->definition->loss.op->loss == LOSS_bce_with_logits ? 0 : 0.5; /* a logit of 0 is 1/2 */
    run->remaining = t->samples % t->batch_size;
    run->vitals = vitals_new(run->arena, network);
    run->curve = &trained->curve;
    run->outputs = arena_array(run->arena, t->batch_size, output_size(run) * sizeof(double));
    trained->predictions = arena_array(run->arena, t->samples, output_size(run) * sizeof(double));
    trained->parameters = arena_array(run->arena, network->parameter_count, sizeof *trained->parameters);
    if (run->vitals == NULL || run->outputs == NULL || trained->predictions == NULL || trained->parameters == NULL ||
        !make_curve(run, &trained->curve))
        return out_of_memory(error);
    if (run->judging != JUDGED_NOT) trained->curve.majority = majority_of(run, run->outputs);
    for (size_t i = 0; i < t->samples * output_size(run); i++)
        trained->predictions[i] = NAN; /* what a last look that ends early leaves out */
    for (size_t p = 0; p < network->parameter_count; p++)
        if ((trained->parameters[p] = arena_doubles(run->arena, network->parameters[p].size)) == NULL)
            return out_of_memory(error);
    int code = pass_new(run->arena, network, t->backend, t->batch_size, &run->whole, error);
    if (code == CODE_OK && run->remaining > 0)
        code = pass_new(run->arena, network, t->backend, run->remaining, &run->rest, error);
    if (code == CODE_OK) code = allocate_state(run, error);
    if (code == CODE_OK) code = clear_padding(run, error);
    if (code == CODE_OK) code = load(run, error);
    if (code == CODE_OK && run->remaining > 0) pass_share(&run->rest, &run->whole);
    run->whole.cancelled = run->rest.cancelled = t->cancelled;
    return code;
}

static void release(struct run *run)
{
    const struct backend *backend = run->training->backend;
    pass_free(&run->whole);
    if (run->rest.backend != NULL) pass_free(&run->rest);
    if (run->first != NULL && run->first != run->kept) backend->release(run->first);
    if (run->second != NULL && run->second != run->kept) backend->release(run->second);
    if (run->kept != NULL) backend->release(run->kept);
    if (run->data != NULL) backend->release(run->data);
}

int train_run(struct arena *arena, const struct training *training, struct trained *trained, struct error *error)
{
    struct run run = {.training = training, .arena = arena};
    *trained = (struct trained){.accuracy = NAN};
    int code = prepare(&run, trained, error);
    if (code == CODE_OK) code = run_epochs(&run, trained, error);
    for (size_t p = 0; code == CODE_OK && p < training->network->parameter_count; p++)
        code = pass_read(&run.whole, run.whole.parameters[p], training->network->parameters[p].size,
                         trained->parameters[p], error);
    if (code == CODE_OK) judge(&run, trained);
    release(&run);
    return code;
}

int train_outputs(struct arena *arena, const struct training *training, double *const *parameters, size_t samples,
                  const double *x, double *outputs, struct error *error)
{
    const struct network *network = training->network;
    size_t width = network_output(network)->out_size, at_once = samples;
    if (at_once > TRAIN_OUTPUTS_AT_ONCE) at_once = TRAIN_OUTPUTS_AT_ONCE;
    struct pass pass;
    int code = pass_new(arena, network, training->backend, at_once, &pass, error);
    pass.cancelled = training->cancelled;
    for (size_t p = 0; code == CODE_OK && p < network->parameter_count; p++)
        code = pass_set_parameter(&pass, p, parameters[p], error);
    for (size_t start = 0; code == CODE_OK && start < samples; start += at_once) {
        size_t n = samples - start < at_once ? samples - start : at_once;
        code = training->backend->upload(n * network->input_size, x + start * network->input_size, pass.x);
        backend_error(training->backend, code, error);
        if (code == CODE_OK) code = pass_outputs(&pass, error); /* the last one's rest is what stood there before */
        if (code == CODE_OK)
            code = pass_read(&pass, pass.y[network->node_count - 1], n * width, outputs + start * width, error);
    }
    pass_free(&pass);
    return code;
}
