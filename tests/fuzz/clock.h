/* A clock for fuzzing. The search for mistakes ends when its time is over, and what it has found by then depends on how
 * busy the machine is. Here every look at the clock takes as long as every other: the same request gets as far each
 * time, and a hopeless search ends after so many steps. */
#ifndef TESTS_FUZZ_CLOCK_H
#define TESTS_FUZZ_CLOCK_H

/* Sets it to 0. From now on a look takes so many nanoseconds. */
void fuzz_clock_reset(long look);

#endif
