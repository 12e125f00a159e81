"""What a program means: its text is run as Python, with NumPy's names on PyTorch's tensors.

An Array is a torch tensor of float64, int64 or bool. Whatever moves elements about is done by NumPy itself, to the
places where the elements come from; the rest is PyTorch's arithmetic, whose autograd has the gradients.
"""

import math
import types

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

REVERSED = dict(less="gt", less_equal="ge", greater="lt", greater_equal="le")


def tensor(x):
    if isinstance(x, Array):
        return x.t
    if isinstance(x, (list, tuple, range)):
        parts = [tensor(part) for part in x]
        kind = max((p.dtype for p in parts), key=[torch.bool, torch.int64, torch.float64].index)
        return torch.stack([p.to(kind) for p in parts])
    return torch.as_tensor(np.asarray(x)) if not isinstance(x, float) else torch.tensor(x)


def places(x):
    """For each element its place among all, in an array of the same shape."""
    return np.arange(x.numel()).reshape(tuple(x.shape))


def plain(x):
    """Subscripts as NumPy takes them."""
    if isinstance(x, tuple):
        return tuple(plain(part) for part in x)
    return x.t.detach().numpy() if isinstance(x, Array) else x


def moved(x, how):
    """What NumPy's function makes of the places, with the elements that stand there."""
    at = np.asarray(how(places(x)))
    return Array(x.reshape(-1)[torch.as_tensor(at.reshape(-1).copy())].reshape(at.shape))


def moved_together(parts, how):
    tensors = [tensor(p) for p in parts]
    at, begin = [], 0
    for t in tensors:
        at.append(places(t) + begin)
        begin += t.numel()
    kind = max((t.dtype for t in tensors), key=[torch.bool, torch.int64, torch.float64].index)
    flat = torch.cat([t.reshape(-1).to(kind) for t in tensors])
    made = np.asarray(how(at))
    return Array(flat[torch.as_tensor(made.reshape(-1).copy())].reshape(made.shape))


def number(t):
    """Operands of one operator in one type of numbers, as NumPy has it."""
    return t.to(torch.int64) if t.dtype == torch.bool else t


def masks(*operands):
    return all(tensor(x).dtype == torch.bool for x in operands)


def axes_of(t, axis):
    if axis is None:
        return tuple(range(t.dim()))
    axis = axis if isinstance(axis, (tuple, list)) else (axis,)
    if len({a % t.dim() for a in axis}) < len(axis) or any(not -t.dim() <= a < t.dim() for a in axis):
        raise ValueError("axis")
    return tuple(a % t.dim() for a in axis)


