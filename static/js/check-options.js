/** The options of a check, beside the problem and the gradients. */
import { attributeControl } from "./attribute-controls.js";
import { el, field, fill } from "./dom.js";
import { parseAt } from "./parameters-editor.js";
import { toJson } from "./numbers.js";

const TOLERANCE = [
  { name: "atol", type: "number", default: "auto" },
  { name: "rtol", type: "number", default: 0 },
];

/** What a field shows of an object that was read, or of a text that is none yet. */
const written = (value) => (typeof value === "string" ? value : value ? toJson(value) : "");

/** @param {{capabilities: object, errors: import("./fields.js").FieldErrors, onChange(): void}} options */
export function createCheckOptions({ capabilities, errors, onChange }) {
  let values = {};
  let tolerance = {};
  const usual = el("div", { class: "row" });
  const rare = el("div", { class: "row" });
  const reveal = el("input", { type: "checkbox" });
  const verify = el("input", { type: "checkbox" });
  const carry = el("input", { type: "checkbox" });
  const points = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: '{"W1": 2}' });
  const names = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: '{"Theta1": "W1"}' });
  for (const text of [points, names]) text.addEventListener("input", onChange);
  for (const box of [reveal, verify, carry]) box.addEventListener("change", onChange);

  const node = el("div", { class: "options" },
    usual,
    capabilities.reveal ? el("label", { class: "check" }, reveal, "Show the reference, element by element") : null,
    el("details", {}, el("summary", {}, "More options"), rare));

  function draw() {
    const controls = TOLERANCE.map((attribute) => attributeControl(attribute, tolerance, onChange));
    TOLERANCE.forEach(({ name }, i) => errors.register(`/tolerance/${name}`, controls[i].control));
    errors.register("/tolerance", controls[0].control);
    fill(usual, controls.map((control) => control.node));
    const dtype = attributeControl({ name: "dtype", type: "string", choices: capabilities.dtypes, default: "float64" }, values, onChange);
    const device = attributeControl({ name: "device", type: "string", choices: ["auto", ...capabilities.devices], default: "auto" }, values, onChange);
    errors.register("/dtype", dtype.control);
    errors.register("/device", device.control);
    const shapes = attributeControl({ name: "shapes", type: "string", choices: ["strict", "loose"], default: "strict" }, values, onChange);
    errors.register("/shapes", shapes.control);
    errors.register("/points", points);
    errors.register("/carry_forward", carry);
    errors.register("/names", names);
    fill(rare, dtype.node, device.node, shapes.node, field("points per parameter", points),
      field("your names for parameters", names),
      el("label", { class: "check" }, carry, "Points for what only follows from a mistake made elsewhere"),
      el("label", { class: "check" }, verify, "Check the reference against central differences"));
  }
  draw();

  return {
    node,
    /** The members of the request; throws a Problem. */
    get() {
      const asked = { ...values };
      if (Object.keys(tolerance).length > 0) asked.tolerance = { ...tolerance };
      if (reveal.checked) asked.reveal = true;
      if (carry.checked) asked.carry_forward = true;
      if (verify.checked) asked.verify_reference = true;
      if (points.value.trim() !== "") asked.points = parseAt("/points", points.value, JSON.parse);
      if (names.value.trim() !== "") asked.names = parseAt("/names", names.value, JSON.parse);
      return asked;
    },
    getState() {
      try {
        return this.get();
      } catch {
        const kept = { points: points.value, names: names.value };
        points.value = names.value = "";
        const state = { ...this.get(), ...kept };
        points.value = kept.points;
        names.value = kept.names;
        return state;
      }
    },
    set(state = {}) {
      values = {};
      for (const name of ["dtype", "device", "shapes"]) if (typeof state[name] === "string") values[name] = state[name];
      tolerance = { ...state.tolerance };
      reveal.checked = state.reveal === true;
      verify.checked = state.verify_reference === true;
      carry.checked = state.carry_forward === true;
      points.value = written(state.points);
      names.value = written(state.names);
      draw();
    },
  };
}
