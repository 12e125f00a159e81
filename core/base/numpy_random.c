#include "core/base/numpy_random.h"

#include <math.h>

enum { SHIFT = 397 };

void numpy_random_seed(struct numpy_random *random, uint32_t seed)
{
    random->words[0] = seed;
    for (uint32_t i = 1; i < MT19937_WORDS; i++)
        random->words[i] = 1812433253U * (random->words[i - 1] ^ (random->words[i - 1] >> 30)) + i;
    random->next = 0;
    random->has_spare = false;
}

/* Each word is made anew when its turn comes, of words of the round before and of this one: most networks that are
 * drawn need far fewer than all. */
static uint32_t next_word(struct numpy_random *random)
{
    uint32_t *w = random->words;
    unsigned i = random->next, after = i + 1 < MT19937_WORDS ? i + 1 : 0;
    uint32_t mixed = (w[i] & 0x80000000U) | (w[after] & 0x7fffffffU);
    uint32_t y = w[i + SHIFT < MT19937_WORDS ? i + SHIFT : i + SHIFT - MT19937_WORDS];
    y ^= (mixed >> 1) ^ (mixed & 1U ? 0x9908b0dfU : 0);
    w[i] = y;
    random->next = after;
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
}

double numpy_random_uniform(struct numpy_random *random)
{
    uint32_t high = next_word(random) >> 5, low = next_word(random) >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

double numpy_random_normal(struct numpy_random *random)
{
    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    double a, b, r2;
    do {
        a = 2.0 * numpy_random_uniform(random) - 1.0;
        b = 2.0 * numpy_random_uniform(random) - 1.0;
        r2 = a * a + b * b;
    } while (r2 >= 1.0 || r2 == 0.0);
    double factor = sqrt(-2.0 * log(r2) / r2);
    random->spare = factor * a;
    random->has_spare = true;
    return factor * b;
}
