/* Functions of the language that are written in it: what NumPy and PyTorch have and what other functions are put
 * together for. A name that begins with "torch." is what PyTorch means where that and NumPy's meaning differ; one that
 * begins with "_" is for other functions here.
 *
 * Each is read when a program calls it for the first time. What goes wrong in it stands at the program's call. */
#include "core/language/library.h"

#include <string.h>

/* ---- the functions ---- */

#define LINE "\n    "
#define BLOCK "\n        "

#define WRITTEN(name, use, text)                                                                                       \
    {                                                                                                                  \
        name, "*", library_call, text, use                                                                             \
    }

const struct builtin library_builtins[] = {
    /* element by element */
    WRITTEN("sinh", BOTH, "def f(x): return (np.expm1(x) - np.expm1(-x)) / 2"),
    WRITTEN("cosh", BOTH, "def f(x): return (np.exp(x) + np.exp(-x)) / 2"),
    WRITTEN("tan", BOTH, "def f(x): return np.sin(x) / np.cos(x)"),
    WRITTEN("arctanh", BOTH, "def f(x): return 0.5 * (np.log1p(x) - np.log1p(-x))"),
    WRITTEN("atanh", BOTH, "def f(x): return np.arctanh(x)"),
    WRITTEN("log2", BOTH, "def f(x): return np.log(x) / 0.6931471805599453"),
    WRITTEN("log10", BOTH, "def f(x): return np.log(x) / 2.302585092994046"),
    WRITTEN("exp2", BOTH, "def f(x): return np.exp(0.6931471805599453 * x)"),
    WRITTEN("rsqrt", BOTH, "def f(x): return 1 / np.sqrt(x)"),
    WRITTEN("hypot", FREE, "def f(x, y): return np.sqrt(x * x + y * y)"),
    WRITTEN("logaddexp", BOTH, "def f(x, y): return y + softplus(x - y)"),
    WRITTEN("heaviside", FREE, "def f(x, value): return np.where(x < 0, 0.0, np.where(x > 0, 1.0, value))"),
    WRITTEN("float_power", FREE, "def f(x, y): return np.power(x, y)"),
    WRITTEN("expit", FREE, "def f(x): return sigmoid(x)"),
    WRITTEN("positive", FREE, "def f(x): return +x"),
    WRITTEN("mod", FREE, "def f(x, y): return x % y"),
    WRITTEN("remainder", BOTH, "def f(x, y): return x % y"),
    WRITTEN("floor_divide", FREE, "def f(x, y): return x // y"),
    WRITTEN("logical_xor", FREE, "def f(x, y): return (x != 0) != (y != 0)"),
    WRITTEN("bitwise_and", FREE, "def f(x, y): return x & y"),
    WRITTEN("bitwise_or", FREE, "def f(x, y): return x | y"),
    WRITTEN("isnan", FREE, "def f(x): return x != x"),
    WRITTEN("isinf", FREE, "def f(x): return np.abs(x) == np.inf"),
    WRITTEN("isfinite", FREE, "def f(x): return np.abs(x) < np.inf"),
    WRITTEN("nan_to_num", FREE,
            "def f(x, copy=True, nan=0.0, posinf=1.7976931348623157e308, neginf=-1.7976931348623157e308):\n"
            "  return np.where(x != x, nan, np.where(x == np.inf, posinf, np.where(x == -np.inf, neginf, x)))"),
    WRITTEN("round", BOTH, "def f(x, decimals=0): return np.rint(x * 10.0 ** decimals) / 10.0 ** decimals"),
    WRITTEN("around", FREE, "def f(x, decimals=0): return np.round(x, decimals)"),
    WRITTEN("clamp_min", BOTH, "def f(x, min): return np.clip(x, min, None)"),
    WRITTEN("clamp_max", BOTH, "def f(x, max): return np.clip(x, None, max)"),
    WRITTEN("select", FREE,
            "def f(conditions, choices, default=0):" LINE "for i in reversed(range(len(conditions))):" BLOCK
            "default = np.where(conditions[i], choices[i], default)" LINE "return default"),
    WRITTEN("masked_fill", BOTH, "def f(x, mask, value): return np.where(mask, value, x)"),

    /* activations; where a bound is met exactly, its side of no slope counts, as in PyTorch */
    WRITTEN("selu", BOTH,
            "def f(x): return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)"),
    WRITTEN("celu", BOTH, "def f(x, alpha=1.0): return alpha * elu(x / alpha, 1.0)"),
    WRITTEN("softsign", BOTH, "def f(x): return x / (1 + np.abs(x))"),
    WRITTEN("hardtanh", BOTH,
            "def f(x, min_val=-1.0, max_val=1.0): return np.minimum(max_val, np.maximum(min_val, x))"),
    WRITTEN("relu6", BOTH, "def f(x): return np.minimum(6.0, np.maximum(0.0, x))"),
    WRITTEN("hardsigmoid", BOTH, "def f(x): return np.minimum(6.0, np.maximum(0.0, x + 3)) / 6"),
    WRITTEN("hardswish", BOTH, "def f(x): return np.where(x < -3, 0 * x, np.where(x <= 3, x * (x + 3) / 6, x))"),
    WRITTEN("mish", BOTH, "def f(x): return x * np.tanh(softplus(x))"),
    WRITTEN("log_sigmoid", BOTH, "def f(x): return -softplus(-x)"),
    WRITTEN("logsigmoid", FREE, "def f(x): return -softplus(-x)"),
    WRITTEN("softmin", BOTH, "def f(x, axis=-1): return softmax(-x, axis=axis)"),
    WRITTEN("special.softmax", FREE,
            "def f(x, axis=None):" LINE "if axis is None: return softmax(np.ravel(x)).reshape(x.shape)" LINE
            "return softmax(x, axis=axis)"),
    WRITTEN("special.log_softmax", FREE,
            "def f(x, axis=None):" LINE "if axis is None: return log_softmax(np.ravel(x)).reshape(x.shape)" LINE
            "return log_softmax(x, axis=axis)"),
    WRITTEN("swish", BOTH, "def f(x, beta=1.0): return x * sigmoid(beta * x)"),
    WRITTEN("scaled_tanh", BOTH, "def f(x): return 1.7159 * np.tanh(x * (2 / 3))"),
    WRITTEN("threshold", FREE, "def f(x, threshold, value): return np.where(x > threshold, x, value)"),
    WRITTEN("tanhshrink", FREE, "def f(x): return x - np.tanh(x)"),
    WRITTEN("softshrink", FREE,
            "def f(x, lambd=0.5): return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0 * x))"),
    WRITTEN("hardshrink", FREE, "def f(x, lambd=0.5): return np.where(np.abs(x) > lambd, x, 0 * x)"),
    WRITTEN("prelu", BOTH,
            "def f(x, weight):" LINE "if np.size(weight) > 1 and np.ndim(x) > 2:" BLOCK
            "weight = np.reshape(weight, [-1] + [1 for i in range(np.ndim(x) - 2)])" LINE
            "return np.where(x > 0, x, weight * x)"),
    WRITTEN("glu", FREE, "def f(x, axis=-1):" LINE "a, b = np.split(x, 2, axis)" LINE "return a * sigmoid(b)"),
    WRITTEN("torch.softplus", FREE, "def f(x, beta=1.0, threshold=None):" LINE "return softplus(beta * x) / beta"),

    /* products */
    WRITTEN("inner", BOTH, "def f(x, y): return np.dot(x, y) if np.ndim(y) < 2 else x @ np.swapaxes(y, -1, -2)"),
    WRITTEN("vdot", FREE, "def f(x, y): return np.sum(np.ravel(x) * np.ravel(y))"),
    WRITTEN("mv", BOTH, "def f(x, y): return x @ y"),
    WRITTEN("addmm", FREE, "def f(x, y, z): return x + y @ z"),
    WRITTEN("multi_dot", FREE,
            "def f(arrays):" LINE "y = arrays[0]" LINE "for i in range(1, len(arrays)): y = y @ arrays[i]" LINE
            "return y"),
    WRITTEN("tensordot", FREE,
            "def f(x, y, axes=2):" LINE "n, m = np.ndim(x), np.ndim(y)" LINE "if np.ndim(axes) == 0:" BLOCK
            "left, right = list(range(n - axes, n)), list(range(axes))" LINE "else:" BLOCK "left, right = axes" BLOCK
            "if np.ndim(left) == 0: left, right = [left], [right]" LINE "left = [i % n for i in left]" LINE
            "right = [i % m for i in right]" LINE "rest = [i for i in range(n) if not (i in left)]" LINE
            "others = [i for i in range(m) if not (i in right)]" LINE "k = 1" LINE
            "for i in left: k = k * x.shape[i]" LINE
            "out = [x.shape[i] for i in rest] + [y.shape[i] for i in others]" LINE
            "z = np.transpose(x, rest + left).reshape(-1, k) @ np.transpose(y, right + others).reshape(k, -1)" LINE
            "return z.reshape(out)"),
    WRITTEN("cross", BOTH,
            "def f(x, y):" LINE "if x.shape[-1] != 3 or y.shape[-1] != 3: raise \"cross takes vectors of three\"" LINE
            "return np.stack([x[..., 1] * y[..., 2] - x[..., 2] * y[..., 1], x[..., 2] * y[..., 0] - x[..., 0] * "
            "y[..., 2], x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]], axis=-1)"),
    WRITTEN("trace", BOTH, "def f(x): return np.sum(np.diagonal(x))"),
    WRITTEN("diag", BOTH,
            "def f(x, k=0):" LINE "if k != 0: raise \"diag has the main diagonal alone\"" LINE
            "return np.diagonal(x) if np.ndim(x) == 2 else x[:, None] * np.eye(len(x))"),

    /* Python's */
    WRITTEN("map", FREE,
            "def f(g, x, y=None): return [g(a) for a in x] if y is None else [g(a, b) for a, b in zip(x, y)]"),
    WRITTEN("fromkeys", METHOD, "def f(kind, keys, value=None): return {key: value for key in keys}"),

    /* reductions */
    WRITTEN("average", FREE,
            "def f(x, axis=None, weights=None, keepdims=False):" LINE
            "if weights is None: return np.mean(x, axis, keepdims)" LINE
            "if np.ndim(weights) == 1 and np.ndim(x) > 1:" BLOCK "shape = [1 for i in range(np.ndim(x))]" BLOCK
            "shape[axis] = len(weights)" BLOCK "weights = np.reshape(weights, shape)" LINE
            "return np.sum(x * weights, axis, keepdims) / np.sum(weights + 0 * x, axis, keepdims)"),
    WRITTEN("ptp", FREE, "def f(x, axis=None): return np.max(x, axis) - np.min(x, axis)"),
    WRITTEN("any", BOTH, "def f(x, axis=None, keepdims=False): return np.sum(np.asarray(x) != 0, axis, keepdims) > 0"),
    WRITTEN("all", BOTH, "def f(x, axis=None, keepdims=False): return np.sum(np.asarray(x) == 0, axis, keepdims) < 1"),
    WRITTEN("count_nonzero", BOTH, "def f(x, axis=None): return np.sum(x != 0, axis)"),
    WRITTEN("sort", FREE,
            "def f(x, axis=-1):" LINE "if axis is None: x, axis = np.ravel(x), 0" LINE
            "return np.take_along_axis(x, np.argsort(x, axis), axis=axis)"),
    WRITTEN("median", FREE,
            "def f(x, axis=None):" LINE "if axis is None: x, axis = np.ravel(x), 0" LINE
            "y = np.moveaxis(np.sort(x, axis), axis, 0)" LINE "n = len(y)" LINE
            "return (y[(n - 1) // 2] + y[n // 2]) / 2"),
    WRITTEN("diff", FREE,
            "def f(x, n=1, axis=-1):" LINE "y = np.moveaxis(x, axis, 0)" LINE
            "for i in range(n): y = y[1:] - y[:-1]" LINE "return np.moveaxis(y, 0, axis)"),
    WRITTEN("bincount", FREE,
            "def f(x, weights=None, minlength=0):" LINE "n = max(int(np.max(x)) + 1, minlength)" LINE
            "hot = one_hot(x, n)" LINE
            "return np.sum(hot, axis=0) if weights is None else np.sum(hot * weights[:, None], axis=0)"),
    WRITTEN("torch.max", FREE,
            "def f(x, axis=None, keepdims=False):" LINE "if axis is None: return np.max(x)" LINE
            "if np.ndim(axis) > 0: return np.maximum(x, axis)" LINE
            "return np.max(x, axis, keepdims), np.argmax(x, axis, keepdims)"),
    WRITTEN("torch.min", FREE,
            "def f(x, axis=None, keepdims=False):" LINE "if axis is None: return np.min(x)" LINE
            "if np.ndim(axis) > 0: return np.minimum(x, axis)" LINE
            "return np.min(x, axis, keepdims), np.argmin(x, axis, keepdims)"),
    WRITTEN("torch.var", FREE,
            "def f(x, axis=None, unbiased=True, keepdims=False, correction=None, ddof=None):" LINE
            "if correction is None: correction = ddof if ddof is not None else 1 if unbiased else 0" LINE
            "return np.var(x, axis, keepdims, correction)"),
    WRITTEN("torch.std", FREE,
            "def f(x, axis=None, unbiased=True, keepdims=False, correction=None, ddof=None):" LINE
            "if correction is None: correction = ddof if ddof is not None else 1 if unbiased else 0" LINE
            "return np.std(x, axis, keepdims, correction)"),
    WRITTEN("normalize", FREE,
            "def f(x, p=2, axis=1, eps=1e-12):" LINE
            "return x / np.clip(np.linalg.norm(x, p, axis, keepdims=True), eps, None)"),
    WRITTEN("cosine_similarity", FREE,
            "def f(x, y, axis=1, eps=1e-8):" LINE
            "return np.sum(x * y, axis) / (np.clip(np.linalg.norm(x, 2, axis), eps, None) * "
            "np.clip(np.linalg.norm(y, 2, axis), eps, None))"),
    WRITTEN("pairwise_distance", FREE,
            "def f(x, y, p=2, eps=1e-6, keepdims=False):" LINE
            "return np.linalg.norm(x - y + eps, p, -1, keepdims=keepdims)"),

    /* shapes and parts */
    WRITTEN("expand_as", METHOD, "def f(x, other): return np.broadcast_to(x, other.shape)"),
    WRITTEN("view_as", METHOD, "def f(x, other): return x.reshape(other.shape)"),
    WRITTEN("reshape_as", METHOD, "def f(x, other): return x.reshape(other.shape)"),
    WRITTEN("atleast_2d", FREE, "def f(x): return np.reshape(x, (1, -1)) if np.ndim(x) < 2 else x"),
    WRITTEN("append", FREE,
            "def f(x, values, axis=None):" LINE
            "if axis is None: return np.concatenate([np.ravel(x), np.ravel(values)])" LINE
            "return np.concatenate([x, values], axis)"),
    WRITTEN("hsplit", FREE, "def f(x, parts): return np.split(x, parts, 1 if np.ndim(x) > 1 else 0)"),
    WRITTEN("vsplit", FREE, "def f(x, parts): return np.split(x, parts, 0)"),
    WRITTEN("unbind", BOTH,
            "def f(x, axis=0):" LINE "y = np.moveaxis(x, axis, 0)" LINE "return [y[i] for i in range(len(y))]"),
    WRITTEN("torch.split", FREE,
            "def f(x, size, axis=0):" LINE "places, place = [], 0" LINE "if np.ndim(size) == 0:" BLOCK
            "places = list(range(size, x.shape[axis], size))" LINE "else:" BLOCK
            "for n in size[:-1]: place += n; places.append(place)" BLOCK
            "if sum(size) != x.shape[axis]: raise \"split takes sizes that add up to the axis\"" LINE
            "return np.split(x, places, axis) if len(places) > 0 else [x]"),
    WRITTEN("split", METHOD, "def f(x, size, axis=0): return torch.split(x, size, axis)"),
    WRITTEN("torch.pad", FREE,
            "def f(x, pad, mode=\"constant\", value=0.0):" LINE "pairs, n = [], np.ndim(x)" LINE
            "for i in range(n):" BLOCK "j = n - 1 - i" BLOCK
            "pairs.append((pad[2 * j], pad[2 * j + 1]) if 2 * j < len(pad) else (0, 0))" LINE
            "return np.pad(x, pairs, mode, value)"),
    WRITTEN("diagflat", FREE, "def f(x, k=0): return np.diag(np.reshape(x, -1), k)"),
    WRITTEN("atleast_1d", FREE, "def f(x): return np.reshape(x, 1) if np.ndim(x) == 0 else np.asarray(x)"),
    WRITTEN("unravel_index", FREE,
            "def f(indices, shape):" LINE
            "if np.max(indices) >= np.prod(shape): raise \"unravel_index: an index is out of range\"" LINE
            "places = []" LINE "for n in reversed(shape):" BLOCK "places.insert(0, indices % n)" BLOCK
            "indices = indices // n" LINE "return tuple(places)"),
    WRITTEN("ndindex", FREE,
            "def f(a, b=None, c=None, d=None):" LINE
            "shape = a if np.ndim(a) > 0 else [n for n in [a, b, c, d] if n is not None]" LINE "places = [()]" LINE
            "for n in shape:" BLOCK "longer = []" BLOCK
            "for place in places: longer.extend([place + (i,) for i in range(n)])" BLOCK "places = longer" LINE
            "return places"),
    WRITTEN("fliplr", FREE, "def f(x): return x[:, ::-1]"),
    WRITTEN("flipud", FREE, "def f(x): return x[::-1]"),
    WRITTEN("rot90", FREE,
            "def f(x, k=1):" LINE "for i in range(k % 4): x = np.transpose(x)[::-1] if np.ndim(x) == 2 else "
            "np.swapaxes(x, 0, 1)[::-1]" LINE "return x"),
    WRITTEN("roll", BOTH,
            "def f(x, shift, axis=None, shifts=None):" LINE "if axis is None:" BLOCK
            "return np.roll(np.ravel(x), shift, 0).reshape(x.shape)" LINE "y = np.moveaxis(x, axis, 0)" LINE
            "n = len(y)" LINE "s = shift % max(n, 1)" LINE "if s == 0: return np.copy(x)" LINE
            "return np.moveaxis(np.concatenate([y[n - s:], y[:n - s]]), 0, axis)"),
    WRITTEN("repeat_interleave", BOTH, "def f(x, repeats, axis=None): return np.repeat(x, repeats, axis=axis)"),
    WRITTEN("_below", FREE,
            "def f(x, k): return np.arange(x.shape[-1])[None, :] - np.arange(x.shape[-2])[:, None] <= k"),
    WRITTEN("tril", BOTH, "def f(x, k=0, diagonal=0): return np.where(_below(x, k + diagonal), x, 0)"),
    WRITTEN("triu", BOTH, "def f(x, k=0, diagonal=0): return np.where(_below(x, k + diagonal - 1), 0, x)"),
    WRITTEN("index_select", BOTH, "def f(x, axis, index): return np.take(x, index, axis=axis)"),
    WRITTEN("masked_select", BOTH, "def f(x, mask): return x[mask != 0]"),
    WRITTEN("extract", FREE, "def f(mask, x): return np.ravel(x)[np.ravel(mask) != 0]"),

    /* layers */
    WRITTEN("torch.linear", FREE,
            "def f(x, weight, bias=None):" LINE "y = x @ weight.T" LINE "return y if bias is None else y + bias"),
    WRITTEN("_normal", FREE,
            "def f(x, axes, eps, correction=0):" LINE "off = x - np.mean(x, axes, keepdims=True)" LINE
            "return off / np.sqrt(np.var(x, axes, keepdims=True, ddof=correction) + eps)"),
    WRITTEN("_affine", FREE,
            "def f(y, gamma, beta, shape):" LINE "if gamma is not None: y = y * np.reshape(gamma, shape)" LINE
            "return y if beta is None else y + np.reshape(beta, shape)"),
    WRITTEN("batch_norm", BOTH,
            "def f(x, gamma=None, beta=None, eps=1e-5, running_mean=None, running_var=None, correction=0):" LINE
            "n = np.ndim(x)" LINE "if n < 2: raise \"batch_norm takes [samples, features] or more axes\"" LINE
            "shape = [x.shape[1] if i == 1 else 1 for i in range(n)]" LINE "if running_mean is None:" BLOCK
            "y = _normal(x, [i for i in range(n) if i != 1], eps, correction)" LINE "else:" BLOCK
            "y = (x - np.reshape(running_mean, shape)) / np.sqrt(np.reshape(running_var, shape) + eps)" LINE
            "return _affine(y, gamma, beta, shape)"),
    WRITTEN("torch.batch_norm", FREE,
            "def f(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, "
            "eps=1e-5):" LINE "if training: running_mean = None" LINE
            "return batch_norm(x, weight, bias, eps, running_mean, running_var)"),
    WRITTEN("torch.layer_norm", FREE,
            "def f(x, normalized_shape, weight=None, bias=None, eps=1e-5):" LINE
            "shape = [normalized_shape] if np.ndim(normalized_shape) == 0 else list(normalized_shape)" LINE
            "n, k = np.ndim(x), len(shape)" LINE
            "if list(x.shape[n - k:]) != shape: raise \"layer_norm takes the lengths of the last axes\"" LINE
            "if k == 1 and weight is not None and bias is not None: return np.layer_norm(x, weight, bias, eps=eps)" LINE
            "return _affine(_normal(x, list(range(n - k, n)), eps), weight, bias, shape)"),
    WRITTEN("group_norm", BOTH,
            "def f(x, num_groups, gamma=None, beta=None, eps=1e-5):" LINE
            "shape = [x.shape[1] if i == 1 else 1 for i in range(np.ndim(x))]" LINE
            "if x.shape[1] % num_groups != 0: raise \"group_norm takes groups of equally many channels\"" LINE
            "y = _normal(np.reshape(x, (x.shape[0], num_groups, -1)), 2, eps)" LINE
            "return _affine(y.reshape(x.shape), gamma, beta, shape)"),
    WRITTEN("instance_norm", BOTH,
            "def f(x, gamma=None, beta=None, eps=1e-5): return group_norm(x, x.shape[1], gamma, beta, eps)"),
    WRITTEN("torch.instance_norm", FREE,
            "def f(x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, "
            "eps=1e-5):" LINE "if not use_input_stats: return batch_norm(x, weight, bias, eps, running_mean, "
            "running_var)" LINE "return instance_norm(x, weight, bias, eps)"),
    WRITTEN("rms_norm", BOTH,
            "def f(x, gamma=None, eps=1e-5):" LINE "y = x / np.sqrt(np.mean(x ** 2, axis=-1, keepdims=True) + eps)" LINE
            "return y if gamma is None else y * gamma"),
    WRITTEN("torch.rms_norm", FREE,
            "def f(x, normalized_shape, weight=None, eps=2.220446049250313e-16): return rms_norm(x, weight, eps)"),
    WRITTEN("embedding", FREE,
            "def f(x, weight, padding_idx=None):" LINE "y = weight[x]" LINE "if padding_idx is None: return y" LINE
            "return np.where((x == padding_idx)[..., None], stop_gradient(y), y)"),
    WRITTEN("dropout", BOTH, "def f(x, mask, p=0.5, scaled=True): return x * mask / (1 - p) if scaled else x * mask"),
    WRITTEN("torch.dropout", FREE,
            "def f(x, p=0.5, training=True, inplace=False):" LINE "if training and p > 0: raise \"dropout draws other "
            "numbers each time: multiply by a mask, as dropout(x, mask, p) does\"" LINE "return x"),
    WRITTEN("_adaptive_pool", FREE,
            "def f(x, output_size, largest):" LINE
            "h, w = (output_size, output_size) if np.ndim(output_size) == 0 else output_size" LINE
            "H, W, parts = x.shape[-2], x.shape[-1], []" LINE "for i in range(h):" BLOCK "for j in range(w):" BLOCK
            "    part = x[..., i * H // h:((i + 1) * H + h - 1) // h, j * W // w:((j + 1) * W + w - 1) // w]" BLOCK
            "    parts.append(np.max(part, axis=(-2, -1)) if largest else np.mean(part, axis=(-2, -1)))" LINE
            "return np.stack(parts, axis=-1).reshape(list(x.shape[:-2]) + [h, w])"),
    WRITTEN("adaptive_avg_pool2d", FREE, "def f(x, output_size): return _adaptive_pool(x, output_size, False)"),
    WRITTEN("adaptive_max_pool2d", FREE, "def f(x, output_size): return _adaptive_pool(x, output_size, True)"),
    WRITTEN("scaled_dot_product_attention", FREE,
            "def f(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):" LINE
            "if dropout_p > 0: raise \"dropout draws other numbers each time\"" LINE
            "if scale is None: scale = 1 / np.sqrt(query.shape[-1])" LINE
            "s = query @ np.swapaxes(key, -1, -2) * scale" LINE
            "if is_causal: s = np.where(_below(s, 0), s, -np.inf)" LINE
            "if attn_mask is not None: s = np.where(attn_mask, s, -np.inf) if attn_mask.dtype == \"bool\" else s + "
            "attn_mask" LINE "return softmax(s, axis=-1) @ value"),

    /* losses */
    WRITTEN("_reduced", FREE,
            "def f(l, reduction):" LINE "if reduction == \"none\": return l" LINE
            "if reduction == \"sum\": return np.sum(l)" LINE
            "if reduction == \"batchmean\": return np.sum(l) / l.shape[0]" LINE
            "if reduction != \"mean\": raise \"reduction is mean, sum, batchmean or none\"" LINE "return np.mean(l)"),
    WRITTEN("_mse", FREE, "def f(x, y, reduction=\"mean\"): return _reduced((x - y) ** 2, reduction)"),
    WRITTEN("_l1", FREE, "def f(x, y, reduction=\"mean\"): return _reduced(np.abs(x - y), reduction)"),
    WRITTEN("_smooth_l1", FREE,
            "def f(x, y, beta=1.0, reduction=\"mean\"):" LINE "d = x - y" LINE
            "return _reduced(np.where(np.abs(d) < beta, 0.5 * d ** 2 / beta, np.abs(d) - 0.5 * beta), reduction)"),
    WRITTEN("_huber", FREE,
            "def f(x, y, delta=1.0, reduction=\"mean\"):" LINE "d = x - y" LINE
            "return _reduced(np.where(np.abs(d) <= delta, 0.5 * d ** 2, delta * (np.abs(d) - 0.5 * delta)), "
            "reduction)"),
    WRITTEN("_bce", FREE,
            "def f(x, y, weight=1.0, reduction=\"mean\"):" LINE
            "l = -(y * np.clip(np.log(x), -100, None) + (1 - y) * np.clip(np.log1p(-x), -100, None))" LINE
            "return _reduced(weight * l, reduction)"),
    WRITTEN("_bce_with_logits", FREE,
            "def f(x, y, weight=1.0, reduction=\"mean\", pos_weight=1.0):" LINE
            "return _reduced(weight * (pos_weight * y * softplus(-x) + (1 - y) * softplus(x)), reduction)"),
    WRITTEN("_nll", FREE,
            "def f(x, y, weight=None, ignore_index=-100, reduction=\"mean\", label_smoothing=0.0):" LINE
            "n, classes = np.ndim(x), x.shape[1]" LINE "shape = [classes if i == 1 else 1 for i in range(n)]" LINE
            "w = np.ones(shape) if weight is None else np.reshape(weight, shape)" LINE "if np.ndim(y) == n:" BLOCK
            "l = -np.sum(((1 - label_smoothing) * y + label_smoothing / classes) * w * x, axis=1)" BLOCK
            "return np.sum(l) / l.size if reduction == \"mean\" else _reduced(l, reduction)" LINE
            "keep = y != ignore_index" LINE "hot = np.moveaxis(one_hot(np.where(keep, y, 0), classes), -1, 1)" LINE
            "l = (1 - label_smoothing) * np.sum(hot * w * x, axis=1) + label_smoothing / classes * np.sum(w * x, "
            "axis=1)" LINE "l = np.where(keep, -l, 0)" LINE
            "if reduction != \"mean\": return _reduced(l, reduction)" LINE
            "return np.sum(l) / np.sum(keep * np.sum(hot * w, axis=1))"),
    WRITTEN("_cross_entropy", FREE,
            "def f(x, y, weight=None, ignore_index=-100, reduction=\"mean\", label_smoothing=0.0):" LINE
            "return _nll(log_softmax(x, axis=1), y, weight, ignore_index, reduction, label_smoothing)"),
    WRITTEN("kl_div", FREE,
            "def f(x, y, reduction=\"mean\", log_target=False):" LINE
            "if log_target: return _reduced(np.exp(y) * (y - x), reduction)" LINE
            "return _reduced(np.where(y > 0, y * (np.log(np.where(y > 0, y, 1)) - x), 0), reduction)"),
    WRITTEN("poisson_nll_loss", FREE,
            "def f(x, y, log_input=True, full=False, eps=1e-8, reduction=\"mean\"):" LINE
            "if full: raise \"poisson_nll_loss leaves Stirling's term out\"" LINE
            "return _reduced(np.exp(x) - y * x if log_input else x - y * np.log(x + eps), reduction)"),
    WRITTEN("gaussian_nll_loss", FREE,
            "def f(x, y, var, full=False, eps=1e-6, reduction=\"mean\"):" LINE
            "v = var + stop_gradient(np.maximum(var, eps) - var)" LINE "l = 0.5 * (np.log(v) + (x - y) ** 2 / v)" LINE
            "return _reduced(l + 0.9189385332046727 if full else l, reduction)"),
    WRITTEN("soft_margin_loss", FREE, "def f(x, y, reduction=\"mean\"): return _reduced(softplus(-y * x), reduction)"),
    WRITTEN("multi_margin_loss", FREE,
            "def f(x, y, p=1, margin=1.0, reduction=\"mean\"):" LINE "hot = one_hot(y, x.shape[1])" LINE
            "own = np.sum(hot * x, axis=1, keepdims=True)" LINE
            "l = (1 - hot) * np.clip(margin - own + x, 0, None) ** p" LINE
            "return _reduced(np.sum(l, axis=1) / x.shape[1], reduction)"),
    WRITTEN("margin_ranking_loss", FREE,
            "def f(x, other, y, margin=0.0, reduction=\"mean\"):" LINE
            "return _reduced(np.clip(margin - y * (x - other), 0, None), reduction)"),
    WRITTEN("cosine_embedding_loss", FREE,
            "def f(x, other, y, margin=0.0, reduction=\"mean\"):" LINE
            "squares = (np.sum(x * x, -1) + 1e-12) * (np.sum(other * other, -1) + 1e-12)" LINE
            "c = np.sum(x * other, -1) / np.sqrt(squares)" LINE
            "return _reduced(np.where(y > 0, 1 - c, np.clip(c - margin, 0, None)), reduction)"),
    WRITTEN("hinge_embedding_loss", FREE,
            "def f(x, y, margin=1.0, reduction=\"mean\"):" LINE
            "return _reduced(np.where(y > 0, x, np.clip(margin - x, 0, None)), reduction)"),
    WRITTEN("triplet_margin_loss", FREE,
            "def f(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, reduction=\"mean\"):" LINE
            "near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)" LINE
            "return _reduced(np.clip(near - far + margin, 0, None), reduction)"),
    WRITTEN("log_cosh", FREE,
            "def f(x, y, reduction=\"mean\"):" LINE "d = x - y" LINE
            "return _reduced(d + softplus(-2 * d) - 0.6931471805599453, reduction)"),
    WRITTEN("rmse", FREE, "def f(x, y): return np.sqrt(np.mean((x - y) ** 2))"),
    WRITTEN("upstream", FREE, "def f(x, upstream): return np.sum(x * upstream)"),
    {.name = NULL},
};

