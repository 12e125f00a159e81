/* The tensors of a request: parameters, given or drawn, and data. */
#include <stdint.h>
#include <string.h>

#include "core/graph/initializer.h"
#include "server/limits.h"
#include "server/task/read_network.h"
#include "server/task/read_targets.h"

/* ---- parameters ---- */

static int read_initializer(struct members *r, const json_t *init, struct initializer *initializer)
{
    static const char *const common[] = {"scheme", "seed", "generator", NULL};
    static const char *const of_normal[] = {"scheme", "seed", "generator", "std", NULL};
    static const char *const of_uniform[] = {"scheme", "seed", "generator", "low", "high", NULL};
    static const char *const generators[] = {"numpy", NULL};
    int scheme = 0, generator = 0;
    double seed = 0;
    if (members_choice(r, init, "scheme", REQUIRED, scheme_names, &scheme) != CODE_OK) return r->error->code;
    if (members_choice(r, init, "generator", OPTIONAL, generators, &generator) != CODE_OK) return r->error->code;
    initializer->scheme = (enum scheme)scheme;
    bool normal = scheme == SCHEME_NORMAL, uniform = scheme == SCHEME_UNIFORM;
    if (members_known(r, init, normal ? of_normal : uniform ? of_uniform : common) != CODE_OK) return r->error->code;
    enum presence seeded = scheme == SCHEME_ZEROS ? OPTIONAL : REQUIRED;
    if (members_size(r, init, "seed", seeded, 0, UINT32_MAX, &seed) != CODE_OK) return r->error->code;
    initializer->seed = (uint32_t)seed;
    if (members_number(r, init, "std", normal ? REQUIRED : OPTIONAL, &initializer->std) != CODE_OK)
        return r->error->code;
    if (members_number(r, init, "low", uniform ? REQUIRED : OPTIONAL, &initializer->low) != CODE_OK)
        return r->error->code;
    return members_number(r, init, "high", uniform ? REQUIRED : OPTIONAL, &initializer->high);
}

static int draw_parameters(struct members *r, const json_t *init, struct problem_set *set)
{
    struct initializer initializer = {0};
    if (!json_is_object(init)) {
        error_set(r->error, CODE_WRONG_TYPE, "init must be an object with a scheme and a seed");
        return r->error->code;
    }
    if (read_initializer(r, init, &initializer) != CODE_OK) return r->error->code;
    enum convention convention = set->problem.convention;
    double **parameters = arena_array(r->arena, set->network.parameter_count, sizeof *parameters);
    if (parameters == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < set->network.parameter_count; p++) {
        const struct value *value = set->network.graded[p].value;
        struct view view = convention_graded(convention, &set->network.graded[p]);
        parameters[p] = set->problem.given[value->index] = arena_doubles(r->arena, value->size);
        if (parameters[p] == NULL) return members_out_of_memory(r);
        set->shapes[p] = view.shape;
        if (view.vector && convention == CONVENTION_COLUMNS) set->shapes[p] = shape_of(2, (size_t[]){view.size, 1});
    }
    initializer_fill(&initializer, &set->network, parameters);
    /* A std of 1e308 overflows; the pass would only say that much later. */
    for (size_t p = 0; p < set->network.parameter_count; p++) {
        struct tensor drawn = {.size = set->network.graded[p].value->size, .data = parameters[p]};
        if (tensor_first_not_finite(&drawn) < drawn.size)
            return error_set(r->error, CODE_NOT_FINITE, "this scheme draws numbers that are not finite");
    }
    return CODE_OK;
}

static int shape_error(struct members *r, const char *name, const struct shape *got, const struct shape *need)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    error_set(r->error, CODE_SHAPE_MISMATCH, "parameters.%.*s has shape %s, the network needs %s", LIMIT_NAME, name,
              shape_text(got, a), shape_text(need, b));
    return error_at(r->error, name);
}

