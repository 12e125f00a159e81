/**
 * What a network with two inputs says over the plane, and the samples on it, on a canvas.
 */
import { traceZero } from "./contours.js";
import { formatNumber } from "./numbers.js";
import { chartStyle, curveStyle } from "./palette.js";
import { reading } from "./samples.js";

const MARGIN = { left: 44, right: 10, top: 10, bottom: 26 };
const BINARY_SLOTS = [1, 0]; // class 0 is vermilion, class 1 blue
const FULL = 0.62; // how much of a class's colour there is where the network is sure

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);

/** The colour of a class; for two classes those at both ends of the scale. */
function classColour(index, classes, theme) {
  const slot = classes <= 2 ? BINARY_SLOTS[index] : index;
  return curveStyle(slot % 6, theme).colour;
}

/** The plane as a small picture, one pixel a value; the first row of values is the lowest. */
function planePicture({ values }, read, theme) {
  const rows = values.length;
  const columns = values[0].length;
  const picture = new OffscreenCanvas(columns, rows);
  const context = picture.getContext("2d");
  const image = context.createImageData(columns, rows);
  const paper = rgb(chartStyle(theme).paper);
  const colours = Array.from({ length: Math.max(2, read.classes) }, (_, i) => rgb(classColour(i, read.classes, theme)));
  const shade = (value) => {
    if (read.level === null) return mix(paper, colours[read.classOfOutput(value)], FULL * 0.75);
    const level = read.level(Array.isArray(value) ? value[0] : value);
    return mix(paper, colours[level > 0.5 ? 1 : 0], Math.abs(level - 0.5) * 2 * FULL);
  };
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) image.data.set([...shade(values[i][j]), 255], ((rows - 1 - i) * columns + j) * 4);
  }
  context.putImageData(image, 0, 0);
  return picture;
}

/** Lines between neighbouring values where the answer changes: through the exact place on a scale, else halfway. */
function traceEdges(path, { values }, read, at) {
  const one = (value) => (Array.isArray(value) ? value[0] : value);
  const scale = read.level === null
    ? null
    : values.map((row) => row.map((value) => read.level(one(value)) - 0.5));
  if (scale === null) return traceSteps(path, values.map((row) => row.map(read.classOfOutput)), at);
  traceZero(path, scale, at);
}

function traceSteps(path, classes, at) {
  for (let i = 0; i < classes.length; i++) {
    for (let j = 0; j < classes[0].length; j++) {
      if (j + 1 < classes[0].length && classes[i][j] !== classes[i][j + 1]) {
        path.moveTo(...at(j + 0.5, i - 0.5));
        path.lineTo(...at(j + 0.5, i + 0.5));
      }
      if (i + 1 < classes.length && classes[i][j] !== classes[i + 1][j]) {
        path.moveTo(...at(j - 0.5, i + 0.5));
        path.lineTo(...at(j + 0.5, i + 0.5));
      }
    }
  }
}

/** One shape for each class, so that colour is not all there is. */
function tracePoint(context, shape, x, y, r) {
  context.beginPath();
  if (shape % 3 === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape % 3 === 1) context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else {
    context.moveTo(x, y - r * 1.2);
    context.lineTo(x + r * 1.1, y + r * 0.8);
    context.lineTo(x - r * 1.1, y + r * 0.8);
    context.closePath();
  }
}

function drawAxes(context, boundary, frame, style) {
  context.strokeStyle = style.quiet;
  context.lineWidth = 1;
  context.strokeRect(frame.left + 0.5, frame.top + 0.5, frame.width - 1, frame.height - 1);
  context.fillStyle = style.quiet;
  context.font = "12px system-ui, sans-serif";
  const steps = [0, 0.5, 1];
  const value = ([low, high], share) => formatNumber(low + (high - low) * share);
  context.textBaseline = "top";
  for (const share of steps) {
    context.textAlign = ["left", "center", "right"][share * 2];
    context.fillText(value(boundary.x, share), frame.left + frame.width * share, frame.top + frame.height + 6);
  }
  context.textAlign = "right";
  for (const share of steps) {
    context.textBaseline = ["bottom", "middle", "top"][share * 2];
    context.fillText(value(boundary.y, share), frame.left - 6, frame.top + frame.height * (1 - share));
  }
}

/**
 * Draws the plane into a canvas as wide as its parent.
 * @param {HTMLCanvasElement} canvas
 * @param {{boundary: object, request: object, samples: import("./samples.js").Sample[], theme: "light"|"dark"}} what
 */
export function drawBoundary(canvas, { boundary, request, samples, theme }) {
  const side = Math.min(canvas.parentElement.clientWidth, 420);
  if (side <= 0) return;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(side * ratio);
  canvas.height = Math.round((side - MARGIN.left - MARGIN.right + MARGIN.top + MARGIN.bottom) * ratio);
  canvas.style.width = `${side}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const inner = side - MARGIN.left - MARGIN.right;
  const frame = { left: MARGIN.left, top: MARGIN.top, width: inner, height: inner };
  const style = chartStyle(theme);
  const read = reading(request, samples);

  context.imageSmoothingQuality = "high";
  context.imageSmoothingEnabled = read.level !== null;
  context.drawImage(planePicture(boundary, read, theme), frame.left, frame.top, frame.width, frame.height);

  const last = [boundary.values[0].length - 1, boundary.values.length - 1];
  const at = (j, i) => [frame.left + (frame.width * j) / last[0], frame.top + frame.height * (1 - i / last[1])];
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  context.beginPath();
  traceEdges(context, boundary, read, at);
  context.strokeStyle = style.ink;
  context.lineWidth = 1.5;
  context.stroke();

  for (const { x, target, output } of samples) {
    const group = read.classOf(target);
    const px = frame.left + (frame.width * (x[0] - boundary.x[0])) / (boundary.x[1] - boundary.x[0]);
    const py = frame.top + frame.height * (1 - (x[1] - boundary.y[0]) / (boundary.y[1] - boundary.y[0]));
    const wrong = read.classes > 0 && output !== null && read.classOfOutput(output) !== group;
    tracePoint(context, group, px, py, samples.length > 100 ? 4 : 6);
    context.fillStyle = classColour(group, read.classes, theme);
    context.fill();
    context.lineWidth = wrong ? 2.5 : 1.5;
    context.strokeStyle = wrong ? style.ink : style.paper;
    context.stroke();
  }
  context.restore();
  drawAxes(context, boundary, frame, style);
}
