/** The row of layers as the way back from the loss, each step with its verdict. */
import { el } from "./dom.js";
import { lossType } from "./shapes.js";
import { STATES, STATUSES, wayBack } from "./verdict.js";

const placeName = (step) => (step.index === "loss" ? `loss, ${step.type}` : `layer ${step.index}, ${step.type ?? ""}`);

function stepNode(step) {
  const { symbol, text } = STATES[step.state];
  const badges = step.mistakes.map((i) => el("a", { class: "badge", href: `#mistake-${i + 1}`, "aria-label": `mistake ${i + 1}`, onclick: toMistake }, String(i + 1)));
  return el("li", { class: `step ${step.state}${step.type === "data" ? " data" : ""}${step.inSpan ? " in-span" : ""}` },
    el("div", { class: "step-card" },
      el("span", { class: "step-place" }, step.index === "loss" ? "loss" : String(step.index), badges),
      el("span", { class: "step-type" }, step.type),
      step.takes && el("span", { class: "step-takes" }, `takes ${step.takes}`),
      el("span", { class: "step-parameters mono" }, step.parameters.map((entry) => el("span", { class: entry.passed ? "passed" : "failed" },
        `${STATUSES[entry.status]?.symbol ?? "✗"} ${entry.name}`)))),
    el("span", { class: "step-state" }, el("span", { class: "mark", "aria-hidden": "true" }, symbol), text && ` ${text}`));
}

/** The hash holds the page's state; a link inside it must not go there. */
function toMistake(event) {
  event.preventDefault();
  const target = document.getElementById(event.currentTarget.hash.slice(1));
  target?.focus();
  target?.scrollIntoView({ block: "nearest" });
}

/** @returns {HTMLElement} a section with the strip */
export function flow(report, problem) {
  const steps = wayBack(report, problem);
  return el("section", { class: "flow" },
    el("h3", {}, "The way back from the loss"),
    el("ol", { class: "steps" }, steps.map(stepNode)));
}

/** Where a mistake was made, in words. */
export function places(mistake, problem) {
  const steps = mistake.layers.map((index) => ({
    index,
    type: index === "loss" ? lossType(problem.network) : problem.network.layers[index]?.type,
  }));
  return steps.length > 0 ? steps.map(placeName).join("; ") : mistake.parameters.join(", ");
}
