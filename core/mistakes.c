#include "core/mistake.h"

#include <string.h>

const struct mistake mistake_missing_activation_derivative = {
    .id = "missing_activation_derivative",
    .step = STEP_ACTIVATION,
    .rank = 1,
    .summary = "dz = dh: the activation's derivative is missing",
    .message = "The gradient was passed through {f} unchanged: {dz} was set to {dh}. The chain rule asks for "
               "{dz} = {dh} * {f}'({z}).",
    .hint = "Multiply by the derivative of {f} before you go on to the weights and the bias of layer "
            "{weighted}.",
    .wrong = "dz = dh",
    .right = "dz = dh * f_prime(z)",
    .source = "casper-hansen/Neural-Network-From-Scratch#1",
};

const struct mistake mistake_wrong_activation_derivative = {
    .id = "wrong_activation_derivative",
    .step = STEP_ACTIVATION,
    .rank = 2,
    .summary = "another activation's derivative, or another slope or scale",
    .message = "{dz} was computed with a derivative that is not that of {f}{detail}. The chain rule asks for "
               "{dz} = {dh} * {f}'({z}).",
    .hint = "Look up the derivative of {f}, and check which function your backward pass calls for this "
            "layer.",
    .wrong = "dz = dh * sigmoid_prime(z)  # but the layer uses tanh",
    .right = "dz = dh * tanh_prime(z)",
    .source = NULL,
};

const struct mistake mistake_derivative_at_output = {
    .id = "derivative_at_output",
    .step = STEP_ACTIVATION,
    .rank = 4,
    .summary = "dz = dh * f'(h): the derivative is taken at the output",
    .message = "The derivative of {f} was taken at its output {h} instead of its input: {dz} = {dh} * "
               "{f}'({h}). The chain rule asks for {f}'({z}).",
    .hint = "Your derivative function expects {z}; if you hand it {h}, it must be written in terms of the "
            "output.",
    .wrong = "dz = dh * sigmoid_prime(h)  # sigmoid_prime applies sigmoid itself",
    .right = "dz = dh * sigmoid_prime(z)",
    .source = "dwhitena/gophernet#6",
};

const struct mistake mistake_output_formula_at_input = {
    .id = "output_formula_at_input",
    .step = STEP_ACTIVATION,
    .rank = 9,
    .summary = "the derivative's formula in terms of the output, applied to the input",
    .message = "The formula of {f}'s derivative in terms of its output was given its input {z}: "
               "{formula_at_input}. It holds for {h}.",
    .hint = "h * (1 - h) and 1 - h**2 want the activation's output; hand them {h}.",
    .wrong = "dz = dh * z * (1 - z)",
    .right = "dz = dh * h * (1 - h)",
    .source = "BoltzmannEntropy/interviews.ai#15",
};

const struct mistake mistake_activation_instead_of_derivative = {
    .id = "activation_instead_of_derivative",
    .step = STEP_ACTIVATION,
    .rank = 10,
    .summary = "dz = dh * f(z): the activation itself instead of its derivative",
    .message = "{dh} was multiplied by {f} itself instead of its derivative: {dz} = {dh} * {f}({z}). The chain "
               "rule asks for {dz} = {dh} * {f}'({z}).",
    .hint = "The backward pass needs the derivative of {f}; check which of the two functions is called.",
    .wrong = "dz = dh * relu(z)",
    .right = "dz = dh * (z > 0)",
    .source = "denggaoshan/DeepLearningStudy#1",
};

const struct mistake mistake_derivative_of_gradient = {
    .id = "derivative_of_gradient",
    .step = STEP_ACTIVATION,
    .rank = 7,
    .summary = "dz = dh * f'(dh): the derivative is taken at the gradient",
    .message = "The derivative of {f} was taken at the incoming gradient: {dz} = {dh} * {f}'({dh}). The chain "
               "rule asks for {f}'({z}).",
    .hint = "The derivative belongs at the value that went into {f} in the forward pass; keep it in a cache.",
    .wrong = "dz = dh * relu_prime(dh)",
    .right = "dz = dh * relu_prime(z)",
    .source = "yizt/numpy_neural_network#3",
};

