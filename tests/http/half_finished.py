"""Half-finished submissions: of random networks some gradients are there, some of these wrong, others missing. A third of
the networks are graphs.

    GRADCHECKD=build/asan/gradcheckd python3 tests/http/half_finished.py [COUNT [SEED]]

sends COUNT of them ($HALF_FINISHED, else 10000) to one daemon, over connections that are kept; `make half-finished` sends
many, under the sanitizers. Each has to be graded: 200, with the verdicts that are known, and the daemon has to end in
order. tests/http/test_half_finished.py sends a few hundred.
"""

import copy
import json
import os
import pathlib
import random
import sys
import time

if __name__ == "__main__":
    os.environ["GRADCHECKD"] = os.path.abspath(os.environ.get("GRADCHECKD", "build/gradcheckd"))

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))

import graph_networks
from daemon import Client, Daemon, get, post

CONNECTIONS = 4
PER_NETWORK = 25  # submissions for the same network, over the same reference
ACTIVATIONS = (
    "relu tanh sigmoid leaky_relu elu softplus silu gelu softmax log_softmax".split() + ["relu", "tanh", "sigmoid", None] * 2
)
OF_CLASSES = ("cross_entropy", "nll", "hinge")
LOSSES = ("mse", "mse", "bce", "bce_with_logits", "l1", "smooth_l1", "huber") + OF_CLASSES


# --- networks ---


def numbers(rng, *shape):
    """Nested lists of that shape; zeros and whole numbers are frequent."""
    if shape:
        return [numbers(rng, *shape[1:]) for _ in range(shape[0])]
    return rng.choice((round(rng.uniform(-1, 1), 3), rng.uniform(-2, 2), rng.randint(-1, 1)))


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def random_layers(rng, width):
    """The layers behind the flattening, the width of the output, and [in, out, bias, index] of the linear ones."""
    layers, linears = [], []
    for _ in range(rng.choice((1, 2, 2, 3))):
        out, bias = rng.randint(1, 4), rng.random() < 0.9
        linears.append((width, out, bias, len(layers)))
        layers.append({"type": "linear", "out_features": out, **({} if bias else {"bias": False})})
        activation = rng.choice(ACTIVATIONS)
        layers += [{"type": activation}] if activation else []
        width = out
    return layers, width, linears


def random_loss(rng, layers):
    """May put what it needs behind the layers."""
    name = rng.choice(LOSSES)
    if name == "bce" and layers[-1]["type"] != "sigmoid":
        layers.append({"type": "sigmoid"})
    loss = {"type": name}
    if rng.random() < 0.3:
        loss["reduction"] = rng.choice(("mean", "sum", "batchmean"))
    if rng.random() < 0.2:
        loss["l2"] = rng.choice((0.1, 0.01))
    return loss


def shape_of(value):
    return (len(value), *shape_of(value[0])) if isinstance(value, list) else ()


class Assignment:
    """A random network with its parameters and data: `request` lacks only the gradients."""

    data = ()  # members of data of which a gradient may be handed in, too

    def __init__(self, rng):
        self.batch = rng.randint(1, 4)
        self.convention = rng.choice(("numpy", "numpy", "pytorch", "columns", "numpy_out_in"))
        shape = [rng.randint(1, 4)] if rng.random() < 0.75 else [rng.randint(1, 3) for _ in range(rng.choice((2, 3)))]
        width = 1
        for size in shape:
            width *= size
        layers, out, linears = random_layers(rng, width)
        loss = random_loss(rng, layers)
        flat = [{"type": "flatten"}] if len(shape) > 1 else []
        self.shapes = {}
        for k, (rows, columns, bias, index) in enumerate(linears):
            self.name(k, rows, columns, bias, index + len(flat))
        self.request = {
            "network": {"input": shape if flat else shape[0], "layers": flat + layers, "loss": loss},
            "convention": self.convention,
            "parameters": {name: numbers(rng, *dims) for name, dims in self.shapes.items()},
            "data": {"x": self.samples(rng, shape), "y": self.targets(rng, loss["type"], out)},
        }
        if rng.random() < 0.1:
            self.request["dtype"] = "float32"
        if rng.random() < 0.2:
            self.request["tolerance"] = {"atol": rng.choice((0, 1e-9, 1e-3)), "rtol": rng.choice((0, 1e-5))}

    def name(self, k, rows, columns, bias, layer):
        pytorch = self.convention == "pytorch"
        weight = "%d.weight" % layer if pytorch else "W%d" % (k + 1)
        self.shapes[weight] = (rows, columns) if self.convention == "numpy" else (columns, rows)
        if bias:
            self.shapes["%d.bias" % layer if pytorch else "b%d" % (k + 1)] = (columns,)

    def samples(self, rng, shape):
        return numbers(rng, *shape, self.batch) if self.convention == "columns" else numbers(rng, self.batch, *shape)

    def targets(self, rng, loss, out):
        if loss in OF_CLASSES:
            return [rng.randrange(out) for _ in range(self.batch)]
        rows = [[rng.choice((0, 1, 0.25)) for _ in range(out)] for _ in range(self.batch)]
        return transposed(rows) if self.convention == "columns" else rows

    def body(self, gradients, **more):
        return json.dumps({**self.request, "gradients": gradients, **more}).encode()

    def cut(self, rng, client):
        """The same with a consumer that sends nothing back; None where there is none."""
        return None


