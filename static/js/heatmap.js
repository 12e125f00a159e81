/** |student - reference| of one parameter, element by element. */
import { el } from "./dom.js";
import { flatten, formatNumber, shapeOf } from "./numbers.js";

const MOST_IN_TABLE = 160;
const MOST_COLUMNS_IN_TABLE = 16;
const LEVELS = 6;

/** 0: within the tolerance; then one level for every two powers of ten beyond it. */
export function levelOf(difference, tolerance) {
  if (!(difference > tolerance)) return Number.isNaN(difference) ? LEVELS - 1 : 0;
  return Math.min(LEVELS - 1, 1 + Math.floor(Math.max(0, Math.log10(difference / Math.max(tolerance, 1e-16))) / 2));
}

/**
 * The differences as rows of cells, or null where they cannot be laid over one another.
 * @returns {{student: number, reference: number, difference: number, level: number}[][] | null}
 */
export function differences(student, reference, { atol, rtol }) {
  const shape = shapeOf(reference);
  if (student === undefined || shape.length > 2) return null;
  const mine = flatten(student);
  const right = flatten(reference);
  if (mine.length !== right.length) return null;
  const cells = right.map((value, i) => {
    const own = typeof mine[i] === "number" ? mine[i] : NaN;
    const difference = Math.abs(own - value);
    return { student: own, reference: value, difference, level: levelOf(difference, atol + rtol * Math.abs(value)) };
  });
  const columns = shape.length === 2 ? shape[1] : right.length;
  return Array.from({ length: cells.length / columns }, (_, row) => cells.slice(row * columns, (row + 1) * columns));
}

function asTable(rows) {
  return el("table", { class: "heat" }, el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) =>
    el("td", { class: `heat-${cell.level}`, title: `yours ${cell.student}, reference ${cell.reference}` },
      cell.level === 0 ? el("span", { class: "quiet" }, formatNumber(cell.difference)) : formatNumber(cell.difference)))))));
}

function asCanvas(rows, theme) {
  const [height, width] = [rows.length, rows[0].length];
  const scale = Math.max(1, Math.min(8, Math.floor(360 / width), Math.floor(240 / height)));
  const canvas = el("canvas", { class: "heat", width: width * scale, height: height * scale });
  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const colours = Array.from({ length: LEVELS }, (_, level) => style.getPropertyValue(`--heat-${level}`));
    const context = canvas.getContext("2d");
    rows.forEach((row, y) => row.forEach(({ level }, x) => {
      context.fillStyle = colours[level];
      context.fillRect(x * scale, y * scale, scale, scale);
    }));
  };
  paint();
  theme.onChange(() => canvas.isConnected && paint());
  return canvas;
}

/**
 * A figure with the map and, in words, the worst element.
 * @returns {HTMLElement | null}
 */
export function heatmap(name, student, reference, tolerance, theme) {
  const rows = differences(student, reference, tolerance);
  if (rows === null) return null;
  const small = rows.length * rows[0].length <= MOST_IN_TABLE && rows[0].length <= MOST_COLUMNS_IN_TABLE;
  const cells = rows.flat();
  const worst = cells.reduce((a, b) => (b.difference > a.difference ? b : a));
  const outside = cells.filter((cell) => cell.level > 0).length;
  const words = outside === 0 ? "all within the tolerance"
    : `${outside} of ${cells.length} outside; the worst: yours ${formatNumber(worst.student)}, right ${formatNumber(worst.reference)}`;
  const map = small ? asTable(rows) : asCanvas(rows, theme);
  if (!small) {
    map.setAttribute("role", "img");
    map.setAttribute("aria-label", `${name}: ${words}`);
  }
  return el("figure", { class: "heat-figure" },
    el("figcaption", {}, el("strong", { class: "mono" }, name), " ", el("span", { class: "quiet" }, words)),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Differences of ${name}` }, map));
}

/** What the colours mean. */
export const heatLegend = () => el("p", { class: "heat-legend help" },
  el("span", { class: "swatch heat-0" }), "within the tolerance",
  Array.from({ length: LEVELS - 1 }, (_, i) => el("span", { class: `swatch heat-${i + 1}` })), "each step a hundred times further off");
