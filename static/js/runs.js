/**
 * The runs that are overlaid: their settings, curves and looks. Knows no DOM.
 */
import { SLOTS } from "./palette.js";
import { describeChanges } from "./run-changes.js";

/**
 * @typedef {object} Run
 * @property {number} id
 * @property {string} name
 * @property {number} slot         its look (palette.js), its own as long as it is there
 * @property {boolean} visible
 * @property {object} request      the body that was sent
 * @property {number|null} base    the run it is compared with
 * @property {string[]} changes    what differs from that
 * @property {"waiting"|"running"|"done"|"stopped"|"failed"} status
 * @property {number|null} stopAt  the epoch after which to stop, where a stopped run is done again; -1 before the first
 * @property {number[]} epochs
 * @property {number[]} loss
 * @property {number[]|null} accuracy
 * @property {Record<string, number[]>} norms
 * @property {object[]} health
 * @property {object|null} result  the whole answer, once it is there
 * @property {string|null} failure
 * @property {AbortController|null} controller
 */

export class Runs {
  /** @type {Run[]} */
  list = [];
  #next = 1;
  #listeners = [];

  /** Calls `fn(run, what)` after a change; what: "list", "look", "data" or "status". */
  onChange(fn) {
    this.#listeners.push(fn);
  }

  #tell(run, what) {
    for (const fn of this.#listeners) fn(run, what);
  }

  get full() {
    return this.list.length >= SLOTS;
  }

  get visible() {
    return this.list.filter((run) => run.visible);
  }

  byId(id) {
    return this.list.find((run) => run.id === id) ?? null;
  }

  /**
   * @param {object} request
   * @param {{name?: string, base?: number|null, visible?: boolean, stopAt?: number|null}} options
   * @returns {Run}
   */
  add(request, { name, base = null, visible = true, stopAt = null } = {}) {
    const taken = new Set(this.list.map((run) => run.slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    if (this.list.length === 0) this.#next = 1;
    const id = this.#next++;
    const before = this.byId(base);
    const run = {
      id, slot, request, visible, stopAt,
      name: name ?? `Run ${id}`,
      base: before?.id ?? null,
      changes: before === null ? [] : describeChanges(before.request, request),
      status: "waiting", controller: null, failure: null,
      ...emptyCurves(),
    };
    this.list.push(run);
    this.#tell(run, "list");
    return run;
  }

  remove(run) {
    run.controller?.abort();
    this.list = this.list.filter((other) => other !== run);
    this.#tell(run, "list");
  }

  clear() {
    for (const run of this.list) run.controller?.abort();
    this.list = [];
    this.#tell(null, "list");
  }

  rename(run, name) {
    run.name = name;
    this.#tell(run, "look");
  }

  show(run, visible) {
    run.visible = visible;
    this.#tell(run, "look");
  }

  setStatus(run, status, failure = null) {
    run.status = status;
    run.failure = failure;
    this.#tell(run, "status");
  }

  /** Starts its curves anew. */
  restart(run) {
    Object.assign(run, emptyCurves());
    this.setStatus(run, "running");
  }

  /** One `event: epoch`. */
  append(run, { epoch, loss, accuracy, gradient_norms: norms = {}, health = [] }) {
    if (run.epochs.length > 0 && epoch <= run.epochs.at(-1)) return;
    run.epochs.push(epoch);
    run.loss.push(loss);
    if (accuracy !== undefined) (run.accuracy ??= []).push(accuracy);
    for (const [name, norm] of Object.entries(norms)) (run.norms[name] ??= []).push(norm);
    run.health = health;
    this.#tell(run, "data");
  }

  /** The whole answer, which holds more epochs than were streamed. */
  finish(run, result) {
    run.epochs = result.epochs;
    run.loss = result.loss;
    run.accuracy = result.accuracy ?? null;
    run.norms = result.gradient_norms ?? {};
    run.health = result.health ?? [];
    run.result = result;
    this.#tell(run, "data");
    this.setStatus(run, "done");
  }
}

function emptyCurves() {
  return { epochs: [], loss: [], accuracy: null, norms: {}, health: [], result: null };
}

/** The first recorded epoch from which the loss stays below a threshold, or null. */
export function settledBelow(run, threshold) {
  let at = run.loss.length;
  while (at > 0 && run.loss[at - 1] !== null && run.loss[at - 1] <= threshold) at--;
  return at < run.loss.length ? run.epochs[at] : null;
}

/**
 * What a link says of the runs: each request by its members that differ from the one before it, the first's from `first`.
 * @param {Runs} runs
 * @param {object} first
 */
export function packRuns(runs, first) {
  const kept = runs.list.filter((run) => run.status !== "failed");
  let before = first;
  return kept.map((run) => {
    const packed = { name: run.name, request: difference(before, run.request) };
    if (!run.visible) packed.hidden = true;
    const base = kept.findIndex((other) => other.id === run.base);
    if (base >= 0) packed.base = base;
    const stopAt = run.status === "stopped" ? run.epochs.at(-1) ?? -1 : run.status === "done" ? null : run.stopAt;
    if (stopAt !== null) packed.stopAt = stopAt;
    before = run.request;
    return packed;
  });
}

/** The other way: requests whole again. Throws where one is none that this page could have sent. */
export function unpackRuns(packed, first) {
  let before = first;
  return packed.map((run) => {
    const members = Object.entries({ ...before, ...run.request }).filter(([, value]) => value !== null);
    before = Object.fromEntries(members);
    if (!isShowable(before) || typeof (run.name ?? "") !== "string") throw new TypeError("this is no run");
    return { ...run, request: before };
  });
}

const isObject = (value) => typeof value === "object" && value !== null;

/** Whether a request has what the page reads to show it; the service has the last word on the rest. */
function isShowable({ network, data }) {
  return isObject(network) && Array.isArray(network.layers) && network.layers.every(isObject)
    && (isObject(network.loss) || typeof network.loss === "string") && isObject(data);
}

function difference(from, to) {
  const members = new Set([...Object.keys(from), ...Object.keys(to)]);
  const differs = [...members].filter((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]));
  return Object.fromEntries(differs.map((name) => [name, to[name] ?? null]));
}
