/* A request of POST /v1/check: from the document to core's structs. */
#ifndef SERVER_TASK_CHECK_TASK_H
#define SERVER_TASK_CHECK_TASK_H

#include "core/backward/backward.h"
#include "core/check/check.h"
#include "server/options.h"
#include "server/task/read_network.h"

struct check_task {
    struct document document;
    struct problem_set set;
    struct device_choice device;
    enum dtype dtype;
    bool brief; /* in: reading what says how much work it is may take a moment only; out: that it would have taken more
                 */
    bool diagnose, search;      /* the report says what is first wrong; and there is memory to search for the cause */
    bool trace;                 /* of a program, with its values and gradients step by step */
    double work;                /* floating-point operations that the check will take */
    struct known_code backward; /* the student's backward pass as code, in place of gradients; no text without one */
    struct check check;         /* complete after check_task_read */
};

/* Reads what says how much work it is: network, batch, options. 422 CODE_TOO_MUCH_WORK where it is more than
 * the options allow, in operations or in memory. */
int check_task_measure(struct arena *arena, const struct options *options, struct check_task *request,
                       struct error *error);

/* After check_task_measure: the numbers of the problem, and where it is to be computed. */
int check_task_read_problem(struct arena *arena, struct check_task *request, struct error *error);

/* What was submitted; of another document than the problem where many are compared with one. */
int check_task_read_submitted(struct arena *arena, const struct document *document, struct check_task *request,
                              struct error *error);

/* Both. */
int check_task_read(struct arena *arena, struct check_task *request, struct error *error);

#endif
