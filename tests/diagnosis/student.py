"""Forward and backward passes as a student writes them in NumPy, right or with the mistakes of the diagnosis.

Everything here has samples in rows and weights as [in, out]; only `submission` writes a request's convention. It shares
nothing with the daemon: a rule of the daemon that is wrong is not wrong here in the same way.

A mistake is a Blunder: its id, the places where it is made, and what its variant needs. A place is the number of a linear
layer, counted from 0 and together with its activation, or (number, "W" or "b") for a finished gradient, or "loss".
"""

import math

import numpy as np

BATCH_LOSSES = ("cross_entropy", "nll", "hinge")  # the reduction "mean" averages over the batch alone
ROUND_LIMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)


class NotPossible(Exception):
    """The mistake cannot be made here: NumPy would raise, or nobody could write it."""


class Blunder:
    def __init__(self, name, places, **options):
        self.id, self.places, self.options = name, list(places), options

    def __repr__(self):
        return "%s at %s %s" % (self.id, self.places, self.options or "")


class Blunders:
    """The mistakes of one program, found by id and place."""

    def __init__(self, blunders):
        self.all = list(blunders)

    def find(self, name, place):
        """The options of the mistake, or None if it is not made at this place."""
        for blunder in self.all:
            if blunder.id == name and place in blunder.places:
                return blunder.options
        return None

    def at_activation(self, place):
        return [b for b in self.all if b.id in ACTIVATION_IDS + SLIPS and place in b.places]


ACTIVATION_IDS = (
    "missing_activation_derivative", "wrong_activation_derivative", "derivative_at_output", "output_formula_at_input",
    "activation_instead_of_derivative", "derivative_of_gradient", "upstream_dropped", "relu_gradient_at_zero",
    "mask_from_gradient", "operator_precedence", "softmax_jacobian_diagonal",
)
SLIPS = (
    "squared_derivative_slip", "inverted_mask", "half_at_zero", "slope_times_input", "elu_offset", "log_softmax_sign",
    "inner_derivative_missing", "product_for_elementwise",
)
SENDING_IDS = (
    "raw_error_propagated", "weight_not_transposed", "updated_weights_propagated", "weight_gradient_as_weight",
    "weight_skipped",
)
WEIGHT_IDS = (
    "transposed", "wrong_memory_order", "input_not_activated", "own_output_as_input", "input_ignored", "weight_as_input",
    "parameter_as_gradient",
)
BIAS_IDS = ("bias_not_summed", "bias_averaged", "bias_summed_over_units", "bias_from_weight_gradient")
LOSS_IDS = (
    "not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
    "cross_entropy_shortcut", "mse_shortcut", "missing_bce_term", "l1_sign_lost", "target_broadcast",
    "regularization_missing", "regularization_sign", "bias_regularized",
)
FINISHED_IDS = (
    "gradient_accumulated", "single_sample", "swapped_parameters", "clipped", "low_precision", "all_zero", "constant_factor",
)
ALL_IDS = ACTIVATION_IDS + SENDING_IDS + WEIGHT_IDS + BIAS_IDS + LOSS_IDS + FINISHED_IDS


# --- activations -----------------------------------------------------------------------------------------------------


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e)).astype(z.dtype)


def erf(z):
    return np.vectorize(math.erf, otypes=[z.dtype])(z)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def tanh_of_gelu(z):
    return np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))


def activate(act, z):
    kind = act["type"]
    if kind == "relu":
        return np.maximum(z, 0)
    if kind == "leaky_relu":
        return np.where(z > 0, z, act.get("negative_slope", 0.01) * z).astype(z.dtype)
    if kind == "elu":
        return np.where(z > 0, z, act.get("alpha", 1.0) * np.expm1(np.minimum(z, 0))).astype(z.dtype)
    if kind == "sigmoid":
        return sigmoid(z)
    if kind == "tanh":
        return np.tanh(z)
    if kind == "softplus":
        return np.where(z > 20, z, np.log1p(np.exp(np.minimum(z, 20)))).astype(z.dtype)
    if kind == "silu":
        return z * sigmoid(z)
    if kind == "gelu":
        if act.get("approximate", "none") == "tanh":
            return (0.5 * z * (1 + tanh_of_gelu(z))).astype(z.dtype)
        return (0.5 * z * (1 + erf(z / math.sqrt(2)))).astype(z.dtype)
    if kind == "softmax":
        return softmax(z)
    if kind == "log_softmax":
        shifted = z - z.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    if kind == "identity":
        return z
    raise ValueError(kind)


