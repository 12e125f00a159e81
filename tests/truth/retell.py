"""Does what a diagnosis says was done, and nothing else: the gradients that it claims were made.

It reads a request and the JSON of its answer's `diagnosis`: ids, layers, parameters and `values`. A chain of linear
layers, each with an activation or none. Of the daemon's own rules nothing is used, and neither is what the wrong
program did that made the numbers.
"""

import itertools

import numpy as np

from student import (Net, activate, derivative, divisor, error_gradient, forward, laid_out, loss_values, one_hot, parameter_name,
                     sigmoid, softmax, through_activation, with_epsilon)

ACTIVATION, SENDING, WEIGHT, BIAS = {}, {}, {}, {}


class Unknown(Exception):
    """The answer names something that this program has no rule for, or says too little of."""


def rule(table, *names):
    def keep(function):
        for name in names:
            table[name] = function
        return function
    return keep


def get(mistake, name):
    if name not in mistake["values"]:
        raise Unknown("%s without %s" % (mistake["id"], name))
    return mistake["values"][name]


# --- the activation's step: dz from dh, with act, z and h; of: the layer's input and weight, all caches -----------------


@rule(ACTIVATION, "missing_activation_derivative")
def _(m, act, dh, z, h):
    return dh


@rule(ACTIVATION, "derivative_at_output")
def _(m, act, dh, z, h):
    return through_activation(act, dh, h, activate(act, h))


@rule(ACTIVATION, "activation_instead_of_derivative")
def _(m, act, dh, z, h):
    return dh * h


@rule(ACTIVATION, "derivative_of_gradient")
def _(m, act, dh, z, h):
    return dh * derivative(act, dh)


@rule(ACTIVATION, "upstream_dropped")
def _(m, act, dh, z, h):
    return derivative(act, z)


@rule(ACTIVATION, "relu_gradient_at_zero")
def _(m, act, dh, z, h):
    return np.where(z == 0, dh, dh * derivative(act, z))


@rule(ACTIVATION, "mask_from_gradient")
def _(m, act, dh, z, h):
    return dh * derivative(act, dh)


@rule(ACTIVATION, "operator_precedence")
def _(m, act, dh, z, h):
    return dh - h**2


@rule(ACTIVATION, "softmax_jacobian_diagonal")
def _(m, act, dh, z, h):
    return dh * {"h * (1 - h)": lambda: h * (1 - h), "1 - exp(h)": lambda: 1 - np.exp(h)}[get(m, "used")]()


@rule(ACTIVATION, "squared_derivative_slip")
def _(m, act, dh, z, h):
    return dh * {"-h**2": -h**2, "1 + h**2": 1 + h**2, "1 - h": 1 - h, "h - (1 - h)": h - (1 - h),
                 "1 / (1 + z**2)": 1 / (1 + z**2)}[get(m, "used")]


@rule(ACTIVATION, "product_for_elementwise")
def _(m, act, dh, z, h):
    other = h if act["type"] == "tanh" else 1 - h
    if get(m, "used") == "over the units":
        product = h.T @ other
        return dh @ (1 - product if act["type"] == "tanh" else product).T
    product = other @ h.T
    return (1 - product if act["type"] == "tanh" else product) @ dh


def left_slope(act):
    return act.get("negative_slope", 0.01) if act["type"] == "leaky_relu" else 0


@rule(ACTIVATION, "inverted_mask")
def _(m, act, dh, z, h):
    return dh * np.where({"z <= 0": z <= 0, "z < 0": z < 0}[get(m, "used")], 1, left_slope(act))


@rule(ACTIVATION, "half_at_zero")
def _(m, act, dh, z, h):
    return dh * np.where(z > 0, 1, np.where(z < 0, left_slope(act), (1 + left_slope(act)) / 2))


@rule(ACTIVATION, "slope_times_input")
def _(m, act, dh, z, h):
    return dh * np.where(z > 0, 1, left_slope(act) * z)


@rule(ACTIVATION, "elu_offset")
def _(m, act, dh, z, h):
    return dh * np.where(z > 0, 1, {"h": h, "h + 1": h + 1}[get(m, "used")])


@rule(ACTIVATION, "log_softmax_sign")
def _(m, act, dh, z, h):
    return dh + np.exp(h) * dh.sum(axis=1, keepdims=True)


