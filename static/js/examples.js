/** Gradients to try: the right ones, which the service knows, and broken ones. */
import { postCheck } from "./api.js";
import { sameTensor } from "./numbers.js";
import { batchSize } from "./shapes.js";

const isBias = (name) => /^(b|beta)\d+$|\.bias$/.test(name);

const map = (tensor, change) => (Array.isArray(tensor) ? tensor.map((item) => map(item, change)) : change(tensor));
const transpose = (matrix) => matrix[0].map((_, column) => matrix.map((row) => row[column]));
const each = (tensors, change) => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(name, tensor)]));

/** id -> what the button says, and what is done to the right gradients */
export const EXAMPLES = {
  right: { name: "Right ones", make: (gradients) => gradients },
  bias: {
    name: "Bias averaged twice",
    make: (gradients, problem) => each(gradients, (name, tensor) => (isBias(name) ? map(tensor, (x) => x / (batchSize(problem) ?? 1)) : tensor)),
  },
  transposed: {
    name: "Weights transposed",
    make: (gradients) => each(gradients, (name, tensor) => (Array.isArray(tensor[0]) && !isBias(name) ? transpose(tensor) : tensor)),
  },
  sign: {
    name: "Sign flipped",
    make: (gradients) => each(gradients, (_, tensor) => map(tensor, (x) => (x === 0 ? 0 : -x))),
  },
};

/**
 * @param {keyof EXAMPLES} id
 * @param {object} problem
 * @returns {Promise<{gradients: object, changed: boolean}>} changed: whether they differ from the right ones
 */
export async function makeExample(id, problem) {
  const { reference } = await postCheck({ ...problem, gradients: {}, reveal: true, diagnose: false });
  const gradients = EXAMPLES[id].make(reference, problem);
  return { gradients, changed: !sameTensor(gradients, reference) };
}
