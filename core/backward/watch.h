/* Looking on at a student's code while it is evaluated: what the language tells of it, statement by statement. */
#ifndef CORE_BACKWARD_WATCH_H
#define CORE_BACKWARD_WATCH_H

#include "core/backward/state.h"

/* The observer of a run. */
struct observer watch(struct run *run);

#endif