def derivative(act, z):
    """f'(z) of an activation that works element by element."""
    kind = act["type"]
    if kind == "relu":
        return (z > 0).astype(z.dtype)
    if kind == "leaky_relu":
        return np.where(z > 0, 1, act.get("negative_slope", 0.01)).astype(z.dtype)
    if kind == "elu":
        return np.where(z > 0, 1, act.get("alpha", 1.0) * np.exp(np.minimum(z, 0))).astype(z.dtype)
    if kind == "sigmoid":
        s = sigmoid(z)
        return s * (1 - s)
    if kind == "tanh":
        return 1 - np.tanh(z) ** 2
    if kind == "softplus":
        return sigmoid(z)
    if kind == "silu":
        s = sigmoid(z)
        return s * (1 + z * (1 - s))
    if kind == "gelu":
        if act.get("approximate", "none") == "tanh":
            t = tanh_of_gelu(z)
            inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
            return (0.5 * (1 + t) + 0.5 * z * (1 - t**2) * inner).astype(z.dtype)
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        return (0.5 * (1 + erf(z / math.sqrt(2))) + z * density).astype(z.dtype)
    if kind == "identity":
        return np.ones_like(z)
    raise NotPossible("%s has no derivative element by element" % kind)


def formula_of_output(kind, h):
    """The derivative of an activation as people write it in terms of its output."""
    if kind == "sigmoid":
        return h * (1 - h)
    if kind == "tanh":
        return 1 - h**2
    raise NotPossible(kind)


def through_activation(act, dh, z, h):
    """The right step: dL/dz from dL/dh."""
    if act["type"] == "softmax":
        return h * (dh - (dh * h).sum(axis=-1, keepdims=True))
    if act["type"] == "log_softmax":
        return dh - np.exp(h) * dh.sum(axis=-1, keepdims=True)
    return dh * derivative(act, z)


def slip(name, way, act, dh, z, h):
    """A slip in the formula of the derivative."""
    kind, left = act["type"], act.get("negative_slope", 0.01) if act["type"] == "leaky_relu" else 0
    if name == "squared_derivative_slip" and kind in ("tanh", "sigmoid", "softmax"):
        ways = {"tanh": ("-h2", "1+h2", "1-h", "arctan"), "sigmoid": ("1-h", "h-(1-h)"), "softmax": ("1-h",)}[kind]
        if way in ways:
            return dh * {"-h2": -h * h, "1+h2": 1 + h * h, "1-h": 1 - h, "h-(1-h)": 2 * h - 1, "arctan": 1 / (1 + z * z)}[way]
    if name == "inverted_mask" and kind in ("relu", "leaky_relu"):
        return np.where(z <= 0 if way == 0 else z < 0, dh, left * dh)
    if name == "half_at_zero" and kind in ("relu", "leaky_relu") and (z == 0).any():
        return dh * np.where(z > 0, 1, np.where(z < 0, left, (1 + left) / 2))
    if name == "slope_times_input" and kind == "leaky_relu":
        return np.where(z > 0, dh, dh * left * z)
    if name == "elu_offset" and kind == "elu":
        return np.where(z > 0, dh, dh * (h + way))
    if name == "log_softmax_sign" and kind == "log_softmax":
        return dh + np.exp(h) * dh.sum(axis=-1, keepdims=True)
    if name == "inner_derivative_missing" and kind in ("silu", "gelu"):
        factor = sigmoid(z) if kind == "silu" else (1 + (tanh_of_gelu(z) if act.get("approximate") == "tanh" else erf(
            z / math.sqrt(2)))) / 2
        if way == "first":
            return dh * factor
        if way == "second":
            return dh * (derivative(act, z) - factor)
    if name == "product_for_elementwise" and kind in ("tanh", "sigmoid"):
        if way == "units":
            return dh @ (1 - h.T @ h if kind == "tanh" else h.T @ (1 - h)).T
        return (1 - h @ h.T if kind == "tanh" else (1 - h) @ h.T) @ dh
    raise NotPossible(name)


