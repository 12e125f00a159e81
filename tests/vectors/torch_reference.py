"""The gradients of a check request, by PyTorch's autograd.

`evaluate(request)` takes the body of a POST /v1/check (a dict) and answers what gradcheckd should compute from it:
the loss, the gradient of every parameter and the intermediate values, all in the request's own convention.

It shares no code with gradcheckd. It only knows requests that are right; whatever is wrong with one ends in some
Python exception.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "relu": lambda layer: F.relu,
    "leaky_relu": lambda layer: lambda z: F.leaky_relu(z, layer.get("negative_slope", 0.01)),
    "elu": lambda layer: lambda z: F.elu(z, layer.get("alpha", 1.0)),
    "sigmoid": lambda layer: torch.sigmoid,
    "tanh": lambda layer: torch.tanh,
    "softplus": lambda layer: lambda z: torch.logaddexp(z, torch.zeros_like(z)),  # F.softplus has a threshold
    "silu": lambda layer: F.silu,
    "gelu": lambda layer: lambda z: F.gelu(z, approximate=layer.get("approximate", "none")),
    "softmax": lambda layer: lambda z: F.softmax(z, dim=-1),
    "log_softmax": lambda layer: lambda z: F.log_softmax(z, dim=-1),
}

BATCH_LOSSES = ("cross_entropy", "nll", "hinge")


# --- the parts of a request ------------------------------------------------------------------------------------------


def shape_of_input(network):
    shape = network["input"]
    return (shape,) if isinstance(shape, int) else tuple(shape)


def parameter_layers(request):
    """One (index, layer, in_features, weight name, bias name or None) for every linear layer."""
    network, pytorch = request["network"], request.get("convention", "numpy") == "pytorch"
    found, shape = [], shape_of_input(network)
    for index, layer in enumerate(network["layers"]):
        if layer["type"] == "flatten":
            shape = (math.prod(shape),)
        elif layer["type"] == "linear":
            label = layer.get("name", str(index))
            count = len(found) + 1
            weight, bias = (f"{label}.weight", f"{label}.bias") if pytorch else (f"W{count}", f"b{count}")
            found.append((index, layer, shape[-1], weight, bias if layer.get("bias", True) else None))
            shape = shape[:-1] + (layer["out_features"],)
    return found


def draw(init, fan_in, fan_out):
    """One weight matrix [in, out] from NumPy's global generator, as a student's notebook draws it."""
    scheme = init["scheme"]
    if scheme == "he_normal":
        return np.random.randn(fan_in, fan_out) * np.sqrt(2.0 / fan_in)
    if scheme == "xavier_normal":
        return np.random.randn(fan_in, fan_out) * np.sqrt(2.0 / (fan_in + fan_out))
    if scheme == "normal":
        return np.random.randn(fan_in, fan_out) * init["std"]
    if scheme == "he_uniform":
        a = np.sqrt(6.0 / fan_in)
        return np.random.uniform(-a, a, (fan_in, fan_out))
    if scheme == "xavier_uniform":
        a = np.sqrt(6.0 / (fan_in + fan_out))
        return np.random.uniform(-a, a, (fan_in, fan_out))
    if scheme == "uniform":
        return np.random.uniform(init["low"], init["high"], (fan_in, fan_out))
    if scheme == "zeros":
        return np.zeros((fan_in, fan_out))
    raise ValueError(f"unknown scheme {scheme}")


def initial_parameters(request):
    """The tensors of a request, drawn by NumPy where it asks for `init`."""
    parameters = request["parameters"]
    if "init" not in parameters:
        return parameters
    init, numpy_layout = parameters["init"], request.get("convention", "numpy") == "numpy"
    np.random.seed(init["seed"])
    tensors = {}
    for _, layer, fan_in, weight, bias in parameter_layers(request):
        drawn = draw(init, fan_in, layer["out_features"])
        tensors[weight] = drawn if numpy_layout else drawn.T
        if bias:
            tensors[bias] = np.zeros(layer["out_features"])
    return tensors


# --- losses ----------------------------------------------------------------------------------------------------------


def is_class_indices(target):
    """Class indices are one integer for each sample; anything deeper holds probabilities."""
    return not isinstance(target[0], (list, tuple))


def multiclass_hinge(scores, target):
    """CS231n's SVM loss of each sample: sum over j != y of max(0, s_j - s_y + 1). relu has gradient 0 at the kink."""
    right = scores.gather(1, target.unsqueeze(1))
    margins = F.relu(scores - right + 1.0)
    others = torch.ones_like(margins).scatter(1, target.unsqueeze(1), 0.0)
    return (margins * others).sum(dim=1)


