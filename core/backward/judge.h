/* Whether what a student's code puts somewhere is the gradient that it should be, and what is put there instead. */
#ifndef CORE_BACKWARD_JUDGE_H
#define CORE_BACKWARD_JUDGE_H

#include "core/backward/state.h"

/* Looks at what an event puts somewhere, and puts it right where it should be a gradient and is not: then *array
 * becomes another one. */
int judge_event(struct run *run, struct evaluation *e, size_t which, struct array **array);

/* `scale` times the gradient, in the shape `like` where that is its own but for axes of length 1. */
int judge_put_right(struct run *run, struct evaluation *e, size_t aim, double scale, const struct shape *like,
                    struct array **array);

/* What gradients on the way are multiples of, where this statement makes one. */
double judge_scale_here(const struct run *run, size_t aim);

/* Whether an array is the gradient times one of the plan's scales; *scale which. */
bool run_matches(const struct run *run, size_t aim, const struct array *array, bool exactly, double *scale);

/* The first gradient that an array is; GRADIENT_NONE where it is none. */
size_t run_find_aim(const struct run *run, const struct array *array, double *scale);

#endif
