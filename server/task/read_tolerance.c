#include "server/task/read_tolerance.h"

#include <string.h>

static int read_limit(struct members *r, const json_t *object, const char *name, double *limit)
{
    if (members_number(r, object, name, OPTIONAL, limit) != CODE_OK || *limit >= 0) return r->error->code;
    error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.17g, it must be at least 0", name, *limit);
    return error_at(r->error, name);
}

/* {"atol": a, "rtol": r}, or {"relative_norm": t} and the like. */
static int read_tolerance_object(struct members *r, const json_t *object, struct tolerance_rule *tolerance)
{
    static const char *const known[] = {"atol", "rtol", "relative_norm", "relative_error", "decimals", NULL};
    *tolerance = (struct tolerance_rule){.kind = TOLERANCE_PLAIN, .plain = {.atol = 1e-6}};
    members_known(r, object, known);
    for (int kind = TOLERANCE_RELATIVE_NORM; r->error->code == CODE_OK && kind <= TOLERANCE_DECIMALS; kind++) {
        const char *name = tolerance_names[kind];
        if (json_object_get(object, name) == NULL) continue;
        tolerance->kind = (enum tolerance_kind)kind;
        if (json_object_size(object) > 1) {
            error_set(r->error, CODE_OUT_OF_RANGE, "%s is a rule of its own, beside which nothing else can stand",
                      name);
            return error_at(r->error, name);
        }
        read_limit(r, object, name, &tolerance->limit);
    }
    if (r->error->code == CODE_OK) read_limit(r, object, "atol", &tolerance->plain.atol);
    if (r->error->code == CODE_OK) read_limit(r, object, "rtol", &tolerance->plain.rtol);
    return r->error->code;
}

int read_tolerance(struct members *r, const json_t *root, struct tolerance_rule *tolerance)
{
    const json_t *member = json_object_get(root, "tolerance");
    *tolerance = (struct tolerance_rule){.kind = TOLERANCE_AUTO};
    if (member == NULL || (json_is_string(member) && strcmp(json_string_value(member), "auto") == 0)) return CODE_OK;
    if (json_is_object(member)) {
        read_tolerance_object(r, member, tolerance);
    } else {
        error_set(r->error, CODE_WRONG_TYPE, "tolerance must be \"auto\" or an object, as {\"atol\": 1e-6}");
    }
    return r->error->code != CODE_OK ? error_at(r->error, "tolerance") : CODE_OK;
}
