"""Forward and backward passes through a graph, as a student writes them in NumPy: right, or with a mistake of the diagnosis.

`Program(request)` reads the body of a POST /v1/check. Inside, samples are in rows and weights are [in, out]; only `submission`
writes the request's convention. Like student.py, from which it takes the activations and losses, it shares nothing with the
daemon. What comes back to a value or a parameter is kept in pieces, one from each use, so that a mistake can lose one.

A mistake is a Blunder: its id, the places where it is made and what its variant needs. A place is the index of a layer, the
name of a parameter (or of a member of `data`) for finished gradients, or "loss".
"""

import itertools
import math

import numpy as np

import student
from student import Blunder, Blunders, NotPossible

# The ids of the mistakes in graphs and in layer_norm, in one place: what the daemon calls them.
MISSING, OVERWRITTEN, TWICE = "contribution_missing", "gradient_overwritten", "sent_twice"
OTHER_FACTOR, EXCHANGED, AVERAGED = "other_factor_missing", "factors_exchanged", "broadcast_averaged"
WRONG_SLICE = "gradient_at_wrong_index"
SCALED = "what is sent back, times a number"
MEAN_CONSTANT, VARIANCE_CONSTANT = "mean_taken_for_constant", "variance_taken_for_constant"
BOTH_CONSTANT = "statistics_taken_for_constant"
WRONG_AXIS, GAMMA_LEFT_OUT = "normalized_over_wrong_axis", "gamma_left_out"

NORM_IDS = (MEAN_CONSTANT, VARIANCE_CONSTANT, BOTH_CONSTANT, WRONG_AXIS, GAMMA_LEFT_OUT)
VALUE_IDS = (MISSING, OVERWRITTEN)
LOSS_IDS = ("not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped")
ACTIVATIONS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "silu", "gelu", "softmax", "log_softmax")


def summed_to(value, shape):
    """The gradient of what was broadcast: summed over the axes of length 1."""
    for axis, size in enumerate(shape):
        if size == 1 and value.shape[axis] != 1:
            value = value.sum(axis=axis, keepdims=True)
    return value


def rows_of(value):
    """All axes but the last as one."""
    return value.reshape(-1, value.shape[-1])


