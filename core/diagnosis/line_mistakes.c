/* Mistakes that are made in programs and belong to no op: the search looks for them in what was handed in. */
#include "core/ops/mistake.h"

const struct mistake mistake_detached = {
    .id = "detached",
    .step = STEP_CONSUMER,
    .rank = 4,
    .summary = "the chain is cut: nothing comes back to a value, and to all that it was made from",
    .message = "Nothing comes back to {value}, nor to anything that it was made from: the chain was cut there.",
    .hint = "Look whether the gradient of that value is ever handed on to the lines before.",
    .wrong = "dh = np.zeros_like(h)",
    .right = "dh = dz @ W.T",
};

const struct mistake mistake_broadcast_not_summed = {
    .id = "broadcast_not_summed",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 2,
    .summary = "the gradient of a value that was broadcast is not summed over its repetitions",
    .message = "{parameters}: the gradient has the shape of what the value was repeated to. What comes back to all "
               "repetitions has to be summed.",
    .in_line =
        "{value} is repeated here to fit the other operand; its gradient still has the shape of the result. What "
        "comes back to all repetitions has to be summed.",
    .hint = "A gradient has the shape of its value: sum over the axes along which the value is repeated.",
    .wrong = "db = dz",
    .right = "db = dz.sum(axis=0)",
};
