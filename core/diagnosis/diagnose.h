/* What a student did wrong, and where: a search for the mistakes that reproduce the numbers that were handed in.
 *
 * THE IDEA. A backward pass is a chain of small steps, and a wrong gradient is nearly always the right pass with one
 * step done wrong. So we do the pass again, with a wrong step in it, and look whether the student's numbers come out.
 * Where they do, to the last digits, that step is what was done wrong; where no step does it, we say nothing.
 *
 * AN EXAMPLE. x -> linear (W1, b1) -> z1 -> tanh -> h1 -> linear (W2, b2) -> y_hat -> mse. Handed in: W2 and b2 right,
 * W1 and b1 wrong. The walk begins at the lowest node such that all behind it is right: the second linear layer
 * (start.h). It sends dh1 = dz2 @ W2.T back to tanh, by the right rule first. Tanh's right rule gives dz1 = dh1 * (1 -
 * h1**2), from which dW1 = x.T @ dz1 would follow. That is not what was handed in: the hypothesis "all is right" ends
 * there. Now the wrong rules for tanh's step are tried, one after the other. "dz1 = dh1" gives another dW1; no. "dz1 =
 * dh1 * (1 - h1)" gives the dW1 and db1 that were handed in, in all digits: the path [a wrong derivative at tanh] has
 * reached the end, and goes into the pool. Of all that is in the pool at the end, the likeliest is the answer, and the
 * others that explain as much are its alternatives.
 *
 * THE WALK (walk.h) goes over the graph from the last node to the first. What comes back to each value is kept as a
 * number for each element, or as value + c * slope where a rule has a number in it that is not known (a slope, a
 * learning rate): the first tensor that shows c settles it, by least squares (number.h). A value that several nodes
 * take gets the sum of what they send (flow.h). At each node
 *   1. its own tensors are compared with what was handed in, once nothing more can come to them (explain.h). One that
 * does not fit may have a mistake of its own: transposed, not summed, scaled, ... , or two, one on top of the other
 * (composed.c); else the hypothesis is dropped;
 *   2. what it sends to each of its inputs is made by the right rule, and then by each wrong one: those of its op
 *      (op->mistakes), those of its kind (activations, losses), and those that no op owns: what one of several
 * consumers sends is missing, is added twice, or replaced the others. A hypothesis is a path of such choices
 * (hypothesis.h). Within a budget of one to three different mistakes; the same one made at several places counts once,
 * since whoever gets tanh's derivative wrong does so at every tanh.
 *
 * EVIDENCE. A coincidence is no explanation. Each mistake of a path has to bring the numbers nearer, by so many decimal
 * digits in all of what it touches, that among all the rules that are tried none would do so by chance; a number that
 * was fitted costs what it could have fitted. What is right speaks against a mistake that would spoil it.
 *
 * BEFORE IT. Values that were handed in for the way are judged by what was handed in for what goes into them (given.h),
 * and a forward value that is wrong is named first; the whole pass is run again with a slip in its forward part to see
 * what it looks like (forward_wrong.h).
 *
 * WHERE NOTHING FITS. Then no mistake is named, and the places are listed that can account for what is wrong, given
 * what is right (suspects.h).
 *
 * THE ANSWER (answer.h). What is said has to be true of all that it names: the same mistake with another number, or on
 * single tensors, is an entry of its own; a negative constant is a flipped sign and what else it is (parts.h).
 *
 * AROUND IT. What is done to finished gradients (clipped, rounded to float32, exchanged, multiplied) is looked for
 * before and between the searches (whole.h). Before any two mistakes comes what is one, too, but none of a step of the
 * backward pass: differences handed in for derivatives, an epsilon in a logarithm (nearly.h), a slip of the forward
 * pass that is seen through the gradients alone. Where tensors are large, a rule is tried on a few units or on one
 * combination of the rows before all of it (sketch.h); that turns away only what cannot fit. */
#ifndef CORE_DIAGNOSIS_DIAGNOSE_H
#define CORE_DIAGNOSIS_DIAGNOSE_H

#include "core/check/check.h"
#include "core/diagnosis/found.h"

/* Seconds of computing that a search should be given. */
#define DIAGNOSE_SECONDS 0.25

/* Numbers that a search needs room for, at most. */
double diagnose_elements(const struct network *network);

/* Diagnoses a report that did not pass, for that many seconds of computing at most (0: says only what is first wrong).
 * What may have been lost (entry->lost_perhaps) and no mistake explains was (entry->lost). Memory from the arena.
 * CODE_OUT_OF_MEMORY, CODE_CANCELLED; nothing that a student handed in is an error. */
int diagnose_run(struct arena *arena, const struct check *check, struct report *report, double seconds,
                 struct diagnosis *diagnosis, struct error *error);

#endif
