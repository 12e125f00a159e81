/** Problems to start from. */

const XOR = { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] };
const drawn = (seed) => ({ init: { scheme: "he_normal", seed } });

/** Linear layers of these widths, each with its activation behind it. */
function stack(widths, activations) {
  return widths.flatMap((out, i) => [{ type: "linear", out_features: out }, ...(activations[i] ? [{ type: activations[i] }] : [])]);
}

/** @type {{id: string, name: string, summary: string, problem: object}[]} */
export const PRESETS = [
  {
    id: "xor",
    name: "XOR, 2-3-2-1",
    summary: "The lab's network on XOR: ReLU, ReLU, sigmoid and a squared error, drawn with np.random.seed(42).",
    problem: {
      network: { input: 2, layers: stack([3, 2, 1], ["relu", "relu", "sigmoid"]), loss: "mse" },
      convention: "numpy",
      parameters: drawn(42),
      data: XOR,
    },
  },
  {
    id: "neuron",
    name: "One neuron",
    summary: "One sigmoid neuron and a squared error: x = 2, y = 1, w = 0.5, b = 0.1. Small enough for paper.",
    problem: {
      network: { input: 1, layers: stack([1], ["sigmoid"]), loss: "mse" },
      convention: "numpy",
      parameters: { W1: [[0.5]], b1: [0.1] },
      data: { x: [[2]], y: [[1]] },
    },
  },
  {
    id: "deep",
    name: "Four layers, 2-4-3-2-1",
    summary: "One layer more: the same rules, once again on the way back. (Then try seed 42: its ReLUs are dead, and every gradient is 0.)",
    problem: {
      network: { input: 2, layers: stack([4, 3, 2, 1], ["relu", "relu", "relu", "sigmoid"]), loss: "mse" },
      convention: "numpy",
      parameters: drawn(0),
      data: XOR,
    },
  },
  {
    id: "cross-entropy",
    name: "Cross-entropy",
    summary: "The challenge: XOR with binary cross-entropy. The sigmoid's derivative cancels.",
    problem: {
      network: { input: 2, layers: stack([3, 2, 1], ["relu", "relu", "sigmoid"]), loss: "bce" },
      convention: "numpy",
      parameters: drawn(42),
      data: XOR,
    },
  },
  {
    id: "pytorch",
    name: "PyTorch’s names",
    summary: "As in nn.Sequential: weights [out, in] called 0.weight, and a loss on logits.",
    problem: {
      network: { input: 2, layers: stack([2, 1], ["tanh"]), loss: "bce_with_logits" },
      convention: "pytorch",
      parameters: {
        "0.weight": [[0.5, -0.3], [0.8, 0.2]],
        "0.bias": [0.1, -0.2],
        "2.weight": [[1.2, -0.7]],
        "2.bias": [0.05],
      },
      data: XOR,
    },
  },
];

/** The one that a new visitor sees. */
export const FIRST = PRESETS[0];
