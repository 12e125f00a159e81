/**
 * The legend of the overlaid runs: one row each, to show or hide, rename, stop, do again and remove.
 */
import { el, fill } from "./dom.js";
import { formatNumber } from "./numbers.js";
import { curveStyle } from "./palette.js";
import { recipe } from "./run-changes.js";
import { settledBelow } from "./runs.js";
import { lineSwatch } from "./swatch.js";

const STATUS = { waiting: "waiting", running: "training", stopped: "stopped", failed: "failed", done: "" };

/** Where a run is, in words; also for screen readers. */
export function summary(run, threshold) {
  const status = [STATUS[run.status], run.failure].filter(Boolean).join(": ");
  const parts = status === "" ? [] : [status.replace(/\.$/, "")];
  if (run.epochs.length === 0) return status;
  const epochs = run.request.epochs ?? 1000;
  const at = run.epochs.at(-1) + 1;
  parts.push(run.status === "done" && run.result ? `${epochs} epochs` : `epoch ${at} of ${epochs}`);
  parts.push(`loss ${formatNumber(run.result?.final?.loss ?? run.loss.at(-1))}`);
  const accuracy = run.result?.final?.accuracy ?? run.accuracy?.at(-1);
  if (accuracy !== undefined) parts.push(`accuracy ${formatNumber(accuracy * 100)} %`);
  if (threshold !== null && run.status !== "running") {
    const epoch = settledBelow(run, threshold);
    if (epoch !== null) parts.push(`below ${formatNumber(threshold)} from epoch ${epoch}`);
  }
  return parts.join(" · ");
}

/**
 * @param {HTMLElement} list  a <ul>
 * @param {object} options
 * @param {import("./runs.js").Runs} options.runs
 * @param {{current(): "light"|"dark"}} options.theme
 * @param {() => number|null} options.threshold
 * @param {(run: import("./runs.js").Run) => void} options.onAgain
 * @param {(run: import("./runs.js").Run) => void} options.onSelect   its boundary, norms and remarks are wanted
 * @param {(run: import("./runs.js").Run) => void} options.onStop
 * @param {() => void} options.onEmpty   the last run was removed, and the focus with it
 * @returns {{draw(selected: object|null): void}}
 */
export function createRunList(list, { runs, theme, threshold, onAgain, onSelect, onStop, onEmpty }) {
  const rows = new Map();

  function createRow(run) {
    const show = el("input", { type: "checkbox", onchange: () => runs.show(run, show.checked) });
    const line = el("span", { class: "run-swatch" });
    const name = el("input", {
      class: "run-name", type: "text", "aria-label": "Name", maxlength: "60", autocomplete: "off", spellcheck: "false",
      onchange: () => runs.rename(run, name.value.trim() || `Run ${run.id}`),
      onkeydown: (event) => { if (event.key === "Enter") name.blur(); },
    });
    const changes = el("span", { class: "run-changes" });
    const state = el("p", { class: "run-state" });
    const progress = el("progress", { max: "1", "aria-label": "Progress" });
    const button = (text, onclick, extra = "") => el("button", { class: `button quiet small ${extra}`, type: "button", onclick }, text);
    const details = button("Details", () => onSelect(run));
    const remarks = button("", () => onSelect(run), "warn");
    const stop = button("Stop", () => onStop(run));
    const again = button("Again, with a change", () => onAgain(run));
    const remove = button("Remove", () => removeRun(run));
    const node = el("li", { class: "run" },
      el("label", { class: "run-show" }, show, line), name, changes,
      el("div", { class: "run-about" }, state, progress),
      el("div", { class: "run-tools" }, remarks, details, stop, again, remove));
    const row = { run, node, show, line, name, changes, state, progress, details, remarks, stop, again, remove, look: "" };
    rows.set(run.id, row);
    return row;
  }

  function removeRun(run) {
    const index = runs.list.indexOf(run);
    runs.remove(run);
    const next = runs.list[Math.min(index, runs.list.length - 1)];
    if (next) rows.get(next.id)?.remove.focus();
    else onEmpty();
  }

  function drawRow(run, row, selected) {
    const look = `${run.slot} ${theme.current()}`;
    if (row.look !== look) fill(row.line, lineSwatch(curveStyle(run.slot, theme.current())));
    row.look = look;
    row.show.checked = run.visible;
    row.show.setAttribute("aria-label", `Show ${run.name}`);
    if (document.activeElement !== row.name) row.name.value = run.name;
    row.name.setAttribute("aria-label", `Name of ${run.name}`);
    const from = runs.byId(run.base);
    if (from === null) fill(row.changes, el("span", { class: "run-from" }, recipe(run.request)));
    else fill(row.changes, run.changes.map((change) => el("span", { class: "change" }, change)),
      el("span", { class: "run-from" }, run.changes.length > 0 ? `vs ${from.name}` : `same as ${from.name}`));
    row.state.textContent = summary(run, threshold());
    row.state.classList.toggle("bad", run.status === "failed");
    const running = run.status === "running" || run.status === "waiting";
    row.progress.hidden = !running;
    const share = ((run.epochs.at(-1) ?? -1) + 1) / (run.request.epochs ?? 1000);
    row.progress.value = Number.isFinite(share) ? share : 0;
    row.stop.hidden = !running;
    row.remarks.hidden = run.health.length === 0;
    row.remarks.textContent = run.health.length === 1 ? "1 remark" : `${run.health.length} remarks`;
    row.details.setAttribute("aria-pressed", String(run === selected));
    row.node.classList.toggle("selected", run === selected);
    for (const [part, words] of [["details", "Details of"], ["stop", "Stop"], ["remove", "Remove"]]) {
      row[part].setAttribute("aria-label", `${words} ${run.name}`);
    }
    row.again.setAttribute("aria-label", `Again, with a change: ${run.name}`);
    row.remarks.setAttribute("aria-label", `${row.remarks.textContent} on ${run.name}`);
  }

  /** A run that cannot be drawn says so, and leaves the others alone. */
  function drawSafely(run, row, selected) {
    try {
      drawRow(run, row, selected);
    } catch {
      row.state.textContent = "This run cannot be shown.";
      row.state.classList.add("bad");
    }
  }

  return {
    draw(selected) {
      for (const [id, row] of rows) {
        if (runs.byId(id) === row.run) continue; // ids start anew once all are gone
        row.node.remove();
        rows.delete(id);
      }
      for (const run of runs.list) {
        const row = rows.get(run.id) ?? createRow(run);
        if (!row.node.isConnected) list.append(row.node);
        drawSafely(run, row, selected);
      }
    },
  };
}
