/**
 * The samples of a request, one by one, whatever its convention, and what the network makes of them.
 */

import { describeLayers } from "./shapes.js";

const transposed = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));
/** Of a loss that takes no targets, what it takes instead. */
const targetsOf = (data) => data.y ?? data.upstream ?? [];
const largest = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

/** @typedef {{x: number[], target: number|number[], output: number[]|null}} Sample */

/**
 * @param {object} request
 * @param {any} predictions  `final.predictions` of the answer, or null
 * @returns {Sample[]}
 */
export function samplesOf({ convention, data }, predictions = null) {
  const columns = convention === "columns";
  const rows = (tensor) => (columns && Array.isArray(tensor[0]) ? transposed(tensor) : tensor);
  const [x, y] = [rows(data.x), rows(targetsOf(data))];
  const outputs = predictions === null ? null : rows(predictions);
  return x.map((sample, i) => ({
    x: [sample].flat(Infinity),
    target: Array.isArray(y[i]) && y[i].length === 1 ? y[i][0] : y[i],
    output: outputs === null ? null : [outputs[i]].flat(Infinity),
  }));
}

/**
 * How outputs are read: as classes, where the targets are classes, and on a scale from 0 to 1.
 * @param {object} request
 * @param {Sample[]} samples
 */
export function reading({ network }, samples) {
  const loss = typeof network.loss === "string" ? network.loss : network.loss.type;
  const outputs = describeLayers(network).at(-1)?.shape?.at(-1) ?? 1;
  const targets = samples.map(({ target }) => target);
  if (outputs > 1) {
    const classOf = (target) => (Array.isArray(target) ? largest(target) : target);
    return { classes: outputs, classOf, classOfOutput: largest, level: null };
  }
  const distinct = [...new Set(targets.flat())].sort((a, b) => a - b);
  const [low, high] = distinct.length > 1 ? [distinct[0], distinct.at(-1)] : [0, 1];
  const level = loss === "bce_with_logits"
    ? (value) => 1 / (1 + Math.exp(-value))
    : (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const targetLevel = (target) => (target - low) / (high - low);
  const classOf = (target) => (targetLevel(target) > 0.5 ? 1 : 0);
  return {
    classes: distinct.length <= 2 ? 2 : 0, // 0: numbers, not classes
    classOf, level, targetLevel,
    classOfOutput: ([value]) => (level(value) > 0.5 ? 1 : 0),
  };
}