def reduce_samples(per_sample, reduction):
    return per_sample.sum() if reduction == "sum" else per_sample.mean()


def loss_of(loss, y_hat, target, dtype):
    """The scalar loss, without scale, l2 and l1. `target` is rows first."""
    kind, reduction = loss["type"], loss.get("reduction", "mean")
    if kind in BATCH_LOSSES:
        if is_class_indices(target):
            wanted = torch.tensor(target, dtype=torch.int64)
        else:
            wanted = torch.tensor(target, dtype=dtype)
        if kind == "hinge":
            return reduce_samples(multiclass_hinge(y_hat, wanted), reduction)
        if kind == "nll":
            return F.nll_loss(y_hat, wanted, reduction="sum" if reduction == "sum" else "mean")
        if loss.get("from", "logits") == "logits":
            return F.cross_entropy(y_hat, wanted, reduction="sum" if reduction == "sum" else "mean")
        if is_class_indices(target):
            per_sample = -torch.log(y_hat.gather(1, wanted.unsqueeze(1)).squeeze(1))
        else:
            per_sample = -(wanted * torch.log(y_hat)).sum(dim=1)
        return reduce_samples(per_sample, reduction)

    wanted = torch.as_tensor(np.asarray(target, dtype=np.float64)).to(dtype)
    assert wanted.shape == y_hat.shape, f"y has shape {tuple(wanted.shape)}, the output {tuple(y_hat.shape)}"
    how = "mean" if reduction == "mean" else "sum"
    if kind == "mse":
        value = F.mse_loss(y_hat, wanted, reduction=how)
    elif kind == "l1":
        value = F.l1_loss(y_hat, wanted, reduction=how)
    elif kind == "smooth_l1":
        value = F.smooth_l1_loss(y_hat, wanted, reduction=how, beta=loss.get("beta", 1.0))
    elif kind == "huber":
        value = F.huber_loss(y_hat, wanted, reduction=how, delta=loss.get("delta", 1.0))
    elif kind == "bce":
        value = F.binary_cross_entropy(y_hat, wanted, reduction=how)
        if hasattr(y_hat, "logits"):  # the number alone: logarithms of what was rounded to 0 or 1 are lost
            exact = -(wanted * F.logsigmoid(y_hat.logits) + (1 - wanted) * F.logsigmoid(-y_hat.logits))
            exact = exact.mean() if how == "mean" else exact.sum()
            value = value + (exact - value.detach())
    elif kind == "bce_with_logits":
        value = F.binary_cross_entropy_with_logits(y_hat, wanted, reduction=how)
    else:
        raise ValueError(f"unknown loss {kind}")
    return value / y_hat.shape[0] if reduction == "batchmean" else value


# --- the whole -------------------------------------------------------------------------------------------------------


class Result:
    """What evaluate() found. Tensors are NumPy arrays in the request's convention."""

    def __init__(self, loss, gradients, intermediates):
        self.loss, self.gradients, self.intermediates = loss, gradients, intermediates


def tensor(values, dtype):
    return torch.as_tensor(np.asarray(values, dtype=np.float64)).to(dtype)


def dtype_of(request):
    return torch.float32 if request.get("dtype", "float64") == "float32" else torch.float64


def make_leaves(request):
    """The parameters as tensors that want gradients, by name, in the request's layout."""
    dtype, given, leaves = dtype_of(request), initial_parameters(request), {}
    for _, _, _, weight, bias in parameter_layers(request):
        leaves[weight] = tensor(given[weight], dtype).requires_grad_()
        if bias:
            leaves[bias] = tensor(given[bias], dtype).requires_grad_()
    return leaves


def make_input(request):
    """x, rows first."""
    x = tensor(request["data"]["x"], dtype_of(request))
    return x.T if request.get("convention") == "columns" else x


def make_target(request):
    """y as lists, rows first."""
    target = request["data"]["y"]
    if request.get("convention") == "columns" and isinstance(target[0], (list, tuple)):
        return [list(row) for row in zip(*target)]
    return target


