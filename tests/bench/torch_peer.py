"""The peer of the benchmark's training: the loop that one would write with PyTorch's modules and optimizers.

It knows what the benchmark asks for: linear layers, ReLU and sigmoid, mse and cross_entropy, sgd.
"""

import torch
import torch.nn.functional as F

import torch_reference

MODULES = {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid}
LOSSES = {"mse": F.mse_loss, "cross_entropy": F.cross_entropy}


def make_model(request):
    leaves, dtype = torch_reference.make_leaves(request), torch_reference.dtype_of(request)
    linear = {entry[0]: entry for entry in torch_reference.parameter_layers(request)}
    modules = []
    for index, layer in enumerate(request["network"]["layers"]):
        if layer["type"] != "linear":
            modules.append(MODULES[layer["type"]]())
            continue
        _, _, fan_in, weight, bias = linear[index]
        module = torch.nn.Linear(fan_in, layer["out_features"], dtype=dtype)
        with torch.no_grad():
            module.weight.copy_(leaves[weight].T)
            module.bias.copy_(leaves[bias])
        modules.append(module)
    return torch.nn.Sequential(*modules)


def run(request, x, y):
    """The loss of each epoch."""
    model, loss_of = make_model(request), LOSSES[request["network"]["loss"]]
    optimizer = torch.optim.SGD(model.parameters(), lr=request["optimizer"]["lr"])
    count, losses = len(x), []
    size = request.get("batch_size", count)
    for _ in range(request["epochs"]):
        total = 0.0
        for start in range(0, count, size):
            part = y[start:start + size]
            optimizer.zero_grad()
            loss = loss_of(model(x[start:start + size]), part)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        losses.append(total / count)
    return losses


def prepared(request):
    """A function that trains, for which the data are tensors already."""
    dtype = torch_reference.dtype_of(request)
    x, y = torch.tensor(request["data"]["x"], dtype=dtype), request["data"]["y"]
    y = torch.tensor(y, dtype=dtype) if isinstance(y[0], list) else torch.tensor(y)
    return lambda: run(request, x, y)


def train(request):
    return prepared(request)()
