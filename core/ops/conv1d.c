#include "core/ops/convolution.h"

static const struct op_case cases[] = {
    {.count = 3, .in = {[CONVOLUTION_X] = {3, {2, 2, 7}}}, .set = {{"out_channels", 3}, {"kernel_size", 3}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {2, 3, 5}}},
     .set = {{"out_channels", 2}, {"kernel_size", 2}, {"stride", 2}, {"padding", 1}, {"in_channels", 3}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {3, 2, 4}}},
     .set = {{"out_channels", 1}, {"kernel_size", 1}, {"bias", 0}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {1, 1, 8}}},
     .set = {{"out_channels", 2}, {"kernel_size", 3}, {"stride", 3}, {"padding", 2}, {"bias", 0}}},
    {.count = 3,
     .in = {[CONVOLUTION_X] = {3, {2, 2, 6}}, [CONVOLUTION_WEIGHT] = {3, {3, 2, 4}}},
     .set = {{"out_channels", 3}, {"kernel_size", 4}, {"padding", 1}}},
    {.count = 0}};

const struct op op_conv1d = {
    .name = "conv1d",
    .summary = "W slid over the last axis of [N,C,L], and b: PyTorch's Conv1d",
    .kind = OP_LAYER,
    .attributes = {CONVOLUTION_ATTRIBUTES_1D},
    .slots = convolution_slots,
    .plan = convolution_plan_1d,
    .forward = convolution_forward,
    .backward = convolution_backward,
    .follow = convolution_follow_1d,
    .term_unit = convolution_term_unit,
    .cases = cases,
};
