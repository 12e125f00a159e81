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
import { parseTensor, tensorText } from "./numbers.js";
import { createParametersEditor, parseAt } from "./parameters-editor.js";

const CONVENTIONS = {
  numpy: "NumPy: x @ W + b, weights [in, out]",
  pytorch: "PyTorch: 0.weight, weights [out, in]",
  columns: "Columns: W @ x + b, samples side by side",
};

/** A text area for one tensor. */
function tensorField(label, pointer, { errors, onChange }) {
  const text = el("textarea", { rows: 5, spellcheck: "false", autocomplete: "off" });
  text.addEventListener("input", onChange);
  errors.register(pointer, text);
  const read = () => parseAt(pointer, text.value, parseTensor);
  return {
    node: field(label, text),
    get: read,
    getState() {
      try {
        return read();
      } catch {
        return text.value;
      }
    },
    set(value) {
      text.value = typeof value === "string" ? value : value === undefined ? "" : tensorText(value);
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
  const y = tensorField("y, the targets", "/data/y", shared);
  errors.register("/data", x.node.querySelector("textarea"));

  container.classList.add("network-editor");
  container.append(
    rowHost,
    field("Convention", convention, { class: "convention" }),
    el("div", { class: "grid-2" },
      parameters.node,
      el("fieldset", { class: "plain" }, el("legend", {}, "Data"), el("div", { class: "data-fields" }, x.node, y.node))),
  );

  function set(problem) {
    errors.clear();
    row.set(problem.network);
    convention.value = capabilities.conventions.includes(problem.convention) ? problem.convention : "numpy";
    row.label(convention.value);
    parameters.set(problem.parameters);
    x.set(problem.data?.x);
    y.set(problem.data?.y);
  }

  return {
    set,
    setState: set,
    get: () => ({
      network: row.get(),
      convention: convention.value,
      parameters: parameters.get(),
      data: { x: x.get(), y: y.get() },
    }),
    getState: () => ({
      network: row.get(),
      convention: convention.value,
      parameters: parameters.getState(),
      data: { x: x.getState(), y: y.getState() },
    }),
    showProblem: (problem) => errors.show(problem),
    clearProblem: () => errors.clear(),
  };
}
