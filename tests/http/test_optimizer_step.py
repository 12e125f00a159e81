"""POST /v1/optimizer_step: PyTorch's steps, those of the courses, and what goes wrong in them, made by programs of its own."""

import copy
import json
import math
import struct
import unittest

from daemon import Daemon, DaemonTest, Client, post
from vectors import read_vectors

W, G = [0.7, -1.2, 2.0], [0.31, -0.22, 0.17]


def step(kind, w, g, first, second, t, lr=0.1, decay=0.0, momentum=0.9, beta1=0.9, beta2=0.999, alpha=0.99, eps=1e-8,
         correct=(True, True), t_used=None, root="outside", sign=1, l2=True, form="pytorch", nesterov=False, add=None):
    """One number's step by hand: (w, first, second); the keywords are the slips."""
    t_used = t if t_used is None else t_used
    if decay and l2:
        g = g + decay * w
    elif decay:
        w = w * (1 - lr * decay)
    if kind == "sgd":
        return w - sign * lr * g, None, None
    if kind == "momentum":
        if form == "cs231n":
            new = momentum * first - lr * g
            return w + sign * (-momentum * first + (1 + momentum) * new if nesterov else new), new, None
        new = momentum * first + (1 if add is None else add) * g
        return w - sign * lr * (g + momentum * new if nesterov else new), new, None
    if kind == "adam":
        first, second = beta1 * first + (1 - beta1) * g, beta2 * second + (1 - beta2) * g * g
        m = first / (1 - beta1**t_used) if correct[0] else first
        v = second / (1 - beta2**t_used) if correct[1] else second
    elif kind == "rmsprop":
        m, second = g, alpha * second + (1 - alpha) * g * g
        v = second
    else:
        m, second = g, second + g * g
        v = second
    divisor = {"outside": math.sqrt(v) + eps, "inside": math.sqrt(v + eps), "none": v + eps}[root]
    return w - sign * lr * m / divisor, first, second


def steps(kind, w, g, first, second, t, **slips):
    """The same for lists."""
    rows = [step(kind, *numbers, t, **slips) for numbers in zip(w, g, first or [0.0] * len(w), second or [0.0] * len(w))]
    return [list(column) for column in zip(*rows)]


def single(number):
    return struct.unpack("f", struct.pack("f", number))[0]


class StepTest(DaemonTest):
    def ask(self, request, status=200):
        answer = self.client().ask(post(json.dumps(request).encode(), "/v1/optimizer_step"))
        self.assertEqual(answer.status, status, answer.body)
        return answer.json()

    def named(self, report):
        return [(m["id"], m["values"].get("used")) for m in report["diagnosis"]["mistakes"]]

    def refused(self, request, code, pointer, status=400):
        problem = self.ask(request, status)
        self.assertEqual((problem["code"], problem.get("pointer", "")), (code, pointer), problem)
        return problem


