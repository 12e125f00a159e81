"""The training runs of POST /v1/train, by PyTorch's optimizers.

`train(request)` takes the body of a POST /v1/train (a dict) and answers what gradcheckd should compute from it: `epochs`,
`loss`, `accuracy` (where there is one), `final`, `parameters` and `gradient_norms`, all in the request's own convention.

As in torch_reference, the request must be right. `optimizer` needs a type; what else it lacks are PyTorch's own defaults.
"""

import numpy as np
import torch

import torch_reference

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
              "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}

MOST_RECORDED = 1000


def make_optimizer(request, leaves):
    options = dict(request.get("optimizer", {"type": "sgd"}))
    kind = options.pop("type")
    if kind == "sgd":
        options.setdefault("lr", 0.001)  # which PyTorch 1 still requires
    return OPTIMIZERS[kind](list(leaves.values()), **options)


def right_answers(request, target, y_hat):
    """How many samples are right, None where no count makes sense. Both are rows first."""
    kind = torch_reference.loss_definition(request)["type"]
    if torch_reference.is_class_indices(target):
        return int((y_hat.argmax(dim=1) == torch.tensor(target)).sum())
    wanted = torch.tensor(target, dtype=torch.float64)
    if y_hat.shape[1:] == (1,):
        p = torch.sigmoid(y_hat) if kind == "bce_with_logits" else y_hat
        return int(((p > 0.5) == (wanted > 0.5)).sum())
    return int((y_hat.argmax(dim=1) == wanted.argmax(dim=1)).sum())


def has_accuracy(target):
    """One output: all targets are 0 or 1. Several: class indices, or every row is a probability distribution."""
    if torch_reference.is_class_indices(target):
        return True
    values = np.asarray(target, dtype=np.float64)
    if values.ndim != 2:
        return False
    if values.shape[1] == 1:
        return bool(np.isin(values, (0.0, 1.0)).all())
    return bool((values >= 0.0).all() and (np.abs(values.sum(axis=1) - 1.0) < 1e-9).all())


def recorded_epochs(request):
    epochs = request.get("epochs", 1000)
    return range(0, epochs, request.get("record_every", -(-epochs // MOST_RECORDED)))


def train(request, leaves=None):
    """leaves: parameters to start from instead of the request's."""
    leaves = torch_reference.make_leaves(request) if leaves is None else leaves
    optimizer = make_optimizer(request, leaves)
    x, target = torch_reference.make_input(request), torch_reference.make_target(request)
    count = x.shape[0]
    batch_size = request.get("batch_size", count)
    counted = has_accuracy(target)

    recorded = recorded_epochs(request)
    losses, accuracies, norms = [], [], {name: [] for name in leaves}
    for epoch in range(request.get("epochs", 1000)):
        loss_sum, right = 0.0, 0
        for start in range(0, count, batch_size):
            part = target[start:start + batch_size]
            optimizer.zero_grad()
            y_hat, _ = torch_reference.forward(request, leaves, x[start:start + batch_size])
            loss = torch_reference.total_loss(request, leaves, y_hat, part)
            loss.backward()
            loss_sum += loss.item() * len(part)
            right += right_answers(request, part, y_hat) if counted else 0
            gradients = {name: leaf.grad.norm().item() for name, leaf in leaves.items()}
            optimizer.step()
        if epoch in recorded:
            losses.append(loss_sum / count)
            accuracies.append(right / count)
            for name, norm in gradients.items():
                norms[name].append(norm)

    with torch.no_grad():
        y_hat, _ = torch_reference.forward(request, leaves, x)
        loss_sum = 0.0  # as that of an epoch, so that both can be compared
        for start in range(0, count, batch_size):
            part = slice(start, start + batch_size)
            loss = torch_reference.total_loss(request, leaves, y_hat[part], target[part])
            loss_sum += loss.item() * len(target[part])
    final = {"loss": loss_sum / count}
    if counted:
        final["accuracy"] = right_answers(request, target, y_hat) / count
    predictions = y_hat.T if request.get("convention") == "columns" else y_hat
    final["predictions"] = torch_reference.to_json(predictions.numpy())
    answer = {"epochs": list(recorded), "loss": losses}
    if counted:
        answer["accuracy"] = accuracies
    answer["final"] = final
    answer["parameters"] = {name: torch_reference.to_json(leaf.detach().numpy()) for name, leaf in leaves.items()}
    answer["gradient_norms"] = norms
    return answer


# --- how far rounding may carry a run --------------------------------------------------------------------------------


def sensitivity(request, answer, seed=0):
    """The largest relative change of the answer's numbers for a relative change of the initial parameters, 1 to 1."""
    step, random = 1e-12, np.random.RandomState(seed)
    leaves = torch_reference.make_leaves(request)
    with torch.no_grad():
        for leaf in leaves.values():
            leaf *= 1.0 + step * torch.as_tensor(random.uniform(-1.0, 1.0, leaf.shape))
    other = train(request, leaves)
    changes = [np.abs(np.subtract(other["loss"], answer["loss"]) / answer["loss"]).max(),
               abs(other["final"]["loss"] / answer["final"]["loss"] - 1.0)]
    for group in ("parameters", "gradient_norms"):
        for name, values in answer[group].items():
            largest = np.abs(values).max()
            changes.append(np.abs(np.subtract(other[group][name], values)).max() / largest if largest else 0.0)
    if other.get("accuracy") != answer.get("accuracy") or other["final"].get("accuracy") != answer["final"].get("accuracy"):
        return np.inf
    return max(changes) / step
