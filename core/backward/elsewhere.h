/* The same code beside other parameters: an edit that makes something right there, too, is no accident of the numbers
 * of one exercise, as a mask is that happens to hold for all of them. */
#ifndef CORE_BACKWARD_ELSEWHERE_H
#define CORE_BACKWARD_ELSEWHERE_H

#include "core/backward/state.h"

struct elsewhere {
    bool is; /* false: there is no such place, or the code does other things there */
    struct check check;
    struct pass pass;
    struct surroundings surroundings;
    struct run plain; /* its events are those of the run that it was made from, one by one */
};

/* Moves the parameters, runs the pass and the code as it is. What `plain` points to has to stay. Memory from the arena:
 * CODE_OUT_OF_MEMORY, else CODE_OK. */
int elsewhere_find(struct arena *arena, const struct run *plain, struct elsewhere *to);

#endif
