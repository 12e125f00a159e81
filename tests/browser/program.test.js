/** Programs on the page: two panes, marks at their lines, presets, and the trace step by step. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { go, openSite } from "./browser.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let site;

before(async () => { site = await openSite(); });
after(() => site?.close());

const view = (page) => page.locator(".program-view");
const forward = (page) => view(page).getByLabel("Forward pass");
const backward = (page) => view(page).getByLabel("Your backward pass");
const check = (page) => view(page).getByRole("button", { name: "Check", exact: true }).click();
const texts = (page, selector) => page.locator(selector).allInnerTexts();
const rows = (page) => page.locator("table.trace tbody tr");

/** A page that shows programs, with the steps of the first preset. */
async function open(options, at = site) {
  const page = await at.page(options);
  await page.getByRole("button", { name: "Program", exact: true }).click();
  return page;
}

async function preset(page, id) {
  const answered = page.waitForResponse((response) => response.url().endsWith("/v1/check"));
  await page.click(`[data-program="${id}"]`);
  await answered;
  await page.waitForSelector("table.trace tbody tr");
}

/** Answers in the service's place to backward passes, as one that reads them does; hands out what was asked. */
async function answering(page, lines, passed = false) {
  const asked = [];
  await page.route("**/v1/check", async (route) => {
    const request = route.request().postDataJSON();
    asked.push(request);
    if (request.backward === undefined) return route.continue();
    const entry = { name: "W2", shape: [3, 2], status: passed ? "match" : "mismatch", passed, points: passed ? 1 : 0, max_points: 1, max_abs_diff: 0.1, max_rel_diff: 0.1, worst: [0, 0], mismatches: 1, line: null };
    const report = { passed, score: 0, points: 0, max_points: 1, loss: 0.2924, device: "cpu", dtype: "float64", tolerance: "auto", parameters: [entry], lines };
    return route.fulfill({ json: report });
  });
  return asked;
}

test("every preset has its steps", async () => {
  const page = await open();
  for (const id of ["mlp", "chain", "one-neuron", "softmax", "batch-norm", "rnn", "micrograd"]) {
    await preset(page, id);
    assert.equal(await page.getAttribute(`[data-program="${id}"]`, "aria-pressed"), "true");
    const last = (await forward(page).inputValue()).split("\n").length;
    assert.equal(await rows(page).last().locator("th").innerText(), String(last), id);
    assert.equal(await page.locator(".line-messages li").count(), 0, id);
  }
  assert.deepEqual(page.complaints, []);
});

test("the single neuron, step by step: every number that the lab prints", async () => {
  const page = await open();
  await preset(page, "one-neuron");
  const shown = (await page.innerText("table.trace")).replace(/\s+/g, " ");
  for (const text of ["z = 1.1", "0.75026", "0.06237", "−0.49948", "−0.187175", "−0.0935875", "dy_hat/dz = 0.18737", "dw = dz * x"]) {
    assert.ok(shown.includes(text), `${text} in ${shown}`);
  }
  await page.getByRole("button", { name: "From the start" }).click();
  assert.match(await page.innerText(".steps-said"), /Step 1 of 12: forward, w is given/);
  assert.equal(await page.locator("td.to-come").count(), 6 + 5);
  for (let i = 0; i < 4; i++) await page.getByRole("button", { name: "Next" }).click();
  assert.match(await page.innerText(".steps-said"), /Step 5 of 12: forward, z = w \* x \+ b/);
  assert.equal(await page.locator(".gutter-line.lit").first().innerText(), "1");
  await page.getByLabel("Step", { exact: true }).focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await page.innerText('tr[aria-current="step"]'), /y_hat =\s+0\.75026/);
  await page.getByLabel("Step", { exact: true }).fill("10");
  assert.match(await page.innerText(".steps-said"), /Step 10 of 12: back to z, dz = dy_hat/);
  assert.deepEqual(page.complaints, []);
});

