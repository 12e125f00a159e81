/** The parameters: drawn by the service, or given as tensors. */
import { Problem } from "./api.js";
import { attributeControl } from "./attribute-controls.js";
import { el, field, fill, select, uid } from "./dom.js";
import { parseTensors, tensorsText } from "./numbers.js";

/** What a scheme needs beside its seed. */
const OPTIONS = {
  normal: [{ name: "std", type: "number", required: true }],
  uniform: [{ name: "low", type: "number", required: true }, { name: "high", type: "number", required: true }],
};
const DEFAULTS = { normal: { std: 0.1 }, uniform: { low: -0.5, high: 0.5 } };
const FORMULAS = {
  he_normal: "randn(in, out) · √(2/in)", he_uniform: "uniform(±√(6/in))",
  xavier_normal: "randn(in, out) · √(2/(in+out))", xavier_uniform: "uniform(±√(6/(in+out)))",
};

/** Runs `parse` and turns what it throws into a Problem at `pointer`. */
export function parseAt(pointer, text, parse) {
  try {
    return parse(text);
  } catch (error) {
    throw new Problem({ code: "malformed_json", detail: error.message, pointer, line: error.line, column: error.column });
  }
}

/**
 * @returns {{node: HTMLElement, get(): object, getState(): object | string, set(parameters: object | string): void}}
 *   getState and set take a text that cannot be read as a string
 */
export function createParametersEditor({ capabilities, errors, onChange }) {
  let init = { scheme: "he_normal", seed: 42 };
  const name = uid("source");
  const drawn = el("input", { type: "radio", name, value: "init", checked: true });
  const given = el("input", { type: "radio", name, value: "tensors" });
  const text = el("textarea", { rows: 7, spellcheck: "false", autocomplete: "off", "aria-label": "Parameters as tensors" });
  const initPart = el("div", { class: "field-group" });
  const textPart = el("div", { class: "field" }, text,
    el("p", { class: "help" }, "JSON, or as Python prints it: ", el("code", {}, "W1: [[0.5, −1], …]")));
  const node = el("fieldset", { class: "plain" },
    el("legend", {}, "Parameters"),
    el("div", { class: "row" },
      el("label", { class: "check" }, drawn, "Drawn as NumPy does"),
      el("label", { class: "check" }, given, "Given")),
    initPart, textPart);

  function drawInit() {
    const scheme = select(capabilities.initializers, init.scheme);
    scheme.addEventListener("change", () => {
      init = { scheme: scheme.value, seed: init.seed, ...DEFAULTS[scheme.value] };
      drawInit();
      initPart.querySelector("select").focus();
      onChange();
    });
    const seed = attributeControl({ name: "seed", type: "number", required: init.scheme !== "zeros" }, init, onChange);
    const options = (OPTIONS[init.scheme] ?? []).map((option) => attributeControl(option, init, onChange));
    errors.register("/parameters/init/scheme", scheme);
    errors.register("/parameters/init/seed", seed.control);
    (OPTIONS[init.scheme] ?? []).forEach((option, i) => errors.register(`/parameters/init/${option.name}`, options[i].control));
    errors.register("/parameters/init", scheme);
    fill(initPart,
      el("div", { class: "row" }, field("scheme", scheme), seed.node, options.map((option) => option.node)),
      el("p", { class: "help" }, FORMULAS[init.scheme] ? el("code", {}, FORMULAS[init.scheme]) : "", FORMULAS[init.scheme] ? "; " : "", "biases are zero"));
  }

  function showPart() {
    initPart.hidden = !drawn.checked;
    textPart.hidden = drawn.checked;
  }

  for (const radio of [drawn, given]) radio.addEventListener("change", () => { showPart(); onChange(); });
  text.addEventListener("input", onChange);
  errors.register("/parameters", text);
  drawInit();
  showPart();

  const read = () => parseAt("/parameters", text.value, parseTensors);

  return {
    node,
    get: () => (drawn.checked ? { init: { ...init } } : read()),
    getState() {
      if (drawn.checked) return { init: { ...init } };
      try {
        return read();
      } catch {
        return text.value;
      }
    },
    set(parameters) {
      const asInit = typeof parameters === "object" && parameters !== null && typeof parameters.init === "object" && parameters.init !== null;
      drawn.checked = asInit;
      given.checked = !asInit;
      if (asInit) {
        init = { ...parameters.init };
        delete init.generator;
        drawInit();
      } else {
        text.value = typeof parameters === "string" ? parameters : tensorsText(parameters ?? {});
      }
      showPart();
    },
  };
}
