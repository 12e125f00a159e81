"""Follow-through marks: what is carried, by a rule of its own over the diagnosis's single mistakes."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "diagnosis"))

import report
from daemon import Client, DaemonTest, post

LOSS_STEP = {
    "not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
    "cross_entropy_shortcut", "mse_shortcut", "missing_bce_term", "l1_sign_lost", "target_broadcast",
}
BACK_STEP = {
    "missing_activation_derivative", "wrong_activation_derivative", "derivative_at_output", "output_formula_at_input",
    "activation_instead_of_derivative", "derivative_of_gradient", "upstream_dropped", "relu_gradient_at_zero",
    "mask_from_gradient", "operator_precedence", "softmax_jacobian_diagonal", "raw_error_propagated",
    "weight_not_transposed", "updated_weights_propagated", "weight_gradient_as_weight", "weight_skipped",
}


def layer_of(request, name):
    """Which of the network's layers has a parameter."""
    layers = request["network"]["layers"]
    if request.get("convention") == "pytorch":
        head = name.rsplit(".", 1)[0]
        named = [i for i, layer in enumerate(layers) if layer.get("name") == head]
        return named[0] if named else int(head)
    linear = [i for i, layer in enumerate(layers) if layer["type"] == "linear"]
    return linear[int(name[1:]) - 1]


def carried(request, mistake, entries):
    """The names that one mistake of a chain of layers spoils without being made there."""
    wrong = {e["name"]: layer_of(request, e["name"]) for e in entries if not e["passed"] and e["status"] != "missing"}
    own = set()
    if mistake["id"] == "constant_factor":  # from a layer back, or on tensors of which each has it
        back = mistake["message"].startswith("From layer ")
        back = back and "l2" not in json.dumps(request["network"]["loss"])  # what is added last has it, too
        own = {name for name, layer in wrong.items() if not back or layer == max(wrong.values())}
    elif mistake["id"] in LOSS_STEP | BACK_STEP:
        for place in mistake["layers"]:
            below = [layer for layer in wrong.values() if place == "loss" or layer < place]
            own |= {name for name, layer in wrong.items() if below and layer == max(below)}
            if place in wrong.values() and mistake["id"] in BACK_STEP and not below:  # a step taken so for one tensor
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
        seen, some = 0, 0
        with Client(self.daemon, timeout=60) as client:
            for i, case in enumerate(report.read_cases(("single",))):
                request = case["request"]
                if case["name"].startswith("g") or any(l["type"] not in ("linear", "flatten") and "inputs" in l for l in request["network"]["layers"]):
                    continue
                got = self.ask(client, request, (1, 0.25)[i % 2])
                found = got["diagnosis"]["mistakes"]
                truth = case["truth"][0]
                if not got["diagnosis"]["explained"] or len(found) != 1 or found[0]["id"] != truth["id"] or \
                        found[0]["layers"] != truth["layers"]:
                    continue
                expected = carried(request, found[0], got["parameters"])
                self.assert_marks(case, got, expected, (1, 0.25)[i % 2])
                seen += 1
                some += bool(expected)
        self.assertGreater(seen, 600)
        self.assertGreater(some, 200)

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