def through_activation_wrongly(name, options, act, dh, z, h):
    kind = act["type"]
    if name == "missing_activation_derivative":
        return dh
    if name == "wrong_activation_derivative":
        if "output_formula" in options:
            return dh * formula_of_output(options["output_formula"], h)
        other = options["other"]
        return through_activation(other, dh, z, activate(other, z)) * options.get("scale", 1)
    if name == "derivative_at_output":
        return through_activation(act, dh, h, activate(act, h))
    if name == "output_formula_at_input":
        return dh * formula_of_output(kind, z)
    if name == "activation_instead_of_derivative":
        return dh * h
    if name == "derivative_of_gradient":
        return dh * derivative(act, dh)
    if name == "upstream_dropped":
        return derivative(act, z)
    if name == "relu_gradient_at_zero" and kind == "relu":
        return dh * (z >= 0)
    if name == "mask_from_gradient" and kind == "relu":
        return dh * (dh > 0)
    if name == "operator_precedence" and kind == "tanh":
        return dh * 1 - h**2
    if name == "softmax_jacobian_diagonal" and kind == "softmax":
        return dh * h * (1 - h)
    if name in SLIPS:
        return slip(name, options["way"], act, dh, z, h)
    raise NotPossible(name)


# --- losses ----------------------------------------------------------------------------------------------------------


def one_hot(y, classes, dtype):
    if y.ndim == 2:
        return y
    return np.eye(classes, dtype=dtype)[y.astype(int)]


def error_gradient(loss, p, y):
    """dL/dy_hat before any reduction: as if every element were a loss of its own (class losses: every sample)."""
    kind = loss["type"]
    if kind == "mse":
        return 2 * (p - y)
    if kind == "l1":
        return np.sign(p - y)
    if kind == "smooth_l1":
        beta, e = loss.get("beta", 1.0), p - y
        return np.where(np.abs(e) < beta, e / (beta or 1), np.sign(e)).astype(p.dtype)
    if kind == "huber":
        delta, e = loss.get("delta", 1.0), p - y
        return np.where(np.abs(e) <= delta, e, delta * np.sign(e)).astype(p.dtype)
    if kind == "bce":
        return -(y / p) + (1 - y) / (1 - p)
    if kind == "bce_with_logits":
        return sigmoid(p) - y
    if kind == "cross_entropy":
        target = one_hot(y, p.shape[1], p.dtype)
        if loss.get("from", "logits") == "probabilities":
            return -target / p
        return softmax(p) * target.sum(axis=1, keepdims=True) - target
    if kind == "nll":
        return -one_hot(y, p.shape[1], p.dtype)
    if kind == "hinge":
        target = one_hot(y, p.shape[1], p.dtype)
        right = (p * target).sum(axis=1, keepdims=True)
        counts = ((p - right + 1 > 0) & (target == 0)).astype(p.dtype)
        return counts - target * counts.sum(axis=1, keepdims=True)
    raise ValueError(kind)


