#include "server/task/read_program.h"
#include "server/task/code_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph/gradient_names.h"
#include "core/language/program.h"
#include "server/limits.h"

/* ---- the names that are asked for ---- */

/* All names whose gradient the request may mean: sorted, to be found in. */
struct asked {
    const char **names;
    size_t count;
    const json_t *gradients, *points; /* as the request has them */
    bool indexed;                     /* one of them has an index: h[2] */
    const char **coded;               /* data whose gradients a student's code names: sorted, too */
    size_t coded_count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_asked(void *context, const char *name)
{
    const struct asked *asked = context;
    return bsearch(&name, asked->names, asked->count, sizeof *asked->names, compare_names) != NULL;
}

static bool is_coded(const struct asked *asked, const char *name)
{
    return bsearch(&name, asked->coded, asked->coded_count, sizeof *asked->coded, compare_names) != NULL;
}

/* Whether a name that stands for the gradient of data stands for nothing of the program's own: where that has a value
 * dp, dp is its gradient, and not that of data p. */
static bool is_asked_of_data(void *context, const char *name, const struct syntax *syntax)
{
    const struct asked *asked = context;
    if (json_object_get(asked->points, name) != NULL) return true;
    bool predicted = false;
    for (size_t i = 0; i < syntax->name_count && !predicted; i++)
        predicted = gradient_name_is_prediction(syntax->names[i], name);
    if (!predicted && is_coded(asked, name)) return true;
    for (void *at = json_object_iter((json_t *)asked->gradients); at != NULL;
         at = json_object_iter_next((json_t *)asked->gradients, at)) {
        const char *written = json_object_iter_key(at);
        bool own = strcmp(written, name) != 0 && syntax_symbol(syntax, written) < syntax->name_count;
        if (!own && gradient_name_rank(CONVENTION_NUMPY, written, name, false) < GRADIENT_NAMES_MAX) return true;
    }
    return false;
}

/* What a gradient may be that of: of "dW1" W1, and dW1 itself. */
static bool add_bases(struct members *r, const char *written, struct asked *asked)
{
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX; rank++) {
        const char *from;
        size_t length;
        if (!gradient_name_base(CONVENTION_NUMPY, written, rank, false, &from, &length)) continue;
        const char *name = arena_text(r->arena, from, length);
        if (name == NULL) return false;
        asked->names[asked->count++] = name;
    }
    return true;
}

/* Whether a member of data is a setting of the exercise: drho of a number rho may be a helper of the code, and be about
 * something else. Where its gradient is wanted, points says so. */
static bool is_setting(const json_t *data, const char *name)
{
    return json_is_number(json_object_get(data, name));
}

/* The data whose gradients the code names, of all names that there are. */
static int read_coded(struct members *r, const json_t *root, struct asked *asked)
{
    const char *code = json_string_value(json_object_get(root, "backward"));
    const json_t *lists[2] = {json_object_get(root, "parameters"), json_object_get(root, "data")};
    const size_t room = json_object_size(lists[0]) + json_object_size(lists[1]);
    const char **names = arena_array(r->arena, room, sizeof *names);
    bool *named = arena_array(r->arena, room, sizeof *named);
    asked->coded = arena_array(r->arena, room, sizeof *asked->coded);
    if (names == NULL || named == NULL || asked->coded == NULL) return members_out_of_memory(r);
    size_t count = 0;
    for (size_t i = 0; code != NULL && i < 2; i++)
        for (void *at = json_object_iter((json_t *)lists[i]); at != NULL;
             at = json_object_iter_next((json_t *)lists[i], at))
            names[count++] = json_object_iter_key(at);
    if (!code_names(r->arena, code, names, count, named)) return members_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        if (named[i] && !is_setting(lists[1], names[i])) asked->coded[asked->coded_count++] = names[i];
    qsort(asked->coded, asked->coded_count, sizeof *asked->coded, compare_names);
    return CODE_OK;
}

static int read_asked(struct members *r, const json_t *root, struct asked *asked)
{
    const json_t *gradients = json_object_get(root, "gradients"), *points = json_object_get(root, "points");
    size_t n = json_object_size(gradients), m = json_object_size(points);
    *asked = (struct asked){.gradients = gradients, .points = points};
    asked->names = arena_array(r->arena, n * GRADIENT_NAMES_MAX + m, sizeof *asked->names);
    if (asked->names == NULL) return members_out_of_memory(r);
    for (void *at = json_object_iter((json_t *)gradients); at != NULL;
         at = json_object_iter_next((json_t *)gradients, at))
        if (!add_bases(r, json_object_iter_key(at), asked)) return members_out_of_memory(r);
    for (void *at = json_object_iter((json_t *)points); at != NULL; at = json_object_iter_next((json_t *)points, at))
        asked->names[asked->count++] = json_object_iter_key(at);
    for (size_t i = 0; i < asked->count; i++)
        asked->indexed = asked->indexed || strchr(asked->names[i], '[') != NULL;
    qsort(asked->names, asked->count, sizeof *asked->names, compare_names);
    return read_coded(r, root, asked);
}

/* ---- what it reads ---- */