class Array:
    __array_ufunc__ = None

    def __init__(self, t, whole=False):
        self.t = t
        self.whole = whole  # made with a type of integers: what is written into it becomes one

    # ---- operators ----
    def __add__(self, o): return Array(self.t | tensor(o) if masks(self, o) else number(self.t) + number(tensor(o)))
    def __radd__(self, o): return self + o
    def __sub__(self, o): return Array(number(self.t) - number(tensor(o)))
    def __rsub__(self, o): return Array(number(tensor(o)) - number(self.t))
    def __mul__(self, o): return Array(self.t & tensor(o) if masks(self, o) else number(self.t) * number(tensor(o)))
    def __rmul__(self, o): return self * o
    def __truediv__(self, o): return Array(number(self.t) / number(tensor(o)))
    def __rtruediv__(self, o): return Array(number(tensor(o)) / number(self.t))
    def __floordiv__(self, o): return Array(torch.floor_divide(number(self.t), number(tensor(o))))
    def __mod__(self, o): return Array(torch.remainder(number(self.t), number(tensor(o))))
    def __pow__(self, o): return power(self, o)
    def __rpow__(self, o): return power(Array(tensor(o)), self)
    def __matmul__(self, o): return matmul(self, o)
    def __rmatmul__(self, o): return matmul(Array(tensor(o)), self)
    def __neg__(self): return Array(-number(self.t))
    def __pos__(self): return self
    def __invert__(self): return Array(~self.t)
    def __and__(self, o): return Array(self.t & tensor(o))
    def __or__(self, o): return Array(self.t | tensor(o))
    def __xor__(self, o): return Array(self.t ^ tensor(o))
    def __lt__(self, o): return Array(self.t < tensor(o))
    def __le__(self, o): return Array(self.t <= tensor(o))
    def __gt__(self, o): return Array(self.t > tensor(o))
    def __ge__(self, o): return Array(self.t >= tensor(o))
    def __eq__(self, o): return Array(self.t == tensor(o))
    def __ne__(self, o): return Array(self.t != tensor(o))
    __hash__ = None

    # ---- what it is ----
    shape = property(lambda s: tuple(s.t.shape))
    ndim = property(lambda s: s.t.dim())
    size = property(lambda s: s.t.numel())
    T = property(lambda s: moved(s.t, np.transpose))
    data = property(lambda s: s)

    def __len__(self): return self.t.shape[0]
    def __iter__(self): return (self[i] for i in range(len(self)))
    def __index__(self): return int(self.t)
    def __float__(self): return float(self.t)
    def __bool__(self): return bool(self.t)

    # ---- subscripts ----
    def __getitem__(self, key):
        return moved(self.t, lambda at: at[plain(key)])

    def __setitem__(self, key, value):
        self.write(key, value, False)

    def write(self, key, value, adds):
        at = places(self.t)[plain(key)]
        value = tensor(value)
        kind = torch.float64 if torch.float64 in (value.dtype, self.t.dtype) else self.t.dtype
        if self.whole or self.t.dtype == torch.bool:
            kind = self.t.dtype
        if kind == torch.int64:
            value = value.trunc() if value.is_floating_point() else value
        value = value.to(kind).broadcast_to(at.shape).reshape(-1)
        at = torch.as_tensor(np.asarray(at).reshape(-1).copy())
        flat = self.t.to(kind).reshape(-1).clone()
        if not adds:  # of an index that stands there twice the last one holds
            last = sorted({int(place): i for i, place in enumerate(at)}.values())
            at, value = at[last], value[last]
        flat = flat.index_put((at,), value, accumulate=adds)
        self.t = flat.reshape(self.t.shape)

    # ---- methods ----
    def astype(self, kind):
        name = getattr(kind, "__name__", str(kind))
        if "bool" in name:
            return Array(self.t != 0)
        if "int" not in name:
            return Array(self.t.to(torch.float64))
        return Array((self.t.trunc() if self.t.is_floating_point() else self.t).to(torch.int64), True)

    def copy(self): return Array(self.t.clone())
    def clone(self): return Array(self.t.clone())
    def detach(self): return Array(self.t.detach())
    def item(self): return Array(self.t.reshape(()))
    def float(self): return Array(self.t.to(torch.float64))
    def reshape(self, *shape, order="C"): return reshape(self, *shape, order=order)
    def view(self, *shape): return reshape(self, *shape)
    def transpose(self, *axes): return transpose(self, *axes)
    def permute(self, *axes): return transpose(self, *axes)
    def flatten(self, order="C"): return moved(self.t, lambda at: at.flatten(order))
    def ravel(self, order="C"): return self.flatten(order)
    def t_(self): return self.T
    def unsqueeze(self, axis): return expand_dims(self, axis)
    def expand(self, *shape): return broadcast_to(self, shape)
    def neg(self): return -self


def method(f):
    setattr(Array, f.__name__, f)
    return f


# ---- elementwise ----

FUNCTIONS = {}


def elementwise(name, f, is_method=True):
    def call(x):
        return Array(f(number(tensor(x)).to(torch.float64)))

    FUNCTIONS[name] = call
    if is_method:
        setattr(Array, name, call)


for name in "exp log log1p expm1 sqrt sin cos tanh reciprocal".split():
    elementwise(name, getattr(torch, name))
