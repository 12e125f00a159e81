#include "server/body/members.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/limits.h"
#include "server/body/suggest.h"

int members_out_of_memory(struct members *r)
{
    return error_out_of_memory(r->error);
}

const char *members_suggestion(struct arena *arena, const char *name, const char *const *known, size_t count)
{
    const char *nearest = suggest_name(name, known, count);
    if (nearest == NULL) return "";
    size_t room = strlen(nearest) + 32;
    char *text = arena_alloc(arena, room);
    if (text == NULL) return "";
    snprintf(text, room, " (did you mean %s?)", nearest);
    return text;
}

static size_t list_length(const char *const *list)
{
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    return n;
}

static bool listed(const char *name, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strcmp(name, list[i]) == 0) return true;
    return false;
}

int members_known(struct members *r, const json_t *object, const char *const *known)
{
    /* Few names are compared faster than one is looked up; with very many (parameters) it is the other way round. */
    enum { FEW = 8 };
    size_t found = 0;
    for (size_t i = 0; json_object_size(object) > FEW && known[i] != NULL; i++)
        if (json_object_get(object, known[i]) != NULL) found++;
    if (found > 0 && found == json_object_size(object)) return CODE_OK;
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        const char *name = json_object_iter_key(at);
        if (listed(name, known)) continue;
        error_set(r->error, CODE_UNKNOWN_MEMBER, "there is no member %.*s here%s", LIMIT_NAME, name,
                  members_suggestion(r->arena, name, known, list_length(known)));
        return error_at(r->error, name);
    }
    return CODE_OK;
}

int members_member(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const json_t **value)
{
    *value = json_object_get(object, name);
    if (*value != NULL || presence == OPTIONAL) return CODE_OK;
    error_set(r->error, CODE_MISSING_MEMBER, "the member %s is missing", name);
    return error_at(r->error, name);
}

static int wrong_type(struct members *r, const char *name, const char *needed)
{
    error_set(r->error, CODE_WRONG_TYPE, "%s must be %s", name, needed);
    return error_at(r->error, name);
}

int members_object(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const json_t **value)
{
    const json_t *member;
    if (members_member(r, object, name, presence, &member) != CODE_OK) return r->error->code;
    if (member == NULL) return CODE_OK;
    if (!json_is_object(member)) return wrong_type(r, name, "an object");
    *value = member;
    return CODE_OK;
}

int members_string(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const char **value)
{
    const json_t *member;
    if (members_member(r, object, name, presence, &member) != CODE_OK) return r->error->code;
    if (member == NULL) return CODE_OK;
    if (!json_is_string(member)) return wrong_type(r, name, "a string");
    *value = json_string_value(member);
    return CODE_OK;
}

int members_bool(struct members *r, const json_t *object, const char *name, enum presence presence, bool *value)
{
    const json_t *member;
    if (members_member(r, object, name, presence, &member) != CODE_OK) return r->error->code;
    if (member == NULL) return CODE_OK;
    if (!json_is_boolean(member)) return wrong_type(r, name, "true or false");
    *value = json_is_true(member);
    return CODE_OK;
}

int members_number(struct members *r, const json_t *object, const char *name, enum presence presence, double *value)
{
    const json_t *member;
    if (members_member(r, object, name, presence, &member) != CODE_OK) return r->error->code;
    if (member == NULL) return CODE_OK;
    /* NaN, infinities and integers beyond 64 bits are numbers of rank 0. */
    const struct numbers *numbers = document_numbers(r->document, member);
    bool scalar = numbers != NULL && !numbers->ragged && numbers->tensor.shape.rank == 0;
    if (!scalar && !json_is_number(member)) return wrong_type(r, name, "a number");
    double number = scalar ? numbers->tensor.data[0] : json_number_value(member);
    if (!isfinite(number)) {
        error_set(r->error, CODE_NOT_FINITE, "%s must be finite", name);
        return error_at(r->error, name);
    }
    *value = number;
    return CODE_OK;
}

