/** The loss around a run's parameters: contours on a canvas, with the way that the training took. */
import { traceZero } from "./contours.js";
import { formatNumber } from "./numbers.js";
import { chartStyle, curveStyle } from "./palette.js";

const LEVELS = 12;
const MARGIN = { left: 52, right: 10, top: 10, bottom: 26 };

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);

/** Rows by b, columns by a, of loss[i][j] at a[i] and b[j]; a grid that is not square tells by itself. */
function rowsOf({ a, b, loss }) {
  if (a.length !== b.length && loss.length === b.length) return loss;
  return b.map((_, j) => a.map((_, i) => loss[i][j]));
}

/** Losses are told apart by their logarithm where all are above 0. */
function scaleOf(rows) {
  const all = rows.flat().filter((value) => Number.isFinite(value));
  const least = Math.min(...all);
  const logarithmic = least > 0 && Math.max(...all) > 20 * least;
  const scale = logarithmic ? Math.log : (value) => value;
  return { least, most: Math.max(...all), low: scale(least), high: scale(Math.max(...all)), scale };
}

/** What the picture shows, in words. */
export function landscapeText(landscape) {
  const { least, most } = scaleOf(rowsOf(landscape));
  const path = landscape.path ?? [];
  const way = path.length > 1 ? ` The line is the way that the training took, in ${path.length} points, to the cross.` : "";
  return `The loss lies between ${formatNumber(least)} and ${formatNumber(most)}; the stronger the colour, the more.${way}`;
}

/** @param {HTMLCanvasElement} canvas @param {{landscape: object, theme: "light" | "dark"}} what */
export function drawLandscape(canvas, { landscape, theme }) {
  const side = Math.min(canvas.parentElement.clientWidth, 420);
  if (side <= 0) return;
  const rows = rowsOf(landscape);
  const { low, high, scale } = scaleOf(rows);
  const levels = rows.map((row) => row.map((value) => (Number.isFinite(value) ? (scale(value) - low) / (high - low || 1) : 1)));
  const style = chartStyle(theme);
  const ratio = devicePixelRatio;
  const size = side - MARGIN.left - MARGIN.right;
  canvas.width = Math.round(side * ratio);
  canvas.height = Math.round((size + MARGIN.top + MARGIN.bottom) * ratio);
  canvas.style.width = `${side}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);

  const picture = new OffscreenCanvas(rows[0].length, rows.length);
  const image = picture.getContext("2d").createImageData(rows[0].length, rows.length);
  const [paper, colour] = [rgb(style.paper), rgb(curveStyle(0, theme).colour)];
  levels.forEach((row, i) => row.forEach((level, j) => image.data.set([...mix(paper, colour, 0.75 * level), 255], ((rows.length - 1 - i) * row.length + j) * 4)));
  picture.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, MARGIN.left, MARGIN.top, size, size);

  const at = (j, i) => [MARGIN.left + (size * j) / (rows[0].length - 1), MARGIN.top + size * (1 - i / (rows.length - 1))];
  context.strokeStyle = style.quiet;
  context.lineWidth = 0.75;
  for (let k = 1; k < LEVELS; k++) {
    context.beginPath();
    traceZero(context, levels.map((row) => row.map((level) => level - k / LEVELS)), at);
    context.stroke();
  }
  drawPath(context, landscape, size, theme);
  drawAxes(context, landscape, size, style);
}

function drawPath(context, { a, b, path = [] }, size, theme) {
  const { ink, paper } = chartStyle(theme);
  const share = (list, value) => (value - list[0]) / (list.at(-1) - list[0]);
  const points = path.map(([x, y]) => [MARGIN.left + size * share(a, x), MARGIN.top + size * (1 - share(b, y))]);
  if (points.length === 0) return;
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, size, size);
  context.clip();
  for (const [width, colour] of [[4, paper], [2, curveStyle(1, theme).colour]]) {
    context.beginPath();
    points.forEach((point, i) => (i === 0 ? context.moveTo(...point) : context.lineTo(...point)));
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  const [x, y] = points.at(-1);
  context.beginPath();
  for (const [dx, dy] of [[1, 1], [1, -1]]) {
    context.moveTo(x - 5 * dx, y - 5 * dy);
    context.lineTo(x + 5 * dx, y + 5 * dy);
  }
  context.strokeStyle = ink;
  context.stroke();
  context.restore();
}

function drawAxes(context, { a, b }, size, style) {
  context.strokeStyle = context.fillStyle = style.quiet;
  context.lineWidth = 1;
  context.strokeRect(MARGIN.left + 0.5, MARGIN.top + 0.5, size - 1, size - 1);
  context.font = "12px system-ui, sans-serif";
  const value = (list, share) => formatNumber(list[0] + (list.at(-1) - list[0]) * share);
  for (const share of [0, 0.5, 1]) {
    context.textBaseline = "top";
    context.textAlign = ["left", "center", "right"][share * 2];
    context.fillText(value(a, share), MARGIN.left + size * share, MARGIN.top + size + 6);
    context.textAlign = "right";
    context.textBaseline = ["bottom", "middle", "top"][share * 2];
    context.fillText(value(b, share), MARGIN.left - 6, MARGIN.top + size * (1 - share));
  }
}
