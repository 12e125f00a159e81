/**
 * A trace, step by step: down the program forward, value by value; then up again, gradient by gradient.
 *
 *   const steps = createSteps({ onStep(line) {} });   the line that is at work, or null
 *   steps.node, steps.show(trace), steps.hide()
 */
import { el, fill, uid } from "./dom.js";
import { flatten } from "./numbers.js";
import { shapeText } from "./shapes.js";

const DIGITS = 6;
const MOST_SHOWN = 12; // numbers of one tensor that stand in the table by themselves

const numberText = (x) => String(Number(x.toPrecision(DIGITS))).replace("-", "−").replace("e-", "e−");
const rowsText = (tensor) => (Array.isArray(tensor) ? `[${tensor.map(rowsText).join(", ")}]` : numberText(tensor));

/** A matrix has a row a line; of more axes a matrix a line. */
function tensorLines(tensor) {
  const rows = Array.isArray(tensor) && Array.isArray(tensor[0]);
  return rows ? `[${tensor.map(rowsText).join(",\n ")}]` : rowsText(tensor);
}

function tensorNode(tensor, shape) {
  if (tensor === undefined) return el("span", { class: "quiet" }, `shape ${shapeText(shape)}: too large to be shown`);
  if (flatten(tensor).length <= MOST_SHOWN) return el("code", { class: "tensor" }, tensorLines(tensor));
  return el("details", { class: "tensor-fold" }, el("summary", {}, `shape ${shapeText(shape)}`), el("code", { class: "tensor" }, tensorLines(tensor)));
}

const linesText = (lines) => (lines.length === 0 ? "" : `read in line${lines.length > 1 ? "s" : ""} ${lines.join(", ")}`);

/** "dy_hat/dz = 0.187": the factors of the chain rule, where all are numbers. */
function factorsNode(entry) {
  const factors = Object.entries(entry.derivatives ?? {});
  return factors.length === 0 ? null : el("span", { class: "factor" }, "where ", factors.map(([made, factor], i) =>
    [i > 0 && ", ", el("code", {}, `d${made}/d${entry.name} = ${numberText(factor)}`)]));
}

function forwardCell(entry) {
  return el("td", {}, el("div", { class: "step-line" },
    entry.line ? el("code", {}, entry.text) : el("span", { class: "quiet" }, "given")),
    el("div", { class: "step-numbers" }, el("code", {}, `${entry.name} = `), tensorNode(entry.value, entry.shape)),
    el("div", { class: "help" }, linesText(entry.uses)));
}

function backwardCell(entry) {
  if (entry.gradient_name === undefined) return el("td", {}, el("span", { class: "quiet" }, `no gradient: it is ${entry.line ? "a constant" : "given"}`));
  return el("td", {},
    el("div", { class: "step-line" }, entry.backward ? entry.backward.split("; ").map((statement) => el("code", {}, statement)) : el("code", {}, entry.gradient_name)),
    el("div", { class: "step-numbers" }, el("span", {}, "= "), tensorNode(entry.gradient, entry.shape), factorsNode(entry)));
}

/** @param {{onStep(line: number | null): void}} options */
export function createSteps({ onStep }) {
  const heading = uid("steps");
  const range = el("input", { type: "range", min: 0, step: 1, "aria-label": "Step" });
  const said = el("p", { class: "steps-said", role: "status" });
  const body = el("tbody");
  const back = el("button", { class: "button small", type: "button", onclick: () => go(step - 1) }, "← Back");
  const next = el("button", { class: "button small", type: "button", onclick: () => go(step + 1) }, "Next →");
  const first = el("button", { class: "button small quiet", type: "button", onclick: () => go(1) }, "From the start");
  const all = el("button", { class: "button small quiet", type: "button", onclick: () => go(last) }, "All of it");
  const node = el("section", { class: "card steps-card", "aria-labelledby": heading, hidden: true },
    el("h2", { id: heading }, "Step by step"),
    el("p", { class: "help" }, "Down the program each value is computed; then up again, what comes back to it: the sum of what the lines that read it send."),
    el("div", { class: "row steps-controls" }, back, next, range, first, all), said,
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": heading },
      el("table", { class: "data trace" },
        el("thead", {}, el("tr", {}, ["Line", "Forward ↓", "Backward ↑"].map((head) => el("th", { scope: "col" }, head)))),
        body)));
  let rows = []; // { entry, row, forward, backward }: in the program's order
  let order = []; // steps: { at, back }
  let step = 0;
  let last = 0;

  range.addEventListener("input", () => go(Number(range.value)));

  function go(to) {
    step = Math.min(last, Math.max(1, to));
    range.value = String(step);
    range.setAttribute("aria-valuetext", `${step} of ${last}`);
    back.disabled = step <= 1;
    next.disabled = step >= last;
    const done = new Set(order.slice(0, step).map(({ at, back: up }) => `${at}${up}`));
    const now = order[step - 1];
    for (const [at, { row, forward, backward }] of rows.entries()) {
      forward.classList.toggle("to-come", !done.has(`${at}false`));
      backward.classList.toggle("to-come", order.some((one) => one.at === at && one.back) && !done.has(`${at}true`));
      const here = now?.at === at && step < last;
      row.classList.toggle("now", here);
      row.toggleAttribute("aria-current", here);
      if (here) row.setAttribute("aria-current", "step");
    }
    if (!now) return;
    const entry = rows[now.at].entry;
    said.textContent = `Step ${step} of ${last}: ${now.back ? `back to ${entry.name}${entry.backward ? `, ${entry.backward}` : ""}` : `forward, ${entry.line ? entry.text : `${entry.name} is given`}`}`;
    onStep(step < last && entry.line ? entry.line : null);
  }

  return {
    node,
    show(trace) {
      const kept = step === last ? null : step;
      rows = trace.map((entry) => {
        const forward = forwardCell(entry);
        const backward = backwardCell(entry);
        return { entry, forward, backward, row: el("tr", {}, el("th", { scope: "row", class: "mono" }, entry.line ? String(entry.line) : ""), forward, backward) };
      });
      fill(body, rows.map(({ row }) => row));
      order = [
        ...trace.map((_, at) => ({ at, back: false })),
        ...trace.map((entry, at) => ({ at, back: true, has: entry.gradient_name !== undefined })).filter(({ has }) => has).reverse(),
      ];
      last = order.length;
      range.max = String(last);
      range.min = "1";
      node.hidden = last === 0;
      go(kept ?? last);
    },
    hide() {
      node.hidden = true;
      onStep(null);
    },
  };
}