test("what is wrong with the program stands at its line, as one types", async () => {
  const page = await open();
  await view(page).getByLabel("Parameters").fill("w: 0.5\nb: 0.1");
  await view(page).getByLabel("Data").fill("x: 2\ny: 1");
  await forward(page).fill("z = w * x + b\ny_hat = np.tahn(z)\nloss = (y_hat - y)**2");
  await page.waitForSelector(".line-messages li.fault");
  assert.match(await page.innerText(".line-messages"), /Line 2.*did you mean tanh/s);
  assert.match(await page.locator(".gutter-line.fault").innerText(), /!\s*2/);
  await page.getByRole("button", { name: "Line 2", exact: true }).click();
  assert.equal(await forward(page).evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), "y_hat = np.tahn(z)");
  await forward(page).fill("z = w * x + b\ny_hat = np.tanh(z)\nloss = (y_hat - y)**2");
  await page.waitForSelector("text=dz = dy_hat * (1 - y_hat**2)");
  assert.equal(await page.locator(".line-messages li").count(), 0);
});

test("gradients of values are marked at the lines that make them", async () => {
  const page = await open();
  await preset(page, "one-neuron");
  await view(page).getByLabel("Gradients", { exact: true }).check();
  await view(page).getByLabel("Your gradients").fill("dw: -0.1871750\ndz: -0.0935875\ndy_hat: 3");
  await check(page);
  await page.waitForSelector(".program-view .report");
  assert.deepEqual(await texts(page, ".program-view .entries tr.failed th"), ["b", "y_hat"]);
  assert.match(await page.innerText(".line-messages"), /Line 2.*dy_hat/s);
  assert.deepEqual((await texts(page, ".gutter-line.right")).map((text) => text.replace(/\s/g, "")), ["✓1"]);
  assert.deepEqual(page.complaints, []);
});

test("each common mistake is found by the service at its line", async () => {
  const page = await open();
  await preset(page, "mlp");
  for (const [id, line] of Object.entries({ order: 8, bias: 9, zero: 7, batch: 2 })) {
    await page.click(`[data-mistake="${id}"]`);
    await page.waitForSelector(`.line-messages li:has-text("line ${line}:")`);
    assert.match((await texts(page, ".line-messages li"))[0], new RegExp(`line ${line}: .* should be`), id);
  }
  await page.click('[data-mistake="right"]');
  await page.waitForFunction(() => document.querySelectorAll(".line-messages li").length === 0);
  assert.deepEqual(page.complaints, []);
});

test("each common mistake of the network's backward pass is sent as code, and its marks are shown", async () => {
  const page = await open();
  const asked = await answering(page, [
    { line: 1, text: "n = len(y)", mark: "right" },
    { line: 8, text: "dW2 = dz2.T @ h1", name: "dW2", mark: "fault", message: "shapes [2,3] where [3,2] is needed" },
    { line: 9, text: "db2 = dz2.sum(0)", name: "db2", mark: "inherited" },
    { line: 10, text: "dh1 = dz2 @ W2.T", name: "dh1", mark: "wrong", message: "dh1 should be ...", mistake: "weight_not_transposed" },
    { line: 11, text: "dz1 = dh1 * (z1 > 0)", name: "dz1", mark: "unused" },
  ]);
  const wrong = { order: "dW2 = dz2.T @ h1", bias: "db2 = dz2", zero: "dz2 = dh2 * (z2 >= 0)", batch: "dy_hat = 2 * (y_hat - y)" };
  for (const [id, line] of Object.entries(wrong)) {
    await page.click(`[data-mistake="${id}"]`);
    assert.ok((await backward(page).inputValue()).split("\n").includes(line), id);
    await page.waitForResponse((response) => response.url().endsWith("/v1/check"));
    assert.equal(asked.at(-1).backward, await backward(page).inputValue());
    assert.equal(asked.at(-1).gradients, undefined);
  }
  await page.waitForSelector(".line-messages li.wrong");
  const marks = page.locator('section[aria-labelledby="program-backward"] .gutter-line');
  assert.deepEqual((await marks.allInnerTexts()).map((text) => text.replace(/\s/g, "")), ["✓1", "2", "3", "4", "5", "6", "7", "!8", "≈9", "✗10", "·11", "12", "13"]);
  assert.match(await page.innerText(".line-messages li.wrong"), /Line 10.*should be/s);
  assert.match(await view(page).innerText(), /2 lines are wrong/);
  await check(page);
  await page.waitForSelector(".program-view .report");
  assert.deepEqual(await texts(page, ".program-view .entries th[scope=row]"), ["W2"]);
  assert.deepEqual(page.complaints, []);
});

