/* A check from its document to all that there is to report. */
#ifndef SERVER_TASK_JUDGED_H
#define SERVER_TASK_JUDGED_H

#include "core/diagnosis/diagnose.h"
#include "core/trace/trace.h"
#include "server/task/check_task.h"

struct judged {
    struct check_task request;
    struct report report;
    struct diagnosis diagnosis;
    bool diagnosed; /* there is a diagnosis, or part of one */
    struct trace trace;
    struct backward backward; /* where the request has code in place of gradients */
    bool again;               /* a device failed, and the CPU has begun anew */
    double read_seconds, diagnose_seconds, trace_seconds;
};

/* All of these: memory from the arena. The errors are those of the pass, and of what was sent. */

/* After check_task_measure: reads the tensors; a student's code is evaluated, and what it comes to is what is handed
 * in.
 */
int judged_read(struct arena *arena, struct judged *judged, const atomic_bool *cancelled, struct error *error);

/* Makes the report. The search for the cause of what is wrong takes that many seconds at most; where the device fails,
 * all is done anew on the CPU. With check.brief it may be report.postponed. */
int judged_compute(struct arena *arena, struct judged *judged, double seconds, struct error *error);

/* The same with a reference that is there. */
int judged_compare(struct arena *arena, struct judged *judged, struct reference *reference, double seconds,
                   struct error *error);

/* The search for the cause once more, with more time. */
int judged_diagnose(struct arena *arena, struct judged *judged, double seconds, struct error *error);

/* The trace, where one is asked for. */
int judged_trace(struct arena *arena, struct judged *judged, struct error *error);

#endif