int members_size(struct members *r, const json_t *object, const char *name, enum presence presence, double least,
                 double most, double *value)
{
    double number = least;
    const json_t *member = json_object_get(object, name);
    if (members_number(r, object, name, presence, &number) != CODE_OK) return r->error->code;
    if (member == NULL) return CODE_OK;
    if (number != floor(number)) return wrong_type(r, name, "a whole number");
    if (number < least || number > most) {
        error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.17g, it must be from %.0f to %.0f", name, number, least, most);
        return error_at(r->error, name);
    }
    *value = number;
    return CODE_OK;
}

int members_choice(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const char *const *choices, int *value)
{
    const char *given = NULL;
    if (members_string(r, object, name, presence, &given) != CODE_OK) return r->error->code;
    if (given == NULL) return CODE_OK;
    char known[256] = "";
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(given, choices[i]) == 0) {
            *value = i;
            return CODE_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "", choices[i]);
    }
    error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.*s, it must be one of: %s%s", name, LIMIT_NAME, given, known,
              members_suggestion(r->arena, given, choices, list_length(choices)));
    return error_at(r->error, name);
}

/* Puts the index of an element behind `name` in the pointer. */
static int at_element(struct members *r, const char *name, const struct tensor *tensor, size_t offset)
{
    size_t index[TENSOR_RANK_MAX];
    shape_index(&tensor->shape, offset, index);
    for (size_t i = tensor->shape.rank; i-- > 0;)
        error_at_index(r->error, index[i]);
    return error_at(r->error, name);
}

int members_bare_number(struct members *r, const char *name)
{
    error_set(r->error, CODE_SHAPE_MISMATCH, "%.*s is a single number, an array of numbers is needed", LIMIT_NAME,
              name);
    return error_at(r->error, name);
}

/* A number as a tensor of rank 0. */
static int number_tensor(struct members *r, double number, const struct tensor **value)
{
    const struct shape shape = {.rank = 0};
    struct tensor *tensor = arena_alloc(r->arena, sizeof *tensor);
    if (tensor == NULL || !tensor_new(r->arena, &shape, tensor)) return members_out_of_memory(r);
    tensor->data[0] = number;
    *value = tensor;
    return CODE_OK;
}

int members_tensor_or_number(struct members *r, const json_t *object, const char *name, const struct tensor **value)
{
    const json_t *member;
    if (members_member(r, object, name, REQUIRED, &member) != CODE_OK) return r->error->code;
    const struct numbers *numbers = document_numbers(r->document, member);
    if (numbers == NULL && json_is_number(member)) return number_tensor(r, json_number_value(member), value);
    if (numbers == NULL) return wrong_type(r, name, "an array of numbers");
    if (numbers->ragged) {
        error_set(r->error, CODE_SHAPE_MISMATCH, "the rows of %.*s differ in length", LIMIT_NAME, name);
        return error_at(r->error, name);
    }
    size_t bad = tensor_first_not_finite(&numbers->tensor);
    if (bad < numbers->tensor.size) {
        error_set(r->error, CODE_NOT_FINITE, "%.*s holds a number that is not finite", LIMIT_NAME, name);
        return at_element(r, name, &numbers->tensor, bad);
    }
    *value = &numbers->tensor;
    return CODE_OK;
}

int members_tensor(struct members *r, const json_t *object, const char *name, const struct tensor **value)
{
    /* Before whether it is finite: that a number is none of the tensor's. */
    const json_t *member = json_object_get(object, name);
    const struct numbers *numbers = member != NULL ? document_numbers(r->document, member) : NULL;
    bool scalar = numbers != NULL && !numbers->ragged && numbers->tensor.shape.rank == 0;
    if (scalar || json_is_number(member)) return members_bare_number(r, name);
    return members_tensor_or_number(r, object, name, value);
}
