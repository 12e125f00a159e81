/**
 * The hyperparameters: optimizer and its options, epochs, batches, and what is recorded.
 *
 * Its settings are texts as they were typed: { optimizer, options: { lr, ... }, epochs, batch, record, dtype, boundary,
 * resolution, xRange, yRange }. What is left empty is not sent; placeholders show the service's defaults.
 */
import { Problem } from "./api.js";
import { el, field, fill, select } from "./dom.js";
import { FieldErrors } from "./fields.js";
import { optimizerNames, optionsOf } from "./optimizers.js";

const EMPTY = {
  optimizer: "sgd", options: {}, epochs: "", batch: "", record: "", dtype: "float64", boundary: true, resolution: "", xRange: "", yRange: "",
};

/** A number out of a text; throws a Problem that points at it. "" is undefined. */
function numberOf(text, pointer) {
  if (text.trim() === "") return undefined;
  const value = Number(text.trim().replace("−", "-"));
  if (!Number.isFinite(value)) throw new Problem({ pointer, detail: `“${text.trim()}” is no number. Write 0.1 or 1e-3.` });
  return value;
}

/** Two numbers out of a text such as "0.9, 0.999". */
function pairOf(text, pointer) {
  if (text.trim() === "") return undefined;
  const parts = text.replace(/[[\]()]/g, " ").trim().split(/[\s,;]+/);
  if (parts.length !== 2) throw new Problem({ pointer, detail: "Two numbers are needed here, such as 0.9, 0.999." });
  return parts.map((part) => numberOf(part, pointer));
}

const shown = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

/** The range of the samples on one axis with a quarter of it on either side. */
function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low < high)) return [low - 1, low + 1];
  const margin = (high - low) * 0.25;
  return [low - margin, high + margin].map((value) => Number(value.toPrecision(3)));
}

/** Whether a boundary can be drawn: one vector of two numbers a sample. */
export const hasPlane = ({ network, data }) => [network.input].flat().length === 1 && [network.input].flat()[0] === 2
  && Object.keys(data ?? {}).every((name) => ["x", "y", "upstream"].includes(name));

/**
 * @param {HTMLElement} container
 * @param {{extra?: Node[], onChange?: () => void}} options  extra: more fields beside the first
 */