/* ---- calling them ---- */

/* The def of a function, which is read once. */
static int find_definition(struct evaluation *e, const struct builtin *builtin, const struct statement **definition)
{
    for (struct library_function *w = e->library; w != NULL; w = w->next)
        if (w->builtin == builtin) {
            *definition = w->definition;
            return CODE_OK;
        }
    struct library_function *w = arena_zeroed(e->arena, 1, sizeof *w);
    struct syntax *syntax = arena_zeroed(e->arena, 1, sizeof *syntax);
    if (w == NULL || syntax == NULL) return evaluation_no_memory(e);
    if (syntax_read(e->reader, builtin->op, strlen(builtin->op), syntax) != CODE_OK) return evaluation_failed(e);
    syntax->body.list[0]->name = builtin->name;
    *definition = syntax->body.list[0];
    *w = (struct library_function){.next = e->library, .builtin = builtin, .definition = *definition};
    e->library = w;
    return CODE_OK;
}

static const char *find_called(const struct statement *definition, const char *name)
{
    for (size_t p = 0; p < definition->parameter_count; p++)
        if (strcmp(definition->parameters[p].name, name) == 0) return definition->parameters[p].name;
    return NULL;
}

/* The parameter that a keyword means. */
static const char *parameter_of(const struct statement *definition, const char *keyword)
{
    const char *other, *found = find_called(definition, keyword);
    for (size_t i = 0; found == NULL && function_same_keyword(i, keyword, &other); i++)
        if (other != NULL) found = find_called(definition, other);
    return found;
}

int library_call(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    const struct statement *definition = NULL;
    size_t n = a->rest.count, count = n + a->keyword_count;
    if (find_definition(e, a->builtin, &definition) != CODE_OK) return evaluation_failed(e);
    struct thing *things = arena_array(e->arena, count, sizeof *things);
    const char **keywords = arena_zeroed(e->arena, count, sizeof *keywords);
    if (things == NULL || keywords == NULL) return evaluation_no_memory(e);
    if (n > 0) memcpy(things, a->rest.items, n * sizeof *things);
    for (size_t i = 0; i < a->keyword_count; i++) {
        const char *name = parameter_of(definition, a->keywords[i]);
        if (name == NULL && function_passes_over(a->keywords[i])) continue;
        if (name == NULL) return evaluation_fault(e, "%s has no argument \"%.40s\"", a->builtin->name, a->keywords[i]);
        keywords[n] = name;
        things[n++] = a->keyword_things[i];
    }
    return evaluation_call_written(e, definition, things, keywords, n, result);
}
