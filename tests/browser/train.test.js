/** The Train view in a browser, against the daemon. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { go, openSite } from "./browser.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let site;
before(async () => { site = await openSite(); });
after(() => site.close());

const open = (options = {}) => site.page({ hash: "#train", ...options });
const start = (page) => page.getByRole("button", { name: "Start training" }).click();
const states = (page) => page.locator(".run-state").allTextContents();
const lossCurve = (page) => page.getByRole("slider", { name: "Loss" });
const lastEpoch = async (page) => Number(await lossCurve(page).getAttribute("aria-valuemax"));

/** Polls from here: the page's policy lets nothing be evaluated again and again inside it. */
async function until(condition, what, milliseconds = 15_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end;) {
    if (await condition()) return;
    await new Promise((resolve) => { setTimeout(resolve, 25); });
  }
  assert.fail(`waited in vain: ${what}`);
}

/** Waits until there are so many runs and all have ended. */
async function runs(page, count) {
  const ended = (text) => /^(\d+ epochs|stopped)/.test(text);
  await until(async () => {
    const texts = await states(page);
    return texts.length === count && texts.every(ended);
  }, `${count} runs to end`);
}

async function preset(page, name) {
  await page.getByRole("button", { name }).click();
}

/** Whether anything but the background was painted. */
const painted = (page, selector) => page.locator(selector).evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]},${data[at + 3]}`);
  return colours.size;
});

test("a network that is no chain trains, too; no boundary where more than x goes in", async () => {
  const problem = {
    network: {
      input: 2,
      layers: [
        { type: "mul", inputs: ["x", "mask"] },
        { type: "linear", out_features: 3, name: "f" },
        { type: "tanh", name: "h" },
        { type: "add", inputs: ["f", "h"] },
        { type: "linear", out_features: 1 },
      ],
      loss: "mse",
    },
    parameters: { init: { scheme: "he_normal", seed: 1 } },
    data: { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]], mask: [[1, 1], [1, 1], [1, 1], [1, 1]] },
  };
  const page = await site.page();
  const give = (request) => page.setInputFiles("input[type=file]", { name: "request.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(request)) });
  for (const [loss, data] of [["mse", problem.data], ["upstream", { x: problem.data.x, mask: problem.data.mask, upstream: problem.data.y }]]) {
    await page.getByRole("tab", { name: "Check" }).click();
    await give({ ...problem, network: { ...problem.network, loss }, data, gradients: {} });
    await page.getByRole("button", { name: "Train this network" }).click();
    await page.waitForSelector("#train-view", { state: "visible" });
    await start(page);
    await runs(page, loss === "mse" ? 1 : 2);
  }
  assert.match(await page.innerText("#train-view"), /A boundary is drawn for networks with two inputs/);
  assert.deepEqual(page.complaints, []);
});

test("XOR is learnt: curve, accuracy, boundary", async () => {
  const page = await open();
  await start(page);
  await runs(page, 1);
  assert.match((await states(page))[0], /^1000 epochs · loss .* · accuracy 100 % · below 0\.01 from epoch \d+$/);
  assert.equal(await lastEpoch(page), 999);
  assert.ok(await painted(page, ".u-wrap canvas >> nth=0") > 10);
  assert.ok(await painted(page, "canvas.boundary") > 100);
  assert.match(await page.locator("canvas.boundary").getAttribute("aria-label"), /All 4 samples are on their side/);
  await page.getByText("As a table: Loss").click();
  const rows = page.getByRole("region", { name: "Loss, as a table" }).locator("tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 50);
  assert.deepEqual(page.complaints, []);
});

test("the lab's run does not learn, and its health says why", async () => {
  const page = await open();
  await preset(page, "The lab’s XOR");
  await start(page);
  await runs(page, 1);
  await page.getByRole("strong").filter({ hasText: "Dead ReLU units" }).first().waitFor();
  assert.doesNotMatch((await states(page))[0], /below 0\.01/);
  assert.deepEqual(page.complaints, []);
});

test("a long run grows, is stopped, and keeps its curve", async () => {
  const page = await open();
  await page.getByLabel("Epochs", { exact: true }).fill("20000000");
  await start(page);
  await until(async () => await lastEpoch(page) > 0, "a first point");
  const early = await lastEpoch(page);
  await until(async () => await lastEpoch(page) > early, "the curve to grow");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await runs(page, 1);
  const [state] = await states(page);
  assert.match(state, /^stopped · epoch \d+ of 20000000/);
  const kept = await lastEpoch(page);
  assert.ok(kept > early);
  await page.waitForTimeout(300);
  assert.equal(await lastEpoch(page), kept);
  assert.ok(await page.getByRole("button", { name: "Stop", exact: true }).isDisabled());
  assert.deepEqual(page.complaints, []);
});

test("again with one change, by keyboard; toggled, renamed, removed", async () => {
  const page = await open();
  await page.getByLabel("Learning rate").focus();
  await page.keyboard.press("Enter");
  await runs(page, 1);
  await page.getByRole("button", { name: "Again, with a change: Run 1" }).focus();
  await page.keyboard.press("Enter");
  assert.ok(await page.getByLabel("Learning rate").evaluate((node) => node === document.activeElement));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("0.5");
  assert.match(await page.locator(".base-note").textContent(), /lr 0\.1 → 0\.5/);
  await page.keyboard.press("Enter");
  await runs(page, 2);
  assert.equal(await page.locator(".run-changes").nth(1).textContent(), "lr 0.1 → 0.5vs Run 1");
  const strokes = await page.locator(".run .swatch line").evaluateAll((lines) =>
    lines.map((line) => `${line.getAttribute("stroke")} ${line.getAttribute("stroke-dasharray")}`));
  assert.equal(new Set(strokes).size, 2);

  const readAtEnd = async (expected) => {
    await lossCurve(page).focus();
    await until(async () => {
      await page.keyboard.press("End");
      return expected.test(await lossCurve(page).getAttribute("aria-valuetext"));
    }, expected);
  };
  await readAtEnd(/^epoch 999, Run 1 .*, Run 2 /);
  await page.getByRole("checkbox", { name: "Show Run 1" }).focus();
  await page.keyboard.press("Space");
  await readAtEnd(/^epoch 999, Run 2 /);

  await page.getByRole("textbox", { name: "Name of Run 2" }).fill("faster");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove Run 1" }).click();
  await page.getByRole("button", { name: "Remove faster" }).waitFor();
  await until(async () => (await states(page)).length === 1, "one run left");
  assert.equal(await page.locator(".run .swatch line").getAttribute("stroke-dasharray"), strokes[1].split(/ (.*)/)[1]);
  assert.deepEqual(page.complaints, []);
});

test("a link reproduces settings and runs", async () => {
  const page = await open();
  await preset(page, "The lab’s XOR");
  await start(page);
  await runs(page, 1);
  await preset(page, "XOR, and it learns");
  await page.getByLabel("Optimizer").selectOption("rmsprop");
  await page.getByLabel("Learning rate").fill("0.02");
  await page.getByLabel("Batch size").fill("2");
  await start(page);
  await runs(page, 2);
  await page.getByRole("textbox", { name: "Name of Run 2" }).fill("in pairs");
  await page.keyboard.press("Enter");
  await page.getByLabel("threshold").fill("0.05");
  await page.getByText(/below 0\.05 from epoch/).waitFor();
  const before = await states(page);
  await page.waitForTimeout(600); // the address follows a little later
  const other = await open();
  await go(other, page.url());
  await runs(other, 2);
  assert.deepEqual(await states(other), before);
  assert.equal(await other.getByLabel("Optimizer").inputValue(), "rmsprop");
  assert.equal(await other.getByLabel("Learning rate").inputValue(), "0.02");
  assert.equal(await other.getByLabel("Batch size").inputValue(), "2");
  assert.equal(await other.getByLabel("threshold").inputValue(), "0.05");
  await other.getByRole("textbox", { name: "Name of in pairs" }).waitFor();
  assert.deepEqual(other.complaints, []);
});

const linkTo = (state) => `#train/j${Buffer.from(JSON.stringify(state)).toString("base64url")}`;

