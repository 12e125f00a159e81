#include "core/backward/state.h"

#include <stdatomic.h>

bool run_is_cancelled(const struct run *run)
{
    const atomic_bool *cancelled = run->surroundings->check->problem.cancelled;
    return cancelled != NULL && atomic_load_explicit(cancelled, memory_order_relaxed);
}

size_t run_caller(const struct run *run, size_t call)
{
    return call < run->caller_count ? run->callers[call] : STATEMENT_NONE;
}

/* On the outermost level, or in the function that was called as nobody else did. */
bool run_is_main_frame(const struct run *run, size_t frame)
{
    return frame == 0 || frame == run->main_frame;
}

bool run_is_main(const struct run *run, const struct event *event)
{
    return run_is_main_frame(run, event->frame);
}
