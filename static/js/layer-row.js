/**
 * The network as a row: the input, the layers, the loss. What a layer or a loss can be told comes from the service's
 * capabilities, so that a new one appears here by itself.
 */
import { attributeControl } from "./attribute-controls.js";
import { el, field, fill, select } from "./dom.js";
import { describeLayers, hasParameters, inputShape, shapeText } from "./shapes.js";

const NAME = { name: "name", type: "string" };
const SHARES = { name: "shares", type: "string" };
/** What is tucked away until somebody asks for it or it is set. */
const RARE = new Set(["in_features", "bias", "name", "scale", "l2", "l1", "eps", "affine", "shares", "transposed"]);

/** The loss in its long form; a bare string is its type. */
const looseLoss = (loss) => (typeof loss === "object" && loss !== null ? { ...loss } : { type: loss ?? "mse" });
/** ... and in its short one, where there is nothing but the type. */
const shortLoss = (loss) => (Object.keys(loss).length === 1 ? loss.type : { ...loss });

function readInput(text) {
  const parts = text.split(/[\s,×x]+/).filter((part) => part !== "").map(Number);
  if (parts.length === 0 || parts.some(Number.isNaN)) return text;
  return parts.length === 1 ? parts[0] : parts;
}

/**
 * @param {HTMLElement} container
 * @param {{capabilities: object, errors: import("./fields.js").FieldErrors, onChange(): void}} options
 * @returns {{get(): object, set(network: object): void, label(convention: string): void, target(): string}}
 */
