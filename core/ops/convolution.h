/* What convolutions over one axis and over two have in common, and those that are transposed: sums of products of a
 * weight and what it slides over, in PyTorch's layouts. */
#ifndef CORE_OPS_CONVOLUTION_H
#define CORE_OPS_CONVOLUTION_H

#include "core/ops/windows.h"

/* x [N, in_channels, ...]; the weight [out_channels, in_channels, kernel...], transposed [in_channels, out_channels,
 * kernel...]. */
extern const struct slot convolution_slots[];
enum { CONVOLUTION_X, CONVOLUTION_WEIGHT, CONVOLUTION_BIAS };

/* Attributes: the channels, the bias, then sizes for each axis. */
#define CONVOLUTION_SIZES(...)                                                                                         \
    {.name = "out_channels", .kind = ATTRIBUTE_SIZE, .required = true, .least = 1, .follows = true},                   \
        {.name = "in_channels", .kind = ATTRIBUTE_SIZE, .least = 1, .follows = true},                                  \
        {.name = "bias", .kind = ATTRIBUTE_FLAG, .fallback = 1, .follows = true}, __VA_ARGS__

/* One axis: a size each; two: two sizes. */
#define CONVOLUTION_ATTRIBUTES_1D                                                                                      \
    CONVOLUTION_SIZES({.name = "kernel_size", .kind = ATTRIBUTE_SIZE, .required = true, .least = 1, .follows = true},  \
                      {.name = "stride", .kind = ATTRIBUTE_SIZE, .fallback = 1, .least = 1},                           \
                      {.name = "padding", .kind = ATTRIBUTE_SIZE})
#define CONVOLUTION_ATTRIBUTES_2D                                                                                      \
    CONVOLUTION_SIZES({.name = "kernel_size", .kind = ATTRIBUTE_SIZES, .required = true, .least = 1, .follows = true}, \
                      {.kind = ATTRIBUTE_SIZES, .least = 1, .follows = true},                                          \
                      {.name = "stride", .kind = ATTRIBUTE_SIZES, .fallback = 1, .least = 1},                          \
                      {.kind = ATTRIBUTE_SIZES, .fallback = 1, .least = 1},                                            \
                      {.name = "padding", .kind = ATTRIBUTE_SIZES}, {.kind = ATTRIBUTE_SIZES})

int convolution_plan_1d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int convolution_plan_2d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int convolution_follow_1d(const struct op_shape *shape, double *attributes, struct error *error);
int convolution_follow_2d(const struct op_shape *shape, double *attributes, struct error *error);
int convolution_forward(const struct op_call *call);
int convolution_backward(const struct op_call *call);

/* Of a transposed one, whose last attributes are output_padding. */
int convolution_transpose_plan_1d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int convolution_transpose_plan_2d(const struct op_shape *shape, struct op_plan *plan, struct error *error);
int convolution_transpose_follow_1d(const struct op_shape *shape, double *attributes, struct error *error);
int convolution_transpose_follow_2d(const struct op_shape *shape, double *attributes, struct error *error);
int convolution_transpose_forward(const struct op_call *call);
int convolution_transpose_backward(const struct op_call *call);

int convolution_term_unit(size_t count, const int *units);

#endif
