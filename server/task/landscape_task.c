#include "server/task/landscape_task.h"

#include <math.h>
#include <string.h>

#include "core/backend/svd.h"
#include "core/base/numbers.h"
#include "server/limits.h"
#include "server/task/device.h"
#include "server/task/quota.h"
#include "server/task/read_device.h"
#include "server/task/read_problem.h"
#include "server/task/read_range.h"
#include "server/task/read_training.h"
#include "server/text/number.h"

const char *const directions_names[] = {"random", "pca", "given", NULL};

enum { RESOLUTION_USUAL = 25, PATH_POINTS_USUAL = 100 };

/* What a batch of the smallest network takes beyond its arithmetic; and a node of a program. */
#define WORK_PER_STEP 2000.0
#define WORK_PER_NODE 5000.0

/* ---- directions ---- */

static int read_directions_of(struct members *r, const json_t *object, struct landscape_task *request)
{
    static const char *const of_random[] = {"type", "seed", "normalize", NULL};
    static const char *const of_pca[] = {"type", NULL};
    static const char *const of_given[] = {"type", "a", "b", NULL};
    static const char *const *const known[] = {of_random, of_pca, of_given};
    bool program = request->set.network.program != NULL;
    int type = DIRECTIONS_RANDOM, normalization = program ? NORMALIZE_LAYER : NORMALIZE_FILTER;
    double seed = 0;
    if (members_choice(r, object, "type", REQUIRED, directions_names, &type) != CODE_OK) return r->error->code;
    request->directions = (enum directions)type;
    if (members_known(r, object, known[type]) != CODE_OK) return r->error->code;
    if (members_size(r, object, "seed", type == DIRECTIONS_RANDOM ? REQUIRED : OPTIONAL, 0, UINT32_MAX, &seed) !=
        CODE_OK)
        return r->error->code;
    request->seed = (uint32_t)seed;
    if (members_choice(r, object, "normalize", OPTIONAL, normalization_names, &normalization) != CODE_OK)
        return r->error->code;
    request->normalization = (enum normalization)normalization;
    if (program && normalization == NORMALIZE_FILTER) {
        error_set(r->error, CODE_OUT_OF_RANGE,
                  "a program does not say which axis of a tensor counts units: normalize must be layer or none");
        return error_at(r->error, "normalize");
    }
    if (type != DIRECTIONS_PCA || request->trains) return CODE_OK;
    error_set(r->error, CODE_MISSING_MEMBER,
              "the principal components are those of a training's path: there must be a training");
    return error_at(r->error, "type");
}

static int read_directions(struct members *r, const json_t *root, struct landscape_task *request)
{
    const json_t *object;
    if (members_object(r, root, "directions", REQUIRED, &object) != CODE_OK) return r->error->code;
    return read_directions_of(r, object, request) == CODE_OK ? CODE_OK : error_at(r->error, "directions");
}

/* One given direction, by parameter; what is not named does not move. */
static int read_direction(struct members *r, const json_t *object, const char *name, struct landscape_task *request,
                          double **to)
{
    const struct problem_set *set = &request->set;
    const struct network *network = &set->network;
    const json_t *given;
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    if (members_object(r, object, name, REQUIRED, &given) != CODE_OK) return r->error->code;
    const char **known = arena_zeroed(r->arena, network->parameter_count + 1, sizeof *known);
    if (known == NULL) return members_out_of_memory(r);
    memcpy(known, set->names, network->parameter_count * sizeof *known);
    if (members_known(r, given, known) != CODE_OK) return error_at(r->error, name);
    for (size_t p = 0; p < network->parameter_count; p++) {
        struct view view = convention_graded(set->problem.convention, &network->graded[p]);
        const struct tensor *tensor;
        memset(to[p], 0, view.size * sizeof **to);
        if (json_object_get(given, set->names[p]) == NULL) continue;
        if (members_tensor_or_number(r, given, set->names[p], &tensor) != CODE_OK) return error_at(r->error, name);
        if (tensor->size != view.size || !view_accepts(&view, set->problem.loose, &tensor->shape)) {
            error_set(r->error, CODE_SHAPE_MISMATCH, "the direction has shape %s, the parameter %s",
                      shape_text(&tensor->shape, a), shape_text(&view.shape, b));
            error_at(r->error, set->names[p]);
            return error_at(r->error, name);
        }
        view_import(&view, tensor->data, to[p]);
    }
    for (size_t p = 0; p < network->parameter_count; p++)
        if (numbers_largest(network->graded[p].value->size, to[p]) > 0) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "a direction of zeros leads nowhere");
    return error_at(r->error, name);
}

