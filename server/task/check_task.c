#include "server/task/check_task.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/backward/run.h"
#include "core/diagnosis/diagnose.h"
#include "core/graph/intermediates.h"
#include "core/language/program.h"
#include "core/trace/trace.h"
#include "server/task/device.h"
#include "server/task/quota.h"
#include "server/limits.h"
#include "server/text/number.h"
#include "server/task/read_device.h"
#include "server/task/read_problem.h"
#include "server/task/read_submissions.h"
#include "server/task/read_tolerance.h"

/* ---- options ---- */

/* What each parameter is worth; 1 where nothing is said. */
static int read_points(struct members *r, const json_t *root, const struct problem_set *set, const double **points)
{
    size_t n = set->network.graded_count;
    double *worth = arena_doubles(r->arena, n);
    const char **known = arena_zeroed(r->arena, n + 1, sizeof *known);
    if (worth == NULL || known == NULL) return members_out_of_memory(r);
    *points = worth;
    for (size_t p = 0; p < n; p++) {
        worth[p] = 1;
        known[p] = set->names[p];
    }
    const json_t *object = NULL;
    if (members_object(r, root, "points", OPTIONAL, &object) != CODE_OK) return r->error->code;
    if (object == NULL) return CODE_OK;
    double total = 0;
    members_known(r, object, known);
    for (size_t p = 0; r->error->code == CODE_OK && p < n; p++) {
        if (members_number(r, object, known[p], OPTIONAL, &worth[p]) != CODE_OK) break;
        total += worth[p];
        if (worth[p] >= 0 && total <= DBL_MAX) continue;
        error_set(r->error, CODE_OUT_OF_RANGE, "points must be at least 0, and their sum finite");
        error_at(r->error, known[p]);
    }
    return r->error->code != CODE_OK ? error_at(r->error, "points") : CODE_OK;
}

/* The part of its points that follows a mistake made elsewhere: false, true (all of it), or a number within (0, 1]. */
static int read_carry(struct members *r, const json_t *root, double *carry)
{
    const json_t *value = json_object_get(root, "carry_forward");
    *carry = json_is_true(value) ? 1 : 0;
    if (value == NULL || json_is_boolean(value)) return CODE_OK;
    if (members_number(r, root, "carry_forward", OPTIONAL, carry) != CODE_OK) return r->error->code;
    if (*carry > 0 && *carry <= 1) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "carry_forward is %.17g, it must be more than 0 and at most 1", *carry);
    return error_at(r->error, "carry_forward");
}

static int read_trace(struct members *r, const json_t *root, struct check_task *request)
{
    if (members_bool(r, root, "trace", OPTIONAL, &request->trace) != CODE_OK) return r->error->code;
    if (!request->trace || request->set.network.program != NULL) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE,
              "a trace follows a program line by line: a network has none, write it as a "
              "program");
    return error_at(r->error, "trace");
}

static int read_options(struct members *r, const json_t *root, const struct options *options,
                        struct check_task *request)
{
    struct check *check = &request->check;
    request->diagnose = true;
    if (read_device(r, root, options, &request->device, &request->dtype) != CODE_OK) return r->error->code;
    if (read_tolerance(r, root, &check->tolerance) != CODE_OK) return r->error->code;
    static const char *const subgradients[] = {"convention", "any", NULL};
    int any = 0;
    if (members_choice(r, root, "subgradients", OPTIONAL, subgradients, &any) != CODE_OK) return r->error->code;
    check->any_subgradient = any > 0;
    if (members_bool(r, root, "accept_rounded", OPTIONAL, &check->accept_rounded) != CODE_OK) return r->error->code;
    if (read_points(r, root, &request->set, &check->points) != CODE_OK) return r->error->code;
    if (read_carry(r, root, &check->carry) != CODE_OK) return r->error->code;
    if (members_bool(r, root, "diagnose", OPTIONAL, &request->diagnose) != CODE_OK) return r->error->code;
    if (members_bool(r, root, "reveal", OPTIONAL, &check->reveal) != CODE_OK) return r->error->code;
    if (read_trace(r, root, request) != CODE_OK) return r->error->code;
    if (members_bool(r, root, "numeric", OPTIONAL, &check->numeric) != CODE_OK) return r->error->code;
    return members_bool(r, root, "verify_reference", OPTIONAL, &check->verify_reference);
}

/* ---- how much it is ---- */

/* In operations of a large product, like WORK_PER_NUMBER_WRITTEN. */
#define WORK_PER_NUMBER_DRAWN 100.0
#define WORK_PER_NUMBER_SHOWN 20.0

/* Elements of the intermediates that have to be brought out: those that were submitted, and with `reveal` all that were
 * named. */
static double intermediate_elements(const struct check_task *request)
{
    double elements = 0;
    const json_t *object = json_object_get(request->document.root, "intermediates");
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        struct intermediate which;
        const struct numbers *numbers = document_numbers(&request->document, json_object_iter_value(at));
        bool wanted = request->check.reveal || (numbers != NULL && numbers->tensor.size > 1);
        if (wanted && intermediate_find(&request->set.network, json_object_iter_key(at), &which))
            elements += (double)which.value->size;
    }
    return elements;
}

