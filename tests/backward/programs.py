"""Backward passes as students write them, each right, and slips in their lines: what is put in place of what.

A case is (name, program, shapes, backward, slips[, more]). Shapes are those of the parameters and of the data; of classes
the number of them. A slip is (what stands in the code, what stands there instead); the line it is in is the one that is
to be found wrong.
"""

CASES = []


def case(name, program, parameters, data, backward, slips, **more):
    CASES.append({"name": name, "program": program, "parameters": parameters, "data": data, "backward": backward, "slips": slips, "more": more})


# ---- the lab's network, as a class ----
MLP = """z1 = X @ W1 + b1
h1 = np.maximum(0, z1)
z2 = h1 @ W2 + b2
h2 = np.maximum(0, z2)
z3 = h2 @ W3 + b3
y_hat = sigmoid(z3)
loss = np.mean((y_hat - y)**2)
"""
MLP_SHAPES = {"W1": (2, 3), "b1": (1, 3), "W2": (3, 2), "b2": (1, 2), "W3": (2, 1), "b3": (1, 1)}

case("lab class", MLP, MLP_SHAPES, {"X": (6, 2), "y": (6, 1)}, '''class MLP:
    """A small network."""

    def __init__(self):
        super().__init__()

    def relu_derivative(self, z):
        return (z > 0).astype(float)

    def backward(self, X, y):
        """Backward pass."""
        batch_size = X.shape[0]
        dy_hat = 2 * (self.y_hat - y) / batch_size
        dz3 = dy_hat * self.y_hat * (1 - self.y_hat)
        dW3 = self.h2.T @ dz3
        db3 = np.sum(dz3, axis=0, keepdims=True)
        dh2 = dz3 @ self.W3.T
        dz2 = dh2 * self.relu_derivative(self.z2)
        dW2 = self.h1.T @ dz2
        db2 = np.sum(dz2, axis=0, keepdims=True)
        dh1 = dz2 @ self.W2.T
        dz1 = dh1 * self.relu_derivative(self.z1)
        dW1 = X.T @ dz1
        db1 = np.sum(dz1, axis=0, keepdims=True)
        assert dW1.shape == self.W1.shape
        return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
''', [
    ("dz3 = dy_hat * self.y_hat * (1 - self.y_hat)", "dz3 = dy_hat * self.y_hat"),
    ("dy_hat = 2 * (self.y_hat - y) / batch_size", "dy_hat = 2 * (y - self.y_hat) / batch_size"),
    ("dW2 = self.h1.T @ dz2", "dW2 = self.z1.T @ dz2"),
    ("db2 = np.sum(dz2, axis=0, keepdims=True)", "db2 = np.mean(dz2, axis=0, keepdims=True)"),
    ("dz1 = dh1 * self.relu_derivative(self.z1)", "dz1 = dh1"),
    ("dh1 = dz2 @ self.W2.T", "dh1 = dz3 @ self.W3.T"),
    ("batch_size = X.shape[0]", "batch_size = X.shape[1]"),
])

case("lab lines", MLP, MLP_SHAPES, {"X": (6, 2), "y": (6, 1)}, """m = y.shape[0]
delta3 = 2 / m * (y_hat - y) * y_hat * (1 - y_hat)
grad_W3 = h2.T.dot(delta3)
grad_b3 = delta3.sum(axis=0, keepdims=True)
delta2 = delta3.dot(W3.T) * (z2 > 0)
grad_W2 = h1.T.dot(delta2)
grad_b2 = delta2.sum(axis=0, keepdims=True)
delta1 = delta2.dot(W2.T) * (z1 > 0)
grad_W1 = X.T.dot(delta1)
grad_b1 = delta1.sum(axis=0, keepdims=True)
""", [
    ("delta3 = 2 / m * (y_hat - y) * y_hat * (1 - y_hat)", "delta3 = 2 / m * (y_hat - y)"),
    ("delta2 = delta3.dot(W3.T) * (z2 > 0)", "delta2 = delta3.dot(W3.T)"),
    ("grad_b1 = delta1.sum(axis=0, keepdims=True)", "grad_b1 = delta1.sum()"),
    ("delta1 = delta2.dot(W2.T) * (z1 > 0)", "delta1 = delta2.dot(W2.T) * z1"),
])

# ---- deeplearning.ai: columns ----
SHALLOW = """Z1 = np.dot(W1, X) + b1
A1 = np.tanh(Z1)
Z2 = np.dot(W2, A1) + b2
A2 = sigmoid(Z2)
m = X.shape[1]
loss = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
"""
SHALLOW_SHAPES = {"W1": (4, 2), "b1": (4, 1), "W2": (1, 4), "b2": (1, 1)}
case("deeplearning.ai, one hidden layer", SHALLOW, SHALLOW_SHAPES, {"X": (2, 7), "Y": "bits 1 7"}, '''def backward_propagation(parameters, cache, X, Y):
    """
    Implement the backward propagation using the instructions above.
    """
    m = X.shape[1]
    W1 = parameters['W1']
    W2 = parameters['W2']
    A1 = cache['A1']
    A2 = cache['A2']
    dZ2 = A2 - Y
    dW2 = 1/m * np.dot(dZ2, A1.T)
    db2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = 1/m * np.dot(dZ1, X.T)
    db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)
    grads = {"dW1": dW1,
             "db1": db1,
             "dW2": dW2,
             "db2": db2}
    return grads
''', [
    ("dW2 = 1/m * np.dot(dZ2, A1.T)", "dW2 = np.dot(dZ2, A1.T)"),
    ("dZ2 = A2 - Y", "dZ2 = Y - A2"),
    ("dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))", "dZ1 = np.dot(W2.T, dZ2) * (1 - A1)"),
    ("db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", "db1 = 1/m * np.sum(dZ1)"),
    ("dW1 = 1/m * np.dot(dZ1, X.T)", "dW1 = 1/m * np.dot(dZ2, X.T)"),
])