export function createTrainForm(container, { extra = [], onChange = () => {} } = {}) {
  const errors = new FieldErrors();
  const options = new Map(); // of the optimizer at hand: name -> control
  let typed = {}; // of all optimizers: what was typed stays when another is chosen

  const input = (props = {}) => el("input", { type: "text", autocomplete: "off", spellcheck: "false", ...props });
  const optimizer = select(optimizerNames(), EMPTY.optimizer);
  const rate = el("div", { class: "field-slot" });
  const epochs = input({ inputmode: "numeric", placeholder: "1000" });
  const batch = input({ inputmode: "numeric", placeholder: "all samples" });
  const more = el("div", { class: "form-grid" });
  const moreTitle = el("summary");
  const record = input({ inputmode: "numeric", placeholder: "automatic" });
  const dtype = select([["float64", "float64"], ["float32", "float32"]], EMPTY.dtype);
  const boundary = el("input", { type: "checkbox", checked: EMPTY.boundary });
  const resolution = input({ inputmode: "numeric", placeholder: "100" });
  const [xRange, yRange] = [input({ placeholder: "from the samples" }), input({ placeholder: "from the samples" })];
  const planeFields = el("div", { class: "form-grid" });
  const planeNote = el("p", { class: "help" }, "It needs a network with two inputs.");

  function optionField({ name, default: value }) {
    const flag = typeof value === "boolean";
    const control = flag
      ? el("input", { type: "checkbox", checked: typed[name] ?? value })
      : input({ value: typed[name] ?? "", placeholder: shown(value), inputmode: Array.isArray(value) ? "text" : "decimal" });
    options.set(name, { control, flag, pair: Array.isArray(value) });
    errors.register(`/optimizer/${name}`, control);
    return flag ? checkField(name, control) : field(name === "lr" ? "Learning rate" : name, control);
  }

  function drawOptions() {
    options.clear();
    const [lr, ...others] = optionsOf(optimizer.value);
    fill(rate, optionField(lr));
    fill(more, others.map(optionField));
    fill(moreTitle, `More options of ${optimizer.selectedOptions[0].textContent}`);
  }

  function keepTyped() {
    for (const [name, { control, flag }] of options) typed[name] = flag ? control.checked : control.value;
  }

  optimizer.addEventListener("change", () => { keepTyped(); drawOptions(); });
  container.addEventListener("input", () => { errors.clear(); onChange(); });

  drawOptions();
  fill(planeFields, field("Points a side", resolution), field("x from, to", xRange), field("y from, to", yRange));
  container.append(
    el("div", { class: "form-grid" }, field("Optimizer", optimizer), rate, field("Epochs", epochs), field("Batch size", batch), extra),
    el("details", {}, moreTitle, more),
    el("details", {}, el("summary", {}, "Recording and boundary"),
      el("div", { class: "form-grid" }, field("Record every … epochs", record), field("Arithmetic", dtype)),
      checkField("Decision boundary", boundary), planeNote, planeFields));

  const register = { "/epochs": epochs, "/batch_size": batch, "/record_every": record, "/dtype": dtype, "/optimizer": optimizer,
    "/optimizer/type": optimizer, "/boundary": boundary, "/boundary/resolution": resolution, "/boundary/x": xRange, "/boundary/y": yRange };
  for (const [pointer, control] of Object.entries(register)) errors.register(pointer, control);

  function getState() {
    keepTyped();
    const here = Object.fromEntries([...options.keys()].map((name) => [name, typed[name]]));
    return {
      optimizer: optimizer.value, options: here, epochs: epochs.value, batch: batch.value, record: record.value, dtype: dtype.value,
      boundary: boundary.checked, resolution: resolution.value, xRange: xRange.value, yRange: yRange.value,
    };
  }

  function setState(state) {
    const all = { ...EMPTY, ...state };
    optimizer.value = optionsOf(all.optimizer).length > 0 ? all.optimizer : EMPTY.optimizer;
    typed = { ...all.options };
    drawOptions();
    [epochs.value, batch.value, record.value, dtype.value] = [all.epochs, all.batch, all.record, all.dtype];
    boundary.checked = all.boundary;
    [resolution.value, xRange.value, yRange.value] = [all.resolution, all.xRange, all.yRange];
    errors.clear();
  }

  function readOptimizer() {
    const members = { type: optimizer.value };
    for (const [name, { control, flag, pair }] of options) {
      const pointer = `/optimizer/${name}`;
      const value = flag ? control.checked || undefined : pair ? pairOf(control.value, pointer) : numberOf(control.value, pointer);
      if (value !== undefined) members[name] = value;
    }
    return members;
  }

  function readBoundary({ network, convention, data }) {
    if (!boundary.checked || !hasPlane({ network, data })) return undefined;
    const along = (axis) => (convention === "columns" ? data.x[axis] : data.x.map((sample) => sample[axis]));
    const size = numberOf(resolution.value, "/boundary/resolution");
    return {
      x: pairOf(xRange.value, "/boundary/x") ?? rangeOf(along(0)),
      y: pairOf(yRange.value, "/boundary/y") ?? rangeOf(along(1)),
      ...(size === undefined ? {} : { resolution: size }),
    };
  }

  return {
    getState,
    setState,
    /** The request's members beside the problem's; throws a Problem where a text cannot be read. */
    read(problem) {
      const members = {
        optimizer: readOptimizer(),
        epochs: numberOf(epochs.value, "/epochs"),
        batch_size: numberOf(batch.value, "/batch_size"),
        record_every: numberOf(record.value, "/record_every"),
        dtype: dtype.value === EMPTY.dtype ? undefined : dtype.value,
        boundary: readBoundary(problem),
      };
      return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
    },
    /** Says whether the network at hand has a plane to draw. */
    setPlane(possible) {
      planeNote.hidden = possible;
      boundary.disabled = !possible;
      planeFields.hidden = !possible;
    },
    showProblem: (problem) => errors.show(problem),
    clearProblem: () => errors.clear(),
  };
}

function checkField(label, control) {
  return el("div", { class: "field check" }, el("label", {}, control, " ", label));
}

/** The settings that make a request, the other way round: for doing a run again. */
export function settingsOf(request) {
  const { type = "sgd", ...options } = request.optimizer ?? {};
  const text = (value) => (value === undefined ? "" : shown(value));
  return {
    optimizer: type,
    options: Object.fromEntries(Object.entries(options).map(([name, value]) => [name, typeof value === "boolean" ? value : shown(value)])),
    epochs: text(request.epochs), batch: text(request.batch_size), record: text(request.record_every),
    dtype: request.dtype ?? EMPTY.dtype, boundary: request.boundary !== undefined || !hasPlane(request),
    resolution: text(request.boundary?.resolution), xRange: "", yRange: "",
  };
}