const struct mistake mistake_upstream_dropped = {
    .id = "upstream_dropped",
    .step = STEP_ACTIVATION,
    .rank = 6,
    .summary = "dz = f'(z): the gradient from above is left out",
    .message = "{dz} is the derivative of {f} alone: {dz} = {f}'({z}). The gradient from above, {dh}, is "
               "missing as a factor.",
    .hint = "The chain rule multiplies: what comes from above times the local derivative.",
    .wrong = "dz = f_prime(z)",
    .right = "dz = dh * f_prime(z)",
    .source = "mratsim/Arraymancer#222",
};

const struct mistake mistake_relu_gradient_at_zero = {
    .id = "relu_gradient_at_zero",
    .step = STEP_ACTIVATION,
    .rank = 5,
    .summary = "a ReLU passes the gradient on where its input is exactly 0",
    .message = "The gradient went through {f} where its input {z} is exactly 0. The convention here, PyTorch's,"
               " is a derivative of 0 at 0: {dz} = {dh} * ({z} > 0).",
    .hint = "Compare with > instead of >=. With zero biases and an input of zeros, exact zeros do happen.",
    .wrong = "dz = dh * (z >= 0)",
    .right = "dz = dh * (z > 0)",
    .source = "uptake/numpynet#35",
};

const struct mistake mistake_mask_from_gradient = {
    .id = "mask_from_gradient",
    .step = STEP_ACTIVATION,
    .rank = 6,
    .summary = "a ReLU masks by the sign of the gradient instead of its input",
    .message = "{f}'s mask was taken from the incoming gradient: {dz} = {dh} * ({dh} > 0). It belongs to the "
               "forward value: {dz} = {dh} * ({z} > 0).",
    .hint = "Which units were active is decided in the forward pass; take the mask from {z}.",
    .wrong = "dz = dh * (dh > 0)",
    .right = "dz = dh * (z > 0)",
    .source = NULL,
};

const struct mistake mistake_operator_precedence = {
    .id = "operator_precedence",
    .step = STEP_ACTIVATION,
    .rank = 16,
    .summary = "tanh: dh - h**2 for dh * (1 - h**2)",
    .message = "{dz} was computed as {dh} * 1 - {h}**2, which is {dh} - {h}**2: the parentheses are missing. "
               "Right is {dz} = {dh} * (1 - {h}**2).",
    .hint = "Put parentheses around the whole derivative before you multiply.",
    .wrong = "dz = dh * 1 - h**2",
    .right = "dz = dh * (1 - h**2)",
    .source = "apache/tvm#7340",
};

const struct mistake mistake_softmax_jacobian_diagonal = {
    .id = "softmax_jacobian_diagonal",
    .step = STEP_ACTIVATION,
    .rank = 3,
    .summary = "a softmax differentiated element by element: dz = dh * h * (1-h)",
    .message = "The softmax was treated as if each output depended on its own input alone: {dz} = {dh} * {h} * "
               "(1 - {h}). Every output depends on every input; right is {h} * ({dh} - sum({dh} * {h})) for "
               "each sample.",
    .hint = "The Jacobian of a softmax has entries off its diagonal too; they subtract a sum over the "
            "classes.",
    .wrong = "dz = dh * h * (1 - h)",
    .right = "dz = h * (dh - (dh * h).sum(axis=1, keepdims=True))",
    .source = "wkcn/mobula#3",
};

const struct mistake mistake_raw_error_propagated = {
    .id = "raw_error_propagated",
    .step = STEP_SEND,
    .rank = 5,
    .summary = "what is sent back lacks the activation's derivative, though dW has it",
    .message = "What layer {layer} sends back was computed from {dh} instead of {dz}: {dx} = {send_dh}. Its own"
               " {dW} is right; the derivative of {f} is missing below.",
    .hint = "Send back the same {dz} that you used for {dW}.",
    .wrong = "dh_prev = dh @ W.T",
    .right = "dh_prev = dz @ W.T",
    .source = "makeyourownneuralnetwork#88",
};