for name, f in dict(
    relu=torch.relu,
    sigmoid=torch.sigmoid,
    softplus=torch.nn.functional.softplus,
    silu=torch.nn.functional.silu,
).items():
    elementwise(name, f)
elementwise("floor", torch.floor, False)
elementwise("ceil", torch.ceil, False)
elementwise("rint", torch.round, False)


def function(f):
    FUNCTIONS[f.__name__.rstrip("_")] = f
    return f


def both(f):
    setattr(Array, f.__name__.rstrip("_"), f)
    return function(f)


@both
def square(x): return Array(number(tensor(x)) ** 2)
@both
def abs_(x): return Array(number(tensor(x)).abs())
@function
def absolute(x): return abs_(x)
@both
def sign(x): return Array(torch.sign(number(tensor(x))))
@function
def negative(x): return Array(-number(tensor(x)))
@function
def logical_not(x): return Array(tensor(x) == 0)


def kinds(x, y):
    x, y = number(tensor(x)), number(tensor(y))
    kind = torch.promote_types(x.dtype, y.dtype)
    return torch.broadcast_tensors(x.to(kind), y.to(kind))


@function
def maximum(x, y):
    x, y = (tensor(x), tensor(y)) if masks(x, y) else kinds(x, y)
    return Array(torch.where(x >= y, x, y))


@function
def minimum(x, y):
    x, y = (tensor(x), tensor(y)) if masks(x, y) else kinds(x, y)
    return Array(torch.where(x <= y, x, y))


for name, f in dict(
    less=torch.lt, less_equal=torch.le, greater=torch.gt, greater_equal=torch.ge, equal=torch.eq, not_equal=torch.ne
).items():
    FUNCTIONS[name] = lambda x, y, f=f: Array(f(*kinds(x, y)))
FUNCTIONS["logical_and"] = lambda x, y: Array((tensor(x) != 0) & (tensor(y) != 0))
FUNCTIONS["logical_or"] = lambda x, y: Array((tensor(x) != 0) | (tensor(y) != 0))
for name in "add subtract multiply divide".split():
    operator = dict(add="add", subtract="sub", multiply="mul", divide="truediv")[name]
    FUNCTIONS[name] = lambda x, y, o=operator: getattr(Array(tensor(x)), "__%s__" % o)(y)


class add_function:
    def __call__(self, x, y): return Array(tensor(x)) + y
    def at(self, x, key, value): x.write(key, value, True)


FUNCTIONS["add"] = add_function()


@function
def power(x, y):
    x, y = number(tensor(x)), number(tensor(y))
    if y.dtype == torch.int64 and y.numel() == 1 and int(y) < 0:
        x = x.to(torch.float64)
    return Array(x ** (y.item() if y.dim() == 0 and not y.requires_grad else y))


@both
def clip(x, low=None, high=None, a_min=None, a_max=None, min=None, max=None):
    low = low if low is not None else a_min if a_min is not None else min
    high = high if high is not None else a_max if a_max is not None else max
    x = number(tensor(x))
    if any(isinstance(bound, (Array, list)) for bound in (low, high)):
        low, high = (None if bound is None else tensor(bound).to(x.dtype) for bound in (low, high))
    return Array(torch.clamp(x, low, high))


Array.clamp = clip


@function
def where(c, x, y):
    x, y = (tensor(x), tensor(y)) if masks(x, y) else (number(tensor(x)), number(tensor(y)))
    kind = torch.promote_types(x.dtype, y.dtype)
    return Array(torch.where(tensor(c) != 0, x.to(kind), y.to(kind)))


@function
def array(x, dtype=None): return Array(tensor(x)) if dtype is None else Array(tensor(x)).astype(dtype)
@function
def asarray(x): return Array(tensor(x))
@function
def copy(x): return Array(tensor(x).clone())
@function
def stop_gradient(x): return Array(tensor(x).detach())


# ---- activations and losses of the op table ----

F = torch.nn.functional


def real(x):
    return number(tensor(x)).to(torch.float64)