def loss_values(loss, p, y):
    """What an elementwise loss makes of each number of the output, before any reduction."""
    kind, e = loss["type"], np.abs(p - y)
    if kind == "mse":
        return e**2
    if kind == "l1":
        return e
    if kind == "huber":
        delta = loss.get("delta", 1.0)
        return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2))
    if kind == "smooth_l1" and loss.get("beta", 1.0) > 0:
        beta = loss.get("beta", 1.0)
        return np.where(e < beta, e**2 / (2 * beta), e - beta / 2)
    if kind == "bce":
        return -(y * np.log(p) + (1 - y) * np.log(1 - p))
    if kind == "bce_with_logits":
        return np.maximum(p, 0) - p * y + np.log1p(np.exp(-np.abs(p)))
    raise NotPossible("no elementwise loss")


def with_epsilon(loss, eps, p, y):
    """dL/dy_hat of a cross-entropy whose logarithms are of p + eps, before any reduction."""
    kind, target = loss["type"], one_hot(y, p.shape[1], p.dtype)
    if kind == "bce":
        return -y / (p + eps) + (1 - y) / (1 - p + eps)
    if kind == "bce_with_logits":
        q = sigmoid(p)
        return (-y / (q + eps) + (1 - y) / (1 - q + eps)) * q * (1 - q)
    if kind == "cross_entropy" and loss.get("from") == "probabilities":
        return -target / (p + eps)
    if kind == "cross_entropy":
        q = softmax(p)
        return through_activation({"type": "softmax"}, -target / (q + eps), p, q)
    raise NotPossible("no logarithm")


def divisor(loss, n, outputs):
    """What the sum over all elements is divided by."""
    reduction = loss.get("reduction", "mean")
    if reduction == "sum":
        return 1
    if reduction == "batchmean" or loss["type"] in BATCH_LOSSES:
        return n
    return n * outputs


