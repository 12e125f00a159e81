#include "server/task/train_task.h"

#include <math.h>

#include "server/task/device.h"
#include "server/task/quota.h"
#include "server/limits.h"
#include "server/text/number.h"
#include "server/task/read_device.h"
#include "server/task/read_optimizer.h"
#include "server/task/read_program.h"

#define EPOCHS_USUAL 1000

/* What an epoch of the smallest network takes beyond its arithmetic; and what a node of a program, of which there may
 * be very many small ones. */
#define WORK_PER_BATCH 2000.0
#define WORK_PER_NODE 5000.0

static int read_schedule(struct members *r, const json_t *root, struct train_task *request)
{
    struct training *t = &request->training;
    double epochs = EPOCHS_USUAL, batch = (double)request->set.batch, every = 0;
    if (members_size(r, root, "epochs", OPTIONAL, 1, SIZE_MOST, &epochs) != CODE_OK) return r->error->code;
    if (members_size(r, root, "batch_size", OPTIONAL, 1, SIZE_MOST, &batch) != CODE_OK) return r->error->code;
    if (members_size(r, root, "record_every", OPTIONAL, 1, SIZE_MOST, &every) != CODE_OK) return r->error->code;
    size_t samples = request->set.batch;
    t->epochs = (size_t)epochs;
    t->batch_size = batch < (double)samples ? (size_t)batch : samples;
    t->record_every = every > 0 ? (size_t)every : (t->epochs - 1) / TRAIN_POINTS_USUAL + 1;
    size_t points = train_points(t->epochs, t->record_every);
    if (points <= TRAIN_POINTS_MAX) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "this records %zu points, at most %d are taken: record_every must be larger",
              points, TRAIN_POINTS_MAX);
    return error_at(r->error, "record_every");
}

/* Two numbers, the first less than the second. */
static int read_range(struct members *r, const json_t *object, const char *name, double range[2])
{
    const json_t *member;
    const struct tensor *given;
    if (members_member(r, object, name, OPTIONAL, &member) != CODE_OK || member == NULL) return r->error->code;
    if (members_tensor(r, object, name, &given) != CODE_OK) return r->error->code;
    if (given->shape.rank == 1 && given->size == 2 && given->data[0] < given->data[1] &&
        isfinite(given->data[1] - given->data[0])) {
        range[0] = given->data[0];
        range[1] = given->data[1];
        return CODE_OK;
    }
    error_set(r->error, CODE_OUT_OF_RANGE, "%s must be two numbers, the first less than the second", name);
    return error_at(r->error, name);
}

static int read_boundary(struct members *r, const json_t *root, struct train_task *request)
{
    static const char *const known[] = {"x", "y", "resolution", NULL};
    struct grid *grid = &request->boundary;
    const json_t *object = NULL;
    *grid = (struct grid){.x = {-0.5, 1.5}, .y = {-0.5, 1.5}, .resolution = 100};
    if (members_object(r, root, "boundary", OPTIONAL, &object) != CODE_OK) return r->error->code;
    grid->wanted = object != NULL;
    if (!grid->wanted) return CODE_OK;
    const struct problem_set *set = &request->set;
    size_t inputs = network_sample_size(&set->network, set->network.feeds[0]);
    double resolution = (double)grid->resolution;
    if (inputs != 2 || set->definition.feed_count > 1) {
        error_set(r->error, CODE_OUT_OF_RANGE, "a boundary is for networks with two inputs, this one has %zu%s", inputs,
                  set->definition.feed_count > 1 ? ", and more than one member of data goes in" : "");
    } else if (members_known(r, object, known) == CODE_OK && read_range(r, object, "x", grid->x) == CODE_OK &&
               read_range(r, object, "y", grid->y) == CODE_OK &&
               members_size(r, object, "resolution", OPTIONAL, 2, LIMIT_RESOLUTION, &resolution) == CODE_OK) {
        grid->resolution = (size_t)resolution;
    }
    return r->error->code != CODE_OK ? error_at(r->error, "boundary") : CODE_OK;
}

/* ---- how much it is ---- */

static double grid_points(const struct train_task *request)
{
    return request->boundary.wanted ? (double)request->boundary.resolution * (double)request->boundary.resolution : 0;
}

/* Numbers in the answer. */
static double numbers_written(const struct train_task *request)
{
    const struct training *t = &request->training;
    const struct network *network = &request->set.network;
    double points = (double)train_points(t->epochs, t->record_every);
    double out = (double)network_sample_size(network, network->output);
    return points * (3 + (double)network->parameter_count) + (double)network->parameter_elements +
           ((double)network->batch + grid_points(request)) * out;
}

/* Bytes of arena, roughly: the passes, the optimizer's state, the host's copies, the curve, and what is written out,
 * text growing by doubling. */
