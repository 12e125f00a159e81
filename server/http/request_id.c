#include "server/http/request_id.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* Numbers that no other start of the daemon has, and that do not tell how many requests there were. (SplitMix64.) */
static uint64_t next_number(void)
{
    static atomic_uint_fast64_t state;
    static atomic_bool begun;
    if (!atomic_load(&begun)) {
        uint64_t seed = 0;
        if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed && !atomic_exchange(&begun, true))
            atomic_fetch_add(&state, seed);
    }
    uint64_t z = atomic_fetch_add(&state, UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void request_id_choose(const char *asked, char id[REQUEST_ID_MAX + 1])
{
    size_t length = asked != NULL ? strlen(asked) : 0;
    if (length > 0 && length <= REQUEST_ID_MAX && strspn(asked, allowed) == length)
        memcpy(id, asked, length + 1);
    else
        snprintf(id, REQUEST_ID_MAX + 1, "%016llx", (unsigned long long)next_number());
}
