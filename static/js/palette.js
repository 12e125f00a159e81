/**
 * Colours of curves. Each colour has a value for either theme with a contrast of at least 3:1 against the page, and
 * neighbours differ in lightness and dash as well as in hue, so that they can be told apart without seeing hues.
 */

/** Six hues after Okabe and Ito, darkened for light paper and lightened for dark. */
const COLOURS = {
  light: ["#0067a8", "#c24e00", "#00775a", "#ad3f86", "#806000", "#3f4a54"],
  dark: ["#5bb8f0", "#ff9a4d", "#3cc9a2", "#eb9dce", "#e6d250", "#d3dae0"],
};

const DASHES = [[], [9, 4], [2.5, 3], [12, 3, 2.5, 3]];

/** How many curves can be told apart. */
export const SLOTS = 12;

/**
 * The look of the curve in a slot.
 * @param {number} slot 0..SLOTS-1
 * @param {"light"|"dark"} theme
 * @returns {{colour: string, dash: number[]}}
 */
export function curveStyle(slot, theme) {
  const colours = COLOURS[theme];
  return {
    colour: colours[slot % colours.length],
    dash: DASHES[(slot + Math.floor(slot / colours.length)) % DASHES.length],
  };
}

/** What is drawn around the curves on a canvas. */
export function chartStyle(theme) {
  return theme === "dark"
    ? { ink: "#e6e8e9", quiet: "#a5afb6", grid: "#ffffff14", paper: "#14181b" }
    : { ink: "#1d2327", quiet: "#566068", grid: "#00000012", paper: "#ffffff" };
}