class RightTest(StepTest):
    def test_pytorch(self):
        """All optimizers, from their first steps and from later ones, parameters and state."""
        count = 0
        for _, vector in read_vectors("steps"):
            with self.subTest(name=vector["name"]):
                report = self.ask({**vector["request"], "tolerance": {"atol": 1e-14, "rtol": 1e-12}})
                self.assertTrue(report["passed"], report)
                self.assertTrue(self.ask(vector["request"])["passed"])
                self.assertEqual(report["points"], report["max_points"])
                kept = len(vector["request"]["updated"]["state"]) - 1
                self.assertEqual((len(report["parameters"]), len(report["state"])), (2, 2 * kept))
                count += 1
        self.assertEqual(count, 39)

    def test_pytorch_in_float32(self):
        """What was computed with float32 passes, too."""
        for _, vector in read_vectors("steps"):
            request = copy.deepcopy(vector["request"])
            for numbers in [request["updated"]["parameters"], *(v for v in request["updated"]["state"].values() if isinstance(v, dict))]:
                numbers["W1"] = [[single(x) for x in row] for row in numbers["W1"]]
            self.assertTrue(self.ask(request)["passed"], vector["name"])

    def test_the_lab(self):
        """Adam with lr 0.1 on the sum of squares from [5, 5], three steps."""
        w, m, v = [5.0, 5.0], [0.0, 0.0], [0.0, 0.0]
        for t, expected in ((1, 4.9000000001), (2, 4.800057756868857), (3, 4.700213291333392)):
            g = [2 * x for x in w]
            new = steps("adam", w, g, m, v, t)
            self.assertAlmostEqual(new[0][0], expected, delta=1e-12)
            request = {"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": w}, "gradients": {"dw": g},
                       "state": {"m": m, "v": v, "t": t - 1}, "updated": {"parameters": {"w": new[0]}, "state": {"m": new[1], "v": new[2], "t": t}}}
            report = self.ask(request)
            self.assertTrue(report["passed"], report)
            self.assertEqual([(e["name"], e.get("state")) for e in report["parameters"] + report["state"]], [("w", None), ("w", "m"), ("w", "v")])
            self.assertEqual(report["step"], {"passed": True, "submitted": t})
            request["updated"]["state"]["t"] = t + 1
            report = self.ask(request)
            self.assertEqual((report["passed"], report["step"]["passed"], report["points"]), (False, False, 3))
            w, m, v = new

    def test_names_of_the_courses(self):
        new = steps("adam", W, G, [0.1] * 3, [0.2] * 3, 3)
        for first, second, count in (("exp_avg", "exp_avg_sq", "step"), ("m", "v", "t"), ("v", "s", "t")):
            report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"W": W}, "gradients": {"grad_W": G},
                               "state": {first: {"W": [0.1] * 3}, second: {"W": [0.2] * 3}, count: 2},
                               "updated": {"parameters": {"W": new[0]}, "state": {first: new[1], second: new[2]}}})
            self.assertTrue(report["passed"], report)
            self.assertEqual([e["state"] for e in report["state"]], [first, second])
        for kind, type_ in (("rmsprop", "rmsprop"), ("adagrad", "adagrad")):
            new = steps(kind, W, G, None, [0.3] * 3, 2, eps=1e-8 if kind == "rmsprop" else 1e-10)
            report = self.ask({"optimizer": {"type": type_, "lr": 0.1}, "parameters": {"W": W}, "gradients": {"W": G},
                               "state": {"cache": [0.3] * 3}, "updated": {"parameters": {"W": new[0]}, "state": {"cache": new[2]}}})
            self.assertTrue(report["passed"], report)

    def test_forms_of_the_velocity(self):
        """PyTorch's and CS231n's are both right, whatever is asked, unless one of them is asked for."""
        for nesterov in (False, True):
            optimizer = {"type": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": nesterov}
            for form in ("pytorch", "cs231n"):
                new = steps("momentum", W, G, [0.4, -0.1, 0.2], None, 2, form=form, nesterov=nesterov)
                request = {"optimizer": optimizer, "parameters": {"w": W}, "gradients": {"w": G}, "state": {"v": [0.4, -0.1, 0.2]},
                           "updated": {"parameters": {"w": new[0]}, "state": {"v": new[1]}}}
                report = self.ask(request)
                self.assertEqual((report["passed"], report["form"]), (True, form))
                self.assertTrue(self.ask({**request, "form": form})["passed"])
                other = self.ask({**request, "form": "cs231n" if form == "pytorch" else "pytorch"})
                self.assertEqual((other["passed"], self.named(other)), (False, [("velocity_form", None)]))

    def test_small_steps(self):
        """What hardly moves is told from what does not."""
        new = steps("sgd", W, G, None, None, 1, lr=1e-7)
        request = {"optimizer": {"type": "sgd", "lr": 1e-7}, "parameters": {"w": W}, "gradients": {"w": G}}
        self.assertTrue(self.ask({**request, "updated": {"parameters": {"w": new[0]}}})["passed"])
        report = self.ask({**request, "updated": {"parameters": {"w": W}}})
        self.assertEqual((report["passed"], self.named(report)), (False, [("parameter_not_updated", None)]))

    def test_steps_in_float32(self):
        """No step, and one the other way, do not pass because numbers happen to be float32's; what float32 cannot show is said."""
        for rate, moved, passed, weak in ((4e-7, 0.0, False, None), (2e-7, 2.0**-22, False, None), (4e-7, -13 * 2.0**-25, True, None),
                                          (1e-9, 0.0, True, True), (1e-9, 2.0**-24, False, True)):
            with self.subTest(rate=rate, moved=moved):
                entry = self.ask({"optimizer": {"type": "sgd", "lr": rate}, "parameters": {"w": [0.5, 0.5]}, "gradients": {"w": [1, 1]},
                                  "updated": {"parameters": {"w": [0.5 + moved] * 2}}})["parameters"][0]
                self.assertEqual((entry["passed"], entry.get("weak")), (passed, weak), entry)

    def test_steps_that_float64_loses(self):
        """Where nothing is left of a step, that is said; where there is none, there is nothing to say."""
        for rate, w, g, weak in ((1.0, 1e308, 1.0, True), (1e-20, 0.7, 1.0, True), (0.0, 0.7, 1.0, None), (1.0, 0.7, 0.0, None)):
            entry = self.ask({"optimizer": {"type": "sgd", "lr": rate}, "parameters": {"w": w}, "gradients": {"w": g},
                              "updated": {"parameters": {"w": w}}})["parameters"][0]
            self.assertEqual((entry["passed"], entry.get("weak")), (True, weak), (rate, w, g))

    def test_reveal(self):
        new = steps("adam", W, G, None, None, 1)
        request = {"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G}, "reveal": True,
                   "updated": {"parameters": {"w": [0, 0, 0]}, "state": {"m": [0, 0, 0]}}}
        reference = self.ask(request)["reference"]
        self.assertEqual(set(reference["state"]), {"m", "step"})
        for found, expected in ((reference["parameters"]["w"], new[0]), (reference["state"]["m"]["w"], new[1])):
            for a, b in zip(found, expected):
                self.assertAlmostEqual(a, b, delta=1e-15)
        with Daemon("--no-reveal") as daemon, Client(daemon) as client:
            self.assertProblem(client.ask(post(json.dumps(request).encode(), "/v1/optimizer_step")), 403, "reveal_refused")


# By optimizer, which state it has, and what is done wrong: (the slips of `step`, the id, the words).
ADAM = [
    ({"correct": (False, False)}, "bias_correction_missing", "both moments"),
    ({"correct": (False, True)}, "bias_correction_missing", "the first moment"),
    ({"correct": (True, False)}, "bias_correction_missing", "the second moment"),
    ({"t_used": 3}, "step_miscounted", "one too few"),
    ({"t_used": 5}, "step_miscounted", "one too many"),
    ({"root": "none"}, "root_missing", None),
    ({"sign": -1}, "update_sign", "the step is added to w instead of taken from it"),
    ({"beta1": 0.999, "beta2": 0.9}, "betas_exchanged", None),
    ({"beta1": 0.1}, None, None),
]
MOMENTUM = [
    ({"sign": -1}, "update_sign", "the step is added to w instead of taken from it"),
    ({"add": 0.1}, "velocity_dampened", None),
    ({"nesterov": True}, "nesterov_unasked", None),
    ({"momentum": 0.0}, "momentum_missing", None),
    ({"lr": 1.0}, "learning_rate_missing", None),
    ({"momentum": 0.5}, None, None),
]


class WrongTest(StepTest):
    def check(self, kind, optimizer, slips, id_, used, state, right=None, **request):
        names = {"adam": ("m", "v"), "momentum": ("v", None), "rmsprop": (None, "cache"), "adagrad": (None, "cache"), "sgd": (None, None)}[kind]
        first, second, t = state
        new = steps(kind, W, G, first, second, t, **{**(right or {}), **slips})
        given = {"t": t - 1} if t > 1 and kind == "adam" else {}
        made = {}
        for name, before, after in zip(names, (first, second), new[1:]):
            if name is not None:
                made[name] = {"w": after}
                if t > 1:
                    given[name] = {"w": before}
        report = self.ask({"optimizer": optimizer, "parameters": {"w": W}, "gradients": {"w": G}, "state": given,
                           "updated": {"parameters": {"w": new[0]}, "state": made}, **request})
        self.assertFalse(report["passed"], report)
        expected = [] if id_ is None else [(id_, used)]
        self.assertEqual(self.named(report), expected, report)
        self.assertEqual(report["diagnosis"]["explained"], id_ is not None)
        return report

    def test_adam(self):
        later = ([0.21, -0.17, 0.05], [0.11, 0.07, 0.23], 4)
        for slips, id_, used in ADAM:
            with self.subTest(slips=slips):
                self.check("adam", {"type": "adam", "lr": 0.1}, slips, id_, used, later)

    def test_epsilon_in_the_root(self):
        self.check("adam", {"type": "adam", "lr": 0.1, "eps": 1e-3}, {"root": "inside"}, "epsilon_in_root", None,
                   ([0.2, -0.1, 0.1], [0.1, 0.1, 0.2], 4), {"eps": 1e-3})
        self.check("rmsprop", {"type": "rmsprop", "lr": 0.1, "eps": 1e-2}, {"root": "inside"}, "epsilon_in_root", None,
                   (None, [0.1, 0.1, 0.2], 4), {"eps": 1e-2})

    def test_weight_decay(self):
        state = ([0.2, -0.1, 0.1], [0.1, 0.1, 0.2], 4)
        self.check("adam", {"type": "adamw", "lr": 0.1, "weight_decay": 0.2}, {"decay": 0.2, "l2": True}, "l2_for_decoupled_decay", None, state)
        self.check("adam", {"type": "adam", "lr": 0.1, "weight_decay": 0.2}, {"decay": 0.2, "l2": False}, "decoupled_decay_for_l2", None, state)
        self.check("adam", {"type": "adamw", "lr": 0.1, "weight_decay": 0.2}, {"decay": 2.0, "l2": False}, "decay_without_learning_rate", None, state)
        self.check("adam", {"type": "adamw", "lr": 0.1, "weight_decay": 0.2}, {}, "weight_decay_missing", None, state)
        self.check("sgd", {"type": "sgd", "lr": 0.1, "weight_decay": 0.2}, {}, "weight_decay_missing", None, (None, None, 1))
        self.check("sgd", {"type": "sgd", "lr": 0.1, "weight_decay": 0.2}, {"decay": -0.2}, "weight_decay_sign", None, (None, None, 1))

    def test_momentum(self):
        for slips, id_, used in MOMENTUM:
            with self.subTest(slips=slips):
                report = self.check("momentum", {"type": "sgd", "lr": 0.1, "momentum": 0.9}, slips, id_, used, ([0.4, -0.1, 0.2], None, 2))
                self.assertEqual(report["form"], "pytorch")

    def test_momentum_with_the_rate_inside(self):
        """In CS231n's form, too, mistakes are found."""
        self.check("momentum", {"type": "sgd", "lr": 0.1, "momentum": 0.9}, {"sign": -1}, "update_sign",
                   "the step is added to w instead of taken from it", ([0.4, -0.1, 0.2], None, 2), {"form": "cs231n"}, form="cs231n")
        self.check("momentum", {"type": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True}, {}, "nesterov_missing", None,
                   ([0.4, -0.1, 0.2], None, 2), {"form": "cs231n"}, form="cs231n")

    def test_a_form_that_nobody_asked_for(self):
        """A mistake in CS231n's form is found where no form was asked for, too."""
        report = self.check("momentum", {"type": "sgd", "lr": 0.1, "momentum": 0.9}, {"nesterov": True}, "nesterov_unasked", None,
                            ([0.4, -0.1, 0.2], None, 2), {"form": "cs231n"})
        self.assertEqual(report["form"], "cs231n")
        report = self.check("momentum", {"type": "sgd", "lr": 0.1, "momentum": 0.9}, {"momentum": 0.3}, None, None,
                            ([0.4, -0.1, 0.2], None, 2), {"form": "cs231n"})
        self.assertEqual(report["form"], "pytorch")

    def test_rmsprop_and_adagrad(self):
        state = (None, [0.1, 0.3, 0.2], 3)
        report = self.ask({"optimizer": {"type": "rmsprop", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G}, "state": {"cache": state[1]},
                           "updated": {"parameters": {"w": steps("adagrad", W, G, *state)[0]}, "state": {"cache": steps("adagrad", W, G, *state)[2]}}})
        self.assertEqual(self.named(report), [("cache_not_decayed", None)])
        self.check("adagrad", {"type": "adagrad", "lr": 0.1, "eps": 1e-8}, {"root": "none"}, "root_missing", None, state)
        self.check("rmsprop", {"type": "rmsprop", "lr": 0.1}, {"lr": 1.0}, "learning_rate_missing", None, state)
        self.check("rmsprop", {"type": "rmsprop", "lr": 0.1, "alpha": 0.9}, {"alpha": 0.1}, "moment_factors_exchanged", "the second moment", state)

    def test_what_is_kept(self):
        """Right parameters, and a state that is wrong."""
        first, second, t = [0.2, -0.1, 0.1], [0.1, 0.1, 0.2], 4
        new = steps("adam", W, G, first, second, t)
        m = [x / (1 - 0.9**4) for x in new[1]]
        v = [x / (1 - 0.999**4) for x in new[2]]
        report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G},
                           "state": {"m": first, "v": second, "t": 3}, "updated": {"parameters": {"w": new[0]}, "state": {"m": m, "v": v}}})
        self.assertEqual([e["passed"] for e in report["parameters"] + report["state"]], [True, False, False])
        self.assertEqual(self.named(report), [("bias_correction_stored", None)])

    def test_state_forgotten(self):
        first, second = [0.2, -0.1, 0.1], [0.1, 0.1, 0.2]
        new = steps("adam", W, G, [0.0] * 3, [0.0] * 3, 4)
        report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G},
                           "state": {"m": first, "v": second, "t": 3}, "updated": {"parameters": {"w": new[0]}, "state": {"m": new[1], "v": new[2]}}})
        self.assertEqual(self.named(report), [("state_forgotten", None)])

    def test_an_accumulator_forgotten(self):
        """Adagrad's state does not begin at zeros where it is told to begin elsewhere, and nothing says so."""
        report = self.ask({"optimizer": {"type": "adagrad", "lr": 0.1, "initial_accumulator_value": 1.0, "eps": 0}, "parameters": {"w": [1.0, 2.0]},
                           "gradients": {"w": [3.0, 5.0]}, "state": {"sum": [4.0, 9.0], "step": 1},
                           "updated": {"parameters": {"w": [1 - 0.3 / math.sqrt(10), 2 - 0.5 / math.sqrt(26)]}}})
        self.assertEqual(self.named(report), [("state_forgotten", None)])
        self.assertNotIn("zero", report["diagnosis"]["mistakes"][0]["message"])

    def test_the_step_itself(self):
        new = steps("sgd", W, G, None, None, 1)
        for sign, used in ((1, "what is to be taken from w"), (-1, "the change of w")):
            moved = [sign * (a - b) for a, b in zip(W, new[0])]
            report = self.ask({"optimizer": {"type": "sgd", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G}, "updated": {"parameters": {"w": moved}}})
            self.assertEqual(self.named(report), [("update_for_parameter", used)])

    def test_two_at_once(self):
        new = steps("adam", W, G, [0.2, -0.1, 0.1], [0.1, 0.1, 0.2], 4, sign=-1, correct=(False, False))
        report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G},
                           "state": {"m": [0.2, -0.1, 0.1], "v": [0.1, 0.1, 0.2], "t": 3}, "updated": {"parameters": {"w": new[0]}}})
        self.assertEqual({id_ for id_, _ in self.named(report)}, {"update_sign", "bias_correction_missing"})
        self.assertTrue(report["diagnosis"]["explained"])

    def test_each_where_it_is_made(self):
        """A mistake in one parameter, another in a second, none in the third."""
        optimizer = {"type": "sgd", "lr": 0.1, "weight_decay": 0.3}
        right = steps("sgd", W, G, None, None, 1, decay=0.3)[0]
        report = self.ask({"optimizer": optimizer, "parameters": {"a": W, "b": W, "c": W}, "gradients": {"a": G, "b": G, "c": G},
                           "updated": {"parameters": {"a": steps("sgd", W, G, None, None, 1)[0], "b": right,
                                                      "c": steps("sgd", W, G, None, None, 1, decay=0.3, sign=-1)[0]}}})
        self.assertEqual([(m["id"], m["parameters"]) for m in report["diagnosis"]["mistakes"]],
                         [("update_sign", ["c"]), ("weight_decay_missing", ["a"])])
        self.assertEqual(report["points"], 1)

    def test_what_cannot_be_told_apart(self):
        """In Adam's first step m / sqrt(v) of gradients of 10 is what m_hat / v_hat is."""
        new = steps("adam", [5.0, 5.0], [10.0, 10.0], None, None, 1, correct=(False, True))
        report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": [5.0, 5.0]}, "gradients": {"w": [10.0, 10.0]},
                           "updated": {"parameters": {"w": new[0]}}})
        self.assertEqual(self.named(report), [("bias_correction_missing", "the first moment")])
        self.assertEqual([a["id"] for a in report["diagnosis"]["mistakes"][0]["alternatives"]], ["root_missing"])

    def test_noise_is_not_explained(self):
        for seed in range(60):
            noisy = [w - 0.1 * g * (1 + math.sin(7.3 * seed + i)) for i, (w, g) in enumerate(zip(W, G))]
            for optimizer, state in (({"type": "adam", "lr": 0.1}, {"m": [0.2, -0.1, 0.1], "v": [0.1, 0.1, 0.2], "t": 3}),
                                     ({"type": "sgd", "lr": 0.1, "momentum": 0.9}, {"v": [0.2, -0.1, 0.1]})):
                report = self.ask({"optimizer": optimizer, "parameters": {"w": W}, "gradients": {"w": G}, "state": state,
                                   "updated": {"parameters": {"w": noisy}}})
                self.assertEqual((report["passed"], self.named(report), report["diagnosis"]["explained"]), (False, [], False))

    def test_one_number_of_few_digits_is_no_evidence(self):
        """4.68 is near to what Adam without its bias correction makes of 5, but many things are."""
        report = self.ask({"optimizer": {"type": "adam", "lr": 0.1}, "parameters": {"w": 5.0}, "gradients": {"w": 10.0},
                           "updated": {"parameters": {"w": 4.6838}}, "tolerance": {"decimals": 2}})
        self.assertEqual(self.named(report), [])

    def test_not_diagnosed(self):
        report = self.ask({"optimizer": {"type": "sgd", "lr": 0.1}, "parameters": {"w": W}, "gradients": {"w": G},
                           "updated": {"parameters": {"w": W}}, "diagnose": False})
        self.assertNotIn("diagnosis", report)