def loss_step(net, blunders, p, y, n):
    """dL/dy_hat, or dL/dz of the last layer where the mistake writes that directly: (dh, None) or (None, dz).

    n: the batch size that the program divides by.
    """
    loss, outputs = net.loss, p.shape[1]
    kind, reduction = loss["type"], loss.get("reduction", "mean")
    over = divisor(loss, n, outputs)
    made = blunders.find
    if made("wrong_normalization", "loss") is not None:
        if reduction == "sum" or outputs == 1:
            raise NotPossible("nothing to confuse")
        over = n if over == n * outputs else n * outputs
    dz, dh = None, None
    shortcut = made("cross_entropy_shortcut", "loss")
    mse = made("mse_shortcut", "loss")
    if shortcut is not None:
        if kind in ("bce_with_logits", "cross_entropy"):
            raise NotPossible("it is that cross-entropy")
        output = softmax(p) if shortcut.get("softmax") else p
        dz = output - one_hot(y, outputs, p.dtype)
        if shortcut.get("over") == "batch":
            over = n
    elif mse is not None:
        target = one_hot(y, outputs, p.dtype)
        factor = mse.get("factor", 2)
        if kind == "bce" or (kind == "cross_entropy" and loss.get("from") == "probabilities"):
            dh = factor * (p - target)
        elif kind == "bce_with_logits":
            q = sigmoid(p)
            dh = factor * (p - target) if mse.get("raw") else factor * (q - target) * q * (1 - q)
        elif kind == "cross_entropy":
            q = softmax(p)
            dh = factor * (p - target) if mse.get("raw") else through_activation(
                {"type": "softmax"}, factor * (q - target), p, q)
        else:
            raise NotPossible("the loss is no cross-entropy")
        if mse.get("over") == "elements":
            over = n * outputs
    elif made("missing_bce_term", "loss") is not None:
        if kind == "bce":
            dh = -(y / p)
        elif kind == "bce_with_logits":
            dh = -y * (1 - sigmoid(p))
        else:
            raise NotPossible("no binary cross-entropy")
    elif made("l1_sign_lost", "loss") is not None:
        dh = error_gradient(loss, p, y)
        e = np.abs(p - y)
        if kind == "l1":
            dh = np.ones_like(p)
        elif kind == "smooth_l1":
            dh = np.where(e < loss.get("beta", 1.0), dh, 1.0)
        elif kind == "huber":
            dh = np.where(e <= loss.get("delta", 1.0), dh, loss.get("delta", 1.0))
        else:
            raise NotPossible("no absolute error")
    elif made("loss_as_gradient", "loss") is not None:
        dh = loss_values(loss, p, y)
        if made("loss_as_gradient", "loss")["way"] == "all":
            dh, over = np.full_like(p, dh.sum() / over), 1
    elif made("epsilon_in_log", "loss") is not None:
        dh = with_epsilon(loss, made("epsilon_in_log", "loss")["eps"], p, y)
    elif made("gradient_of_output", "loss") is not None:
        dh, over = np.ones_like(p), 1
    elif made("bce_term_sign", "loss") is not None:
        if kind not in ("bce", "bce_with_logits"):
            raise NotPossible("no binary cross-entropy")
        dh = -y / p - (1 - y) / (1 - p) if kind == "bce" else -y * (1 - sigmoid(p)) - (1 - y) * sigmoid(p)
    elif made("clamp_ignored", "loss") is not None:
        if kind not in ("huber", "smooth_l1"):
            raise NotPossible("no clamp")
        e, limit = p - y, loss.get("delta" if kind == "huber" else "beta", 1.0)
        dh = e / (1 if kind == "huber" else limit)
        if made("clamp_ignored", "loss")["way"] == 1:
            dh = np.where(e < limit, dh, limit if kind == "huber" else 1.0)
    elif made("hinge_own_class", "loss") is not None:
        if kind != "hinge":
            raise NotPossible("no hinge")
        own = one_hot(y, outputs, p.dtype) == 1
        dh = error_gradient(loss, p, y)
        dh = np.where(own, dh - 1, dh) if made("hinge_own_class", "loss")["way"] == 0 else np.where(own, 0, dh)
    elif made("target_broadcast", "loss") is not None:
        if kind in BATCH_LOSSES or outputs != 1 or n < 2 or len(p) != n:
            raise NotPossible("needs [n, 1] and [n]")
        grid = error_gradient(loss, np.repeat(p, n, axis=1), np.repeat(y.reshape(1, n), n, axis=0))  # [n, n]
        dh = grid.sum(axis=1, keepdims=True)
        if reduction == "mean":
            over = n * n
    else:
        dh = error_gradient(loss, p, y)
    if made("missing_factor_two", "loss") is not None:
        if kind != "mse" or dh is None:
            raise NotPossible("no square")
        dh = dh / 2
    scale = 1.0
    if made("not_averaged_over_batch", "loss") is not None:
        if reduction == "sum":
            raise NotPossible("nothing to average")
        scale = n
    if made("averaged_twice", "loss") is not None:
        scale = scale / n
    if made("sign_flipped", "loss") is not None:
        scale = -scale
    factor = made("constant_factor", "loss")
    if factor is not None:
        scale = scale * factor["factor"]
    return (None, dz * p.dtype.type(scale / over)) if dz is not None else (dh * p.dtype.type(scale / over), None)


# --- the network -----------------------------------------------------------------------------------------------------


class Net:
    """linear (+ activation), several times, and a loss; `definition` is the request's `network`."""

    def __init__(self, definition):
        self.definition = definition
        loss = definition["loss"]
        self.loss = dict(loss) if isinstance(loss, dict) else {"type": loss}
        self.l2 = self.loss.get("l2", 0.0)
        size = definition["input"]
        self.inputs = int(np.prod(size)) if isinstance(size, list) else size
        self.linears, self.acts, self.linear_at, self.act_at, self.has_bias = [], [], [], [], []
        width = self.inputs
        for index, layer in enumerate(definition["layers"]):
            if layer["type"] == "flatten":
                continue
            if layer["type"] == "linear":
                self.linears.append((width, layer["out_features"]))
                self.acts.append(None)
                self.linear_at.append(index)
                self.act_at.append(None)
                self.has_bias.append(layer.get("bias", True))
                width = layer["out_features"]
            else:
                if not self.linears or self.acts[-1] is not None:
                    raise NotPossible("one activation after each linear layer, at most")
                self.acts[-1], self.act_at[-1] = layer, index
        self.depth, self.outputs = len(self.linears), width

    def names(self):
        """All parameters, (number, "W" or "b"), in layer order."""
        return [(k, which) for k in range(self.depth) for which in ("W", "b") if which == "W" or self.has_bias[k]]


