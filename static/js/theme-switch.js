/** The theme after the first paint (theme.js): the switch, and word to those who draw. */

/**
 * @param {HTMLButtonElement} button the switch
 * @returns {{current(): "light" | "dark", onChange(fn: (theme: string) => void): void}}
 */
export function createTheme(button) {
  const root = document.documentElement;
  const listeners = [];
  const current = () => root.dataset.theme;
  const label = () => button.setAttribute("aria-pressed", String(current() === "dark"));
  button.addEventListener("click", () => {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("gradcheckd.theme", current());
    } catch {
      // it holds for this visit then
    }
  });
  new MutationObserver(() => {
    label();
    for (const listener of listeners) listener(current());
  }).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  label();
  return { current, onChange: (fn) => listeners.push(fn) };
}
