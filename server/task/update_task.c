#include "server/task/update_task.h"

#include <math.h>
#include <string.h>

#include "core/graph/gradient_names.h"
#include "core/update/update_check.h"
#include "server/limits.h"
#include "server/task/quota.h"
#include "server/task/read_training.h"
#include "server/task/read_submissions.h"
#include "server/task/read_tolerance.h"
#include "server/text/number.h"

/* What an update needs of an optimizer's state, and what may be known of it. */
struct state {
    const json_t *object;                /* NULL where none is given */
    const json_t *members[UPDATE_PARTS]; /* of what is kept: as it is given; NULL where it is not */
    const char *called[UPDATE_PARTS];
};

/* ---- one tensor for a parameter ---- */

/* Numbers that belong to a parameter, by its name in an object; where there is one parameter alone, the value itself
 * will do. */
static int read_numbers(struct members *r, const json_t *object, const char *member, const char *name,
                        const struct updated *parameter, const double **numbers)
{
    const struct tensor *tensor;
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    if (members_tensor_or_number(r, object, name, &tensor) != CODE_OK) return r->error->code;
    *numbers = tensor->data;
    const struct view view = {.shape = parameter->shape, .same = true, .size = parameter->from.n};
    if (tensor->size == view.size && view_accepts(&view, true, &tensor->shape)) return CODE_OK;
    error_set(r->error, CODE_SHAPE_MISMATCH, "%s has shape %s, but the parameter %.*s has %s", member,
              shape_text(&tensor->shape, a), LIMIT_NAME, parameter->name, shape_text(&parameter->shape, b));
    return error_at(r->error, name);
}

static int read_parameters(struct members *r, const json_t *root, struct update_check *check)
{
    const json_t *object;
    if (members_object(r, root, "parameters", REQUIRED, &object) != CODE_OK) return r->error->code;
    check->count = json_object_size(object);
    if (check->count == 0) {
        error_set(r->error, CODE_MISSING_MEMBER, "there are no parameters");
        return error_at(r->error, "parameters");
    }
    check->parameters = arena_zeroed(r->arena, check->count, sizeof *check->parameters);
    if (check->parameters == NULL) return members_out_of_memory(r);
    size_t i = 0;
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        struct updated *parameter = &check->parameters[i++];
        const struct tensor *tensor;
        parameter->name = json_object_iter_key(at);
        if (members_tensor_or_number(r, object, parameter->name, &tensor) != CODE_OK)
            return error_at(r->error, "parameters");
        if (tensor->size == 0) {
            error_set(r->error, CODE_OUT_OF_RANGE, "%.*s has no elements", LIMIT_NAME, parameter->name);
            error_at(r->error, parameter->name);
            return error_at(r->error, "parameters");
        }
        parameter->shape = tensor->shape;
        parameter->from.n = tensor->size;
        parameter->from.w = tensor->data;
    }
    return CODE_OK;
}

/* The name under which an object has the gradient of a parameter; that of the parameter where it has none. */
static const char *gradient_called(struct members *r, const json_t *object, const char *name)
{
    const char *names[GRADIENT_NAMES_MAX];
    size_t count = gradient_names(CONVENTION_NUMPY, name, r->arena, names);
    if (count == 0) members_out_of_memory(r);
    for (size_t i = 0; i < count; i++)
        if (json_object_get(object, names[i]) != NULL) return names[i];
    return name;
}

static int read_gradients(struct members *r, const json_t *root, struct update_check *check)
{
    const json_t *object;
    if (members_object(r, root, "gradients", REQUIRED, &object) != CODE_OK) return r->error->code;
    const char **known = arena_zeroed(r->arena, check->count + 1, sizeof *known);
    if (known == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < check->count; p++) {
        struct updated *parameter = &check->parameters[p];
        known[p] = gradient_called(r, object, parameter->name);
        if (r->error->code == CODE_OK) read_numbers(r, object, "the gradient", known[p], parameter, &parameter->from.g);
        if (r->error->code != CODE_OK) return error_at(r->error, "gradients");
    }
    return members_known(r, object, known) == CODE_OK ? CODE_OK : error_at(r->error, "gradients");
}

