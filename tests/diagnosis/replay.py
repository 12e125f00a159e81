"""Whether a mistake that the daemon names really gives the numbers that were submitted: made again by graph_student.py.

`judge(program, right, submitted, diagnosis)` answers one verdict for what was claimed: REPRODUCED, FALSE, or UNJUDGED where this
program does not know one of the ids. The daemon says what was made and where, not with which option (the other activation, a
factor, the learning rate): an option is searched for, or fitted. So a claim that is called FALSE here has no option with which
it would be true; one that is called REPRODUCED has.
"""

import itertools
import math

import numpy as np

import graph_student
import student
from graph_student import (
    ACTIVATIONS, AVERAGED, EXCHANGED, LOSS_IDS, MISSING, NORM_IDS, OTHER_FACTOR, OVERWRITTEN, SCALED, TWICE,
    WRONG_SLICE,
)
from student import Blunder

REPRODUCED, FALSE, UNJUDGED = "reproduced", "FALSE", "not judged"
NEAR = 2e-6          # what is sent is the tolerance 1e-6; where a number was fitted, both sides have fitted it
MOST_VARIANTS = 4000
FIT_ROUNDS = 8
LEAST_FITTED = 1e-6  # a slope, scale or learning rate of 0 is not that mistake, but another

LAYER_IDS = (
    "bias_not_summed", "bias_averaged", "bias_summed_over_units", "bias_from_weight_gradient", "weight_not_transposed",
    "raw_error_propagated", "weight_skipped", "weight_gradient_as_weight", "input_not_activated", "own_output_as_input",
    "input_ignored", "weight_as_input", "regularization_missing", "regularization_sign", TWICE, EXCHANGED, AVERAGED, WRONG_SLICE,
    *NORM_IDS,
)
ELSEWHERE_IDS = ("wrong_activation_derivative", "updated_weights_propagated", MISSING, OVERWRITTEN, OTHER_FACTOR)
ACTIVATION_IDS = tuple(name for name in student.ACTIVATION_IDS if name != "wrong_activation_derivative")
# What multiplies gradients, of the loss or of some parameters alone: the factors that such a mistake may have.
FACTORS = {
    "constant_factor": lambda program, fitted: [fitted],
    "learning_rate_applied": lambda program, fitted: [fitted],
    "gradient_accumulated": lambda program, fitted: [max(2, round(fitted))],
    "sign_flipped": lambda program, fitted: [-1],
    "missing_factor_two": lambda program, fitted: [0.5],
    "averaged_twice": lambda program, fitted: [1 / program.batch],
    "not_averaged_over_batch": lambda program, fitted: [program.batch],
    "wrong_normalization": lambda program, fitted: ratios_of_sizes(program),
}
OTHER_LOSS_IDS = ("missing_bce_term", "l1_sign_lost", "target_broadcast")
FINISHED_IDS = (
    *FACTORS, "all_zero", "detached", "updated_parameter", "clipped", "low_precision", "rounded", "transposed",
    "wrong_memory_order", "parameter_as_gradient", "swapped_parameters", "single_sample", "bias_regularized", "flattened",
)


class Option:
    """One way to make a mistake: blunders on the way back; then, where there is one, what is done to the finished gradients.

    fitted: a function of a number that gives the blunders. finish: a function (gradients, submitted) -> gradients or None.
    """

    def __init__(self, blunders=(), fitted=None, finish=None, only=None):
        self.blunders, self.fitted, self.finish, self.only = list(blunders), fitted, finish, only


# --- on the way back -----------------------------------------------------------------------------------------------------


def everywhere(program, layers):
    """The layers as they are said; and with all uses of the parameters that one of them owns."""
    yield layers
    widened = set(layers)
    for index in layers:
        if index != "loss":
            for name in program.slots[index].values():
                widened.update(program.users[name])
    if widened != set(layers):
        yield sorted(widened)


def lost_at(program, layer):
    """What may be lost at a layer: its share in any value or parameter that it uses; or shares in what is its own."""
    for position, source in enumerate(program.inputs[layer]):
        yield Blunder(MISSING, [layer], value=source)
        if program.inputs[layer].count(source) > 1:
            yield Blunder(MISSING, [layer], value=source, position=position)
    for name in program.slots[layer].values():
        yield Blunder(MISSING, [layer], value=name)
    own = [layer] + [name for name in program.slots[layer].values() if program.owner[name] == layer]
    for value in own:
        uses = sorted(set(program.users.get(value, [index for index, _ in program.consumers.get(value, [])])))
        for count in range(1, min(len(uses), 5) + 1):
            for some in itertools.combinations(uses, count):
                yield Blunder(MISSING, list(some), value=value)


