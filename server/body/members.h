/* Reading a document member by member: types, ranges, unknown names, each fault with its place.
 *
 * Functions take the object and the name of the member; on a fault they set the error with its
 * name as the step and return its code. The caller puts its own steps in front (error_at). */
#ifndef SERVER_BODY_MEMBERS_H
#define SERVER_BODY_MEMBERS_H

#include "core/base/tensor.h"
#include "server/body/document.h"

struct members {
    struct arena *arena;
    const struct document *document;
    struct error *error;
};

enum presence { OPTIONAL, REQUIRED };

/* CODE_UNKNOWN_MEMBER for a member whose name is not in `known` (ends with NULL); the detail names the
 * nearest. */
int members_known(struct members *r, const json_t *object, const char *const *known);

/* The member into *value, NULL where an optional one is absent. CODE_MISSING_MEMBER. */
int members_member(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const json_t **value);

/* The same, checked to be of a type. Where an optional member is absent, *value is left as it is. A whole
 * number may be written 3, 3.0 or 3e0. CODE_WRONG_TYPE, CODE_NOT_FINITE, CODE_OUT_OF_RANGE. */
int members_object(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const json_t **value);
int members_string(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const char **value);
int members_bool(struct members *r, const json_t *object, const char *name, enum presence presence, bool *value);
int members_number(struct members *r, const json_t *object, const char *name, enum presence presence, double *value);
int members_size(struct members *r, const json_t *object, const char *name, enum presence presence, double least,
                 double most, double *value);
/* One of `choices` (ends with NULL): its index. */
int members_choice(struct members *r, const json_t *object, const char *name, enum presence presence,
                   const char *const *choices, int *value);

/* A finite tensor; *value points into the document. A ragged one is CODE_SHAPE_MISMATCH, an element that is
 * not finite CODE_NOT_FINITE with its indices as steps. */
int members_tensor(struct members *r, const json_t *object, const char *name, const struct tensor **value);

/* The same, where a bare number will do, too: a tensor of rank 0. */
int members_tensor_or_number(struct members *r, const json_t *object, const char *name, const struct tensor **value);

/* CODE_SHAPE_MISMATCH for a bare number where there must be a tensor. */
int members_bare_number(struct members *r, const char *name);

/* " (did you mean W1?)" in the arena, or "". */
const char *members_suggestion(struct arena *arena, const char *name, const char *const *known, size_t count);

/* CODE_OUT_OF_MEMORY. */
int members_out_of_memory(struct members *r);

#endif