class GradedTest(StepTest):
    """Whatever is wrong with what was handed in is a result."""

    def statuses(self, updated):
        report = self.ask({"optimizer": {"type": "adam"}, "parameters": {"w": W, "b": 1.0}, "gradients": {"w": G, "b": 2.0}, "updated": updated})
        self.assertFalse(report["passed"])
        return [e["status"] for e in report["parameters"]], [e["status"] for e in report["state"]], report

    def test_statuses(self):
        for value, status in (([1, 2], "shape_mismatch"), ([1, None, 2], "not_finite"), ("zero", "not_a_tensor"), ({"a": 1}, "not_a_tensor"),
                              ([[1], [2, 3]], "not_a_tensor"), (float("nan"), "not_a_tensor" if False else None)):
            if status is not None:
                self.assertEqual(self.statuses({"parameters": {"w": value, "b": 0.0}})[0], [status, "mismatch"])
        for updated in ({}, {"parameters": {}}, [], None, "nothing", {"parameters": 7}, {"parameters": None}):
            self.assertEqual(self.statuses(updated)[0], ["missing", "missing"])
        self.assertEqual(self.statuses({"parameters": {}, "state": {"m": {"w": [1, 2]}, "v": None, "t": "one"}})[1], ["shape_mismatch"])

    def test_not_a_number_is_no_pass(self):
        for value in (float("nan"), float("inf"), -float("inf"), None):
            statuses, _, report = self.statuses({"parameters": {"w": [value] * 3, "b": [value]}})
            self.assertEqual(statuses, ["not_finite", "not_finite"])
            self.assertEqual((report["points"], report["diagnosis"]["mistakes"]), (0, []))

    def test_unexpected_names(self):
        _, _, report = self.statuses({"parameters": {"w": W, "q": 1}, "state": {"z": 1, "m": {"r": 2}}, "more": 1})
        self.assertEqual(report["unexpected"], ["q", "r", "z", "more"])

    def test_shapes_that_are_as_good(self):
        new = steps("sgd", W, G, None, None, 1)[0]
        report = self.ask({"optimizer": {"type": "sgd", "lr": 0.1}, "parameters": {"b": W}, "gradients": {"b": [G]},
                           "updated": {"parameters": {"b": [[x] for x in new]}}})
        self.assertTrue(report["passed"])