/* Numbers of the request in the layout inside: where that is their own, the very same. NULL when memory is short. */
static double *import(struct members *r, const struct view *view, const struct tensor *given)
{
    if (view->same) return given->data;
    double *inside = arena_doubles(r->arena, view->size);
    if (inside != NULL) view_import(view, given->data, inside);
    return inside;
}

static int read_parameter(struct members *r, const json_t *parameters, struct problem_set *set, size_t p)
{
    const struct tensor *given;
    const struct graded *graded = &set->network.graded[p];
    struct view view = convention_graded(set->problem.convention, graded);
    if (members_tensor_or_number(r, parameters, set->names[p], &given) != CODE_OK) return r->error->code;
    bool fits = view_accepts(&view, set->problem.loose, &given->shape);
    if (!fits && given->shape.rank == 0) return members_bare_number(r, set->names[p]);
    if (!fits) return shape_error(r, set->names[p], &given->shape, &view.shape);
    set->shapes[p] = given->shape;
    double *inside = import(r, &view, given);
    set->problem.given[graded->value->index] = inside;
    return inside != NULL ? CODE_OK : members_out_of_memory(r);
}

/* The names as a list that ends with NULL. */
static const char **known_names(struct members *r, const struct problem_set *set)
{
    size_t n = set->network.parameter_count;
    const char **known = arena_zeroed(r->arena, n + 1, sizeof *known);
    if (known != NULL) memcpy(known, set->names, n * sizeof *known);
    return known;
}

/* Parameters are drawn or given, not both. */
static int check_init_alone(struct members *r, const json_t *parameters)
{
    if (json_object_size(parameters) == 1) return CODE_OK;
    void *at = json_object_iter((json_t *)parameters);
    if (strcmp(json_object_iter_key(at), "init") == 0) at = json_object_iter_next((json_t *)parameters, at);
    const char *name = json_object_iter_key(at);
    error_set(r->error, CODE_UNKNOWN_MEMBER,
              "parameters holds init and %.*s: it holds either init, which draws all of them, or a tensor for each",
              LIMIT_NAME, name);
    return error_at(r->error, name);
}

int read_parameters(struct members *r, const json_t *root, struct problem_set *set)
{
    const json_t *parameters = NULL;
    if (members_object(r, root, "parameters", REQUIRED, &parameters) != CODE_OK) return r->error->code;
    const json_t *init = json_object_get(parameters, "init");
    if (init != NULL) {
        if (check_init_alone(r, parameters) == CODE_OK && draw_parameters(r, init, set) != CODE_OK)
            error_at(r->error, "init");
    } else {
        const char **known = known_names(r, set);
        if (known == NULL) return members_out_of_memory(r);
        members_known(r, parameters, known);
        for (size_t p = 0; r->error->code == CODE_OK && p < set->network.parameter_count; p++)
            read_parameter(r, parameters, set, p);
    }
    return r->error->code != CODE_OK ? error_at(r->error, "parameters") : CODE_OK;
}

/* ---- data ---- */

static bool is_taken(const struct problem_set *set, const char *name)
{
    for (size_t i = 0; i < set->definition.feed_count; i++)
        if (strcmp(set->definition.feeds[i].name, name) == 0) return true;
    return strcmp(set->network.target->name, name) == 0;
}

/* A member that nothing in the network takes, be it one that others do: the target of another loss, a mask. */
static int is_not_taken(struct members *r, const struct problem_set *set, const char *name)
{
    size_t count = set->definition.feed_count;
    const char *target = set->network.target->name, *loss = set->definition.loss.op->name;
    const char **known = arena_array(r->arena, count + 1, sizeof *known);
    if (known == NULL) return members_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        known[i] = set->definition.feeds[i].name;
    known[count] = target;
    if (loss_is_target(name))
        error_set(r->error, CODE_UNKNOWN_MEMBER, "the loss %s takes data.%s, not data.%s", loss, target, name);
    else
        error_set(r->error, CODE_UNKNOWN_MEMBER, "no layer takes data.%.*s%s", LIMIT_NAME, name,
                  members_suggestion(r->arena, name, known, count + 1));
    return error_at(r->error, name);
}

