/* A request of POST /v1/svd: from the document to matrices. */
#ifndef SERVER_TASK_SVD_TASK_H
#define SERVER_TASK_SVD_TASK_H

#include "core/backend/svd.h"
#include "core/base/tensor.h"
#include "server/body/document.h"
#include "server/options.h"

/* A tensor of two axes or more as a matrix: its first axis, and all others together. */
struct weight {
    const char *name;
    const struct tensor *tensor;
    size_t rows, columns;
    struct svd svd;
};

struct svd_task {
    struct document document;
    struct weight *weights;
    size_t count;
    const char **skipped; /* names of what has fewer axes */
    size_t skipped_count;
    bool vectors;
    double work;
};

/* Reads all of it. 422 CODE_TOO_MUCH_WORK where it is more than the options allow, or than one matrix may be. */
int svd_task_read(struct arena *arena, const struct options *options, struct svd_task *request, struct error *error);

#endif
