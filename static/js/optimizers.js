/** The service's optimizers with their options and defaults, as GET /v1/capabilities lists them. */

const TITLES = { sgd: "SGD", adam: "Adam", adamw: "AdamW", rmsprop: "RMSprop", adagrad: "Adagrad" };

let known = new Map();

/**
 * Takes note of them; to be called before anything else here.
 * @param {{name: string, attributes: {name: string, type: string, default: any}[]}[]} list
 */
export function learnOptimizers(list) {
  known = new Map(list.map(({ name, attributes }) => [name, attributes]));
}

/** [name, title] of each. */
export const optimizerNames = () => [...known.keys()].map((name) => [name, TITLES[name] ?? name]);

/** Its options: [{ name, type, default }]. */
export const optionsOf = (name) => known.get(name) ?? [];

/** An optimizer of a request with all its options, given or not. */
export function wholeOptimizer(optimizer = {}) {
  const type = optimizer.type ?? "sgd";
  return { type, ...Object.fromEntries(optionsOf(type).map((option) => [option.name, option.default])), ...optimizer };
}
