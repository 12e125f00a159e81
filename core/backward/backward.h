/* The student's backward pass as the code that it is: evaluated on the right forward values, each line judged by what
 * goes into it.
 *
 * THE IDEA. A line is wrong where it makes something wrong of what is right. So the code is run twice. The first run
 * (run.h) takes it as it is, and says what is handed in. The second puts every gradient that comes out wrong right
 * before it is used: what comes out wrong there is wrong by its own line; what differs between the runs and is right in
 * the second is wrong only by what came in.
 *
 * WHAT STANDS FOR WHAT (aims.h). A name says it (dW1, grads["dW1"], nabla_w[-1]); what has no such name is what it is
 * put under later (a function's dW that becomes grads["dW2"]), or the gradient that its numbers are. What is none of
 * these is a helper, and is not judged by itself.
 *
 * WHO IS TO BLAME (blame.h). A gradient on the way may be another number than it is called after, as long as all comes
 * out right: m times the gradient, where 1/m is put in later; a derivative alone. That is tried first: the reading
 * counts with which the fewest lines are wrong. Then small edits are (edits.h): of a line that is wrong, which say what
 * it should be; and of helpers before it, of which one is to blame where its edit makes right what came out wrong.
 *
 * AN EXAMPLE. "dz1 = dh1 * (1 - h1)" with dh1 right is not the gradient of z1; the lines of dW1 and db1 are right with
 * the right dz1 in its place. The edit "h1**2" gives the gradient of z1 to all digits: that is what it should be. */
#ifndef CORE_BACKWARD_BACKWARD_H
#define CORE_BACKWARD_BACKWARD_H

#include "core/backward/line.h"

/* Seconds of computing that the search for what is wrong should be given. */
#define BACKWARD_SECONDS 1.0

#define BACKWARD_BYTES_MAX ((size_t)64 << 10)

/* Evaluates the code and finds out what is wrong with it; `pass` is the problem's, run in float64 on the CPU. Fills in
 * backward->gradients, what it hands in. Whatever is wrong with the code is no error. Memory from the arena.
 * CODE_OUT_OF_MEMORY. */
int backward_run(struct arena *arena, const struct check *check, const struct pass *pass, const struct known_code *code,
                 double seconds, struct backward *backward, struct error *error);

/* Judges its lines, once the report on what it hands in is there, and adds to that: the gradients on the way as
 * intermediates, and check->carry of the points for what is wrong only by what came in. CODE_OUT_OF_MEMORY. */
int backward_judge(struct arena *arena, const struct check *check, struct backward *backward, struct report *report,
                   struct error *error);

#endif
