/** The report of a check. */
import { el } from "./dom.js";
import { flow, places } from "./flow.js";
import { heatLegend, heatmap } from "./heatmap.js";
import { formatNumber } from "./numbers.js";
import { shapeText } from "./shapes.js";
import { STATUSES } from "./verdict.js";

const points = (x) => String(Number(x.toPrecision(6)));
const indexText = (index) => (index ? `[${index.join(", ")}]` : "–");

/** The rule as the report has it: "auto", {atol, rtol}, or a rule with one number. */
function toleranceText(rule) {
  if (rule === "auto") return rule;
  if (rule.atol === undefined) return Object.entries(rule).map(([name, limit]) => `${name} ${formatNumber(limit)}`).join();
  return `${formatNumber(rule.atol)}${rule.rtol > 0 ? ` + ${formatNumber(rule.rtol)} · |reference|` : ""}`;
}

/** What a cell is coloured by: the entry's own tolerance, or about what the rule comes to. */
function cellTolerance(report, entry) {
  if (entry.passed) return { atol: Infinity, rtol: 0 };
  return entry.tolerance ?? { atol: 1e-6, rtol: 0, ...report.tolerance };
}

export function summary(report) {
  const { passed, tolerance } = report;
  const wrong = report.parameters.filter((entry) => !entry.passed).length;
  const headline = passed ? "All gradients are right" : wrong === 1 ? "One gradient is not right yet" : `${wrong} gradients are not right yet`;
  const facts = [
    ["points", `${points(report.points)} of ${points(report.max_points)}`],
    ["loss", String(Number(report.loss.toPrecision(8)))],
    ["tolerance", toleranceText(tolerance)],
    ["computed", `${report.dtype} on ${report.device}`],
  ];
  return el("div", { class: `summary ${passed ? "good" : "bad"}` },
    el("p", { class: "headline" }, el("span", { class: "mark", "aria-hidden": "true" }, passed ? "✓" : "✗"), headline),
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "mono" }, value)))));
}

function mistakeCard(mistake, i, problem) {
  const about = [
    mistake.sample !== undefined && `sample ${mistake.sample}`,
    mistake.factor !== undefined && `factor ${formatNumber(mistake.factor)}`,
  ].filter(Boolean);
  return el("article", { class: "mistake", id: `mistake-${i + 1}`, tabindex: "-1" },
    el("h4", {}, el("span", { class: "badge", "aria-hidden": "true" }, String(i + 1)), `At ${places(mistake, problem)}`),
    el("p", { class: "message" }, mistake.message),
    el("p", { class: "hint-text" }, el("strong", {}, "Hint: "), mistake.hint),
    el("p", { class: "help" }, el("code", {}, mistake.id),
      mistake.parameters.length > 0 && [" · spoils ", el("span", { class: "mono" }, mistake.parameters.join(", "))], about.map((text) => ` · ${text}`)),
    mistake.alternatives && el("details", {},
      el("summary", {}, `Or ${mistake.alternatives.length === 1 ? "this, which gives" : "one of these, which give"} the same numbers here`),
      el("ul", {}, mistake.alternatives.map(({ id, summary: line, with: other }) =>
        el("li", {}, el("code", {}, id), `: ${line}`, other && " (together with ", other && el("code", {}, other), other && ")")))));
}

const STEP_STATES = { right: "right", right_given_input: "right, given what came in", wrong_here: "wrong here" };

/** What was handed in for values on the way, one after the other. */
function stepList(steps) {
  return el("p", { class: "help" }, "Step by step: ", steps.map(({ name, state }, i) =>
    [i > 0 && "; ", el("span", { class: "mono" }, name), ` ${STEP_STATES[state]}`]));
}