class GraphAssignment(Assignment):
    """A network of several inputs, values that are used several times, shared parameters."""

    def __init__(self, rng):
        self.batch = rng.randint(1, 4)
        family, loss = rng.choice(list(graph_networks.FAMILIES)), rng.choice(graph_networks.LOSSES)
        convention = rng.choice(graph_networks.CONVENTIONS)
        self.graph, self.request = graph_networks.draw_request(rng, family, convention, loss, self.batch)
        self.data = [name for name in self.graph.inputs if rng.random() < 0.5]
        values = {**self.request["parameters"], **{name: self.request["data"][name] for name in self.data}}
        self.shapes = {name: shape_of(value) for name, value in values.items()}
        if rng.random() < 0.2:
            self.request["points"] = {name: rng.choice((0, 1, 2.5)) for name in self.shapes}

    def cut(self, rng, client):
        """Where a layer that has parameters is an input of others, one of these takes a copy of its values."""
        layers = self.request["network"]["layers"]
        owners = list(dict.fromkeys(layer for layer, _, _ in self.graph.parameters))
        places = [(k + 1, i, at) for i, layer in enumerate(layers) for at, name in enumerate(layer.get("inputs", ()))
                  for k, owner in enumerate(owners) if layers[owner].get("name") == name]
        if not places:
            return None
        number, layer, at = rng.choice(places)
        body = self.body({}, reveal=True, diagnose=False, intermediates={"z%d" % number: 0})
        other = copy.copy(self)
        other.request = copy.deepcopy(self.request)
        other.request["network"]["layers"][layer]["inputs"][at] = "a copy"
        other.request["data"]["a copy"] = asked(client, body)["reference_intermediates"]["z%d" % number]
        return other


# --- what is handed in ---

ABSENT = "not in the report"


def each(value, change):
    """The same nested lists with every number changed."""
    return [each(inner, change) for inner in value] if isinstance(value, list) else change(value)


def spoilt(rng, assignment, name, right, all_right):
    """A gradient that a student may have, and the status that it must get (None: that depends on the numbers)."""
    shape = assignment.shapes[name]
    factor = rng.choice((2, 0.5, -1, assignment.batch, 1 / assignment.batch, 1.5))
    way = rng.randrange(11)
    if way == 0 and len(shape) == 2:
        return transposed(right), "shape_mismatch" if shape[0] != shape[1] else None
    if way == 0:
        return [right] * assignment.batch, "shape_mismatch" if assignment.batch > 1 else None
    if way == 1:
        return each(right, lambda x: 0), None
    if way == 2:
        return each(right, lambda x: rng.uniform(-1, 1)), None
    if way == 3:
        return all_right[rng.choice(list(assignment.shapes))], None
    if way == 4:
        return [right], "shape_mismatch" if len(shape) == 2 else None
    if way == 5:
        return rng.choice(("0.5", {"a": 1}, True, [[1, 2], [3]], ["a"])), "not_a_tensor"
    if way == 6:
        return each(right, lambda x: float("nan")), "not_finite"
    if way == 7:
        return 0.5, "shape_mismatch" if isinstance(right[0], list) and len(right[0]) > 1 or len(right) > 1 else None
    if way == 8:
        return assignment.request["data" if name in assignment.data else "parameters"][name], None
    return each(right, lambda x: x * factor), None


