#include "server/task/read_range.h"

#include <math.h>

int read_range(struct members *r, const json_t *object, const char *name, double range[2])
{
    const json_t *member;
    const struct tensor *given;
    if (members_member(r, object, name, OPTIONAL, &member) != CODE_OK || member == NULL) return r->error->code;
    if (members_tensor(r, object, name, &given) != CODE_OK) return r->error->code;
    if (given->shape.rank == 1 && given->size == 2 && given->data[0] < given->data[1] &&
        isfinite(given->data[1] - given->data[0])) {
        range[0] = given->data[0];
        range[1] = given->data[1];
        return CODE_OK;
    }
    error_set(r->error, CODE_OUT_OF_RANGE, "%s must be two numbers, the first less than the second", name);
    return error_at(r->error, name);
}
