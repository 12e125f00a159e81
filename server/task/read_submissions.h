/* What a student handed in: whatever it is, it is graded. */
#ifndef SERVER_TASK_READ_SUBMISSIONS_H
#define SERVER_TASK_READ_SUBMISSIONS_H

#include "core/check/claims.h"
#include "server/body/members.h"

/* A value as the submission of that name: a tensor, or why it is none. False when memory is short. */
bool read_submission(struct members *r, const char *name, const json_t *value, struct submission *submission);

/* The members of an object, each as one; of what is no object none, and no list of them. CODE_OUT_OF_MEMORY. */
int read_submissions(struct members *r, const json_t *object, struct submissions *submissions);

#endif