test("a run that waits is stopped, and stays so in a link", async () => {
  const layers = [{ type: "linear", out_features: 16 }, { type: "tanh" }, { type: "linear", out_features: 1 }];
  const request = { network: { input: 2, layers, loss: "mse" }, convention: "numpy",
    parameters: { init: { scheme: "he_normal", seed: 1 } }, data: { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] } };
  const page = await open({ hash: linkTo({ runs: [
    { name: "long", request: { ...request, epochs: 20_000_000 } }, { name: "short", request: { epochs: 10 } }, { name: "last", request: {} },
  ] }) });
  await until(async () => (await states(page)).length === 3, "the runs of the link");
  await page.getByRole("button", { name: "Stop short" }).click();
  await until(async () => (await states(page))[1] === "stopped", "the second to be stopped");
  await page.getByRole("button", { name: "Stop long" }).click();
  const done = async (tab) => {
    await runs(tab, 3);
    return (await states(tab)).map((text) => text.split(" · ")[0]);
  };
  assert.deepEqual(await done(page), ["stopped", "stopped", "10 epochs"]);
  assert.equal((await states(page))[1], "stopped");
  await page.waitForTimeout(600); // the address follows a little later
  const other = await open();
  await go(other, page.url());
  assert.deepEqual(await done(other), ["stopped", "stopped", "10 epochs"]);
  assert.equal((await states(other))[1], "stopped");
  assert.deepEqual([...page.complaints, ...other.complaints], []);
});

