/** The optimizers of POST /v1/train, with PyTorch's names and defaults. */

/**
 * @typedef {object} Option
 * @property {string} name
 * @property {number|boolean|[number, number]} value  its default
 */

const option = (name, value) => ({ name, value });

/** @type {Record<string, {title: string, options: Option[]}>} */
export const OPTIMIZERS = {
  sgd: {
    title: "SGD",
    options: [option("lr", 0.001), option("momentum", 0), option("dampening", 0), option("nesterov", false), option("weight_decay", 0)],
  },
  adam: {
    title: "Adam",
    options: [option("lr", 0.001), option("betas", [0.9, 0.999]), option("eps", 1e-8), option("weight_decay", 0)],
  },
  adamw: {
    title: "AdamW",
    options: [option("lr", 0.001), option("betas", [0.9, 0.999]), option("eps", 1e-8), option("weight_decay", 0.01)],
  },
  rmsprop: {
    title: "RMSprop",
    options: [option("lr", 0.01), option("alpha", 0.99), option("eps", 1e-8), option("weight_decay", 0), option("momentum", 0)],
  },
  adagrad: {
    title: "Adagrad",
    options: [
      option("lr", 0.01), option("lr_decay", 0), option("weight_decay", 0), option("initial_accumulator_value", 0),
      option("eps", 1e-10),
    ],
  },
};

/** The optimizer of a request with all its options, given or not. */
export function wholeOptimizer(optimizer = {}) {
  const type = optimizer.type ?? "sgd";
  const defaults = OPTIMIZERS[type]?.options.map(({ name, value }) => [name, value]) ?? [];
  return { type, ...Object.fromEntries(defaults), ...optimizer };
}
