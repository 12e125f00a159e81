/* A request of POST /v1/train: from the document to core's structs. */
#ifndef SERVER_TASK_TRAIN_TASK_H
#define SERVER_TASK_TRAIN_TASK_H

#include "core/train/grid.h"
#include "core/train/train.h"
#include "server/options.h"
#include "server/task/read_network.h"

struct train_task {
    struct document document;
    struct problem_set set;
    struct device_choice device;
    enum dtype dtype;
    bool brief; /* in: reading a program may take a moment only; out: that it would have taken more */
    struct grid boundary;
    double work;              /* floating-point operations that the training will take */
    struct training training; /* complete after train_task_read, but for who is told of its progress */
};

/* Reads what says how much work it is: network, batch, optimizer, options. 422 CODE_TOO_MUCH_WORK where it is more than
 * the options allow, in operations or in memory. */
int train_task_measure(struct arena *arena, const struct options *options, struct train_task *request,
                       struct error *error);

/* Reads the rest: the tensors. After train_task_measure. */
int train_task_read(struct arena *arena, struct train_task *request, struct error *error);

#endif