const struct mistake mistake_weight_not_transposed = {
    .id = "weight_not_transposed",
    .step = STEP_SEND,
    .rank = 12,
    .summary = "dx = dz @ W: the weight is used the wrong way round on the way back",
    .message = "{dx} was computed as {send_plain}: the weight was used the wrong way round. Right is {dx} = "
               "{send}.",
    .hint = "Follow the indices: what connected input i to output j in the forward pass carries the gradient"
            " from j to i.",
    .wrong = "dh_prev = dz @ W",
    .right = "dh_prev = dz @ W.T",
    .source = NULL,
};

const struct mistake mistake_updated_weights_propagated = {
    .id = "updated_weights_propagated",
    .step = STEP_SEND,
    .rank = 4,
    .summary = "the weights were updated before the gradient went on",
    .message = "{dx} was computed with weights that had already taken a step (learning rate {factor}). The "
               "gradient belongs to the weights of the forward pass: {send}.",
    .hint = "Compute all gradients first, then update all parameters.",
    .wrong = "W -= lr * dW; dh_prev = dz @ W.T",
    .right = "dh_prev = dz @ W.T; W -= lr * dW",
    .source = "joelgrus/data-science-from-scratch#31",
};

const struct mistake mistake_weight_gradient_as_weight = {
    .id = "weight_gradient_as_weight",
    .step = STEP_SEND,
    .rank = 14,
    .summary = "dx = dz @ dW.T: the weight's gradient in place of the weight",
    .message = "{dx} was computed with the weight's gradient {dW} in place of the weight {W}. Right is {send}.",
    .hint = "The gradient goes back through the weights of the forward pass.",
    .wrong = "dh_prev = dz @ dW.T",
    .right = "dh_prev = dz @ W.T",
    .source = "jcjohnson/pytorch-examples#5",
};

const struct mistake mistake_weight_skipped = {
    .id = "weight_skipped",
    .step = STEP_SEND,
    .rank = 8,
    .summary = "dx = dz: the product with the weight is left out",
    .message = "What layer {layer} sends back is {dz} itself: the product with {W} was left out. Right is {dx} "
               "= {send}.",
    .hint = "Between two layers lies a matrix product, and the way back goes through it too.",
    .wrong = "dh_prev = dz",
    .right = "dh_prev = dz @ W.T",
    .source = "Kulbear/deep-learning-coursera#27",
};

const struct mistake mistake_transposed = {
    .id = "transposed",
    .step = STEP_WEIGHT,
    .rank = 8,
    .summary = "dW.T: the weight's gradient the other way round",
    .message = "{dW} was submitted transposed. Right is {dW} = {weight}.",
    .hint = "A gradient has the shape of its parameter; the order of the product decides which way round it "
            "comes.",
    .wrong = "dW = dz.T @ x",
    .right = "dW = x.T @ dz",
    .source = NULL,
};

const struct mistake mistake_wrong_memory_order = {
    .id = "wrong_memory_order",
    .step = STEP_WEIGHT,
    .rank = 13,
    .summary = "right values, reshaped in the wrong order",
    .message = "{dW} has the right numbers in the wrong places: it was reshaped where it should have been "
               "transposed, or flattened column by column.",
    .hint = "reshape keeps the order in memory; to swap axes, transpose.",
    .wrong = "dW = dW.T.reshape(dW.shape)",
    .right = "dW = x.T @ dz",
    .source = NULL,
};

const struct mistake mistake_input_not_activated = {
    .id = "input_not_activated",
    .step = STEP_WEIGHT,
    .rank = 11,
    .summary = "dW = z_prev.T @ dz: the layer's input before its activation",
    .message = "{dW} was computed with the layer's input before its activation, {z_prev}, instead of {x}. Right"
               " is {dW} = {weight}.",
    .hint = "The weight's gradient takes what the weight was multiplied with in the forward pass.",
    .wrong = "dW2 = z1.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .source = "maziarraissi/backprop#1",
};

const struct mistake mistake_own_output_as_input = {
    .id = "own_output_as_input",
    .step = STEP_WEIGHT,
    .rank = 9,
    .summary = "dW = h.T @ dz: the layer's own output as its input",
    .message = "{dW} was computed with what layer {weighted} puts out instead of its input {x}. Right is {dW} ="
               " {weight}.",
    .hint = "Check the index of the cached activation: layer k takes what layer k-1 put out.",
    .wrong = "dW2 = h2.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .source = NULL,
};