/* ---- state ---- */

static const char *const *names_of(const struct optimizer *optimizer, size_t part)
{
    return part == UPDATE_FIRST ? optimizer->type->first_names : optimizer->type->second_names;
}

static const char *first_there(const json_t *object, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        if (json_object_get(object, names[i]) != NULL) return names[i];
    return NULL;
}

/* What an object calls the parts of a state. In deeplearning.ai's Adam the moments are v and s, in all others m and v.
 */
static void find_state(const struct optimizer *optimizer, const bool *kept, const json_t *object, struct state *state)
{
    *state = (struct state){.object = object};
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++)
        if (kept[part]) state->called[part] = first_there(object, names_of(optimizer, part));
    bool both = json_object_get(object, "v") != NULL && json_object_get(object, "s") != NULL;
    if (kept[UPDATE_FIRST] && kept[UPDATE_SECOND] && state->called[UPDATE_FIRST] == NULL && both) {
        state->called[UPDATE_FIRST] = "v";
        state->called[UPDATE_SECOND] = "s";
    }
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++)
        if (state->called[part] != NULL) state->members[part] = json_object_get(object, state->called[part]);
}

static const char *step_called(const json_t *object)
{
    return json_object_get(object, "step") == NULL && json_object_get(object, "t") != NULL ? "t" : "step";
}

static int check_state_names(struct members *r, const struct update_check *check, const bool *kept,
                             const struct state *state)
{
    enum { KNOWN_MAX = 16 };
    const char *known[KNOWN_MAX];
    size_t n = 0;
    known[n++] = step_called(state->object);
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++) {
        if (!kept[part]) continue;
        if (state->called[part] != NULL)
            known[n++] = state->called[part];
        else
            for (const char *const *name = names_of(&check->optimizer, part); *name != NULL && n + 1 < KNOWN_MAX;
                 name++)
                known[n++] = *name;
    }
    known[n] = NULL;
    return members_known(r, state->object, known);
}

static int read_state_part(struct members *r, struct update_check *check, const struct state *state, size_t part)
{
    const json_t *member = state->members[part];
    const char *called = state->called[part];
    bool alone = check->count == 1 && !json_is_object(member);
    const json_t *object = state->object;
    if (!alone && members_object(r, state->object, called, REQUIRED, &object) != CODE_OK) return r->error->code;
    const char **known = arena_zeroed(r->arena, check->count + 1, sizeof *known);
    if (known == NULL) return members_out_of_memory(r);
    for (size_t p = 0; p < check->count; p++) {
        struct updated *parameter = &check->parameters[p];
        known[p] = parameter->name;
        const double **numbers = part == UPDATE_FIRST ? &parameter->from.first : &parameter->from.second;
        if (read_numbers(r, object, called, alone ? called : parameter->name, parameter, numbers) != CODE_OK)
            return alone ? r->error->code : error_at(r->error, called);
    }
    if (alone || members_known(r, object, known) == CODE_OK) return CODE_OK;
    return error_at(r->error, called);
}