@rule(ACTIVATION, "inner_derivative_missing")
def _(m, act, dh, z, h):
    used, full = get(m, "used"), derivative(act, z)
    factor = sigmoid(z) if act["type"] == "silu" else activate(act, np.where(z == 0, 1, z)) / np.where(z == 0, 1, z)
    factor = np.where(z == 0, 0.5, factor)
    if used.startswith("only the first"):
        return dh * factor
    if used.startswith("only the second"):
        return dh * (full - factor)
    if used.startswith("1 + e"):
        e = np.exp(-z)
        return dh * (1 + e + z * e / (1 + e)**2)
    if used.startswith("a tanh"):
        t = 2 * factor - 1
        return dh * (factor + 0.5 * z * (1 - t**2))
    if used.startswith("the approximation"):
        return dh * (factor + z * np.exp(-z**2 / 2) / np.sqrt(2 * np.pi))
    raise Unknown(used)


@rule(ACTIVATION, "output_formula_at_input")
def _(m, act, dh, z, h):
    if act["type"] == "sigmoid":
        return dh * z * (1 - z)
    if act["type"] == "tanh":
        return dh * (1 - z**2)
    if act["type"] == "elu":
        return dh * np.where(z > 0, 1, z + act.get("alpha", 1.0))
    raise Unknown(m["id"])


FORMULAS = {"h * (1 - h)": lambda z, h: h * (1 - h), "1 - h**2": lambda z, h: 1 - h**2, "h > 0": lambda z, h: h > 0}


@rule(ACTIVATION, "wrong_activation_derivative")
def _(m, act, dh, z, h):
    used = get(m, "used")
    if used in FORMULAS:
        return dh * FORMULAS[used](z, h)
    name = used.removeprefix("the derivative of ")
    if "factor" in m["values"]:
        name += " of its own"
    other = {"leaky_relu of its own": lambda f: {"type": "leaky_relu", "negative_slope": f},
             "elu of its own": lambda f: {"type": "elu", "alpha": f}}.get(name)
    other = other(m["values"]["factor"]) if other else {"gelu_tanh": {"type": "gelu", "approximate": "tanh"}}.get(
        name, {"type": name})
    return through_activation(other, dh, z, activate(other, z))


# --- what a linear layer sends back; x its input, W its weight, dW what its gradient was taken for ------------------------


@rule(SENDING, "raw_error_propagated")
def _(m, at):
    return at.dh @ at.W.T


@rule(SENDING, "weight_not_transposed")
def _(m, at):
    return at.dz @ at.W


@rule(SENDING, "updated_weights_propagated")
def _(m, at):
    return at.dz @ (at.W - get(m, "factor") * at.gone_on_with(m)).T


@rule(SENDING, "weight_gradient_as_weight")
def _(m, at):
    return at.dz @ at.gone_on_with(m).T


@rule(SENDING, "weight_skipped")
def _(m, at):
    return at.dz * np.ones((1, at.W.shape[0]))


# --- the weight's gradient ---------------------------------------------------------------------------------------------


@rule(WEIGHT, "input_not_activated")
def _(m, at):
    return at.below_z.T @ at.dz


@rule(WEIGHT, "own_output_as_input")
def _(m, at):
    return {"h": at.h, "z": at.z}[get(m, "used")].T @ at.dz


@rule(WEIGHT, "input_ignored")
def _(m, at):
    return np.ones_like(at.x).T @ at.dz


@rule(WEIGHT, "weight_as_input")
def _(m, at):
    return at.W * at.dz.sum(axis=0)


# --- the bias's gradient -------------------------------------------------------------------------------------------------


@rule(BIAS, "bias_not_summed")
def _(m, at):
    return at.dz


@rule(BIAS, "bias_averaged")
def _(m, at):
    return at.dz.mean(axis=0)


@rule(BIAS, "bias_summed_over_units")
def _(m, at):
    return np.full(at.W.shape[1], at.dz.sum())


@rule(BIAS, "bias_summed_over_wrong_axis")
def _(m, at):
    return at.dz.sum(axis=1)


@rule(BIAS, "bias_of_ones")
def _(m, at):
    return np.full(at.W.shape[1], 1.0 if get(m, "used") == "1" else float(len(at.dz)))


