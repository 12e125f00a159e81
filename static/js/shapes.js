/**
 * What follows from a network's definition: shapes, the parameters' names, and who takes what. For labels only; the
 * service has the last word, so anything that makes no sense here is simply null.
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

/**
 * What each layer takes: the index of a layer, or the name of a member of the data.
 * @returns {(number | string)[][]} one list per layer
 */
export function sourcesOf(network) {
  const named = new Map();
  return (network?.layers ?? []).map((layer, index) => {
    const names = Array.isArray(layer?.inputs) ? layer.inputs : [index === 0 ? "x" : index - 1];
    const sources = names.map((name) => named.get(name) ?? name);
    if (layer?.name) named.set(layer.name, index);
    return sources;
  });
}

/** For each layer, all layers and members of the data that what it makes depends on. */
export function ancestorsOf(network) {
  const all = [];
  for (const sources of sourcesOf(network)) {
    all.push(new Set(sources.flatMap((source) => [source, ...(all[source] ?? [])])));
  }
  return all;
}

const CONVOLUTION = /^conv(_transpose)?([12])d$/;
const POOLING = /^(max|avg)_pool([12])d$/;

const PARAMETERS = {
  linear: ["W", "b"], layer_norm: ["gamma", "beta"],
  conv1d: ["W", "b"], conv2d: ["W", "b"], conv_transpose1d: ["W", "b"], conv_transpose2d: ["W", "b"],
};
const MEMBERS = ["weight", "bias"];

/** Whether layers of that type have parameters, which others may share. */
export const hasParameters = (type) => type in PARAMETERS;

/** The shapes of the parameters that a layer has itself; null for one that it has not. */
function shapesOf(layer, owner, input, convention) {
  const width = input?.at(-1) ?? null;
  const told = (name, otherwise) => layer[name] ?? owner?.[name] ?? otherwise;
  if (layer.type === "layer_norm") {
    const gain = owner === null && told("affine", true) ? [[width]] : [];
    return [...gain, ...gain];
  }
  const convolution = CONVOLUTION.exec(layer.type);
  if (convolution !== null) {
    if (owner !== null) return [null, null];
    const channels = [layer.out_channels ?? null, input?.[0] ?? null];
    const kernel = sizesOf(layer.kernel_size ?? null, Number(convolution[2]));
    return [[...(convolution[1] ? channels.reverse() : channels), ...kernel],
      told("bias", true) ? [layer.out_channels ?? null] : null];
  }
  const out = outFeatures(layer, owner);
  const weight = convention === "numpy" ? [width, out] : [out, width];
  const bias = told("bias", true) && (owner === null || told("transposed", false) || owner.bias === false);
  return [owner === null ? weight : null, bias ? [out] : null];
}

function outFeatures(layer, owner) {
  if (isSize(layer.out_features)) return layer.out_features;
  if (owner === null || layer.transposed || owner.transposed) return null;
  return isSize(owner.out_features) ? owner.out_features : null;
}

/** A size for each axis, of one that may be given for all. */
const sizesOf = (value, axes) => (Array.isArray(value) ? value : Array(axes).fill(value));

/** The shape behind windows that go over an image, [channels, ...]. */
function windowedShape(layer, owner, image, axes, transposed, channels) {
  const told = (name, otherwise) => sizesOf(layer[name] ?? owner?.[name] ?? otherwise, axes);
  const kernel = told("kernel_size", null), padding = told("padding", 0), more = told("output_padding", 0);
  const stride = told("stride", POOLING.test(layer.type) ? kernel : 1);
  if (image.length !== axes + 1 || !kernel.every(isSize) || !isSize(channels)) return null;
  const sizes = image.slice(1).map((size, i) => (transposed
    ? (size - 1) * stride[i] - 2 * padding[i] + kernel[i] + more[i]
    : Math.floor((size + 2 * padding[i] - kernel[i]) / stride[i]) + 1));
  return sizes.every(isSize) ? [channels, ...sizes] : null;
}

/** The shape of what a layer makes, from those of what it takes. */
function outputShape(layer, owner, inputs) {
  const [first] = inputs;
  if (inputs.includes(null)) return null;
  if (layer.type === "linear") {
    const out = outFeatures(layer, owner);
    return out && [...first.slice(0, -1), out];
  }
  if (layer.type === "flatten") return [product(first)];
  const convolution = CONVOLUTION.exec(layer.type), pooling = POOLING.exec(layer.type);
  if (convolution !== null) {
    return windowedShape(layer, owner, first, Number(convolution[2]), Boolean(convolution[1]),
      layer.out_channels ?? owner?.out_channels);
  }
  if (pooling !== null) return windowedShape(layer, null, first, Number(pooling[2]), false, first[0]);
  if (inputs.length > 1 && inputs.some((shape) => shape.length !== first.length)) return null;
  if (layer.type === "concat") {
    const axis = (layer.dim ?? 1) < 0 ? first.length + layer.dim : (layer.dim ?? 1) - 1; // without the batch
    return first.map((size, i) => (i === axis ? inputs.reduce((sum, shape) => sum + shape[i], 0) : size));
  }
  return first.map((_, i) => Math.max(...inputs.map((shape) => shape[i])));
}

/**
 * @returns {{shape: number[] | null, parameters: {name: string, shape: number[] | null}[]}[]} one entry per layer:
 *   the shape of a sample behind it, and its parameters
 */
export function describeLayers(network, convention = "numpy") {
  const layers = network?.layers ?? [];
  const sources = sourcesOf(network);
  const shapes = [];
  let count = 0;
  return layers.map((layer, index) => {
    const inputs = sources[index].map((source) => (source === "x" ? inputShape(network?.input) : shapes[source] ?? null));
    const owner = layer?.shares ? layers.slice(0, index).find(({ name }) => name === layer.shares) ?? null : null;
    shapes[index] = outputShape(layer ?? {}, owner, inputs.length > 0 ? inputs : [null]);
    const own = hasParameters(layer?.type) ? shapesOf(layer, owner, inputs[0] ?? null, convention) : [];
    if (own.some((shape) => shape !== null && shape !== undefined)) count += 1;
    const named = own.map((shape, i) => ({
      name: convention === "pytorch" ? `${layer.name || index}.${MEMBERS[i]}` : `${PARAMETERS[layer.type][i]}${count}`,
      shape,
    }));
    const parameters = named.filter(({ shape }) => shape !== null)
      .map(({ name, shape }) => ({ name, shape: shape.includes(null) ? null : shape }));
    return { shape: shapes[index], parameters };
  });
}

/** The type of a network's loss, in its short form or its long one. */
export const lossType = ({ loss }) => (typeof loss === "object" && loss !== null ? loss.type : loss);

/** The number of samples; in the convention "columns" they lie side by side. */
export function batchSize({ data, convention }) {
  const x = data?.x;
  if (!Array.isArray(x)) return null;
  return convention === "columns" ? (Array.isArray(x[0]) ? x[0].length : null) : x.length;
}