class SigmoidBeforeBce(torch.autograd.Function):
    """A sigmoid whose way back is that of the two together: p - y, where the loss's own gradient has lost it."""

    @staticmethod
    def forward(ctx, z, wanted, factor):
        p = torch.sigmoid(z)
        ctx.save_for_backward(p, torch.sigmoid(-z), wanted)
        ctx.factor = factor
        return p

    @staticmethod
    def backward(ctx, dp):
        p, not_p, wanted = ctx.saved_tensors
        return (p * (1 - wanted) - not_p * wanted) * ctx.factor, None, None


def sigmoid_before_bce(request, z):
    definition, dtype = loss_definition(request), dtype_of(request)
    wanted = torch.as_tensor(np.asarray(make_target(request), dtype=np.float64)).to(dtype)
    reduction = definition.get("reduction", "mean")
    divisor = z.numel() if reduction == "mean" else z.shape[0] if reduction == "batchmean" else 1
    p = SigmoidBeforeBce.apply(z, wanted, definition.get("scale", 1.0) / divisor)
    p.logits = z.detach()
    return p


def forward(request, leaves, h):
    """The output of the network, and the intermediate values by name; all rows first."""
    numpy_layout = request.get("convention", "numpy") == "numpy"
    linear = {entry[0]: entry for entry in parameter_layers(request)}
    seen = {}
    count, follows_linear = 0, False
    for index, layer in enumerate(request["network"]["layers"]):
        if layer["type"] == "linear":
            count += 1
            _, _, _, weight, bias = linear[index]
            W = leaves[weight] if numpy_layout else leaves[weight].T
            h = h @ W
            if bias:
                h = h + leaves[bias].reshape(-1)
            seen[f"z{count}"] = seen[f"h{count}"] = h
        elif layer["type"] == "flatten":
            h = h.flatten(start_dim=1)
        else:
            last = index + 1 == len(request["network"]["layers"])
            whole = last and len(make_target(request)) == len(h)  # and not a batch of a training
            if whole and layer["type"] == "sigmoid" and loss_definition(request)["type"] == "bce":
                h = sigmoid_before_bce(request, h)
            else:
                h = ACTIVATIONS[layer["type"]](layer)(h)
            if follows_linear:
                seen[f"h{count}"] = h
        follows_linear = layer["type"] == "linear"
    seen["y_hat"] = h
    return h, seen


def loss_definition(request):
    definition = request["network"]["loss"]
    return {"type": definition} if isinstance(definition, str) else definition


def total_loss(request, leaves, y_hat, target):
    """The scalar loss with its scale, l2 and l1."""
    definition = loss_definition(request)
    total = loss_of(definition, y_hat, target, dtype_of(request))
    if "scale" in definition:
        total = definition["scale"] * total
    for kind, term in (("l2", lambda W: (W**2).sum() / 2.0), ("l1", lambda W: W.abs().sum())):
        given = definition.get(kind, 0.0)
        if not isinstance(given, dict):
            given = {entry[3]: given for entry in parameter_layers(request)} if given else {}
        for name, factor in given.items():
            total = total + factor * term(leaves[name])
    return total


def evaluate(request, with_intermediates=True):
    columns = request.get("convention") == "columns"
    leaves = make_leaves(request)
    y_hat, seen = forward(request, leaves, make_input(request))
    if with_intermediates:
        for value in seen.values():
            value.retain_grad()
    total = total_loss(request, leaves, y_hat, make_target(request))
    total.backward()

    gradients = {name: leaf.grad.numpy() for name, leaf in leaves.items()}
    intermediates = {}
    if with_intermediates:
        for name, value in seen.items():
            forward_values, backward = value.detach().numpy(), value.grad.numpy()
            intermediates[name] = forward_values.T if columns else forward_values
            intermediates["d" + name] = backward.T if columns else backward
    return Result(total.item(), gradients, intermediates)


def to_json(array):
    """Nested lists of floats. float32 values in their own shortest form, which reads back as the same float32."""
    if array.dtype == np.float32:
        return json_list(array, lambda value: float(str(value)))
    return array.tolist()


def json_list(array, convert):
    if array.ndim == 0:
        return convert(array[()])
    return [json_list(part, convert) for part in array]
