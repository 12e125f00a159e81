/**
 * What is computed of a trained run only when somebody asks: the loss around its parameters, and the singular values of
 * its weights.
 */
import { Problem, postJson } from "./api.js";
import { el, fill } from "./dom.js";
import { drawLandscape, landscapeText } from "./landscape.js";
import { formatNumber } from "./numbers.js";

/** The network of a run, with what it has learnt. */
function trained(run) {
  const { network, convention, data, dtype, device } = run.request;
  return { network, convention, data, dtype, device, parameters: run.result.parameters };
}

/** By weight: an answer of /v1/svd, or the part of it that holds them. */
const weightsOf = (answer) => Object.entries(answer.weights ?? answer).filter(([, of]) => Array.isArray(of?.singular_values));

const whyNot = (error) => (error instanceof Problem && error.status === 404 ? "This service does not compute that yet." : `✗ ${error.detail ?? error.message}`);

/** @param {{theme: {current(): "light" | "dark", onChange(fn: Function): void}}} options */
export function createRunPictures({ theme }) {
  let run = null;
  let landscape = null;
  const canvas = el("canvas", { class: "landscape", role: "img", "aria-label": "Loss landscape" });
  const canvasHost = el("div", { class: "boundary-host", hidden: true }, canvas);
  const words = el("p", { class: "help", role: "status" });
  const draw = el("button", { class: "button small", type: "button", onclick: askLandscape }, "Draw it");
  const measure = el("button", { class: "button small", type: "button", onclick: askSvd }, "Compute them");
  const table = el("table", { class: "data" });
  const said = el("p", { class: "help", role: "status" });
  const node = el("div", { class: "details-grid run-pictures", hidden: true },
    el("div", { class: "card" }, el("h3", {}, "Loss landscape"), el("p", { class: "help" }, "The loss around the trained parameters, along two directions."), draw, canvasHost, words),
    el("div", { class: "card" }, el("h3", {}, "Singular values"), el("p", { class: "help" }, "Of each trained weight: how far it stretches in each direction."), measure,
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Singular values" }, table), said));

  async function ask(button, note, path, request, show) {
    const asked = run;
    button.setAttribute("aria-busy", "true");
    fill(note);
    try {
      const answer = await postJson(path, request);
      if (run === asked) show(answer);
    } catch (error) {
      if (run === asked) fill(note, whyNot(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  function askLandscape() {
    return ask(draw, words, "/v1/landscape", trained(run), (answer) => {
      landscape = answer;
      canvasHost.hidden = false;
      drawLandscape(canvas, { landscape, theme: theme.current() });
      const text = landscapeText(landscape);
      fill(words, text);
      canvas.setAttribute("aria-label", `Loss landscape of ${run.name}. ${text}`);
    });
  }

  function askSvd() {
    return ask(measure, said, "/v1/svd", trained(run), (answer) => fill(table,
      el("thead", {}, el("tr", {}, ["Weight", "Singular values", "Rank", "Condition number"].map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, weightsOf(answer).map(([name, of]) => el("tr", {},
        el("th", { scope: "row", class: "mono" }, name), el("td", { class: "mono" }, of.singular_values.map(formatNumber).join(", ")),
        el("td", {}, String(of.rank)), el("td", { class: "mono" }, formatNumber(of.condition_number)))))));
  }

  theme.onChange(() => { if (landscape !== null) drawLandscape(canvas, { landscape, theme: theme.current() }); });

  return {
    node,
    /** Of another run, or of one that has done, nothing is there yet. */
    show(now) {
      run = now;
      landscape = null;
      canvasHost.hidden = true;
      node.hidden = !run?.result?.parameters;
      for (const part of [words, table, said]) fill(part);
    },
  };
}
