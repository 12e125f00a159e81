/**
 * The editor of a problem: the network as a row of layers, the loss, the convention, the parameters and the data.
 * Used by both views.
 *
 *   const editor = createNetworkEditor(container, { capabilities, onChange() {} });
 *   editor.set({ network, convention, parameters, data })   as in a request; fires no onChange
 *   editor.get()            the same back; throws a Problem (api.js) with `pointer` where a text cannot be read
 *   editor.getState()       plain JSON with half-typed texts as they are, for the URL; setState(state) takes it back
 *   editor.showProblem(p)   shows a Problem at the field that p.pointer names; false when no field here is meant
 *   editor.clearProblem()
 *
 * `capabilities` is the answer of GET /v1/capabilities (an object, already awaited).
 */
import { el, field, select } from "./dom.js";
import { FieldErrors } from "./fields.js";
import { createLayerRow } from "./layer-row.js";
import { parseTensor, parseTensors, tensorText, tensorsText } from "./numbers.js";
import { createParametersEditor, parseAt } from "./parameters-editor.js";

/** What a loss takes beside the output, by its name in the data. */
const TARGETS = { y: "y, the targets", upstream: "upstream, the gradient at the output" };

const CONVENTIONS = {
  numpy: "NumPy: x @ W + b, weights [in, out]",
  pytorch: "PyTorch: 0.weight, weights [out, in]",
  columns: "Columns: W @ x + b, samples side by side",
  numpy_out_in: "NumPy, weights [out, in]: x @ W.T + b",
};

/** A text area for one tensor, or for several by their names. `pointer` may be a function. */
function tensorField(label, pointer, { errors, onChange }, { rows = 5, several = false } = {}) {
  const text = el("textarea", { rows, spellcheck: "false", autocomplete: "off" });
  text.addEventListener("input", onChange);
  errors.register(pointer, text);
  const read = () => parseAt(typeof pointer === "function" ? pointer() : pointer, text.value, several ? parseTensors : parseTensor);
  return {
    node: field(label, text),
    empty: () => text.value.trim() === "",
    get: read,
    getState() {
      try {
        return read();
      } catch {
        return text.value;
      }
    },
    set(value) {
      text.value = typeof value === "string" ? value : value === undefined ? "" : several ? tensorsText(value) : tensorText(value);
    },
  };
}

/**
 * @param {HTMLElement} container
 * @param {{capabilities: object, onChange?: () => void}} options
 */
export function createNetworkEditor(container, { capabilities, onChange = () => {} }) {
  const errors = new FieldErrors();
  const changed = () => {
    errors.clear();
    nameTarget();
    onChange();
  };
  const shared = { capabilities, errors, onChange: changed };

  const rowHost = el("div", { class: "layers-host" });
  const row = createLayerRow(rowHost, shared);
  const convention = select(capabilities.conventions.map((name) => [name, CONVENTIONS[name] ?? name]), "numpy");
  convention.addEventListener("change", () => {
    row.label(convention.value);
    changed();
  });
  errors.register("/convention", convention);
  const parameters = createParametersEditor(shared);
  const x = tensorField("x, the samples", "/data/x", shared);
  const y = tensorField(TARGETS.y, () => `/data/${row.target()}`, shared);
  const others = tensorField("what else layers take, by name", "/data", shared, { rows: 3, several: true });
  const more = el("details", { class: "more-data" }, el("summary", {}, "More data"), others.node);

  container.classList.add("network-editor");
  container.append(
    rowHost,
    field("Convention", convention, { class: "convention" }),
    el("div", { class: "grid-2" },
      parameters.node,
      el("fieldset", { class: "plain" }, el("legend", {}, "Data"), el("div", { class: "data-fields" }, x.node, y.node, more))),
  );

  /** The loss says what the second field is. */
  function nameTarget() {
    y.node.querySelector("label").textContent = TARGETS[row.target()] ?? row.target();
  }

  /** The data as `read` reads a field: x, what the loss takes, and the rest. */
  function readData(read) {
    const rest = others.empty() ? {} : read(others);
    return typeof rest === "string"
      ? { data: { x: read(x), [row.target()]: read(y) }, more_data: rest }
      : { data: { x: read(x), [row.target()]: read(y), ...rest } };
  }

  function set(problem) {
    errors.clear();
    row.set(problem.network);
    convention.value = capabilities.conventions.includes(problem.convention) ? problem.convention : "numpy";
    row.label(convention.value);
    parameters.set(problem.parameters);
    const { x: samples, [row.target()]: targets, ...rest } = problem.data ?? {};
    x.set(samples);
    y.set(targets);
    const none = Object.keys(rest).length === 0;
    others.set(problem.more_data ?? (none ? undefined : rest));
    more.open = !others.empty();
    nameTarget();
  }

  return {
    set,
    setState: set,
    get: () => ({
      network: row.get(),
      convention: convention.value,
      parameters: parameters.get(),
      ...readData((part) => part.get()),
    }),
    getState: () => ({
      network: row.get(),
      convention: convention.value,
      parameters: parameters.getState(),
      ...readData((part) => part.getState()),
    }),
    showProblem: (problem) => errors.show(problem),
    clearProblem: () => errors.clear(),
  };
}
