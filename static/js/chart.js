/**
 * A line chart over epochs on uPlot: any number of curves, a logarithmic axis, a threshold, a cursor for mouse and keys.
 */
import uPlot from "../vendor/uPlot.esm.js";
import { formatNumber } from "./numbers.js";
import { chartStyle } from "./palette.js";

const WHOLE_STEPS = [1, 2, 5].flatMap((m) => Array.from({ length: 9 }, (_, power) => m * 10 ** power)).sort((a, b) => a - b);
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function axisNumber(value) {
  if (value === null) return null;
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4)) return String(Number(value.toPrecision(6)));
  const power = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const mantissa = Number((value / 10 ** power).toPrecision(3));
  const exponent = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[digit]).join("");
  return `${mantissa === 1 ? "" : `${mantissa}·`}10${power < 0 ? "⁻" : ""}${exponent}`;
}

/** Of many decades only the whole ones get a line. */
function wholeDecades(plot, splits) {
  const { min, max } = plot.scales.y;
  if (!(max / min > 100)) return splits;
  return splits.map((value) => (Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6 ? value : null));
}

/** Where a logarithmic axis has lines. uPlot's own never come to an end for losses such as 1e-33. */
function logarithmicSplits(plot, axis, min, max) {
  const [low, high] = [min, max].map((value) => Math.floor(Math.log10(value)));
  const step = Math.ceil((high - low + 1) / 40);
  const multiples = step === 1 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1];
  const splits = [];
  for (let power = low; power <= high; power += step) splits.push(...multiples.map((multiple) => Number(`${multiple}e${power}`)));
  return splits.filter((value) => value >= min * 0.999 && value <= max * 1.001);
}

const wholeNumber = (value) => (value >= 1e6 ? `${value / 1e6}M` : value >= 1e4 ? `${value / 1e3}k` : String(value));

/** @typedef {{id: string|number, label: string, colour: string, dash: number[], width?: number, x: number[], y: number[]}} Curve */

/** Whether there is too little for a line. */
function isSparse(values) {
  let count = 0;
  return values.every((value) => value === null || value === undefined || ++count <= 2);
}

/** Curves with epochs of their own on the epochs of all; null where a logarithmic axis has no place for a value. */
function align(curves, logarithmic) {
  const shown = logarithmic ? (values) => values.map((value) => (value > 0 ? value : null)) : (values) => values;
  const tables = curves.map(({ x, y }) => [x, shown(y)]);
  return tables.length === 0 ? [[]] : tables.length === 1 ? tables[0] : uPlot.join(tables);
}

export class Chart {
  #options;
  #theme;
  #plot = null;
  #curves = [];
  #shape = "";
  #zoomed = false;
  #width = 0;
  #inView = true;
  #late = false; // whether what is drawn is older than the curves, because nobody can see it

