/**
 * Training requests in words: what one is, and what differs between two ("lr 0.1 → 0.5").
 */
import { formatNumber } from "./numbers.js";
import { wholeOptimizer } from "./optimizers.js";

/** The widths of a network: "2-3-2-1". */
export function architecture(network) {
  const input = Array.isArray(network.input) ? network.input.join("×") : network.input;
  const widths = network.layers.filter((layer) => layer.type === "linear").map((layer) => layer.out_features ?? "·");
  return [input, ...widths].join("-");
}

/** What a run is, in a few words: "2-3-2-1 relu, relu, sigmoid · sgd lr 1 · seed 123". */
export function recipe({ network, optimizer, parameters, batch_size: batch }) {
  const activations = network.layers.map(({ type }) => type).filter((type) => type !== "linear" && type !== "flatten");
  const short = activations.length > 4 ? [...activations.slice(0, 3), "…"] : activations;
  const { type, lr } = wholeOptimizer(optimizer);
  return [
    [architecture(network), short.join(", ")].join(" "),
    `${type} lr ${text(lr)}`,
    ...(batch === undefined ? [] : [`batches of ${batch}`]),
    ...(parameters?.init?.seed === undefined ? [] : [`seed ${parameters.init.seed}`]),
  ].join(" · ");
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function text(value) {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : formatNumber(value);
  if (Array.isArray(value)) return value.map(text).join(", ");
  return value === true ? "on" : value === false ? "off" : String(value);
}

const change = (name, from, to) => (same(from, to) ? [] : [`${name} ${text(from)} → ${text(to)}`]);

function optimizerChanges(from, to) {
  const a = wholeOptimizer(from);
  const b = wholeOptimizer(to);
  const changes = a.type === b.type ? [] : [`${a.type} → ${b.type}`];
  for (const name of Object.keys(b)) {
    if (name !== "type" && name in a && (a.type === b.type || name === "lr")) changes.push(...change(name, a[name], b[name]));
  }
  return changes;
}

function layerChanges(from, to) {
  if (from.length !== to.length) return null;
  const changes = [];
  for (let i = 0; i < from.length; i++) {
    if (same(from[i], to[i])) continue;
    const { type: a, ...before } = from[i];
    const { type: b, ...after } = to[i];
    if (a !== b) changes.push(`layer ${i}: ${a} → ${b}`);
    else for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (name !== "name") changes.push(...change(`layer ${i}: ${name}`, before[name] ?? "default", after[name] ?? "default"));
    }
  }
  return changes;
}

function networkChanges(from, to) {
  const layers = layerChanges(from.layers, to.layers);
  const shapes = change("network", architecture(from), architecture(to));
  const changes = layers ?? (shapes.length > 0 ? shapes : ["other layers"]);
  const loss = (network) => (typeof network.loss === "string" ? { type: network.loss } : network.loss);
  const [a, b] = [loss(from), loss(to)];
  if (a.type !== b.type) changes.push(`loss ${a.type} → ${b.type}`);
  else if (!same(a, b)) changes.push("loss: other options");
  return changes;
}

function parameterChanges(from, to) {
  if (from?.init === undefined || to?.init === undefined) return same(from, to) ? [] : ["other parameters"];
  const changes = [];
  for (const name of new Set([...Object.keys(from.init), ...Object.keys(to.init)])) {
    if (name === "generator") continue;
    changes.push(...change(name === "scheme" ? "init" : name, from.init[name] ?? "none", to.init[name] ?? "none"));
  }
  return changes;
}

/**
 * @param {object} from  the body of a request to /v1/train
 * @param {object} to    another
 * @returns {string[]}   in the order of the form; empty where both train alike
 */
export function describeChanges(from, to) {
  return [
    ...optimizerChanges(from.optimizer, to.optimizer),
    ...change("epochs", from.epochs ?? 1000, to.epochs ?? 1000),
    ...change("batch size", from.batch_size ?? "all", to.batch_size ?? "all"),
    ...parameterChanges(from.parameters, to.parameters),
    ...networkChanges(from.network, to.network),
    ...(same(from.data, to.data) ? [] : ["other data"]),
    ...change("convention", from.convention ?? "numpy", to.convention ?? "numpy"),
    ...change("dtype", from.dtype ?? "float64", to.dtype ?? "float64"),
  ];
}
