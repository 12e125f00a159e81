/**
 * Trainings to start from: a problem, and settings for the form (train-form.js).
 */

const XOR = { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] };

const network = (input, widths, activations, loss) => ({
  input,
  layers: widths.flatMap((out, i) => [{ type: "linear", out_features: out }, ...(activations[i] ? [{ type: activations[i] }] : [])]),
  loss,
});

const drawn = (seed, scheme = "he_normal") => ({ init: { scheme, seed, generator: "numpy" } });
const round = (value) => Math.round(value * 1000) / 1000;

/** Two half circles, one inside the other's opening, a little off the line in a way that is always the same. */
function moons(count) {
  const x = [];
  const y = [];
  for (let i = 0; i < count; i++) {
    const angle = (Math.PI * i) / (count - 1);
    const off = (k) => 0.09 * Math.sin(k * 12.9898 + i * 4.1414);
    x.push([round(Math.cos(angle) + off(1)), round(Math.sin(angle) + off(2))]);
    x.push([round(1 - Math.cos(angle) + off(3)), round(0.5 - Math.sin(angle) + off(4))]);
    y.push([0], [1]);
  }
  return { x, y };
}

/** Three arms of a spiral, as in CS231n. */
function spiral(count) {
  const x = [];
  const y = [];
  for (let i = 0; i < count; i++) {
    for (let arm = 0; arm < 3; arm++) {
      const r = 0.05 + (0.95 * i) / (count - 1);
      const angle = arm * ((2 * Math.PI) / 3) + 3.6 * r + 0.12 * Math.sin(i * 7.13 + arm * 2.7);
      x.push([round(r * Math.sin(angle)), round(r * Math.cos(angle))]);
      y.push(arm);
    }
  }
  return { x, y };
}

/** @type {{id: string, name: string, summary: string, problem: object, settings: object}[]} */
export const TRAIN_PRESETS = [
  {
    id: "xor-learns",
    name: "XOR, and it learns",
    summary: "tanh and Adam: a thousand epochs are plenty.",
    problem: {
      network: network(2, [4, 1], ["tanh", "sigmoid"], "mse"), convention: "numpy", parameters: drawn(1, "xavier_normal"), data: XOR,
    },
    settings: { optimizer: "adam", options: { lr: "0.1" }, epochs: "1000" },
  },
  {
    id: "xor-lab",
    name: "The lab’s XOR",
    summary: "2-3-2-1 with ReLU, as in the lab, drawn with seed 123. It does not learn. Find out why.",
    problem: {
      network: network(2, [3, 2, 1], ["relu", "relu", "sigmoid"], "mse"), convention: "numpy", parameters: drawn(123), data: XOR,
    },
    settings: { optimizer: "sgd", options: { lr: "1.0" }, epochs: "1000" },
  },
  {
    id: "moons",
    name: "Two moons",
    summary: "80 samples that no straight line divides; mini-batches of 20.",
    problem: {
      network: network(2, [12, 8, 1], ["relu", "relu"], "bce_with_logits"), convention: "numpy", parameters: drawn(7), data: moons(40),
    },
    settings: { optimizer: "adam", options: { lr: "0.01" }, epochs: "500", batch: "20" },
  },
  {
    id: "spiral",
    name: "Spiral",
    summary: "Three classes and cross-entropy, after CS231n.",
    problem: {
      network: network(2, [32, 3], ["relu"], "cross_entropy"), convention: "numpy", parameters: drawn(3), data: spiral(40),
    },
    settings: { optimizer: "adam", options: { lr: "0.02" }, epochs: "3000" },
  },
];