test("a loss that all but vanishes has an axis", async () => {
  const request = { network: { input: 2, layers: [{ type: "linear", out_features: 1 }], loss: "mse" }, convention: "numpy",
    parameters: { init: { scheme: "he_normal", seed: 1 } }, data: { x: [[0, 1]], y: [[1]] }, epochs: 100_000 };
  const page = await open({ hash: linkTo({ runs: [{ request }] }) });
  await runs(page, 1);
  assert.match((await states(page))[0], /loss \d\S*e−[23]\d /);
  assert.ok(await painted(page, ".u-wrap canvas >> nth=0") > 10);
  assert.deepEqual(page.complaints, []);
});

test("a link with broken runs says so, and the page goes on", async () => {
  const network = { input: 2, layers: [], loss: "mse" };
  const broken = [
    {}, { name: "a", request: {} }, { request: { network: { ...network, layers: 1 }, data: {} } }, { request: { network } }, null,
    { name: {}, request: { network, data: {} } },
  ];
  for (const run of broken) {
    const page = await open({ hash: linkTo({ runs: [run] }) });
    assert.equal(await page.locator("#failure").textContent(), "This link holds something that this page cannot show.");
    assert.equal((await states(page)).length, 0);
    await start(page);
    await runs(page, 1);
    assert.ok(await page.locator("#failure").isHidden());
    assert.deepEqual(page.complaints, []);
  }
});

test("the seed beside the hyperparameters is the network's", async () => {
  const page = await open();
  await page.getByLabel("Seed", { exact: true }).first().fill("77");
  await page.getByLabel("Initial weights").selectOption("he_uniform");
  await page.getByText("The same with curl", { exact: true }).last().click();
  await page.locator("#train-view .curl code").filter({ hasText: /"scheme": "he_uniform", "seed": 77/ }).waitFor();
  await page.getByLabel("Seed", { exact: true }).first().fill("-3");
  await start(page);
  assert.match(await page.locator(".error").textContent(), /whole number/);
  assert.deepEqual(page.complaints, []);
});

test("changes in words; runs packed into a link and out of it", async () => {
  const page = await open();
  const [changes, packed, requests] = await page.evaluate(async () => {
    const { describeChanges } = await import("/js/run-changes.js");
    const { packRuns, Runs, unpackRuns } = await import("/js/runs.js");
    const network = (type) => ({ input: 2, layers: [{ type: "linear", out_features: 3 }, { type }], loss: "mse" });
    const drawn = (seed) => ({ init: { scheme: "he_normal", seed } });
    const first = { network: network("relu"), parameters: drawn(1), data: { x: [[0, 0]], y: [[0]] }, epochs: 10 };
    const second = { ...first, network: network("tanh"), optimizer: { type: "adam", lr: 0.5 }, parameters: drawn(2) };
    delete second.epochs;
    const runs = new Runs();
    runs.add(first);
    runs.add(second, { base: 1, visible: false });
    const editor = { network: network("relu") };
    const out = unpackRuns(JSON.parse(JSON.stringify(packRuns(runs, editor))), editor);
    return [describeChanges(first, second), out.map(({ request, hidden, base }) => ({ request, hidden, base })), [first, second]];
  });
  assert.deepEqual(changes, ["sgd → adam", "lr 0.001 → 0.5", "epochs 10 → 1000", "seed 1 → 2", "layer 1: relu → tanh"]);
  assert.deepEqual(packed.map(({ request }) => request), requests);
  assert.deepEqual([packed[1].hidden, packed[1].base], [true, 0]);
});

