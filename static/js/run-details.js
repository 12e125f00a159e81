/**
 * What there is to see of one run: its remarks, the norms of its gradients, its decision boundary, its predictions.
 */
import { drawBoundary } from "./boundary.js";
import { createCurves } from "./curves.js";
import { el, fill } from "./dom.js";
import { drawHealth } from "./health.js";
import { formatNumber } from "./numbers.js";
import { curveStyle } from "./palette.js";
import { createRunPictures } from "./run-pictures.js";
import { reading, samplesOf } from "./samples.js";
import { hasPlane } from "./train-form.js";

const TABLE_ROWS = 50;
const BIAS_DASH = [4, 3];
const LATE_DASH = [12, 4]; // of layers whose colour an earlier one has

const isBias = (name) => /^b\d+$|\bbias$/.test(name);
const layerOf = (name) => name.replace(/\.?(weight|bias)$/, "").replace(/^[Wb](?=\d)/, "");

/** One colour a layer; a bias is the dashed line beside its weight. */
function normCurves(run, theme, biases) {
  const names = Object.keys(run.norms).filter((name) => biases || !isBias(name));
  const layers = [...new Set(Object.keys(run.norms).map(layerOf))];
  return names.map((name) => {
    const layer = layers.indexOf(layerOf(name));
    const dash = isBias(name) ? BIAS_DASH : layer < 6 ? [] : LATE_DASH;
    return { id: name, label: name, colour: curveStyle(layer, theme).colour, dash, x: run.epochs, y: run.norms[name], width: 1.75 };
  });
}

/** How many samples are on the right side of the boundary, in words. */
function sidesText(samples, read) {
  if (read.classes === 0) return "The line is halfway between the smallest and the largest target.";
  const fits = ({ target, output }) => output !== null && read.classOfOutput(output) === read.classOf(target);
  const right = samples.filter(fits).length;
  if (right === samples.length) return `All ${right} samples are on their side.`;
  return `${right} of ${samples.length} samples are on their side, the others are ringed.`;
}

function whyNoPlane(run) {
  if (!hasPlane(run.request)) return "A boundary is drawn for networks with two inputs.";
  if (run.request.boundary === undefined) return "This run was started without a boundary.";
  return run.status === "stopped" || run.status === "failed" ? "The run ended before there was one." : "It is drawn when the run is done.";
}

/**
 * @param {HTMLElement} root
 * @param {{theme: {current(): "light"|"dark", onChange(fn: Function): void}}} options
 * @returns {{draw(run: import("./runs.js").Run | null): void, catchUp(): void}}  catchUp: see chart.js
 */
export function createRunDetails(root, { theme }) {
  let run = null;
  let drawn = null; // the result that the boundary and the table show
  const biases = el("input", { type: "checkbox", onchange: () => drawNorms() });
  const norms = createCurves({
    title: "Gradient norms", empty: "Nothing trained yet.", logarithmic: true, height: 270, theme, legend: true,
    tools: [el("label", { class: "check" }, biases, " biases too")],
  });
  const health = el("ul", { class: "remarks", role: "list" });
  const canvas = el("canvas", { class: "boundary", role: "img", "aria-label": "Decision boundary" });
  const canvasHost = el("div", { class: "boundary-host" }, canvas);
  const planeNote = el("p", { class: "help" });
  const legend = el("p", { class: "help" });
  const table = el("table", { class: "data" });
  const predictions = el("details", { class: "curve-table" },
    el("summary", {}, "Predictions"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Predictions" }, table));
  const pictures = createRunPictures({ theme });
  root.append(
    el("div", { class: "card" }, el("h3", {}, "Health"), health),
    el("div", { class: "details-grid" },
      el("div", { class: "card" }, norms.node),
      el("div", { class: "card" }, el("h3", {}, "Decision boundary"), canvasHost, legend, planeNote, predictions)),
    pictures.node);

  const drawNorms = () => norms.draw(run === null ? [] : normCurves(run, theme.current(), biases.checked));

  function drawPlane() {
    const boundary = run?.result?.boundary;
    canvasHost.hidden = !boundary;
    planeNote.hidden = Boolean(boundary);
    if (!boundary) {
      planeNote.textContent = run === null ? "" : whyNoPlane(run);
      legend.textContent = "";
      return;
    }
    const samples = samplesOf(run.request, run.result.final?.predictions ?? null);
    drawBoundary(canvas, { boundary, request: run.request, samples, theme: theme.current() });
    const read = reading(run.request, samples);
    legend.textContent = sidesText(samples, read);
    canvas.setAttribute("aria-label", `Decision boundary of ${run.name}. ${legend.textContent} The predictions are in the table below.`);
  }

  function drawPredictions() {
    const outputs = run?.result?.final?.predictions;
    predictions.hidden = !outputs;
    if (!outputs) return;
    const samples = samplesOf(run.request, outputs).slice(0, TABLE_ROWS);
    const text = (values) => [values].flat().map(formatNumber).join(", ");
    fill(table,
      el("thead", {}, el("tr", {}, ["x", "target", "prediction"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, samples.map(({ x, target, output }) => el("tr", {},
        el("th", { scope: "row" }, text(x.slice(0, 8)), x.length > 8 ? ", …" : ""),
        el("td", {}, text(target)), el("td", {}, text(output))))));
  }

  function drawHealthOf() {
    const none = run === null ? "Remarks on a run appear here as they arise: dead units, exploding gradients, and the like."
      : run.status === "done" ? "Nothing to remark: this run looks healthy." : "Nothing to remark so far.";
    drawHealth(health, run?.health ?? [], none);
  }

  theme.onChange(() => { drawNorms(); drawPlane(); });
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    drawPlane();
  }).observe(canvasHost.parentElement);

  return {
    catchUp: () => norms.chart.catchUp(),
    draw(now) {
      const another = now !== run;
      run = now;
      drawNorms();
      drawHealthOf();
      const key = run === null ? null : run.result ?? `${run.id} ${run.status}`;
      if (another || key !== drawn) {
        drawn = key;
        drawPlane();
        drawPredictions();
        pictures.show(run);
      }
    },
  };
}