class Program:
    def __init__(self, request):
        network = request["network"]
        self.request, self.layers = request, network["layers"]
        self.convention = request.get("convention", "numpy")
        loss = network["loss"]
        self.loss = dict(loss) if isinstance(loss, dict) else {"type": loss}
        self.l2 = self.loss.get("l2", 0.0)
        self.read_layers()
        self.params = {name: self.turn(name, np.array(value, float)) for name, value in request["parameters"].items()}
        self.data = {}
        for name, value in request["data"].items():
            value = np.array(value)
            self.data[name] = value.T if self.convention == "columns" and value.ndim == 2 else value
        if self.data.get("y") is not None and not (self.loss["type"] in student.BATCH_LOSSES and self.data["y"].ndim == 1):
            self.data["y"] = self.data["y"].astype(float)
        self.fed = [name for name in self.data if name not in ("y", "upstream")]  # those that may have gradients
        self.batch = len(self.data["x"])

    def read_layers(self):
        """What each layer takes, the parameters it uses, and who uses each value and parameter."""
        self.inputs, self.slots, self.kind, self.owner = [], [], {}, {}
        self.consumers, self.users = {}, {}
        index_of, count = {}, 0
        for index, layer in enumerate(self.layers):
            given = layer.get("inputs")
            sources = [index_of.get(name, name) for name in given] if given else [index - 1 if index else "x"]
            self.inputs.append(sources)
            for position, source in enumerate(sources):
                self.consumers.setdefault(source, []).append((index, position))
            index_of[layer.get("name", index)] = index

            slots, own = {}, {"linear": ["W", "b"], "layer_norm": ["gamma", "beta"]}.get(layer["type"], [])
            if not layer.get("bias", True):
                own = [symbol for symbol in own if symbol != "b"]
            if not layer.get("affine", True):
                own = []
            if "shares" in layer:
                theirs = self.slots[index_of[layer["shares"]]]
                slots = {"W": theirs["W"]} if layer.get("transposed") else dict(theirs)
                own = [symbol for symbol in own if symbol == "b"] if layer.get("transposed") else []
            if own:
                count += 1
            for symbol in own:
                member = "bias" if symbol in ("b", "beta") else "weight"
                name = "%s.%s" % (layer.get("name", index), member) if self.convention == "pytorch" else "%s%d" % (symbol, count)
                slots[symbol] = name
                self.kind[name], self.owner[name] = symbol, index
            self.slots.append(slots)
            for name in slots.values():
                self.users.setdefault(name, []).append(index)
        self.names = [name for name in self.request["parameters"]]
        assert self.names == list(self.kind), (self.names, list(self.kind))

        self.below = []  # the layers that lead into each, itself included
        for index, sources in enumerate(self.inputs):
            self.below.append({index}.union(*(self.below[source] for source in sources if not isinstance(source, str))))

    def turn(self, name, value):
        return value.T if self.kind.get(name) == "W" and self.convention != "numpy" else value

    # --- forward ---

    def forward(self):
        """The value of every layer."""
        values = []
        for index, layer in enumerate(self.layers):
            given = [self.data[s] if isinstance(s, str) else values[s] for s in self.inputs[index]]
            kind, slots, h = layer["type"], self.slots[index], given[0]
            if kind == "linear":
                W = self.params[slots["W"]]
                h = h @ (W.T if layer.get("transposed") else W)
                if "b" in slots:
                    h = h + self.params[slots["b"]]
            elif kind == "layer_norm":
                h = self.normalized(h, layer)[0]
                if slots:
                    h = self.params[slots["gamma"]] * h + self.params[slots["beta"]]
            elif kind == "flatten":
                h = h.reshape(len(h), -1)
            elif kind == "concat":
                h = np.concatenate(given, axis=layer.get("dim", 1))
            elif kind == "add":
                h = sum(given[1:], given[0])
            elif kind == "mul":
                h = math.prod(given[1:], start=given[0])
            else:
                h = student.activate(layer, h)
            values.append(h)
        return values

    @staticmethod
    def normalized(x, layer):
        """xhat, and 1 / sqrt(var + eps)."""
        mean = x.mean(axis=-1, keepdims=True)
        inverse = 1 / np.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + layer.get("eps", 1e-5))
        return (x - mean) * inverse, inverse

    def value_of_loss(self):
        """The scalar. Only for the losses whose formula is a line; central differences want it."""
        p, y, kind = self.forward()[-1], self.data.get("y"), self.loss["type"]
        if kind == "upstream":
            total = (p * self.data["upstream"]).sum()
        elif kind == "mse":
            total = ((p - y) ** 2).sum() / student.divisor(self.loss, len(p), p.size // len(p))
        else:
            raise NotPossible(kind)
        return total + self.l2 / 2 * sum((value**2).sum() for name, value in self.params.items() if self.kind[name] == "W")

    # --- backward ---

    def backward(self, blunders=()):
        """{name: gradient} of all parameters, then of the members of data."""
        made = Blunders(blunders)
        values = self.forward()
        last = len(self.layers) - 1
        dy, skipped = self.start(made, values[-1])
        pieces = {last: [(None, 0, dy)]}  # of each value: (layer, position, array)
        uses = {name: [] for name in self.names}
        for index in reversed(range(len(self.layers))):
            dy = self.collected(made, index, pieces.pop(index, []), values[index].shape)
            given = [self.data[s] if isinstance(s, str) else values[s] for s in self.inputs[index]]
            back, grads = ([dy], {}) if skipped and index == last else self.step(made, index, given, values, dy)
            back = self.at_one_input(made, index, given, values, dy, back)
            for name, value in grads.items():
                uses[name].append((index, 0, value))
            for position, source in enumerate(self.inputs[index]):
                pieces.setdefault(source, []).append((index, position, back[position]))
        result = {}
        for name in self.names:
            value = self.collected(made, name, uses[name], self.params[name].shape)
            if self.l2 and self.kind[name] == "W" and made.find("regularization_missing", self.owner[name]) is None:
                sign = -1 if made.find("regularization_sign", self.owner[name]) is not None else 1
                value = value + sign * self.l2 * self.params[name]
            result[name] = value
        for name in self.fed:
            result[name] = self.collected(made, name, pieces.get(name, []), self.data[name].shape)
        return self.finish(made, result)

    def at_one_input(self, made, index, given, values, dy, back):
        """What a layer sends back, where a mistake is made for one of its inputs alone, or all of it is a multiple."""
        for blunder in made.all:
            if index not in blunder.places:
                continue
            only = blunder.options.get("only")
            if only is not None:
                right, _ = self.step(Blunders([other for other in made.all if other is not blunder]), index, given, values, dy)
                back = [value if at == only else right[at] for at, value in enumerate(back)]
            if blunder.id == SCALED:
                back = [value * blunder.options["factor"] for value in back]
        return back

    def start(self, made, p):
        """What arrives at the output; and whether a shortcut has gone through the last activation already."""
        if self.loss["type"] == "upstream":
            dy = self.data["upstream"].astype(float)
            for blunder in made.all:
                if blunder.places == ["loss"] and blunder.id == "sign_flipped":
                    dy = -dy
                elif blunder.places == ["loss"]:
                    raise NotPossible("no loss")
            return dy, False
        dh, dz = student.loss_step(self, made, p, self.data["y"], len(p))
        if dz is not None:
            return dz, self.layers[-1]["type"] in ACTIVATIONS
        return dh, False

    @staticmethod
    def collected(made, what, pieces, shape):
        """The sum of what comes back to a value or a parameter, or what a mistake makes of it."""
        for blunder in made.all:
            if blunder.id == MISSING and blunder.options["value"] == what:
                lost = blunder.options.get("position")
                pieces = [p for p in pieces if p[0] not in blunder.places or (lost is not None and p[1] != lost)]
            elif blunder.id == OVERWRITTEN and blunder.options["value"] == what:
                pieces = pieces[-1:]
        if not pieces:
            return np.zeros(shape)
        return sum((piece for _, _, piece in pieces[1:]), pieces[0][2])

    def step(self, made, index, given, values, dy):
        """Through one layer: what goes back to each input, and the gradients of the parameters that it uses."""
        layer, slots, x = self.layers[index], self.slots[index], given[0]
        kind = layer["type"]
        grads = {}
        if kind == "linear":
            back = [self.through_linear(made, index, x, dy, grads, values)]
        elif kind == "layer_norm":
            back = [self.through_norm(made, index, x, dy, grads)]
        elif kind == "flatten":
            back = [dy.reshape(x.shape)]
        elif kind == "concat":
            axis = layer.get("dim", 1)
            ends = list(itertools.accumulate(value.shape[axis] for value in given))
            back = np.split(dy, ends[:-1], axis=axis)
            if made.find(WRONG_SLICE, index) is not None:
                back = self.slices_of_others(back, made.find(WRONG_SLICE, index))
        elif kind in ("add", "mul"):
            back = self.through_several(made, index, given, dy)
        else:
            back = [student.through_activation(layer, dy, x, values[index])]
            for blunder in made.at_activation(index):
                back = [student.through_activation_wrongly(blunder.id, blunder.options, layer, dy, x, values[index])]
        if made.find(TWICE, index) is not None:
            back = [2 * value for value in back]
        return back, {slots[symbol]: value for symbol, value in grads.items()}

    @staticmethod
    def slices_of_others(back, options):
        """Each input gets what belongs to the one that comes `shift` behind it."""
        shift, only, taken = options.get("shift", 1), options.get("only"), []
        for position, own in enumerate(back):
            other = back[(position + shift) % len(back)]
            if other.shape != own.shape and only in (None, position):
                raise NotPossible("slices of two sizes")
            taken.append(other if other.shape == own.shape else own)
        return taken

    def through_linear(self, made, index, x, dy, grads, values):
        layer, W = self.layers[index], self.params[self.slots[index]["W"]]
        turned, alone = layer.get("transposed", False), len(self.users[self.slots[index]["W"]]) == 1
        M = W.T if turned else W
        dM = rows_of(x).T @ rows_of(dy)
        if made.find("input_not_activated", index) is not None:
            source = self.inputs[index][0]
            if isinstance(source, str) or self.layers[source]["type"] not in ACTIVATIONS or not alone:
                raise NotPossible("no activation below")
            under = self.inputs[source][0]
            dM = rows_of(self.data[under] if isinstance(under, str) else values[under]).T @ rows_of(dy)
        if made.find("input_ignored", index) is not None:
            dM = rows_of(np.ones_like(x)).T @ rows_of(dy)
        if made.find("own_output_as_input", index) is not None:
            if M.shape[0] != M.shape[1]:
                raise NotPossible("not square")
            dM = rows_of(self.activated(index, values)).T @ rows_of(dy)
        if made.find("weight_as_input", index) is not None:
            dM = M * rows_of(dy).sum(axis=0)
        grads["W"] = dM.T if turned else dM
        if "b" in self.slots[index]:
            grads["b"] = rows_of(dy).sum(axis=0)
            shared = len(self.users[self.slots[index]["b"]]) > 1
            if made.find("bias_not_summed", index) is not None:
                if shared or dy.ndim != 2:
                    raise NotPossible("which of the uses")
                grads["b"] = dy
            if made.find("bias_averaged", index) is not None:
                grads["b"] = rows_of(dy).mean(axis=0)
            if made.find("bias_summed_over_units", index) is not None:
                grads["b"] = np.full(dy.shape[-1], dy.sum())
            if made.find("bias_from_weight_gradient", index) is not None:
                grads["b"] = dM.sum(axis=0)
        back = M.T
        if made.find("weight_not_transposed", index) is not None:
            if M.shape[0] != M.shape[1]:
                raise NotPossible("not square")
            back = M
        step = made.find("updated_weights_propagated", index)
        if step is not None:
            back = (M - step["lr"] * dM).T
        if made.find("weight_gradient_as_weight", index) is not None:
            back = dM.T
        sent = dy
        if made.find("raw_error_propagated", index) is not None:
            sent = self.raw(index)
        if made.find("weight_skipped", index) is not None:
            if M.shape[0] != M.shape[1]:
                raise NotPossible("widths differ")
            return sent
        return sent @ back

    def activated(self, index, values):
        """What the activation makes of this layer's output, where one follows."""
        after = [use for use, _ in self.consumers.get(index, []) if self.layers[use]["type"] in ACTIVATIONS]
        return values[after[0] if after else index]

    def raw(self, index):
        """The gradient behind the activation that follows: what somebody sends back who forgets that step."""
        uses = self.consumers.get(index, [])
        if len(uses) != 1 or self.layers[uses[0][0]]["type"] not in ACTIVATIONS:
            raise NotPossible("no activation follows alone")
        return self.arrived[uses[0][0]]

    def through_norm(self, made, index, x, dy, grads):
        layer, slots = self.layers[index], self.slots[index]
        xhat, inverse = self.normalized(x, layer)
        if slots:
            grads["gamma"] = rows_of(dy * xhat).sum(axis=0)
            grads["beta"] = rows_of(dy).sum(axis=0)
        dxhat = dy * self.params[slots["gamma"]] if slots else dy
        if made.find(GAMMA_LEFT_OUT, index) is not None:
            if not slots:
                raise NotPossible("no gamma")
            dxhat = dy
        axis = -1
        if made.find(WRONG_AXIS, index) is not None:
            axis = 0
        of_mean = dxhat.mean(axis=axis, keepdims=True)
        of_variance = xhat * (dxhat * xhat).mean(axis=axis, keepdims=True)
        if made.find(MEAN_CONSTANT, index) is not None:
            of_mean = 0
        if made.find(VARIANCE_CONSTANT, index) is not None:
            of_variance = 0
        if made.find(BOTH_CONSTANT, index) is not None:
            of_mean = of_variance = 0
        return inverse * (dxhat - of_mean - of_variance)

    def through_several(self, made, index, given, dy):
        kind = self.layers[index]["type"]
        back = []
        missing, averaged = made.find(OTHER_FACTOR, index), made.find(AVERAGED, index)
        for position, value in enumerate(given):
            others = [other for at, other in enumerate(given) if at != position]
            if made.find(EXCHANGED, index) is not None:
                if kind != "mul" or any(factor.shape != value.shape for factor in given):
                    raise NotPossible("no factors of one shape")
                left_out = (position + made.find(EXCHANGED, index).get("shift", 1)) % len(given)
                others = [factor for at, factor in enumerate(given) if at != left_out]
            if missing is not None:
                if kind != "mul":
                    raise NotPossible("no factors")
                others = [] if missing.get("position", position) == position else others
            whole = dy * math.prod(others) if kind == "mul" and others else dy
            one = summed_to(whole, value.shape)
            if averaged is not None:
                if whole.size == one.size and all(v.shape == dy.shape for v in given):
                    raise NotPossible("nothing was broadcast")
                one = one * (value.size / whole.size)
            back.append(one)
        return back

    def finish(self, made, result):
        for blunder in made.all:
            for place in blunder.places:
                if blunder.id == "transposed":
                    if self.kind.get(place) != "W":
                        raise NotPossible("no weight")
                    result[place] = result[place].T
                elif blunder.id == "gradient_accumulated":
                    result[place] = result[place] * blunder.options["times"]
                elif blunder.id == "bias_regularized":
                    if not self.l2 or self.kind.get(place) != "b":
                        raise NotPossible("no l2, or no bias")
                    result[place] = result[place] + self.l2 * self.params[place]
                elif blunder.id == "constant_factor" and place != "loss":
                    result[place] = result[place] * blunder.options["factor"]
                elif blunder.id == "all_zero":
                    result[place] = np.zeros_like(result[place])
                elif blunder.id == "parameter_as_gradient":
                    result[place] = (self.params if place in self.params else self.data)[place].copy()
            if blunder.id == "swapped_parameters":
                before = dict(result)
                for to, source in zip(blunder.places, blunder.options["sources"]):
                    if before[to].shape != before[source].shape:
                        raise NotPossible("shapes differ")
                    result[to] = before[source]
        return result

    def run(self, blunders=()):
        """The gradients, or None where the mistakes cannot be made here."""
        try:
            with np.errstate(all="ignore"):
                if any(blunder.id == "raw_error_propagated" for blunder in blunders):
                    self.arrived = self.arrivals(blunders)
                grads = self.backward(blunders)
        except (NotPossible, ValueError, KeyError, IndexError):
            return None
        return grads if all(np.isfinite(value).all() for value in grads.values()) else None

    def arrivals(self, blunders):
        """dy of every layer in a pass without the raw error: enough for the one activation above the place."""
        noted, inner = {}, self.step

        def noting(made, index, given, values, dy):
            noted[index] = dy
            return inner(made, index, given, values, dy)

        self.step = noting
        try:
            self.backward([blunder for blunder in blunders if blunder.id != "raw_error_propagated"])
        finally:
            del self.step
        return noted

    # --- what is submitted, and how it is judged ---

    def laid_out(self, name, value):
        value = np.asarray(value)
        kind = self.kind.get(name)
        turned = self.convention == "columns" if kind is None else self.convention != "numpy" if kind == "W" else (
            self.convention == "columns" and value.ndim == 2)
        return (value.T if turned else value).tolist()

    def submission(self, grads, names):
        return {name: self.laid_out(name, grads[name]) for name in names}

    def layers_of_name(self, name):
        """Where a name is used: for a member of data, before all layers."""
        return self.users.get(name, [])

    def comes_after(self, other, name):
        """Whether the backward pass needs all of `other`'s layer before it comes to (any use of) `name`."""
        at = self.owner.get(other)
        if at is None:
            return False
        if name in self.owner:
            return all(use != at and use in self.below[at] for use in self.users[name])
        return any(consumer in self.below[at] for consumer, _ in self.consumers.get(name, []))

    def first_wrong(self, failing):
        """Of the failing names, those that a backward pass may reach first."""
        return [name for name in failing if not any(self.comes_after(other, name) for other in failing)]


def fails(right, grads, names, atol, rtol=0.0):
    """{name: by how many tolerances}; infinite for another shape."""
    result = {}
    for name in names:
        a, b = np.asarray(grads[name]), right[name]
        if a.shape != b.shape:
            result[name] = math.inf
        else:
            result[name] = float(np.max(np.abs(a - b) / (atol + rtol * np.abs(b))))
    return result


# --- all single mistakes at a program ------------------------------------------------------------------------------------


def lost_contributions(program):
    """What can be lost on the way back to a value or a parameter."""
    uses = dict(program.consumers)
    uses.update({name: [(index, 0) for index in users] for name, users in program.users.items()})
    for value, places in uses.items():
        several_inputs = any(len(program.inputs[index]) > 1 for index, _ in places) and value not in program.users
        if len(places) < 2 and not several_inputs:
            continue
        for index, position in places:
            twice = sum(1 for other, _ in places if other == index) > 1
            yield Blunder(MISSING, [index], value=value, **({"position": position} if twice else {}))
        if len(places) > 2 and len({index for index, _ in places}) == len(places):
            for pair in itertools.combinations([index for index, _ in places], 2):
                yield Blunder(MISSING, list(pair), value=value)
        if len(places) > 1:
            yield Blunder(OVERWRITTEN, [min(index for index, _ in places)], value=value)


def candidates(program):
    layers = program.layers
    of = lambda *kinds: [index for index, layer in enumerate(layers) if layer["type"] in kinds]  # noqa: E731
    linears, acts = of("linear"), of(*ACTIVATIONS)
    yield from lost_contributions(program)
    for index in of("layer_norm"):
        for name in NORM_IDS:
            yield Blunder(name, [index])
    for name in NORM_IDS:
        if len(of("layer_norm")) > 1:
            yield Blunder(name, of("layer_norm"))
    for index in of("mul"):
        yield Blunder(OTHER_FACTOR, [index])
        for position in range(len(program.inputs[index])):
            yield Blunder(OTHER_FACTOR, [index], position=position)
        yield Blunder(EXCHANGED, [index])
    for index in of("mul", "add"):
        yield Blunder(AVERAGED, [index])
    for index in of("concat"):
        yield Blunder(WRONG_SLICE, [index])
    for index in [*linears, *acts, *of("layer_norm")]:
        yield Blunder(TWICE, [index])
    for index in acts:
        for name in ("missing_activation_derivative", "derivative_at_output", "activation_instead_of_derivative",
                     "upstream_dropped", "derivative_of_gradient", "output_formula_at_input", "mask_from_gradient",
                     "relu_gradient_at_zero", "operator_precedence", "softmax_jacobian_diagonal"):
            yield Blunder(name, [index])
        for other in others_of(layers[index]):
            yield Blunder("wrong_activation_derivative", [index], **other)
    same = {}
    for index in acts:
        same.setdefault(repr({k: v for k, v in layers[index].items() if k not in ("name", "inputs")}), []).append(index)
    for places in (*same.values(), acts):
        if len(places) > 1:
            for name in ("missing_activation_derivative", "derivative_at_output", "activation_instead_of_derivative"):
                yield Blunder(name, places)
    for index in linears:
        for name in ("bias_not_summed", "bias_averaged", "weight_not_transposed", "raw_error_propagated", "weight_skipped",
                     "input_not_activated"):
            yield Blunder(name, [index])
    with_bias = [index for index in linears if "b" in program.slots[index]]
    for name in ("bias_averaged", "bias_not_summed"):
        if len(with_bias) > 1:
            yield Blunder(name, with_bias)
    for name in LOSS_IDS:
        yield Blunder(name, ["loss"])
    weights = [name for name in program.names if program.kind[name] == "W"]
    if program.l2:
        for name in ("regularization_missing", "regularization_sign"):
            for places in [[program.owner[w]] for w in weights] + [[program.owner[w] for w in weights]]:
                yield Blunder(name, places)
    for places in [[w] for w in weights] + [weights]:
        yield Blunder("transposed", places)
    for times in (2, 3):
        yield Blunder("gradient_accumulated", program.names + program.fed, times=times)
        yield Blunder("gradient_accumulated", program.names, times=times)
    shapes = {**program.params, **{name: program.data[name] for name in program.fed}}
    for a, b in itertools.combinations(shapes, 2):
        if shapes[a].shape == shapes[b].shape:
            yield Blunder("swapped_parameters", [a, b], sources=[b, a])
    for name in program.names:
        yield Blunder("parameter_as_gradient", [name])
        yield Blunder("all_zero", [name])
    yield Blunder("all_zero", program.names)


def others_of(act):
    """What a student takes for this activation's derivative, of what works element by element."""
    kind = act["type"]
    if kind in ("softmax", "log_softmax"):
        return [{"other": {"type": name}} for name in ("softmax", "log_softmax", "sigmoid") if name != kind]
    others = [{"other": {"type": name}} for name in ("sigmoid", "tanh", "softplus", "silu", "gelu", "elu", "relu") if name != kind]
    return others + [{"other": {"type": "leaky_relu", "negative_slope": slope}} for slope in student_slopes(act)] + [
        {"output_formula": formula} for formula in ("sigmoid", "tanh") if formula != kind]


def student_slopes(act):
    return [slope for slope in (0.01, 0.05, 0.1, 0.2, 0.3)
            if not (act["type"] == "leaky_relu" and slope == act.get("negative_slope", 0.01))]