def forward(net, params, x):
    """A list of (input, z, h), one for each linear layer."""
    cache, h = [], x
    for k in range(net.depth):
        below = h
        z = below @ params[k, "W"]
        if net.has_bias[k]:
            z = z + params[k, "b"]
        h = activate(net.acts[k], z) if net.acts[k] else z
        cache.append((below, z, h))
    return cache


def backward(net, params, x, y, blunders=(), n=None):
    """The gradients {(k, "W" or "b"): array}, with the mistakes made."""
    made = blunders if isinstance(blunders, Blunders) else Blunders(blunders)
    alone = [b for b in made.all if b.id == "single_sample"]
    if alone and n is None:
        if len(x) < 2:
            raise NotPossible("there is but one sample")
        i = alone[0].options["sample"] % len(x)
        return backward(net, params, x[i:i + 1], y[i:i + 1], made, len(x) if alone[0].options["divided"] else 1)
    n = n or len(x)
    cache = forward(net, params, x)
    dh, dz_given = loss_step(net, made, cache[-1][2], y, n)
    grads = {}
    for k in reversed(range(net.depth)):
        below, z, h = cache[k]
        W, act = params[k, "W"], net.acts[k]

        # the activation's step; what is used for dW, for db and for what lies below may differ by mistake
        right = dz_given if dz_given is not None else through_activation(act, dh, z, h) if act else dh
        dz_W = dz_b = dz_x = right
        for blunder in made.at_activation(k):
            if act is None or dz_given is not None:
                raise NotPossible("no activation's step")
            wrong = through_activation_wrongly(blunder.id, blunder.options, act, dh, z, h)
            only = blunder.options.get("only")
            dz_W = wrong if only in (None, "W") else dz_W
            dz_b = wrong if only in (None, "b") else dz_b
            dz_x = wrong if only is None else dz_x

        # the weight's gradient
        dW = below.T @ dz_W
        if made.find("input_not_activated", k) is not None:
            if k == 0 or net.acts[k - 1] is None:
                raise NotPossible("no activation below")
            dW = cache[k - 1][1].T @ dz_W
        if made.find("own_output_as_input", k) is not None:
            if W.shape[0] != W.shape[1]:
                raise NotPossible("not square")
            dW = h.T @ dz_W
        if made.find("input_ignored", k) is not None:
            dW = np.ones_like(below).T @ dz_W
        if made.find("weight_as_input", k) is not None:
            dW = W * dz_W.sum(axis=0)
        other = made.find("wrong_layer_used", k)
        if other is not None and other["what"] == "input":
            if cache[other["other"]][0].shape != below.shape:
                raise NotPossible("shapes differ")
            dW = cache[other["other"]][0].T @ dz_W
        turned = made.find("transposed", k)
        if turned is not None and turned.get("before_l2"):
            if W.shape[0] != W.shape[1]:
                raise NotPossible("not square")
            dW = dW.T
        if made.find("regularization_unasked", k) is not None:
            if net.l2:
                raise NotPossible("it is asked for")
            dW = dW + made.find("regularization_unasked", k)["l2"] * W
        if net.l2 and made.find("regularization_missing", k) is None:
            dW = dW - net.l2 * W if made.find("regularization_sign", k) is not None else dW + net.l2 * W

        # the bias's gradient
        db = dz_b.sum(axis=0)
        if made.find("bias_not_summed", k) is not None:
            db = dz_b
        if made.find("bias_averaged", k) is not None:
            db = dz_b.mean(axis=0)
        spread = made.find("bias_summed_over_units", k)
        if spread is not None:
            db = np.full(W.shape[1], dz_b.sum(), dtype=dz_b.dtype)
            if spread.get("scalar") and W.shape[1] == 1:
                raise NotPossible("of one unit a number is right")
            if spread.get("scalar") or spread.get("keepdims"):
                db = np.sum(dz_b, keepdims=bool(spread.get("keepdims")))
        if made.find("bias_from_weight_gradient", k) is not None:
            db = dW.sum(axis=0)
            if made.find("bias_from_weight_gradient", k).get("before_l2"):
                db = (dW - net.l2 * W).sum(axis=0)
        if made.find("bias_summed_over_wrong_axis", k) is not None:
            if len(dz_b) != dz_b.shape[1] or len(dz_b) < 2:
                raise NotPossible("not square")
            db = dz_b.sum(axis=1)
        if made.find("bias_of_ones", k) is not None:
            db = np.ones(W.shape[1])
        if made.find("bias_regularized", k) is not None:
            if not net.l2:
                raise NotPossible("no l2")
            db = db + net.l2 * params[k, "b"]
        grads[k, "W"] = dW
        if net.has_bias[k]:
            grads[k, "b"] = db

        # sending the gradient back
        sent, matrix = dz_x, W.T
        if made.find("raw_error_propagated", k) is not None:
            if act is None or dh is None:
                raise NotPossible("no activation to forget")
            sent = dh
        if made.find("weight_not_transposed", k) is not None:
            if W.shape[0] != W.shape[1]:
                raise NotPossible("not square")
            matrix = W
        step = made.find("updated_weights_propagated", k)
        if step is not None:
            matrix = (W - step["lr"] * dW).T
        if made.find("weight_gradient_as_weight", k) is not None:
            matrix = dW.T
        other = made.find("wrong_layer_used", k)
        if other is not None and other["what"] == "weight":
            if params[other["other"], "W"].shape != W.shape:
                raise NotPossible("shapes differ")
            matrix = params[other["other"], "W"].T
        dx = sent @ matrix
        if other is not None and other["what"] == "again":
            if act is None or dh is None or dh.shape != dx.shape:
                raise NotPossible("widths differ")
            dx = dh
        if made.find("weight_skipped", k) is not None:
            if W.shape[0] != W.shape[1] and W.shape[1] != 1:
                raise NotPossible("widths differ")
            dx = sent * np.ones((1, W.shape[0]), dtype=sent.dtype)
        dh, dz_given = dx, None
    return finish(net, params, grads, made)


