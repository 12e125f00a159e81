"""Draws networks that are graphs, with parameters and data: requests of POST /v1/check without gradients.

The vectors (graphs.py) and the diagnosis's cases (../diagnosis/graphs_generate.py, no_false_claims.py) are drawn here, so that
both know residual blocks, tied and shared weights, several inputs and values used in several places.

What is assumed of a request, where there was room:

- A layer is named only where another one names it; so in PyTorch's convention some parameters are called by an index.
- `out_features` of a linear layer that shares may be left out: it is the owner's (its in_features where transposed).
- A sharing transposed linear always says whether it has a bias: true makes a parameter of its own, and counts the layer.
- `l2` is never together with a layer_norm that has gamma: whether gamma is a weight is nobody's business here.
- `columns` has samples of one axis only; the axes of `dim` are those of [batch, features] in every convention.
"""

import random

CONVENTIONS = ("numpy", "pytorch", "columns")
REDUCTIONS = ("mean", "sum", "batchmean")

ACTIVATIONS = [
    {"type": "tanh"}, {"type": "relu"}, {"type": "sigmoid"}, {"type": "gelu"}, {"type": "silu"}, {"type": "elu"},
    {"type": "leaky_relu"}, {"type": "softplus"}, {"type": "softmax"}, {"type": "log_softmax"},
    {"type": "gelu", "approximate": "tanh"}, {"type": "leaky_relu", "negative_slope": 0.2}, {"type": "elu", "alpha": 0.5},
]
PLAIN = ACTIVATIONS[:8]  # for places where a softmax would make a network dull

LOSSES = [
    {"type": "mse"}, {"type": "cross_entropy"}, {"type": "bce"}, {"type": "l1"}, {"type": "upstream"},
    {"type": "bce_with_logits"}, {"type": "nll"}, {"type": "smooth_l1", "beta": 0.4}, {"type": "hinge"},
    {"type": "huber", "delta": 0.5}, {"type": "cross_entropy", "from": "probabilities"}, {"type": "upstream"},
]
BATCH_LOSSES = ("cross_entropy", "nll", "hinge")
LAST = {"bce": "sigmoid", "nll": "log_softmax"}  # what the loss needs before it

WORDS = {"linear": "fc", "layer_norm": "norm", "add": "sum", "mul": "product", "concat": "join", "flatten": "flat"}


