#!/usr/bin/python3
"""Makes the test vectors of networks with convolutions and pooling: convolutions.ndjson, from PyTorch.

    apt-get install python3-torch python3-numpy
    /usr/bin/python3 tests/vectors/convolutions.py

The lines are those of generate.py's files, as graphs.py writes them. Each case is checked as it is made, PyTorch against
central differences.
"""

import json
import pathlib
import random

import torch

import torch_graphs
from graphs import assert_differences
from torch_reference import to_json

HERE = pathlib.Path(__file__).resolve().parent
CONVENTIONS = ("numpy", "pytorch", "columns", "numpy_out_in")


def pair(random_, low, high, axes):
    """A size, or two, as a number where they are the same."""
    values = [random_.randint(low, high) for _ in range(axes)]
    return values[0] if len(set(values)) == 1 else values


class Maker:
    def __init__(self, seed):
        self.random, self.cases = random.Random(seed), []

    def numbers(self, shape, scale=1.0):
        if not shape:
            return round(self.random.gauss(0.0, scale), 4)
        return [self.numbers(shape[1:], scale) for _ in range(shape[0])]

    def request(self, layers, shape, batch, convention, loss, dtype=None):
        """Draws parameters and data for the layers; their shapes are what PyTorch makes of zeros."""
        request = {"network": {"input": list(shape), "layers": layers, "loss": loss}}
        if convention != "numpy":
            request["convention"] = convention
        if dtype:
            request["dtype"] = dtype
        last = convention == "columns"
        parameters, h = {}, torch.zeros(batch, *shape)
        names, by_name, owners = torch_graphs.parameter_names(request), {"x": h}, {}
        for index, layer in enumerate(layers):
            kind = layer["type"]
            h = by_name[layer["inputs"][0]] if "inputs" in layer else h
            weight, bias = names.get(index, (None, None))
            dims = ()
            if kind in torch_graphs.CONVOLUTIONS:
                if "shares" in layer:
                    dims = owners[layer["shares"]]
                else:
                    kernel, axes = layer["kernel_size"], h.dim() - 2
                    kernel = kernel if isinstance(kernel, list) else [kernel] * axes
                    turned = (h.shape[1], layer["out_channels"])
                    dims = (*(turned if "transpose" in kind else turned[::-1]), *kernel)
                owners[layer.get("name")] = dims
            elif kind == "linear":
                dims = (h.shape[-1], layer["out_features"])
                dims = dims if convention == "numpy" else dims[::-1]
            if weight:
                fan = 1.0
                for size in dims[1:] if kind != "linear" else (h.shape[-1],):
                    fan *= size
                parameters[weight] = self.numbers(dims, fan**-0.5)
            if bias:
                out = layer.get("out_channels", layer.get("out_features"))
                parameters[bias] = self.numbers((out,), 0.3)
            h = self.step(layer, layers, h, dims)
            if "name" in layer:
                by_name[layer["name"]] = h
        request["parameters"] = parameters
        data = {"x": self.numbers((batch, *shape))}
        kind = loss if isinstance(loss, str) else loss["type"]
        data["upstream" if kind == "upstream" else "y"] = (
            [self.random.randrange(h.shape[1]) for _ in range(batch)] if kind == "cross_entropy" else self.numbers(h.shape))
        if last:
            data = {name: torch_graphs.batch_last(torch.tensor(value, dtype=torch.float64)).tolist()
                    if isinstance(value[0], list) else value for name, value in data.items()}
        request["data"] = data
        return request

    def step(self, layer, layers, h, dims):
        kind = layer["type"]
        if kind in torch_graphs.CONVOLUTIONS:
            owner = next((other for other in layers if other.get("name") == layer.get("shares", "")), {})
            told = torch_graphs.sizes({**owner, **layer}, ("stride", "padding", "output_padding"))
            return torch_graphs.CONVOLUTIONS[kind](h, torch.zeros(dims), None, **told)
        if kind in torch_graphs.POOLS:
            return torch_graphs.POOLS[kind](h, **torch_graphs.sizes(layer, ("kernel_size", "stride", "padding")))
        if kind == "flatten":
            return h.flatten(start_dim=1)
        return torch.zeros(*h.shape[:-1], layer["out_features"]) if kind == "linear" else h

    def add(self, name, layers, shape, batch=2, convention="numpy", loss="upstream", dtype=None):
        request = self.request(layers, shape, batch, convention, loss, dtype)
        result = torch_graphs.evaluate(request, ["x"], True)
        if dtype is None:
            assert_differences(request, result, self.random)
        self.cases.append({
            "name": f"{len(self.cases) + 1}: {name}",
            "request": request,
            "expected": {
                "loss": result.loss,
                "gradients": {key: to_json(value) for key, value in result.gradients.items()},
                "intermediates": {key: to_json(value) for key, value in result.intermediates.items()},
            },
        })

    def write(self, file_name):
        lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) + "\n" for case in self.cases]
        (HERE / file_name).write_text("".join(lines), encoding="ascii")
        print(f"{file_name}: {len(lines)} cases, {sum(map(len, lines))} bytes")


