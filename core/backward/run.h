/* One evaluation of a student's code: what it puts where, step by step; as it is, or with what is wrong put right on
 * the way. */
#ifndef CORE_BACKWARD_RUN_H
#define CORE_BACKWARD_RUN_H

#include "core/backward/state.h"

/* Elements of all arrays that a run may make, for a network's code: many times those of the forward pass. */
#define RUN_ELEMENTS_LEAST 200000.0
#define RUN_ELEMENTS_FOR_EACH 60.0
#define RUN_ELEMENTS_MAX 8e6
#define RUN_WORK_MAX 1e9
size_t run_elements(const struct network *network);

/* Runs the code `text`. What is wrong with it is in the run: with outcomes[s].fault, or, where it is no code at all, in
 * run->error with its place in run->reader.fault. CODE_OK or CODE_OUT_OF_MEMORY. */
int run_code(struct run *run, struct arena *arena, const struct surroundings *surroundings, const struct plan *plan,
             const char *text, size_t length);

#endif