const struct mistake mistake_input_ignored = {
    .id = "input_ignored",
    .step = STEP_WEIGHT,
    .rank = 15,
    .summary = "dW = ones_like(x).T @ dz: the input is left out",
    .message = "{dW} does not depend on the layer's input: it repeats the sum of {dz} over the batch for every "
               "input. Right is {dW} = {weight}.",
    .hint = "The derivative of the layer's product with respect to its weight is the layer's input: {x} "
            "belongs into {dW}.",
    .wrong = "dW = np.ones_like(x).T @ dz",
    .right = "dW = x.T @ dz",
    .source = NULL,
};

const struct mistake mistake_weight_as_input = {
    .id = "weight_as_input",
    .step = STEP_WEIGHT,
    .rank = 16,
    .summary = "dW = W * dz.sum(0): the weight in place of the input",
    .message = "{dW} was computed with the weight {W} in place of the layer's input. Right is {dW} = {weight}.",
    .hint = "With respect to the weight the derivative of the product is the input, with respect to the "
            "input it is the weight; these two are exchanged.",
    .wrong = "dW = W * dz.sum(axis=0)",
    .right = "dW = x.T @ dz",
    .source = NULL,
};

const struct mistake mistake_parameter_as_gradient = {
    .id = "parameter_as_gradient",
    .step = STEP_WEIGHT,
    .rank = 17,
    .summary = "the parameter itself for its gradient",
    .message = "{parameter} itself was submitted as its gradient.",
    .hint = "Check which variable you return or save.",
    .wrong = "grads['W1'] = W1",
    .right = "grads['W1'] = dW1",
    .source = NULL,
};

const struct mistake mistake_bias_not_summed = {
    .id = "bias_not_summed",
    .step = STEP_BIAS,
    .rank = 3,
    .summary = "db = dz: it still has the batch axis",
    .message = "{db} has one row per sample: it is {dz} before it is summed over the batch. Right is {db} = {bias}.",
    .hint = "Sum dL/dz over the batch: the bias is shared by all samples, so their contributions add up.",
    .wrong = "db = dz",
    .right = "db = dz.sum(axis=0)",
    .source = "jimfleming/differentiation#1",
};

const struct mistake mistake_bias_averaged = {
    .id = "bias_averaged",
    .step = STEP_BIAS,
    .rank = 4,
    .summary = "db = dz.mean(0), where dz is already averaged",
    .message = "{db} is the mean of {dz} over the batch, but {dz} already holds the 1/batch of the loss. Right "
               "is {db} = {bias}.",
    .hint = "Divide by the batch size once: in the gradient of the loss.",
    .wrong = "db = dz.mean(axis=0)",
    .right = "db = dz.sum(axis=0)",
    .source = "kvfrans/notes#5",
};

const struct mistake mistake_bias_summed_over_units = {
    .id = "bias_summed_over_units",
    .step = STEP_BIAS,
    .rank = 10,
    .summary = "db = dz.sum() for every unit",
    .message = "Every element of {db} is the sum of {dz} over all units and samples. Right is one sum for each "
               "unit: {db} = {bias}.",
    .hint = "Name the axis that you sum over: the batch, not everything.",
    .wrong = "db = dz.sum()",
    .right = "db = dz.sum(axis=0)",
    .source = "rasbt/stat453-deep-learning-ss21#5",
};

const struct mistake mistake_bias_from_weight_gradient = {
    .id = "bias_from_weight_gradient",
    .step = STEP_BIAS,
    .rank = 9,
    .summary = "db = dW.sum(0)",
    .message = "{db} was computed by summing {dW} over the inputs. Right is {db} = {bias}.",
    .hint = "The bias's gradient comes from {dz} alone; the layer's input has no part in it.",
    .wrong = "db = dW.sum(axis=0)",
    .right = "db = dz.sum(axis=0)",
    .source = "rust0258/...NLP-Specialization#62",
};

