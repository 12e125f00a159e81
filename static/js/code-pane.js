/**
 * A field for lines of code: numbers beside them, marks at them, and what is said of them below.
 *
 *   const pane = createCodePane({ label: "Forward pass", onChange })
 *   pane.node, pane.text(), pane.set(text)
 *   pane.mark([{ line: 2, mark: "wrong", message: "..." }])   replaces all marks; a message is optional
 *   pane.select(line)                                         puts the cursor there
 *   pane.light(line)                                          shows one line, or none (null), as the one at work
 */
import { el, field, fill, uid } from "./dom.js";

/** A mark is never told by its colour alone. */
export const MARKS = {
  right: { symbol: "✓", text: "right" },
  wrong: { symbol: "✗", text: "wrong here" },
  inherited: { symbol: "≈", text: "right, given what came in" },
  fault: { symbol: "!", text: "cannot be evaluated" },
  unused: { symbol: "·", text: "leads to nothing" },
};

const LEAST_LINES = 6;
const MOST_LINES = 24;

/** @param {{label: string, help?: string, placeholder?: string, onChange(): void, onSubmit?(): void}} options */
export function createCodePane({ label, help = null, placeholder = "", onChange, onSubmit = () => {} }) {
  const listId = uid("lines");
  const text = el("textarea", { class: "code", wrap: "off", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder, "aria-describedby": listId });
  const gutter = el("div", { class: "gutter", "aria-hidden": "true" });
  const messages = el("ul", { class: "line-messages", id: listId });
  const frame = field(label, text, { help, class: "code-field" });
  frame.insertBefore(el("div", { class: "code-pane" }, gutter, text), frame.querySelector(".help"));
  frame.append(messages);
  let marks = new Map();
  let lit = null;

  const count = () => text.value.split("\n").length;

  function draw() {
    const lines = count();
    text.rows = Math.min(MOST_LINES, Math.max(LEAST_LINES, lines));
    fill(gutter, Array.from({ length: lines }, (_, i) => {
      const mark = marks.get(i + 1);
      return el("div", { class: `gutter-line ${mark?.mark ?? ""} ${lit === i + 1 ? "lit" : ""}`.trim() },
        el("span", { class: "gutter-mark" }, mark ? MARKS[mark.mark].symbol : ""), String(i + 1));
    }));
    gutter.scrollTop = text.scrollTop;
  }

  function select(line) {
    const before = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = text.value.indexOf("\n", before);
    text.focus();
    text.setSelectionRange(before, end < 0 ? text.value.length : end);
  }

  text.addEventListener("input", () => { draw(); onChange(); });
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSubmit();
  });
  draw();

  return {
    node: frame, control: text, select,
    text: () => text.value,
    set(value) {
      text.value = value;
      marks = new Map();
      fill(messages);
      draw();
    },
    mark(list) {
      marks = new Map();
      list = list.filter(({ mark }) => Object.hasOwn(MARKS, mark)); // of a later service there may be others
      for (const one of list) {
        if (!marks.has(one.line) || marks.get(one.line).mark === "right") marks.set(one.line, one);
      }
      const said = list.filter(({ mark, message }) => message || mark === "wrong" || mark === "fault");
      fill(messages, said.map(({ line, mark, message }) => el("li", { class: mark },
        el("button", { type: "button", class: "line-link", onclick: () => select(line) }, `Line ${line}`),
        el("span", {}, el("span", { class: "mark", "aria-hidden": "true" }, `${MARKS[mark].symbol} `), message || MARKS[mark].text))));
      draw();
    },
    light(line) {
      lit = line;
      draw();
    },
  };
}