def single_layers(make):
    """One layer alone, with sizes at random."""
    for turn in range(6):
        for number, kind in enumerate((*torch_graphs.CONVOLUTIONS, *torch_graphs.POOLS)):
            axes = 1 if kind.endswith("1d") else 2
            shape = (make.random.randint(1, 3), *(make.random.randint(4, 7) for _ in range(axes)))
            layer = {"type": kind, "kernel_size": pair(make.random, 1, 3, axes)}
            convolves, kernel = kind in torch_graphs.CONVOLUTIONS, layer["kernel_size"]
            if convolves:
                layer["out_channels"] = make.random.randint(1, 3)
            if turn > 0:
                layer["stride"] = pair(make.random, 1, 3, axes)
            if turn > 1:
                most = 2 if convolves else min(kernel if isinstance(kernel, list) else [kernel]) // 2
                layer["padding"] = pair(make.random, 0, min(most, 1 if "transpose" in kind else most), axes)
            if turn > 2 and "transpose" in kind:
                strides = layer["stride"] if isinstance(layer["stride"], list) else [layer["stride"]]
                layer["output_padding"] = min(strides) - 1
            if turn == 4 and convolves:
                layer["bias"], layer["in_channels"] = False, shape[0]
            make.add(f"{kind} alone, {turn}", [layer], shape, convention=CONVENTIONS[(turn + number) % 4],
                     dtype="float32" if turn == 5 else None)


def networks(make):
    """Several layers."""
    def conv(kind="conv2d", out=2, kernel=3, **attributes):
        return {"type": kind, "out_channels": out, "kernel_size": kernel, **attributes}

    relu, flat = {"type": "relu"}, {"type": "flatten"}
    for convention in CONVENTIONS:
        make.add(f"convolutions, pooling and a linear layer, {convention}",
                 [conv(padding=1), relu, {"type": "max_pool2d", "kernel_size": 2}, conv(out=3, kernel=2), {"type": "tanh"}, flat,
                  {"type": "linear", "out_features": 3}], (1, 6, 6), 3, convention, {"type": "cross_entropy", "l2": 0.1})
        make.add(f"an autoencoder, {convention}",
                 [conv(stride=2, padding=1), {"type": "tanh"}, conv("conv_transpose2d", 1, stride=2, padding=1, output_padding=1)],
                 (1, 6, 4), 2, convention, "mse")
        make.add(f"over one axis, {convention}",
                 [conv("conv1d", 3, 3), {"type": "sigmoid"}, {"type": "avg_pool1d", "kernel_size": 2, "padding": 1},
                  conv("conv_transpose1d", 2, 2, stride=2), flat, {"type": "linear", "out_features": 2}], (2, 8), 3, convention,
                 "mse")
        make.add(f"a filter that is used twice, {convention}",
                 [conv(out=1, padding=1, name="filter"), {"type": "tanh"}, {"type": "conv2d", "shares": "filter"}],
                 (1, 4, 3), 2, convention, "mse")


def main():
    torch.set_num_threads(1)
    make = Maker(31)
    single_layers(make)
    networks(make)
    make.write("convolutions.ndjson")


if __name__ == "__main__":
    main()
