/* What pooling over one axis and over two have in common: a fold of the elements of each window, in PyTorch's layout,
 * [N, C, ...]. What is padded is less than anything for a maximum, and 0 for a mean. */
#ifndef CORE_OPS_POOLING_H
#define CORE_OPS_POOLING_H

#include "core/ops/windows.h"

/* Attributes: sizes for each axis; the stride is the kernel's where it is not given. */
#define POOLING_ATTRIBUTES_1D                                                                                          \
    {.name = "kernel_size", .kind = ATTRIBUTE_SIZE, .required = true, .least = 1},                                     \
        {.name = "stride", .kind = ATTRIBUTE_SIZE, .least = 1},                                                        \
    {                                                                                                                  \
        .name = "padding", .kind = ATTRIBUTE_SIZE                                                                      \
    }
#define POOLING_ATTRIBUTES_2D                                                                                          \
    {.name = "kernel_size", .kind = ATTRIBUTE_SIZES, .required = true, .least = 1},                                    \
        {.kind = ATTRIBUTE_SIZES, .least = 1}, {.name = "stride", .kind = ATTRIBUTE_SIZES, .least = 1},                \
        {.kind = ATTRIBUTE_SIZES, .least = 1}, {.name = "padding", .kind = ATTRIBUTE_SIZES},                           \
    {                                                                                                                  \
        .kind = ATTRIBUTE_SIZES                                                                                        \
    }

/* By op->fold: FOLD_max or FOLD_mean. */
int pooling_plan_1d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int pooling_plan_2d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int pooling_forward(const struct op_call *call);
int pooling_backward(const struct op_call *call);
/* op->sides of a maximum: of how many windows an element is the largest. Where it changes for none, the same elements
 * are. */
void pooling_sides(const struct op_call *call, signed char *to);

/* Whole windows, some that overlap, some that leave something out, padding, a single element. */
#define POOLING_CASES_1D                                                                                               \
    {.count = 1, .in = {{3, {2, 2, 6}}}, .set = {{"kernel_size", 2}}},                                                 \
        {.count = 1, .in = {{3, {2, 1, 7}}}, .set = {{"kernel_size", 3}, {"stride", 1}, {"padding", 1}}},              \
        {.count = 1, .in = {{3, {1, 3, 8}}}, .set = {{"kernel_size", 2}, {"stride", 3}, {"padding", 1}}},              \
        {.count = 1, .in = {{3, {2, 3, 5}}}, .set = {{"kernel_size", 1}}},                                             \
    {                                                                                                                  \
        .count = 1, .in = {{3, {3, 2, 4}}}, .set = { {"kernel_size", 4} }                                              \
    }
#define POOLING_CASES_2D                                                                                               \
    {.count = 1, .in = {{4, {2, 2, 4, 6}}}, .set = {{"kernel_size", 2}}},                                              \
        {.count = 1, .in = {{4, {2, 1, 5, 4}}}, .set = {{"kernel_size", 3}, {"stride", 1}, {"padding", 1}}},           \
        {.count = 1,                                                                                                   \
         .in = {{4, {1, 2, 7, 5}}},                                                                                    \
         .set =                                                                                                        \
             {{"kernel_size", 3}, {"kernel_size", 2}, {"stride", 2}, {"stride", 1}, {"padding", 0}, {"padding", 1}}},  \
        {.count = 1, .in = {{4, {1, 1, 5, 8}}}, .set = {{"kernel_size", 2}, {"stride", 3}}},                           \
        {.count = 1, .in = {{4, {2, 3, 3, 2}}}, .set = {{"kernel_size", 1}}},                                          \
    {                                                                                                                  \
        .count = 1, .in = {{4, {2, 2, 3, 4}}}, .set = { {"kernel_size", 3}, {"kernel_size", 4} }                       \
    }

#endif
