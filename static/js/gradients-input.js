/** Where gradients are pasted, dropped or opened from a file. */
import { el, field } from "./dom.js";
import { parseTensors } from "./numbers.js";
import { parseAt } from "./parameters-editor.js";
import { Problem } from "./api.js";

const MOST_BYTES = 32 << 20;

/**
 * @param {{errors: import("./fields.js").FieldErrors, onChange(): void, onRequest(request: object): void,
 *   onSubmit(): void}} options onRequest: a file held a whole request; onSubmit: Ctrl+Enter
 */
export function createGradientsInput({ errors, onChange, onRequest, onSubmit }) {
  const text = el("textarea", {
    rows: 12, spellcheck: "false", autocomplete: "off", class: "gradients",
    placeholder: "W1: [[0.0446, 0, -0.032], …]\nb1: [0.1021, 0, -0.032]",
  });
  const file = el("input", { type: "file", accept: ".json,.txt,.py,application/json,text/plain", class: "visually-hidden", tabindex: "-1", "aria-label": "Gradients from a file" });
  const open = el("button", { class: "button small", type: "button", onclick: () => file.click() }, "Open a file…");
  const place = field("Your gradients", text, { help: "JSON, or what Python prints: a dict of arrays, W1: [[…]], np.array(…). A file can be dropped here. Ctrl+Enter checks." });
  const node = el("div", { class: "drop" }, place, file);
  errors.register("/gradients", text);

  text.addEventListener("input", onChange);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSubmit();
  });

  function refuse(detail) {
    errors.show(new Problem({ code: "file", detail, pointer: "/gradients" }));
  }

  async function take(chosen) {
    if (!chosen) return;
    if (/\.(npy|npz|pt|pth|pkl|csv|h5)$/i.test(chosen.name)) {
      return refuse(`${chosen.name} cannot be read here; write JSON: json.dump({name: g.tolist() for name, g in grads.items()}, file)`);
    }
    if (chosen.size > MOST_BYTES) return refuse(`${chosen.name} is too large for this page; send it with curl.`);
    const content = await chosen.text();
    const request = wholeRequest(content);
    if (request !== null) return onRequest(request);
    text.value = content.trim();
    onChange();
  }

  file.addEventListener("change", async () => {
    await take(file.files[0]);
    file.value = "";
  });
  node.addEventListener("dragover", (event) => {
    event.preventDefault();
    node.classList.add("over");
  });
  node.addEventListener("dragleave", () => node.classList.remove("over"));
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    node.classList.remove("over");
    const dropped = event.dataTransfer.files[0];
    if (dropped) take(dropped);
    else {
      text.value = event.dataTransfer.getData("text");
      onChange();
    }
  });

  return {
    node, openButton: open,
    get() {
      if (text.value.trim() === "") {
        throw new Problem({ code: "missing_member", pointer: "/gradients", detail: "Paste your gradients here first, or fill in an example." });
      }
      return parseAt("/gradients", text.value, parseTensors);
    },
    text: () => text.value,
    set: (value) => { text.value = value; },
  };
}

/** A file with a whole request in it fills all fields. */
function wholeRequest(text) {
  try {
    const value = JSON.parse(text);
    return value?.network && value.data ? value : null;
  } catch {
    return null;
  }
}