def finish(net, params, grads, made):
    """The mistakes made with finished gradients."""
    for (k, which), value in list(grads.items()):
        if made.find("wrong_memory_order", k) is not None and which == "W":
            if made.find("wrong_memory_order", k).get("way") == "flattened by columns":
                grads[k, "W"] = value.ravel(order="F").reshape(value.shape)
            else:
                grads[k, "W"] = value.ravel().reshape(value.shape, order="F")
        turned = made.find("transposed", k)
        if turned is not None and which == "W" and not turned.get("before_l2"):
            grads[k, "W"] = value.T
        if made.find("parameter_as_gradient", (k, which)) is not None:
            grads[k, which] = params[k, which].copy()
    for blunder in made.all:
        if blunder.id == "swapped_parameters":
            before = dict(grads)
            for to, source in zip(blunder.places, blunder.options["sources"]):
                if before[to].shape != before[source].shape:
                    raise NotPossible("shapes differ")
                grads[to] = before[source]
        elif blunder.id == "gradient_accumulated":
            for place in blunder.places:
                grads[place] = grads[place] * blunder.options["times"]
        elif blunder.id == "constant_factor" and blunder.places != ["loss"]:
            for place in blunder.places:
                grads[place] = grads[place] * blunder.options["factor"]
        elif blunder.id in ("learning_rate_applied", "velocity"):
            grads = {name: value * blunder.options["factor"] for name, value in grads.items()}
        elif blunder.id == "updated_parameter":
            grads = {name: params[name] - blunder.options["lr"] * value for name, value in grads.items()}
        elif blunder.id == "all_zero":
            for place in blunder.places:
                grads[place] = np.zeros_like(params[place])
        elif blunder.id == "clipped":
            limit = blunder.options["limit"]
            if blunder.options["by"] == "value":
                grads = {name: np.clip(value, -limit, limit) for name, value in grads.items()}
            else:
                norm = math.sqrt(sum(float((value**2).sum()) for value in grads.values()))
                divisor = norm + blunder.options.get("eps", 0.0)
                coefficient = limit / divisor if divisor > limit else 1.0
                if coefficient < 1:
                    grads = {name: value * coefficient for name, value in grads.items()}
        elif blunder.id == "low_precision" and blunder.options["how"] == "rounded":
            grads = {name: value.astype(np.float32).astype(np.float64) for name, value in grads.items()}
    return grads