test("a service that does not read backward passes says so, and still shows the steps", async () => {
  const page = await open();
  await page.route("**/v1/check", (route) => (route.request().postDataJSON().backward === undefined ? route.continue() : route.fulfill({
    status: 400, contentType: "application/problem+json",
    body: JSON.stringify({ type: "about:blank", title: "Bad Request", status: 400, code: "unknown_member", detail: "backward is unknown", pointer: "/backward" }),
  })));
  await page.click('[data-mistake="right"]');
  await page.waitForSelector("text=does not read backward passes");
  assert.ok(await rows(page).count() > 0);
});

test("the right backward passes of the presets are right: NumPy's rules, by the trace", async () => {
  const page = await open();
  for (const id of ["mlp", "chain", "one-neuron", "softmax", "batch-norm", "micrograd"]) {
    await preset(page, id);
    await page.click('[data-mistake="right"]');
    // As values of one program: what the backward pass computes is handed in as gradients of the forward pass.
    const program = await forward(page).inputValue();
    const names = [...new Set(Array.from((await backward(page).inputValue()).matchAll(/^(d\w+)(?:\[.*\])? [-/]?= /gm), (match) => match[1]))];
    assert.ok(names.length > 0, id);
    const answer = await page.evaluate(async ({ program, code, names, parameters, data, output }) => {
      const { parseTensors } = await import("./js/numbers.js");
      const { postCheck } = await import("./js/api.js");
      const given = { parameters: parseTensors(parameters), data: data.trim() === "" ? {} : parseTensors(data) };
      const values = await postCheck({ program: `${program}\n${code}\nend = 0 * ${output}`, output: "end", ...given, gradients: {}, trace: true });
      const last = new Map(values.trace.map((entry) => [entry.name.replace(/\[\d+\]$/, ""), entry.value]));
      const gradients = Object.fromEntries(names.filter((name) => last.has(name)).map((name) => [name, last.get(name)]));
      const report = await postCheck({ program, ...(output === "loss" ? {} : { output }), ...given, gradients });
      return { asked: Object.keys(gradients), wrong: report.parameters.filter((entry) => !entry.passed && entry.status !== "missing").map(({ name, detail }) => `${name}: ${detail}`) };
    }, {
      program, names, code: await backward(page).inputValue(), output: id === "chain" ? "y" : "loss",
      parameters: await view(page).getByLabel("Parameters").inputValue(), data: await view(page).getByLabel("Data").inputValue(),
    });
    assert.ok(answer.asked.length > 0, id);
    assert.deepEqual(answer.wrong, [], id);
  }
});

test("a link reproduces the program and what was handed in", async () => {
  const page = await open();
  await preset(page, "one-neuron");
  await view(page).getByLabel("Gradients", { exact: true }).check();
  await view(page).getByLabel("Your gradients").fill("dw: 1");
  await check(page);
  await page.waitForSelector(".program-view .report");
  await page.waitForTimeout(600);
  const other = await site.page();
  await go(other, page.url());
  await other.waitForSelector(".program-view .report");
  assert.equal(await forward(other).inputValue(), await forward(page).inputValue());
  assert.equal(await view(other).getByLabel("Your gradients").inputValue(), "dw: 1");
  assert.deepEqual(other.complaints, []);
});

test("where nothing may be revealed there are no steps, and no examples", async () => {
  const closed = await openSite("--no-reveal");
  try {
    const page = await open({}, closed);
    await page.waitForTimeout(800);
    assert.ok(!await page.isVisible(".steps-card"));
    assert.ok(!await page.isVisible('[data-mistake="right"]'));
    await view(page).getByLabel("Gradients", { exact: true }).check();
    await view(page).getByLabel("Your gradients").fill("db3: 1");
    await check(page);
    await page.waitForSelector(".program-view .report");
    assert.deepEqual(page.complaints, []);
  } finally {
    await closed.close();
  }
});

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`accessible, ${theme}, ${width} px wide`, async () => {
      const page = await open({ theme, width });
      await answering(page, [{ line: 2, text: "", mark: "wrong", message: "should be otherwise" }, { line: 3, text: "", mark: "inherited" }]);
      await page.click('[data-mistake="batch"]');
      await page.waitForSelector(".line-messages li.wrong");
      await view(page).getByLabel("Gradients", { exact: true }).check();
      await page.waitForSelector("table.trace tbody tr");
      await view(page).getByLabel("Code", { exact: true }).check();
      await page.getByRole("button", { name: "From the start" }).click();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
      await page.evaluate(readFileSync(AXE, "utf8"));
      const { violations } = await page.evaluate(() => window.axe.run());
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 150))]), []);
    });
  }
}
