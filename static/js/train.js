/**
 * The training view: settings on one side, and on the other the runs, their curves and what there is to see of one.
 */
import { createCurves } from "./curves.js";
import { el } from "./dom.js";
import { chartToPng, runsToCsv, runsToJson, saveFile } from "./export.js";
import { formatNumber } from "./numbers.js";
import { learnOptimizers } from "./optimizers.js";
import { curveStyle, SLOTS } from "./palette.js";
import { createRunDetails } from "./run-details.js";
import { createRunList, summary } from "./run-list.js";
import { packRuns, Runs, unpackRuns } from "./runs.js";
import { createTrainSettings } from "./train-settings.js";
import { MOST_AT_ONCE, stop, train } from "./training.js";

const THRESHOLD = "0.01";
const ANNOUNCE_MS = 5000;

/**
 * @param {HTMLElement} root
 * @param {object} shared  see app.js
 * @returns {{getState(): object, setState(state: object): void, shown(): void}}
 */
export function mountTrain(root, shared) {
  const { theme } = shared;
  if (!shared.capabilities.optimizers?.length) {
    root.append(el("p", { class: "note" }, "This service checks gradients, but does not train."));
    return { getState: () => ({}), setState() {} };
  }
  learnOptimizers(shared.capabilities.optimizers);
  const runs = new Runs();
  let selected = null;
  let announced = 0;
  const told = new WeakMap(); // of each run, which remarks were announced
  let frame = 0;
  let hasEnded = false; // whether a run has since the last drawing

  // ---- what is on the page ----

  const thresholdInput = el("input", { type: "text", inputmode: "decimal", class: "short", value: THRESHOLD, oninput: setThreshold });
  const linear = el("input", { type: "checkbox", onchange: setThreshold });
  const loss = createCurves({
    title: "Loss", empty: "Start a training: its loss appears here, epoch by epoch.", logarithmic: true, threshold: Number(THRESHOLD),
    height: 320, theme, hint: true,
    tools: [el("label", { class: "check" }, linear, " linear axis"), el("label", { class: "check" }, "threshold ", thresholdInput)],
  });
  const percent = (value) => `${formatNumber(value * 100)} %`;
  const accuracy = createCurves({ title: "Accuracy", height: 180, range: [-0.02, 1.04], theme, format: percent });
  const accuracyCard = el("div", { class: "card", hidden: true }, accuracy.node);
  const list = el("ul", { class: "runs", role: "list" });
  const exports = el("div", { class: "row exports", role: "group", "aria-label": "Export the runs shown" },
    el("span", { class: "help" }, "Export"), ...[["CSV", saveCsv], ["JSON", saveJson], ["PNG", savePng]].map(([name, save]) =>
      el("button", { class: "button quiet small", type: "button", onclick: save }, name)));
  const runsCard = el("section", { class: "card runs-card", "aria-label": "Runs", hidden: true },
    el("div", { class: "row curve-head" }, el("h2", {}, "Runs"), exports), list);
  const detailsTitle = el("h2", { class: "details-title", tabindex: "-1", hidden: true });
  const detailsHost = el("div", { class: "run-details" });
  const left = el("div", { class: "train-left" });
  root.append(el("div", { class: "train" }, left,
    el("div", { class: "train-right" }, el("div", { class: "card" }, loss.node), runsCard, accuracyCard, detailsTitle, detailsHost)));

  const details = createRunDetails(detailsHost, { theme });
  const settings = createTrainSettings(left, {
    capabilities: shared.capabilities, announce: shared.announce, onChange: shared.changed, onStart: start, onStop: stopAll,
    onCheck: (problem) => shared.open("check", { problem }),
  });
  const runList = createRunList(list, {
    runs, theme, threshold, onStop: (run) => stop(runs, run), onSelect(run) { select(run); detailsTitle.focus(); },
    onEmpty: () => settings.focus(),
    onAgain(run) { settings.again(run); shared.changed(); },
  });

  // ---- drawing, at most once a frame ----

  function threshold() {
    const value = Number(thresholdInput.value);
    return thresholdInput.value.trim() !== "" && Number.isFinite(value) ? value : null;
  }

  function setThreshold() {
    thresholdInput.setAttribute("aria-invalid", String(threshold() === null && thresholdInput.value.trim() !== ""));
    loss.chart.configure({ threshold: threshold(), logarithmic: !linear.checked });
    redraw();
    shared.changed();
  }

  const redraw = () => { frame ||= requestAnimationFrame(draw); };

  function draw() {
    frame = 0;
    if (selected !== null && runs.byId(selected.id) === null) selected = runs.list.at(-1) ?? null;
    const curveOf = (run, y) => ({ id: run.id, label: run.name, ...curveStyle(run.slot, theme.current()), x: run.epochs, y });
    loss.draw(runs.visible.map((run) => curveOf(run, run.loss)));
    const counted = runs.visible.filter((run) => run.accuracy !== null);
    accuracyCard.hidden = counted.length === 0;
    accuracy.draw(counted.map((run) => curveOf(run, run.accuracy)));
    runsCard.hidden = runs.list.length === 0;
    runList.draw(selected);
    detailsTitle.hidden = detailsHost.hidden = selected === null;
    detailsTitle.textContent = selected?.name ?? "";
    drawDetails();
    settings.setRunning(running().length);
    if (hasEnded) catchUp();
    hasEnded = false;
  }

  /** Draws charts that nobody sees, too. */
  function catchUp() {
    for (const chart of [loss.chart, accuracy.chart, details]) chart.catchUp();
  }

  function drawDetails() {
    try {
      details.draw(selected);
    } catch {
      detailsHost.hidden = true; // there is nothing in it that could be trusted; the rest of the page goes on
    }
  }

  function select(run) {
    selected = run;
    redraw();
  }

  theme.onChange(redraw);
  window.addEventListener("beforeprint", () => { draw(); catchUp(); });
  runs.onChange((run, what) => {
    redraw();
    if (what !== "data") shared.changed();
    if (!runs.list.includes(run)) return;
    const ended = what === "status" && run.status !== "running";
    hasEnded ||= ended;
    if (!ended && performance.now() - announced < ANNOUNCE_MS) return;
    announced = performance.now();
    if (what === "data" || ended) shared.announce(`${run.name}: ${summary(run, threshold())}${remarks(run, ended)}`);
  });

  /** Remarks in words: the new ones while it trains, all of them at its end. */
  function remarks(run, all) {
    const before = told.get(run) ?? new Set();
    const keys = run.health.map(({ id, layer }) => `${id} ${layer}`);
    told.set(run, new Set([...before, ...keys]));
    const messages = run.health.filter((_, i) => all || !before.has(keys[i])).map(({ message }) => message);
    return messages.length === 0 ? "" : `. ${messages.join(" ")}`;
  }

  // ---- training ----

  const running = () => runs.list.filter((run) => run.controller !== null);

  async function start() {
    settings.clear();
    if (runs.full) return settings.say(`No more than ${SLOTS} runs can be told apart. Remove one first.`);
    if (running().length >= MOST_AT_ONCE) return settings.say(`${MOST_AT_ONCE} runs are under way. Stop one first, or wait.`);
    let request;
    try {
      request = settings.read();
    } catch (error) {
      return settings.show(error);
    }
    const base = settings.base();
    const before = selected;
    const run = runs.add(request, { base: base?.id ?? null });
    settings.setBase(null);
    select(run);
    showCurve();
    try {
      await train(runs, run);
    } catch (error) {
      runs.remove(run);
      select(before);
      settings.setBase(base);
      settings.show(error);
    }
  }

  /** On narrow screens the curve is below the form. */
  function showCurve() {
    if (loss.node.getBoundingClientRect().top < innerHeight - 100) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    loss.node.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  function stopAll() {
    for (const run of runs.list) stop(runs, run);
  }

  /** Does again what a link says was done, one after another. */
  async function restore(packed) {
    runs.clear();
    const added = [];
    for (const { name, request, hidden, base, stopAt } of packed.slice(0, SLOTS)) {
      added.push(runs.add(request, { name, visible: !hidden, base: added[base]?.id ?? null, stopAt: stopAt ?? null }));
    }
    for (const run of added) {
      if (run.stopAt !== null && run.stopAt < 0) stop(runs, run);
    }
    for (const run of added) {
      if (run.status !== "waiting" || !runs.list.includes(run)) continue; // stopped or removed in the meantime
      await train(runs, run).catch(() => {}); // its row says why
    }
  }

  // ---- files ----

  function saveCsv() {
    saveFile("training-runs.csv", runsToCsv(runs.visible), "text/csv");
  }

  function saveJson() {
    saveFile("training-runs.json", runsToJson(runs.visible), "application/json");
  }

  async function savePng() {
    if (loss.chart.canvas === null) return;
    loss.chart.catchUp();
    await null; // it draws at the end of this turn
    const legend = runs.visible.map((run) => ({
      ...curveStyle(run.slot, theme.current()), label: [run.name, run.changes.join(", "), summary(run, null)].filter(Boolean).join(" · "),
    }));
    saveFile("training-loss.png", await chartToPng(loss.chart.canvas, { title: "Loss by epoch", theme: theme.current(), legend }));
  }

  // ---- the state in the URL ----

  const packedRuns = (state) => unpackRuns(state.runs ?? [], state.editor);

  function setState(state) {
    if (state.problem) return settings.setProblem(state.problem);
    const packed = packedRuns(state); // before anything changes: it throws where the link is broken
    settings.setState(state);
    thresholdInput.value = state.threshold ?? THRESHOLD;
    linear.checked = state.linear === true;
    loss.chart.configure({ threshold: threshold(), logarithmic: !linear.checked });
    const asked = (list) => JSON.stringify(list.map(({ request }) => request));
    if (asked(packed) !== asked(runs.list)) restore(packed);
    select(runs.list[state.selected] ?? runs.list.at(-1) ?? null);
  }

  settings.usePreset();
  draw();
  return {
    getState() {
      const state = settings.getState();
      const at = runs.list.indexOf(selected);
      return {
        ...state, runs: packRuns(runs, state.editor), ...(at >= 0 ? { selected: at } : {}),
        ...(thresholdInput.value === THRESHOLD ? {} : { threshold: thresholdInput.value }), ...(linear.checked ? { linear: true } : {}),
      };
    },
    setState,
    shown: redraw,
  };
}