export function createLayerRow(container, { capabilities, errors, onChange }) {
  /** The member of the data that a loss takes beside the output. */
  const targetOf = (loss) => losses.get(loss.type)?.target ?? "y";
  const ops = new Map([...capabilities.layers, ...capabilities.activations].map((op) => [op.name, op]));
  const losses = new Map(capabilities.losses.map((loss) => [loss.name, loss]));
  const row = el("ol", { class: "layers", "aria-label": "The network, from the input to the loss" });
  container.append(row);
  let network = { input: "", layers: [], loss: { type: "mse" } };
  let convention = "numpy";
  let hints = [];

  const changed = () => {
    relabel();
    onChange();
  };

  /** A card's attributes: the usual ones, and the rare ones behind a button. */
  function attributesOf(op, target, pointer) {
    const make = (attribute) => {
      const { node, control } = attributeControl(attribute, target, changed);
      errors.register(() => `${pointer()}/${attribute.name}`, control);
      return node;
    };
    const [rare, usual] = [[], []];
    for (const attribute of op.attributes) (RARE.has(attribute.name) ? rare : usual).push(attribute);
    return { usual: usual.map(make), rare: rare.map(make), rareSet: rare.some(({ name }) => target[name] !== undefined) };
  }

  /** Names of what a layer takes, for those that need to say it or do; where it is empty, that is what comes before. */
  function inputsField(op, layer, pointer) {
    const least = op.inputs?.least ?? 1;
    const control = el("input", {
      type: "text", autocomplete: "off", spellcheck: "false", value: (Array.isArray(layer.inputs) ? layer.inputs : []).join(", "),
      placeholder: least > 1 ? "names: f, x" : "the layer before",
    });
    control.addEventListener("input", () => {
      const names = control.value.split(",").map((name) => name.trim()).filter((name) => name !== "");
      if (names.length > 0) layer.inputs = names;
      else delete layer.inputs;
      changed();
    });
    errors.register(() => `${pointer()}/inputs`, control);
    return field("inputs", control, { class: "small" });
  }

  function moreButton(more, what, open) {
    const button = el("button", {
      class: "button quiet icon", type: "button", "aria-expanded": String(open), "aria-label": `More about ${what}`,
      title: "More",
      onclick: () => {
        more.hidden = !more.hidden;
        button.setAttribute("aria-expanded", String(!more.hidden));
      },
    }, el("span", { "aria-hidden": "true" }, "⋯"));
    more.hidden = !open;
    return button;
  }

  function layerCard(layer) {
    const index = () => network.layers.indexOf(layer);
    const pointer = () => `/network/layers/${index()}`;
    const op = ops.get(layer.type) ?? { attributes: [] };
    const names = ops.has(layer.type) ? [...ops.keys()] : [layer.type ?? "", ...ops.keys()];
    const type = select(names, layer.type ?? "", { class: "type", "aria-label": `Type of layer ${index()}`, title: op.summary });
    type.addEventListener("change", () => change(layer, type.value));
    const others = hasParameters(layer.type) || layer.shares !== undefined ? [SHARES, NAME] : [NAME];
    const { usual, rare, rareSet } = attributesOf({ attributes: [...op.attributes, ...others] }, layer, pointer);
    const inputs = inputsField(op, layer, pointer);
    const takesSeveral = op.inputs?.least > 1;
    const more = el("div", { class: "more" }, !takesSeveral && inputs, rare, el("div", { class: "row" },
      el("button", { class: "button quiet", type: "button", onclick: () => move(layer, -1) }, "← Move"),
      el("button", { class: "button quiet", type: "button", onclick: () => move(layer, 1) }, "Move →")));
    const hint = el("p", { class: "hint mono" });
    hints.push({ layer, hint });
    const card = el("li", { class: `layer ${hasParameters(op.name) ? "linear" : "activation"}`, "data-error-host": "" },
      el("div", { class: "layer-head" },
        el("span", { class: "layer-index", "aria-hidden": "true" }, String(index())),
        moreButton(more, `layer ${index()}`, rareSet || (!takesSeveral && layer.inputs !== undefined)),
        el("button", {
          class: "button quiet icon remove", type: "button", "aria-label": `Remove layer ${index()}, ${layer.type}`, title: "Remove",
          onclick: () => remove(layer),
        }, el("span", { "aria-hidden": "true" }, "✕"))),
      type, takesSeveral && inputs, usual, more, hint);
    errors.register(() => `${pointer()}/type`, type);
    errors.register(pointer, type);
    return card;
  }

  function gap(index) {
    return el("li", { class: "gap" }, el("button", {
      class: "add", type: "button", "aria-label": index === network.layers.length ? "Add a layer at the end" : `Add a layer before layer ${index}`,
      title: "Add a layer here", onclick: () => add(index),
    }, el("span", { "aria-hidden": "true" }, "+")));
  }

  function inputCard() {
    const input = el("input", { type: "text", inputmode: "numeric", value: [network.input].flat().join(", "), autocomplete: "off" });
    input.addEventListener("input", () => { network.input = readInput(input.value); changed(); });
    errors.register("/network/input", input);
    return el("li", { class: "layer end", "data-error-host": "" },
      el("div", { class: "layer-head" }, el("span", { class: "layer-index" }, "input")),
      field("features", input, { class: "small" }));
  }

  function lossCard() {
    const { loss } = network;
    const op = losses.get(loss.type) ?? { attributes: [] };
    const names = losses.has(loss.type) ? [...losses.keys()] : [loss.type, ...losses.keys()];
    const type = select(names, loss.type, { class: "type", "aria-label": "Loss", title: op.summary });
    type.addEventListener("change", () => {
      const keep = loss.reduction === undefined || targetOf({ type: type.value }) !== "y" ? {} : { reduction: loss.reduction };
      const common = Object.entries(loss).filter(([name]) => ["scale", "l2", "l1"].includes(name));
      network.loss = { type: type.value, ...keep, ...Object.fromEntries(common) };
      draw();
      row.querySelector(".loss .type").focus();
      changed();
    });
    const extra = [
      ...(targetOf(loss) === "y" ? [{ name: "reduction", type: "string", choices: capabilities.reductions, default: "mean" }] : []),
      { name: "scale", type: "number", default: 1 },
      { name: "l2", type: "number", default: 0 },
      { name: "l1", type: "number", default: 0 },
    ];
    const { usual, rare, rareSet } = attributesOf({ attributes: [...op.attributes, ...extra] }, loss, () => "/network/loss");
    const more = el("div", { class: "more" }, rare);
    errors.register("/network/loss", type);
    errors.register("/network/loss/type", type);
    return el("li", { class: "layer end loss", "data-error-host": "" },
      el("div", { class: "layer-head" }, el("span", { class: "layer-index" }, "loss"), moreButton(more, "the loss", rareSet)),
      type, usual, more);
  }

  function draw() {
    hints = [];
    fill(row, inputCard(), network.layers.map((layer, i) => [gap(i), layerCard(layer)]), gap(network.layers.length), lossCard());
    errors.register("/network", row.querySelector("input"));
    errors.register("/network/layers", row.querySelector(".gap:last-of-type button") ?? row);
    relabel();
  }

  function relabel() {
    const described = describeLayers({ ...network, input: network.input }, convention);
    for (const { layer, hint } of hints) {
      const { parameters, shape } = described[network.layers.indexOf(layer)];
      const names = parameters.map((parameter) => `${parameter.name} ${shapeText(parameter.shape)}`);
      fill(hint, names.length > 0 ? names.map((name) => el("span", {}, name)) : shape && inputShape(network.input) ? `→ ${shapeText(shape)}` : "");
    }
  }

  const focusType = (layer) => row.querySelectorAll(".layer:not(.end) .type")[network.layers.indexOf(layer)]?.focus();

  function structural(layer) {
    draw();
    if (layer) focusType(layer);
    onChange();
  }

  function add(index) {
    const before = network.layers[index - 1]?.type;
    const layer = before === "linear" ? { type: "relu" } : { type: "linear", out_features: 2 };
    network.layers.splice(index, 0, layer);
    structural(layer);
  }

  function remove(layer) {
    const index = network.layers.indexOf(layer);
    network.layers.splice(index, 1);
    structural(network.layers[Math.min(index, network.layers.length - 1)]);
    if (network.layers.length === 0) row.querySelector(".add").focus();
  }

  function move(layer, step) {
    const index = network.layers.indexOf(layer);
    const to = Math.max(0, Math.min(network.layers.length - 1, index + step));
    network.layers.splice(index, 1);
    network.layers.splice(to, 0, layer);
    structural(layer);
  }

  function change(layer, type) {
    const index = network.layers.indexOf(layer);
    const fresh = { type, ...(layer.name === undefined ? {} : { name: layer.name }) };
    const counts = ops.get(type)?.inputs;
    if (layer.inputs?.length >= counts?.least && layer.inputs.length <= counts.most) fresh.inputs = layer.inputs;
    if (type === "linear") fresh.out_features = layer.out_features ?? 2;
    network.layers[index] = fresh;
    structural(fresh);
  }

  return {
    target: () => targetOf(network.loss),
    get: () => structuredClone({ ...network, loss: shortLoss(network.loss) }),
    set(next) {
      const layers = Array.isArray(next?.layers) ? next.layers.map((layer) => (typeof layer === "object" && layer !== null ? { ...layer } : { type: String(layer) })) : [];
      network = { input: next?.input ?? "", layers, loss: looseLoss(next?.loss) };
      draw();
    },
    /** Names and shapes on the cards follow the convention. */
    label(next) {
      convention = next;
      relabel();
    },
  };
}
