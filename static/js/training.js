/**
 * Runs a training at the service and feeds its curves as they come.
 */
import { Problem, streamEvents } from "./api.js";

/** A browser keeps six connections to one host at most; some must stay free. */
export const MOST_AT_ONCE = 4;

/**
 * Trains. Resolves once the run has ended, however it did; throws a Problem only where the service refused the request
 * before anything came.
 * @param {import("./runs.js").Runs} runs
 * @param {import("./runs.js").Run} run
 */
export async function train(runs, run) {
  const controller = new AbortController();
  run.controller = controller;
  runs.restart(run);
  const onEvent = (name, data) => {
    if (name !== "epoch" || controller.signal.aborted) return;
    runs.append(run, data);
    if (run.stopAt !== null && data.epoch >= run.stopAt) controller.abort();
  };
  try {
    runs.finish(run, await streamEvents("/v1/train", run.request, { signal: controller.signal, onEvent }));
  } catch (error) {
    if (controller.signal.aborted) {
      runs.setStatus(run, "stopped");
      return;
    }
    runs.setStatus(run, "failed", error instanceof Problem ? error.detail : "The connection broke off.");
    if (run.epochs.length === 0) throw error;
  } finally {
    run.controller = null;
  }
}

/** Stops a run; its curve stays as it is. One that still waits is not trained any more. */
export function stop(runs, run) {
  if (run.status === "waiting") runs.setStatus(run, "stopped");
  run.controller?.abort();
}
