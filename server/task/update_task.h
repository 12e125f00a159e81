/* A request of POST /v1/optimizer_step: from the document to core's structs. */
#ifndef SERVER_TASK_UPDATE_TASK_H
#define SERVER_TASK_UPDATE_TASK_H

#include "core/update/update_report.h"
#include "server/body/document.h"
#include "server/options.h"

struct update_task {
    struct document document;
    double work; /* floating-point operations that it will take */
    struct update_check check;
    const char *state_names[UPDATE_PARTS]; /* what the client calls the state, of what is kept */
    const char **unexpected;               /* names that were handed in for nothing, of at most LIMIT_NAME bytes each */
    size_t unexpected_count, unexpected_not_listed;
};

/* Reads all of it. 422 CODE_TOO_MUCH_WORK where it is more than the options allow, in operations or in memory. */
int update_task_read(struct arena *arena, const struct options *options, struct update_task *request,
                     struct error *error);

#endif