@function
def leaky_relu(x, negative_slope=0.01): return Array(F.leaky_relu(real(x), negative_slope))
@function
def elu(x, alpha=1.0): return Array(F.elu(real(x), alpha))
@function
def gelu(x, approximate="none"): return Array(F.gelu(real(x), approximate=approximate))
@function
def softmax(x, axis=-1, dim=None): return Array(torch.softmax(real(x), axis if dim is None else dim))
@function
def log_softmax(x, axis=-1, dim=None): return Array(torch.log_softmax(real(x), axis if dim is None else dim))


@function
def linear(x, W, b=None):
    return Array(real(x) @ real(W) + (real(b) if b is not None else 0))


@function
def layer_norm(x, gamma, beta, eps=1e-5):
    return Array(F.layer_norm(real(x), (tensor(x).shape[-1],), real(gamma), real(beta), eps))


def loss_of(f):
    """A loss of the op table; of several outputs the mean is over all elements, or per row where classes are."""
    def call(p, y, reduction="mean"):
        return Array(f(real(p), tensor(y), reduction))

    return call


for name, f in dict(
    mse=lambda p, y, r: F.mse_loss(p, y.to(torch.float64), reduction=r),
    l1=lambda p, y, r: F.l1_loss(p, y.to(torch.float64), reduction=r),
    bce=lambda p, y, r: F.binary_cross_entropy(p, y.to(torch.float64), reduction=r),
    bce_with_logits=lambda p, y, r: F.binary_cross_entropy_with_logits(p, y.to(torch.float64), reduction=r),
    cross_entropy=lambda p, y, r: F.cross_entropy(p, y, reduction=r),
    nll=lambda p, y, r: F.nll_loss(p, y, reduction=r),
    smooth_l1=lambda p, y, r: F.smooth_l1_loss(p, y.to(torch.float64), reduction=r),
    huber=lambda p, y, r: F.huber_loss(p, y.to(torch.float64), reduction=r),
).items():
    FUNCTIONS[name] = loss_of(f)
for name, other in dict(mse_loss="mse", l1_loss="l1", nll_loss="nll", binary_cross_entropy="bce").items():
    FUNCTIONS[name] = FUNCTIONS[other]


# ---- products ----


def same_kind(x, y):
    x, y = number(tensor(x)), number(tensor(y))
    kind = torch.promote_types(x.dtype, y.dtype)
    return x.to(kind), y.to(kind)


@both
def matmul(x, y):
    x, y = same_kind(x, y)
    if x.dim() == 0 or y.dim() == 0:
        raise ValueError("matmul of a number")
    return Array(x @ y)


@both
def dot(x, y):
    x, y = same_kind(x, y)
    if x.dim() == 0 or y.dim() == 0:
        return Array(x * y)
    if y.dim() > 2:
        raise ValueError("dot")
    return Array(x @ y)


Array.mm = matmul


@function
def outer(x, y):
    x, y = same_kind(x, y)
    return Array(torch.outer(x.reshape(-1), y.reshape(-1)))


@function
def einsum(subscripts, *operands):
    return Array(torch.einsum(subscripts, *(real(x) for x in operands)))


# ---- reductions ----


@both
def sum_(x, axis=None, keepdims=False):
    t = number(tensor(x))
    return Array(t.sum(axes_of(t, axis), keepdims) if t.dim() else t * 1)


@both
def mean(x, axis=None, keepdims=False):
    t = real(x)
    return Array(t.mean(axes_of(t, axis), keepdims) if t.dim() else t * 1)


@both
def var(x, axis=None, keepdims=False, ddof=0, correction=None):
    t = real(x)
    return Array(torch.var(t, axes_of(t, axis), correction=ddof if correction is None else correction, keepdim=keepdims))


@both
def std(x, axis=None, keepdims=False, ddof=0, correction=None):
    return FUNCTIONS["sqrt"](var(x, axis, keepdims, ddof, correction))


