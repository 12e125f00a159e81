/**
 * Remarks on the health of a run, as cards.
 */
import { el, fill } from "./dom.js";

const TITLES = { dead_relu: "Dead ReLU units" };

/** A heading: "vanishing_gradients" is "Vanishing gradients", unless a better one is known. */
export function remarkTitle(id) {
  const words = id.replaceAll("_", " ");
  return TITLES[id] ?? words[0].toUpperCase() + words.slice(1);
}

/** Where and when, in words. */
function place({ layer, epoch, units }) {
  const parts = [layer === null || layer === undefined ? "whole run" : `layer ${layer}`];
  if (units?.length > 0) parts.push(`${units.length === 1 ? "unit" : "units"} ${units.join(", ")}`);
  parts.push(`since epoch ${epoch}`);
  return parts.join(" · ");
}

/**
 * @param {HTMLElement} list     a <ul>
 * @param {object[]} remarks     `health` of an answer or an event
 * @param {string} none          what is said where there is none
 */
export function drawHealth(list, remarks, none) {
  const key = JSON.stringify([remarks, none]);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  if (remarks.length === 0) {
    fill(list, el("li", { class: "help" }, none));
    return;
  }
  fill(list, remarks.map((remark) => el("li", { class: "remark" },
    el("p", { class: "remark-head" }, el("strong", {}, remarkTitle(remark.id)), " ", el("span", { class: "remark-place" }, place(remark))),
    el("p", {}, remark.message),
    remark.hint && el("p", { class: "remark-hint" }, remark.hint))));
}