static double memory_needed(const struct train_task *request)
{
    const struct training *t = &request->training;
    const struct network *network = &request->set.network;
    size_t all;
    if (!pass_elements(&network->graph, &all)) return HUGE_VAL;
    if (network->program != NULL) all *= 2; /* what is known of units, by rows */
    double points = fmin(grid_points(request), TRAIN_OUTPUTS_AT_ONCE), samples = (double)network->batch;
    double batches = (double)(t->batch_size + network->batch % t->batch_size) + points;
    double parameters = (double)network->parameter_elements, data = 0;
    for (size_t v = 0; v < network->graph.value_count; v++)
        if (network->graph.values[v]->kind == VALUE_DATA) data += (double)network->graph.values[v]->size;
    return 8 * ((double)all * (batches / samples) + 12 * parameters + 3 * data) +
           (8 + 2 * NUMBER_TEXT_MAX) * numbers_written(request);
}

/* Updates of the parameters. */
static double steps_of(const struct training *t)
{
    return ceil((double)t->problem.network->batch / (double)t->batch_size) * (double)t->epochs;
}

static int check_limits(const struct options *options, struct train_task *request, struct error *error)
{
    const struct training *t = &request->training;
    const struct network *network = &request->set.network;
    double nodes = network->program != NULL ? (double)network->graph.node_count : 0;
    request->work = train_work(t) + (WORK_PER_BATCH + WORK_PER_NODE * nodes) * steps_of(t) +
                    WORK_PER_NUMBER_WRITTEN * numbers_written(request) +
                    network->work / (double)request->set.batch * grid_points(request);
    if (quota_work(options, "training", request->work, error) != CODE_OK) return error->code;
    if (numbers_written(request) > LIMIT_ANSWER_NUMBERS)
        return error_set(error, CODE_TOO_MUCH_WORK, "the answer would hold %.3g numbers, the limit is %.3g",
                         numbers_written(request), LIMIT_ANSWER_NUMBERS);
    return quota_memory(options, "training", memory_needed(request), error);
}

/* What is said of layers and of samples, neither of which a program has. */
static int refuse_of_programs(struct members *r, const json_t *root)
{
    static const struct {
        const char *name, *why;
    } refused[] = {
        {"batch_size", "a program is trained on all of its data at once: its shapes are those of the data, and it does "
                       "not say which axis counts samples"},
        {"boundary", "a boundary is for networks of layers: a program does not say what its inputs and its output are"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (json_object_get(root, refused[i].name) == NULL) continue;
        error_set(r->error, CODE_UNKNOWN_MEMBER, "%s", refused[i].why);
        return error_at(r->error, refused[i].name);
    }
    return CODE_OK;
}

/* The network, or the program that stands for one; *given_up where it would have taken more than a moment. */
static int read_what(struct members *r, const json_t *root, struct train_task *request, bool *given_up)
{
    static const char *const of_networks[] = {"network", "convention", "parameters",   "data",     "optimizer",
                                              "epochs",  "batch_size", "record_every", "boundary", "device",
                                              "dtype",   "shapes",     "names",        NULL};
    static const char *const of_programs[] = {"program", "output",       "parameters", "data",  "optimizer",
                                              "epochs",  "record_every", "device",     "dtype", NULL};
    bool program = json_object_get(root, "program") != NULL, brief = request->brief;
    *given_up = false;
    if (!program) {
        if (members_known(r, root, of_networks) != CODE_OK) return r->error->code;
        if (read_network(r, root, &request->set) != CODE_OK) return r->error->code;
        return read_batch(r, root, &request->set);
    }
    struct document *document = &request->document;
    if (refuse_of_programs(r, root) != CODE_OK || members_known(r, root, of_programs) != CODE_OK) return r->error->code;
    int code = read_program(r, root, &request->set, &brief, &document->line, &document->column);
    *given_up = brief;
    return code;
}

int train_task_measure(struct arena *arena, const struct options *options, struct train_task *request,
                       struct error *error)
{
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    const json_t *root = request->document.root;
    bool given_up;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (read_what(&r, root, request, &given_up) != CODE_OK) return error->code;
    request->brief = given_up;
    if (given_up) return CODE_OK;
    if (read_optimizer(&r, root, &request->training.optimizer) != CODE_OK) return error->code;
    if (read_schedule(&r, root, request) != CODE_OK) return error->code;
    if (request->set.network.program == NULL && read_boundary(&r, root, request) != CODE_OK) return error->code;
    if (read_device(&r, root, options, &request->device, &request->dtype) != CODE_OK) return error->code;
    request->training.problem.network = &request->set.network;
    return check_limits(options, request, error);
}

int train_task_read(struct arena *arena, struct train_task *request, struct error *error)
{
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct problem_set *set = &request->set;
    const json_t *root = request->document.root;
    bool listed = set->network.program == NULL; /* a program's numbers were read with it */
    if (listed && (read_parameters(&r, root, set) != CODE_OK || read_data(&r, root, set) != CODE_OK))
        return error->code;
    struct training *t = &request->training;
    set->problem.cancelled = t->problem.cancelled;
    t->problem = set->problem;
    return device_backend(request->device, request->dtype, train_work(t), steps_of(t), &t->problem.backend, error);
}
