/**
 * What a report says about each step of the way back: pure functions, no DOM.
 */
import { ancestorsOf, describeLayers, lossType } from "./shapes.js";

/** State -> symbol and words. A state is never told by colour alone. */
export const STATES = {
  right: { symbol: "✓", text: "right" },
  wrong: { symbol: "✗", text: "wrong here" },
  suspect: { symbol: "?", text: "perhaps here" },
  unreliable: { symbol: "≈", text: "unreliable from here" },
  inherited: { symbol: "≈", text: "inherits it" },
  missing: { symbol: "∅", text: "not submitted" },
  unknown: { symbol: "·", text: "" },
};

/** Status of a report's entry -> symbol and words. */
export const STATUSES = {
  match: { symbol: "✓", text: "match" },
  mismatch: { symbol: "✗", text: "mismatch" },
  missing: { symbol: "∅", text: "missing" },
  shape_mismatch: { symbol: "✗", text: "other shape" },
  not_finite: { symbol: "✗", text: "not finite" },
  not_a_tensor: { symbol: "✗", text: "no tensor" },
  unexpected: { symbol: "?", text: "unexpected" },
};

/**
 * The steps of the backward pass, the loss first, the first layer last, and behind it the data whose gradients were
 * asked for.
 * @param {object} report what POST /v1/check answered
 * @param {{network: object, convention?: string}} problem
 * @returns {{index: number | string, type: string, parameters: {name: string, passed: boolean, status: string}[],
 *   state: keyof STATES, mistakes: number[], takes?: string, inSpan: boolean}[]} mistakes: indices into report.diagnosis.mistakes made at this step;
 *   takes: what a layer's inputs name; in the span: between the first and the last of the diagnosis's suspects
 */
export function wayBack(report, { network, convention, data }) {
  const entries = new Map(report.parameters.map((entry) => [entry.name, entry]));
  const described = describeLayers(network, convention);
  const mistakes = report.diagnosis?.mistakes ?? [];
  const made = (index) => mistakes.flatMap((mistake, i) => (mistake.layers.includes(index) ? [i] : []));
  const step = (index, type, parameters) => ({ index, type, parameters, mistakes: made(index), state: "unknown", inSpan: false });

  const steps = [step("loss", lossType(network), [])];
  network.layers.forEach((layer, index) => {
    const own = described[index].parameters.map(({ name }) => entries.get(name)).filter(Boolean);
    steps.splice(1, 0, { ...step(index, layer.type, own), takes: Array.isArray(layer.inputs) ? layer.inputs.join(", ") : "" });
  });
  const owned = new Set(described.flatMap((layer) => layer.parameters.map(({ name }) => name)));
  for (const name of Object.keys(data ?? {}).filter((member) => entries.has(member) && !owned.has(member))) {
    const own = mistakes.flatMap((mistake, i) => (mistake.layers.length === 0 && mistake.parameters.includes(name) ? [i] : []));
    steps.push({ ...step(name, "data", [entries.get(name)]), mistakes: own });
  }
  judge(steps, report, reaches(network));
  return steps;
}

/** Whether the gradient at one step goes on to another, which lies behind it on the way back. */
function reaches(network) {
  const ancestors = ancestorsOf(network);
  const output = new Set([network.layers.length - 1, ...(ancestors.at(-1) ?? [])]);
  return (from, to) => (from.index === "loss" ? output : ancestors[from.index])?.has(to.index) ?? false;
}

const anyPassed = (step) => step.parameters.some((entry) => entry.passed);
const allPassed = (step) => step.parameters.length > 0 && step.parameters.every((entry) => entry.passed);
const anyFailed = (step) => step.parameters.some((entry) => !entry.passed);
const allMissing = (step) => anyFailed(step) && step.parameters.every((entry) => entry.passed || entry.status === "missing");

function judge(steps, report, reach) {
  const first = report.diagnosis?.first_wrong.parameter;
  const explained = report.diagnosis?.explained ?? false;
  const wrong = [];
  steps.forEach((step, at) => {
    const wrongBefore = wrong.some((one) => reach(one, step)); // nearer the loss
    const rightBehind = steps.slice(at + 1).some((other) => anyPassed(other) && reach(step, other)); // a right gradient nearer the input has come through here
    const failed = anyFailed(step);
    if (step.mistakes.length > 0) step.state = "wrong";
    else if (failed && allMissing(step)) step.state = "missing";
    else if (failed && !explained && step.parameters.some(({ name }) => name === first)) step.state = "wrong";
    else if (failed) step.state = wrongBefore ? "inherited" : "wrong";
    else if (allPassed(step) || rightBehind) step.state = "right";
    else if (wrongBefore) step.state = "inherited";
    else step.state = explained || report.passed ? "right" : "suspect";
    if (step.state === "wrong") wrong.push(step);
  });
  const suspects = report.diagnosis?.suspects ?? [];
  if (suspects.length > 0) drawSpan(steps, suspects);
  const spoiled = steps.find((step) => step.state === "inherited");
  if (spoiled) spoiled.state = "unreliable";
  if (suspects.length === 0) trimSuspects(steps);
}

/** What can account for what is wrong, as the service has it; what fails elsewhere inherits it. */
function drawSpan(steps, suspects) {
  const places = steps.flatMap(({ index }, at) => (suspects.includes(index) ? [at] : []));
  for (const [at, step] of steps.entries()) {
    step.inSpan = at >= places[0] && at <= places.at(-1);
    if (suspects.includes(step.index)) {
      if (step.mistakes.length === 0) step.state = suspects.length === 1 ? "wrong" : "suspect";
    } else if (step.state === "suspect") {
      step.state = at > places[0] ? "unknown" : "right";
    } else if (step.state === "wrong" && step.mistakes.length === 0) {
      step.state = "inherited";
    }
  }
}

/** Perhaps the mistake lies between the last layer that is right and the first that is wrong; not nearer the loss. */
function trimSuspects(steps) {
  const wrong = steps.findIndex((step) => step.state === "wrong");
  for (const [at, step] of steps.entries()) {
    if (step.state === "suspect" && (wrong < 0 || at > wrong)) step.state = "unknown";
  }
}
