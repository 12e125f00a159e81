#include "server/task/graded_names.h"

#include <stdlib.h>
#include <string.h>

#include "server/limits.h"

/* A name that a gradient may have, and whose it is: a parameter, by number, or, behind all of these, a member of data
 * that layers take. */
struct spelling {
    const char *name;
    size_t owner;
};

static int compare_spellings(const void *a, const void *b)
{
    const struct spelling *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->owner > right->owner) - (left->owner < right->owner);
}

static const char *owner_name(const struct network *network, const char *const *names, size_t owner)
{
    size_t parameters = network->parameter_count;
    return owner < parameters ? names[owner] : network->definition->feeds[owner - parameters].name;
}

/* All names that the gradients of so many owners may have; their number, 0 when memory is short. */
static size_t spell(struct members *r, enum convention convention, const struct network *network,
                    const char *const *names, size_t owners, struct spelling *list)
{
    size_t count = 0;
    for (size_t owner = 0; owner < owners; owner++) {
        const char *of_one[GRADIENT_NAMES_MAX];
        size_t n = convention_gradient_names(convention, owner >= network->parameter_count,
                                             owner_name(network, names, owner), r->arena, of_one);
        if (n == 0) return 0;
        for (size_t i = 0; i < n; i++)
            list[count++] = (struct spelling){.name = of_one[i], .owner = owner};
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

/* Two owners of one name would make a report that nobody can read. */
static int clash_error(struct members *r, const struct network *network, const char *const *names,
                       const struct spelling *first, const struct spelling *second)
{
    size_t parameters = network->parameter_count;
    if (second->owner < parameters) return same_name_error(r, network, first->name, second->owner);
    const char *name = owner_name(network, names, second->owner);
    error_set(r->error, CODE_OUT_OF_RANGE,
              "data.%.*s needs another name: a gradient called %.*s could be its own or that of %s%.*s", LIMIT_NAME,
              name, LIMIT_NAME, first->name, first->owner < parameters ? "the parameter " : "data.", LIMIT_NAME,
              owner_name(network, names, first->owner));
    error_at(r->error, name);
    return error_at(r->error, "data");
}

/* Where x is the only member of data that layers take, nothing can be called like it, and of parameters only those of
 * pytorch alike, whose names hold what a user chose. That is nearly every network, and needs nearly no time. */
static int check_names(struct members *r, enum convention convention, const struct network *network,
                       const char *const *names)
{
    size_t parameters = network->parameter_count, feeds = network->definition->feed_count;
    bool x_alone = feeds == 1;
    if (x_alone && convention != CONVENTION_PYTORCH) return CODE_OK;
    size_t owners = x_alone ? parameters : parameters + feeds;
    struct spelling *list = arena_array(r->arena, owners * GRADIENT_NAMES_MAX, sizeof *list);
    if (list == NULL) return members_out_of_memory(r);
    size_t count = x_alone ? owners : spell(r, convention, network, names, owners, list);
    if (count == 0 && owners > 0) return members_out_of_memory(r);
    for (size_t p = 0; x_alone && p < owners; p++)
        list[p] = (struct spelling){.name = names[p], .owner = p};
    qsort(list, count, sizeof *list, compare_spellings);
    for (size_t i = 1; i < count; i++)
        if (strcmp(list[i - 1].name, list[i].name) == 0) return clash_error(r, network, names, &list[i - 1], &list[i]);
    return CODE_OK;
}

const char **graded_names(struct members *r, enum convention convention, const struct network *network)
{
    size_t count = network->graded_count;
    const char **names = arena_array(r->arena, count, sizeof *names);
    bool whole = names != NULL;
    for (size_t p = 0; whole && p < count; p++) {
        names[p] = convention_name(convention, network, p, r->arena);
        whole = names[p] != NULL;
    }
    if (!whole) {
        members_out_of_memory(r);
        return NULL;
    }
    return check_names(r, convention, network, names) == CODE_OK ? names : NULL;
}