class Graph:
    """A network while it is drawn. A handle is the index of a layer, or the name of a member of `data`."""

    def __init__(self, draw, shape, convention="numpy", activations=tuple(ACTIVATIONS)):
        self.draw, self.convention = draw, convention
        self.layers, self.inputs = [], {"x": tuple(shape)}
        self.shapes = {"x": tuple(shape)}  # of one sample
        self.activations = activations
        self.parameters = []  # (layer, slot, shape in [in, out] layout)
        self.owner = {}
        self.has_norm = False

    def data(self, name, shape):
        """A further member of `data`."""
        self.inputs[name] = self.shapes[name] = tuple(shape)
        return name

    def name_of(self, handle):
        if isinstance(handle, str):
            return handle
        layer = self.layers[handle]
        if "name" not in layer:
            named = {"type": layer["type"], "name": f"{WORDS.get(layer['type'], layer['type'])}{handle}"}
            named.update((key, value) for key, value in layer.items() if key != "type")
            self.layers[handle] = named
        return self.layers[handle]["name"]

    def add(self, kind, inputs, **attributes):
        """Adds a layer. Its inputs are named unless they are the layer before, and sometimes even then."""
        here = len(self.layers)
        inputs = [inputs] if not isinstance(inputs, (list, tuple)) else list(inputs)
        layer = {"type": kind, **attributes}
        before = here - 1 if here else "x"
        if inputs != [before] or self.draw.random() < 0.04:
            layer["inputs"] = [self.name_of(handle) for handle in inputs]
        self.layers.append(layer)
        self.shapes[here] = self.shape_after(kind, [self.shapes[handle] for handle in inputs], layer)
        return here

    @staticmethod
    def shape_after(kind, shapes, layer):
        first = shapes[0]
        if kind == "linear":
            return first[:-1] + (layer["out_features"],)
        if kind == "flatten":
            size = 1
            for axis in first:
                size *= axis
            return (size,)
        if kind in ("add", "mul"):
            return tuple(max(sizes) for sizes in zip(*shapes))
        if kind == "concat":
            axis = layer.get("dim", 1)
            axis = axis - 1 if axis > 0 else len(first) + axis
            return first[:axis] + (sum(shape[axis] for shape in shapes),) + first[axis + 1:]
        return first

    def linear(self, inputs, out, bias=True):
        attributes = {} if bias else {"bias": False}
        width = self.shapes[inputs][-1]
        here = self.add("linear", inputs, out_features=out, **attributes)
        self.parameters.append((here, "W", (width, out)))
        if bias:
            self.parameters.append((here, "b", (out,)))
        return here

    def norm(self, inputs, affine=True, eps=None):
        attributes = {} if affine else {"affine": False}
        if eps:
            attributes["eps"] = eps
        here = self.add("layer_norm", inputs, **attributes)
        if affine:
            self.has_norm = True
            width = self.shapes[here][-1]
            self.parameters += [(here, "gamma", (width,)), (here, "beta", (width,))]
        return here

    def share(self, owner, inputs, transposed=False, bias=None):
        """A layer with the parameters of another one."""
        attributes = {"shares": self.name_of(owner)}
        layer = self.layers[owner]
        if layer["type"] == "linear":
            fan_in, out = next(shape for at, slot, shape in self.parameters if at == owner and slot == "W")
            attributes["out_features"] = fan_in if transposed else out
            if transposed:
                attributes["transposed"], attributes["bias"] = True, bool(bias)
        elif "eps" in layer:
            attributes["eps"] = layer["eps"]
        here = self.add(layer["type"], inputs, **attributes)
        if layer["type"] == "linear" and self.draw.random() < 0.5:
            del self.layers[here]["out_features"]
        if transposed and bias:
            self.parameters.append((here, "b", (fan_in,)))
        return here

    def act(self, inputs, kind=None):
        definition = dict(self.draw.choice(self.activations)) if kind is None else dict(kind)
        if self.shapes[inputs][-1] == 1 and definition["type"] in ("softmax", "log_softmax"):
            definition = {"type": "tanh"}
        return self.add(definition.pop("type"), inputs, **definition)

    # --- the request ---

    def numbers(self, shape, scale=1.0, digits=3, around=0.0):
        if not shape:
            return round(self.draw.gauss(around, scale), digits)
        return [self.numbers(shape[1:], scale, digits, around) for _ in range(shape[0])]

    def parameter_names(self):
        """{(layer, slot): the name in the request's convention}, in layer order."""
        member = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}
        count, seen, names = 0, None, {}
        for here, slot, _ in self.parameters:
            if here != seen:
                count, seen = count + 1, here
            label = self.layers[here].get("name", str(here))
            names[here, slot] = f"{label}.{member[slot]}" if self.convention == "pytorch" else f"{slot}{count}"
        return names

    def target(self, loss, batch, shape):
        kind = loss["type"]
        if kind in BATCH_LOSSES:
            if kind == "cross_entropy" and self.draw.random() < 0.3:
                rows = [[self.draw.random() + 0.1 for _ in range(shape[-1])] for _ in range(batch)]
                rows = [[round(value / sum(row), 3) for value in row[:-1]] for row in rows]
                return [row + [round(1 - sum(row), 3)] for row in rows]
            return [self.draw.randrange(shape[-1]) for _ in range(batch)]
        if kind in ("bce", "bce_with_logits"):
            return [[float(self.draw.randrange(2)) for _ in range(shape[0])] for _ in range(batch)]
        return self.numbers((batch, *shape))

    def request(self, loss, batch, scale=1.0):
        network = {"input": self.inputs["x"][0] if len(self.inputs["x"]) == 1 else list(self.inputs["x"]),
                   "layers": self.layers, "loss": loss["type"] if set(loss) == {"type"} else loss}
        request = {"network": network}
        if self.convention != "numpy":
            request["convention"] = self.convention
        names, columns = self.parameter_names(), self.convention == "columns"
        request["parameters"] = {}
        for here, slot, shape in self.parameters:
            if slot == "W":
                value = self.numbers(shape, scale / shape[0]**0.5)
                value = value if self.convention == "numpy" else turned(value)
            else:
                value = self.numbers(shape, 0.3, around=1.0 if slot == "gamma" else 0.0)
            request["parameters"][names[here, slot]] = value
        request["data"] = {name: self.numbers((batch, *shape)) for name, shape in self.inputs.items()}
        shape = self.shapes[len(self.layers) - 1]
        if loss["type"] == "upstream":
            request["data"]["upstream"] = self.numbers((batch, *shape))
        else:
            request["data"]["y"] = self.target(loss, batch, shape)
        if columns:
            request["data"] = {name: turned(value) if isinstance(value[0], list) else value
                               for name, value in request["data"].items()}
        return request


