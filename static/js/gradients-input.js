/** Where gradients are pasted, dropped or opened from a file. */
import { el, field } from "./dom.js";
import { parseTensors } from "./numbers.js";
import { parseAt } from "./parameters-editor.js";
import { Problem } from "./api.js";
import { TENSOR_FILES, isTensorFile, partName } from "./tensor-files.js";

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
  const file = el("input", { type: "file", multiple: true, accept: `.json,.txt,.py,${TENSOR_FILES},application/json,text/plain`, class: "visually-hidden", tabindex: "-1", "aria-label": "Gradients from a file" });
  const open = el("button", { class: "button small", type: "button", onclick: () => file.click() }, "Open a file…");
  const place = field("Your gradients", text, { help: "JSON, or what Python prints: a dict of arrays, W1: [[…]], np.array(…). A file can be dropped here: these, .npz, .npy or .safetensors. Ctrl+Enter checks." });
  const chosenText = el("span");
  const chosen = el("p", { class: "note chosen", role: "status", hidden: true }, chosenText,
    el("button", { class: "button small", type: "button", onclick: () => { forget(); onChange(); text.focus(); } }, "Remove the files"));
  const node = el("div", { class: "drop" }, place, chosen, file);
  let files = new Map(); // part name -> File, in place of the text
  errors.register("/gradients", text);

  text.addEventListener("input", () => {
    forget();
    onChange();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSubmit();
  });

  function refuse(detail) {
    errors.show(new Problem({ code: "file", detail, pointer: "/gradients" }));
  }

  function forget() {
    files = new Map();
    chosen.hidden = true;
  }

  /** Files of tensors in place of the text. */
  function keep(list) {
    files = new Map(list.map((one) => [partName(one), one]));
    text.value = "";
    chosenText.textContent = `${[...files.values()].map((one) => one.name).join(", ")} will be sent. `;
    chosen.hidden = false;
    onChange();
  }

  async function take(list) {
    const [first] = list;
    if (!first) return;
    const pickle = list.find((one) => /\.(pt|pth|pkl|csv|h5|mat)$/i.test(one.name));
    if (pickle) {
      return refuse(`${pickle.name} cannot be read here; write np.savez("grads.npz", **grads), or safetensors.torch.save_file(grads, "grads.safetensors")`);
    }
    if (isTensorFile(first.name)) return keep(list.filter((one) => isTensorFile(one.name)));
    if (first.size > MOST_BYTES) return refuse(`${first.name} is too large for this page; send it with curl.`);
    const content = await first.text();
    forget();
    const request = wholeRequest(content);
    if (request !== null) return onRequest(request);
    text.value = content.trim();
    onChange();
  }

  file.addEventListener("change", async () => {
    await take([...file.files]);
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
    const dropped = [...event.dataTransfer.files];
    if (dropped.length > 0) take(dropped);
    else {
      forget();
      text.value = event.dataTransfer.getData("text");
      onChange();
    }
  });

  return {
    node, openButton: open,
    /** What was chosen in place of text: part name -> File. */
    files: () => files,
    get() {
      if (text.value.trim() === "") {
        throw new Problem({ code: "missing_member", pointer: "/gradients", detail: "Paste your gradients here first, or fill in an example." });
      }
      return parseAt("/gradients", text.value, parseTensors);
    },
    text: () => text.value,
    set(value) {
      forget();
      text.value = value;
    },
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
