"""The gradients of a check request whose network is a graph, by PyTorch's autograd.

`evaluate(request, data)` takes the body of a POST /v1/check (a dict) and answers the loss, the gradient of every parameter,
those of the members of `data` that are named, and the intermediate values, all in the request's own convention. Losses and
activations are those of torch_reference.py.
"""

import torch
import torch.nn.functional as F

import torch_reference
from torch_reference import Result, dtype_of, loss_definition, loss_of, tensor

CONVOLUTIONS = {"conv1d": F.conv1d, "conv2d": F.conv2d, "conv_transpose1d": F.conv_transpose1d,
                "conv_transpose2d": F.conv_transpose2d}
POOLS = {"max_pool1d": F.max_pool1d, "max_pool2d": F.max_pool2d, "avg_pool1d": F.avg_pool1d, "avg_pool2d": F.avg_pool2d}

MEMBERS = {"linear": ("W", "b"), "layer_norm": ("gamma", "beta"), **{kind: ("W", "b") for kind in CONVOLUTIONS}}


def batch_last(value):
    """As the convention columns has it."""
    return value.movedim(0, -1)


def sizes(layer, names):
    """Attributes of a layer that are a size, or two."""
    return {name: tuple(layer[name]) if isinstance(layer[name], list) else layer[name] for name in names if name in layer}


def owned(layer):
    """Which parameters a layer has of its own: (weight, bias) as booleans."""
    if layer["type"] == "linear":
        if "shares" in layer:
            return False, bool(layer.get("transposed")) and layer.get("bias", True)
        return True, layer.get("bias", True)
    if layer["type"] in CONVOLUTIONS and "shares" not in layer:
        return True, layer.get("bias", True)
    if layer["type"] == "layer_norm" and "shares" not in layer:
        return layer.get("affine", True), layer.get("affine", True)
    return False, False


def parameter_names(request):
    """{index of a layer: (weight's name or None, bias's name or None)} of the layers that have any of their own."""
    pytorch, count, found = request.get("convention") == "pytorch", 0, {}
    for index, layer in enumerate(request["network"]["layers"]):
        has = owned(layer)
        if not any(has):
            continue
        count += 1
        label = layer.get("name", str(index))
        names = (f"{label}.weight", f"{label}.bias") if pytorch else [f"{symbol}{count}" for symbol in MEMBERS[layer["type"]]]
        found[index] = tuple(name if one else None for name, one in zip(names, has))
    return found


def forward(request, leaves, data):
    """The values of all layers, rows first, and z<k> by name."""
    layers, numpy_layout = request["network"]["layers"], request.get("convention", "numpy") == "numpy"
    names, by_name, values, seen = parameter_names(request), dict(data), [], {}
    at = {layer["name"]: index for index, layer in enumerate(layers) if "name" in layer}
    for index, layer in enumerate(layers):
        before = values[-1] if values else data["x"]
        inputs = [by_name[name] for name in layer["inputs"]] if "inputs" in layer else [before]
        kind, h = layer["type"], inputs[0]
        weight, bias = names.get(index, (None, None))
        if "shares" in layer:
            owners = names[at[layer["shares"]]]
            weight, bias = owners[0], bias if layer.get("transposed") else owners[1]
        if kind == "linear":
            W = leaves[weight] if numpy_layout else leaves[weight].T
            h = h @ (W.T if layer.get("transposed") else W)
            h = h + leaves[bias] if bias else h
        elif kind == "layer_norm":
            h = F.layer_norm(h, h.shape[-1:], leaves[weight] if weight else None, leaves[bias] if bias else None,
                             layer.get("eps", 1e-5))
        elif kind in CONVOLUTIONS:
            told = {**layers[at[layer["shares"]]], **layer} if "shares" in layer else layer
            h = CONVOLUTIONS[kind](h, leaves[weight], leaves[bias] if bias else None,
                                   **sizes(told, ("stride", "padding", "output_padding")))
        elif kind in POOLS:
            h = POOLS[kind](h, **sizes(layer, ("kernel_size", "stride", "padding")))
        elif kind == "flatten":
            h = h.flatten(start_dim=1)
        elif kind == "concat":
            h = torch.cat(inputs, dim=layer.get("dim", 1))
        elif kind in ("add", "mul"):
            for other in inputs[1:]:
                h = h + other if kind == "add" else h * other
        else:
            h = torch_reference.ACTIVATIONS[kind](layer)(h)
        values.append(h)
        if index in names:
            seen[f"z{len(seen) + 1}"] = h
        if "name" in layer:
            by_name[layer["name"]] = h
    seen["y_hat"] = h
    return values, seen


def evaluate(request, wanted=(), with_intermediates=False):
    columns, dtype = request.get("convention") == "columns", dtype_of(request)
    leaves = {name: tensor(value, dtype).requires_grad_() for name, value in request["parameters"].items()}
    given = {name: tensor(value, dtype) for name, value in request["data"].items() if name != "y"}
    given = {name: value.movedim(-1, 0) if columns else value for name, value in given.items()}
    data = {name: value.clone().requires_grad_() for name, value in given.items() if name != "upstream"}
    values, seen = forward(request, leaves, data)
    for value in (*values, *seen.values()):
        value.retain_grad()
    definition = loss_definition(request)
    if definition["type"] == "upstream":
        total = (values[-1] * given["upstream"]).sum()
    else:
        y = request["data"]["y"]
        turned = columns and isinstance(y[0], list)
        total = loss_of(definition, values[-1], torch.tensor(y, dtype=torch.float64).movedim(-1, 0).tolist() if turned else y, dtype)
    if definition.get("l2"):
        weights = [leaves[names[0]] for index, names in parameter_names(request).items()
                   if names[0] and request["network"]["layers"][index]["type"] in ("linear", *CONVOLUTIONS)]
        total = total + definition["l2"] / 2.0 * sum((W**2).sum() for W in weights)
    total.backward()

    def gradient(value):
        return torch.zeros_like(value) if value.grad is None else value.grad

    gradients = {name: gradient(leaf).numpy() for name, leaf in leaves.items()}
    for name in wanted:
        gradients[name] = (batch_last(gradient(data[name])) if columns else gradient(data[name])).numpy()
    intermediates = {}
    if with_intermediates:
        for name, value in seen.items():
            for what, numbers in ((name, value.detach()), ("d" + name, gradient(value))):
                intermediates[what] = (batch_last(numbers) if columns else numbers).numpy()
    result = Result(total.item(), gradients, intermediates)
    result.values = [value.detach().numpy() for value in values]
    return result
