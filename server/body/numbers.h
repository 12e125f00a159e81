/* What arrays of numbers become, before the rest of a body is read. */
#ifndef SERVER_BODY_NUMBERS_H
#define SERVER_BODY_NUMBERS_H

#include <stdbool.h>

#include "core/base/tensor.h"

/* The most values outside of arrays of numbers, such arrays themselves counted as one each: what bounds the
 * memory that a small body can cost. */
enum { DOCUMENT_VALUES_MAX = 1 << 20 };

/* A run of nested arrays that held only numbers (and NaN, Infinity, -Infinity, null), or one number that
 * JSON's integers and reals cannot hold (NaN, Infinity, 1e999, 123456789012345678901): rank 0. */
struct numbers {
    struct tensor tensor; /* data in the arena; of no use where ragged */
    bool ragged;          /* rows differ in length or in depth ([[1,2],[3]]), or there are more than TENSOR_RANK_MAX
                             levels */
};

#endif
