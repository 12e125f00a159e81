"""Makes tests/vectors/steps/*.ndjson with PyTorch: one step of each optimizer, from a state that steps before have left;
and tests/vectors/train_programs/*.ndjson: trainings of programs. `make vectors` runs it.
"""

import json
import pathlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
torch.set_default_dtype(torch.float64)

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
}
SETTINGS = [
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.1, "weight_decay": 0.01}),
    ("sgd", {"lr": 0.1, "momentum": 0.9}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.05}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("adam", {"lr": 0.1}),
    ("adam", {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
    ("adamw", {"lr": 0.05}),
    ("adamw", {"lr": 0.05, "weight_decay": 0.2}),
    ("rmsprop", {"lr": 0.01}),
    ("rmsprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    ("adagrad", {"lr": 0.1}),
    ("adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.2}),
]
STATE = ("momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg", "sum")


def numbers(tensor):
    return tensor.detach().tolist()


def make(kind, options, parameters):
    settings = dict(options)
    if "betas" in settings:
        settings["betas"] = tuple(settings["betas"])
    return OPTIMIZERS[kind][0](parameters, **settings)


def state_of(optimizer, parameters, step):
    state = {"step": step}
    for name in STATE:
        found = {key: numbers(optimizer.state[p][name]) for key, p in parameters.items()
                 if optimizer.state[p].get(name) is not None}
        if found:
            state[name] = found
    return state


def steps():
    random = np.random.RandomState(7)
    for kind, options in SETTINGS:
        for before in (0, 1, 4):
            parameters = {"W1": torch.tensor(random.randn(2, 3), requires_grad=True),
                          "b1": torch.tensor(random.randn(3), requires_grad=True)}
            optimizer = make(kind, options, list(parameters.values()))
            for done in range(before + 1):
                for p in parameters.values():
                    p.grad = torch.tensor(random.randn(*p.shape))
                if done == before:
                    request = {"optimizer": {"type": kind, **options},
                               "parameters": {key: numbers(p) for key, p in parameters.items()},
                               "gradients": {key: numbers(p.grad) for key, p in parameters.items()}}
                    if before > 0:
                        request["state"] = state_of(optimizer, parameters, before)
                optimizer.step()
            request["updated"] = {"parameters": {key: numbers(p) for key, p in parameters.items()},
                                  "state": state_of(optimizer, parameters, before + 1)}
            yield {"name": f"{kind} {options} after {before}", "request": request}


# By name: the program, and the same in PyTorch.
def lab(p, d):
    h1 = torch.relu(d["x"] @ p["W1"] + p["b1"])
    h2 = torch.relu(h1 @ p["W2"] + p["b2"])
    return torch.mean((torch.sigmoid(h2 @ p["W3"] + p["b3"]) - d["y"])**2)


def recurrent(p, d):
    h = torch.zeros(2, 3)
    for t in range(4):
        h = torch.tanh(d["x"][:, t] @ p["Wx"] + h @ p["Wh"])
    return torch.sum((h - d["target"])**2)


def normalized(p, d):
    x_hat = (d["x"] - d["x"].mean(0)) / torch.sqrt(d["x"].var(0, unbiased=False) + 1e-5)
    out = p["gamma"] * x_hat @ p["W"] + p["beta"]
    return torch.nn.functional.cross_entropy(out, d["y"].long()) + 0.01 * torch.sum(p["W"]**2)


def edges(p, d):
    return torch.sum(torch.abs(p["w"] - d["c"])) + torch.sum(torch.clamp(p["w"], min=0.5))


PROGRAMS = {
    "the lab": (lab, "z1 = x @ W1 + b1\nh1 = np.maximum(0, z1)\nz2 = h1 @ W2 + b2\nh2 = relu(z2)\ny_hat = sigmoid(h2 @ W3 + b3)\n"
                     "loss = np.mean((y_hat - y)**2)",
                {"W1": (2, 3), "b1": (3,), "W2": (3, 2), "b2": (2,), "W3": (2, 1), "b3": (1,)}, {"x": (6, 2), "y": (6, 1)}),
    "a recurrent network": (recurrent, "h = np.zeros((2, 3))\nfor t in range(x.shape[1]):\n    h = np.tanh(x[:, t] @ Wx + h @ Wh)\n"
                                       "loss = np.sum((h - target)**2)",
                            {"Wx": (2, 3), "Wh": (3, 3)}, {"x": (2, 4, 2), "target": (2, 3)}),
    "normalized data": (normalized, "xhat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)\nout = gamma * xhat @ W + beta\n"
                                    "loss = cross_entropy(out, y) + 0.01 * np.sum(W**2)",
                        {"gamma": (4,), "W": (4, 3), "beta": (3,)}, {"x": (5, 4), "y": None}),
    "kinks": (edges, "loss = np.sum(np.abs(w - c)) + np.sum(np.clip(w, 0.5, None))", {"w": (5,)}, {"c": (5,)}),
}


def trainings():
    random = np.random.RandomState(11)
    for name, (function, program, shapes, data_shapes) in PROGRAMS.items():
        for kind, options in (SETTINGS[0], SETTINGS[4], SETTINGS[5], SETTINGS[8], SETTINGS[10], SETTINGS[12]):
            start = {key: random.randn(*shape) * 0.7 for key, shape in shapes.items()}
            data = {key: random.randn(*shape) if shape else np.array([0.0, 2, 1, 1, 0]) for key, shape in data_shapes.items()}
            parameters = {key: torch.tensor(value, requires_grad=True) for key, value in start.items()}
            fixed = {key: torch.tensor(value) for key, value in data.items()}
            if function is recurrent:  # else the run swings, and rounding grows with every step
                options = {**options, "lr": options["lr"] / 10}
            optimizer = make(kind, options, list(parameters.values()))
            losses, norms = [], {key: [] for key in shapes}
            for _ in range(30):
                optimizer.zero_grad()
                loss = function(parameters, fixed)
                loss.backward()
                losses.append(loss.item())
                for key, p in parameters.items():
                    norms[key].append(torch.linalg.vector_norm(p.grad).item())
                optimizer.step()
            yield {"name": f"{name}, {kind} {options}",
                   "request": {"program": program, "parameters": {key: value.tolist() for key, value in start.items()},
                               "data": {key: value.tolist() for key, value in data.items()},
                               "optimizer": {"type": kind, **options}, "epochs": 30},
                   "expected": {"loss": losses, "gradient_norms": norms, "final": function(parameters, fixed).item(),
                                "parameters": {key: numbers(p) for key, p in parameters.items()}}}


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(HERE / "steps" / "optimizers.ndjson", steps())
    write(HERE / "train_programs" / "programs.ndjson", trainings())
