/*
 * Sets <html data-theme> before anything is painted: what the visitor chose, else what the system prefers. A classic
 * script, since a module would come too late. app.js has the switch.
 */
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem("gradcheckd.theme");
    } catch {
      return null; // storage is not for us here
    }
  };
  const apply = () => {
    const choice = stored();
    const theme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
  };
  apply();
  system.addEventListener("change", apply);
})();