  /**
   * @param {HTMLElement} host  filled with the chart; its width is the chart's
   * @param {{height: number, logarithmic?: boolean, range?: [number, number], threshold?: number|null,
   *          theme: {current(): string, onChange(fn: Function): void},
   *          onCursor?: (epoch: number|null, values: {curve: Curve, value: number}[]) => void}} options
   */
  constructor(host, options) {
    this.host = host;
    this.#options = { logarithmic: false, threshold: null, onCursor() {}, ...options };
    this.#theme = options.theme;
    this.#theme.onChange(() => this.#rebuild());
    new ResizeObserver(() => this.#resize()).observe(host);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#inView = isIntersecting;
      if (isIntersecting) this.catchUp();
    }, { rootMargin: "100px" }).observe(host);
  }

  get canvas() {
    return this.#plot?.ctx.canvas ?? null;
  }

  get logarithmic() {
    return this.#options.logarithmic;
  }

  get curves() {
    return this.#curves;
  }

  /** The epochs on the horizontal axis. */
  get epochs() {
    return this.#plot?.data[0] ?? [];
  }

  /** Draws these curves, once they are in view. Only where other curves are there than before is the chart built anew. */
  draw(curves) {
    this.#curves = curves;
    const shape = curves.map(({ id, colour, dash }) => `${id} ${colour} ${dash}`).join("|");
    if (this.#plot === null || shape !== this.#shape) {
      this.#shape = shape;
      this.#rebuild();
      return;
    }
    this.#late = true;
    if (this.#inView) this.catchUp();
  }

  /** Draws now what was put off. */
  catchUp() {
    if (!this.#late || this.#plot === null) return;
    this.#late = false;
    this.#plot.batch((plot) => { // draws before it returns, which a printer needs
      plot.setData(align(this.#curves, this.#options.logarithmic), !this.#zoomed);
      if (this.#zoomed) plot.redraw();
    });
  }

  /** @param {{logarithmic?: boolean, threshold?: number|null}} options */
  configure(options) {
    Object.assign(this.#options, options);
    this.#zoomed = false;
    this.#rebuild();
  }

  /** Moves the cursor by so many recorded epochs; to either end with ±Infinity. */
  step(by) {
    const plot = this.#plot;
    const last = this.epochs.length - 1;
    if (plot === null || last < 0) return;
    const { min, max } = plot.scales.x;
    const first = Math.max(0, this.epochs.findIndex((epoch) => epoch >= min));
    let end = last;
    while (end > first && this.epochs[end] > max) end--;
    const from = plot.cursor.idx ?? (by > 0 ? first - 1 : end + 1);
    const to = Math.min(end, Math.max(first, from + by));
    plot.setCursor({ left: plot.valToPos(this.epochs[to], "x"), top: plot.over.clientHeight / 2 });
  }

  /** Narrows or widens what is shown, around the cursor. */
  zoom(factor) {
    const plot = this.#plot;
    const epochs = this.epochs;
    if (plot === null || epochs.length < 2) return;
    const { min, max } = plot.scales.x;
    const centre = epochs[plot.cursor.idx] ?? (min + max) / 2;
    const low = Math.max(epochs[0], centre - (centre - min) * factor);
    const high = Math.min(epochs.at(-1), centre + (max - centre) * factor);
    if (high - low < 1) return;
    this.#zoomed = low > epochs[0] || high < epochs.at(-1);
    plot.setScale("x", { min: low, max: high });
  }

  resetZoom() {
    this.#zoomed = false;
    this.#plot?.setData(this.#plot.data, true);
  }

  #rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#width = Math.floor(this.host.clientWidth);
    this.#late = false;
    if (this.#width === 0) return; // not visible; the observer comes back
    this.#plot = new uPlot(this.#uplotOptions(), align(this.#curves, this.#options.logarithmic), this.host);
  }

  #resize() {
    const width = Math.floor(this.host.clientWidth);
    if (width === 0 || width === this.#width) return;
    if (this.#plot === null) return this.#rebuild();
    this.#width = width;
    this.#plot.setSize({ width, height: this.#options.height });
  }

  #uplotOptions() {
    const style = chartStyle(this.#theme.current());
    const { height, logarithmic } = this.#options;
    const axis = {
      stroke: style.quiet,
      font: "12px system-ui, sans-serif",
      grid: { stroke: style.grid, width: 1 },
      ticks: { stroke: style.grid, width: 1, size: 5 },
    };
    return {
      width: this.#width,
      height,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 7, width: 2, stroke: (plot, i) => this.#curves[i - 1]?.colour, fill: style.paper },
        drag: { x: true, y: false },
        bind: { dblclick: () => () => { this.resetZoom(); } },
      },
      scales: {
        x: { time: false, range: (plot, min, max) => (min === null ? [0, 1] : min === max ? [min - 0.5, max + 0.5] : [min, max]) },
        y: { distr: logarithmic ? 3 : 1, log: 10, range: (plot, min, max) => this.#yRange(min, max) },
      },
      axes: [
        { ...axis, incrs: WHOLE_STEPS, size: 30, gap: 4, values: (plot, splits) => splits.map(wholeNumber) },
        {
          ...axis, size: 54, gap: 4, values: (plot, splits) => splits.map(axisNumber),
          ...(logarithmic ? { splits: logarithmicSplits, grid: { ...axis.grid, filter: wholeDecades } } : {}),
        },
      ],
      series: [{}, ...this.#curves.map(({ label, colour, dash, width = 2 }) => ({
        label, stroke: colour, dash, width, scale: "y", points: { show: (plot, i) => isSparse(plot.data[i]), size: 6, fill: colour },
      }))],
      hooks: {
        drawAxes: [(plot) => this.#drawThreshold(plot, style)],
        setCursor: [(plot) => this.#tellCursor(plot)],
        setSelect: [(plot) => { if (plot.select.width > 0) this.#zoomed = true; }],
      },
    };
  }

  #yRange(low, high) {
    const { logarithmic, threshold, range } = this.#options;
    if (range) return range;
    if (low === null) return logarithmic ? [1e-3, 1] : [0, 1];
    let [min, max] = [low, high];
    if (threshold !== null && threshold > 0) {
      min = Math.min(min, threshold / 1.5);
      max = Math.max(max, threshold * 1.5);
    }
    if (logarithmic) return uPlot.rangeLog(Math.max(min, 1e-300), Math.max(max, 1e-300), 10, false);
    return uPlot.rangeNum(Math.min(0, min), max, 0.08, true);
  }

  #drawThreshold(plot, style) {
    const { threshold, logarithmic } = this.#options;
    if (threshold === null || (logarithmic && threshold <= 0)) return;
    const y = Math.round(plot.valToPos(threshold, "y", true)) + 0.5;
    const { left, top, width, height } = plot.bbox;
    if (!(y >= top && y <= top + height)) return;
    const { ctx } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = style.quiet;
    ctx.lineWidth = ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.fillStyle = style.quiet;
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    ctx.fillText(`threshold ${formatNumber(threshold)}`, left + width - 4 * ratio, y - 3 * ratio);
    ctx.restore();
  }

  #tellCursor(plot) {
    const { idx } = plot.cursor;
    if (idx === null || idx === undefined) return this.#options.onCursor(null, []);
    const values = this.#curves.map((curve, i) => ({ curve, value: plot.data[i + 1]?.[idx] }));
    this.#options.onCursor(plot.data[0][idx], values.filter(({ value }) => value !== undefined && value !== null));
  }
}
