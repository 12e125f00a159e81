"""The training loop of the manual backpropagation lab, in the NumPy that its students write."""

import numpy as np

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])
SIZES = [2, 3, 2, 1]
SEED = 123


def initial_weights():
    np.random.seed(SEED)
    return [np.random.randn(a, b) * np.sqrt(2 / a) for a, b in zip(SIZES, SIZES[1:])]


def train(epochs, learning_rate=1.0):
    """The loss of each epoch: 2-3-2-1 on XOR, ReLU, ReLU, sigmoid, mean squared error."""
    W = initial_weights()
    b = [np.zeros((1, n)) for n in SIZES[1:]]
    curve = []
    for _ in range(epochs):
        h, z = [X], []
        for k in range(3):
            z.append(h[k] @ W[k] + b[k])
            h.append(1 / (1 + np.exp(-z[k])) if k == 2 else np.maximum(0, z[k]))
        curve.append(float(np.mean((h[3] - Y) ** 2)))
        dz = 2 * (h[3] - Y) / len(X) * h[3] * (1 - h[3])
        for k in (2, 1, 0):
            dW, db = h[k].T @ dz, np.sum(dz, axis=0, keepdims=True)
            if k > 0:
                dz = (dz @ W[k].T) * (z[k - 1] > 0)
            W[k], b[k] = W[k] - learning_rate * dW, b[k] - learning_rate * db
    return curve