function diagnosis(report, problem) {
  const found = report.diagnosis;
  if (found === undefined) return null;
  const { mistakes, first_wrong: first } = found;
  const layer = problem.network.layers[first.layer];
  const suspects = (found.suspects ?? []).length > 0 ? places({ layers: found.suspects }, problem) : null;
  const where = suspects ? `Given what is right, what is wrong comes from: ${suspects}.` : `Look first at ${first.parameter} (${layer ? `layer ${first.layer}, ${layer.type}` : "data"}): ` +
    "of all that fail, it is nearest the loss, so everything behind it on the way back may be right and only inherit the error.";
  const lead = mistakes.length === 0
    ? `No known mistake reproduces these numbers. ${where}`
    : found.explained ? null : `This does not account for everything yet. ${where}`;
  return el("section", { class: "diagnosis" },
    el("h3", {}, mistakes.length > 1 ? `Diagnosis: ${mistakes.length} mistakes` : "Diagnosis"),
    found.steps && stepList(found.steps),
    mistakes.map((mistake, i) => mistakeCard(mistake, i, problem)),
    lead && el("p", { class: "note warn" }, lead),
    found.search === "stopped" && el("p", { class: "help" }, "The search ended before it had tried everything."));
}

function entryRow(entry) {
  const { symbol, text } = STATUSES[entry.status] ?? { symbol: "✗", text: entry.status };
  const kind = entry.passed ? "passed" : entry.carried ? "failed carried" : entry.status === "unexpected" ? "unexpected" : "failed";
  return el("tr", { class: kind },
    el("th", { scope: "row", class: "mono" }, entry.name),
    el("td", { class: "verdict" }, el("span", { class: "mark", "aria-hidden": "true" }, symbol), ` ${text}${entry.carried ? ", carried" : ""}`),
    el("td", { class: "mono" }, entry.shape ? shapeText(entry.shape) : "–"),
    el("td", { class: "mono number" }, formatNumber(entry.max_abs_diff)),
    el("td", { class: "mono" }, indexText(entry.worst)),
    el("td", { class: "mono number" }, entry.max_points === undefined ? "–" : `${points(entry.points)} / ${points(entry.max_points)}`),
    el("td", { class: "detail" }, entry.detail ?? ""));
}

export function table(report) {
  const heads = ["Parameter", "Verdict", "Shape", "Max difference", "Worst at", "Points", "Detail"];
  return el("section", {},
    el("h3", { id: "entries" }, "Parameter by parameter"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "entries" },
      el("table", { class: "data entries" },
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, report.parameters.map(entryRow)))));
}

/** A gradient under any of the names that the service takes; the gradient's own name wins. */
export function submitted(gradients, name) {
  const names = [`d${name}`, `dL_d${name}`, `${name}.grad`, ...(name === "x" ? ["dA0"] : []), name];
  return gradients[names.find((candidate) => Object.hasOwn(gradients, candidate))];
}

function heatmaps(report, gradients, theme) {
  if (report.reference === undefined) return null;
  if (gradients === undefined) return el("p", { class: "help" }, "Gradients that were sent as a file are not drawn element by element.");
  const figures = report.parameters.map((entry) => report.reference[entry.name] !== undefined &&
    heatmap(entry.name, submitted(gradients, entry.name), report.reference[entry.name], cellTolerance(report, entry), theme)).filter(Boolean);
  return el("section", {},
    el("h3", {}, "How far off, element by element"),
    figures.length === 0 ? el("p", { class: "help" }, "Nothing that was submitted has the right shape.") : [heatLegend(), el("div", { class: "heat-figures" }, figures)]);
}

export function verification(report) {
  const check = report.verification;
  if (check === undefined) return null;
  const text = check.max_rel_diff === undefined
    ? "No element of the reference could be checked against central differences."
    : `Central differences agree with the reference to ${formatNumber(check.max_rel_diff)} (relative), the least at ${check.parameter}${indexText(check.index)}: ` +
      `${check.checked} elements checked, ${check.skipped_at_kinks} left out at kinks.`;
  return el("p", { class: "note" }, text);
}

/**
 * @param {object} report what POST /v1/check answered
 * @param {object} request what it was asked
 * @param {object} theme shared.theme
 * @returns {HTMLElement}
 */
export function reportNode(report, request, theme) {
  return el("div", { class: "report" },
    summary(report), flow(report, request), diagnosis(report, request), table(report),
    heatmaps(report, request.gradients, theme), verification(report));
}

/** The report in one sentence, for those who listen. */
export function reportText(report) {
  const first = report.diagnosis?.mistakes[0];
  if (report.passed) return "All gradients are right.";
  return `${points(report.points)} of ${points(report.max_points)} points. ${first ? first.message : report.diagnosis ? `Look first at ${report.diagnosis.first_wrong.parameter}.` : ""}`;
}
