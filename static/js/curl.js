/** The equivalent command, to copy. */
import { el } from "./dom.js";
import { toJson } from "./numbers.js";
import { tokenHeader } from "./token.js";

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * @param {string} path with its query, as in "/v1/check?format=text"
 * @param {object} body the request
 * @param {Map<string, File>} files what is sent beside the request, by the names of its parts
 */
export function curlCommand(path, body, files = new Map()) {
  const words = ["curl", quote(new URL(path, location.href).href)].join(" ");
  const token = tokenHeader().Authorization === undefined ? "" : ' -H "Authorization: Bearer $TOKEN"';
  const parts = [...files].map(([name, file]) => ` \\\n  -F ${quote(`${name}=@${file.name}`)}`).join("");
  if (files.size > 0) return `${words}${token}${parts} \\\n  --form-string ${quote(`request=${toJson(body, { pretty: true })}`)}`;
  return `${words}${token} \\\n  -H 'Content-Type: application/json' -d ${quote(toJson(body, { pretty: true }))}`;
}

/**
 * A fold with the command and a button that copies it. The command is made when somebody looks.
 * @param {() => string} command throws a Problem where the fields cannot be read yet
 * @param {(text: string) => void} announce
 * @returns {{node: HTMLElement, refresh(): void}} refresh after changes
 */
export function curlBlock(command, announce = () => {}) {
  const code = el("code");
  const copy = el("button", { class: "button quiet", type: "button" }, "Copy");
  const node = el("details", { class: "curl" },
    el("summary", {}, "The same with curl"),
    el("div", { class: "curl-box" }, copy, el("pre", { tabindex: "0", role: "region", "aria-label": "curl command" }, code)));
  function refresh() {
    if (!node.open) return;
    try {
      code.textContent = command();
      copy.disabled = false;
    } catch (error) {
      code.textContent = `# ${error.message}`;
      copy.disabled = true;
    }
  }
  node.addEventListener("toggle", refresh);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
      announce("Command copied");
    } catch {
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  });
  return { node, refresh };
}