const struct mistake mistake_not_averaged_over_batch = {
    .id = "not_averaged_over_batch",
    .step = STEP_LOSS,
    .rank = 1,
    .summary = "the loss gradient is not divided by the batch size",
    .message = "The gradient of the loss was not divided by the number of samples: everything below is {factor}"
               " times too large.",
    .hint = "The loss is a mean over the batch, so its gradient has a factor 1/batch.",
    .wrong = "dy_hat = 2 * (y_hat - y)",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#13",
};

const struct mistake mistake_averaged_twice = {
    .id = "averaged_twice",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "divided by the batch size once too often",
    .message = "The batch size divides twice: every gradient is {factor} times what it should be.",
    .hint = "If the gradient of the loss has its 1/batch already, neither dW nor db may divide again.",
    .wrong = "dW = x.T @ dz / batch  # dz has its 1/batch already",
    .right = "dW = x.T @ dz",
    .source = "d2l-ai/d2l-en#1000",
};

const struct mistake mistake_wrong_normalization = {
    .id = "wrong_normalization",
    .step = STEP_LOSS,
    .rank = 4,
    .summary = "divided by the batch where the mean is over every element, or the other way round",
    .message = "The gradient of the loss is divided by the wrong number: everything is {factor} times what it "
               "should be. The reduction {reduction} of {loss} divides by {divisor}.",
    .hint = "Check whether the mean runs over the samples or over every element of the output.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / y_hat.size",
    .source = NULL,
};

const struct mistake mistake_missing_factor_two = {
    .id = "missing_factor_two",
    .step = STEP_LOSS,
    .rank = 2,
    .summary = "the 2 of d(e**2)/de is missing",
    .message = "The gradient of the squared error lacks its factor 2: everything is half as large as it should "
               "be.",
    .hint = "d(e**2)/de = 2e. (A loss defined with 1/2 has no 2; this one has.)",
    .wrong = "dy_hat = (y_hat - y) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "davisking/dlib#1169",
};

const struct mistake mistake_sign_flipped = {
    .id = "sign_flipped",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "target minus output",
    .message = "All gradients have the wrong sign: the gradient of the loss was computed with target minus "
               "output.",
    .hint = "Output minus target, not target minus output: check the sign where the backward pass starts.",
    .wrong = "dy_hat = 2 * (y - y_hat) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#11",
};

const struct mistake mistake_cross_entropy_shortcut = {
    .id = "cross_entropy_shortcut",
    .step = STEP_LOSS,
    .rank = 4,
    .summary = "output minus target as dL/dz although the loss is not that cross-entropy",
    .message = "Output minus target was used as the gradient at {z_last}. That shortcut belongs to a "
               "cross-entropy behind a softmax or sigmoid; the loss here is {loss}{still}.",
    .hint = "Start from the gradient of {loss} at the network's output, and go back from there step by step.",
    .wrong = "dz = y_hat - y",
    .right = "dz = 2 * (y_hat - y) / batch * f_prime(z)",
    .source = "pjreddie/darknet#212",
};

const struct mistake mistake_mse_shortcut = {
    .id = "mse_shortcut",
    .step = STEP_LOSS,
    .rank = 8,
    .summary = "the squared-error gradient although the loss is a cross-entropy",
    .message = "The gradient of a squared error was used, but the loss is {loss}.",
    .hint = "Differentiate the loss that the forward pass computes.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch",
    .right = "dy_hat = (y_hat - y) / (y_hat * (1 - y_hat)) / batch",
    .source = NULL,
};

const struct mistake mistake_missing_bce_term = {
    .id = "missing_bce_term",
    .step = STEP_LOSS,
    .rank = 9,
    .summary = "only the y term of binary cross-entropy is differentiated",
    .message = "Only the term y * log(y_hat) of the binary cross-entropy was differentiated; (1 - y) * log(1 - "
               "y_hat) is missing.",
    .hint = "Both terms depend on y_hat; for samples with y = 0 it is the second that matters.",
    .wrong = "dy_hat = -(y / y_hat) / batch",
    .right = "dy_hat = -(y / y_hat - (1 - y) / (1 - y_hat)) / batch",
    .source = "deeplearning4j/nd4j#1320",
};

