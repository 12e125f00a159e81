/** The Check view: a problem, gradients, and what the service says about them. */
import { Problem, postCheck } from "./api.js";
import { createCheckOptions } from "./check-options.js";
import { curlBlock, curlCommand } from "./curl.js";
import { el, fill } from "./dom.js";
import { EXAMPLES, makeExample } from "./examples.js";
import { FieldErrors, problemText } from "./fields.js";
import { createGradientsInput } from "./gradients-input.js";
import { createNetworkEditor } from "./network-editor.js";
import { sameTensor, tensorsText } from "./numbers.js";
import { FIRST, PRESETS } from "./presets.js";
import { mountProgram } from "./program-view.js";
import { reportNode, reportText } from "./report.js";

/**
 * @param {HTMLElement} root the tab's panel
 * @param {object} shared see app.js
 */
export function mountCheck(root, shared) {
  const { capabilities } = shared;
  const errors = new FieldErrors();
  let ran = false; // whether the report is about what the fields hold
  let running = null;

  let program = null; // the other way to write a forward pass, once somebody wants it

  // ---- the parts ----

  const layersHost = el("div");
  const programHost = el("div", { class: "program-view", hidden: true });
  const modeButtons = { layers: "Layers", program: "Program" };
  const modes = el("div", { class: "modes" }, el("span", { class: "help" }, "The forward pass as"),
    el("div", { class: "chips", role: "group", "aria-label": "The forward pass as" },
      Object.entries(modeButtons).map(([mode, name]) =>
        el("button", { type: "button", dataset: { mode }, "aria-pressed": String(mode === "layers"), onclick: () => { showMode(mode); shared.changed(); } }, name))));
  const presets = el("div", { class: "chips", role: "group", "aria-label": "Start from" });
  const presetSummary = el("p", { class: "help preset-summary" });
  const editorHost = el("div");
  const editor = createNetworkEditor(editorHost, { capabilities, onChange: changed });
  const gradients = createGradientsInput({ errors, onChange: changed, onRequest: takeRequest, onSubmit: check });
  const options = createCheckOptions({ capabilities, errors, onChange: changed });
  const examples = el("div", { class: "row examples", role: "group", "aria-label": "Fill in an example" });
  const button = el("button", { class: "button primary", type: "button", onclick: check }, "Check");
  const status = el("p", { class: "help", id: "check-status" });
  const output = el("section", { class: "card output", "aria-label": "Report", tabindex: "-1", hidden: true });
  const curl = curlBlock(() => curlCommand("/v1/check?format=text", request(), gradients.files()), shared.announce);
  const train = el("button", { class: "button quiet", type: "button", onclick: openInTrain }, "Train this network");

  root.append(
    el("p", { class: "lead" }, "Paste the gradients of your own backward pass. You read which are right, how far off the others are, and which mistake is behind it."),
    modes, layersHost, programHost);
  layersHost.append(presets, presetSummary,
    el("div", { class: "workbench" },
      el("section", { class: "card", "aria-labelledby": "check-problem" }, el("h2", { id: "check-problem" }, "The network"), editorHost),
      el("section", { class: "card", "aria-labelledby": "check-gradients" },
        el("h2", { id: "check-gradients" }, "The gradients"),
        gradients.node,
        el("div", { class: "row spread" }, gradients.openButton, examples),
        options.node,
        el("div", { class: "row" }, button, train),
        status)),
    output, curl.node);

  for (const preset of PRESETS) {
    presets.append(el("button", { type: "button", dataset: { preset: preset.id }, "aria-pressed": "false", onclick: () => usePreset(preset) }, preset.name));
  }
  examples.hidden = !capabilities.reveal; // they are made of the right ones
  fill(examples, el("span", { class: "help" }, "None at hand? Fill in:"), Object.entries(EXAMPLES).map(([id, { name }]) =>
    el("button", { class: "button small", type: "button", dataset: { example: id }, onclick: () => useExample(id) }, name)));

  // ---- what happens ----

  const modeOf = () => (programHost.hidden ? "layers" : "program");

  /** Shows one of the two ways; returns what stands for the program. */
  function showMode(mode) {
    const isProgram = mode === "program";
    layersHost.hidden = isProgram;
    programHost.hidden = !isProgram;
    for (const button of modes.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    if (isProgram) {
      program ??= mountProgram(programHost, shared);
      program.shown();
    }
  }

  function changed() {
    errors.clear();
    setStatus("");
    ran = false;
    output.classList.toggle("stale", !output.hidden);
    markPreset();
    curl.refresh();
    shared.changed();
  }

  function setStatus(text, bad = false) {
    fill(status, text);
    status.classList.toggle("bad", bad);
  }

  function markPreset() {
    const problem = editor.getState();
    const current = PRESETS.find((preset) => sameTensor(preset.problem, problem));
    for (const chip of presets.children) chip.setAttribute("aria-pressed", String(chip.dataset.preset === current?.id));
    presetSummary.textContent = current?.summary ?? "A network of your own.";
  }

  function clearReport() {
    fill(output);
    output.hidden = true;
    output.classList.remove("stale");
  }

  function usePreset(preset) {
    editor.set(preset.problem);
    gradients.set("");
    clearReport();
    changed();
  }

  async function useExample(id) {
    await attempt(async () => {
      const made = await makeExample(id, editor.get());
      gradients.set(tensorsText(made.gradients));
      changed();
      await ask();
      if (id !== "right" && !made.changed) setStatus("In this network that mistake changes nothing; try another.");
    });
  }

  function takeRequest(whole) {
    setState({ problem: whole, gradients: tensorsText(whole.gradients ?? {}), options: whole });
    changed();
    setStatus("The file held a whole request: all fields are filled in.");
  }

  function openInTrain() {
    shared.open("train", { problem: editor.getState() });
  }

  function request() {
    const inFiles = gradients.files().size > 0;
    return { ...editor.get(), ...(inFiles ? {} : { gradients: gradients.get() }), ...options.get() };
  }

  function check() {
    return attempt(ask);
  }

  /** Does something that may end in a Problem, and shows that at its field. */
  async function attempt(work) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    errors.clear();
    editor.clearProblem();
    setStatus("");
    button.setAttribute("aria-busy", "true");
    try {
      await work(mine.signal);
    } catch (error) {
      if (error.name !== "AbortError" && running === mine) refuse(error);
    } finally {
      if (running === mine) button.removeAttribute("aria-busy");
    }
  }

  function refuse(error) {
    clearReport();
    const problem = error instanceof Problem ? error : new Problem({ detail: `This page made a mistake: ${error.message}` });
    const shown = errors.show(problem) || editor.showProblem(problem);
    setStatus(shown ? "Something in the request is wrong: see the field marked ✗." : `✗ ${problemText(problem)}`, true);
    shared.announce(problemText(problem));
  }

  async function ask(signal) {
    const asked = request();
    const report = await postCheck(asked, { signal, files: gradients.files() });
    fill(output, el("h2", {}, "The report"), el("p", { class: "stale-note note warn" }, "You have changed something since: check again."), reportNode(report, asked, shared.theme));
    output.hidden = false;
    output.classList.remove("stale");
    ran = true;
    shared.announce(reportText(report));
    shared.changed();
    output.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  // ---- for the link ----

  function getState() {
    const layers = { problem: editor.getState(), gradients: gradients.text(), options: options.getState(), ran };
    return modeOf() === "program" ? { ...layers, mode: "program", program: program.getState() } : layers;
  }

  async function setState(state) {
    editor.set(state.problem ?? FIRST.problem);
    gradients.set(typeof state.gradients === "string" ? state.gradients : "");
    options.set(state.options);
    clearReport();
    markPreset();
    ran = false;
    if (state.mode === "program") {
      showMode("program");
      await program.setState(state.program);
      return;
    }
    showMode("layers");
    if (state.ran) await check();
  }

  editor.set(FIRST.problem);
  markPreset();
  return { getState, setState };
}
