/** Controls for what an op or an initializer can be told, made from the service's own list of attributes. */
import { el, field, select } from "./dom.js";

const numeric = (type) => type === "integer" || type === "number";

/**
 * One labelled control that writes into `target[attribute.name]`; what is empty or the default is left out of it.
 * @param {{name: string, type: string, required?: boolean, choices?: string[], default?: any}} attribute
 * @returns {{node: HTMLElement, control: HTMLElement}}
 */
export function attributeControl(attribute, target, onChange) {
  const { name, type } = attribute;
  const put = (value) => {
    if (value === undefined || (!attribute.required && value === attribute.default)) delete target[name];
    else target[name] = value;
    onChange();
  };
  const label = name.replaceAll("_", " ");
  if (type === "boolean") {
    const control = el("input", { type: "checkbox", checked: target[name] ?? attribute.default ?? false });
    control.addEventListener("change", () => put(control.checked));
    return { node: el("label", { class: "check" }, control, label), control };
  }
  const control = attribute.choices
    ? select(attribute.choices, target[name] ?? attribute.default)
    : el("input", {
      type: numeric(type) ? "number" : "text",
      step: type === "integer" ? "1" : "any",
      min: type === "integer" && name !== "dim" ? "1" : null,
      value: target[name] ?? "",
      placeholder: attribute.default === undefined ? "" : String(attribute.default),
    });
  control.addEventListener(attribute.choices ? "change" : "input", () => {
    if (control.value === "") put(undefined);
    else put(numeric(type) ? Number(control.value) : control.value);
  });
  return { node: field(label, control, { class: "small" }), control };
}