@rule(BIAS, "bias_from_weight_gradient")
def _(m, at):
    return at.gone_on_with(m).sum(axis=0)


CLASS_LOSSES = ("cross_entropy", "nll", "hinge")


def class_values(loss, p, target):
    """What a loss of classes makes of each output, before any reduction."""
    if loss["type"] == "nll":
        return -target * p
    if loss["type"] == "hinge":
        return np.maximum(0, p - (p * target).sum(axis=1, keepdims=True) + 1) * (target == 0)
    return -target * np.log(p if loss.get("from") == "probabilities" else softmax(p))


# --- the loss --------------------------------------------------------------------------------------------------------------


def loss_without(m, loss, p, y, last):
    """The wrong derivative of the loss before any reduction: (dL/dy_hat, None), or (None, dL/dz of the last layer)."""
    name, kind, used = m["id"], loss["type"], m["values"].get("used")
    target = one_hot(y, p.shape[1], p.dtype)
    if name == "single_sample":
        keep = np.zeros((len(p), 1))
        keep[get(m, "sample")] = 1
        return error_gradient(loss, p, y) * keep, None
    if name == "cross_entropy_shortcut":
        error = (p if used == "the output" else softmax(p)) - target
        return (None, error) if last else (error, None)
    if name == "mse_shortcut":
        if used == "the output":
            return p - target, None
        act = {"type": "sigmoid" if kind == "bce_with_logits" else "softmax"}
        q = activate(act, p)
        return through_activation(act, q - target, p, q), None
    if name == "missing_bce_term":
        return (-y / p if kind == "bce" else -y * (1 - sigmoid(p))), None
    if name == "l1_sign_lost":
        e, flat = np.abs(p - y), error_gradient(loss, p, y)
        if kind == "l1":
            return np.ones_like(p), None
        if kind == "smooth_l1":
            return np.where(e < loss.get("beta", 1.0), flat, 1.0), None
        return np.where(e <= loss.get("delta", 1.0), flat, loss.get("delta", 1.0)), None
    if name == "loss_as_gradient":
        values = class_values(loss, p, target) if kind in CLASS_LOSSES else loss_values(loss, p, y)
        if used.startswith("for each output"):
            return values, None
        return np.full_like(p, values.sum() / divisor(loss, *p.shape)), None
    if name == "epsilon_in_log":
        return with_epsilon(loss, get(m, "factor"), p, y), None
    if name == "gradient_of_output":
        return np.ones_like(p), None
    if name == "bce_term_sign":
        return (-(y / p) - (1 - y) / (1 - p) if kind == "bce" else -y * (1 - sigmoid(p)) - (1 - y) * sigmoid(p)), None
    if name == "clamp_ignored":
        limit = loss.get("delta" if kind == "huber" else "beta", 1.0)
        slope = 1 if kind == "huber" else 1 / limit
        return np.where((used == "nowhere") | (p - y < limit), (p - y) * slope, limit * slope), None
    if name == "hinge_own_class":
        right = error_gradient(loss, p, y)
        own = one_hot(y, p.shape[1], p.dtype) == 1
        return np.where(own, right - 1 if used.startswith("counted") else 0, right), None
    if name == "target_broadcast":
        n = len(p)
        grid = error_gradient(loss, np.repeat(p, n, axis=1), np.repeat(y.reshape(1, n), n, axis=0))
        return grid.mean(axis=1, keepdims=True), None
    raise Unknown(name)


DIRECTIONS = ("single_sample", "cross_entropy_shortcut", "mse_shortcut", "missing_bce_term", "l1_sign_lost", "target_broadcast",
              "loss_as_gradient", "epsilon_in_log", "gradient_of_output", "bce_term_sign", "clamp_ignored", "hinge_own_class")
FACTORS = ("not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
           "gradient_accumulated", "constant_factor", "clipped", "learning_rate_applied", "velocity")


# --- all of it -----------------------------------------------------------------------------------------------------------


def moved(value, change):
    return ("moved", change(value[1])) if isinstance(value, tuple) else change(value)


def numbers(value):
    return value[1] if isinstance(value, tuple) else value


def net_act(net, k):
    return net.acts[k]


