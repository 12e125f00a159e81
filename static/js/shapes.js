/**
 * What follows from a network's definition: shapes and the parameters' names. For labels only; the service has the
 * last word, so anything that makes no sense here is simply null.
 */

const isSize = (value) => Number.isInteger(value) && value > 0;
const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** A shape as text, as the service writes it: [2,3]; a dot for what is not known. */
export const shapeText = (shape) => (shape === null || shape === undefined ? "·" : `[${shape.join(",")}]`);

/** The shape of one sample: network.input as a list, null where it is none. */
export function inputShape(input) {
  const shape = Array.isArray(input) ? input : [input];
  return shape.length > 0 && shape.every(isSize) ? shape : null;
}

function parametersOf(layer, index, count, width, convention) {
  const out = isSize(layer.out_features) ? layer.out_features : null;
  const [weight, bias] = convention === "pytorch"
    ? [`${layer.name || index}.weight`, `${layer.name || index}.bias`]
    : [`W${count}`, `b${count}`];
  const both = convention === "numpy" ? [width, out] : [out, width];
  const list = [{ name: weight, shape: both.includes(null) ? null : both }];
  if (layer.bias !== false) list.push({ name: bias, shape: out === null ? null : [out] });
  return list;
}

/**
 * @returns {{shape: number[] | null, parameters: {name: string, shape: number[] | null}[]}[]} one entry per layer:
 *   the shape of a sample behind it, and its parameters
 */
export function describeLayers(network, convention = "numpy") {
  let shape = inputShape(network?.input);
  let count = 0;
  return (network?.layers ?? []).map((layer, index) => {
    let parameters = [];
    if (layer?.type === "linear") {
      count += 1;
      parameters = parametersOf(layer, index, count, shape?.at(-1) ?? null, convention);
      shape = shape && isSize(layer.out_features) ? [...shape.slice(0, -1), layer.out_features] : null;
    } else if (layer?.type === "flatten") {
      shape = shape && [product(shape)];
    }
    return { shape, parameters };
  });
}

/** The index of the layer that a parameter belongs to, by name. */
export function layersByParameter(network, convention) {
  const result = new Map();
  describeLayers(network, convention).forEach((layer, index) => {
    for (const { name } of layer.parameters) result.set(name, index);
  });
  return result;
}

/** The type of a network's loss, in its short form or its long one. */
export const lossType = ({ loss }) => (typeof loss === "object" && loss !== null ? loss.type : loss);

/** The number of samples; in the convention "columns" they lie side by side. */
export function batchSize({ data, convention }) {
  const x = data?.x;
  if (!Array.isArray(x)) return null;
  return convention === "columns" ? (Array.isArray(x[0]) ? x[0].length : null) : x.length;
}