def run(net, params, x, y, blunders=()):
    """Gradients in float64, or None where the mistakes cannot be made here."""
    blunders = list(blunders)
    try:
        with np.errstate(all="ignore"):
            if any(b.id == "low_precision" and b.options["how"] == "computed" for b in blunders):
                single = {name: value.astype(np.float32) for name, value in params.items()}
                target = y.astype(np.float32) if y.dtype.kind == "f" else y
                grads = backward(net, single, x.astype(np.float32), target, blunders)
                assert all(value.dtype == np.float32 for value in grads.values()), "not computed in float32"
                return {name: value.astype(np.float64) for name, value in grads.items()}
            return backward(net, params, x, y, blunders)
    except (NotPossible, ValueError, KeyError, IndexError):
        return None  # NumPy would have stopped this student, too


# --- a request's convention ------------------------------------------------------------------------------------------


def parameter_name(net, convention, k, which):
    if convention == "pytorch":
        index = net.linear_at[k]
        return "%s.%s" % (net.definition["layers"][index].get("name", index), "weight" if which == "W" else "bias")
    return "%s%d" % (which, k + 1)


def laid_out(convention, which, value, bias_axes=1):
    """One tensor as the convention has it, as nested lists."""
    value = np.asarray(value)
    if which == "W":
        return (value if convention == "numpy" else value.T).tolist()
    if value.ndim == 0:
        return value.tolist()
    if value.ndim == 2:  # it still has the batch axis
        return (value.T if convention == "columns" else value).tolist()
    if bias_axes == 2:
        return (value[:, None] if convention == "columns" else value[None, :]).tolist()
    return value.tolist()


def submission(net, convention, grads, bias_axes=1, alias=""):
    """The request's `gradients`. alias: "" or what some write before (`dW1`) or behind (`0.weight.grad`) the name."""
    result = {}
    for k, which in net.names():
        if (k, which) in grads:
            name = parameter_name(net, convention, k, which)
            if alias:
                name = name + ".grad" if convention == "pytorch" else alias + name
            result[name] = laid_out(convention, which, grads[k, which], bias_axes)
    return result


def fails(net, reference, grads, atol, rtol):
    """{(k, which): by how many tolerances}: infinite for another shape. What passes is there, too, with 1 or less."""
    result = {}
    for name in net.names():
        if name not in grads:
            result[name] = math.inf
            continue
        a, b = np.asarray(grads[name]), reference[name]
        if a.shape != b.shape and not (name[1] == "b" and a.shape == (1,) + b.shape):
            result[name] = math.inf
        elif not np.isfinite(a).all():
            result[name] = math.inf
        else:
            allowed = atol + rtol * np.abs(b)
            result[name] = float(np.max(np.abs(a.reshape(b.shape) - b) / allowed)) if b.size else 0.0
    return result


def first_wrong(net, failing):
    """The parameters of the layer nearest the loss that has a failing one."""
    for k in reversed(range(net.depth)):
        here = [(k, which) for which in ("W", "b") if failing.get((k, which), 0) > 1]
        if here:
            return here
    return []