def turned(rows):
    return [list(column) for column in zip(*rows)]


# --- families: each draws a body into a graph, and returns the handle of its output --------------------------------------


def width_of(g, least=2):
    return g.draw.choice([width for width in (2, 3, 3, 4) if width >= least])


def residual_block(g, v, style, inner=None):
    """v + f(v). style: where activation and normalization stand."""
    width = g.shapes[v][-1]
    hidden = inner or g.draw.choice((2, 3))
    if style == "pre":
        h = g.linear(g.act(v), hidden)
        h = g.linear(g.act(h), width, bias=g.draw.random() < 0.8)
        return g.add("add", [h, v])
    if style == "pre norm":
        h = g.act(g.linear(g.norm(v), hidden))
        return g.add("add", [v, g.linear(h, width)])
    h = g.linear(g.act(g.linear(v, hidden)), width)
    s = g.add("add", [h, v] if g.draw.random() < 0.5 else [v, h])
    return g.norm(s) if style == "post norm" else g.act(s) if style == "post" else s


def residual_identity(g):
    v = g.linear("x", width_of(g)) if g.draw.random() < 0.6 else "x"
    for _ in range(g.draw.choice((1, 1, 2))):
        v = residual_block(g, v, g.draw.choice(("pre", "post", "plain")))
    return v


def residual_projection(g):
    v = "x" if g.draw.random() < 0.5 else g.act(g.linear("x", width_of(g)))
    width = width_of(g)
    h = g.linear(g.act(g.linear(v, width_of(g))), width)
    skip = g.linear(v, width, bias=g.draw.random() < 0.5)
    s = g.add("add", [h, skip])
    return g.act(s) if g.draw.random() < 0.6 else s


def residual_nested(g):
    width = width_of(g)
    v = g.linear("x", width)
    h = residual_block(g, g.act(v), g.draw.choice(("plain", "post", "pre")))
    h = g.linear(h, width)
    if g.draw.random() < 0.5:
        h = residual_block(g, h, "plain")
    return g.add("add", [h, v])


def residual_norm(g):
    v = g.linear("x", width_of(g, 3))
    v = residual_block(g, v, g.draw.choice(("pre norm", "post norm")))
    if g.draw.random() < 0.3:
        v = residual_block(g, v, "pre norm")
    return v


def norm_places(g):
    """layer_norm first, between, last, without gamma and beta, with another eps."""
    v = "x"
    if g.draw.random() < 0.4:
        v = g.norm(v, affine=g.draw.random() < 0.6)
    v = g.linear(v, width_of(g, 3))
    v = g.norm(v, affine=g.draw.random() < 0.8, eps=g.draw.choice((None, None, 1e-3, 0.1)))
    v = g.act(v)
    if g.draw.random() < 0.4:
        v = g.norm(g.linear(v, 3))
    return v


def tied_autoencoder(g):
    width = g.shapes["x"][-1]
    depth = g.draw.choice((1, 1, 2))
    encoders, v = [], "x"
    for _ in range(depth):
        encoders.append(g.linear(v, width_of(g)))
        v = g.act(encoders[-1])
    for number, encoder in enumerate(reversed(encoders)):
        v = g.share(encoder, v, transposed=True, bias=g.draw.random() < 0.6)
        if number + 1 < depth or g.draw.random() < 0.3:
            v = g.act(v)
    assert g.shapes[v][-1] == width
    return v


def siamese(g):
    other = g.data(g.draw.choice(("x2", "other", "right")), g.shapes["x"])
    first = g.linear("x", width_of(g, 3))
    norm = None
    a = first
    if g.draw.random() < 0.35:
        a = norm = g.norm(a)
    kind = g.draw.choice(PLAIN)
    a = g.act(a, kind)
    b = g.share(first, other)
    if norm is not None:
        b = g.share(norm, b)
    b = g.act(b, kind)
    join = g.draw.choice(("mul", "concat", "add", "mul"))
    return g.add(join, [a, b])


def used_three_times(g):
    width = g.shapes["x"][-1]
    first = g.linear("x", width, bias=g.draw.random() < 0.7)
    v = g.act(first)
    for _ in range(2):
        v = g.share(first, v)
        v = g.act(v)
    return v