const struct mistake mistake_l1_sign_lost = {
    .id = "l1_sign_lost",
    .step = STEP_LOSS,
    .rank = 7,
    .summary = "the sign of the error is missing from the gradient of an absolute error",
    .message = "The gradient of {loss} was computed without the sign of the error: it is positive everywhere.",
    .hint = "d|e|/de is +1 where the output is too large and -1 where it is too small.",
    .wrong = "dy_hat = np.ones_like(e) / e.size",
    .right = "dy_hat = np.sign(e) / e.size",
    .source = NULL,
};

const struct mistake mistake_target_broadcast = {
    .id = "target_broadcast",
    .step = STEP_LOSS,
    .rank = 9,
    .summary = "output [n,1] minus target [n] became [n,n]",
    .message = "The targets were broadcast: output [n,1] minus target [n] gave an [n,n] matrix, so that every "
               "output was compared with every target.",
    .hint = "Print the shape of y_hat - y; give both the same shape first.",
    .wrong = "e = y_hat - y  # [n,1] - [n]",
    .right = "e = y_hat - y.reshape(-1, 1)",
    .source = "pytorch#19991",
};

const struct mistake mistake_regularization_missing = {
    .id = "regularization_missing",
    .step = STEP_LOSS,
    .rank = 5,
    .summary = "l2 * W is missing from dW",
    .message = "{dW} lacks the gradient of the regularization: l2 * {W} has to be added.",
    .hint = "The loss has a term l2/2 * sum(W**2); differentiate it too.",
    .wrong = "dW = x.T @ dz",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "Burton2000/CS231n-2017#9",
};

const struct mistake mistake_regularization_sign = {
    .id = "regularization_sign",
    .step = STEP_LOSS,
    .rank = 12,
    .summary = "dW - l2 * W",
    .message = "The gradient of the regularization was subtracted from {dW} instead of added.",
    .hint = "The penalty l2/2 * sum(W**2) grows with the weights: its gradient is +l2 * W.",
    .wrong = "dW = x.T @ dz - l2 * W",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "andersbll/nnet#4",
};

const struct mistake mistake_bias_regularized = {
    .id = "bias_regularized",
    .step = STEP_LOSS,
    .rank = 11,
    .summary = "db + l2 * b",
    .message = "l2 * {b} was added to {db}, but the regularization here is over the weights only.",
    .hint = "The penalty of this loss does not hold the biases.",
    .wrong = "db = dz.sum(axis=0) + l2 * b",
    .right = "db = dz.sum(axis=0)",
    .source = "JWarmenhoven/Coursera-Machine-Learning#3",
};

const struct mistake mistake_gradient_accumulated = {
    .id = "gradient_accumulated",
    .step = STEP_FINISHED,
    .rank = 5,
    .summary = "a whole multiple: not reset between passes",
    .message = "All gradients are {factor} times the right ones, as if that many backward passes had been added"
               " up.",
    .hint = "Reset the gradients before every backward pass.",
    .wrong = "grads[k] += dW",
    .right = "grads[k] = dW",
    .source = "karpathy/micrograd#53",
};

const struct mistake mistake_single_sample = {
    .id = "single_sample",
    .step = STEP_FINISHED,
    .rank = 8,
    .summary = "the gradient of one sample only instead of the batch",
    .message = "These are the gradients of sample {sample} alone instead of the whole batch.",
    .hint = "Sum over all samples; look for a loop that overwrites instead of adding, or an index that "
            "stayed.",
    .wrong = "for i in range(n): dW = x[i:i+1].T @ dz[i:i+1]",
    .right = "dW = x.T @ dz",
    .source = NULL,
};

const struct mistake mistake_swapped_parameters = {
    .id = "swapped_parameters",
    .step = STEP_FINISHED,
    .rank = 10,
    .summary = "right values under another parameter's name",
    .message = "The gradients {parameters} are exchanged: each has the values that belong to another.",
    .hint = "Check the order in which the gradients are returned or saved.",
    .wrong = "return {'W1': dW2, 'W2': dW1}",
    .right = "return {'W1': dW1, 'W2': dW2}",
    .source = "Oneflow-Inc/oneflow#6149",
};

