/* The main job: a student's gradients against the reference's, parameter by parameter. */
#ifndef CORE_CHECK_CHECK_H
#define CORE_CHECK_CHECK_H

#include "core/check/report.h"

/* Floating-point operations that a check takes, at most; with central differences, or without. */
double check_work(const struct network *network, bool differences);

/* Those of them that the check's backend does where it is a device: all, but the differences of networks that it cannot
 * evaluate many at a time, which the CPU does. */
double check_device_work(const struct network *network, bool differences);

/* What submissions are compared with: computed once, it is good for any number of them, from one thread at a time. */
struct reference {
    struct pass pass;
    double **gradients; /* by graded, on the host, layout inside */
    double largest;     /* of all of them */
    double seconds;     /* that the pass took */
};

/* Runs the pass, whose memory is the arena's, or the device's until check_reference_free. Errors as below. What was
 * submitted does not matter yet. */
int check_reference(struct arena *arena, const struct check *check, struct reference *reference, struct error *error);
void check_reference_free(const struct check *check, struct reference *reference);

/* Compares what was submitted with it. The report and all it points to come from the arena; it ends with the
 * reference, whose pass is used for other sides of kinks, and is as it was afterwards. */
int check_judge(struct arena *arena, const struct check *check, struct reference *reference, struct report *report,
                struct error *error);

/* Adds to a report how well the reference agrees with central differences, and these themselves, as far as the check
 * asks for them. */
int check_verify(struct arena *arena, const struct check *check, const struct reference *reference,
                 struct report *report, struct error *error);

/* All of that at once. The report and all it points to come from the arena. Whatever is wrong with what the student
 * handed in is in the report; errors are the pass's: CODE_NOT_FINITE, CODE_OUT_OF_RANGE, CODE_OUT_OF_MEMORY,
 * CODE_CANCELLED, CODE_DEVICE. */
int check_run(struct arena *arena, const struct check *check, struct report *report, struct error *error);

#endif
