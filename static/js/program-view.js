/**
 * A program in place of a row of layers: the forward pass as code, the student's own backward pass beside it (as code, or
 * as gradients), marks at the lines as one types, and the steps of the trace.
 *
 *   const view = mountProgram(root, shared)     shared: see app.js
 *   view.getState(), view.setState(state)       as of a view
 */
import { Problem, postCheck } from "./api.js";
import { createCodePane } from "./code-pane.js";
import { curlBlock, curlCommand } from "./curl.js";
import { debounce, el, field, fill, uid } from "./dom.js";
import { FieldErrors, problemText } from "./fields.js";
import { parseTensors, tensorsText } from "./numbers.js";
import { parseAt } from "./parameters-editor.js";
import { FIRST_PROGRAM, PROGRAMS } from "./program-presets.js";
import { reportText, summary, table, verification } from "./report.js";
import { createSteps } from "./trace-steps.js";

const QUIET_MS = 500; // after the last key
const MOST_LIVE = 20000; // characters that are checked as one types

const textOf = (value) => (typeof value === "string" ? value : Object.keys(value ?? {}).length > 0 ? tensorsText(value) : "");

/** @param {HTMLElement} root @param {object} shared */
export function mountProgram(root, shared) {
  const { capabilities } = shared;
  const errors = new FieldErrors();
  let running = null;
  let reported = false; // a report is there
  let readsBackward = true; // until the service says that it does not
  let preset = null;

  // ---- the parts ----

  const chips = el("div", { class: "chips", role: "group", "aria-label": "Start from" });
  const about = el("p", { class: "help preset-summary" });
  const forward = createCodePane({
    label: "Forward pass", onChange: changed, onSubmit: check,
    help: "NumPy’s notation, one value a line. The loss is what is called loss, or the name beside “Its loss”.",
  });
  const tensors = (placeholder) => el("textarea", { rows: 5, spellcheck: "false", autocomplete: "off", placeholder, oninput: changed });
  const parameters = tensors("w: 0.5\nb: 0.1");
  const data = tensors("x: [[1, 2]]\ny: [0]");
  const output = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "loss", oninput: changed });
  const backward = createCodePane({
    label: "Your backward pass", onChange: changed, onSubmit: check, placeholder: "dz = dh * (1 - h**2)\ndW = x.T @ dz",
    help: "What you have written: dz, dW, … for the gradients. Nothing of it runs as Python; it is read as the forward pass is. Ctrl+Enter checks.",
  });
  const gradients = el("textarea", { rows: 10, spellcheck: "false", autocomplete: "off", class: "gradients", placeholder: "dW: [[0.04, 0], …]\ndz: …", oninput: changed });
  const gradientsField = field("Your gradients", gradients, { help: "Of any values that the program has a name for: JSON, or what Python prints." });
  const mistakes = el("div", { class: "row examples", role: "group", "aria-label": "Fill in an example" });
  const status = el("p", { class: "help", id: uid("status") });
  const button = el("button", { class: "button primary", type: "button", onclick: check }, "Check");
  const steps = createSteps({ onStep: (line) => forward.light(line) });
  const report = el("section", { class: "card output", "aria-label": "Report", tabindex: "-1", hidden: true });
  const curl = curlBlock(() => curlCommand("/v1/check?format=text", request()), shared.announce);

  const kinds = { backward: "Code", gradients: "Gradients" };
  const kindName = uid("hand-in");
  const radios = Object.fromEntries(Object.keys(kinds).map((kind) =>
    [kind, el("input", { type: "radio", name: kindName, value: kind, onchange: () => { showKind(); changed(); } })]));
  radios.backward.checked = true;
  const kindOf = () => (radios.gradients.checked ? "gradients" : "backward");

  root.append(chips, about,
    el("div", { class: "workbench program-bench" },
      el("section", { class: "card", "aria-labelledby": "program-forward" },
        el("h2", { id: "program-forward" }, "The program"),
        forward.node,
        el("div", { class: "program-tensors" }, field("Parameters", parameters), field("Data", data)),
        el("div", { class: "row" }, field("Its loss", output, { class: "small" }))),
      el("section", { class: "card", "aria-labelledby": "program-backward" },
        el("h2", { id: "program-backward" }, "Backward"),
        el("fieldset", { class: "plain row hand-in" }, el("legend", { class: "visually-hidden" }, "What you hand in"),
          Object.entries(kinds).map(([kind, name]) => el("label", { class: "check" }, radios[kind], name))),
        backward.node, gradientsField, mistakes,
        el("div", { class: "row" }, button), status)),
    steps.node, report, curl.node);

  for (const one of PROGRAMS) {
    chips.append(el("button", { type: "button", dataset: { program: one.id }, "aria-pressed": "false", onclick: () => { usePreset(one); look({}); } }, one.name));
  }
  errors.register("/program", forward.control);
  errors.register("/parameters", parameters);
  errors.register("/data", data);
  errors.register("/output", output);
  errors.register("/gradients", gradients);
  errors.register("/backward", backward.control);

  // ---- what happens ----

  const lookLater = debounce(() => look({}), QUIET_MS);

  function changed() {
    report.classList.toggle("stale", reported);
    markPreset();
    curl.refresh();
    shared.changed();
    if (forward.text().length + backward.text().length < MOST_LIVE) lookLater();
  }

  function showKind() {
    const code = kindOf() === "backward";
    backward.node.hidden = !code;
    gradientsField.hidden = code;
    drawMistakes();
  }

  function markPreset() {
    preset = PROGRAMS.find((one) => one.program === forward.text()) ?? null;
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.program === preset?.id));
    about.textContent = preset?.summary ?? "A program of your own.";
    drawMistakes();
  }

  /** The right backward pass, and each of its mistakes, to be filled in. */
  function drawMistakes() {
    const given = kindOf() === "backward" ? preset?.backward : undefined;
    mistakes.hidden = given === undefined || !capabilities.reveal;
    if (mistakes.hidden || mistakes.dataset.of === preset.id) return;
    mistakes.dataset.of = preset.id;
    fill(mistakes, el("span", { class: "help" }, "Fill in:"),
      [{ id: "right", name: "The right one" }, ...(preset.mistakes ?? [])].map((mistake) =>
        el("button", {
          class: "button small", type: "button", dataset: { mistake: mistake.id },
          onclick: () => {
            backward.set(mistake.find === undefined ? given : given.replace(mistake.find, mistake.replace));
            changed();
          },
        }, mistake.name)));
  }

  function usePreset(one) {
    forward.set(one.program);
    parameters.value = textOf(one.parameters);
    data.value = textOf(one.data);
    output.value = one.output ?? "";
    backward.set("");
    gradients.value = "";
    fill(report);
    report.hidden = true;
    reported = false;
    errors.clear();
    markPreset();
    curl.refresh();
    shared.changed();
  }

  function setStatus(text, bad = false) {
    fill(status, text);
    status.classList.toggle("bad", bad);
  }

  const readTensors = (pointer, control) => (control.value.trim() === "" ? {} : parseAt(pointer, control.value, parseTensors));

  /** Whether there is something to be graded. */
  const handsIn = () => (kindOf() === "backward" ? readsBackward && backward.text().trim() !== "" : gradients.value.trim() !== "");

  function request() {
    const asked = { program: forward.text(), parameters: readTensors("/parameters", parameters), data: readTensors("/data", data) };
    if (output.value.trim() !== "") asked.output = output.value.trim();
    if (handsIn() && kindOf() === "backward") asked.backward = backward.text();
    else asked.gradients = handsIn() ? readTensors("/gradients", gradients) : {};
    if (capabilities.reveal) asked.trace = true;
    return asked;
  }

  function check() {
    lookLater.flush();
    return look({ aloud: true });
  }

  /** Asks the service, and shows what it says: aloud with the report and its problems, else at the lines alone. */
  async function look({ aloud = false }) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    if (aloud) {
      errors.clear();
      button.setAttribute("aria-busy", "true");
    }
    try {
      await ask(mine.signal, aloud);
    } catch (error) {
      if (error.name !== "AbortError" && running === mine) refuse(error, aloud);
    } finally {
      if (running === mine) button.removeAttribute("aria-busy");
    }
  }

  async function ask(signal, aloud) {
    const asked = request();
    if (asked.backward === undefined && Object.keys(asked.gradients).length === 0 && !asked.trace) {
      if (aloud) throw new Problem({ code: "missing_member", pointer: `/${kindOf()}`, detail: "Write your backward pass here first, or paste your gradients." });
      return;
    }
    let answer;
    try {
      answer = await postCheck(asked, { signal });
    } catch (error) {
      const unread = asked.backward !== undefined && error instanceof Problem && error.code === "unknown_member" && (error.pointer ?? "").endsWith("backward");
      if (!unread) throw error;
      readsBackward = false;
      return ask(signal, aloud);
    }
    errors.clear();
    show(answer, asked, aloud);
  }

  function show(answer, asked, aloud) {
    const graded = asked.backward !== undefined || Object.keys(asked.gradients).length > 0;
    forward.mark(answer.parameters.filter(({ line, submitted_shape: _, status: state }) => line && graded && state !== "missing")
      .map((entry) => ({ line: entry.line, mark: entry.passed ? "right" : "wrong", message: entry.passed ? "" : `d${entry.name}: ${entry.detail ?? entry.status}` })));
    backward.mark(answer.lines ?? []);
    if (answer.trace) steps.show(answer.trace);
    else steps.hide();
    const wrong = (answer.lines ?? []).filter(({ mark }) => mark === "wrong" || mark === "fault").length;
    if (!readsBackward && kindOf() === "backward" && backward.text().trim() !== "") setStatus("This service does not read backward passes yet: hand in the gradients instead.", true);
    else if (answer.lines) setStatus(wrong === 0 && answer.passed ? "✓ Every line is right." : wrong === 0 ? "No line is wrong, but something is missing." : `✗ ${wrong === 1 ? "One line is" : `${wrong} lines are`} wrong.`, wrong > 0);
    else setStatus("");
    if (!graded || !(aloud || reported)) return;
    fill(report, el("h2", {}, "The report"), el("p", { class: "stale-note note warn" }, "You have changed something since: check again."),
      el("div", { class: "report" }, summary(answer), table(answer), verification(answer)));
    report.hidden = false;
    report.classList.remove("stale");
    reported = true;
    shared.changed();
    if (aloud) {
      shared.announce(reportText(answer));
      report.scrollIntoView({ block: "nearest" });
    }
  }

  /** What is wrong with the program stands at its line; as one types, nothing else is said aloud. */
  function refuse(error, aloud) {
    const problem = error instanceof Problem ? error : new Problem({ detail: `This page made a mistake: ${error.message}` });
    if (problem.code === "program_error" && problem.line) {
      forward.mark([{ line: problem.line, mark: "fault", message: problem.detail.replace(/^line \d+, column \d+: /, "") }]);
      backward.mark([]);
      setStatus("");
      if (aloud) shared.announce(problemText(problem));
      return;
    }
    if (!aloud) {
      setStatus(`✗ ${problemText(problem)}`, true);
      return;
    }
    if (!errors.show(problem)) setStatus(`✗ ${problemText(problem)}`, true);
    shared.announce(problemText(problem));
  }

  // ---- for the link ----

  function getState() {
    const texts = { program: forward.text(), parameters: parameters.value, data: data.value, output: output.value, handIn: kindOf(), backward: backward.text(), gradients: gradients.value };
    return { ...texts, ran: reported };
  }

  async function setState(state = {}) {
    const kept = state.program === undefined ? FIRST_PROGRAM : state;
    usePreset({ ...kept, output: typeof kept.output === "string" ? kept.output : "" });
    radios[state.handIn === "gradients" ? "gradients" : "backward"].checked = true;
    if (typeof state.backward === "string") backward.set(state.backward);
    if (typeof state.gradients === "string") gradients.value = state.gradients;
    showKind();
    await look({ aloud: state.ran === true });
  }

  showKind();
  usePreset(FIRST_PROGRAM);
  return { getState, setState, shown: () => { if (steps.node.hidden) look({}); } };
}
