/* Decisions out of a fuzzer's bytes: each takes one byte, so that a changed byte changes one decision. */
#ifndef TESTS_FUZZ_DICE_H
#define TESTS_FUZZ_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    const uint8_t *at, *end;
    uint64_t state; /* of the numbers, which are too many to take a byte each */
};

/* 0 to n - 1; 0, which is to be the plainest choice, once the bytes are used up. */
static inline unsigned dice_pick(struct dice *dice, unsigned n)
{
    return dice->at < dice->end ? *dice->at++ % n : 0;
}

/* Once in n times. */
static inline bool dice_rarely(struct dice *dice, unsigned n)
{
    return dice_pick(dice, n) == n - 1;
}

static inline void dice_seed(struct dice *dice)
{
    dice->state = 0x9E3779B97F4A7C15u * (1 + (uint64_t)dice_pick(dice, 256));
}

/* xorshift64* */
static inline uint64_t dice_bits(struct dice *dice)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return (dice->state * 0x2545F4914F6CDD1Du) >> 11;
}

/* From -1 up to 1. */
static inline double dice_uniform(struct dice *dice)
{
    return (double)dice_bits(dice) / 4503599627370496.0 - 1;
}

/* 0 to n - 1, from the numbers. */
static inline size_t dice_number(struct dice *dice, size_t n)
{
    return (size_t)(dice_bits(dice) % n);
}

#endif
