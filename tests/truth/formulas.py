"""Evaluates what messages say is right: "Right is dW2 = h1.T @ dz2", with right values, against the right value.

The right values are this program's own, from the request alone.
"""

import re

import numpy as np

from student import divisor, error_gradient, forward, laid_out, parameter_name, through_activation

CLAIM = re.compile(r"Right is (\S+) = (.+?)\.(?= |$)")


def right_values(replay):
    """Every value of the pass and its gradient by the name that it has in formulas, laid out as the convention has it."""
    net, params = replay.net, replay.params
    turn = (lambda a: a.T) if replay.convention == "columns" else (lambda a: a)
    cache = forward(net, params, replay.x)
    values = {"x": turn(replay.x), "y_hat": turn(cache[-1][2]), "np": np, "exp": np.exp, "sum": sum_of_rows(replay.convention)}
    loss = net.loss
    dh = error_gradient(loss, cache[-1][2], replay.y) * loss.get("scale", 1) / divisor(loss, len(replay.x), net.outputs)
    for k in reversed(range(net.depth)):
        below, z, h = cache[k]
        dz = through_activation(net.acts[k], dh, z, h) if net.acts[k] else dh
        own = {"z": z, "h": h, "dz": dz, "dh": dh}
        values.update({"%s%d" % (name, k + 1): turn(value) for name, value in own.items()})
        grads = {"W": below.T @ dz + net.l2 * params[k, "W"], "b": dz.sum(axis=0)}
        for which in ("W", "b") if net.has_bias[k] else ("W",):
            name = parameter_name(net, replay.convention, k, which)
            gradient = name + ".grad" if replay.convention == "pytorch" else "d" + name
            values[name] = np.array(laid_out(replay.convention, which, params[k, which]))
            values[gradient] = np.array(laid_out(replay.convention, which, grads[which]))
        dh = dz @ params[k, "W"].T
    values["dx"] = turn(dh)
    return values


def sum_of_rows(convention):
    """What "sum(dh) for each sample" stands for."""
    return lambda a: a.sum(axis=0 if convention == "columns" else -1, keepdims=True)


def evaluate(expression, values, loss):
    """An expression whose names may have dots in them; None where it holds something that is no NumPy."""
    names = sorted((name for name in values if "." in name), key=len, reverse=True)
    scope = {**{name: value for name, value in values.items() if "." not in name}, "l2": loss.get("l2", 0.0)}
    for i, name in enumerate(names):
        expression = expression.replace(name, "tensor_%d" % i)
        scope["tensor_%d" % i] = values[name]
    expression = expression.replace(" for each sample", "")
    expression = expression.replace("dim=0", "axis=0") if any(name.endswith(".grad") for name in names) else expression
    try:
        return eval(expression, {"__builtins__": {}}, scope)  # the daemon's own words, in a test of them
    except (SyntaxError, NameError):
        return None


def false_claims(replay, message):
    """The claims of a message that are not true, and how many there were that could be evaluated."""
    values, lost, evaluated = right_values(replay), [], 0
    for name, expression in CLAIM.findall(message):
        made, right = evaluate(expression, values, replay.net.loss), values.get(name)
        if made is None or right is None:
            continue
        evaluated += 1
        made = np.asarray(made).reshape(right.shape) if np.size(made) == np.size(right) else np.asarray(made)
        if made.shape != right.shape or not np.allclose(made, right, rtol=1e-9, atol=1e-9 * np.abs(right).max(initial=0)):
            lost.append("%s = %s" % (name, expression))
    return lost, evaluated
