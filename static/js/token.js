/**
 * The token that the service asks for, kept for this tab and nowhere else.
 *
 *   tokenHeader()             { Authorization: "Bearer ..." }, or {} where there is none
 *   await askForToken(text)   whether somebody has entered one
 */
import { el } from "./dom.js";

const KEY = "gradcheckd-token";

const read = () => {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return kept; // a browser that stores nothing
  }
};

let kept = "";

function keep(token) {
  kept = token;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // it is forgotten with the page
  }
}

export const tokenHeader = () => (read() === "" ? {} : { Authorization: `Bearer ${read()}` });

let asked = null;

/** Asks in a dialog; several that need one at once ask together. */
export function askForToken(text) {
  asked ??= ask(text).finally(() => { asked = null; });
  return asked;
}

function ask(text) {
  return new Promise((resolve) => {
    const input = el("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true, id: "token" });
    const cancel = el("button", { class: "button quiet", type: "button", onclick: () => dialog.close() }, "Cancel");
    const form = el("form", { method: "dialog" },
      el("p", {}, text),
      el("label", { for: "token" }, "Token"),
      input,
      el("p", { class: "help" }, "It is kept until this tab is closed."),
      el("div", { class: "row" }, el("button", { class: "button", type: "submit", value: "use" }, "Use it"), cancel));
    const dialog = el("dialog", { class: "token", "aria-label": "Token" }, form);
    dialog.addEventListener("close", () => {
      const entered = dialog.returnValue === "use" && input.value.trim() !== "";
      if (entered) keep(input.value.trim());
      dialog.remove();
      resolve(entered);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
