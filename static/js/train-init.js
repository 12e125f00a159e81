/**
 * Seed and scheme of the parameters, next to the hyperparameters: what is changed most often from run to run. The
 * network's editor has them too, and holds them; these fields follow it.
 */
import { Problem } from "./api.js";
import { el, field, select } from "./dom.js";
import { FieldErrors } from "./fields.js";

const LARGEST = 4294967295;

/**
 * @param {object} options
 * @param {string[]} options.schemes
 * @param {(init: object) => void} options.onInit  the parameters are to be drawn like this
 */
export function createInitFields({ schemes, onInit }) {
  let init = null; // as the editor has it; null where the parameters are given
  const errors = new FieldErrors();
  const seed = el("input", { type: "text", inputmode: "numeric", autocomplete: "off", oninput: change });
  const scheme = select(schemes.filter((name) => !["normal", "uniform"].includes(name)), "he_normal", { oninput: change });
  const nodes = [field("Seed", seed), field("Initial weights", scheme)];
  errors.register("/parameters/init/seed", seed);

  const seedIsFine = () => /^\d+$/.test(seed.value.trim()) && Number(seed.value) <= LARGEST;

  function change(event) {
    errors.clear();
    if (init === null || !seedIsFine()) return;
    if (event.target === scheme) init = { scheme: scheme.value, seed: Number(seed.value) };
    else init = { ...init, seed: Number(seed.value) };
    onInit(init);
  }

  return {
    nodes,
    /** Shows what the editor has. */
    draw(parameters) {
      const now = typeof parameters === "object" ? parameters?.init ?? null : null;
      for (const node of nodes) node.hidden = now === null;
      nodes[1].hidden ||= now !== null && ![...scheme.options].some(({ value }) => value === now.scheme);
      init = now === null ? null : { ...now };
      if (init === null) return;
      if (document.activeElement !== seed) seed.value = init.seed ?? "";
      scheme.value = init.scheme;
    },
    /** Throws a Problem where the seed is none. */
    check() {
      if (init === null || seedIsFine() || (init.scheme === "zeros" && seed.value.trim() === "")) return;
      throw new Problem({ pointer: "/parameters/init/seed", detail: `A seed is a whole number from 0 to ${LARGEST}.` });
    },
    showProblem: (problem) => errors.show(problem),
    clearProblem: () => errors.clear(),
  };
}