/* The state, and which step this is: `step` counts those before it, as PyTorch's and CS231n's state does. */
static int read_state(struct members *r, const json_t *root, const bool *kept, struct update_task *request)
{
    struct update_check *check = &request->check;
    const json_t *object = NULL;
    struct state state;
    double before = -1;
    if (members_object(r, root, "state", OPTIONAL, &object) != CODE_OK) return r->error->code;
    find_state(&check->optimizer, kept, object, &state);
    if (object != NULL && check_state_names(r, check, kept, &state) != CODE_OK) return error_at(r->error, "state");
    if (object != NULL && members_size(r, object, step_called(object), OPTIONAL, 0, 1e9, &before) != CODE_OK)
        return error_at(r->error, "state");
    bool any = state.members[UPDATE_FIRST] != NULL || state.members[UPDATE_SECOND] != NULL;
    if (before < 0 && any && optimizer_counts_steps(&check->optimizer)) {
        error_set(r->error, CODE_MISSING_MEMBER,
                  "%s needs `step`, the number of steps before this one, beside its state",
                  check->optimizer.type->name);
        error_at(r->error, "step");
        return error_at(r->error, "state");
    }
    if (before < 0) before = any ? 1 : 0;
    check->step = (size_t)before + 1;
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++) {
        if (!kept[part]) continue;
        const char *name = names_of(&check->optimizer, part)[0];
        request->state_names[part] = state.called[part] != NULL ? state.called[part] : name;
        if (state.members[part] != NULL) {
            if (read_state_part(r, check, &state, part) != CODE_OK) return error_at(r->error, "state");
        } else if (any || before > 0) {
            error_set(r->error, CODE_MISSING_MEMBER, "the state before this step lacks %s", name);
            error_at(r->error, name);
            return error_at(r->error, "state");
        }
    }
    return CODE_OK;
}

/* ---- what was submitted: whatever it is, it is graded ---- */

static int add_unexpected(struct members *r, const char *name, struct update_task *request)
{
    size_t length = strnlen(name, LIMIT_NAME);
    while (name[length] != '\0' && length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
        length--; /* inside of a character */
    if (request->unexpected_count == CHECK_UNEXPECTED_MAX) {
        request->unexpected_not_listed++;
        return CODE_OK;
    }
    const char *copy = arena_text(r->arena, name, length);
    if (copy == NULL) return members_out_of_memory(r);
    request->unexpected[request->unexpected_count++] = copy;
    return CODE_OK;
}

/* By parameter what an object has under its name; of one parameter alone anything else is its own. */
static int read_part(struct members *r, const json_t *parameters, const json_t *given, size_t part,
                     struct update_task *request)
{
    struct update_check *check = &request->check;
    bool alone = check->count == 1 && given != NULL && !json_is_object(given);
    for (size_t p = 0; p < check->count; p++) {
        struct updated *parameter = &check->parameters[p];
        const json_t *value = alone ? given : json_object_get(given, parameter->name);
        parameter->submitted[part] = value != NULL;
        if (value != NULL && !read_submission(r, parameter->name, value, &parameter->submissions[part]))
            return members_out_of_memory(r);
    }
    for (void *at = json_object_iter((json_t *)given); at != NULL; at = json_object_iter_next((json_t *)given, at))
        if (json_object_get(parameters, json_object_iter_key(at)) == NULL &&
            add_unexpected(r, json_object_iter_key(at), request) != CODE_OK)
            return r->error->code;
    return CODE_OK;
}

static bool is_called(const struct state *state, const char *name)
{
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++)
        if (state->called[part] != NULL && strcmp(state->called[part], name) == 0) return true;
    return false;
}

static int read_updated_state(struct members *r, const json_t *parameters, const json_t *object, const bool *kept,
                              struct update_task *request)
{
    struct update_check *check = &request->check;
    struct state state;
    find_state(&check->optimizer, kept, object, &state);
    for (size_t part = UPDATE_FIRST; part < UPDATE_PARTS; part++) {
        if (state.members[part] == NULL) continue;
        request->state_names[part] = state.called[part];
        if (read_part(r, parameters, state.members[part], part, request) != CODE_OK) return r->error->code;
    }
    const char *step = step_called(object);
    const json_t *submitted = json_object_get(object, step);
    check->step_submitted = submitted != NULL;
    if (submitted != NULL) check->submitted_step = json_is_number(submitted) ? json_number_value(submitted) : NAN;
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        const char *name = json_object_iter_key(at);
        if (strcmp(name, step) != 0 && !is_called(&state, name) && add_unexpected(r, name, request) != CODE_OK)
            return r->error->code;
    }
    return CODE_OK;
}

