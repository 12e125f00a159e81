"""Random programs: statements are drawn, and kept where Python has a value for them."""

import json
import random

import numpy as np
import torch

import reference
from reference import Array

SHAPES = [(), (1,), (2,), (3,), (4,), (2, 3), (3, 2), (3, 3), (1, 3), (3, 1), (4, 3), (2, 3, 4), (3, 2, 2), (1, 2, 1, 3), (2, 1, 3, 2)]
SMOOTH = "exp log1p expm1 sqrt square tanh sin cos sigmoid softplus silu gelu elu".split()
KINKED = "abs relu leaky_relu".split()
MOST = 120  # elements of a value
NAMES = "a b c d g h k m p q r s u v w z".split()


class Draw:
    """A program in the making: its text, and what its names stand for so far."""

    def __init__(self, seed):
        self.choose = random.Random(seed)
        self.lines, self.parameters, self.data, self.counter = [], {}, {}, 0
        self.names = reference.Names(reference.namespace())
        self.made = []
        self.once = {}
        rng = np.random.RandomState(seed % (1 << 32))
        for i in range(self.choose.randint(1, 3)):
            shape = self.choose.choice(SHAPES)
            self.parameters["W%d" % i] = rng.uniform(-1.5, 1.5, shape).tolist()
        for i in range(self.choose.randint(0, 2)):
            shape = self.choose.choice(SHAPES)
            self.data["X%d" % i] = rng.uniform(-1.5, 1.5, shape).tolist()
        self.data["y"] = rng.randint(0, 2, self.choose.choice([2, 3, 4])).tolist()
        for name, values in self.parameters.items():
            self.names[name] = reference.variable(values, True)
        for name, values in self.data.items():
            self.names[name] = reference.variable(values, False)

    # ---- what there is ----

    def values(self, test=lambda a: True):
        return [n for n in list(self.parameters) + list(self.data) + self.made
                if isinstance(self.names.get(n), Array) and test(self.names[n])]

    def value(self, test=lambda a: True):
        """The name of one; newer ones more often."""
        found = self.values(test)
        if not found:
            raise LookupError
        return found[max(self.choose.randrange(len(found)), self.choose.randrange(len(found)))]

    def of(self, name):
        return self.names[name]

    def new(self):
        self.counter += 1
        return self.choose.choice(NAMES) + str(self.counter)

    def number(self):
        return self.choose.choice(["2", "0.5", "3", "1.5", "-1", "0.1", "-0.3", "1e-2", "2.", ".5", "1_0 / 10"])

    def real(self):
        return self.value(lambda a: a.t.dtype == torch.float64)

    def axis(self, rank, several=True):
        c = self.choose
        if rank == 0:
            return "None"
        if several and rank > 1 and c.random() < 0.25:
            axes = c.sample(range(rank), c.randint(1, rank))
            return "(%s,)" % ", ".join(str(a - rank if c.random() < 0.3 else a) for a in axes)
        a = c.randrange(rank)
        return str(a - rank if c.random() < 0.4 else a)

    def subscript(self, a, arrays=True):
        """Subscripts for an array, and whether there is an integer array among them."""
        c, parts, picked = self.choose, [], False
        axes = list(range(c.randint(0, a.ndim)))
        ellipsis = c.random() < 0.25
        together = arrays and c.random() < 0.4 and len(axes) > 0
        apart = together and c.random() < 0.3
        start = c.randrange(len(axes)) if together else 0
        many = c.randint(1, len(axes) - start) if together else 0
        length = c.randint(1, 4)
        for i in axes:
            n = a.shape[i]
            if (together and start <= i < start + many) or (apart and c.random() < 0.4):
                parts.append(self.picking(n, length, 2 if apart else many))
                picked = True
                continue
            kind = c.randrange(6)
            if kind == 0:
                parts.append(str(c.randrange(-n, n)))
            elif kind == 1:
                parts.append(":")
            elif kind == 2:
                step = c.choice(["", ":", ":2", ":-1", ":-2", ":1"])
                low = c.choice(["", str(c.randrange(-n, n + 1))])
                high = c.choice(["", str(c.randrange(-n, n + 2))])
                parts.append("%s:%s%s" % (low, high, step))
            elif kind == 3:
                parts.append("::-1")
            elif kind == 4:
                parts.append("%d:" % c.randrange(n))
            else:
                parts.append(":%d" % c.randint(1, n))
        if ellipsis and not together:
            place = c.randint(0, len(parts))
            if place == len(parts) or len(axes) == a.ndim:
                parts.insert(place, "...")
        if c.random() < 0.2 and not together:
            parts.insert(c.randint(0, len(parts)), c.choice(["None", "np.newaxis"]))
        return ", ".join(parts) or "...", picked

    def picking(self, n, length, many):
        c = self.choose
        kind = c.randrange(5)
        if kind == 0 and n == length:
            return "np.arange(%d)" % n
        if kind == 1 and len(self.data["y"]) == length and n >= 2:
            return "y"
        if kind == 2 and n == length:
            return "range(%d)" % n
        if kind == 3 and many == 1:
            return "np.array(%s)" % [[c.randrange(-n, n) for _ in range(2)] for _ in range(2)]
        return "[%s]" % ", ".join(str(c.randrange(-n, n)) for _ in range(length))

    # ---- expressions ----

    def safe(self, f, x):
        c = self.choose
        if f == "log":
            return "np.log(%s ** 2 + 0.5)" % x
        if f == "sqrt":
            return c.choice(["np.sqrt(np.square(%s) + 0.3)", "(%s ** 2 + 1).sqrt()"]) % x
        if f == "log1p":
            return "np.log1p(np.abs(%s) + 0.1)" % x
        if f == "reciprocal":
            return "np.reciprocal(np.exp(np.tanh(%s)))" % x
        if f in ("exp", "expm1"):
            return "np.%s(0.3 * %s)" % (f, x)
        if c.random() < 0.2:
            return "%s.%s()" % (x, f) if x.isidentifier() else "(%s).%s()" % (x, f)
        return c.choice(["np.", "", "torch.", "F.", "numpy."]) * (f != "abs") + (f if f != "abs" else "np.abs") + "(%s)" % x

    def expression(self, depth=2):
        c = self.choose
        if depth == 0 or c.random() < 0.15:
            return self.value() if c.random() < 0.85 else self.number()
        kinds = [self.unary, self.operator, self.operator, self.product, self.reduction, self.reduction, self.shaped, self.shaped,
                 self.picked, self.picked, self.joined, self.chosen, self.activation, self.constants]
        return c.choice(kinds)(depth - 1)

    def unary(self, depth):
        f = self.choose.choice(SMOOTH + KINKED + ["log", "reciprocal"])
        if self.choose.random() < 0.15:
            return "-%s" % self.value()
        return self.safe(f, self.expression(depth) if self.choose.random() < 0.4 else self.value())

    def operator(self, depth):
        c = self.choose
        x, y = self.expression(depth), self.expression(depth)
        kind = c.randrange(9)
        if kind < 5:
            return "(%s %s %s)" % (x, c.choice(["+", "-", "*"]), y)
        if kind == 5:
            return "%s / (np.abs(%s) + 1)" % (x, y) if c.random() < 0.7 else "(%s) / %s" % (x, c.choice(["2", "-3.", "len(y)"]))
        if kind == 6:
            return c.choice(["(%s) ** 2", "(%s) ** 3", "np.power(%s, 2)", "(np.abs(%s) + 0.5) ** -1", "(np.abs(%s) + 0.2) ** 1.5", "(%s)**2*-1"]) % x
        if kind == 7:
            return "(np.abs(%s) + 0.5) ** (%s)" % (self.value(), self.value()) if c.random() < 0.5 else "2 ** np.tanh(%s)" % x
        return "np.%s(%s, %s)" % (c.choice(["maximum", "minimum", "add", "subtract", "multiply"]), x, y)

    def product(self, depth):
        c = self.choose
        x = self.value(lambda a: a.ndim > 0)
        a = self.of(x)
        fits = self.values(lambda b: b.ndim > 0 and b.shape[-2 if b.ndim > 1 else 0] == a.shape[-1])
        kind = c.randrange(6)
        if kind == 0:
            return "np.outer(%s, %s)" % (x, self.value())
        if kind == 1:
            return self.einsum()
        if kind == 2:
            return c.choice(["%s.T @ %s", "np.dot(%s.T, %s)"]) % (x, x) if a.ndim <= 2 else "%s @ np.swapaxes(%s, -1, -2)" % (x, x)
        if not fits:
            return "%s @ %s.T" % (x, x) if a.ndim == 2 else "%s @ %s" % (x, x)
        y = c.choice(fits)
        return c.choice(["%s @ %s", "np.matmul(%s, %s)", "np.dot(%s, %s)", "%s.dot(%s)"][: 4 if self.of(y).ndim <= 2 else 2]) % (x, y)

    def einsum(self):
        c = self.choose
        x = self.value(lambda a: 0 < a.ndim <= 4)
        letters = c.sample("ijklmnab", self.of(x).ndim)
        dims = dict(zip(letters, self.of(x).shape))
        if c.random() < 0.25:
            out = c.sample(letters, c.randint(0, len(letters)))
            return "np.einsum('%s->%s', %s)" % ("".join(letters), "".join(out), x)
        y = self.value(lambda a: 0 < a.ndim <= 4)
        other = []
        for n in self.of(y).shape:
            same = [l for l, d in dims.items() if d == n and l not in other]
            if same and c.random() < 0.7:
                other.append(c.choice(same))
            else:
                free = [l for l in "xyzwuv" if l not in other]
                other.append(c.choice(free))
        union = letters + [l for l in other if l not in letters]
        out = c.sample(union, c.randint(0, min(4, len(union))))
        arrow = "" if c.random() < 0.1 else "->" + "".join(out)
        return "np.einsum('%s,%s%s', %s, %s)" % ("".join(letters), "".join(other), arrow, x, y)

    def reduction(self, depth):
        c = self.choose
        f = c.choice("sum sum mean mean var std max min prod logsumexp norm cumsum argmax amax".split())
        x = self.value()
        a = self.of(x)
        arguments = []
        if c.random() < 0.75 and a.ndim > 0:
            axis = self.axis(a.ndim, f not in ("cumsum", "argmax"))
            arguments.append(axis if c.random() < 0.4 and f != "norm" else "axis=" + axis)
            if f not in ("cumsum", "argmax") and c.random() < 0.4:
                arguments.append("keepdims=True")
        if f in ("var", "std") and c.random() < 0.3:
            arguments.append("ddof=1")
        if f == "norm":
            head = "np.linalg.norm" if c.random() < 0.7 else "np.linalg.norm"
            if a.ndim > 1 and not arguments:
                arguments.append("axis=-1")
            if c.random() < 0.2:
                arguments.insert(0, c.choice(["1", "2"]))
            if arguments and "(" in arguments[0]:
                arguments = ["axis=-1"]
            return "%s(%s)" % (head, ", ".join([x] + arguments))
        is_method = c.random() < 0.4 and f not in ("logsumexp", "amax")
        text = "%s.%s(%s)" % (x, f, ", ".join(arguments)) if is_method else "np.%s(%s)" % (f, ", ".join([x] + arguments))
        return text if f != "std" else "np.sqrt(%s + 0.1)" % text.replace("std", "var")

    def shaped(self, depth):
        c = self.choose
        x = self.value()
        a = self.of(x)
        kind = c.randrange(16)
        if kind == 0:
            shape = self.factors(a.size)
            if c.random() < 0.4:
                shape[c.randrange(len(shape))] = -1
            text = ", ".join(map(str, shape))
            return c.choice(["%s.reshape(%s)" % (x, text), "%s.reshape((%s,))" % (x, text), "np.reshape(%s, (%s,))" % (x, text)])
        if kind == 1:
            return c.choice(["%s.ravel()", "%s.flatten()", "np.ravel(%s)", "%s.reshape(-1)", "%s.reshape(len(%s), -1)" % (x, x) + "%.0s"]) % x
        if kind == 2:
            axes = c.sample(range(a.ndim), a.ndim)
            if a.ndim == 0:
                return "%s.T" % x
            text = ", ".join(map(str, axes))
            return c.choice(["np.transpose(%s, (%s,))", "%s.transpose(%s)", "%s.transpose((%s,))"][0 if a.ndim != 2 else 0:]) % (x, text) if a.ndim != 2 else "%s.transpose(%s)" % (x, text)
        if kind == 3:
            return c.choice(["%s.T", "np.transpose(%s)", "%s.transpose()"]) % x
        if kind == 4:
            return c.choice(["np.swapaxes(%s, %s, %s)", "%s.swapaxes(%s, %s)", "np.moveaxis(%s, %s, %s)"]) % (x, self.axis(a.ndim, False), self.axis(a.ndim, False))
        if kind == 5:
            return "np.expand_dims(%s, %d)" % (x, c.randrange(-a.ndim - 1, a.ndim + 1))
        if kind == 6:
            ones = [i for i in range(a.ndim) if a.shape[i] == 1]
            if ones and c.random() < 0.5:
                return "np.squeeze(%s, axis=%d)" % (x, c.choice(ones))
            return c.choice(["np.squeeze(%s)", "%s.squeeze()"]) % x
        if kind == 7:
            shape = [c.choice([2, 3])] * c.randint(0, 1) + [d if d != 1 else c.choice([1, 2, 3]) for d in a.shape]
            return "np.broadcast_to(%s, (%s))" % (x, "".join("%d, " % d for d in shape))
        if kind == 8:
            if c.random() < 0.5 or a.ndim == 0:
                return "np.pad(%s, %s)" % (x, c.choice(["1", "(1, 0)", "((0, 1),)", "2"]))
            widths = ", ".join("(%d, %d)" % (c.randint(0, 2), c.randint(0, 1)) for _ in a.shape)
            return "np.pad(%s, (%s,)%s)" % (x, widths, c.choice(["", ", mode='constant'", ", 'constant', constant_values=0.5"]))
        if kind == 9:
            return "np.flip(%s%s)" % (x, "" if a.ndim == 0 or c.random() < 0.3 else ", " + c.choice(["", "axis="]) + self.axis(a.ndim))
        if kind == 10:
            return c.choice(["np.repeat(%s, %d%s)", "%s.repeat(%d%s)"]) % (x, c.randint(1, 3), "" if a.ndim == 0 or c.random() < 0.3 else ", axis=" + self.axis(a.ndim, False))
        if kind == 11:
            reps = [c.randint(1, 3) for _ in range(c.randint(1, a.ndim + 1))]
            return "np.tile(%s, %s)" % (x, reps[0] if len(reps) == 1 and c.random() < 0.5 else "(%s,)" % ", ".join(map(str, reps)))
        if kind == 12 and a.ndim == 2:
            return "np.diagonal(%s)" % x
        if kind == 13:
            return c.choice(["%s.copy()", "%s.astype(np.float64)", "%s.astype(float)", "np.array(%s)", "np.asarray(%s)"]) % x
        if kind == 14:
            return "stop_gradient(%s)" % x if c.random() < 0.3 else "%s[None]" % x
        return "%s[..., None]" % x

    def factors(self, n):
        shape, c = [], self.choose
        while n > 1 and len(shape) < 4:
            d = c.choice([d for d in range(1, n + 1) if n % d == 0])
            shape.append(d)
            n //= d
        return shape + ([n] if n > 1 else []) or [1]

    def picked(self, depth):
        c = self.choose
        x = self.value(lambda a: a.ndim > 0)
        a = self.of(x)
        kind = c.randrange(10)
        axis = c.randrange(a.ndim)
        n = a.shape[axis]
        if kind == 0:
            index = [c.randrange(n) for _ in range(c.randint(1, 4))]
            return "np.take(%s, %s%s)" % (x, c.choice([str(index), "np.array(%s)" % index]), ", axis=%d" % axis)
        if kind == 1:
            shape = list(a.shape)
            shape[axis] = c.randint(1, 3)
            index = np.array([c.randrange(n) for _ in range(int(np.prod(shape)))]).reshape(shape).tolist()
            return "np.take_along_axis(%s, np.array(%s), axis=%d)" % (x, index, axis)
        if kind == 2 and a.ndim == 2 and len(self.data["y"]) == a.shape[0] and a.shape[1] > 1:
            return c.choice(["%s[np.arange(len(y)), y]", "%s[range(len(y)), y]", "%s[np.arange(%s.shape[0]), y]" % (x, x) + "%.0s"]) % x
        if kind == 3 and a.size > 1:
            mask = [c.random() < 0.6 for _ in range(n)]
            if any(mask) and axis == 0:
                return "%s[np.array(%s)]" % (x, mask)
        if kind == 4:
            return "%s[%s][%s]" % (x, c.randrange(n) if axis == 0 else ":", "..." if a.ndim < 2 else ":1")
        return "%s[%s]" % (x, self.subscript(a)[0])

    def joined(self, depth):
        c = self.choose
        x = self.value()
        a = self.of(x)
        kind = c.randrange(8)
        same = self.values(lambda b: b.shape == a.shape)
        if kind == 0:
            return "np.stack([%s, %s]%s)" % (x, c.choice(same), c.choice(["", ", axis=%d" % c.randrange(-a.ndim - 1, a.ndim + 1)]))
        if kind == 1:
            return "np.vstack((%s, %s))" % (x, c.choice(same))
        if kind == 2:
            return "np.hstack([%s, %s])" % (x, c.choice(same))
        if kind == 3 and a.ndim > 0:
            axis = c.randrange(a.ndim)
            n = a.shape[axis]
            if n > 1:
                where = c.choice([str(n), "[%d]" % c.randint(1, n - 1)])
                return "np.split(%s, %s, axis=%d)[%d]" % (x, where, axis, c.choice([0, -1, 1]))
        if kind == 4 and a.ndim in (1, 2):
            return "np.column_stack((%s, %s))" % (x, c.choice(same))
        if kind == 5:
            return "np.array([%s, %s, %s])" % (x, c.choice(same), c.choice(same))
        if a.ndim == 0:
            return "np.stack((%s, %s))" % (x, c.choice(same))
        axis = c.randrange(a.ndim)
        fits = self.values(lambda b: b.ndim == a.ndim and all(i == axis or b.shape[i] == a.shape[i] for i in range(a.ndim)))
        return "np.concatenate(%s%s)" % (c.choice(["[%s, %s]", "(%s, %s)"]) % (x, c.choice(fits)), "" if axis == 0 and c.random() < 0.5 else ", axis=%d" % axis)

    def chosen(self, depth):
        c = self.choose
        x, y = self.expression(min(depth, 1)), self.expression(min(depth, 1))
        z = self.value()
        mask = c.choice(["%s > 0", "%s <= 0.5", "np.abs(%s) < 0.7", "(%s > -1) & (%s < 0.4)" % (z, z) + "%.0s", "~(%s > 0)", "np.logical_or(%s > 1, %s < 0)" % (z, z) + "%.0s"]) % z
        kind = c.randrange(4)
        if kind == 0:
            return "(%s) * %s" % (mask, x)
        if kind == 1:
            return "np.clip(%s, %s, %s)" % (x, c.choice(["-1", "-0.5", "0"]), c.choice(["0.5", "1"]))
        return "np.where(%s, %s, %s)" % (mask, x, y)

    def activation(self, depth):
        c = self.choose
        x = self.value(lambda a: a.ndim > 0 or True)
        a = self.of(x)
        kind = c.randrange(6)
        if kind == 0 and a.ndim > 0:
            return c.choice(["softmax(%s, axis=-1)", "F.softmax(%s, dim=-1)", "log_softmax(%s, axis=-1)", "softmax(%s, axis=0)", "F.log_softmax(%s, dim=0)", "softmax(%s)"]) % x
        if kind == 1:
            return c.choice(["leaky_relu(%s, 0.2)", "leaky_relu(%s, negative_slope=0.1)", "elu(%s, alpha=0.5)", "gelu(%s, approximate='tanh')"]) % x
        return "%s(%s)" % (c.choice(["relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "elu", "np.tanh"]), x)

    def constants(self, depth):
        c = self.choose
        x = self.value()
        shape = c.choice(SHAPES[1:10])
        return c.choice([
            "np.zeros_like(%s) + %s" % (x, self.value()), "np.ones(%s) * %s" % (shape, self.value()), "np.full(%s, 0.7)" % (shape,),
            "np.eye(%d) * %s" % (c.randint(1, 3), self.value()), "np.arange(%d) * %s" % (c.randint(1, 4), self.value()),
            "np.linspace(-1, 1, %d) + %s" % (c.randint(1, 4), self.value()), "np.ones_like(%s)" % x, "%s * np.pi" % x,
            "np.arange(1, 7, 2) - %s" % self.value(), "%s / %s.size" % (x, x), "%s * %s.ndim" % (x, x), "len(y) * %s" % x,
            "np.zeros((%s.size,)) + %s" % (x, self.number()), "one_hot(y, 3) * %s" % self.value(),
        ])

    # ---- statements ----

    def statement(self):
        c = self.choose
        kinds = [self.plain] * 12 + [self.update, self.again, self.write, self.write, self.write, self.accumulate, self.loop, self.loop_list, self.comprehension,
                 self.function, self.dictionary, self.unpack, self.condition, self.layer, self.mask_write, self.scalar_loop, self.recurrent, self.dropout]
        return c.choice(kinds)()

    def plain(self):
        return ["%s = %s" % (self.new(), self.expression())]

    def update(self):
        x = self.value(lambda a: a.t.dtype == torch.float64)
        if x in self.parameters or x in self.data:
            raise LookupError
        return ["%s %s= %s" % (x, self.choose.choice("+-*"), self.expression(1))]

    def again(self):
        x = self.value()
        if x in self.parameters or x in self.data:
            raise LookupError
        return ["%s = np.tanh(%s) + %s" % (x, x, self.value())]

    def array_to_write(self):
        name = self.new()
        x = self.value(lambda a: a.ndim > 0 and a.t.dtype == torch.float64)
        return name, self.of(x), ["%s = %s" % (name, self.choose.choice(["%s.copy()", "np.zeros_like(%s)", "%s * 1.5", "np.tanh(%s)", "np.zeros(%s.shape)", "np.array(%s)"]) % x)]

    def write(self):
        c = self.choose
        name, a, lines = self.array_to_write()
        for _ in range(c.randint(1, 3)):
            key, picked = self.subscript(a)
            operator = c.choice(["=", "=", "+=", "-=", "*="])
            lines.append("%s[%s] %s %s" % (name, key, operator, self.expression(1) if c.random() < 0.6 else "%s[%s] * 2" % (self.value(lambda b: b.shape == a.shape), key)))
        return lines

    def accumulate(self):
        c = self.choose
        name, a, lines = self.array_to_write()
        n = a.shape[0]
        key = c.choice(["[%s]" % ", ".join(str(c.randrange(n)) for _ in range(3)), "np.array([0, 0, %d])" % (n - 1)])
        return lines + ["np.add.at(%s, %s, %s)" % (name, key, self.expression(1))]

    def mask_write(self):
        c = self.choose
        name, a, lines = self.array_to_write()
        x = c.choice(self.values(lambda b: b.shape == a.shape))
        mask = c.choice(["%s > 0", "%s <= 0.2", "np.abs(%s) > 1"]) % x
        operator = c.choice(["=", "=", "*=", "+="])
        if c.random() < 0.3:
            other = self.new()
            lines.append("%s = %s" % (other, mask))
            mask = other
        return lines + ["%s[%s] %s %s" % (name, mask, operator, c.choice(["0", "0.5", self.value(lambda b: b.ndim == 0)]))]

    def loop(self):
        c = self.choose
        name = self.new()
        x = self.value(lambda a: a.ndim > 0)
        n = self.of(x).shape[0]
        over = c.choice(["range(%d)" % n, "range(len(%s))" % x, "range(%s.shape[0])" % x, "reversed(range(%d))" % n, "range(%d - 1, -1, -1)" % n])
        body = c.choice(["%s = np.tanh(%s + %s[t])", "%s = %s * 0.5 + %s[t] ** 2", "%s += %.0s%s[t]", "%s = sigmoid(%s - %s[t, ...])"]) % (name, name, x)
        start = c.choice(["0", "0.5", "%s[0]" % x, "np.zeros_like(%s[0])" % x])
        return ["%s = %s" % (name, start), "for t in %s:" % over, "    " + body]

    def recurrent(self):
        c = self.choose
        W = self.value(lambda a: a.ndim == 2 and a.shape[0] == a.shape[1])
        name, n = self.new(), self.of(W).shape[0]
        states = name + "s"
        return ["%s = np.zeros(%d) + 0.1" % (name, n), "%s = []" % states, "for t in range(3):", "    %s = np.tanh(%s @ %s + 0.1 * t)" % (name, name, W),
                "    %s.append(%s)" % (states, name), "%sx = np.stack(%s, axis=%d)" % (name, states, c.randint(0, 1)), "%sy = %s[-1] - %s[0]" % (name, states, states)]

    def loop_list(self):
        c = self.choose
        name, x = self.new(), self.value(lambda a: a.ndim > 0)
        lines = ["%s_l = []" % name, "for i, row in enumerate(%s):" % x, "    %s_l.append(row * (i + 1))" % name]
        return lines + ["%s = %s" % (name, c.choice(["np.stack(%s_l)", "np.array(%s_l)", "%s_l[-1]", "np.concatenate([v[None] for v in %s_l])"]) % name)]

    def comprehension(self):
        c = self.choose
        x = self.value(lambda a: a.ndim > 0)
        n = self.of(x).shape[0]
        return ["%s = %s" % (self.new(), c.choice(["np.stack([%s[i] * %s for i in range(%d)])", "np.array([%s[i] - %s for i in range(%d)])",
                                                "sum([%s[i] ** 2 + %s for i in range(%d)])", "np.concatenate([%s[i:i + 1] * %s for i in range(%d)], axis=0)"])
                             % (x, self.number(), n))]

    def function(self):
        c = self.choose
        f = "f%s" % self.new()
        body = c.choice(["np.tanh(p) + q", "p * q + 1", "(p - q) ** 2", "p / (1 + np.exp(-p)) * q"])
        default = c.choice(["q", "q=0.5"])
        call = "%s(%s, %s)" % (f, self.value(), self.expression(1)) if default == "q" else c.choice(["%s(%s)" % (f, self.value()), "%s(%s, q=%s)" % (f, self.value(), self.value())])
        lines = ["def %s(p, %s):" % (f, default), "    r = %s" % body, "    return %s" % c.choice(["r", "r * 2", "r, p"])]
        name = self.new()
        return lines + (["%s, %s_p = %s" % (name, name, call)] if lines[-1].endswith("r, p") else ["%s = %s" % (name, call)])

    def dictionary(self):
        name, x, y = self.new(), self.value(), self.value()
        return ["%s_d = {'first': %s, 'b': %s}" % (name, x, y), "%s_d['c'] = %s_d['first'] * %s_d['b']" % (name, name, name), "%s = %s_d['c'] + %s_d['b']" % (name, name, name)]

    def unpack(self):
        c = self.choose
        x = self.value(lambda a: a.ndim > 0 and 1 < a.shape[0] < 4)
        n = self.of(x).shape[0]
        names = [self.new() for _ in range(n)]
        return ["%s = %s" % (", ".join(names), c.choice([x, "np.split(%s, %d, axis=0)" % (x, n), "(%s)" % ", ".join("%s[%d]" % (x, i) for i in range(n))]))]

    def condition(self):
        c = self.choose
        name = self.new()
        test = c.choice(["%s.ndim > 1", "len(y) > 2", "%s.shape == (3,)", "True and not %s.size == 1", "%s.size % 2 == 0"]).replace("%s", self.value())
        if c.random() < 0.5:
            return ["%s = %s if %s else %s" % (name, self.expression(1), test, self.value())]
        return ["if %s:" % test, "    %s = %s" % (name, self.expression(1)), "else:", "    %s = %s" % (name, self.expression(1))]

    def layer(self):
        c = self.choose
        name = self.new()
        x = self.value(lambda a: a.ndim == 2 and a.t.dtype == torch.float64)
        a = self.of(x)
        kind = c.randrange(8)
        if kind == 0:
            W = self.value(lambda b: b.ndim == 2 and b.shape[0] == a.shape[1])
            b = self.values(lambda b: b.shape == (self.of(W).shape[1],))
            return ["%s = linear(%s, %s%s)" % (name, x, W, ", " + c.choice(b) if b else "")]
        if kind == 1:
            gamma = self.value(lambda b: b.shape == (a.shape[1],) and b.t.dtype == torch.float64)
            return ["%s = layer_norm(%s, %s, %s, eps=1e-3)" % (name, x, gamma, gamma)]
        if kind == 2:
            y = self.value(lambda b: b.shape == a.shape)
            return ["%s = %s(%s, %s%s)" % (name, c.choice(["mse", "F.mse_loss", "smooth_l1", "huber", "l1"]), x, y, c.choice(["", ", reduction='sum'", ", reduction='mean'"]))]
        if kind == 3:
            return ["%s = bce(sigmoid(%s), (%s > 0) * 1.0)" % (name, x, x)]
        if kind == 4:
            return ["%s = bce_with_logits(%s, 1.0 * (%s > 0.1))" % (name, x, x)]
        if len(self.data["y"]) != a.shape[0] or a.shape[1] < 2:
            raise LookupError
        if kind == 5:
            return ["%s = nll(log_softmax(%s, axis=-1), y)" % (name, x)]
        return ["%s = cross_entropy(%s, y%s)" % (name, x, c.choice(["", ", reduction='sum'"]))]

    def scalar_loop(self):
        x = self.value(lambda a: a.ndim == 2 and a.size <= 12)
        name = self.new()
        n, m = self.of(x).shape
        return ["%s = np.zeros((%d, %d))" % (name, n, m), "for i in range(%d):" % n, "    for j in range(%d):" % m,
                "        %s[i, j] %s np.sum(%s[i:, j]) * %s[i, j]" % (name, self.choose.choice(["=", "+="]), x, x)]

    def dropout(self):
        name, x = self.new(), self.value(lambda a: a.ndim > 0)
        shape = self.of(x).shape
        draw = self.choose.choice(["np.random.rand(%s)" % ", ".join(map(str, shape)), "np.random.uniform(0, 1, %s)" % (shape,), "np.random.rand(*%s.shape)" % x])
        return ["np.random.seed(%d)" % self.choose.randrange(1000), "%s = (%s < 0.7) / 0.7 * %s" % (name, draw, x)]

    # ---- all of it ----

    def try_lines(self, lines):
        names = self.names.copy()
        names = reference.Names(names)
        names.versions = {k: list(v) for k, v in self.names.versions.items()}
        before = {name: thing.t for name, thing in names.items() if isinstance(thing, Array)}
        try:
            exec(compile("\n".join(lines), "program", "exec"), names)
        except Exception as error:
            return str(error) or "error"
        finally:
            for name, t in before.items():
                self.names[name].t = t if name in self.names else t
        for name, thing in names.items():
            if isinstance(thing, Array) and before.get(name) is not thing.t:
                t = thing.t.detach().to(torch.float64)
                if t.numel() == 0 or t.numel() > MOST or t.dim() > 6 or not torch.isfinite(t).all() or t.abs().max() > 1e3:
                    return "unwanted"
        new = [n for n in names.versions if n not in self.names.versions and isinstance(names.get(n), Array)]
        self.names = names
        self.lines += lines
        self.made += [n for n in new if n not in self.made and n not in ("t", "i", "j", "row")]
        return None

    def program(self, statements):
        count = 0
        for _ in range(60):
            try:
                lines = self.statement()
            except (LookupError, IndexError, ValueError):
                continue
            if self.choose.random() < 0.1:
                lines = [lines[0] + self.choose.choice(["  # as in the notes", "   ", ";"])] + lines[1:] if not lines[0].endswith(":") else lines
            if self.try_lines(lines) is None:
                count += 1
            if count == statements:
                break
        terms, c = [], self.choose
        ends = self.values(lambda a: a.t.requires_grad)
        for name in list(self.parameters) + c.sample(ends, min(len(ends), c.randint(2, 5))) + ends[-2:]:
            size = self.of(name).size
            weights = "np.linspace(0.5, 1.5, %d)" % size
            shape = self.of(name).shape
            terms.append("np.sum(%s * %s.reshape(%s))" % (name, weights, ", ".join(map(str, shape))) if shape else "%s * %g" % (name, c.choice([0.5, 1, 2])))
        lines = ["loss = " + terms[0]]
        for term in terms[1:]:
            lines.append(c.choice(["loss = loss + %s", "loss += %s"]) % term)
        self.lines += lines
        return "\n".join(self.lines)

    def wanted(self):
        """Values whose gradients are asked for as well."""
        text = self.lines
        found = [n for n in self.made if isinstance(self.names[n], Array) and self.names[n].t.requires_grad]
        return self.choose.sample(found, min(len(found), 3))


def program(seed):
    """(text, parameters, data, wanted)"""
    draw = Draw(seed)
    text = draw.program(draw.choose.randint(1, 7))
    return text, draw.parameters, draw.data, draw.wanted()


if __name__ == "__main__":
    import sys

    print(json.dumps(program(int(sys.argv[1])), indent=1).replace("\\n", "\n"))
