/* The attributes of an op or of an optimizer, as members of its object. */
#ifndef SERVER_TASK_READ_ATTRIBUTES_H
#define SERVER_TASK_READ_ATTRIBUTES_H

#include "core/ops/attribute.h"
#include "server/body/members.h"

/* Reads every attribute of the list into values, its default where it is not given, and refuses members that are
 * neither attributes nor among `others` (ends with NULL). The reader's errors, with pointers from the object. */
int read_attributes(struct members *r, const json_t *object, const struct attribute *list, const char *const *others,
                    double *values);

/* The defaults. */
void read_no_attributes(const struct attribute *list, double *values);

#endif