static int read_updated(struct members *r, const json_t *root, const bool *kept, struct update_task *request)
{
    const json_t *updated, *parameters = json_object_get(root, "parameters");
    if (members_member(r, root, "updated", REQUIRED, &updated) != CODE_OK) return r->error->code;
    request->unexpected = arena_array(r->arena, CHECK_UNEXPECTED_MAX, sizeof *request->unexpected);
    if (request->unexpected == NULL) return members_out_of_memory(r);
    if (read_part(r, parameters, json_object_get(updated, "parameters"), UPDATE_PARAMETER, request) != CODE_OK)
        return r->error->code;
    if (read_updated_state(r, parameters, json_object_get(updated, "state"), kept, request) != CODE_OK)
        return r->error->code;
    for (void *at = json_object_iter((json_t *)updated); at != NULL;
         at = json_object_iter_next((json_t *)updated, at)) {
        const char *name = json_object_iter_key(at);
        if (strcmp(name, "parameters") != 0 && strcmp(name, "state") != 0 &&
            add_unexpected(r, name, request) != CODE_OK)
            return r->error->code;
    }
    return CODE_OK;
}

/* ---- the whole ---- */

static int check_limits(const struct options *options, struct update_task *request, struct error *error)
{
    const struct update_check *check = &request->check;
    double elements = 0, written = 0;
    for (size_t p = 0; p < check->count; p++)
        elements += (double)check->parameters[p].from.n;
    if (check->reveal) written = UPDATE_PARTS * elements;
    request->work = update_check_work((double)check->count, elements) + WORK_PER_NUMBER_WRITTEN * written;
    if (quota_work(options, "check", request->work, error) != CODE_OK) return error->code;
    return quota_memory(options, "check", 8 * update_check_elements(elements) + 2 * NUMBER_TEXT_MAX * written, error);
}

int update_task_read(struct arena *arena, const struct options *options, struct update_task *request,
                     struct error *error)
{
    static const char *const known[] = {"optimizer", "form",      "parameters", "gradients", "state",
                                        "updated",   "tolerance", "diagnose",   "reveal",    NULL};
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    struct update_check *check = &request->check;
    const json_t *root = request->document.root;
    int form = 0;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (members_known(&r, root, known) != CODE_OK) return error->code;
    if (read_optimizer(&r, root, &check->optimizer) != CODE_OK) return error->code;
    check->form_given = json_object_get(root, "form") != NULL;
    if (members_choice(&r, root, "form", OPTIONAL, velocity_form_names, &form) != CODE_OK) return error->code;
    check->form = (enum velocity_form)form;
    if (read_tolerance(&r, root, &check->tolerance) != CODE_OK) return error->code;
    check->diagnose = true;
    if (members_bool(&r, root, "diagnose", OPTIONAL, &check->diagnose) != CODE_OK) return error->code;
    if (members_bool(&r, root, "reveal", OPTIONAL, &check->reveal) != CODE_OK) return error->code;
    if (read_parameters(&r, root, check) != CODE_OK || read_gradients(&r, root, check) != CODE_OK) return error->code;
    const struct step_plan plan = step_plan_of(&check->optimizer, 1, check->form);
    if (check->form_given && !step_plan_has_velocity(&plan)) {
        error_set(error, CODE_OUT_OF_RANGE, "form is for sgd with momentum, which keeps a velocity");
        return error_at(error, "form");
    }
    const bool kept[UPDATE_PARTS] = {true, plan.update.uses_first, plan.update.uses_second};
    if (read_state(&r, root, kept, request) != CODE_OK) return error->code;
    if (read_updated(&r, root, kept, request) != CODE_OK) return error->code;
    return check_limits(options, request, error);
}
