#include "server/task/renames.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph/network.h"
#include "server/limits.h"

/* More than any network has parameters, and data for layers. */
enum { RENAMES_MAX = LIMIT_LAYERS * OP_SLOTS_MAX };

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* No two of the client's names may stand for one of the network's. */
static int check_twice(struct members *r, const json_t *object)
{
    size_t count = json_object_size(object), n = 0;
    const char **list = arena_array(r->arena, count, sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at))
        list[n++] = json_string_value(json_object_iter_value(at));
    qsort(list, n, sizeof *list, compare_texts);
    for (size_t i = 1; i < n; i++)
        if (strcmp(list[i - 1], list[i]) == 0) {
            error_set(r->error, CODE_OUT_OF_RANGE, "names has two names for %.*s", LIMIT_NAME, list[i]);
            return error_at(r->error, "names");
        }
    return CODE_OK;
}

int renames_read(struct members *r, const json_t *root, struct renames *renames)
{
    *renames = (struct renames){0};
    if (members_object(r, root, "names", OPTIONAL, &renames->object) != CODE_OK) return r->error->code;
    json_t *object = (json_t *)renames->object;
    if (object == NULL) return CODE_OK;
    if (json_object_size(object) > RENAMES_MAX) {
        error_set(r->error, CODE_OUT_OF_RANGE, "names has more than %d members", RENAMES_MAX);
        return error_at(r->error, "names");
    }
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (!json_is_string(json_object_iter_value(at)))
            error_set(r->error, CODE_WRONG_TYPE, "%.*s must be a string: the network's name for what you call so",
                      LIMIT_NAME, key);
        else if (key[0] == '\0' || strlen(key) > LIMIT_NAME)
            error_set(r->error, CODE_OUT_OF_RANGE, "a name has 1 to %d bytes", LIMIT_NAME);
        if (r->error->code == CODE_OK) continue;
        error_at(r->error, key);
        return error_at(r->error, "names");
    }
    return check_twice(r, object);
}

const char *renames_client(const struct renames *renames, const char *name)
{
    json_t *object = (json_t *)renames->object;
    if (object == NULL) return name;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        if (strcmp(json_string_value(json_object_iter_value(at)), name) == 0) return json_object_iter_key(at);
    return name;
}

int renames_check(struct members *r, const struct renames *renames, const char *const *names, size_t count)
{
    json_t *object = (json_t *)renames->object;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_string_value(json_object_iter_value(at));
        size_t p = 0;
        while (p < count && strcmp(names[p], name) != 0)
            p++;
        if (p < count) continue;
        error_set(r->error, CODE_OUT_OF_RANGE, "the network has nothing called %.*s%s", LIMIT_NAME, name,
                  members_suggestion(r->arena, name, names, count));
        error_at(r->error, json_object_iter_key(at));
        return error_at(r->error, "names");
    }
    return CODE_OK;
}
