"""Follow-through marks: what is carried, by a rule of its own over the diagnosis's single mistakes."""

import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "diagnosis"))

import report
from daemon import Client, DaemonTest, post

LOSS_STEP = {
    "not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
    "cross_entropy_shortcut", "mse_shortcut", "missing_bce_term", "l1_sign_lost", "target_broadcast",
    "loss_scale_missing", "bce_term_sign", "clamp_ignored", "hinge_own_class", "gradient_of_output",
    "loss_as_gradient", "epsilon_in_log",
}
BACK_STEP = {
    "missing_activation_derivative", "wrong_activation_derivative", "derivative_at_output", "output_formula_at_input",
    "activation_instead_of_derivative", "derivative_of_gradient", "upstream_dropped", "relu_gradient_at_zero",
    "mask_from_gradient", "operator_precedence", "softmax_jacobian_diagonal", "raw_error_propagated",
    "weight_not_transposed", "updated_weights_propagated", "weight_gradient_as_weight", "weight_skipped",
    "gamma_left_out", "mean_taken_for_constant", "variance_taken_for_constant", "statistics_taken_for_constant",
    "normalized_over_wrong_axis", "squared_derivative_slip", "inverted_mask", "half_at_zero", "slope_times_input",
    "elu_offset", "inner_derivative_missing", "log_softmax_sign", "product_for_elementwise",
}


def layer_of(request, name):
    """Which of the network's layers has a parameter; the name itself of a member of data."""
    layers = request["network"]["layers"]
    if name in request["data"]:
        return name
    if request.get("convention") == "pytorch":
        head = name.rsplit(".", 1)[0]
        named = [i for i, layer in enumerate(layers) if layer.get("name") == head]
        return named[0] if named else int(head)
    own = [i for i, layer in enumerate(layers) if layer["type"] in ("linear", "layer_norm") and layer.get("affine", True)]
    return own[int(re.search(r"\d+$", name).group()) - 1]


def takes(request, place):
    """What a layer takes: layers before it, and members of data."""
    layers = request["network"]["layers"]
    named = {layer["name"]: i for i, layer in enumerate(layers) if "name" in layer}
    if place == "loss":
        return [len(layers) - 1]
    if "inputs" in layers[place]:
        return [named.get(name, name) for name in layers[place]["inputs"]]
    return [place - 1 if place > 0 else "x"]


def spoilt_first(request, place, wrong):
    """What shows first, on each way down from a place, that something wrong has come from there."""
    own, ahead, seen = set(), takes(request, place), set()
    while ahead:
        layer = ahead.pop()
        here = {name for name, at in wrong.items() if at == layer}
        own |= here
        if layer not in seen and not here and not isinstance(layer, str):
            ahead += takes(request, layer)
        seen.add(layer)
    return own


def is_sent(mistake):
    """Whether what belongs to another layer was used on the way back, and not for a parameter's gradient."""
    return mistake["id"] == "wrong_layer_used" and "dW" not in mistake["values"]


def carried(request, mistake, entries):
    """The names that one mistake spoils without being made there."""
    wrong = {e["name"]: layer_of(request, e["name"]) for e in entries if not e["passed"] and e["status"] != "missing"}
    own = set()
    if mistake["id"] == "constant_factor":  # from a layer back, or on tensors of which each has it
        back = mistake["message"].startswith(("From layer ", "The gradient of the loss ", "What comes back "))
        back = back and "l2" not in json.dumps(request["network"]["loss"])  # what is added last has it, too
        own = {name for name, layer in wrong.items() if not back or layer == max(wrong.values())}
    elif mistake["id"] in LOSS_STEP | BACK_STEP or is_sent(mistake):
        for place in mistake["layers"]:
            first = spoilt_first(request, place, wrong)
            own |= first
            if not first and mistake["id"] not in LOSS_STEP:  # a step taken so for one tensor
                own |= {name for name, layer in wrong.items() if layer == place}
    else:
        own = set(wrong)
    return set(wrong) - own


class CarryTest(DaemonTest):
    def ask(self, client, request, fraction):
        answer = client.ask(post(json.dumps({**request, "carry_forward": fraction}).encode()))
        self.assertEqual(answer.status, 200, answer.body[:300])
        return answer.json()

    def assert_marks(self, case, got, expected, fraction):
        self.assertFalse(got["passed"])
        points = 0
        for entry in got["parameters"]:
            worth = entry["max_points"] if entry["passed"] else fraction * entry["max_points"] if entry["name"] in expected else 0
            self.assertEqual((entry.get("carried", False), entry["points"]), (entry["name"] in expected, worth),
                             (case["name"], entry["name"], sorted(expected), got["diagnosis"]))
            points += entry["points"]
        self.assertAlmostEqual(got["points"], points)
        self.assertAlmostEqual(got["score"], points / got["max_points"])

    def test_single_mistakes(self):
        seen, some, graphs = 0, 0, 0
        with Client(self.daemon, timeout=60) as client:
            for i, case in enumerate(report.read_cases(("single",))):
                request = case["request"]
                graph = any("inputs" in layer for layer in request["network"]["layers"])
                if any("shares" in layer for layer in request["network"]["layers"]) or \
                        (graph and case["truth"][0]["id"] not in LOSS_STEP | BACK_STEP):
                    continue  # whose gradient it is, and what only a graph has, take a rule of their own
                got = self.ask(client, request, (1, 0.25)[i % 2])
                found = got["diagnosis"]["mistakes"]
                truth = case["truth"][0]
                if not got["diagnosis"]["explained"] or len(found) != 1 or found[0]["id"] != truth["id"] or \
                        found[0]["layers"] != truth["layers"]:
                    continue
                expected = carried(request, found[0], got["parameters"])
                self.assert_marks(case, got, expected, (1, 0.25)[i % 2])
                seen += 1
                graphs += graph
                some += bool(expected)
        self.assertGreater(seen, 600)
        self.assertGreater(some, 200)
        self.assertGreater(graphs, 30)

    def test_nothing_is_carried_where_nothing_is_explained(self):
        with Client(self.daemon, timeout=60) as client:
            for case in report.read_cases(("noise", "right")):
                got = self.ask(client, case["request"], True)
                self.assertFalse([e["name"] for e in got["parameters"] if "carried" in e], case["name"])

    def test_what_is_no_fraction_is_refused(self):
        request = next(iter(report.read_cases(("single",))))["request"]
        with Client(self.daemon) as client:
            for value in (0, -0.5, 1.5, "yes", []):
                answer = client.ask(post(json.dumps({**request, "carry_forward": value}).encode()))
                self.assertEqual((answer.status, answer.json()["pointer"]), (400, "/carry_forward"), value)
            for value in (True, False, 1, 0.5):
                self.assertEqual(client.ask(post(json.dumps({**request, "carry_forward": value}).encode())).status, 200, value)
