#include "server/task/read_penalties.h"

#include <string.h>

static int too_small(struct members *r, const char *name, double value)
{
    error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.17g, it must be at least 0", name, value);
    return error_at(r->error, name);
}

static int read_number(struct members *r, const json_t *loss, const char *name, double *lambda)
{
    if (json_is_object(json_object_get(loss, name))) return CODE_OK;
    if (members_number(r, loss, name, OPTIONAL, lambda) != CODE_OK) return r->error->code;
    return *lambda >= 0 ? CODE_OK : too_small(r, name, *lambda);
}

int read_penalties(struct members *r, const json_t *loss, struct definition *definition)
{
    if (read_number(r, loss, "l2", &definition->l2) != CODE_OK) return r->error->code;
    return read_number(r, loss, "l1", &definition->l1);
}

bool penalties_are_named(const json_t *loss)
{
    return json_is_object(json_object_get(loss, "l2")) || json_is_object(json_object_get(loss, "l1"));
}

/* The numbers of one that is an object, 0 for a parameter that is not there, into *of; NULL where it is none. */
static int read_named(struct members *r, const json_t *loss, const char *name, const char *const *known, size_t count,
                      const double **of)
{
    const json_t *object = json_object_get(loss, name);
    if (!json_is_object(object)) return CODE_OK;
    double *lambda = arena_zeroed(r->arena, count + 1, sizeof *lambda);
    if (lambda == NULL) return members_out_of_memory(r);
    *of = lambda;
    members_known(r, object, known);
    for (size_t p = 0; r->error->code == CODE_OK && p < count; p++) {
        members_number(r, object, known[p], OPTIONAL, &lambda[p]);
        if (r->error->code == CODE_OK && lambda[p] < 0) too_small(r, known[p], lambda[p]);
    }
    return r->error->code != CODE_OK ? error_at(r->error, name) : CODE_OK;
}

int read_named_penalties(struct members *r, const json_t *loss, const char *const *names, size_t count,
                         struct definition *definition)
{
    const char **known = arena_zeroed(r->arena, count + 1, sizeof *known);
    if (known == NULL) return members_out_of_memory(r);
    memcpy(known, names, count * sizeof *known);
    if (read_named(r, loss, "l2", known, count, &definition->l2_of) != CODE_OK) return r->error->code;
    return read_named(r, loss, "l1", known, count, &definition->l1_of);
}