/* Numbers that a trace writes out, at most. */
static double traced_elements(const struct check_task *request)
{
    const struct graph *graph = &request->set.network.graph;
    double elements = 0;
    for (size_t v = 0; request->trace && v < graph->value_count; v++)
        if (graph->values[v]->size <= TRACE_ELEMENTS_MAX) elements += 2 * (double)graph->values[v]->size;
    return fmin(elements, 2.0 * TRACE_ELEMENTS_MAX * TRACE_VALUES_MAX);
}

static bool takes_differences(const struct check *check)
{
    return check->verify_reference || check->numeric;
}

/* Elements of all that is graded: not less than central differences are taken of. */
static double graded_elements(const struct network *network)
{
    double elements = 0;
    for (size_t p = 0; p < network->graded_count; p++)
        elements += (double)network->graded[p].value->size;
    return elements;
}

/* Bytes of arena that a check takes, roughly, wherever it runs (a device's memory is not ours to share out; where it
 * does not suffice for the verification, that is done here): the pass; per parameter the host's copies of the value,
 * the reference and its transpose; per intermediate two copies; and what is written out, text growing by doubling. */
static double memory_needed(const struct check_task *request)
{
    size_t elements;
    const struct network *network = &request->set.network;
    if (!pass_elements(&network->graph, &elements)) return HUGE_VAL;
    double passes = 1 + (takes_differences(&request->check) ? 1.5 : 0);
    double search = request->search ? diagnose_elements(network) : 0;
    /* The search has its numbers in float64 on the host, which may not be where the check's own pass is. */
    if (request->search && (request->dtype != DTYPE_FLOAT64 || device_with_own_memory())) search += (double)elements;
    double shown = intermediate_elements(request), parameters = (double)network->parameter_elements;
    double numeric = request->check.numeric ? graded_elements(network) : 0;
    double written = (request->check.reveal ? parameters + shown : 0) + numeric + traced_elements(request);
    double trace = request->trace ? trace_bytes(network) : 0;
    double code = request->backward.text != NULL ? 3 * (double)run_elements(network) + 3 * (double)elements : 0;
    return trace + 8 * (code + passes * (double)elements + search + 4 * parameters + 2 * shown + 2 * numeric) +
           2 * NUMBER_TEXT_MAX * written;
}

/* Operations of the check, with what is done per number besides arithmetic: drawing it, writing it. */
static double work_needed(const struct check_task *request)
{
    const struct network *network = &request->set.network;
    double parameters = (double)network->parameter_elements, shown = intermediate_elements(request);
    double numeric = request->check.numeric ? graded_elements(network) : 0;
    double written = (request->check.reveal ? parameters + shown : 0) + numeric + traced_elements(request);
    return check_work(network, takes_differences(&request->check)) + (request->trace ? trace_work(network) : 0) +
           WORK_PER_NUMBER_DRAWN * parameters + WORK_PER_NUMBER_WRITTEN * written + WORK_PER_NUMBER_SHOWN * shown;
}

static int check_limits(const struct options *options, struct check_task *request, struct error *error)
{
    request->work = work_needed(request);
    request->search = request->diagnose;
    if (quota_work(options, "check", request->work, error) != CODE_OK) return error->code;
    struct error unsaid = {0};
    if (quota_memory(options, "check", memory_needed(request), &unsaid) == CODE_OK) return CODE_OK;
    request->search = false; /* the grade matters more than its cause */
    return quota_memory(options, "check", memory_needed(request), error);
}

/* `backward`: code in place of gradients. */
static int read_backward(struct members *r, const json_t *root, struct check_task *request)
{
    if (members_string(r, root, "backward", OPTIONAL, &request->backward.text) != CODE_OK) return r->error->code;
    request->backward.length = json_string_length(json_object_get(root, "backward"));
    if (request->backward.text == NULL || json_object_get(root, "gradients") == NULL) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "backward is code in place of gradients: only one of them can be given");
    return error_at(r->error, "backward");
}

/* `names` beside a program: what names of the code are the gradients of. */
static int read_code_names(struct members *r, const json_t *root, struct check_task *request)
{
    struct renames renames;
    if (renames_read(r, root, &renames) != CODE_OK || renames.object == NULL) return r->error->code;
    json_t *object = (json_t *)(uintptr_t)renames.object;
    struct known_name *list = arena_array(r->arena, json_object_size(object), sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    request->backward.names = list;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at), *of = json_string_value(json_object_iter_value(at));
        if (program_find(request->set.network.program, of) == NULL) {
            error_set(r->error, CODE_OUT_OF_RANGE, "the program has no value called %.*s", LIMIT_NAME, of);
            error_at(r->error, name);
            return error_at(r->error, "names");
        }
        list[request->backward.name_count++] = (struct known_name){.name = name, .of = of};
    }
    return CODE_OK;
}