def hand_in(rng, assignment, right, wrong_whole):
    """Gradients, and the statuses that are known of them: ABSENT where nobody asked for it. `wrong_whole` are gradients that
    are wrong together, and may be the base."""
    gradients, statuses = {}, {}
    base = rng.choice(wrong_whole) if wrong_whole and rng.random() < 0.4 else right
    there, wrong = rng.choice((0.2, 0.5, 0.8, 1)), rng.choice((0, 0.2, 0.5, 1))
    everywhere = rng.choice((1, 1, 1, 2, 1 / assignment.batch))
    for name in assignment.shapes:
        if rng.random() >= there:
            asked_for = name not in assignment.data or "points" in assignment.request
            statuses[name] = "missing" if asked_for else ABSENT
        elif rng.random() < wrong:
            gradients[name], statuses[name] = spoilt(rng, assignment, name, base[name], right)
        elif everywhere == 1:
            gradients[name], statuses[name] = base[name], "match" if base is right else None
        else:
            gradients[name], statuses[name] = each(base[name], lambda x: x * everywhere), None
    # A member of data may be called as its gradient is.
    return {("d" + name if name in assignment.data and rng.random() < 0.5 else name): value
            for name, value in gradients.items()}, statuses


# --- sending them ---


class Wrong(AssertionError):
    """An answer that does not hold; `body` is what was sent."""

    def __init__(self, what, body, answer):
        super().__init__("%s\n%s\n%s" % (what, body.decode(), answer.body.decode(errors="replace")))


def judge(body, answer, statuses):
    if answer.status != 200:
        raise Wrong("status %d" % answer.status, body, answer)
    report = answer.json()
    entries = {entry["name"]: entry for entry in report["parameters"]}
    for name, status in statuses.items():
        got = entries[name]["status"] if name in entries else ABSENT
        if got != status if status is not None else got == ABSENT:
            raise Wrong("%s is %s, expected %s" % (name, got, status), body, answer)
    if report["passed"] != all(entry["passed"] for entry in report["parameters"]):
        raise Wrong("the report and its entries disagree", body, answer)
    if ("diagnosis" in report) == report["passed"]:
        raise Wrong("a diagnosis too much or too little", body, answer)


def asked(client, body):
    """The report."""
    answer = client.ask(post(body))
    if answer.status != 200:
        raise Wrong("status %d" % answer.status, body, answer)
    return answer.json()


def reference(client, assignment):
    """The right gradients by name."""
    body = assignment.body({name: 0 for name in assignment.data}, reveal=True, diagnose=False)
    return asked(client, body)["reference"]


def twice(right, without):
    """2 * right - without: what the other lacks is there twice."""
    if isinstance(right, list):
        return [twice(*both) for both in zip(right, without)]
    return 2 * right - without


def wrong_wholes(rng, client, assignment, right):
    """Gradients in which a consumer's part is missing, and in which it is there twice; none without such a consumer."""
    cut = assignment.cut(rng, client)
    if cut is None:
        return []
    without = reference(client, cut)
    return [without, {name: twice(right[name], without[name]) for name in right}]


def send(daemon, count, seed):
    """Sends so many submissions; returns how many of them passed, and how many were explained."""
    rng = random.Random(seed)
    clients = [Client(daemon, timeout=60) for _ in range(CONNECTIONS)]
    sent = passed = explained = 0
    try:
        while sent < count:
            client = rng.choice(clients)
            assignment = (GraphAssignment if rng.random() < 1 / 3 else Assignment)(rng)
            right = reference(client, assignment)
            wrong_whole = wrong_wholes(rng, client, assignment, right)
            for _ in range(min(PER_NETWORK, count - sent)):
                gradients, statuses = hand_in(rng, assignment, right, wrong_whole)
                gradients = gradients or {"nothing": 0}  # an empty object compares nothing and is refused
                body, client = assignment.body(gradients), rng.choice(clients)
                answer = client.ask(post(body))
                judge(body, answer, statuses)
                report = answer.json()
                sent += 1
                passed += report["passed"]
                explained += report.get("diagnosis", {}).get("explained", False)
        if clients[0].ask(get("/healthz")).status != 200:
            raise AssertionError("the daemon is not well")
    finally:
        for client in clients:
            client.socket.close()
    return passed, explained


def main(count, seed):
    started = time.monotonic()
    with Daemon() as daemon:
        passed, explained = send(daemon, count, seed)
    seconds = time.monotonic() - started
    print(
        "%d half-finished submissions in %.0f s, seed %d: %d passed, %d explained"
        % (count, seconds, seed, passed, explained)
    )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get("HALF_FINISHED", "10000")),
        int(sys.argv[2]) if len(sys.argv) > 2 else 1,
    )
