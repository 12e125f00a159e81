/* What a run of a student's code puts where: things as events, by their places and by the arrays that they are, and
 * what is written into an array under another name. */
#ifndef CORE_BACKWARD_PUT_H
#define CORE_BACKWARD_PUT_H

#include "core/backward/events.h"

/* A statement puts something somewhere: an event for each array in it. A plan may put right what *thing is. */
int put_note(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
             size_t statement);

/* The same as an assignment has it: under a gradient's own name numbers are a tensor, be they a list or whole; and
 * anything else takes its place. */
int put_assigned(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                 size_t statement);

/* An array is written into: an event at each place where it, what it is a view of, or another view of that stands for a
 * graded gradient. `made` is what it has become, *thing what a plan has put there. */
int put_shared(struct run *run, struct evaluation *e, const struct written_place *written, const struct array *made,
               struct thing *thing, size_t statement);

#endif
