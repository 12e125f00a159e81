/* NumPy's legacy generator, bit for bit: np.random.seed(seed), then np.random.random_sample, randn. */
#ifndef CORE_BASE_NUMPY_RANDOM_H
#define CORE_BASE_NUMPY_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

enum { MT19937_WORDS = 624 };

struct numpy_random {
    uint32_t words[MT19937_WORDS]; /* MT19937 (Matsumoto and Nishimura 1998) */
    unsigned next;
    bool has_spare; /* the polar method makes normals in pairs */
    double spare;
};

void numpy_random_seed(struct numpy_random *random, uint32_t seed);

/* The next of np.random.random_sample(): 53 bits in [0, 1). */
double numpy_random_uniform(struct numpy_random *random);

/* The next of np.random.randn(): Marsaglia's polar method; the second of a pair is kept for the next call. */
double numpy_random_normal(struct numpy_random *random);

#endif