def kept_at(program, layer):
    """What may have been overwritten at a layer: all but one share in what it uses, or in what is its own."""
    values = [*program.inputs[layer], *program.slots[layer].values(), layer]
    for value in dict.fromkeys(values):
        uses = sorted(set(program.users.get(value, [index for index, _ in program.consumers.get(value, [])])))
        yield Blunder(OVERWRITTEN, [layer], value=value)
        for kept in uses:
            if len(uses) > 1:
                yield Blunder(MISSING, [index for index in uses if index != kept], value=value)


def each(program, layers, ways):
    """One blunder of `ways` at each of the layers, in all combinations."""
    return [Option(some) for some in itertools.islice(itertools.product(*(list(ways(program, layer)) for layer in layers)),
                                                      MOST_VARIANTS)]


def other_derivatives(program, layers):
    """All places with the same other derivative, also scaled by a number."""
    act = program.layers[layers[0]]
    others = graph_student.others_of(act) + [{"other": dict(act)}, {"other": {"type": "identity"}}]
    others += [{"other": {"type": "elu", "alpha": alpha}} for alpha in (0.1, 0.5, 1.0, 2.0)]
    others += [{"other": {"type": "gelu", "approximate": how}} for how in ("none", "tanh")]
    for other in others:
        yield Option([Blunder("wrong_activation_derivative", layers, **other)])
        if "other" in other:
            yield Option(fitted=lambda s, other=other: [Blunder("wrong_activation_derivative", layers, scale=s, **other)])
    yield Option(fitted=lambda s: [
        Blunder("wrong_activation_derivative", layers, other={"type": "leaky_relu", "negative_slope": s})])


def or_only(options, parameters):
    """Where one parameter alone is named, the wrong step may have been taken for that one, and the right one for the rest."""
    if len(parameters) == 1:
        options = options + [Option(o.blunders, o.fitted, o.finish, only=parameters) for o in options]
    return options


def at_loss(program, name):
    if name == "cross_entropy_shortcut":
        return [Option([Blunder(name, ["loss"], softmax=softmax, over=over), Blunder("constant_factor", ["loss"], factor=factor)])
                for softmax in (False, True) for over in ("loss", "batch") for factor in (1, 2)]
    if name == "mse_shortcut":
        return [Option([Blunder(name, ["loss"], factor=factor, over=over, raw=raw)])
                for factor in (2, 1) for over in ("loss", "elements") for raw in (False, True)]
    return [Option([Blunder(name, ["loss"])])]


def on_the_way(program, name, layers, parameters):
    """The options of a mistake that is made on the way back, or None where the id is not known."""
    if name in LOSS_IDS + OTHER_LOSS_IDS + ("cross_entropy_shortcut", "mse_shortcut"):
        return at_loss(program, name) if layers == ["loss"] else []
    if name in FACTORS and layers == ["loss"]:
        return [Option(fitted=lambda s: [Blunder("constant_factor", ["loss"], factor=s)])] if name == "constant_factor" else []
    if "loss" in layers:
        return [] if name in LAYER_IDS + ACTIVATION_IDS + ELSEWHERE_IDS + FINISHED_IDS else None
    if name in (EXCHANGED, WRONG_SLICE) and "loss" not in layers:
        return [Option([Blunder(name, layers)])] + [
            Option([Blunder(name, [layer], only=p, shift=shift)]) for layer in layers for p in range(len(program.inputs[layer]))
            for shift in range(1, len(program.inputs[layer]))]
    if name in LAYER_IDS:
        return or_only([Option([Blunder(name, places)]) for places in everywhere(program, layers)], parameters)
    if name in ACTIVATION_IDS or name == "wrong_activation_derivative":
        if any(program.layers[index]["type"] not in ACTIVATIONS for index in layers):
            return []
        if name == "mask_from_gradient":  # of a leaky ReLU, too: its derivative taken at dh
            name = "derivative_of_gradient"
            if any(program.layers[index]["type"] not in ("relu", "leaky_relu") for index in layers):
                return []
        return or_only(list(other_derivatives(program, layers)) if name == "wrong_activation_derivative" else [
            Option([Blunder(name, layers)])], parameters)
    if name == MISSING:
        return each(program, layers, lost_at)
    if name == OVERWRITTEN:
        return each(program, layers, kept_at)
    if name in FACTORS:
        return [Option(fitted=lambda s: [Blunder(SCALED, layers, factor=s)])]
    if name == OTHER_FACTOR:
        options = [Option([Blunder(name, layers)])]
        for layer in layers:
            options += [Option([Blunder(name, [layer], position=p)]) for p in range(len(program.inputs[layer]))]
        return options
    if name == "updated_weights_propagated":
        return [Option(fitted=lambda s, places=places: [Blunder(name, places, lr=s)])
                for places in everywhere(program, layers)]
    return None


# --- finished gradients ----------------------------------------------------------------------------------------------------


