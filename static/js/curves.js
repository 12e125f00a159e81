/**
 * A chart with all that belongs to it: what is under the cursor in words, the keys that move it, and the same numbers
 * as a table for those who read rather than look.
 */
import { Chart } from "./chart.js";
import { el, fill, uid } from "./dom.js";
import { formatNumber } from "./numbers.js";
import { lineSwatch } from "./swatch.js";

const TABLE_ROWS = 50;
const HINT = "Point at the curve, or use the arrow keys on it. Drag, + and − zoom, 0 shows all.";

/** At most so many indices out of 0..length-1, evenly spread, with both ends. */
function sample(length, most) {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}

/** Rows of a table of curves: [epoch, value of each curve or undefined]. */
function tableRows(curves) {
  const epochs = [...new Set(curves.flatMap(({ x }) => sample(x.length, TABLE_ROWS).map((i) => x[i])))].sort((a, b) => a - b);
  const lookups = curves.map(({ x, y }) => new Map(x.map((epoch, i) => [epoch, y[i]])));
  return sample(epochs.length, TABLE_ROWS).map((i) => [epochs[i], lookups.map((lookup) => lookup.get(epochs[i]))]);
}

/**
 * @param {object} options
 * @param {string} options.title       for people and screen readers
 * @param {string} [options.empty]     what is said where there is no curve
 * @param {Node[]} [options.tools]     controls beside the title
 * @param {boolean} [options.legend]   whether the curves are named below
 * @param {boolean} [options.hint]     whether the keys are explained below
 * @param {(value: number) => string} [options.format]
 * @returns {{node: HTMLElement, chart: Chart, draw(curves: import("./chart.js").Curve[]): void}}
 */
export function createCurves({ title, empty = "", tools = [], legend = false, hint = false, format = formatNumber, ...chartOptions }) {
  const heading = uid("curve");
  const readout = el("p", { class: "readout" });
  const nothing = el("p", { class: "help curve-empty" }, empty);
  const host = el("div", {
    class: "curve-host", tabindex: "0", role: "slider", "aria-labelledby": heading, "aria-roledescription": "chart",
    "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0", "aria-valuetext": "no curve yet",
  });
  const names = el("p", { class: "curve-legend", hidden: true });
  const table = createTable(title, format);
  const chart = new Chart(host, { ...chartOptions, onCursor: tell });

  function tell(epoch, values) {
    if (epoch === null) {
      readout.textContent = hint && chart.curves.length > 0 ? HINT : "";
      return;
    }
    fill(readout, el("span", {}, `epoch ${epoch}`), values.map(({ curve, value }) =>
      el("span", {}, mark(curve.colour), `${curve.label} ${format(value)}`)));
    const spoken = values.map(({ curve, value }) => `${curve.label} ${format(value)}`);
    host.setAttribute("aria-valuenow", String(epoch));
    host.setAttribute("aria-valuetext", [`epoch ${epoch}`, ...spoken].join(", "));
  }

  const keys = {
    ArrowRight: () => chart.step(1), ArrowLeft: () => chart.step(-1),
    ArrowUp: () => chart.step(1), ArrowDown: () => chart.step(-1),
    PageDown: () => chart.step(50), PageUp: () => chart.step(-50),
    Home: () => chart.step(-Infinity), End: () => chart.step(Infinity),
    "+": () => chart.zoom(0.5), "=": () => chart.zoom(0.5), "-": () => chart.zoom(2), 0: () => chart.resetZoom(),
  };
  host.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });

  function draw(curves) {
    const zeros = curves.length > 0 && chart.logarithmic && curves.every(({ y }) => !y.some((value) => value > 0));
    nothing.hidden = curves.length > 0 && !zeros;
    nothing.textContent = zeros ? "All of it is 0, which a logarithmic axis cannot show." : empty;
    if (legend) drawLegend(curves);
    if (readout.textContent === "" || curves.length === 0) readout.textContent = hint && curves.length > 0 ? HINT : "";
    chart.draw(curves);
    table.draw(curves);
    const last = curves.reduce((most, { x }) => Math.max(most, x.at(-1) ?? 0), 0);
    host.setAttribute("aria-valuemax", String(last));
    if (curves.length > 0 && host.getAttribute("aria-valuetext") === "no curve yet") {
      host.setAttribute("aria-valuetext", `${curves.length} ${curves.length === 1 ? "curve" : "curves"}`);
    }
  }

  function drawLegend(curves) {
    const key = curves.map(({ label, colour }) => `${label} ${colour}`).join("|");
    if (key === names.dataset.key) return;
    names.dataset.key = key;
    names.hidden = curves.length === 0;
    fill(names, curves.map((curve) => el("span", {}, lineSwatch(curve), curve.label)));
  }

  draw([]);
  const node = el("div", { class: "curve" },
    el("div", { class: "row curve-head" }, el("h3", { id: heading }, title), tools),
    el("div", { class: "curve-frame" }, host, nothing), names, readout, table.node);
  return { node, chart, draw };
}

function mark(colour) {
  const dot = el("i", { class: "curve-mark", "aria-hidden": "true" });
  dot.style.background = colour;
  return dot;
}

/** The table is filled only while it is open, at most twice a second. */
function createTable(title, format) {
  const table = el("table", { class: "data" });
  const node = el("details", { class: "curve-table" },
    el("summary", {}, "As a table", el("span", { class: "visually-hidden" }, `: ${title}`)),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, as a table` }, table));
  let curves = [];
  let timer = null;

  function write() {
    timer = null;
    fill(table,
      el("caption", { class: "visually-hidden" }, `${title}, ${TABLE_ROWS} epochs at most`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "epoch"), curves.map(({ label }) => el("th", { scope: "col" }, label)))),
      el("tbody", {}, tableRows(curves).map(([epoch, values]) =>
        el("tr", {}, el("th", { scope: "row" }, epoch), values.map((value) => el("td", {}, value === undefined ? "" : format(value)))))));
  }

  node.addEventListener("toggle", () => { if (node.open) write(); });
  return {
    node,
    draw(now) {
      curves = now;
      if (node.open) timer ??= setTimeout(write, 500);
    },
  };
}