def unrolled(g):
    """Three steps of a recurrent network, each with an input of its own."""
    hidden, width = width_of(g), g.shapes["x"][-1]
    kind = g.draw.choice(PLAIN[:4])
    steps = [g.data(f"x{t}", (width,)) for t in (2, 3)]
    into = g.linear("x", hidden)
    h = g.act(into, kind)
    across = None
    for name in steps:
        from_input = g.share(into, name)
        if across is None:
            from_state = across = g.linear(h, hidden, bias=False)
        else:
            from_state = g.share(across, h)
        h = g.act(g.add("add", [from_input, from_state]), kind)
    return h


def two_inputs(g):
    """Gate, sum or join of two inputs."""
    width = width_of(g)
    other = g.data(g.draw.choice(("z", "context", "x2")), (g.draw.choice((2, 3)),))
    a = g.act(g.linear("x", width))
    way = g.draw.choice(("gate", "narrow gate", "add", "concat", "direct concat", "triple"))
    if way == "gate":
        return g.add("mul", [a, g.act(g.linear(other, width), {"type": "sigmoid"})])
    if way == "narrow gate":  # one number a sample, for all units
        gate = g.act(g.linear(other, 1), {"type": "sigmoid"})
        return g.add("mul", [gate, a] if g.draw.random() < 0.5 else [a, gate])
    if way == "add":
        return g.act(g.add("add", [a, g.linear(other, width)]))
    if way == "concat":
        return g.add("concat", [a, g.linear(other, width_of(g))], **({"dim": g.draw.choice((1, -1))}
                                                                    if g.draw.random() < 0.4 else {}))
    if way == "direct concat":
        return g.add("concat", [other, a, "x"])
    return g.add(g.draw.choice(("add", "mul")), [a, g.linear(other, width), g.linear("x", width, bias=False)])


def mask_input(g):
    """A second input that is multiplied on as it is: a mask, or a weight of each sample."""
    width = width_of(g)
    h = g.act(g.linear("x", width))
    mask = g.data("mask", (width,) if g.draw.random() < 0.6 else (1,))
    return g.add("mul", [h, mask])


def fan_out(g):
    """Values that are used in several places, by several ops."""
    width = width_of(g)
    v = g.linear("x", width)
    way = g.draw.choice(("dense", "square", "twice", "three", "gated self", "input"))
    if way == "dense":  # every layer sees all before it
        a = g.act(v)
        b = g.act(g.linear(g.add("concat", [v, a]), 2))
        return g.add("concat", [v, a, b])
    if way == "square":
        return g.add("mul", [v, v])
    if way == "twice":
        a = g.act(v)
        return g.add("add", [a, a, g.linear(a, width)])
    if way == "three":
        a, b = g.act(v), g.act(v)
        c = g.linear(v, width, bias=False)
        return g.add("mul", [g.add("add", [a, b]), c])
    if way == "gated self":  # swish by hand, and a skip
        return g.add("add", [g.add("mul", [v, g.act(v, {"type": "sigmoid"})]), v])
    h = g.act(v)
    h = g.linear(g.add("concat", ["x", h]), width)
    return g.add("concat", [h, "x"])


def highway(g):
    """t * h + x, the transform gated, and the carry as it is."""
    width = g.shapes["x"][-1]
    v = "x"
    for _ in range(g.draw.choice((1, 2))):
        h = g.act(g.linear(v, width))
        t = g.act(g.linear(v, width), {"type": "sigmoid"})
        v = g.add("add", [g.add("mul", [t, h]), v])
    return v


def several_axes(g):
    """Samples of two axes: linear and layer_norm over the last one, broadcasting, joining along each."""
    rows, width = g.shapes["x"]
    way = g.draw.choice(("residual", "join", "broadcast", "norm"))
    if way == "residual":
        h = g.linear(g.act(g.linear("x", 2)), width)
        return g.add("flatten", g.add("add", [h, "x"]))
    if way == "join":
        h = g.act(g.linear("x", width))
        return g.add("flatten", g.add("concat", [h, "x"], dim=g.draw.choice((1, 2, -1, -2))))
    if way == "broadcast":
        other = g.data("z", g.draw.choice(((1, width), (rows, 1), (1, 1))))
        h = g.add(g.draw.choice(("mul", "add")), ["x", other])
        return g.add("flatten", g.linear(g.act(h), 2))
    h = g.act(g.linear(g.norm("x"), width))
    return g.add("flatten", g.norm(g.add("add", ["x", h])))


def dead_branch(g):
    """A layer that nothing uses: its gradients are zero."""
    v = g.act(g.linear("x", width_of(g)))
    g.linear(v, 2)
    return v


