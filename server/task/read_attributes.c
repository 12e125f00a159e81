#include "server/task/read_attributes.h"

#include <math.h>

enum { KNOWN_MAX = 24 };

static int check_range(struct members *r, const struct attribute *a, const char *name, double value)
{
    bool low = value < a->least || (value == a->least && a->open);
    if (!low && !(a->below > 0 && value >= a->below)) return CODE_OK;
    if (low)
        error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.17g, it must be %s %.17g", name, value,
                  a->open ? "greater than" : "at least", a->least);
    else
        error_set(r->error, CODE_OUT_OF_RANGE, "%s is %.17g, it must be less than %.17g", name, value, a->below);
    return r->error->code;
}

/* An array of two numbers; the second has the entry behind. */
static int read_pair(struct members *r, const json_t *object, const struct attribute *a, double *values)
{
    const json_t *member;
    values[0] = a[0].fallback;
    values[1] = a[1].fallback;
    if (members_member(r, object, a->name, OPTIONAL, &member) != CODE_OK || member == NULL) return r->error->code;
    const struct tensor *pair;
    if (members_tensor(r, object, a->name, &pair) != CODE_OK) return r->error->code;
    if (pair->shape.rank != 1 || pair->size != 2) {
        error_set(r->error, CODE_WRONG_TYPE, "%s must be an array of two numbers", a->name);
        return error_at(r->error, a->name);
    }
    for (size_t i = 0; i < 2; i++) {
        values[i] = pair->data[i];
        if (check_range(r, &a[i], a->name, values[i]) == CODE_OK) continue;
        error_at_index(r->error, i);
        return error_at(r->error, a->name);
    }
    return CODE_OK;
}

/* A size for both, or an array of two. */
static int read_sizes(struct members *r, const json_t *object, const struct attribute *a, double *values)
{
    enum presence presence = a->required ? REQUIRED : OPTIONAL;
    const json_t *member;
    double most = a->most > 0 ? a->most : SIZE_MOST;
    values[0] = values[1] = a->fallback;
    if (members_member(r, object, a->name, presence, &member) != CODE_OK || member == NULL) return r->error->code;
    const struct numbers *numbers = document_numbers(r->document, member);
    if (numbers == NULL || numbers->ragged || numbers->tensor.shape.rank == 0) {
        if (members_size(r, object, a->name, presence, a->least, most, &values[0]) == CODE_OK) values[1] = values[0];
        return r->error->code;
    }
    if (numbers->tensor.shape.rank != 1 || numbers->tensor.size != 2) {
        error_set(r->error, CODE_WRONG_TYPE, "%s must be a whole number, or an array of two", a->name);
        return error_at(r->error, a->name);
    }
    for (size_t i = 0; i < 2; i++) {
        values[i] = numbers->tensor.data[i];
        if (values[i] >= a->least && values[i] <= most && values[i] == floor(values[i])) continue;
        error_set(r->error, CODE_OUT_OF_RANGE, "a size of %s is %.17g, it must be a whole number from %.17g", a->name,
                  values[i], a->least);
        error_at_index(r->error, i);
        return error_at(r->error, a->name);
    }
    return CODE_OK;
}

static int read_attribute(struct members *r, const json_t *object, const struct attribute *a, double *value)
{
    enum presence presence = a->required ? REQUIRED : OPTIONAL;
    *value = a->fallback;
    bool flag = a->fallback > 0;
    int choice = (int)a->fallback;
    switch (a->kind) {
    case ATTRIBUTE_SIZE:
        return members_size(r, object, a->name, presence, a->least, a->most > 0 ? a->most : SIZE_MOST, value);
    case ATTRIBUTE_FLAG:
        if (members_bool(r, object, a->name, presence, &flag) == CODE_OK) *value = flag;
        return r->error->code;
    case ATTRIBUTE_CHOICE:
        if (members_choice(r, object, a->name, presence, a->choices, &choice) == CODE_OK) *value = choice;
        return r->error->code;
    case ATTRIBUTE_PAIR:
        return read_pair(r, object, a, value);
    case ATTRIBUTE_SIZES:
        return read_sizes(r, object, a, value);
    case ATTRIBUTE_REAL:
        break;
    }
    if (members_number(r, object, a->name, presence, value) != CODE_OK) return r->error->code;
    return check_range(r, a, a->name, *value) == CODE_OK ? CODE_OK : error_at(r->error, a->name);
}

int read_attributes(struct members *r, const json_t *object, const struct attribute *list, const char *const *others,
                    double *values)
{
    const char *known[KNOWN_MAX];
    size_t n = 0;
    for (size_t i = 0; attribute_stands(&list[i]); i++)
        if (list[i].name != NULL && n + 1 < KNOWN_MAX) known[n++] = list[i].name;
    while (*others != NULL && n + 1 < KNOWN_MAX)
        known[n++] = *others++;
    known[n] = NULL;
    if (members_known(r, object, known) != CODE_OK) return r->error->code;
    for (size_t i = 0; attribute_stands(&list[i]); i++)
        if (list[i].name != NULL && read_attribute(r, object, &list[i], &values[i]) != CODE_OK) return r->error->code;
    return CODE_OK;
}

void read_no_attributes(const struct attribute *list, double *values)
{
    for (size_t i = 0; attribute_stands(&list[i]); i++)
        values[i] = list[i].fallback;
}