/* ---- the training ---- */

size_t landscape_task_points(const struct landscape_task *request)
{
    return request->trains ? train_points(request->training.epochs, request->training.record_every) + 1 : 0;
}

static int read_its_training(struct members *r, const json_t *root, struct landscape_task *request)
{
    static const char *const known[] = {"optimizer", "epochs", "batch_size", "record_every", NULL};
    const json_t *object = NULL;
    if (members_object(r, root, "training", OPTIONAL, &object) != CODE_OK) return r->error->code;
    request->trains = object != NULL;
    if (object == NULL) return CODE_OK;
    if (members_known(r, object, known) == CODE_OK &&
        read_optimizer(r, object, &request->training.optimizer) == CODE_OK)
        read_schedule(r, object, request->set.batch, PATH_POINTS_USUAL, &request->training);
    if (r->error->code == CODE_OK && request->set.network.program != NULL &&
        json_object_get(object, "batch_size") != NULL) {
        error_set(r->error, CODE_UNKNOWN_MEMBER, "a program is trained on all of its data at once");
        error_at(r->error, "batch_size");
    }
    if (r->error->code == CODE_OK && landscape_task_points(request) > LIMIT_PATH_POINTS + 1) {
        error_set(r->error, CODE_OUT_OF_RANGE,
                  "this records %zu epochs, at most %d are taken here: record_every must be larger",
                  landscape_task_points(request) - 1, LIMIT_PATH_POINTS);
        error_at(r->error, "record_every");
    }
    return r->error->code != CODE_OK ? error_at(r->error, "training") : CODE_OK;
}

/* ---- how much it is ---- */

static double work_of_training(const struct landscape_task *request)
{
    const struct training *t = &request->training;
    const struct network *network = &request->set.network;
    double nodes = network->program != NULL ? (double)network->graph.node_count : 0;
    double points = (double)landscape_task_points(request);
    if (!request->trains) return 0;
    return train_work(t) +
           (WORK_PER_STEP + WORK_PER_NODE * nodes) * ceil((double)network->batch / (double)t->batch_size) *
               (double)t->epochs +
           (points * points + 10 * points) * 2 * (double)network->parameter_elements + svd_work(points, points, true);
}

static int check_limits(const struct options *options, struct landscape_task *request, struct error *error)
{
    const struct network *network = &request->set.network;
    double grid = (double)request->resolution * (double)request->resolution, elements;
    double path = (double)landscape_task_points(request);
    request->work =
        landscape_work(network, grid) + work_of_training(request) + WORK_PER_NUMBER_WRITTEN * (grid + 2 * path);
    if (quota_work(options, "landscape", request->work, error) != CODE_OK) return error->code;
    if (!landscape_elements(network, &elements)) elements = HUGE_VAL;
    double parameters = (double)network->parameter_elements;
    /* A training has two passes of its own, its optimizer's state and copies. */
    if (request->trains) elements = 4 * elements + 12 * parameters + 2 * path * parameters + 6 * path * path;
    return quota_memory(options, "landscape",
                        8 * (elements + 6 * parameters) + (8 + 2 * NUMBER_TEXT_MAX) * (grid + 2 * path), error);
}

