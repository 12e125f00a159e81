#include "core/ops/convolution.h"

static const struct op_case cases[] = {
    {.count = 3, .in = {[CONVOLUTION_X] = {3, {2, 2, 4}}}, .set = {{"out_channels", 3}, {"kernel_size", 3}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {2, 3, 4}}},
     .set = {{"out_channels", 2},
             {"kernel_size", 3},
             {"stride", 2},
             {"padding", 1},
             {"output_padding", 1},
             {"in_channels", 3}}},
    {.count = 3, .in = {[CONVOLUTION_X] = {3, {3, 2, 4}}}, .set = {{"out_channels", 3}, {"kernel_size", 1}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {3, 2, 4}}},
     .set = {{"out_channels", 1}, {"kernel_size", 1}, {"bias", 0}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {1, 1, 3}}},
     .set = {{"out_channels", 2}, {"kernel_size", 2}, {"stride", 3}, {"bias", 0}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {2, 2, 3}}, [CONVOLUTION_WEIGHT] = {3, {2, 3, 4}}},
     .set = {{"out_channels", 3}, {"kernel_size", 4}, {"padding", 2}}},
    {.count = 0}};

const struct op op_conv_transpose1d = {
    .name = "conv_transpose1d",
    .summary = "what conv1d sends back to its input, as a layer: PyTorch's ConvTranspose1d",
    .kind = OP_LAYER,
    .attributes = {CONVOLUTION_ATTRIBUTES_1D, {.name = "output_padding", .kind = ATTRIBUTE_SIZE}},
    .slots = convolution_slots,
    .plan = convolution_transpose_plan_1d,
    .forward = convolution_transpose_forward,
    .backward = convolution_transpose_backward,
    .follow = convolution_transpose_follow_1d,
    .term_unit = convolution_term_unit,
    .cases = cases,
};