test("the other theme has other colours, in the chart too", async () => {
  const page = await open();
  await start(page);
  await runs(page, 1);
  const colour = () => page.locator(".run .swatch line").getAttribute("stroke");
  const picture = () => page.locator(".u-wrap canvas >> nth=0").evaluate((canvas) => canvas.toDataURL());
  const before = [await colour(), await picture()];
  await page.locator("#theme").click();
  await until(async () => await colour() !== before[0] && await picture() !== before[1], "other colours");
  assert.deepEqual(page.complaints, []);
});

test("what is wrong is said at its field", async () => {
  const page = await open();
  const errorAt = async (label, text, expected) => {
    await page.getByLabel(label, { exact: true }).fill(text);
    await start(page);
    const field = page.locator(".field", { has: page.getByLabel(label, { exact: true }) });
    await until(async () => expected.test(await field.locator(".error").textContent()), "the error at its field");
    await until(async () => (await states(page)).length === 0, "no run");
    await page.getByLabel(label, { exact: true }).fill("");
  };
  await errorAt("Learning rate", "fast", /is no number/);
  await errorAt("Learning rate", "-1", /lr/);
  await errorAt("Epochs", "0", /epochs/);
  await errorAt("Batch size", "1.5", /batch_size|whole|integer/);
});

test("exports", async () => {
  const page = await open();
  await start(page);
  await runs(page, 1);
  const file = async (name) => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name, exact: true }).click();
    return readFile(await (await download).path());
  };
  const csv = (await file("CSV")).toString().trimEnd().split("\n");
  assert.equal(csv[0], "run,changes,epoch,loss,accuracy,gradient_norm_W1,gradient_norm_b1,gradient_norm_W2,gradient_norm_b2");
  assert.equal(csv.length, 1001);
  const json = JSON.parse(await file("JSON"));
  assert.equal(json.runs[0].request.optimizer.type, "adam");
  assert.equal(json.runs[0].result.loss.length, 1000);
  const png = await file("PNG");
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.ok(png.length > 5000);
  await page.getByText("The same with curl", { exact: true }).last().click();
  await page.locator("#train-view .curl code").filter({ hasText: /^curl .*\/v1\/train'/ }).waitFor();
});

for (const theme of ["light", "dark"]) {
  test(`accessible, and no wider than a telephone (${theme})`, async () => {
    const page = await open({ theme, width: 360 });
    await preset(page, "The lab’s XOR");
    await start(page);
    await runs(page, 1);
    await page.getByRole("button", { name: "Again, with a change: Run 1" }).click();
    for (const details of await page.locator("#train-view details:not([open]) > summary").all()) {
      if (await details.isVisible()) await details.click();
    }
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
    await page.evaluate(await readFile(AXE, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
    assert.deepEqual(page.complaints, []);
  });
}

test("the landscape and the singular values of a run, where the service has them", async () => {
  const page = await open();
  await start(page);
  await runs(page, 1);
  const asked = [];
  const grid = [-1, -0.5, 0, 0.5, 1];
  await page.route("**/v1/landscape", (route) => {
    asked.push(route.request().postDataJSON());
    return route.fulfill({ json: { a: grid, b: grid, loss: grid.map((a) => grid.map((b) => 0.01 + a * a + 3 * b * b)), path: [[-0.9, 0.8], [-0.3, 0.1], [0, 0]] } });
  });
  await page.route("**/v1/svd", (route) => route.fulfill({ json: { W1: { singular_values: [2.5, 0.5], rank: 2, condition_number: 5 } } }));
  await page.getByRole("button", { name: "Draw it" }).click();
  const canvas = page.locator('canvas[aria-label^="Loss landscape of Run 1"]');
  await canvas.waitFor();
  assert.match(await canvas.getAttribute("aria-label"), /between 0\.01 and 4\.01.*in 3 points/);
  assert.ok(await painted(page, 'canvas[aria-label^="Loss landscape"]') > 100);
  assert.deepEqual(Object.keys(asked[0].parameters), ["W1", "b1", "W2", "b2", "W3", "b3"].filter((name) => name in asked[0].parameters));
  await page.getByRole("button", { name: "Compute them" }).click();
  await page.getByRole("row", { name: /W1 2\.5, 0\.5 2 5/ }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a service without them says so", async () => {
  const page = await open();
  await start(page);
  await runs(page, 1);
  await page.route("**/v1/svd", (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: JSON.stringify({ status: 404, code: "not_found", detail: "nothing is there" }) }));
  await page.getByRole("button", { name: "Compute them" }).click();
  await page.getByText("This service does not compute that yet.").waitFor();
});
