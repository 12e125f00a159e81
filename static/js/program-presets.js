/**
 * Programs to start from: { id, name, summary, program, parameters, data, output?, backward?, mistakes? }. A backward
 * pass is the right one; a mistake is one that is often made in it: { id, name, find, replace } puts another line there.
 */

const MLP_BACKWARD = `n = len(y)
dy_hat = 2 * (y_hat - y) / n
dz3 = dy_hat * y_hat * (1 - y_hat)
dW3 = h2.T @ dz3
db3 = dz3.sum(0)
dh2 = dz3 @ W3.T
dz2 = dh2 * (z2 > 0)
dW2 = h1.T @ dz2
db2 = dz2.sum(0)
dh1 = dz2 @ W2.T
dz1 = dh1 * (z1 > 0)
dW1 = X.T @ dz1
db1 = dz1.sum(0)`;

export const PROGRAMS = [
  {
    id: "mlp",
    name: "MLP 2-3-2-1",
    summary: "The lab's network on XOR, and its backward pass as the code that it is. Try one of the four mistakes that are made most often.",
    program: `z1 = X @ W1 + b1
h1 = relu(z1)
z2 = h1 @ W2 + b2
h2 = relu(z2)
z3 = h2 @ W3 + b3
y_hat = sigmoid(z3)
loss = np.mean((y_hat - y)**2)`,
    parameters: {
      W1: [[0.4967, -0.1383, 0.6477], [1.523, -0.2342, -0.2341]], b1: [0, 0, 0],
      W2: [[1.2894, 0.6266], [-0.3833, 0.443], [-0.3784, -0.3803]], b2: [0, 0],
      W3: [[0.242], [-1.9133]], b3: [0],
    },
    data: { X: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] },
    backward: MLP_BACKWARD,
    mistakes: [
      { id: "order", name: "Order of the product", find: "dW2 = h1.T @ dz2", replace: "dW2 = dz2.T @ h1" },
      { id: "bias", name: "No sum for the bias", find: "db2 = dz2.sum(0)", replace: "db2 = dz2" },
      { id: "zero", name: "ReLU at zero", find: "dz2 = dh2 * (z2 > 0)", replace: "dz2 = dh2 * (z2 >= 0)" },
      { id: "batch", name: "No division by the batch", find: "dy_hat = 2 * (y_hat - y) / n", replace: "dy_hat = 2 * (y_hat - y)" },
    ],
  },
  {
    id: "chain",
    name: "Chain rule",
    summary: "y = f(g(x)) with g = x² and f = 2g + 1, at x = 3: dg/dx is 6, df/dg is 2, and dy/dx their product.",
    program: "g = x**2\ny = 2 * g + 1",
    output: "y",
    parameters: { x: 3 },
    data: {},
    backward: "dg = 2\ndx = dg * 2 * x",
  },
  {
    id: "one-neuron",
    name: "Single neuron",
    summary: "A sigmoid neuron and a squared error: x = 2, y = 1, w = 0.5, b = 0.1. Small enough for paper.",
    program: "z = w * x + b\ny_hat = 1 / (1 + np.exp(-z))\nloss = (y_hat - y)**2",
    parameters: { w: 0.5, b: 0.1 },
    data: { x: 2, y: 1 },
    backward: "dy_hat = 2 * (y_hat - y)\ndz = dy_hat * y_hat * (1 - y_hat)\ndw = dz * x\ndb = dz",
  },
  {
    id: "softmax",
    name: "Softmax in atoms",
    summary: "Softmax and cross-entropy, one operation a line: every value on the way has a gradient.",
    program: `m = logits.max(1, keepdims=True)
norm = logits - m
counts = np.exp(norm)
total = counts.sum(1, keepdims=True)
probs = counts / total
logprobs = np.log(probs)
loss = -logprobs[range(3), y].mean()`,
    parameters: { logits: [[1, 2, 0.5], [0.2, -1, 1.5], [2, 0, 1]] },
    data: { y: [1, 2, 0] },
    backward: "dlogits = probs.copy()\ndlogits[range(3), y] -= 1\ndlogits /= 3",
  },
  {
    id: "batch-norm",
    name: "Batch norm",
    summary: "Its mean and its variance depend on every sample: three ways lead back to x.",
    program: `mu = x.mean(0)
xc = x - mu
var = (xc**2).mean(0)
std = np.sqrt(var + 1e-5)
xhat = xc / std
out = gamma * xhat + beta
loss = np.sum(out * dout)`,
    parameters: { x: [[1, 2], [3, -1], [0, 5]], gamma: [1, 0.5], beta: [0, 1] },
    data: { dout: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]] },
    backward: `dbeta = dout.sum(0)
dgamma = (dout * xhat).sum(0)
dxhat = dout * gamma
dx = (dxhat - dxhat.mean(0) - xhat * (dxhat * xhat).mean(0)) / std`,
  },
  {
    id: "rnn",
    name: "RNN in a loop",
    summary: "Backpropagation through time: h[0], h[1], … are the values that h has one after the other, and the weights get a part from each step.",
    program: `h = np.zeros((2, 3))
states = []
for t in range(3):
    h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
    states.append(h)
loss = sum((s**2).sum() for s in states)`,
    parameters: { Wx: [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], Wh: [[0.1, 0, 0.2], [0, 0.3, 0], [0.1, 0.1, 0.1]], b: [0, 0.1, 0.2] },
    data: { x: [[[0.1, -0.2], [0.3, 0.4], [0.2, 0.2]], [[-0.5, 0.6], [0.7, -0.8], [1, 1]]] },
  },
  {
    id: "micrograd",
    name: "Micrograd’s expression",
    summary: "The sanity check of micrograd: x is read in many places, and its gradient is the sum over all of them.",
    program: "z = 2 * x + 2 + x\nq = relu(z) + z * x\nh = relu(z * z)\nloss = h + q + q * x",
    parameters: { x: -4 },
    data: {},
    backward: "dh = 1\ndq = 1 + x\ndz = dh * 2 * z * (z * z > 0) + dq * (z > 0) + dq * x\ndx = 3 * dz + dq * z + q",
  },
];

/** The one that is there first. */
export const FIRST_PROGRAM = PROGRAMS[0];
