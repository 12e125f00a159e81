/* What is done wrong where a value is used in several places, so that what comes back from all of them has to be added
 * up. No op owns these: they are looked for at every such value (core/diagnosis/walk.c) and parameter (explain.c). */
#include "core/ops/mistake.h"

const struct mistake mistake_contribution_missing = {
    .id = "contribution_missing",
    .step = STEP_CONSUMER,
    .rank = 3,
    .summary = "a value is used in several places, and what comes back through one of them is missing",
    .message = "What comes back through {through} to {value} is missing. That is used in several places: the gradients"
               " of all its uses have to be added up.",
    .hint = "Follow every arrow that leaves the value in the forward pass back again, and add what arrives.",
    .wrong = "dx = dy @ W.T  # y = x + f(x): the skip's own dy is left out",
    .right = "dx = dy @ W.T + dy",
};

const struct mistake mistake_gradient_overwritten = {
    .id = "gradient_overwritten",
    .step = STEP_CONSUMER,
    .rank = 2,
    .summary = "a value is used in several places, and the gradient of the last one replaced the others",
    .message = "Of what comes back to {value}, which is used in several places, only one share is left, that from"
               " {through}: the last assignment replaced the others.",
    .hint = "Add to the gradient of what is used more than once (+=) instead of assigning it anew.",
    .wrong = "dW = x2.T @ dz2; dW = x1.T @ dz1",
    .right = "dW = x2.T @ dz2; dW += x1.T @ dz1",
};

const struct mistake mistake_sent_twice = {
    .id = "sent_twice",
    .step = STEP_CONSUMER,
    .rank = 12,
    .summary = "a value is used in several places, and what comes back through one of them is added twice",
    .message = "What comes back through {through} to {value} was added twice.",
    .hint = "Each use of a value adds its share once.",
    .wrong = "dx += dy; dx += dy",
    .right = "dx += dy",
};
