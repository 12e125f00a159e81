/* What is written into while something behind it still reads it: a value of the forward pass, or a gradient on the way,
 * under another name of the same array; or parameters that are updated before they have been used. */
#ifndef CORE_BACKWARD_SPOILED_H
#define CORE_BACKWARD_SPOILED_H

#include "core/backward/events.h"

/* Gives an array as a value of the forward pass; false where memory is short. The same of all that a program has made,
 * by its names. */
bool spoiled_give(struct run *run, const char *name, struct array *array);
int spoiled_give_names(struct run *run, const struct evaluation *e);

/* Notes in run->spoiled that a statement writes into an array under another name of it; that it puts other numbers
 * under the name of a value of the forward pass. */
void spoiled_note_shared(struct run *run, const struct written_place *written, size_t statement);
void spoiled_note_own(struct run *run, struct evaluation *e, const struct written_place *written,
                      const struct thing *thing, size_t statement);

/* Whether a plan keeps apart what has the names of an array. */
bool spoiled_is_apart(const struct run *run, const struct array *array);

/* Under a plan that leaves a value as it was what the statement puts in its place: *thing becomes that. */
int spoiled_restore(struct run *run, struct evaluation *e, const struct written_place *written, struct thing *thing,
                    size_t statement);

#endif