static int read_inputs(struct members *r, const json_t *object, bool parameters, const struct asked *asked,
                       struct program_request *request)
{
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        const char *name = json_object_iter_key(at);
        struct program_input *input = &request->inputs[request->input_count];
        if (!parameters && strcmp(name, "upstream") == 0) continue;
        *input = (struct program_input){.name = name, .parameter = parameters};
        if (parameters && strcmp(name, "init") == 0 && json_is_object(json_object_iter_value(at))) {
            error_set(r->error, CODE_WRONG_TYPE,
                      "a program's parameters are given, each as a tensor: there is no init");
            return error_at(r->error, name);
        }
        if (members_tensor_or_number(r, object, name, &input->tensor) != CODE_OK) return r->error->code;
        for (size_t i = 0; i < request->input_count; i++)
            if (strcmp(request->inputs[i].name, name) == 0) {
                error_set(r->error, CODE_OUT_OF_RANGE, "data.%.*s is called like a parameter", LIMIT_NAME, name);
                return error_at(r->error, name);
            }
        if (input->tensor->size == 0) {
            error_set(r->error, CODE_OUT_OF_RANGE, "%.*s has no elements", LIMIT_NAME, name);
            return error_at(r->error, name);
        }
        input->wanted = !parameters && (is_asked((void *)asked, name) || is_coded(asked, name));
        request->input_count++;
    }
    return CODE_OK;
}

enum { INPUTS_MAX = 4096 };

static int read_all_inputs(struct members *r, const json_t *root, const struct asked *asked,
                           struct program_request *request, const struct tensor **upstream)
{
    const json_t *parameters = NULL, *data = NULL;
    if (members_object(r, root, "parameters", OPTIONAL, &parameters) != CODE_OK) return r->error->code;
    if (members_object(r, root, "data", OPTIONAL, &data) != CODE_OK) return r->error->code;
    size_t count = json_object_size(parameters) + json_object_size(data);
    if (count > INPUTS_MAX)
        return error_set(r->error, CODE_OUT_OF_RANGE, "a program reads %d tensors at most, not %zu", INPUTS_MAX, count);
    request->inputs = arena_array(r->arena, count, sizeof *request->inputs);
    if (request->inputs == NULL) return members_out_of_memory(r);
    if (read_inputs(r, parameters, true, asked, request) != CODE_OK) return error_at(r->error, "parameters");
    if (read_inputs(r, data, false, asked, request) != CODE_OK) return error_at(r->error, "data");
    if (json_object_get(data, "upstream") == NULL) return CODE_OK;
    if (members_tensor_or_number(r, data, "upstream", upstream) != CODE_OK) return error_at(r->error, "data");
    request->upstream = &(*upstream)->shape;
    return CODE_OK;
}

/* The shapes of what is graded are those inside: every tensor is as the program has it. */
static int fill_in(struct members *r, struct problem_set *set, const struct program *program,
                   const struct program_request *request, const struct tensor *upstream)
{
    struct network *network = &set->network;
    set->names = program->graded_names;
    set->shapes = arena_array(r->arena, network->graded_count, sizeof *set->shapes);
    set->problem.given = arena_zeroed(r->arena, network->graph.value_count, sizeof *set->problem.given);
    if (set->shapes == NULL || set->problem.given == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < network->graded_count; p++)
        set->shapes[p] = network->graded[p].value->shape;
    for (size_t i = 0; i < request->input_count; i++)
        set->problem.given[request->inputs[i].value->index] = request->inputs[i].tensor->data;
    if (upstream != NULL) set->problem.given[network->target->index] = upstream->data;
    program_give(program, network, set->problem.given);
    set->problem.network = network;
    set->problem.names = set->names;
    set->problem.shapes = set->shapes;
    set->batch = 1;
    return CODE_OK;
}

int read_program(struct members *r, const json_t *root, struct problem_set *set, bool *brief, size_t *line,
                 size_t *column)
{
    struct program *program = arena_zeroed(r->arena, 1, sizeof *program);
    struct program_request request = {.wanted = is_asked,
                                      .wanted_data = is_asked_of_data,
                                      .allowance = *brief ? program_brief_allowance : program_allowance};
    const struct tensor *upstream = NULL;
    struct asked asked = {0};
    if (program == NULL) return members_out_of_memory(r);
    request.context = &asked;
    set->problem.convention = CONVENTION_NUMPY;
    set->problem.loose = true; /* a gradient may have lost the axes of length 1 that its value has, or got some */
    if (members_string(r, root, "program", REQUIRED, &request.text) != CODE_OK) return r->error->code;
    request.length = json_string_length(json_object_get(root, "program"));
    if (members_string(r, root, "output", OPTIONAL, &request.output) != CODE_OK) return r->error->code;
    if (read_asked(r, root, &asked) != CODE_OK) return r->error->code;
    request.indexed = asked.indexed;
    if (read_all_inputs(r, root, &asked, &request, &upstream) != CODE_OK) return r->error->code;
    bool gave_up = program_build(r->arena, &request, program, &set->network, r->error) != CODE_OK && *brief &&
                   program->evaluation.spent;
    *brief = gave_up;
    if (gave_up) *r->error = (struct error){0};
    if (gave_up) return CODE_OK;
    if (r->error->code == CODE_OK) return fill_in(r, set, program, &request, upstream);
    *line = program->reader.fault.line;
    *column = program->reader.fault.column;
    return error_at(r->error, "program");
}