const struct mistake mistake_clipped = {
    .id = "clipped",
    .step = STEP_FINISHED,
    .rank = 11,
    .summary = "clipped by value, or by global norm, to a round limit",
    .message = "The gradients were clipped {how} to {factor}.",
    .hint = "Clipping belongs to training; the gradients to be checked are those before it.",
    .wrong = "grads = np.clip(grads, -1, 1)",
    .right = "grads",
    .source = NULL,
};

const struct mistake mistake_low_precision = {
    .id = "low_precision",
    .step = STEP_FINISHED,
    .rank = 6,
    .summary = "right to float32 rounding, not to the tolerance",
    .message = "The gradients are right to float32 rounding, but not to the tolerance of this check.",
    .hint = "Compute in float64: check the dtype of your arrays, and do not round when you save.",
    .wrong = "dW = dW.astype(np.float32)",
    .right = "dW",
    .source = NULL,
};

const struct mistake mistake_all_zero = {
    .id = "all_zero",
    .step = STEP_FINISHED,
    .rank = 0,
    .summary = "nothing was computed",
    .message = "{parameters}: zero everywhere. Nothing was computed there.",
    .hint = "Look whether the array that was set up with zeros is ever filled.",
    .wrong = "db = np.zeros_like(b)",
    .right = "db = dz.sum(axis=0)",
    .source = "mattm/simple-neural-network#5",
};

const struct mistake mistake_constant_factor = {
    .id = "constant_factor",
    .step = STEP_FINISHED,
    .rank = 20,
    .summary = "off by one constant that none of the other mistakes explains",
    .message = "From layer {layer} back, the gradients are {factor} times the right ones.",
    .hint = "Look for a factor that is applied once too often or not at all.",
    .wrong = "dz = 3 * dh * f_prime(z)",
    .right = "dz = dh * f_prime(z)",
    .source = NULL,
};

const struct mistake *const mistakes[] = {
    &mistake_missing_activation_derivative,
    &mistake_wrong_activation_derivative,
    &mistake_derivative_at_output,
    &mistake_output_formula_at_input,
    &mistake_activation_instead_of_derivative,
    &mistake_derivative_of_gradient,
    &mistake_upstream_dropped,
    &mistake_relu_gradient_at_zero,
    &mistake_mask_from_gradient,
    &mistake_operator_precedence,
    &mistake_softmax_jacobian_diagonal,
    &mistake_raw_error_propagated,
    &mistake_weight_not_transposed,
    &mistake_updated_weights_propagated,
    &mistake_weight_gradient_as_weight,
    &mistake_weight_skipped,
    &mistake_transposed,
    &mistake_wrong_memory_order,
    &mistake_input_not_activated,
    &mistake_own_output_as_input,
    &mistake_input_ignored,
    &mistake_weight_as_input,
    &mistake_parameter_as_gradient,
    &mistake_bias_not_summed,
    &mistake_bias_averaged,
    &mistake_bias_summed_over_units,
    &mistake_bias_from_weight_gradient,
    &mistake_not_averaged_over_batch,
    &mistake_averaged_twice,
    &mistake_wrong_normalization,
    &mistake_missing_factor_two,
    &mistake_sign_flipped,
    &mistake_cross_entropy_shortcut,
    &mistake_mse_shortcut,
    &mistake_missing_bce_term,
    &mistake_l1_sign_lost,
    &mistake_target_broadcast,
    &mistake_regularization_missing,
    &mistake_regularization_sign,
    &mistake_bias_regularized,
    &mistake_gradient_accumulated,
    &mistake_single_sample,
    &mistake_swapped_parameters,
    &mistake_clipped,
    &mistake_low_precision,
    &mistake_all_zero,
    &mistake_constant_factor,
    NULL,
};

const struct mistake *mistake_find(const char *id)
{
    for (size_t i = 0; mistakes[i] != NULL; i++)
        if (strcmp(mistakes[i]->id, id) == 0) return mistakes[i];
    return NULL;
}