FAMILIES = {
    "residual, identity": residual_identity, "residual, projection": residual_projection, "residual, nested": residual_nested,
    "residual, layer_norm": residual_norm, "layer_norm": norm_places, "tied autoencoder": tied_autoencoder, "siamese": siamese,
    "a weight used three times": used_three_times, "recurrent, unrolled": unrolled, "two inputs": two_inputs, "mask": mask_input,
    "used in several places": fan_out, "highway": highway, "several axes": several_axes, "unused layer": dead_branch,
}
NARROW_NORM = ("layer_norm", "residual, layer_norm")  # three units at least: two normalize to +-1, whose gradient is nearly 0


def draw_request(draw, family, convention, loss, batch, activations=tuple(ACTIVATIONS), scale=1.2):
    """A request of that family; also the graph it was drawn with. The loss's reduction and l2 are drawn, too."""
    if family == "several axes" and convention == "columns":
        convention = "numpy"
    shape = (2, 3) if family == "several axes" else (draw.choice((3, 4) if family in NARROW_NORM else (2, 3)),)
    g = Graph(draw, shape, convention, activations)
    v = FAMILIES[family](g)
    loss = dict(loss)
    if family == "tied autoencoder" and loss["type"] in ("mse", "l1", "huber", "smooth_l1", "upstream"):
        pass  # it ends in the reconstruction
    elif loss["type"] != "upstream" or draw.random() < 0.4:
        v = g.linear(v, draw.choice((2, 3)) if loss["type"] in BATCH_LOSSES else draw.choice((1, 2)))
    if v != len(g.layers) - 1:
        v = g.linear(v, 2)
    if loss["type"] in LAST:
        v = g.act(v, {"type": LAST[loss["type"]]})
    elif loss.get("from") == "probabilities":
        v = g.act(v, {"type": "softmax"})
    if len(g.shapes[v]) == 1 and loss["type"] != "upstream" and draw.random() < 0.5:
        loss["reduction"] = draw.choice(REDUCTIONS)
    if not g.has_norm and draw.random() < 0.25:
        loss["l2"] = draw.choice((0.05, 0.1, 0.3))
    return g, g.request(loss, batch, scale)


def draw_large(draw, convention, nodes=50, loss=None, batch=3):
    """A random graph of about so many layers, with fan-out and shared parameters."""
    width = 3
    g = Graph(draw, (width,), convention)
    other = g.data("z", (width,))
    values, unused, linears, norms = ["x", other], [other, "x"], [], []
    without_norm = draw.random() < 0.3  # so that some may have l2

    def pick(count=1):
        """Values that nothing uses yet, the older the likelier; else any of the last ones."""
        chosen = []
        for _ in range(count):
            value = unused.pop(0) if unused and draw.random() < 0.55 else draw.choice(values[-12:])
            if value in unused:
                unused.remove(value)
            chosen.append(value)
        return chosen if count > 1 else chosen[0]

    while len(g.layers) < nodes - 6:
        kind = draw.choices(("linear", "share", "transposed", "act", "add", "mul", "concat", "norm", "same norm"),
                            (12, 16, 10, 26, 14, 8, 6, 0 if without_norm else 5, 4))[0]
        if kind == "linear" and len(linears) < 7:
            linears.append(v := g.linear(pick(), width, bias=draw.random() < 0.7))
        elif kind == "share" and linears:
            v = g.share(draw.choice(linears), pick())
        elif kind == "transposed" and linears:
            v = g.share(draw.choice(linears), pick(), transposed=True, bias=draw.random() < 0.15)
        elif kind == "act":
            v = g.act(pick())
        elif kind in ("add", "mul"):
            v = g.add(kind, pick(draw.choice((2, 2, 3))))
            v = g.act(v, {"type": "tanh"}) if kind == "mul" else v
        elif kind == "concat" and len(linears) < 7:
            v = g.linear(g.add("concat", pick(2)), width)
        elif kind == "norm" and len(norms) < 3:
            norms.append(v := g.norm(pick()))
        elif kind == "same norm" and norms:
            v = g.share(draw.choice(norms), pick())
        else:
            continue
        values.append(v)
        unused.append(v)
    while len(unused) > 1:
        some, unused = unused[:6], unused[6:]
        unused.append(g.add("add", some))
    v = g.act(unused[0], {"type": "tanh"})
    loss = dict(loss or {"type": "mse"})
    if loss["type"] != "upstream":
        v = g.linear(v, 2)
    if loss["type"] in LAST:
        v = g.act(v, {"type": LAST[loss["type"]]})
    if not g.has_norm:
        loss["l2"] = 0.02
    return g, g.request(loss, batch, scale=1.0)


def generator(seed):
    return random.Random(seed)