class At:
    """One layer on the way back."""

    def gone_on_with(self, m):
        """What was taken for the gradient of the weight."""
        used = m["values"].get("used")
        return self.unspoilt if used == "dW before its own mistake was made" else self.bare if used else self.dW


def is_alone(m):
    return bool(m["values"].get("alone"))


class Replay:
    def __init__(self, request, diagnosis):
        self.net = Net(request["network"])
        self.convention = request.get("convention", "numpy")
        self.mistakes = diagnosis["mistakes"]
        self.names = {parameter_name(self.net, self.convention, k, w): (k, w) for k, w in self.net.names()}
        turn = self.convention == "columns"
        x = np.array(request["data"]["x"], float)
        y = np.array(request["data"]["y"], float)
        self.x = (x.T if turn else x).reshape(-1, self.net.inputs)
        self.y = y.T if turn and y.ndim == 2 else y
        self.params = self.parameters(request["parameters"])

    def parameters(self, given):
        net, result = self.net, {}
        if "init" in given:
            draw = np.random.RandomState(given["init"]["seed"])
            for k, (a, b) in enumerate(net.linears):
                result[k, "W"], result[k, "b"] = draw.randn(a, b) * np.sqrt(2 / a), np.zeros(b)
            return result
        for name, (k, which) in self.names.items():
            value = np.array(given[name], float)
            if which == "b":
                value = value.reshape(-1)
            elif self.convention != "numpy":
                value = value.T
            result[k, which] = value
        return result

    def of(self, names, layer, tensor=None):
        """The mistakes of that id at a layer: of the whole step, or of one tensor alone."""
        for m in self.mistakes:
            if m["id"] not in names or layer not in m["layers"]:
                continue
            if tensor is None and not is_alone(m):
                yield m
            if tensor is not None and is_alone(m) and tensor in [self.names[p] for p in m["parameters"] if p in self.names]:
                yield m

    def other(self, m):
        """Which linear layer (with its activation) a mistake took something from."""
        layer = get(m, "other")
        for k in range(self.net.depth):
            if layer in (self.net.linear_at[k], self.net.act_at[k]):
                return k
        raise Unknown("layer %s" % layer)

    def at_loss(self, p):
        net, n = self.net, len(p)
        loss = net.loss
        scale, directions = 1 / divisor(loss, n, p.shape[1]), []
        for m in self.mistakes:
            if m["id"] in DIRECTIONS:
                directions.append(m)
        dh, dz = error_gradient(loss, p, self.y), None
        if len(directions) > 1:
            raise Unknown("two gradients of the loss")
        for m in directions:
            dh, dz = loss_without(m, loss, p, self.y, net.acts[-1])
            scale = get(m, "scale") if m["id"] != "epsilon_in_log" else scale
        for m in self.mistakes:
            whole = m["id"] in FACTORS and not is_alone(m) and not {"layer", "through"} & set(m["values"])
            if whole and m["id"] != "clipped":
                scale *= get(m, "factor")
        return (dh * scale if dh is not None else None), (dz * scale if dz is not None else None)

    def activation(self, at, k, dh, dz_given):
        """dz for what lies below, and for each tensor alone."""
        act, index = self.net.acts[k], self.net.act_at[k]
        right = dz_given if dz_given is not None else through_activation(act, dh, at.z, at.h) if act else dh
        made = {}
        for tensor in (None, (k, "W"), (k, "b")):
            made[tensor] = right if tensor is None else made[None]
            for m in self.of(("wrong_layer_used",), index, tensor) if act else ():
                j = self.other(m)
                made[tensor] = dh * derivative(net_act(self.net, j), self.cache[j][1])
            for m in self.of(ACTIVATION, index, tensor) if act else ():
                made[tensor] = ACTIVATION[m["id"]](m, act, dh, at.z, at.h)
        for m in self.mistakes:
            if m["id"] == "constant_factor" and not is_alone(m) and m["values"].get("layer") == self.net.linear_at[k]:
                made = {tensor: value * get(m, "factor") for tensor, value in made.items()}
            if m["id"] == "constant_factor" and "through" in m["values"] and index in m["layers"]:
                made = {tensor: value * get(m, "factor") for tensor, value in made.items()}
        return made

    def l2_times(self, k):
        """What l2's part is multiplied by."""
        times = 1
        tensor = (k, "W")
        for m in self.mistakes:
            if tensor not in [self.names.get(p) for p in m["parameters"]]:
                continue
            if m["id"] == "regularization_missing":
                times = 0
            elif m["id"] == "regularization_sign":
                times = -1
            elif m["values"].get("regularization_alone"):
                times = get(m, "factor")
            elif m["values"].get("with_regularization"):
                times *= get(m, "factor")
        return times

    def run(self):
        net, grads = self.net, {}
        cache = self.cache = forward(net, self.params, self.x)
        self.dz = {}
        dh, dz_given = self.at_loss(cache[-1][2])
        for k in reversed(range(net.depth)):
            at = At()
            at.x, at.z, at.h = cache[k]
            at.below_z = cache[k - 1][1] if k > 0 else None
            at.W, at.dh, index = self.params[k, "W"], dh, net.linear_at[k]
            made = self.activation(at, k, dh, dz_given)
            at.dz = made[k, "W"]
            dW = at.x.T @ at.dz
            at.unspoilt = dW + net.l2 * at.W
            for m in self.of(("wrong_layer_used",), index, (k, "W")):
                j = self.other(m)
                dW = self.cache[j][0].T @ at.dz if get(m, "used").startswith("the input") else at.x.T @ self.dz[j]
            for m in self.of(WEIGHT, index, (k, "W")):
                dW = WEIGHT[m["id"]](m, at)
            for m in self.of(("transposed",), index, (k, "W")):
                dW = dW.T if "used" in m["values"] else dW
            at.bare = dW
            dW = dW + self.l2_times(k) * net.l2 * at.W
            grads[k, "W"] = self.finish(dW, (k, "W"), index)
            at.dW = dW
            if isinstance(grads[k, "W"], tuple):  # the rest of the program goes on with what it made
                given = self.submitted[k, "W"]
                at.dW = given if self.convention == "numpy" else given.T
            elif grads[k, "W"].shape == dW.shape:
                at.dW = grads[k, "W"]
            if net.has_bias[k]:
                at.dz = made[k, "b"]
                db = at.dz.sum(axis=0)
                for m in self.of(BIAS, index, (k, "b")):
                    db = BIAS[m["id"]](m, at)
                for m in self.mistakes:
                    if m["id"] == "bias_regularized" and (k, "b") in [self.names.get(p) for p in m["parameters"]]:
                        db = db + net.l2 * self.params[k, "b"]
                grads[k, "b"] = self.finish(db, (k, "b"), index)
            at.dz = made[None]
            self.dz[k] = at.dz
            dx = at.dz @ at.W.T
            for m in self.of(("wrong_layer_used",), index):
                if get(m, "used").startswith("the dh"):
                    dx = at.dh
                else:
                    j = self.other(m)
                    dx = at.dz @ self.params[j, "W"].T if get(m, "used").startswith("the weight") else self.dz[j] @ at.W.T
            for m in self.of(SENDING, index):
                dx = SENDING[m["id"]](m, at)
            dh, dz_given = dx, None
        return self.finish_all(grads)

    def finish(self, value, tensor, index):
        """What is done to one finished gradient."""
        was_moved = False
        for m in self.mistakes:
            if tensor not in [self.names.get(p) for p in m["parameters"]]:
                continue
            if m["id"] == "regularization_unasked":
                value = value + get(m, "factor") * self.params[tensor]
            elif m["id"] in FACTORS and is_alone(m) and not m["values"].get("regularization_alone"):
                kept = self.net.l2 * self.params[tensor] if m["values"].get("without_regularization") else 0
                value = (value - kept) * get(m, "factor") + kept
            elif m["id"] == "all_zero":
                kept = self.net.l2 * self.params[tensor] if m["values"].get("without_regularization") else 0
                value = np.zeros_like(value) + kept
            elif m["id"] == "parameter_as_gradient":
                value = self.params[tensor].copy()
            elif m["id"] == "transposed" and "used" not in m["values"]:
                value = value.T
            elif m["id"] == "wrong_memory_order":
                was_moved = True
        return ("moved", value) if was_moved else value

    def clipped_by(self, limit, tensors, grads):
        """What a global norm that is the limit now, or a hair less, was multiplied by."""
        norm = np.sqrt(sum((v**2).sum() for v in self.submitted.values()))
        if not limit * (1 - 1e-4) <= norm <= limit * (1 + 1e-6):
            raise Unknown("a norm of %r that is not the limit" % norm)
        swapped = [self.names[p] for m in self.mistakes if m["id"] == "swapped_parameters" for p in m["parameters"]]
        pairs = [(grads[t], self.submitted[t]) for t in tensors if not isinstance(grads[t], tuple) and t not in swapped]
        pairs = [(np.array(laid_out(self.convention, "W" if a.ndim == 2 else "b", a)).ravel(), b.ravel()) for a, b in pairs]
        pairs = [(a, b) for a, b in pairs if a.size == b.size]
        if not pairs:
            return limit / np.sqrt(sum((numbers(v)**2).sum() for v in grads.values()))
        return sum(float(a @ b) for a, b in pairs) / sum(float(a @ a) for a, b in pairs)

    def finish_all(self, grads):
        for m in self.mistakes:
            if m["id"] == "clipped":
                limit = get(m, "factor")
                times = self.clipped_by(limit, [self.names[p] for p in m["parameters"]], grads) if get(
                    m, "how") != "by value" else 1
                grads = {t: moved(v, lambda a: np.clip(a, -limit, limit) if times == 1 else a * times)
                         for t, v in grads.items()}
        for m in self.mistakes:
            if m["id"] == "updated_parameter":
                grads = {t: self.params[t] - get(m, "factor") * v for t, v in grads.items()}
        for m in self.mistakes:
            if m["id"] == "swapped_parameters":
                a, *others = [self.names[p] for p in m["parameters"]]
                grads = {**grads, "swapped": [self.names[p] for p in m["parameters"]]}
        return grads