int landscape_task_measure(struct arena *arena, const struct options *options, struct landscape_task *request,
                           struct error *error)
{
    static const char *const of_networks[] = {"network",    "convention", "parameters", "data",       "training",
                                              "directions", "a",          "b",          "resolution", "device",
                                              "dtype",      "shapes",     "names",      NULL};
    static const char *const of_programs[] = {"program", "output", "parameters", "data",   "training", "directions",
                                              "a",       "b",      "resolution", "device", "dtype",    NULL};
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    const json_t *root = request->document.root;
    double resolution = RESOLUTION_USUAL;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (read_problem(&r, &request->document, of_networks, of_programs, &request->set, &request->brief) != CODE_OK)
        return error->code;
    if (request->brief) return CODE_OK;
    if (problem_undecided(&request->document, &request->set, error) != CODE_OK) return error->code;
    if (request->set.network.parameter_count == 0) {
        error_set(error, CODE_OUT_OF_RANGE, "the network has no parameters: there is nothing to move");
        return error_at(error, "network");
    }
    if (read_its_training(&r, root, request) != CODE_OK) return error->code;
    if (read_directions(&r, root, request) != CODE_OK) return error->code;
    for (size_t d = 0; d < 2; d++) {
        const char *name = d == 0 ? "a" : "b";
        request->ranges[d][0] = -1;
        request->ranges[d][1] = 1;
        request->ranged[d] = json_object_get(root, name) != NULL;
        if (read_range(&r, root, name, request->ranges[d]) != CODE_OK) return error->code;
    }
    if (members_size(&r, root, "resolution", OPTIONAL, 2, LIMIT_RESOLUTION, &resolution) != CODE_OK) return error->code;
    request->resolution = (size_t)resolution;
    if (read_device(&r, root, options, &request->device, &request->dtype) != CODE_OK) return error->code;
    request->training.problem.network = &request->set.network;
    return check_limits(options, request, error);
}

/* ---- the tensors ---- */

static double **by_parameter(struct arena *arena, const struct network *network)
{
    double **list = arena_array(arena, network->parameter_count, sizeof *list);
    for (size_t p = 0; list != NULL && p < network->parameter_count; p++)
        if ((list[p] = arena_doubles(arena, network->graded[p].value->size)) == NULL) return NULL;
    return list;
}

int landscape_task_read(struct arena *arena, struct landscape_task *request, struct error *error)
{
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct problem_set *set = &request->set;
    struct landscape *landscape = &request->landscape;
    const struct network *network = &set->network;
    const json_t *root = request->document.root, *directions = json_object_get(root, "directions");
    set->problem.cancelled = landscape->problem.cancelled;
    if (read_problem_numbers(&r, root, set) != CODE_OK) return error->code;
    request->center = arena_array(arena, network->parameter_count, sizeof *request->center);
    request->a = by_parameter(arena, network);
    request->b = by_parameter(arena, network);
    for (size_t d = 0; d < 2; d++)
        landscape->at[d] = arena_doubles(arena, request->resolution);
    if (request->center == NULL || request->a == NULL || request->b == NULL || landscape->at[0] == NULL ||
        landscape->at[1] == NULL)
        return members_out_of_memory(&r);
    for (size_t p = 0; p < network->parameter_count; p++)
        request->center[p] = problem_given(&set->problem, network->graded[p].value);
    if (request->directions == DIRECTIONS_GIVEN &&
        (read_direction(&r, directions, "a", request, request->a) != CODE_OK ||
         read_direction(&r, directions, "b", request, request->b) != CODE_OK))
        return error_at(error, "directions");
    if (request->trains) {
        request->training.path =
            arena_array(arena, landscape_task_points(request), network->parameter_elements * sizeof(double));
        if (request->training.path == NULL) return members_out_of_memory(&r);
    }
    double steps = (double)request->resolution * (double)request->resolution;
    int code = device_backend(request->device, request->dtype, request->work, steps, &set->problem.backend, error);
    landscape->problem = request->training.problem = set->problem;
    return code;
}