int check_task_measure(struct arena *arena, const struct options *options, struct check_task *request,
                       struct error *error)
{
    static const char *const of_networks[] = {
        "network",          "convention",    "parameters",     "data",          "gradients", "tolerance",
        "points",           "intermediates", "device",         "dtype",         "diagnose",  "reveal",
        "verify_reference", "subgradients",  "accept_rounded", "carry_forward", "shapes",    "names",
        "program",          "numeric",       "trace",          "backward",      NULL};
    static const char *const of_programs[] = {"program",
                                              "output",
                                              "parameters",
                                              "data",
                                              "gradients",
                                              "tolerance",
                                              "points",
                                              "intermediates",
                                              "device",
                                              "dtype",
                                              "diagnose",
                                              "reveal",
                                              "verify_reference",
                                              "subgradients",
                                              "accept_rounded",
                                              "carry_forward",
                                              "numeric",
                                              "trace",
                                              "backward",
                                              "names",
                                              NULL};
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct document *document = &request->document;
    const json_t *root = document->root;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (read_backward(&r, root, request) != CODE_OK) return error->code;
    if (request->backward.text != NULL && request->brief) return CODE_OK; /* code is for a worker */
    if (read_problem(&r, document, of_networks, of_programs, &request->set, &request->brief) != CODE_OK)
        return error->code;
    if (request->brief) return CODE_OK;
    if (request->set.network.program != NULL && read_code_names(&r, root, request) != CODE_OK) return error->code;
    if (read_options(&r, root, options, request) != CODE_OK) return error->code;
    return check_limits(options, request, error);
}

/* ---- what was submitted ---- */

/* What compares nothing is never a pass: a script that hands in an empty dictionary is to hear of it. Who asks for the
 * reference alone (`reveal`), or for differences (`numeric`), knows. */
static int check_something(struct members *r, const struct check_task *request)
{
    const struct check *check = &request->check;
    size_t graded = request->set.network.graded_count, known = 0;
    bool none = check->gradients.items != NULL && check->gradients.count == 0 && check->intermediates.count == 0 &&
                !check->reveal && !check->numeric && !request->trace;
    for (size_t i = 0; graded == 0 && i < check->intermediates.count; i++) {
        struct intermediate which;
        known += intermediate_find(&request->set.network, check->intermediates.items[i].name, &which);
    }
    if ((!none && graded + known > 0) || (request->backward.text != NULL && graded > 0)) return CODE_OK;
    error_set(r->error, CODE_MISSING_MEMBER, "%s",
              graded > 0
                  ? "gradients is empty and there are no intermediates: nothing would be compared"
                  : "nothing would be compared: the network has no parameters, and neither a gradient of data nor "
                    "an intermediate that it has was submitted");
    return error_at(r->error, "gradients");
}

/* The data of a network, as it was sent. */
static int list_data(struct members *r, const json_t *root, struct check_task *request)
{
    const json_t *object = json_object_get(root, "data");
    struct known_data *list = arena_array(r->arena, json_object_size(object), sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    request->backward.data = list;
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        struct submission one;
        if (!read_submission(r, json_object_iter_key(at), json_object_iter_value(at), &one))
            return members_out_of_memory(r);
        if (one.tensor != NULL)
            list[request->backward.data_count++] = (struct known_data){.name = one.name, .tensor = one.tensor};
    }
    return CODE_OK;
}

int check_task_read_problem(struct arena *arena, struct check_task *request, struct error *error)
{
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct problem_set *set = &request->set;
    struct problem *problem = &request->check.problem;
    if (read_problem_numbers(&r, request->document.root, set) != CODE_OK) return error->code;
    set->problem.cancelled = problem->cancelled;
    *problem = set->problem;
    double work = check_device_work(problem->network, takes_differences(&request->check));
    return device_backend(request->device, request->dtype, work, 1, &problem->backend, error);
}

int check_task_read_submitted(struct arena *arena, const struct document *document, struct check_task *request,
                              struct error *error)
{
    struct members r = {.arena = arena, .document = document, .error = error};
    struct check *check = &request->check;
    const json_t *root = document->root, *gradients = NULL;
    bool code = request->backward.text != NULL, listed = request->set.network.program == NULL;
    /* Whatever the gradients are is graded; only their absence is the client's fault. */
    if (members_member(&r, root, "gradients", code ? OPTIONAL : REQUIRED, &gradients) != CODE_OK) return error->code;
    if (read_submissions(&r, gradients, &check->gradients) != CODE_OK) return error->code;
    /* A program's numbers were read with it. */
    if (code && listed && list_data(&r, root, request) != CODE_OK) return error->code;
    const json_t *intermediates = NULL;
    if (members_object(&r, root, "intermediates", OPTIONAL, &intermediates) != CODE_OK) return error->code;
    if (read_submissions(&r, intermediates, &check->intermediates) != CODE_OK) return error->code;
    return check_something(&r, request);
}

int check_task_read(struct arena *arena, struct check_task *request, struct error *error)
{
    int code = check_task_read_problem(arena, request, error);
    return code == CODE_OK ? check_task_read_submitted(arena, &request->document, request, error) : code;
}
