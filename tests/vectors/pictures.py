"""Makes tests/vectors/pictures/*.ndjson with NumPy: losses around a point along two directions, a training's path and its
principal components, and singular values. `make vectors` runs it.
"""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
XOR = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]}
SIZES = (2, 3, 1)
NETWORK = {"input": 2, "layers": [{"type": "linear", "out_features": 3}, {"type": "tanh"}, {"type": "linear", "out_features": 1},
                                  {"type": "sigmoid"}], "loss": "mse"}


def draw(seed):
    random = np.random.RandomState(seed)
    return {f"{letter}{k + 1}": random.randn(*shape) for k in range(2)
            for letter, shape in (("W", (SIZES[k], SIZES[k + 1])), ("b", (SIZES[k + 1],)))}


def passes(p):
    """The loss and its gradients."""
    x, y = np.array(XOR["x"], float), np.array(XOR["y"], float)
    h = np.tanh(x @ p["W1"] + p["b1"])
    out = 1 / (1 + np.exp(-(h @ p["W2"] + p["b2"])))
    dz2 = 2 * (out - y) / y.size * out * (1 - out)
    dz1 = dz2 @ p["W2"].T * (1 - h**2)
    return np.mean((out - y)**2), {"W1": x.T @ dz1, "b1": dz1.sum(0), "W2": h.T @ dz2, "b2": dz2.sum(0)}


def grid(center, a, b, at_a, at_b):
    return [[passes({k: center[k] + s * a[k] + t * b[k] for k in center})[0] for s in at_a] for t in at_b]


def random_directions(center, seed, normalize, out_in=False):
    """Li et al.'s: filters are what one unit takes, here the columns of a weight; biases do not move."""
    np.random.seed(seed)
    directions = []
    for _ in range(2):
        direction = {}
        for name, w in center.items():
            direction[name] = np.zeros_like(w)
            if name[0] == "b":
                continue
            d = np.random.randn(*w.T.shape).T if out_in else np.random.randn(*w.shape)
            if normalize == "filter":
                d = d * (np.linalg.norm(w, axis=0) / (np.linalg.norm(d, axis=0) + 1e-10))
            elif normalize == "layer":
                d = d * (np.linalg.norm(w) / (np.linalg.norm(d) + 1e-10))
            direction[name] = d
        directions.append(direction)
    return directions


def lists(tensors):
    return {name: value.tolist() for name, value in tensors.items()}


def flatten(p):
    return np.concatenate([p[k].ravel() for k in ("W1", "b1", "W2", "b2")])


def landscapes():
    at_a, at_b = np.linspace(-1, 1, 5), np.linspace(-0.5, 2, 5)
    for seed, normalize in enumerate(("filter", "layer", "none")):
        center = draw(seed)
        a, b = random_directions(center, 10 + seed, normalize)
        yield {"name": normalize,
               "request": {"network": NETWORK, "data": XOR, "parameters": lists(center), "resolution": 5, "b": [-0.5, 2],
                           "directions": {"type": "random", "seed": 10 + seed, "normalize": normalize}},
               "expected": {"a": at_a.tolist(), "b": at_b.tolist(), "loss": grid(center, a, b, at_a, at_b), "path": []}}
    center = draw(5)
    a, b = random_directions(center, 3, "filter", out_in=True)
    turned = {k: v.T.tolist() for k, v in center.items()}
    yield {"name": "weights [out, in]",
           "request": {"network": NETWORK, "convention": "numpy_out_in", "data": XOR, "parameters": turned, "resolution": 5,
                       "b": [-0.5, 2], "directions": {"type": "random", "seed": 3}},
           "expected": {"a": at_a.tolist(), "b": at_b.tolist(), "loss": grid(center, a, b, at_a, at_b), "path": []}}
    a = {k: np.zeros_like(v) for k, v in center.items()}
    b = {k: np.zeros_like(v) for k, v in center.items()}
    a["W1"][0, 1], b["b2"][0] = 1.5, -2.0
    yield {"name": "given",
           "request": {"network": NETWORK, "data": XOR, "parameters": lists(center), "resolution": 5, "b": [-0.5, 2],
                       "directions": {"type": "given", "a": {"W1": a["W1"].tolist()}, "b": {"b2": b["b2"].tolist()}}},
           "expected": {"a": at_a.tolist(), "b": at_b.tolist(), "loss": grid(center, a, b, at_a, at_b), "path": []}}


