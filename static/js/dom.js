/**
 * Tiny helpers to build elements. Nothing here keeps state.
 *
 *   el("button", { class: "quiet", type: "button", onclick: run, "aria-label": "Run" }, "Run", icon)
 *   fill(node, ...children)      replaces what a node holds
 *   uid("field")                 "field-7": an id that is new on this page
 *   field(label, control, help)  a labelled control with a place for its error (see fields.js)
 *   debounce(fn, ms)
 */

let counter = 0;

/** An id that nothing else on this page has. */
export const uid = (prefix) => `${prefix}-${++counter}`;

/**
 * Makes an element. `class`, `text`, `dataset` and `on...` are what they say; booleans set or leave out an attribute;
 * `value`, `checked`, `selected`, `disabled` and `indeterminate` are set as properties; null and undefined do nothing.
 * Children are nodes, strings, numbers, arrays of them, or null.
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "selected", "disabled", "indeterminate"].includes(name)) node[name] = value;
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

/** Replaces all that a node holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** A control under its label; `help` is a quiet line below. The control gets an id if it has none. */
export function field(label, control, { help = null, class: extra = "" } = {}) {
  control.id ||= uid("field");
  return el("div", { class: `field ${extra}`.trim() },
    el("label", { for: control.id }, label), control, help && el("p", { class: "help" }, help));
}

/** A select of strings or of [value, text] pairs. */
export function select(options, value, props = {}) {
  const node = el("select", props, options.map((option) => {
    const [key, text] = Array.isArray(option) ? option : [option, option];
    return el("option", { value: key }, text);
  }));
  node.value = value;
  return node;
}

/** Calls `fn` once things have been quiet for `ms`; `.flush()` calls it now if it waits. */
export function debounce(fn, ms) {
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { timer = null; fn(); }, ms);
  };
  later.flush = () => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    fn();
  };
  return later;
}
