#include "server/http/held.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/limits.h"

static atomic_size_t answers, bodies; /* bytes held */
static size_t answers_limit = LIMIT_ANSWERS, bodies_limit;

void held_start(size_t max_body)
{
    const char *text = getenv("GRADCHECKD_TEST_ANSWERS");
    if (text != NULL) answers_limit = strtoul(text, NULL, 10);
    if (__builtin_mul_overflow(max_body, (size_t)LIMIT_BODIES_IN_FLIGHT, &bodies_limit)) bodies_limit = SIZE_MAX;
}

bool held_body_fits(size_t length)
{
    if (length <= LIMIT_LIGHT_BODY) return true;
    size_t held = atomic_load_explicit(&bodies, memory_order_relaxed);
    return held <= bodies_limit && length <= bodies_limit - held;
}

bool held_add_body(size_t more)
{
    size_t held = atomic_fetch_add_explicit(&bodies, more, memory_order_relaxed);
    return held <= bodies_limit && more <= bodies_limit - held;
}

void held_drop_body(size_t bytes)
{
    atomic_fetch_sub_explicit(&bodies, bytes, memory_order_relaxed);
}

void held_add_answer(size_t bytes)
{
    atomic_fetch_add_explicit(&answers, bytes, memory_order_relaxed);
}

void held_drop_answer(size_t bytes)
{
    atomic_fetch_sub_explicit(&answers, bytes, memory_order_relaxed);
}

bool held_answers_full(void)
{
    return atomic_load_explicit(&answers, memory_order_relaxed) > answers_limit;
}

bool held_answers_crowd(void)
{
    return atomic_load_explicit(&answers, memory_order_relaxed) > answers_limit / 4;
}