DEEP = """A0 = X
Z1 = np.dot(W1, A0) + b1
A1 = relu(Z1)
Z2 = np.dot(W2, A1) + b2
A2 = relu(Z2)
Z3 = np.dot(W3, A2) + b3
AL = sigmoid(Z3)
caches = [((A0, W1, b1), Z1), ((A1, W2, b2), Z2), ((A2, W3, b3), Z3)]
loss = -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
"""
case("deeplearning.ai, L layers", DEEP, {"W1": (5, 3), "b1": (5, 1), "W2": (4, 5), "b2": (4, 1), "W3": (1, 4), "b3": (1, 1)},
     {"X": (3, 6), "Y": "bits 1 6"}, '''def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1./m * np.dot(dZ, A_prev.T)
    db = 1./m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db

def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ

def sigmoid_backward(dA, cache):
    Z = cache
    s = 1/(1+np.exp(-Z))
    dZ = dA * s * (1-s)
    return dZ

def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db

def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    m = AL.shape[1]
    Y = Y.reshape(AL.shape)
    dAL = - (np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    current_cache = caches[L-1]
    grads["dA" + str(L-1)], grads["dW" + str(L)], grads["db" + str(L)] = linear_activation_backward(dAL, current_cache, "sigmoid")
    for l in reversed(range(L-1)):
        current_cache = caches[l]
        dA_prev_temp, dW_temp, db_temp = linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")
        grads["dA" + str(l)] = dA_prev_temp
        grads["dW" + str(l + 1)] = dW_temp
        grads["db" + str(l + 1)] = db_temp
    return grads
''', [
    ("dW = 1./m * np.dot(dZ, A_prev.T)", "dW = np.dot(dZ, A_prev.T)"),
    ("db = 1./m * np.sum(dZ, axis=1, keepdims=True)", "db = 1./m * np.sum(dZ)"),
    ("dAL = - (np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))", "dAL = - (np.divide(Y, AL) + np.divide(1 - Y, 1 - AL))"),
    ("dZ = dA * s * (1-s)", "dZ = dA * (1-s)"),
])

case("a loop over layers with keys", DEEP.replace("caches = [((A0, W1, b1), Z1), ((A1, W2, b2), Z2), ((A2, W3, b3), Z3)]\n", ""),
     {"W1": (5, 3), "b1": (5, 1), "W2": (4, 5), "b2": (4, 1), "W3": (1, 4), "b3": (1, 1)}, {"X": (3, 6), "Y": "bits 1 6"},
     '''def backward(params, cache, X, Y):
    grads = {}
    m = X.shape[1]
    L = 3
    dZ = cache['AL'] - Y
    for l in range(L, 0, -1):
        grads[f'dW{l}'] = (1 / m) * np.dot(dZ, cache['A' + str(l - 1)].T)
        grads[f'db{l}'] = (1 / m) * np.sum(dZ, axis=1, keepdims=True)
        if l > 1:
            dA = np.dot(params['W' + str(l)].T, dZ)
            dZ = dA * (cache[f'Z{l-1}'] > 0)
    return grads
''', [
    ("grads[f'dW{l}'] = (1 / m) * np.dot(dZ, cache['A' + str(l - 1)].T)", "grads[f'dW{l}'] = np.dot(dZ, cache['A' + str(l - 1)].T)"),
    ("dZ = cache['AL'] - Y", "dZ = Y - cache['AL']"),
    ("grads[f'db{l}'] = (1 / m) * np.sum(dZ, axis=1, keepdims=True)", "grads[f'db{l}'] = (1 / m) * np.sum(dZ, axis=0, keepdims=True)"),
])