class RefusedTest(StepTest):
    GOOD = {"optimizer": {"type": "adam"}, "parameters": {"w": W}, "gradients": {"w": G}, "updated": {"parameters": {"w": W}}}

    def test_members(self):
        for change, code, pointer in (
                ({"optimizr": {}}, "unknown_member", "/optimizr"),
                ({"optimizer": {"type": "adm"}}, "out_of_range", "/optimizer/type"),
                ({"parameters": None}, "missing_member", "/parameters"),
                ({"parameters": {}}, "missing_member", "/parameters"),
                ({"parameters": {"w": []}}, "out_of_range", "/parameters/w"),
                ({"parameters": {"w": [1, None, 2]}}, "not_finite", "/parameters/w/1"),
                ({"gradients": None}, "missing_member", "/gradients"),
                ({"gradients": {}}, "missing_member", "/gradients/w"),
                ({"gradients": {"w": [1, 2]}}, "shape_mismatch", "/gradients/w"),
                ({"gradients": {"w": G, "x": G}}, "unknown_member", "/gradients/x"),
                ({"updated": None}, "missing_member", "/updated"),
                ({"state": {"m": W, "v": W}}, "missing_member", "/state/step"),
                ({"state": {"m": W, "t": 1}}, "missing_member", "/state/exp_avg_sq"),
                ({"state": {"t": 1}}, "missing_member", "/state/exp_avg"),
                ({"state": {"t": -1}}, "out_of_range", "/state/t"),
                ({"state": {"momentum_buffer": W}}, "unknown_member", "/state/momentum_buffer"),
                ({"state": {"m": {"w": W, "x": 1}, "v": W, "t": 1}}, "unknown_member", "/state/m/x"),
                ({"state": {"m": {"w": [1]}, "v": W, "t": 1}}, "shape_mismatch", "/state/m/w"),
                ({"state": {"m": [1], "v": W, "t": 1}}, "shape_mismatch", "/state/m"),
                ({"form": "cs231n"}, "out_of_range", "/form"),
                ({"optimizer": {"type": "sgd", "momentum": 0.9}, "form": "cs"}, "out_of_range", "/form"),
                ({"tolerance": {"atol": -1}}, "out_of_range", "/tolerance/atol"),
                ({"diagnose": 1}, "wrong_type", "/diagnose")):
            with self.subTest(change=change):
                request = {k: v for k, v in {**self.GOOD, **change}.items() if v is not None}
                self.refused(request, code, pointer)

    def test_a_step_that_overflows(self):
        self.refused({**self.GOOD, "optimizer": {"type": "sgd", "lr": 1e308}, "gradients": {"w": [1e300] * 3}}, "not_finite", "")
        self.refused({**self.GOOD, "state": {"m": W, "v": [-1.0] * 3, "t": 1}}, "not_finite", "")

    def test_too_much(self):
        with Daemon("--max-work", "1e6") as daemon, Client(daemon) as client:
            many = {"w%d" % i: 1.0 for i in range(100)}
            request = {"optimizer": {"type": "sgd"}, "parameters": many, "gradients": many, "updated": {"parameters": many}}
            self.assertProblem(client.ask(post(json.dumps(request).encode(), "/v1/optimizer_step")), 422, "too_much_work")

    def test_large_ones_are_a_worker_s(self):
        """And what nothing explains ends soon, too."""
        n = 20000
        w, g = [math.sin(i) for i in range(n)], [math.cos(3 * i) for i in range(n)]
        report = self.ask({"optimizer": {"type": "adam"}, "parameters": {"w": w}, "gradients": {"w": g}, "updated": {"parameters": {"w": g}}})
        self.assertEqual(report["diagnosis"]["mistakes"], [])


del StepTest

if __name__ == "__main__":
    unittest.main()
