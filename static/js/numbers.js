/**
 * Numbers and tensors as text.
 *
 *   parseTensors(text)   {name: tensor}: from JSON, or from what Python prints (python-text.js)
 *   parseTensor(text)    one tensor, likewise
 *   toJson(value, { pretty })   JSON that keeps NaN and Infinity, which the service reads; pretty: rows on one line each
 *   tensorText(tensor), tensorsText(tensors)   as people like to edit them
 *   formatNumber(x)      a few significant digits, for people
 *   flatten(tensor), shapeOf(tensor), sameTensor(a, b)
 */
import { parsePython } from "./python-text.js";

/** Reads {"name": tensor, ...}. Throws a SyntaxError with `line` and `column`. */
export function parseTensors(text) {
  return parsePython(text, { named: true });
}

/** Reads one tensor. */
export function parseTensor(text) {
  return parsePython(text, { named: false });
}

const isNumber = (value) => typeof value === "number";
const number = (value) => (Object.is(value, -0) ? "-0.0" : String(value));

/** JSON, with NaN, Infinity and -Infinity as Python writes them. */
export function toJson(value, { pretty = false } = {}) {
  return write(value, pretty, "");
}

function write(value, pretty, indent) {
  if (isNumber(value)) return number(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, pretty, deeper));
    const short = items.join(", ");
    if (!pretty) return `[${items.join(",")}]`;
    if (items.length === 0 || value.every(isNumber) || (short.length + indent.length < 90 && !short.includes("\n"))) return `[${short}]`;
    return `[\n${items.map((item) => deeper + item).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const items = members.map(([name, member]) => `${JSON.stringify(name)}:${pretty ? " " : ""}${write(member, pretty, deeper)}`);
  if (!pretty) return `{${items.join(",")}}`;
  const short = `{${items.join(", ")}}`;
  if (short.length + indent.length < 90 && !short.includes("\n") && indent !== "") return short;
  return items.length === 0 ? "{}" : `{\n${items.map((item) => deeper + item).join(",\n")}\n${indent}}`;
}

/** A named set of tensors as people like to edit it: one name a line, at least. */
export function tensorsText(tensors) {
  return toJson(tensors, { pretty: true });
}

/** One tensor, a row a line. */
export function tensorText(tensor) {
  const rows = Array.isArray(tensor) && Array.isArray(tensor[0]);
  return rows ? `[${tensor.map((row) => toJson(row).replaceAll(",", ", ")).join(",\n ")}]` : toJson(tensor, { pretty: true });
}

/** Four significant digits at most; powers of ten where there are many zeros. */
export function formatNumber(x) {
  if (x === null || x === undefined) return "–";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size < 1e-3 || size >= 1e6 ? Number(x.toPrecision(3)).toExponential() : String(Number(x.toPrecision(4)));
  return text.replace("-", "−").replace("e-", "e−").replace("e+", "e");
}

/** All numbers of a tensor, row-major. */
export const flatten = (tensor) => (Array.isArray(tensor) ? tensor.flat(Infinity) : [tensor]);

/** The shape of a tensor that is not ragged. */
export function shapeOf(tensor) {
  const shape = [];
  for (let at = tensor; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
}

/** Whether two tensors (or sets of them) are the same, number by number. */
export const sameTensor = (a, b) => toJson(a) === toJson(b);
