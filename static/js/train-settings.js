/**
 * The left side of the training view: presets, hyperparameters, network and data, and the buttons that start and stop.
 */
import { Problem } from "./api.js";
import { curlBlock, curlCommand } from "./curl.js";
import { el, fill } from "./dom.js";
import { problemText } from "./fields.js";
import { createNetworkEditor } from "./network-editor.js";
import { describeChanges } from "./run-changes.js";
import { createInitFields } from "./train-init.js";
import { createTrainForm, hasPlane, settingsOf } from "./train-form.js";
import { TRAIN_PRESETS } from "./train-presets.js";

/**
 * @param {HTMLElement} root
 * @param {object} options
 * @param {object} options.capabilities
 * @param {(text: string) => void} options.announce
 * @param {() => void} options.onChange
 * @param {() => void} options.onStart
 * @param {() => void} options.onStop
 * @param {(problem: object) => void} options.onCheck  the network is wanted in the other view
 */
export function createTrainSettings(root, { capabilities, announce, onChange, onStart, onStop, onCheck }) {
  let base = null; // the run that the next one is compared with

  const presetNote = el("p", { class: "help" });
  const presets = el("div", { class: "chips row", role: "group", "aria-label": "Examples" }, TRAIN_PRESETS.map((preset) =>
    el("button", {
      type: "button", "aria-pressed": "false", dataset: { id: preset.id }, onclick: () => { usePreset(preset); changed(); },
    }, preset.name)));
  const baseNote = el("div", { class: "note base-note", hidden: true });
  const failure = el("p", { class: "note bad", role: "alert", hidden: true });
  const start = el("button", { class: "button primary", type: "submit" }, "Start training");
  const stop = el("button", { class: "button", type: "button", disabled: true, onclick: onStop }, "Stop");
  const settings = el("div");
  const problem = el("div");

  const initFields = createInitFields({
    schemes: capabilities.initializers,
    onInit(init) {
      editor.setState({ ...editor.getState(), parameters: { init } });
      changed();
    },
  });
  const form = createTrainForm(settings, { extra: initFields.nodes, onChange: () => changed() });
  const editor = createNetworkEditor(problem, { capabilities, onChange: () => changed() });
  const curl = curlBlock(() => curlCommand("/v1/train", read()), announce);

  const submit = (event) => {
    event.preventDefault();
    onStart();
  };
  root.append(el("form", { class: "train-form", novalidate: true, onsubmit: submit },
    el("div", { class: "card" }, el("h2", {}, "Train"), presets, presetNote, settings, baseNote, failure,
      el("div", { class: "row start-row" }, start, stop)),
    el("details", { class: "card fold", open: matchMedia("(min-width: 64rem)").matches },
      el("summary", {}, el("h2", {}, "Network and data")), problem,
      el("p", { class: "row" }, el("button", { class: "button quiet", type: "button", onclick: check }, "Check gradients of this network"))),
    curl.node));

  /** The request as the form has it; throws a Problem where a text cannot be read. */
  function read() {
    initFields.check();
    const now = editor.get();
    return { ...now, ...form.read(now) };
  }

  function check() {
    try {
      onCheck(editor.get());
    } catch (error) {
      show(error);
    }
  }

  function markPreset(preset) {
    for (const button of presets.children) button.setAttribute("aria-pressed", String(button.dataset.id === preset?.id));
    presetNote.textContent = preset?.summary ?? "";
    presetNote.hidden = preset === null;
  }

  function usePreset(preset) {
    editor.set(preset.problem);
    form.setState(preset.settings);
    setBase(null);
    refresh();
    markPreset(preset);
  }

  function changed() {
    clear();
    refresh();
    onChange();
  }

  /** What depends on the request at hand. */
  function refresh() {
    initFields.draw(editor.getState().parameters);
    let request = null;
    try {
      request = read();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    form.setPlane(request === null || hasPlane(request));
    drawBase(request);
    curl.refresh();
    const same = TRAIN_PRESETS.find((preset) => request !== null && describeChanges(requestOf(preset), request).length === 0);
    markPreset(same ?? null);
  }

  function drawBase(request) {
    baseNote.hidden = base === null;
    if (base === null) return;
    const changes = request === null ? [] : describeChanges(base.request, request);
    fill(baseNote,
      el("p", {}, el("strong", {}, `Again like ${base.name}. `), changes.length === 0
        ? "Same network, same seed. Change one thing, then start."
        : "Changed: ", changes.map((change) => el("span", { class: "change" }, change))),
      el("button", { class: "button quiet small", type: "button", onclick: () => { setBase(null); start.focus(); } }, "Do not compare"));
  }

  function setBase(run) {
    base = run;
    refresh();
  }

  function show(error) {
    clear();
    if (!(error instanceof Problem)) throw error;
    if (initFields.showProblem(error) || form.showProblem(error) || editor.showProblem(error)) return;
    failure.hidden = false;
    failure.textContent = problemText(error);
  }

  function clear() {
    failure.hidden = true;
    initFields.clearProblem();
    form.clearProblem();
    editor.clearProblem();
  }

  return {
    read,
    show,
    clear,
    setBase,
    base: () => base,
    /** Copies a run's settings into the form, to do it again with a change. */
    again(run) {
      editor.set(run.request);
      form.setState(settingsOf(run.request));
      setBase(run);
      settings.querySelector(".field-slot input").focus();
    },
    /** @param {number} count  how many runs are under way */
    setRunning(count) {
      stop.disabled = count === 0;
      stop.textContent = count > 1 ? `Stop all ${count}` : "Stop";
    },
    say(text) {
      failure.hidden = text === "";
      failure.textContent = text;
    },
    focus: () => start.focus(),
    usePreset: () => usePreset(TRAIN_PRESETS[0]),
    setProblem(given) {
      editor.set(given);
      setBase(null);
    },
    getState: () => ({ editor: editor.getState(), settings: form.getState() }),
    setState(state) {
      if (state.editor) editor.setState(state.editor);
      if (state.settings) form.setState(state.settings);
      refresh();
    },
  };
}

/** What a preset's settings come to as a request, as far as trainings are compared. */
function requestOf({ problem, settings }) {
  const options = Object.entries(settings.options).map(([name, text]) => [name, Number(text)]);
  const batch = settings.batch ? { batch_size: Number(settings.batch) } : {};
  return { ...problem, optimizer: { type: settings.optimizer, ...Object.fromEntries(options) }, epochs: Number(settings.epochs), ...batch };
}
