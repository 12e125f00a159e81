#include "server/task/graded_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph/gradient_names.h"
#include "server/limits.h"

/* Of a request with more gradients, which no network has, data's are found as they should be written. */
enum { GRADIENTS_READ_MAX = 4096 };

/* A name that a gradient may have, and whose it is: a parameter, by number, or, behind all of these, a member of data
 * that layers take. */
struct spelling {
    const char *name;
    size_t owner;
    bool own; /* what the owner itself is called */
};

/* The names of all owners, parameters first. */
struct owners {
    const char **names;
    size_t count, parameters;
};

/* By name; those that are somebody's own first. */
static int compare_spellings(const void *a, const void *b)
{
    const struct spelling *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    if (order == 0) order = right->own - left->own;
    return order != 0 ? order : (left->owner > right->owner) - (left->owner < right->owner);
}

/* All names that the gradients of all owners may have; their number, 0 when memory is short. */
static size_t spell(struct members *r, enum convention convention, const struct owners *owners, struct spelling *list)
{
    size_t count = 0;
    for (size_t owner = 0; owner < owners->count; owner++) {
        const char *of_one[GRADIENT_NAMES_MAX];
        size_t n = gradient_names(convention, owners->names[owner], r->arena, of_one);
        if (n == 0) return 0;
        for (size_t i = 0; i < n; i++)
            list[count++] = (struct spelling){.name = of_one[i], .owner = owner, .own = i + 1 == n};
    }
    return count;
}

static int same_name_error(struct members *r, const struct network *network, const char *name, size_t parameter)
{
    error_set(r->error, CODE_OUT_OF_RANGE, "two layers would have a parameter %s: layer names must differ", name);
    error_at(r->error, "name");
    error_at_index(r->error, network->graded[parameter].layer);
    error_at(r->error, "layers");
    return error_at(r->error, "network");
}

static int renamed_error(struct members *r, const char *name)
{
    error_set(r->error, CODE_OUT_OF_RANGE, "two things would be called %.*s", LIMIT_NAME, name);
    error_at(r->error, name);
    return error_at(r->error, "names");
}

/* Two owners of one name would make a report that nobody can read. */
static int clash_error(struct members *r, const struct renames *renames, const struct network *network,
                       const struct owners *owners, const struct spelling *first, const struct spelling *second)
{
    const struct spelling *one = first->owner < second->owner ? first : second, *other = one == first ? second : first;
    const char *names[] = {owners->names[one->owner], owners->names[other->owner]};
    for (size_t i = 0; i < 2; i++)
        if (renames->object != NULL && json_object_get(renames->object, names[i]) != NULL)
            return renamed_error(r, names[i]);
    if (other->owner < owners->parameters) return same_name_error(r, network, first->name, other->owner);
    error_set(r->error, CODE_OUT_OF_RANGE,
              "data.%.*s needs another name: a gradient called %.*s could be its own or that of %s%.*s", LIMIT_NAME,
              names[1], LIMIT_NAME, first->name, one->owner < owners->parameters ? "the parameter " : "data.",
              LIMIT_NAME, names[0]);
    error_at(r->error, names[1]);
    return error_at(r->error, "data");
}

/* Whether nobody could tell whose gradient a name is. What is the own name of a parameter is no other one's, so that
 * two layers may be called fc and dfc. */
static bool is_clash(const struct owners *owners, const struct spelling *a, const struct spelling *b)
{
    if (a->owner == b->owner || strcmp(a->name, b->name) != 0) return false;
    bool data = a->owner >= owners->parameters || b->owner >= owners->parameters;
    return data || (a->own && b->own);
}

/* Where x is the only member of data that layers take, nothing can be called like it, and of parameters only those of
 * pytorch alike, whose names hold what a user chose, or what a user has renamed. That leaves nearly every network,
 * which needs no time. */