def extreme(x, axis, keepdims, largest):
    t = tensor(x)
    axes = axes_of(t, axis)
    kept = [a for a in range(t.dim()) if a not in axes]
    rows = t.permute(kept + list(axes)).reshape([t.shape[a] for a in kept] + [-1])
    y = (rows.max(-1) if largest else rows.min(-1)).values
    return Array(y.reshape([1 if a in axes else t.shape[a] for a in range(t.dim())]) if keepdims else y)


@both
def max_(x, axis=None, keepdims=False): return extreme(x, axis, keepdims, True)
@both
def min_(x, axis=None, keepdims=False): return extreme(x, axis, keepdims, False)
@function
def amax(x, axis=None, keepdims=False): return extreme(x, axis, keepdims, True)


@both
def prod(x, axis=None, keepdims=False):
    t = number(tensor(x))
    for a in sorted(axes_of(t, axis), reverse=True):
        t = t.prod(a, keepdims)
    return Array(t * 1)


@function
def logsumexp(x, axis=None, keepdims=False):
    t = real(x)
    return Array(torch.logsumexp(t, axes_of(t, axis), keepdims))


@function
def norm(x, ord=2, axis=None, keepdims=False):
    t = real(x)
    return Array(torch.linalg.vector_norm(t, ord, axes_of(t, axis), keepdims))


@both
def argmax(x, axis=None): return Array(torch.as_tensor(np.argmax(tensor(x).detach().numpy(), axis)))
@both
def argmin(x, axis=None): return Array(torch.as_tensor(np.argmin(tensor(x).detach().numpy(), axis)))


@both
def cumsum(x, axis=None):
    t = number(tensor(x))
    return Array(t.reshape(-1).cumsum(0) if axis is None else t.cumsum(axis))


# ---- shapes ----


@function
def reshape(x, *shape, order="C"):
    shape = shape[0] if isinstance(shape[0], (tuple, list)) else shape
    return moved(tensor(x), lambda at: at.reshape(shape, order=order))


@function
def ravel(x, order="C"): return Array(tensor(x)).ravel(order)


@function
def transpose(x, *axes):
    axes = axes[0] if axes and isinstance(axes[0], (tuple, list)) else axes
    return moved(tensor(x), lambda at: at.transpose(*axes))


def moving(name, is_method=False):
    def call(x, *arguments, **keywords):
        f = getattr(np, name)
        return moved(tensor(x), lambda at: f(at, *map(plain, arguments), **keywords))

    FUNCTIONS[name] = call
    if is_method:
        setattr(Array, name, call)
    return call


for name in "swapaxes squeeze repeat take diagonal".split():
    moving(name, True)
for name in "moveaxis flip tile broadcast_to".split():
    moving(name)
expand_dims = moving("expand_dims")
broadcast_to = moving("broadcast_to")


@function
def pad(x, widths, mode="constant", constant_values=0):
    at = np.pad(places(tensor(x)) + 1, widths)
    flat = torch.cat([real(constant_values).reshape(1), real(x).reshape(-1)])
    return Array(flat[torch.as_tensor(at.reshape(-1))].reshape(at.shape))


@function
def take_along_axis(x, index, axis):
    return moved(tensor(x), lambda at: np.take_along_axis(at, tensor(index).numpy(), axis))


@function
def gather(x, axis, index):
    return take_along_axis(x, index, axis)


for name in "concatenate stack vstack hstack column_stack".split():
    FUNCTIONS[name] = lambda parts, *a, f=getattr(np, name), **k: moved_together(parts, lambda at: f(at, *a, **k))
FUNCTIONS["cat"] = FUNCTIONS["concatenate"]


@function
def split(x, parts, axis=0):
    at = np.split(places(tensor(x)), parts, axis)
    return [moved(tensor(x), lambda _, a=a: a) for a in at]


# ---- constants ----


def constant(f):
    def call(*a, **k):
        asked = any(kind in (int, np.int32, np.int64) for kind in [k.get("dtype"), *a] if isinstance(kind, type))
        return Array(torch.as_tensor(f(*[plain(x) for x in a], **k)), asked)

    return call


