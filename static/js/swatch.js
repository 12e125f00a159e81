/** A piece of a curve's line, for legends. */
import { svg } from "./dom.js";

/** @param {{colour: string, dash: number[]}} style */
export function lineSwatch({ colour, dash }) {
  return svg("svg", { class: "swatch", viewBox: "0 0 36 10", width: 36, height: 10, "aria-hidden": "true" },
    svg("line", { x1: 1, y1: 5, x2: 35, y2: 5, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") }));
}