static int check_names(struct members *r, enum convention convention, const struct renames *renames,
                       const struct network *network, const struct owners *owners)
{
    bool x_alone = network->definition->feed_count == 1 && renames->object == NULL;
    if (x_alone && convention != CONVENTION_PYTORCH) return CODE_OK;
    struct spelling *list = arena_array(r->arena, owners->count * GRADIENT_NAMES_MAX, sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    size_t count = x_alone ? owners->parameters : spell(r, convention, owners, list);
    if (count == 0 && owners->parameters > 0) return members_out_of_memory(r);
    for (size_t p = 0; x_alone && p < count; p++)
        list[p] = (struct spelling){.name = owners->names[p], .owner = p, .own = true};
    qsort(list, count, sizeof *list, compare_spellings);
    size_t clash = 0; /* of several the shortest name, which says most */
    for (size_t i = 1; i < count; i++)
        if (is_clash(owners, &list[i - 1], &list[i]) && (clash == 0 || strlen(list[i].name) < strlen(list[clash].name)))
            clash = i;
    if (clash == 0) return CODE_OK;
    return clash_error(r, renames, network, owners, &list[clash - 1], &list[clash]);
}

/* The names of all that may be graded, whether it is or not: as the network has them, then as the client has. */
static int name_owners(struct members *r, enum convention convention, const struct renames *renames,
                       const struct network *network, struct owners *owners)
{
    const struct definition *definition = network->definition;
    owners->parameters = network->parameter_count;
    owners->count = owners->parameters + definition->feed_count;
    owners->names = arena_array(r->arena, owners->count, sizeof *owners->names);
    if (owners->names == NULL) return members_out_of_memory(r);
    for (size_t i = 0; i < owners->count; i++) {
        bool parameter = i < owners->parameters;
        owners->names[i] = parameter ? convention_name(convention, network, i, r->arena)
                                     : definition->feeds[i - owners->parameters].name;
        if (owners->names[i] == NULL) return members_out_of_memory(r);
    }
    if (renames->object == NULL) return CODE_OK;
    if (renames_check(r, renames, owners->names, owners->count) != CODE_OK) return r->error->code;
    for (size_t i = 0; i < owners->count; i++)
        owners->names[i] = renames_client(renames, owners->names[i]);
    return CODE_OK;
}

const char **graded_names(struct members *r, enum convention convention, const struct renames *renames,
                          const struct network *network)
{
    struct owners owners;
    if (name_owners(r, convention, renames, network, &owners) != CODE_OK) return NULL;
    if (check_names(r, convention, renames, network, &owners) != CODE_OK) return NULL;
    size_t graded = network->parameter_count; /* of data only what is wanted */
    for (size_t i = 0; i < network->definition->feed_count; i++)
        if (network->definition->feeds[i].wanted) owners.names[graded++] = owners.names[owners.parameters + i];
    return owners.names;
}

/* Whether a parameter might be called so but for upper and lower case: its name ends with a digit, in pytorch it has a
 * dot. */
static bool may_be_parameter(enum convention convention, const char *name)
{
    size_t n = strlen(name);
    if (convention == CONVENTION_PYTORCH) return strchr(name, '.') != NULL;
    return n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9';
}

static bool is_other_feed(const struct definition *definition, const struct renames *renames, const struct feed *feed,
                          const char *name)
{
    for (size_t i = 0; i < definition->feed_count; i++) {
        const struct feed *other = &definition->feeds[i];
        const char *called = renames_client(renames, other->name);
        if (other != feed && gradient_name_compare(called, strlen(called), name, strlen(name), true) == 0) return true;
    }
    return false;
}

bool graded_is_wanted(struct members *r, enum convention convention, const struct renames *renames,
                      const struct definition *definition, const struct feed *feed, const json_t *gradients)
{
    const char *names[GRADIENT_NAMES_MAX], *name = renames_client(renames, feed->name);
    if (json_object_size(gradients) > GRADIENTS_READ_MAX) {
        size_t count = gradient_names(convention, name, r->arena, names);
        if (count == 0) members_out_of_memory(r); /* never to be taken for a gradient that nobody asks for */
        for (size_t i = 0; i < count; i++)
            if (json_object_get(gradients, names[i]) != NULL) return true;
        return false;
    }
    bool fold = renames->object == NULL && !may_be_parameter(convention, name) &&
                !is_other_feed(definition, renames, feed, name);
    for (void *at = json_object_iter((json_t *)gradients); at != NULL;
         at = json_object_iter_next((json_t *)gradients, at))
        if (gradient_name_rank(convention, json_object_iter_key(at), name, fold) < GRADIENT_NAMES_MAX) return true;
    return false;
}
