/**
 * The page: tabs, theme, and the state in the URL.
 *
 * A view is what its module's mount function returns; app.js calls it once the service's capabilities are there:
 *
 *   export function mountTrain(root, shared)    // root: <section id="train-view">, the tab's panel
 *   returns { getState(), setState(state), shown() (optional: the panel has become visible), presets... }
 *
 *   getState()        plain JSON: all that a link needs to reproduce the view; or a promise of it
 *   setState(state)   puts it back, and does again what the state says was done (runs the check, the training)
 *
 * and `shared`, the same object for both views, is
 *
 *   capabilities      GET /v1/capabilities
 *   changed()         call after any change: a little later the URL holds the new state of the visible view
 *   open(view, state) switches to "check" or "train" and gives it a state ({ problem: {network, convention, parameters,
 *                     data} } is a state that both views must take: that is how one hands its network to the other)
 *   announce(text)    says it politely to screen readers
 *   theme             { current(): "light" | "dark", onChange(fn) }: canvases repaint when it changes
 *   link()            promise of the URL that reproduces what is there; of null where that would be too long
 *
 * The hash is #check/<payload> or #train/<payload>; see state.js for the payload.
 *
 * Other modules for both views:
 *   dom.js       el, fill, field, select, debounce      numbers.js  parseTensors, parseTensor, toJson, formatNumber
 *   fields.js    FieldErrors: problems at their fields   curl.js     curlBlock(): the equivalent command, to copy
 *   presets.js   PRESETS: [{ id, name, summary, problem }]
 *   api.js       postJson, streamEvents, Problem        network-editor.js
 *
 * CSS (style.css): tokens --paper --card --sunken --ink --quiet --line --accent --on-accent --good --bad --warn and
 * their soft backgrounds --accent-soft --good-soft --bad-soft --warn-soft; --mono, --radius; classes .card, .card > h2,
 * .field (label, control, .help, .error), .row (wrapping flex line with gap), .button, .button.primary, .button.quiet,
 * .chips > button[aria-pressed], .note, .visually-hidden, .mono, table.data, .grid-2 (two columns where there is room).
 * The theme is <html data-theme="light|dark">.
 */
import { getCapabilities } from "./api.js";
import { debounce } from "./dom.js";
import { decodeState, encodeState, splitHash } from "./state.js";
import { createTheme } from "./theme-switch.js";

const NAMES = ["check", "train"];
const tabs = Object.fromEntries(NAMES.map((name) => [name, document.getElementById(`tab-${name}`)]));
const panels = Object.fromEntries(NAMES.map((name) => [name, document.getElementById(`${name}-view`)]));
/** The views' modules: each is fetched when it is first wanted, the one that is not seen once the page is ready. */
const mounts = {
  check: async () => (await import("./check-view.js")).mountCheck,
  train: async () => (await import("./train.js")).mountTrain,
};
const views = {}; // promises of what mount returned
let shared;
let visible = "check";
let written = ""; // the hash that we set ourselves

const LONGEST_HASH = 1.5e6; // browsers take two million characters or fewer

function announce(text) {
  const announcer = document.getElementById("announcer");
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

function fail(text) {
  const failure = document.getElementById("failure");
  failure.textContent = text;
  failure.hidden = text === "";
}

function view(name) {
  views[name] ??= mounts[name]().then((mount) => mount(panels[name], shared));
  return views[name];
}

// ---- tabs ----

function show(name) {
  visible = name;
  for (const other of NAMES) {
    const selected = other === name;
    tabs[other].setAttribute("aria-selected", String(selected));
    tabs[other].tabIndex = selected ? 0 : -1;
    panels[other].hidden = !selected;
  }
  document.title = `${tabs[name].textContent} · gradcheckd`;
  view(name).then((shownNow) => shownNow.shown?.());
}

function connectTabs() {
  for (const [i, name] of NAMES.entries()) {
    tabs[name].addEventListener("click", () => { show(name); save(); });
    tabs[name].addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = event.key === "Home" ? 0 : event.key === "End" ? NAMES.length - 1 : step && (i + step + NAMES.length) % NAMES.length;
      if (next === undefined) return;
      event.preventDefault();
      show(NAMES[next]);
      save();
      tabs[NAMES[next]].focus();
    });
  }
}

// ---- the state in the URL ----

/** Writes the state into the URL. One that is too large for that leaves the view's name alone there: no old state stays. */
async function write() {
  const name = visible;
  const hash = `#${name}/${await encodeState(await (await view(name)).getState())}`;
  const fits = hash.length <= LONGEST_HASH;
  written = fits ? hash : `#${name}`;
  history.replaceState(null, "", written);
  return fits;
}

const save = debounce(write, 250);

async function restore() {
  const { view: name, payload } = splitHash(location.hash);
  if (!NAMES.includes(name)) return;
  show(name);
  if (payload === "") return;
  let state;
  try {
    state = await decodeState(payload);
  } catch {
    fail("This link cannot be read: a part of it may be missing. Here is a fresh start instead.");
    return;
  }
  try {
    await (await view(name)).setState(state);
  } catch {
    fail("This link holds something that this page cannot show.");
  }
}

async function link() {
  return await write() ? location.href : null;
}

function connectCopy() {
  const button = document.getElementById("copy-link");
  const text = button.textContent;
  async function copy() {
    const address = await link();
    if (address === null) {
      announce("Too large for a link");
      return "Too large for a link";
    }
    try {
      await navigator.clipboard.writeText(address);
      announce("Link copied");
      return "Copied";
    } catch {
      return "It is in the address bar";
    }
  }
  button.addEventListener("click", async () => {
    button.textContent = await copy();
    setTimeout(() => { button.textContent = text; }, 2000);
  });
}

// ---- start ----

async function start() {
  connectTabs();
  connectCopy();
  shared = {
    capabilities: null,
    changed: () => { fail(""); save(); },
    announce,
    link,
    theme: createTheme(document.getElementById("theme")),
    async open(name, state) {
      await (await view(name)).setState(state);
      show(name);
      save();
      tabs[name].focus();
      window.scrollTo(0, 0);
    },
  };
  const wanted = splitHash(location.hash).view;
  const first = NAMES.includes(wanted) ? wanted : visible;
  try {
    mounts[first](); // its modules come while the service answers
    shared.capabilities = await getCapabilities();
  } catch (error) {
    fail(error.message);
    return;
  }
  await view(first);
  await restore();
  window.addEventListener("hashchange", () => { if (location.hash !== written) restore(); });
  document.documentElement.dataset.ready = "true";
  const later = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));
  later(() => NAMES.forEach(view));
}

start();
