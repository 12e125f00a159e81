/**
 * Runs as files: CSV and JSON with the numbers, PNG with the picture.
 */
import { chartStyle } from "./palette.js";

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One row for each run and epoch; columns that a run does not have are empty. */
export function runsToCsv(runs) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.norms)))];
  const header = ["run", "changes", "epoch", "loss", "accuracy", ...names.map((name) => `gradient_norm_${name}`)];
  const rows = runs.flatMap((run) => run.epochs.map((epoch, i) => [
    quoted(run.name), quoted(run.changes.join("; ")), epoch, run.loss[i], run.accuracy?.[i] ?? "",
    ...names.map((name) => run.norms[name]?.[i] ?? ""),
  ]));
  return `${[header.map(quoted), ...rows].map((row) => row.join(",")).join("\n")}\n`;
}

/** Each run with what was asked and what was answered, to be read by programs. */
export function runsToJson(runs) {
  return `${JSON.stringify({
    runs: runs.map(({ name, status, changes, request, epochs, loss, accuracy, norms, health, result }) => ({
      name, status, changes, request,
      result: result ?? { epochs, loss, accuracy: accuracy ?? undefined, gradient_norms: norms, health },
    })),
  }, null, 1)}\n`;
}

/**
 * The chart with a title above and its legend below, on the page's colour.
 * @param {HTMLCanvasElement} chart
 * @param {{title: string, theme: "light"|"dark", legend: {label: string, colour: string, dash: number[]}[]}} options
 * @returns {Promise<Blob>}
 */
export function chartToPng(chart, { title, theme, legend }) {
  const ratio = devicePixelRatio;
  const style = chartStyle(theme);
  const [pad, head, line] = [16, 40, 24];
  const canvas = document.createElement("canvas");
  const width = chart.width / ratio + 2 * pad;
  const height = chart.height / ratio + head + pad + legend.length * line + pad;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = style.paper;
  context.fillRect(0, 0, width, height);
  context.fillStyle = style.ink;
  context.textBaseline = "middle";
  context.font = "600 16px system-ui, sans-serif";
  context.fillText(title, pad, head / 2 + 4);
  context.drawImage(chart, pad, head, chart.width / ratio, chart.height / ratio);
  context.font = "13px system-ui, sans-serif";
  legend.forEach(({ label, colour, dash }, i) => {
    const y = head + chart.height / ratio + pad + i * line + line / 2 - 4;
    context.strokeStyle = colour;
    context.lineWidth = 2.5;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(pad, y);
    context.lineTo(pad + 36, y);
    context.stroke();
    context.fillText(label, pad + 46, y, width - 2 * pad - 46);
  });
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

/** Hands a file to the visitor. */
export function saveFile(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
