/**
 * Shows a problem at the field that its JSON pointer names.
 *
 *   const errors = new FieldErrors();
 *   errors.register("/tolerance/atol", input);      the message goes behind the control, inside its .field
 *   errors.show(problem)                            at the longest registered prefix; focuses it; false when none is
 *   errors.clear()
 *
 * A pointer may be a function, for places that move: errors.register(() => `/network/layers/${index()}/type`, node).
 * Controls that left the document are forgotten.
 */
import { el, uid } from "./dom.js";

/** The message for people: where a text is broken, its line and column too. */
export function problemText(problem) {
  const place = problem.line ? ` (line ${problem.line}, column ${problem.column})` : "";
  return `${problem.detail}${place}`;
}

export class FieldErrors {
  #places = [];
  #shown = [];

  register(pointer, control) {
    this.#places.push({ pointer, control });
    return control;
  }

  show(problem) {
    this.clear();
    this.#places = this.#places.filter(({ control }) => control.isConnected);
    const wanted = problem.pointer;
    if (wanted === undefined) return false;
    let best = null;
    for (const { pointer, control } of this.#places) {
      const path = typeof pointer === "function" ? pointer() : pointer;
      const fits = wanted === path || wanted.startsWith(`${path}/`);
      if (fits && (best === null || path.length > best.path.length)) best = { path, control };
    }
    if (best === null) return false;
    this.#mark(best.control, problemText(problem));
    return true;
  }

  clear() {
    for (const { control, message } of this.#shown) {
      message.remove();
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
    this.#shown = [];
  }

  #mark(control, text) {
    const message = el("p", { class: "error", id: uid("error") }, el("span", { "aria-hidden": "true" }, "✗ "), text);
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", message.id);
    control.closest("details")?.setAttribute("open", "");
    (control.closest("[data-error-host], .field") ?? control.parentElement).append(message);
    this.#shown.push({ control, message });
    control.focus();
    control.scrollIntoView({ block: "nearest" });
  }
}
