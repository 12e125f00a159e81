/* One submission after the other, as lines of a body of many: each with what it shares with the others, or with that
 * already computed. */
#ifndef SERVER_API_CLASS_LINE_H
#define SERVER_API_CLASS_LINE_H

#include "server/body/ndjson.h"
#include "server/http/exchange.h"
#include "server/task/judged.h"

/* What all lines share, as it stands in the first one. */
struct class_common {
    struct ndjson_member members[NDJSON_MEMBERS_MAX];
    size_t count;
    bool complete; /* a line needs gradients alone: what they are compared with is computed once */
};

/* One of the threads that judge lines: nothing of it is anybody else's. */
struct class_worker {
    const struct exchange *exchange;
    const struct class_common *common;
    struct arena arena;         /* of what is computed once, */
    struct arena line;          /* of the line at hand, */
    struct arena answers;       /* and of what is to be sent */
    struct judged shared;       /* where the common members are complete: the problem, */
    struct reference reference; /* and what submissions are compared with; */
    bool referenced;
    bool ready; /* it has begun, and nothing was in its way */
};

/* Reads what the lines share: `value` is that of the member "common". Errors point into it. */
int class_read_common(const char *value, size_t length, struct class_common *common, struct error *error);

/* Begins a worker; class_worker_end gives back what it holds, also where that failed, or where all of it is still 0.
 * With complete common members its reference is computed; `first`, where there is one, has verified it already. */
int class_worker_begin(struct class_worker *worker, const struct exchange *exchange, const struct class_common *common,
                       const struct class_worker *first, struct error *error);
void class_worker_end(struct class_worker *worker);

/* Gives back what its lines took, their answers, too. */
void class_worker_rest(struct class_worker *worker);

/* Judges a line: its answer, ended by '\n', is in worker->answers. NULL when memory is short. *cancelled: it was given
 * up.
 */
const char *class_worker_judge(struct class_worker *worker, const struct ndjson_line *line, size_t *length,
                               bool *cancelled);

/* The members of a check that lines, and `common`, may have besides those of a check. */
#define CLASS_ID "id"
#define CLASS_COMMON "common"

#endif