def scaled(grads, names, factor, kept={}):
    """Some of the gradients times a factor. kept: the part of them, by name, that the factor does not touch."""
    return {name: (value - kept.get(name, 0)) * factor + kept.get(name, 0) if name in names else value
            for name, value in grads.items()}


def ratios_of_sizes(program):
    """What a wrong number to divide by makes: batch, elements of a sample's output, both, or neither, for one another."""
    output = program.forward()[-1]
    sizes = (1, len(output), output.size // len(output), output.size)
    return sorted({a / b for a in sizes for b in sizes} - {1.0})


def multiplied(program, name, parameters, told):
    """Gradients times a factor: with what l2 adds to them, or without. told: the factor that the daemon says, where it does."""
    decay = {p: program.l2 * program.params[p] for p in program.names if program.kind[p] == "W"} if program.l2 else None

    def finish(grads, submitted, kept):
        fitted = factor_between(*({p: values[p] - kept.get(p, 0) for p in parameters} for values in (grads, submitted)), parameters)
        if not math.isfinite(fitted):
            return None
        factors = FACTORS[name](program, fitted)
        factor = min(factors, key=lambda f: abs(f - fitted))
        if told is not None and abs(told - factor) > 1e-3 * abs(factor):
            return None
        return scaled(grads, parameters, factor, kept)

    return [Option(finish=lambda grads, submitted, kept=kept: finish(grads, submitted, kept))
            for kept in ([{}, decay] if decay else [{}])]


def factor_between(grads, submitted, names):
    a = np.concatenate([grads[name].ravel() for name in names])
    b = np.concatenate([submitted[name].ravel() for name in names])
    return float(a @ b) / float(a @ a) if np.any(a) else math.nan


def finished(program, name, parameters, told=None):
    """The options of what is done to finished gradients."""
    if name in FACTORS:
        return multiplied(program, name, parameters, told)

    def per_name(change):
        def finish(grads, submitted):
            return {**grads, **{p: change(p, grads[p], submitted[p]) for p in parameters}}
        return Option(finish=finish)

    def value_of(p):
        return program.params[p] if p in program.params else program.data[p]

    if name in ("all_zero", "detached"):
        return [per_name(lambda p, g, s: np.zeros_like(g))]
    if name == "updated_parameter":
        def updated(grads, submitted):
            steps = {p: value_of(p) - submitted[p] for p in parameters}
            rate = factor_between(grads, steps, parameters)
            return {**grads, **{p: value_of(p) - rate * grads[p] for p in parameters}}
        return [Option(finish=updated)]
    if name == "clipped":
        def by_value(grads, submitted):
            limit = max(np.abs(submitted[p]).max() for p in parameters)
            return {**grads, **{p: np.clip(g, -limit, limit) for p, g in grads.items()}}

        def by_norm(grads, submitted):
            factor = factor_between(grads, submitted, parameters)
            return scaled(grads, list(grads), factor) if 0 < factor < 1 else None
        return [Option(finish=by_value), Option(finish=by_norm)]
    if name == "low_precision":
        return [per_name(lambda p, g, s: np.where(np.abs(s - g) <= 1e-5 * np.abs(g).max(), s, g))]
    if name == "rounded":
        def digits(p, g, s):
            unit = 10.0 ** -max((len(repr(float(v)).partition(".")[2]) for v in s.ravel()), default=0)
            return np.where(np.abs(s - g) <= 0.51 * unit, s, g)

        def significant(p, g, s):
            count = max(len(("%.17g" % abs(v)).replace(".", "").strip("0")) for v in s.ravel())
            return np.where(np.abs(s - g) <= 5.1 * 10.0 ** -count * np.abs(g), s, g)
        return [per_name(digits), per_name(significant)]
    if name == "transposed":
        return [per_name(lambda p, g, s: g.T)]
    if name == "wrong_memory_order":
        ways = []
        for turn in (False, True):
            ways.append(per_name(lambda p, g, s, turn=turn: (g.T if turn else g).ravel(order="F").reshape(g.shape)))
            ways.append(per_name(lambda p, g, s, turn=turn: (g.T if turn else g).ravel().reshape(g.shape, order="F")))
        return ways
    if name == "parameter_as_gradient":
        return [per_name(lambda p, g, s: value_of(p))]
    if name == "bias_regularized":
        return [per_name(lambda p, g, s: g + program.l2 * value_of(p))]
    if name == "flattened":
        return [per_name(lambda p, g, s: g.ravel())]
    if name == "swapped_parameters":
        def swapped(grads, submitted):
            result = dict(grads)
            for p in parameters:
                near = [q for q in grads if q != p and grads[q].shape == grads[p].shape and close(grads[q], submitted[p])]
                if near:
                    result[p] = grads[near[0]]
            return result
        return [Option(finish=swapped)]
    if name == "single_sample":
        return [Option(finish=lambda grads, _, i=i, over=over: of_one_sample(program, grads, i, over))
                for i in range(program.batch) for over in (1, program.batch)]
    return None


def of_one_sample(program, grads, sample, over):
    """The gradients of one sample's loss; of data, zeros for the others."""
    alone = graph_student.Program(program.request)
    alone.data = {name: value[sample:sample + 1] for name, value in program.data.items()}
    alone.batch, weight_decay, alone.l2 = 1, program.l2, 0.0
    found = alone.run()
    if found is None:
        return None
    result = {}
    for name, value in grads.items():
        result[name] = np.zeros_like(value)
        if name in program.fed:
            result[name][sample] = found[name][0] / over
        else:
            result[name] = found[name] / over + (weight_decay * program.params[name] if program.kind[name] == "W" else 0)
    return result


# --- the verdict -----------------------------------------------------------------------------------------------------------


def close(a, b):
    """Whether two tensors are the same numbers. A vector may have an axis more, as biases may."""
    if a.shape != b.shape and a.shape != (1,) + b.shape and (1,) + a.shape != b.shape:
        return False
    return bool(np.all(np.abs(a - b) <= NEAR + 1e-9 * np.abs(b)))


class Judge:
    def __init__(self, program, right, submitted):
        self.program, self.right, self.submitted = program, right, submitted
        self.budget = MOST_VARIANTS

    def options(self, mistake):
        """All ways to make what an entry names; None where this program does not know its id."""
        layers, name = list(mistake["layers"]), mistake["id"]
        parameters = [p for p in mistake.get("parameters", []) if p in self.submitted]
        found = on_the_way(self.program, name, layers, parameters) if layers else None
        if layers == ["loss"] and name in FACTORS:
            parameters = list(self.submitted)
        if name in FINISHED_IDS and parameters:
            found = (found or []) + (finished(self.program, name, parameters, mistake.get("factor")) or [])
        return found

    def replay(self, combination, numbers=None):
        """The gradients with one option of each mistake, or None."""
        blunders = []
        for option in combination:
            blunders += option.blunders
            if option.fitted:
                blunders += option.fitted(numbers[option])
        self.budget -= 1
        grads = self.program.run(blunders)
        for option in combination:
            if grads is not None and option.only:
                grads = {name: value if name in option.only else self.right[name] for name, value in grads.items()}
        for option in combination:
            if grads is not None and option.finish:
                try:
                    grads = option.finish(grads, self.submitted)
                except (ValueError, IndexError, ZeroDivisionError):
                    return None
        return grads

    def reproduces(self, combination, names):
        fitted = [option for option in combination if option.fitted]
        if not fitted:
            grads = self.replay(combination)
            return grads is not None and all(close(grads[name], self.submitted[name]) for name in names)
        if len(fitted) > 1:
            return False
        return any(self.reproduces_fitted(combination, fitted[0], start, names) for start in (0.0, 1.0))

    def reproduces_fitted(self, combination, option, number, names):
        """Gauss and Newton's method for the one number that was not told; affine in it, one round would do."""
        names = [name for name in names if self.right[name].shape == self.submitted[name].shape]
        target = np.concatenate([self.submitted[name].ravel() for name in names]) if names else np.zeros(0)
        for _ in range(FIT_ROUNDS):
            here, there = (self.replay(combination, {option: number + step}) for step in (0.0, 1e-4))
            if here is None or there is None:
                return False
            if all(close(here[name], self.submitted[name]) for name in names):
                return bool(names) and abs(number) > LEAST_FITTED
            now = np.concatenate([here[name].ravel() for name in names])
            slope = (np.concatenate([there[name].ravel() for name in names]) - now) / 1e-4
            if not np.any(slope):
                return False
            number += float(slope @ (target - now)) / float(slope @ slope)
            if not abs(number) < 1e6:
                return False
        return False

    def verdict(self, mistakes, explained, failing):
        """On the entries of one diagnosis together."""
        options = [self.options(mistake) for mistake in mistakes]
        if any(found is None for found in options):
            return UNJUDGED
        # All that was submitted must come out where everything is said to be explained; else what the entries name.
        names = {name for mistake in mistakes for name in mistake.get("parameters", []) if name in self.submitted}
        if explained:
            names = set(self.submitted)
        elif not names:
            names = set(failing)
        for combination in itertools.product(*options):
            finishing = [option for option in combination if option.finish]
            orders = itertools.permutations(combination) if len(finishing) > 1 else [combination]
            for order in orders:  # which of two was done first is not told
                if self.budget <= 0:
                    return UNJUDGED
                if self.reproduces(order, sorted(names)):
                    return REPRODUCED
        return FALSE