/* A member's shape, as the network needs it with any batch. */
static int feed_error(struct members *r, const struct problem_set *set, const struct feed *feed,
                      const struct shape *given)
{
    char got[SHAPE_TEXT_MAX], need[SHAPE_TEXT_MAX];
    bool columns = set->problem.convention == CONVENTION_COLUMNS, none = feed->sample.rank == 0;
    shape_text(&feed->sample, need);
    need[strlen(need) - 1] = '\0'; /* without the bracket, for the batch to come behind it */
    error_set(r->error, CODE_SHAPE_MISMATCH, "data.%.*s has shape %s, the network needs [%s%s%s]", LIMIT_NAME,
              feed->name, shape_text(given, got),
              columns ? ""
              : none  ? "batch"
                      : "batch,",
              need + 1,
              !columns ? ""
              : none   ? "batch"
                       : ",batch");
    return error_at(r->error, feed->name);
}

static int check_feed(struct members *r, const json_t *data, const struct problem_set *set, size_t i)
{
    const struct feed *feed = &set->definition.feeds[i];
    const struct tensor *given;
    if (members_tensor_or_number(r, data, feed->name, &given) != CODE_OK) return r->error->code;
    struct view view = convention_samples(set->problem.convention, &set->network.feeds[i]->shape);
    if (view_accepts(&view, set->problem.loose, &given->shape)) return CODE_OK;
    if (given->shape.rank == 0) return members_bare_number(r, feed->name);
    bool same_rank = given->shape.rank == view.shape.rank;
    size_t axis = set->problem.convention == CONVENTION_COLUMNS ? view.shape.rank - 1 : 0;
    if (same_rank && given->shape.dim[axis] == 0) {
        error_set(r->error, CODE_OUT_OF_RANGE, "data.%.*s has no samples", LIMIT_NAME, feed->name);
        return error_at(r->error, feed->name);
    }
    if (i == 0 || !same_rank) return feed_error(r, set, feed, &given->shape);
    error_set(r->error, CODE_SHAPE_MISMATCH, "data.%.*s has %zu samples, data.x has %zu", LIMIT_NAME, feed->name,
              given->shape.dim[axis], set->batch);
    return error_at(r->error, feed->name);
}

int read_batch(struct members *r, const json_t *root, const struct problem_set *set)
{
    const json_t *data = NULL;
    if (members_object(r, root, "data", REQUIRED, &data) != CODE_OK) return r->error->code;
    for (void *at = json_object_iter((json_t *)data); at != NULL; at = json_object_iter_next((json_t *)data, at))
        if (!is_taken(set, json_object_iter_key(at))) {
            is_not_taken(r, set, json_object_iter_key(at));
            return error_at(r->error, "data");
        }
    for (size_t i = 0; i < set->definition.feed_count; i++)
        if (check_feed(r, data, set, i) != CODE_OK) return error_at(r->error, "data");
    return CODE_OK;
}

static int read_feed(struct members *r, const json_t *data, struct problem_set *set, size_t i)
{
    const struct value *value = set->network.feeds[i];
    const struct tensor *given;
    if (members_tensor_or_number(r, data, value->name, &given) != CODE_OK) return r->error->code;
    struct view view = convention_samples(set->problem.convention, &value->shape);
    double *inside = import(r, &view, given);
    set->problem.given[value->index] = inside;
    return inside != NULL ? CODE_OK : members_out_of_memory(r);
}

int read_data(struct members *r, const json_t *root, struct problem_set *set)
{
    const json_t *data = json_object_get(root, "data");
    for (size_t i = 0; i < set->definition.feed_count; i++)
        if (read_feed(r, data, set, i) != CODE_OK) return error_at(r->error, "data");
    for (size_t p = set->network.parameter_count; p < set->network.graded_count; p++)
        set->shapes[p] = convention_graded(set->problem.convention, &set->network.graded[p]).shape;
    return read_targets(r, data, set) == CODE_OK ? CODE_OK : error_at(r->error, "data");
}
