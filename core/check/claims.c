#include "core/check/claims.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph/gradient_names.h"

/* Something that is graded, by its name. */
struct owner {
    const char *name;
    size_t length, graded;
};

/* Sorted, so that a request with very many names takes no quadratic search. */
struct owners {
    struct owner *sorted, *folded; /* by name; by name in lower case */
    size_t count;
};

struct claims {
    enum convention convention;
    const struct submissions *submissions;
    const struct submission **found; /* by graded */
    size_t *rank;                    /* by graded: how that was written; GRADIENT_NAMES_MAX for none */
};

static int compare_owners(const void *a, const void *b)
{
    const struct owner *left = a, *right = b;
    return gradient_name_compare(left->name, left->length, right->name, right->length, false);
}

static int compare_folded(const void *a, const void *b)
{
    const struct owner *left = a, *right = b;
    return gradient_name_compare(left->name, left->length, right->name, right->length, true);
}

static bool owners_new(struct arena *arena, const struct problem *problem, struct owners *owners)
{
    owners->count = problem->network->graded_count;
    owners->folded = NULL;
    owners->sorted = arena_array(arena, owners->count, sizeof *owners->sorted);
    if (owners->sorted == NULL) return false;
    for (size_t p = 0; p < owners->count; p++)
        owners->sorted[p] = (struct owner){.name = problem->names[p], .length = strlen(problem->names[p]), .graded = p};
    qsort(owners->sorted, owners->count, sizeof *owners->sorted, compare_owners);
    return true;
}

static bool owners_fold(struct arena *arena, struct owners *owners)
{
    owners->folded = arena_array(arena, owners->count, sizeof *owners->folded);
    if (owners->folded == NULL) return false;
    memcpy(owners->folded, owners->sorted, owners->count * sizeof *owners->folded);
    qsort(owners->folded, owners->count, sizeof *owners->folded, compare_folded);
    return true;
}

/* What is called so. *doubt is set where there are several. */
static const struct owner *owners_find(const struct owners *owners, const char *name, size_t length, bool fold,
                                       bool *doubt)
{
    const struct owner key = {.name = name, .length = length};
    const struct owner *list = fold ? owners->folded : owners->sorted;
    int (*compare)(const void *, const void *) = fold ? compare_folded : compare_owners;
    const struct owner *at = bsearch(&key, list, owners->count, sizeof *list, compare);
    if (at == NULL || !fold) return at;
    if (at > list && compare(&key, at - 1) == 0) *doubt = true;
    if (at + 1 < list + owners->count && compare(&key, at + 1) == 0) *doubt = true;
    return at;
}

/* The usual request names all by their own names, in order: then there is nothing to look for. */
static bool claim_in_order(const struct problem *problem, struct claims *claims)
{
    size_t count = problem->network->graded_count;
    if (claims->submissions->count != count) return false;
    for (size_t p = 0; p < count; p++) {
        claims->found[p] = &claims->submissions->items[p];
        if (strcmp(claims->found[p]->name, problem->names[p]) != 0) return false;
    }
    return true;
}

/* What a submission's name can be read as: the one thing that is graded, and in which way it is written; NULL where
 * there is none, or more than one. */
static const struct owner *read_name(const struct claims *claims, const struct owners *owners, const char *name,
                                     bool fold, size_t *rank)
{
    bool doubt = false;
    const struct owner *found = NULL;
    *rank = GRADIENT_NAMES_MAX - 1;
    const struct owner *own = owners_find(owners, name, strlen(name), fold, &doubt);
    if (own != NULL && !fold) return own;
    for (size_t way = 0; way < GRADIENT_NAMES_MAX; way++) {
        const char *from;
        size_t length;
        if (!gradient_name_base(claims->convention, name, way, fold, &from, &length)) continue;
        const struct owner *owner = owners_find(owners, from, length, fold, &doubt);
        if (owner == NULL) continue;
        if (found != NULL && owner->graded != found->graded) doubt = true;
        if (found == NULL) *rank = way;
        found = owner;
    }
    return doubt ? NULL : found;
}

static void claim_as_written(struct claims *claims, const struct owners *owners, bool *read)
{
    for (size_t i = 0; i < claims->submissions->count; i++) {
        const struct submission *submission = &claims->submissions->items[i];
        size_t rank;
        const struct owner *owner = read_name(claims, owners, submission->name, false, &rank);
        read[i] = owner != NULL;
        if (owner == NULL || rank >= claims->rank[owner->graded]) continue;
        claims->rank[owner->graded] = rank;
        claims->found[owner->graded] = submission;
    }
}

/* The others, with upper and lower case the same: for what nobody has claimed. Two that are written alike but for the
 * case claim nothing. */
static void claim_in_any_case(struct claims *claims, const struct owners *owners, const bool *read, bool *doubtful)
{
    for (size_t i = 0; i < claims->submissions->count; i++) {
        const struct submission *submission = &claims->submissions->items[i];
        size_t rank;
        const struct owner *owner = read[i] ? NULL : read_name(claims, owners, submission->name, true, &rank);
        if (owner == NULL) continue;
        size_t p = owner->graded, offset = GRADIENT_NAMES_MAX; /* behind all that is written as it should be */
        if (rank + offset > claims->rank[p]) continue;
        doubtful[p] = rank + offset == claims->rank[p];
        claims->rank[p] = rank + offset;
        claims->found[p] = submission;
    }
    for (size_t p = 0; p < owners->count; p++)
        if (doubtful[p]) claims->found[p] = NULL;
}

const struct submission **claims_find(struct arena *arena, const struct problem *problem,
                                      const struct submissions *submissions)
{
    size_t count = problem->network->graded_count;
    struct claims claims = {.convention = problem->convention, .submissions = submissions};
    claims.found = arena_zeroed(arena, count, sizeof *claims.found);
    if (claims.found == NULL || claim_in_order(problem, &claims)) return claims.found;
    struct owners owners;
    bool *read = arena_zeroed(arena, submissions->count, sizeof *read);
    bool *doubtful = arena_zeroed(arena, count, sizeof *doubtful);
    claims.rank = arena_array(arena, count, sizeof *claims.rank);
    if (read == NULL || doubtful == NULL || claims.rank == NULL || !owners_new(arena, problem, &owners)) return NULL;
    for (size_t p = 0; p < count; p++) {
        claims.found[p] = NULL;
        claims.rank[p] = 2 * (size_t)GRADIENT_NAMES_MAX;
    }
    claim_as_written(&claims, &owners, read);
    bool all = true, whole = true;
    for (size_t i = 0; i < submissions->count; i++)
        all = all && read[i];
    for (size_t p = 0; p < count; p++)
        whole = whole && claims.found[p] != NULL;
    if (all || whole) return claims.found;
    if (!owners_fold(arena, &owners)) return NULL;
    claim_in_any_case(&claims, &owners, read, doubtful);
    return claims.found;
}