# ---- CS231n ----
TWO_LAYER = """N = X.shape[0]
z1 = X @ W1 + b1
h1 = np.maximum(0, z1)
scores = h1 @ W2 + b2
shifted = scores - np.max(scores, axis=1, keepdims=True)
exp_scores = np.exp(shifted)
probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
loss = -np.mean(np.log(probs[np.arange(N), y])) + 0.5 * 0.1 * (np.sum(W1 * W1) + np.sum(W2 * W2))
"""
TWO_SHAPES = {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
case("CS231n, two layers", TWO_LAYER, TWO_SHAPES, {"X": (6, 4), "y": "classes 6 3"}, """reg = 0.1
num_examples = X.shape[0]
dscores = probs.copy()
dscores[range(num_examples), y] -= 1
dscores /= num_examples
dW2 = np.dot(h1.T, dscores)
db2 = np.sum(dscores, axis=0)
dhidden = np.dot(dscores, W2.T)
dhidden[h1 <= 0] = 0
dW1 = np.dot(X.T, dhidden)
db1 = np.sum(dhidden, axis=0)
dW2 += reg * W2
dW1 += reg * W1
""", [
    ("dscores[range(num_examples), y] -= 1", "dscores[range(num_examples), y] += 1"),
    ("dW2 += reg * W2", "dW2 -= reg * W2"),
    ("dW1 = np.dot(X.T, dhidden)", "dW1 = np.dot(X.T, dhidden * 2)"),
    ("db2 = np.sum(dscores, axis=0)", "db2 = np.sum(dscores, axis=1)"),
    ("dhidden = np.dot(dscores, W2.T)", "dhidden = np.dot(dscores, W2.T) * h1"),
])

case("CS231n, grads in a dictionary", TWO_LAYER, TWO_SHAPES, {"X": (6, 4), "y": "classes 6 3"}, """grads = {}
N, D = X.shape
softmax_output = probs
softmax_output[np.arange(N), y] -= 1
softmax_output /= N
grads['W2'] = h1.T.dot(softmax_output) + 0.1 * W2
grads['b2'] = np.sum(softmax_output, axis=0)
dh = softmax_output.dot(W2.T)
dh_relu = dh * (z1 > 0)
grads['W1'] = X.T.dot(dh_relu) + 0.1 * W1
grads['b1'] = np.sum(dh_relu, axis=0)
""", [
    ("grads['W2'] = h1.T.dot(softmax_output) + 0.1 * W2", "grads['W2'] = h1.T.dot(softmax_output) + 0.2 * W2"),
    ("dh_relu = dh * (z1 > 0)", "dh_relu = dh * (z1 < 0)"),
    ("grads['b1'] = np.sum(dh_relu, axis=0)", "grads['b1'] = np.sum(dh, axis=0)"),
    ("grads['W1'] = X.T.dot(dh_relu) + 0.1 * W1", "grads['W1'] = X.T.dot(dh_relu)"),
])

AFFINE = "out = x.reshape(x.shape[0], -1) @ w + b\nloss = np.sum(out * dout)\n"
case("CS231n, affine_backward", AFFINE, {"x": (3, 2, 2), "w": (4, 5), "b": (5,)}, {"dout": (3, 5)}, '''def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = None, None, None
    N = x.shape[0]
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(N, -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db
''', [
    ("dx = dout.dot(w.T).reshape(x.shape)", "dx = 2 * dout.dot(w.T).reshape(x.shape)"),
    ("db = np.sum(dout, axis=0)", "db = np.sum(dout, axis=1)"),
    ("dw = x.reshape(N, -1).T.dot(dout)", "dw = x.reshape(N, -1).T.dot(dout) / N"),
])

BATCHNORM = """mu = x.mean(axis=0)
xmu = x - mu
var = np.mean(xmu**2, axis=0)
std = np.sqrt(var + 1e-5)
ivar = 1 / std
xhat = xmu * ivar
gammax = gamma * xhat
out = gammax + beta
loss = np.sum(out * dout)
"""
case("batch norm in steps", BATCHNORM, {"x": (5, 3), "gamma": (3,), "beta": (3,)}, {"dout": (5, 3)}, """N, D = dout.shape
dbeta = np.sum(dout, axis=0)
dgammax = dout
dgamma = np.sum(dgammax * xhat, axis=0)
dxhat = dgammax * gamma
divar = np.sum(dxhat * xmu, axis=0)
dxmu1 = dxhat * ivar
dsqrtvar = -1. / (std**2) * divar
dvar = 0.5 * 1. / np.sqrt(var + 1e-5) * dsqrtvar
dsq = 1. / N * np.ones((N, D)) * dvar
dxmu2 = 2 * xmu * dsq
dx1 = dxmu1 + dxmu2
dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
dx2 = 1. / N * np.ones((N, D)) * dmu
dx = dx1 + dx2
""", [
    ("divar = np.sum(dxhat * xmu, axis=0)", "divar = np.sum(dxhat * xhat, axis=0)"),
    ("dvar = 0.5 * 1. / np.sqrt(var + 1e-5) * dsqrtvar", "dvar = 1. / np.sqrt(var + 1e-5) * dsqrtvar"),
    ("dxmu2 = 2 * xmu * dsq", "dxmu2 = xmu * dsq"),
    ("dx = dx1 + dx2", "dx = dx1"),
    ("dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)", "dmu = np.sum(dxmu1 + dxmu2, axis=0)"),
    ("dsqrtvar = -1. / (std**2) * divar", "dsqrtvar = 1. / (std**2) * divar"),
])

case("batch norm in one", BATCHNORM, {"x": (5, 3), "gamma": (3,), "beta": (3,)}, {"dout": (5, 3)}, '''def batchnorm_backward_alt(dout, cache):
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0)) / (N * std)
    return dx, dgamma, dbeta
''', [
    ("dx = (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0)) / (N * std)",
     "dx = (N * dxhat - dxhat.sum(axis=0) + xhat * (dxhat * xhat).sum(axis=0)) / (N * std)"),
    ("dgamma = (dout * xhat).sum(axis=0)", "dgamma = (dout * xmu).sum(axis=0)"),
    ("dxhat = dout * gamma", "dxhat = dout"),
])

case("layer norm", """mu = x.mean(axis=1, keepdims=True)
var = x.var(axis=1, keepdims=True)
std = np.sqrt(var + 1e-5)
xhat = (x - mu) / std
out = gamma * xhat + beta
loss = np.sum(out * dout)
""", {"x": (4, 6), "gamma": (6,), "beta": (6,)}, {"dout": (4, 6)}, """D = x.shape[1]
dgamma = np.sum(dout * xhat, axis=0)
dbeta = np.sum(dout, axis=0)
dxhat = dout * gamma
dx = (1 / std) * (dxhat - np.mean(dxhat, axis=1, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))
""", [
    ("dbeta = np.sum(dout, axis=0)", "dbeta = np.mean(dout, axis=0)"),
    ("dx = (1 / std) * (dxhat - np.mean(dxhat, axis=1, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))",
     "dx = (1 / std) * (dxhat - np.mean(dxhat, axis=0, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))"),
])

case("dropout and residual", """h = np.tanh(x @ W1)
d = h * mask / 0.8
out = d @ W2 + h
loss = np.sum((out - t)**2) / len(x)
""", {"W1": (3, 4), "W2": (4, 4)}, {"x": (5, 3), "t": (5, 4), "mask": "bits 5 4"}, """dout = 2 * (out - t) / len(x)
dW2 = d.T @ dout
dd = dout @ W2.T
dh = dd * mask / 0.8
dh += dout
dW1 = x.T @ (dh * (1 - h**2))
""", [
    ("dh = dd * mask / 0.8", "dh = dd * mask"),
    ("dW1 = x.T @ (dh * (1 - h**2))", "dW1 = x.T @ dh"),
    ("dd = dout @ W2.T", "dd = dout @ W2"),
    ("dh += dout", "dh = dout"),
])

# ---- softmax in atoms; Karpathy's chain ----
case("softmax in atoms", """logits = h @ W + b
counts = np.exp(logits)
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = np.log(probs)
n = h.shape[0]
loss = -logprobs[range(n), y].mean()
""", {"h": (6, 4), "W": (4, 5), "b": (5,)}, {"y": "classes 6 5"}, """dlogprobs = np.zeros_like(logprobs)
dlogprobs[range(n), y] = -1.0 / n
dprobs = (1.0 / probs) * dlogprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdims=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv
dcounts += np.ones_like(counts) * dcounts_sum
dlogits = counts * dcounts
dh = dlogits @ W.T
dW = h.T @ dlogits
db = dlogits.sum(0)
""", [
    ("dlogprobs[range(n), y] = -1.0 / n", "dlogprobs[range(n), y] = 1.0 / n"),
    ("dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv", "dcounts_sum = (counts_sum**-2) * dcounts_sum_inv"),
    ("dcounts += np.ones_like(counts) * dcounts_sum", "dcounts = np.ones_like(counts) * dcounts_sum"),
    ("dcounts_sum_inv = (counts * dprobs).sum(1, keepdims=True)", "dcounts_sum_inv = (counts * dprobs).sum(0, keepdims=True)"),
    ("dlogits = counts * dcounts", "dlogits = dcounts"),
])

case("makemore", """emb = C[Xb]
embcat = emb.reshape(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmeani = 1/n * hprebn.sum(0, keepdims=True)
bndiff = hprebn - bnmeani
bndiff2 = bndiff**2
bnvar = 1/(n-1) * bndiff2.sum(0, keepdims=True)
bnvar_inv = (bnvar + 1e-5)**-0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
logit_maxes = logits.max(1, keepdims=True)
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(8), Yb].mean()
""".replace("1/n *", "1/8 *").replace("1/(n-1)", "1/7"),
     {"C": (5, 2), "W1": (6, 4), "b1": (4,), "bngain": (1, 4), "bnbias": (1, 4), "W2": (4, 5), "b2": (5,)},
     {"Xb": "classes 8 3 5", "Yb": "classes 8 5"}, """n = 8
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = (1.0 / probs) * dlogprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv
dcounts += torch.ones_like(counts) * dcounts_sum
dnorm_logits = counts * dcounts
dlogits = dnorm_logits.clone()
dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
dlogits += F.one_hot(logits.argmax(1), num_classes=logits.shape[1]) * dlogit_maxes
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1.0 - h**2) * dh
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
dbnraw = bngain * dhpreact
dbnbias = dhpreact.sum(0, keepdim=True)
dbndiff = bnvar_inv * dbnraw
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
dbnvar = (-0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv
dbndiff2 = (1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar
dbndiff += (2*bndiff) * dbndiff2
dhprebn = dbndiff.clone()
dbnmeani = (-dbndiff).sum(0)
dhprebn += 1.0/n * (torch.ones_like(hprebn) * dbnmeani)
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        ix = Xb[k, j]
        dC[ix] += demb[k, j]
""", [
    ("dbnvar = (-0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv", "dbnvar = (0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv"),
    ("dbndiff += (2*bndiff) * dbndiff2", "dbndiff += bndiff * dbndiff2"),
    ("dhpreact = (1.0 - h**2) * dh", "dhpreact = (1.0 - h) * dh"),
    ("dC[ix] += demb[k, j]", "dC[ix] = demb[k, j]"),
    ("dbnraw = bngain * dhpreact", "dbnraw = bnbias * dhpreact"),
    ("dh = dlogits @ W2.T", "dh = dlogits @ W2.T / n"),
])

# ---- Nielsen ----
NIELSEN = """def sigmoid_(z):
    return 1.0/(1.0+np.exp(-z))

weights = [W1, W2]
biases = [b1, b2]
activation = x
activations = [x]
zs = []
for b, w in zip(biases, weights):
    z = np.dot(w, activation) + b
    zs.append(z)
    activation = sigmoid_(z)
    activations.append(activation)
loss = 0.5 * np.sum((activations[-1] - y)**2)
"""
case("Nielsen", NIELSEN, {"W1": (4, 3), "b1": (4, 1), "W2": (2, 4), "b2": (2, 1)}, {"x": (3, 1), "y": (2, 1)}, '''class Network(object):
    def backprop(self, x, y):
        """Return a tuple ``(nabla_b, nabla_w)``."""
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        # backward pass
        delta = self.cost_derivative(activations[-1], y) * \\
            sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, 3):
            z = zs[-l]
            sp = sigmoid_prime(z)
            delta = np.dot(self.weights[-l+1].transpose(), delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())
        return (nabla_b, nabla_w)

    def cost_derivative(self, output_activations, y):
        return (output_activations-y)

def sigmoid_prime(z):
    return sigmoid_(z)*(1-sigmoid_(z))
''', [
    ("delta = np.dot(self.weights[-l+1].transpose(), delta) * sp", "delta = np.dot(self.weights[-l+1].transpose(), delta)"),
    ("nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())", "nabla_w[-l] = 2 * np.dot(delta, activations[-l-1].transpose())"),
    ("return (output_activations-y)", "return (y-output_activations)"),
    ("nabla_w[-1] = np.dot(delta, activations[-2].transpose())", "nabla_w[-1] = np.dot(delta, zs[-2].transpose())"),
])

# ---- scalars ----
case("micrograd", """c = a * b
e = c + a
d = np.tanh(e)
f = d * b
loss = f**2
""", {"a": (), "b": ()}, {}, """dloss = 1.0
df = 2 * f * dloss
dd = b * df
db = d * df
de = (1 - d**2) * dd
dc = de
da = de
da += b * dc
db += a * dc
""", [
    ("df = 2 * f * dloss", "df = f * dloss"),
    ("de = (1 - d**2) * dd", "de = (1 - d) * dd"),
    ("db += a * dc", "db = a * dc"),
    ("dd = b * df", "dd = d * df"),
])

case("one neuron", "z = w * x + b\ny_hat = 1 / (1 + np.exp(-z))\nloss = (y_hat - y)**2\n", {"w": (), "b": ()}, {"x": (), "y": ()},
     """dL_dy_hat = 2 * (y_hat - y)
dy_hat_dz = y_hat * (1 - y_hat)
dz_dw = x
dz_db = 1
dL_dz = dL_dy_hat * dy_hat_dz
dL_dw = dL_dz * dz_dw
dL_db = dL_dz * dz_db
print("dL_dw", dL_dw)
""", [
    ("dL_dy_hat = 2 * (y_hat - y)", "dL_dy_hat = (y_hat - y)"),
    ("dL_dw = dL_dz * dz_dw", "dL_dw = dL_dz * w"),
    ("dy_hat_dz = y_hat * (1 - y_hat)", "dy_hat_dz = y_hat"),
])

# ---- recurrent ----
RNN = """T = x.shape[0]
hs = [h0]
ps = []
loss = 0
for t in range(T):
    h = np.tanh(Wxh @ x[t] + Whh @ hs[-1] + bh)
    hs.append(h)
    o = Why @ h + by
    p = np.exp(o) / np.sum(np.exp(o))
    ps.append(p)
    loss = loss - np.log(p[targets[t], 0])
"""
RNN_SHAPES = {"Wxh": (4, 3), "Whh": (4, 4), "bh": (4, 1), "Why": (3, 4), "by": (3, 1)}
case("RNN, min-char", RNN, RNN_SHAPES, {"x": (5, 3, 1), "h0": (4, 1), "targets": "classes 5 3"}, """dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
dbh, dby = np.zeros_like(bh), np.zeros_like(by)
dhnext = np.zeros_like(hs[0])
for t in reversed(range(T)):
    dy = np.copy(ps[t])
    dy[targets[t]] -= 1
    dWhy += np.dot(dy, hs[t+1].T)
    dby += dy
    dh = np.dot(Why.T, dy) + dhnext
    dhraw = (1 - hs[t+1] * hs[t+1]) * dh
    dbh += dhraw
    dWxh += np.dot(dhraw, x[t].T)
    dWhh += np.dot(dhraw, hs[t].T)
    dhnext = np.dot(Whh.T, dhraw)
""", [
    ("dhraw = (1 - hs[t+1] * hs[t+1]) * dh", "dhraw = (1 - hs[t+1]) * dh"),
    ("dWhh += np.dot(dhraw, hs[t].T)", "dWhh += np.dot(dhraw, hs[t+1].T)"),
    ("dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh, dhraw)"),
    ("dh = np.dot(Why.T, dy) + dhnext", "dh = np.dot(Why.T, dy)"),
    ("dWxh += np.dot(dhraw, x[t].T)", "dWxh = np.dot(dhraw, x[t].T)"),
])

case("RNN in slices", """N, T, D = x.shape
h = h0
hs = []
for t in range(T):
    h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
    hs.append(h)
out = np.stack(hs, axis=1)
loss = np.sum(out * dout)
""", {"x": (2, 4, 3), "h0": (2, 5), "Wx": (3, 5), "Wh": (5, 5), "b": (5,)}, {"dout": (2, 4, 5)}, '''def rnn_backward(dout, cache):
    N, T, H = dout.shape
    dx = np.zeros_like(x)
    dWx = np.zeros_like(Wx)
    dWh = np.zeros_like(Wh)
    db = np.zeros_like(b)
    dprev_h = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dh = dout[:, t, :] + dprev_h
        dz = dh * (1 - hs[t]**2)
        dx[:, t, :] = dz.dot(Wx.T)
        dWx += x[:, t, :].T.dot(dz)
        prev = hs[t-1] if t > 0 else h0
        dWh += prev.T.dot(dz)
        db += dz.sum(axis=0)
        dprev_h = dz.dot(Wh.T)
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db
''', [
    ("dx[:, t, :] = dz.dot(Wx.T)", "dx[:, t, :] = dz.dot(Wx.T) / N"),
    ("dz = dh * (1 - hs[t]**2)", "dz = dh * (1 - hs[t])"),
    ("db += dz.sum(axis=0)", "db += dz.mean(axis=0)"),
    ("dprev_h = dz.dot(Wh.T)", "dprev_h = dz.dot(Wh)"),
])

# ---- others ----
case("linear regression", "pred = X @ w + b\nloss = np.mean((pred - y)**2)\n", {"w": (3,), "b": ()}, {"X": (6, 3), "y": (6,)}, """n = len(y)
error = pred - y
dw = (2 / n) * X.T @ error
db = (2 / n) * np.sum(error)
""", [
    ("dw = (2 / n) * X.T @ error", "dw = (1 / n) * X.T @ error"),
    ("error = pred - y", "error = y - pred"),
    ("db = (2 / n) * np.sum(error)", "db = 2 * np.sum(error)"),
])

case("logistic regression", "z = X @ w + b\na = 1 / (1 + np.exp(-z))\nloss = -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))\n", {"w": (3, 1), "b": (1,)},
     {"X": (6, 3), "y": "bits 6 1"}, """m = X.shape[0]
dz = a - y
dw = np.dot(X.T, dz) / m
db = np.sum(dz) / m
""", [
    ("dw = np.dot(X.T, dz) / m", "dw = np.dot(X.T, a) / m"),
    ("db = np.sum(dz) / m", "db = np.sum(dz)"),
])

case("local derivatives", "z1 = X @ W1\na1 = 1 / (1 + np.exp(-z1))\nz2 = a1 @ W2\na2 = 1 / (1 + np.exp(-z2))\nloss = 0.5 * np.sum((a2 - y)**2)\n",
     {"W1": (3, 4), "W2": (4, 1)}, {"X": (6, 3), "y": (6, 1)}, """def sigmoid_derivative(s):
    return s * (1 - s)

def backward():
    l2_error = a2 - y
    l2_delta = l2_error * sigmoid_derivative(a2)
    l1_error = l2_delta.dot(W2.T)
    l1_delta = l1_error * sigmoid_derivative(a1)
    dW2 = a1.T.dot(l2_delta)
    dW1 = X.T.dot(l1_delta)
    return dW1, dW2
""", [
    ("l1_delta = l1_error * sigmoid_derivative(a1)", "l1_delta = l1_error"),
    ("l2_error = a2 - y", "l2_error = y - a2"),
    ("dW2 = a1.T.dot(l2_delta)", "dW2 = z1.T.dot(l2_delta)"),
])

case("a convolution by loops", """N, C, H, W_ = x.shape
F_, C2, HH, WW = w.shape
out = np.zeros((N, F_, H - HH + 1, W_ - WW + 1))
for n in range(N):
    for f in range(F_):
        for i in range(H - HH + 1):
            for j in range(W_ - WW + 1):
                out[n, f, i, j] = np.sum(x[n, :, i:i+HH, j:j+WW] * w[f]) + b[f]
loss = np.sum(out * dout)
""", {"x": (1, 2, 4, 4), "w": (2, 2, 2, 2), "b": (2,)}, {"dout": (1, 2, 3, 3)}, '''def conv_backward_naive(dout, cache):
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F_):
            db[f] += np.sum(dout[n, f])
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    dw[f] += x[n, :, i:i+HH, j:j+WW] * dout[n, f, i, j]
                    dx[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, i, j]
    return dx, dw, db
''', [
    ("dw[f] += x[n, :, i:i+HH, j:j+WW] * dout[n, f, i, j]", "dw[f] = x[n, :, i:i+HH, j:j+WW] * dout[n, f, i, j]"),
    ("dx[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, i, j]", "dx[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, j, i]"),
])

case("attention", """Q = X @ Wq
K = X @ Wk
V = X @ Wv
S = Q @ K.T / np.sqrt(4)
E = np.exp(S)
A = E / E.sum(axis=1, keepdims=True)
O = A @ V
loss = np.sum(O * G)
""", {"Wq": (3, 4), "Wk": (3, 4), "Wv": (3, 4)}, {"X": (5, 3), "G": (5, 4)}, """dO = G
dV = A.T @ dO
dA = dO @ V.T
dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
dQ = dS @ K / np.sqrt(4)
dK = dS.T @ Q / np.sqrt(4)
dWq = X.T @ dQ
dWk = X.T @ dK
dWv = X.T @ dV
""", [
    ("dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))", "dS = A * (dA - np.sum(dA * A, axis=0, keepdims=True))"),
    ("dK = dS.T @ Q / np.sqrt(4)", "dK = dS @ Q / np.sqrt(4)"),
    ("dQ = dS @ K / np.sqrt(4)", "dQ = dS @ K"),
    ("dV = A.T @ dO", "dV = A @ dO"),
])

case("lists that are filled", MLP, MLP_SHAPES, {"X": (6, 2), "y": (6, 1)}, """weights = [W1, W2, W3]
inputs = [X, h1, h2]
sums = [z1, z2, z3]
dWs, dbs = [], []
dz = 2 * (y_hat - y) / y.shape[0] * y_hat * (1 - y_hat)
for i in reversed(range(3)):
    dWs.insert(0, inputs[i].T @ dz)
    dbs.insert(0, dz.sum(axis=0, keepdims=True))
    if i > 0:
        dh = dz @ weights[i].T
        dz = dh * (sums[i - 1] > 0)
""", [
    ("dWs.insert(0, inputs[i].T @ dz)", "dWs.insert(0, inputs[i].T @ dz / 6)"),
    ("dz = dh * (sums[i - 1] > 0)", "dz = dh"),
])

case("huber and leaky", """z1 = X @ W1 + b1
a1 = np.where(z1 > 0, z1, 0.01 * z1)
out = a1 @ W2
e = out - t
loss = np.sum(np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5))
""", {"W1": (3, 4), "b1": (4,), "W2": (4, 2)}, {"X": (5, 3), "t": (5, 2)}, """de = np.where(np.abs(e) <= 1, e, np.sign(e))
dout = de
dW2 = a1.T @ dout
da1 = dout @ W2.T
dz1 = np.ones_like(z1)
dz1[z1 < 0] = 0.01
dz1 = dz1 * da1
dW1 = X.T @ dz1
db1 = dz1.sum(axis=0)
""", [
    ("de = np.where(np.abs(e) <= 1, e, np.sign(e))", "de = np.where(np.abs(e) <= 1, e, np.abs(e))"),
    ("dz1[z1 < 0] = 0.01", "dz1[z1 < 0] = 0.2"),
    ("da1 = dout @ W2.T", "da1 = dout @ W2.T * W2.sum()"),
])

# ---- more of them ----
case("svm", """N = X.shape[0]
scores = X.dot(W)
correct = scores[np.arange(N), y].reshape(N, 1)
margins = np.maximum(0, scores - correct + 1)
margins[np.arange(N), y] = 0
loss = np.sum(margins) / N + 0.1 * np.sum(W * W)
""", {"W":(4,3)}, {"X":(6,4),"y":"classes 6 3"}, """num_train = X.shape[0]
binary = margins.copy()
binary[margins > 0] = 1
row_sum = np.sum(binary, axis=1)
binary[np.arange(num_train), y] = -row_sum.T
dW = np.dot(X.T, binary)
dW /= num_train
dW += 2 * 0.1 * W
""", [("dW /= num_train","dW *= num_train"),("row_sum = np.sum(binary, axis=1)","row_sum = np.sum(binary, axis=1) - 1"),("dW += 2 * 0.1 * W","dW += 0.1 * W")])
case("training step", """z1 = X @ W1 + b1
a1 = sigmoid(z1)
z2 = a1 @ W2 + b2
y_pred = z2
loss = np.mean((y_pred - y)**2)
""", {"W1":(3,4),"b1":(4,),"W2":(4,1),"b2":(1,)}, {"X":(5,3),"y":(5,1)}, """import numpy as np
lr = 0.01
grad_y_pred = 2.0 * (y_pred - y) / y.shape[0]
grad_W2 = a1.T.dot(grad_y_pred)
grad_b2 = grad_y_pred.sum(axis=0)
grad_a1 = grad_y_pred.dot(W2.T)
grad_z1 = grad_a1 * a1 * (1 - a1)
grad_W1 = X.T.dot(grad_z1)
grad_b1 = grad_z1.sum(axis=0)
print(f"loss: {loss:.4f}")
W1 -= lr * grad_W1
b1 -= lr * grad_b1
W2 = W2 - lr * grad_W2
""", [("grad_z1 = grad_a1 * a1 * (1 - a1)","grad_z1 = grad_a1 * z1 * (1 - z1)"),("grad_b1 = grad_z1.sum(axis=0)","grad_b1 = grad_z1.sum(axis=1)"),("grad_a1 = grad_y_pred.dot(W2.T)","grad_a1 = grad_y_pred.dot(W2)")])
case("lstm step", """a = x @ Wx + prev_h @ Wh + b
H = 3
ai = a[:, :H]
af = a[:, H:2*H]
ao = a[:, 2*H:3*H]
ag = a[:, 3*H:]
i = sigmoid(ai)
f = sigmoid(af)
o = sigmoid(ao)
g = np.tanh(ag)
next_c = f * prev_c + i * g
tc = np.tanh(next_c)
next_h = o * tc
loss = np.sum(next_h * dnext_h) + np.sum(next_c * dnext_c)
""", {"x":(2,4),"prev_h":(2,3),"prev_c":(2,3),"Wx":(4,12),"Wh":(3,12),"b":(12,)}, {"dnext_h":(2,3),"dnext_c":(2,3)}, '''def lstm_step_backward(dnext_h, dnext_c, cache):
    do = dnext_h * tc
    dnext_c += dnext_h * o * (1 - tc**2)
    df = dnext_c * prev_c
    dprev_c = dnext_c * f
    di = dnext_c * g
    dg = dnext_c * i
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dag = dg * (1 - g**2)
    da = np.hstack((dai, daf, dao, dag))
    dx = da.dot(Wx.T)
    dWx = x.T.dot(da)
    dprev_h = da.dot(Wh.T)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db
''', [("dag = dg * (1 - g**2)","dag = dg * (1 - g)"),("da = np.hstack((dai, daf, dao, dag))","da = np.hstack((dai, dao, daf, dag))"),("df = dnext_c * prev_c","df = dnext_c * next_c"),("dprev_c = dnext_c * f","dprev_c = dnext_c"),("dnext_c += dnext_h * o * (1 - tc**2)","dnext_c = dnext_h * o * (1 - tc**2)")])
case("max pool", """N, C, H, W = x.shape
out = np.zeros((N, C, 2, 2))
for n in range(N):
    for c in range(C):
        for i in range(2):
            for j in range(2):
                out[n, c, i, j] = np.max(x[n, c, 2*i:2*i+2, 2*j:2*j+2])
loss = np.sum(out * dout)
""", {"x":(1,2,4,4)}, {"dout":(1,2,2,2)}, '''def max_pool_backward_naive(dout, cache):
    dx = np.zeros(x.shape)
    for n in range(N):
        for c in range(C):
            for i in range(2):
                for j in range(2):
                    window = x[n, c, 2*i:2*i+2, 2*j:2*j+2]
                    mask = (window == np.max(window))
                    dx[n, c, 2*i:2*i+2, 2*j:2*j+2] += mask * dout[n, c, i, j]
    return dx
''', [("mask = (window == np.max(window))","mask = (window == np.min(window))"),("dx[n, c, 2*i:2*i+2, 2*j:2*j+2] += mask * dout[n, c, i, j]","dx[n, c, 2*i:2*i+2, 2*j:2*j+2] += mask * dout[n, c, j, i]")])
case("embedding bag", """e = E[idx]
h = e.mean(axis=1)
scores = h @ U + c
p = softmax(scores)
loss = cross_entropy(scores, y)
""", {"E":(6,3),"U":(3,4),"c":(4,)}, {"idx":"classes 5 2 6","y":"classes 5 4"}, """B = y.shape[0]
dscores = p.copy()
dscores[np.arange(B), y] -= 1
dscores = dscores / B
dU = h.T @ dscores
dc = dscores.sum(axis=0)
dh = dscores @ U.T
de = np.repeat(dh[:, None, :], 2, axis=1) / 2
dE = np.zeros_like(E)
np.add.at(dE, idx, de)
""", [("de = np.repeat(dh[:, None, :], 2, axis=1) / 2","de = np.repeat(dh[:, None, :], 2, axis=1)"),("dscores = dscores / B","dscores = dscores"),("dh = dscores @ U.T","dh = dscores @ U.T * 3"),("np.add.at(dE, idx, de)","dE[idx] = de")])
case("two functions, tuples", """h = np.maximum(X @ W1 + b1, 0)
s = h @ W2 + b2
e = np.exp(s - s.max(1, keepdims=True))
P = e / e.sum(1, keepdims=True)
loss = -np.sum(T * np.log(P)) / X.shape[0]
""", {"W1":(3,5),"b1":(5,),"W2":(5,2),"b2":(2,)}, {"X":(4,3),"T":"bits 4 2"}, '''def softmax_grad(P, T):
    n = P.shape[0]
    return (P * T.sum(1, keepdims=True) - T) / n

def affine_grad(dout, x, w):
    return dout @ w.T, x.T @ dout, dout.sum(0)

ds = softmax_grad(P, T)
dh, dW2, db2 = affine_grad(ds, h, W2)
dh[h <= 0] = 0
_, dW1, db1 = affine_grad(dh, X, W1)
''', [("return dout @ w.T, x.T @ dout, dout.sum(0)","return dout @ w.T, x.T @ dout, dout.mean(0)"),("dh[h <= 0] = 0","dh[h > 0] = 0"),("return (P * T.sum(1, keepdims=True) - T) / n","return (P * T.sum(1, keepdims=True) - T)")])
case("autograd by hand in lists", """layers = [X]
ws = [W1, W2, W3]
for w in ws:
    layers.append(np.tanh(layers[-1] @ w))
loss = ((layers[-1] - Y)**2).sum() / 2
""", {"W1":(3,4),"W2":(4,3),"W3":(3,2)}, {"X":(5,3),"Y":(5,2)}, """grad = layers[-1] - Y
dws = [None] * len(ws)
for i in reversed(range(len(ws))):
    grad = grad * (1 - layers[i + 1]**2)
    dws[i] = layers[i].T @ grad
    grad = grad @ ws[i].T
""", [("grad = grad * (1 - layers[i + 1]**2)","grad = grad * (1 - layers[i]**2)"),("dws[i] = layers[i].T @ grad","dws[i] = layers[i].T @ grad / 5"),("grad = grad @ ws[i].T","grad = grad @ ws[i].T * 2"),("grad = layers[-1] - Y","grad = Y - layers[-1]")])