def path_of(center, epochs, every):
    p, path = {k: v.copy() for k, v in center.items()}, []
    for epoch in range(epochs):
        if epoch % every == 0:
            path.append(flatten(p))
        _, gradients = passes(p)
        p = {k: p[k] - 0.5 * gradients[k] for k in p}
    return p, np.array(path + [flatten(p)])


def components():
    center = draw(8)
    end, path = path_of(center, 200, 10)
    rows = path - path[-1]
    _, values, vh = np.linalg.svd(rows, full_matrices=False)
    axes = [v * np.sign(rows[0] @ v) for v in vh[:2]]
    coordinates = rows @ np.array(axes).T
    at = []
    for k in range(2):
        least, most = coordinates[:, k].min(), coordinates[:, k].max()
        at.append(np.linspace(least - 0.1 * (most - least), most + 0.1 * (most - least), 4))
    sizes = np.cumsum([end[k].size for k in end])[:-1]
    a, b = ({k: part.reshape(end[k].shape) for k, part in zip(end, np.split(axis, sizes))} for axis in axes)
    yield {"name": "a training's path",
           "request": {"network": NETWORK, "data": XOR, "parameters": lists(center), "resolution": 4, "directions": {"type": "pca"},
                       "training": {"optimizer": {"type": "sgd", "lr": 0.5}, "epochs": 200, "record_every": 10}},
           "expected": {"a": at[0].tolist(), "b": at[1].tolist(), "loss": grid(end, a, b, *at), "path": coordinates.tolist(),
                        "explained": (values[:2]**2 / np.sum(values**2)).tolist()}}
    a, b = random_directions(end, 1, "filter")
    flat = np.array([flatten(a), flatten(b)]).T
    coordinates = np.linalg.lstsq(flat, rows.T, rcond=None)[0].T
    at = np.linspace(-1, 1, 4)
    yield {"name": "random directions at the end of a training",
           "request": {"network": NETWORK, "data": XOR, "parameters": lists(center), "resolution": 4, "directions": {"type": "random", "seed": 1},
                       "training": {"optimizer": {"type": "sgd", "lr": 0.5}, "epochs": 200, "record_every": 10}},
           "expected": {"a": at.tolist(), "b": at.tolist(), "loss": grid(end, a, b, at, at), "path": coordinates.tolist()}}


def singular_values():
    random = np.random.RandomState(4)
    matrices = {"wide": random.randn(3, 7), "tall": random.randn(6, 2), "square": random.randn(4, 4), "row": random.randn(1, 5),
                "one": np.array([[-3.0]]), "rank two": random.randn(5, 2) @ random.randn(2, 4), "kernel": random.randn(4, 2, 3),
                "large": 1e200 * random.randn(3, 3), "small": 1e-200 * random.randn(3, 3)}
    for name, tensor in matrices.items():
        matrix = tensor.reshape(tensor.shape[0], -1)
        values = np.linalg.svd(matrix, compute_uv=False)
        yield {"name": name, "tensor": tensor.tolist(), "singular_values": values.tolist(), "matrix": list(matrix.shape),
               "rank": int(np.linalg.matrix_rank(matrix)), "condition_number": values[0] / values[-1]}


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(HERE / "pictures" / "landscapes.ndjson", [*landscapes(), *components()])
    write(HERE / "pictures" / "singular.ndjson", singular_values())