def submitted_values(request, replay):
    """The submitted tensors by (k, which) as NumPy has them: weights [in, out] where they are matrices of that shape."""
    result = {}
    given = {}
    for name, value in request["gradients"].items():
        for known in replay.names:
            if name in (known, "d" + known, "dL_d" + known, known + ".grad"):
                given[known] = value
    for name, tensor in replay.names.items():
        if name in given:
            result[tensor] = np.array(given[name], float)
    return result


def same(replay, tensor, made, value, allowed):
    """Whether the numbers made are those submitted, laid out as the convention has them."""
    if isinstance(made, tuple):  # moved: the same numbers in memory read in another order
        flat = np.array(laid_out(replay.convention, "W", made[1]))
        ways = [w for base in (flat, flat.T) for w in (base.ravel(order="F").reshape(value.shape), base.ravel().reshape(
            value.shape, order="F"))] if flat.size == value.size else []
        return any(np.all(np.abs(w - value) <= allowed) for w in ways)
    expected = np.array(laid_out(replay.convention, tensor[1], made), float)
    if value.size == 1 and tensor[1] == "b":
        return bool(np.all(np.abs(expected - value.ravel()[0]) <= allowed))
    if expected.size != value.size:
        return False
    if tensor[1] == "b" and expected.ndim == 1:
        value = value.ravel()
    return expected.shape == value.shape and bool(np.all(np.abs(expected - value) <= allowed))


def verdict(request, answer):
    """None where doing what the diagnosis says gives what was submitted; else what does not come out."""
    diagnosis = answer["diagnosis"]
    replay = Replay(request, diagnosis)
    values = replay.submitted = submitted_values(request, replay)
    named = {replay.names[p] for m in diagnosis["mistakes"] for p in m["parameters"] if p in replay.names}
    residual = max([m["residual"] for m in diagnosis["mistakes"]] or [0])
    lost = []
    grads = replay.run()
    swapped = grads.pop("swapped", [])
    for tensor in sorted(named):
        candidates = [grads[t] for t in swapped if t != tensor] if tensor in swapped else [grads[tensor]]
        size = max(np.abs(c[1] if isinstance(c, tuple) else c).max(initial=0) for c in candidates)
        allowed = 1.001 * residual + 1e-9 * size + 1e-12
        if not any(same(replay, tensor, c, values[tensor], allowed) for c in candidates):
            lost.append("%s%d" % (tensor[1], tensor[0] + 1))
    return "not reproduced: %s" % ", ".join(lost) if lost else None