for name in "zeros ones eye arange linspace".split():
    FUNCTIONS[name] = constant(getattr(np, name))
FUNCTIONS["full"] = lambda shape, x: Array(tensor(x).broadcast_to(shape).clone())
FUNCTIONS["full_like"] = lambda x, value: Array(real(value).broadcast_to(tensor(x).shape).clone())
for name in "zeros_like ones_like".split():
    FUNCTIONS[name] = lambda x, *a, f=getattr(np, name): Array(torch.as_tensor(f(tensor(x).detach().numpy(), *a)), x.whole)


@function
def one_hot(x, count):
    return Array(torch.nn.functional.one_hot(tensor(x), count))


random = np.random.RandomState
_state = [None]


def seed(s):
    _state[0] = np.random.RandomState(s)


def drawn(name, at, scale, size):
    """What NumPy draws, as a multiple of numbers that are the same each time."""
    if size is None:
        size = np.broadcast_shapes(tuple(tensor(at).shape), tuple(tensor(scale).shape))
    return at + scale * Array(torch.as_tensor(np.asarray(getattr(_state[0], name)(size=size))))


random_names = dict(
    seed=seed,
    rand=lambda *shape: Array(torch.as_tensor(np.asarray(_state[0].rand(*shape)))),
    randn=lambda *shape: Array(torch.as_tensor(np.asarray(_state[0].randn(*shape)))),
    uniform=lambda low=0.0, high=1.0, size=None: drawn("uniform", low, Array(tensor(high)) - low, size),
    normal=lambda loc=0.0, scale=1.0, size=None: drawn("normal", loc, scale, size),
)


def namespace():
    """The names that a program finds, besides its own."""
    module = types.SimpleNamespace(
        **FUNCTIONS, pi=math.pi, e=math.e, newaxis=None, inf=math.inf, float64=float, float32=float, int32=int, int64=int,
        random=types.SimpleNamespace(**random_names), linalg=types.SimpleNamespace(norm=FUNCTIONS["norm"]),
    )
    names = {name: f for name, f in FUNCTIONS.items() if name not in ("max", "min", "sum", "abs")}
    names.update(np=module, torch=module, F=module, numpy=module)
    return names


def variable(values, parameter):
    values = np.asarray(values)
    if not parameter and np.all(values == np.trunc(values)):
        return Array(torch.as_tensor(values.astype(np.int64)))
    return Array(torch.tensor(values.astype(np.float64), requires_grad=parameter))


class Names(dict):
    """Names that remember what they have stood for."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.versions = {}

    def __setitem__(self, name, thing):
        if isinstance(thing, Array):
            before = [t for named in self.versions.values() for t in named] + [v.t for v in self.values() if isinstance(v, Array)]
            if any(thing.t is t for t in before):
                thing = Array(thing.t.clone())  # under a second name it is another value
        super().__setitem__(name, thing)
        self.versions.setdefault(name, []).append(thing.t if isinstance(thing, Array) else None)


def run(text, parameters, data):
    """All names after the program, those of the parameters included."""
    names = Names(namespace())
    for name, values in list(parameters.items()) + list(data.items()):
        names[name] = variable(values, name in parameters)
    leaves = {name: names[name].t for name in parameters}
    exec(compile(text, "program", "exec"), names)
    return names, leaves


def gradients(names, leaves, wanted, output="loss"):
    """Of the parameters, and of the values that are called `wanted`: 0 where nothing comes back."""
    of = dict(leaves)
    for name in wanted:  # "h", or "h[2]" for what it was after its third assignment
        base, _, version = name.partition("[")
        of[name] = names.versions[base][int(version[:-1])] if version else names[name].t
    loss = names[output].t.reshape(())
    found = torch.autograd.grad(loss, list(of.values()), allow_unused=True)
    return float(loss), {n: np.zeros(tuple(t.shape)) if g is None else g.numpy() for (n, t), g in zip(of.items(), found)}
