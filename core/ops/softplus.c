#include "core/ops/elementwise.h"

#include <math.h>

static const struct op_case cases[] = {
    UNARY_CASES, {.count = 1, .in = {{2, {3, 7}}}, .low = 19, .high = 21}, {.count = 0}};

/* PyTorch has x itself beyond 20. */
static double left_out(double x)
{
    return x > 20 ? log1p(exp(-x)) : 0;
}

const struct op op_softplus = {
    .name = "softplus",
    .summary = "log(1 + exp(x))",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .left_out = left_out,
    .written = "softplus({x})",
    .sent = {"{dy} * sigmoid({x})"},
    .map = MAP_softplus,
    .cases = cases,
};
