#include "server/task/train_task.h"

#include <math.h>

#include "server/task/device.h"
#include "server/task/quota.h"
#include "server/limits.h"
#include "server/text/number.h"
#include "server/task/read_device.h"
#include "server/task/read_problem.h"
#include "server/task/read_range.h"
#include "server/task/read_training.h"

/* What an epoch of the smallest network takes beyond its arithmetic; and what a node of a program, of which there may
 * be very many small ones. */
#define WORK_PER_BATCH 2000.0
#define WORK_PER_NODE 5000.0

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

int train_task_measure(struct arena *arena, const struct options *options, struct train_task *request,
                       struct error *error)
{
    static const char *const of_networks[] = {"network", "convention", "parameters",   "data",     "optimizer",
                                              "epochs",  "batch_size", "record_every", "boundary", "device",
                                              "dtype",   "shapes",     "names",        NULL};
    static const char *const of_programs[] = {"program", "output",       "parameters", "data",  "optimizer",
                                              "epochs",  "record_every", "device",     "dtype", NULL};
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct problem_set *set = &request->set;
    const json_t *root = request->document.root;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (problem_is_program(root) && refuse_of_programs(&r, root) != CODE_OK) return error->code;
    if (read_problem(&r, &request->document, of_networks, of_programs, set, &request->brief) != CODE_OK)
        return error->code;
    if (request->brief) return CODE_OK;
    if (problem_undecided(&request->document, set, error) != CODE_OK) return error->code;
    if (read_optimizer(&r, root, &request->training.optimizer) != CODE_OK) return error->code;
    if (read_schedule(&r, root, set->batch, TRAIN_POINTS_USUAL, &request->training) != CODE_OK) return error->code;
    if (set->network.program == NULL && read_boundary(&r, root, request) != CODE_OK) return error->code;
    if (read_device(&r, root, options, &request->device, &request->dtype) != CODE_OK) return error->code;
    request->training.problem.network = &set->network;
    return check_limits(options, request, error);
}

int train_task_read(struct arena *arena, struct train_task *request, struct error *error)
{
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct problem_set *set = &request->set;
    if (read_problem_numbers(&r, request->document.root, set) != CODE_OK) return error->code;
    struct training *t = &request->training;
    set->problem.cancelled = t->problem.cancelled;
    t->problem = set->problem;
    return device_backend(request->device, request->dtype, train_work(t), steps_of(t), &t->problem.backend, error);
}
