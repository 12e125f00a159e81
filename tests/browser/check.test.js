/** The Check view: what it says about right and wrong gradients, and how it says what is wrong with a request. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { go, openSite } from "./browser.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let site;

before(async () => { site = await openSite(); });
after(() => site?.close());

/** Both views have a network editor. */
const view = (page) => page.locator("#check-view");

const example = async (page, id) => {
  await page.click(`[data-example="${id}"]`);
  await page.waitForSelector(".report");
};
const check = (page) => page.getByRole("button", { name: "Check", exact: true }).click();
const texts = (page, selector) => page.locator(selector).allInnerTexts();

/** The address, once the hash has followed. (The page's policy forbids waitForFunction.) */
async function settledHash(page) {
  await page.waitForTimeout(600);
  return page.url();
}

test("right gradients: every mark says so", async () => {
  const page = await site.page();
  await example(page, "right");
  assert.match(await page.innerText(".headline"), /All gradients are right/);
  assert.deepEqual(await texts(page, ".entries .verdict"), Array(6).fill("✓ match"));
  assert.deepEqual(new Set(await texts(page, ".step-state")), new Set(["✓ right"]));
  assert.equal(await page.locator(".mistake").count(), 0);
  assert.deepEqual(page.complaints, []);
});

test("wrong gradients: marks, the diagnosis in words, and where on the way back", async () => {
  const page = await site.page();
  await example(page, "bias");
  assert.deepEqual(await texts(page, ".entries tr.failed th"), ["b1", "b2", "b3"]);
  assert.deepEqual(await texts(page, ".entries tr.passed .verdict"), Array(3).fill("✓ match"));
  assert.match(await page.innerText(".mistake"), /bias_averaged/);
  assert.match(await page.innerText(".mistake .message"), /mean of dz/);
  assert.deepEqual(await texts(page, ".step-state"), ["✓ right", "✓ right", "✗ wrong here", "✓ right", "✗ wrong here", "✓ right", "✗ wrong here"]);
  assert.deepEqual(page.complaints, []);
});

test("one mistake spoils what lies behind it on the way back", async () => {
  const page = await site.page();
  await page.fill("textarea.gradients", "b3: [-0.0527226265]\nW3: [[-0.1205513129] [-0.0515814368]]\nW2: [[1 2] [3 4] [5 6]]\nb2: [7 8]\nW1: [[1 2 3] [4 5 6]]\nb1: [7 8 9]");
  await check(page);
  await page.waitForSelector(".report");
  assert.deepEqual(await texts(page, ".step-state"),
    ["✓ right", "✓ right", ...Array(4).fill("? perhaps here"), "≈ unreliable from here"]);
  assert.deepEqual(await texts(page, ".step.in-span .step-type"), ["linear", "relu", "linear", "relu"]);
  assert.match(await page.innerText(".diagnosis"), /No known mistake.*what is wrong comes from: layer 1, relu; layer 2/s);
});

test("what follows from a mistake made elsewhere has points where they are asked for", async () => {
  const page = await site.page();
  await example(page, "sign");
  assert.equal(await page.locator("tr.carried").count(), 0);
  await page.locator("#check-view details > summary").filter({ hasText: "More options" }).last().click();
  await view(page).getByLabel("Points for what only follows").check();
  await check(page);
  await page.waitForSelector("tr.carried");
  assert.deepEqual(await texts(page, "tr.carried th"), ["W1", "b1", "W2", "b2"]);
  assert.match(await page.innerText(".summary .facts"), /4 of 6/);
  assert.deepEqual(page.complaints, []);
});

test("every preset takes every example", async () => {
  const page = await site.page();
  for (const preset of await page.locator("#check-view [data-preset]").all()) {
    await preset.click();
    assert.equal(await preset.getAttribute("aria-pressed"), "true");
    for (const id of ["right", "sign"]) {
      await example(page, id);
      await page.waitForSelector(`.summary.${id === "right" ? "good" : "bad"}`);
    }
    assert.match(await page.innerText(".mistake"), /sign_flipped/);
  }
  assert.deepEqual(page.complaints, []);
});

test("the reference is shown only where it was asked for", async () => {
  const page = await site.page();
  await example(page, "bias");
  assert.equal(await page.locator(".heat-figure").count(), 0);
  await view(page).getByLabel("Show the reference").check();
  assert.ok(await page.isVisible(".stale-note"));
  await check(page);
  await page.waitForSelector(".heat-figure");
  assert.equal(await page.locator(".heat-figure").count(), 6);
  assert.ok(!await page.isVisible(".stale-note"));
});

test("a link reproduces network, gradients and report", async () => {
  const page = await site.page();
  await view(page).getByLabel("Type of layer 1").selectOption("tanh");
  await view(page).getByLabel("Add a layer at the end").click();
  await view(page).getByLabel("Type of layer 6").selectOption("silu");
  await view(page).getByLabel("atol").fill("1e-7");
  await example(page, "sign");
  const address = await settledHash(page);
  const shown = [await page.innerText(".report"), await texts(page, "#check-view .layers"), await page.inputValue("textarea.gradients")];

  const other = await site.page();
  await go(other, address);
  await other.waitForSelector(".report");
  assert.deepEqual([await other.innerText(".report"), await texts(other, "#check-view .layers"), await other.inputValue("textarea.gradients")], shown);
  assert.equal(await view(other).getByLabel("atol").inputValue(), "1e-7");
  assert.deepEqual(other.complaints, []);
});

test("what is too large for a link leaves the address without it", async () => {
  const page = await site.page();
  await example(page, "right");
  assert.match(await settledHash(page), /#check\/z/);
  await page.fill("textarea.gradients", randomBytes(1.3e6).toString("base64"));
  await page.click("#copy-link");
  await page.locator("#copy-link", { hasText: "Too large for a link" }).waitFor();
  assert.match(page.url(), /#check$/);
  assert.deepEqual(page.complaints, []);
});

test("a link that is cut off says so", async () => {
  const page = await site.page({ hash: "#check/zAAA" });
  assert.match(await page.innerText("#failure"), /link/);
  await example(page, "right");
});

test("errors stand at their field", async () => {
  const page = await site.page();
  const wrong = async (control) => {
    await page.waitForSelector("#check-view [aria-invalid]");
    assert.equal(await control.getAttribute("aria-invalid"), "true");
    assert.ok(await control.evaluate((node) => node === document.activeElement));
    return page.locator(`[id="${await control.getAttribute("aria-describedby")}"]`).innerText();
  };
  await check(page);
  assert.match(await wrong(page.locator("textarea.gradients")), /fill in an example/);

  await page.fill("textarea.gradients", "W1: [[1, 2],\n [3, oops]]");
  await check(page);
  assert.match(await wrong(page.locator("textarea.gradients")), /oops.*line 2, column 6/);

  await page.fill("textarea.gradients", "{}");
  await view(page).getByLabel("y, the targets").fill("[[0], [1]]");
  await check(page);
  assert.match(await wrong(view(page).getByLabel("y, the targets")), /shape/);

  await page.click('[data-preset="xor"]');
  await page.fill("textarea.gradients", "{}");
  await view(page).getByLabel("out features").nth(1).fill("");
  await check(page);
  await page.waitForSelector("#check-view [aria-invalid]");
  assert.match(await view(page).locator(".layer").nth(3).innerText(), /✗/);

  await page.click('[data-preset="neuron"]');
  await view(page).getByLabel("Parameters as tensors").fill("W1: [[0.5, 1]]\nb1: [0.1]");
  await page.fill("textarea.gradients", "{}");
  await check(page);
  assert.match(await wrong(view(page).getByLabel("Parameters as tensors")), /W1/);
  await view(page).getByLabel("Parameters as tensors").fill("W1: [[0.5]]\nb1: [0.1]");
  assert.equal(await view(page).locator("[aria-invalid]").count(), 0);
});

test("layers are added, moved and removed by keyboard alone", async () => {
  const page = await site.page();
  const types = () => view(page).locator(".layer:not(.end) .type").evaluateAll((all) => all.map((node) => node.value));
  await view(page).getByLabel("Add a layer before layer 1", { exact: true }).press("Enter");
  assert.deepEqual((await types()).slice(0, 3), ["linear", "relu", "relu"]);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Type of layer 1");
  await view(page).getByLabel("Remove layer 1, relu").press("Enter");
  assert.equal((await types()).length, 6);
  await view(page).getByLabel("More about layer 0").press("Enter");
  await view(page).locator(".layer").nth(1).getByRole("button", { name: "Move →" }).press("Enter");
  assert.deepEqual((await types()).slice(0, 2), ["relu", "linear"]);
});

test("gradients come from a file; a whole request fills all fields", async () => {
  const page = await site.page();
  await page.click('[data-preset="neuron"]');
  const give = (name, text) => page.setInputFiles("input[type=file]", { name, mimeType: "application/json", buffer: Buffer.from(text) });
  await give("grads.json", '{"dW1": [[-0.1871749357314132]], "b1": [-0.0935874678657066]}');
  await check(page);
  await page.waitForSelector(".summary.good");
  await give("request.json", JSON.stringify({
    network: { input: 1, layers: [{ type: "linear", out_features: 1 }], loss: { type: "mse", reduction: "sum" } },
    parameters: { W1: [[1]], b1: [0] }, data: { x: [[3]], y: [[3]] }, gradients: { W1: [[0]], b1: [0] },
  }));
  await page.waitForSelector("#check-view .layer:nth-child(5).loss");
  await check(page);
  await page.waitForSelector(".summary.good");
  await give("grads.pt", "PK");
  await page.waitForSelector("#check-view [aria-invalid]");
});

/** An array of one number as numpy.save writes it. */
function npy(value) {
  const header = Buffer.from("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }".padEnd(117) + "\n");
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from([header.length, 0]), header, number]);
}

/** A file of safetensors, all of one number. */
function safetensors(tensors) {
  const entries = Object.entries(tensors);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries.map(([name, [shape]], i) => [name, { dtype: "F64", shape, data_offsets: [8 * i, 8 * i + 8] }]))));
  const before = Buffer.alloc(8), data = Buffer.alloc(8 * entries.length);
  before.writeBigUInt64LE(BigInt(header.length));
  entries.forEach(([, [, value]], i) => data.writeDoubleLE(value, 8 * i));
  return Buffer.concat([before, header, data]);
}

test("files of tensors are sent as they are, and the service says what is wrong with them", async () => {
  const page = await site.page();
  await page.click('[data-preset="neuron"]');
  const give = (...files) => page.setInputFiles("input[type=file]", files.map(([name, buffer]) => ({ name, mimeType: "application/octet-stream", buffer })));
  const [dW, db] = [-0.1871749357314132, -0.0935874678657066];
  await give(["grads.safetensors", safetensors({ W1: [[1, 1], dW], b1: [[1], db] })]);
  await page.waitForSelector("text=grads.safetensors will be sent.");
  await check(page);
  await page.waitForSelector(".summary.good");
  await page.click("#check-view details.curl > summary");
  assert.match(await page.innerText("#check-view .curl code"), /-F 'gradients=@grads.safetensors' .*--form-string 'request=\{/s);

  await give(["W1.npy", npy(dW)], ["b1.npy", npy(2)]);
  await page.waitForSelector("text=W1.npy, b1.npy will be sent.");
  await check(page);
  await page.waitForSelector(".summary.bad");
  assert.deepEqual(await texts(page, ".entries tr.failed th"), ["b1"]);

  await give(["grads.npz", Buffer.from("PK\x03\x04 and no more")]);
  await check(page);
  await page.waitForSelector("#check-view [aria-invalid]");
  assert.match(await page.innerText("#check-view .error"), /The file gradients cannot be read: .*cut off/);

  await page.getByRole("button", { name: "Remove the files" }).click();
  await page.fill("textarea.gradients", `{"W1": [[${dW}]], "b1": [${db}]}`);
  await check(page);
  await page.waitForSelector(".summary.good");
  assert.deepEqual(page.complaints.filter((line) => !line.includes("400")), []);
});

/** Fills all fields from a file. */
const fillFrom = (page, request) =>
  page.setInputFiles("input[type=file]", { name: "request.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(request)) });

const describedExamples = async () => {
  const description = await (await fetch(`${site.address}/openapi.json`)).json();
  return description.paths["/v1/check"].post.requestBody.content["application/json"].examples;
};

test("a residual block: the forgotten skip connection is marked where the paths meet, and x has its place", async () => {
  const page = await site.page();
  const { residual_skip_dropped: { value } } = await describedExamples();
  await fillFrom(page, value);
  await check(page);
  await page.waitForSelector(".report");
  assert.deepEqual(await texts(page, ".step-state"), ["✓ right", "✓ right", "✗ wrong here", "✓ right", "≈ unreliable from here", "≈ inherits it", "≈ inherits it"]);
  assert.match(await page.locator(".step").nth(2).innerText(), /add\s+takes h, f/);
  assert.match(await page.locator(".step").last().innerText(), /^x\s+data\s+✗ x/);
  assert.match(await page.innerText(".mistake h4"), /At layer 3, add/);
  assert.deepEqual(await texts(page, ".entries tr.failed th"), ["W1", "b1", "x"]);
  assert.deepEqual(page.complaints, []);
});

test("a graph's fields are all there: inputs, more data, what arrives at the output; and in the link", async () => {
  const page = await site.page();
  const { other_layers: { value } } = await describedExamples();
  await fillFrom(page, { ...value, gradients: { ...value.gradients, dmask: [[0, 0, 0], [0, 0, 0]] } });
  await check(page);
  await page.waitForSelector(".report");
  assert.deepEqual(await texts(page, ".entries tr.failed th"), ["mask"]);
  assert.match(await page.innerText(".mistake h4"), /At mask/);
  assert.deepEqual(await texts(page, ".step-state"), [...Array(6).fill("✓ right"), "✗ wrong here"]);
  assert.match(await view(page).getByLabel("upstream, the gradient at the output").inputValue(), /\[1, 0\]/);
  assert.match(await view(page).getByLabel("what else layers take, by name").inputValue(), /mask/);
  const shown = await page.innerText(".report");

  const other = await site.page();
  await go(other, await settledHash(page));
  await other.waitForSelector(".report");
  assert.equal(await other.innerText(".report"), shown);
  assert.deepEqual([...page.complaints, ...other.complaints], []);
});

test("a layer that takes several and a loss without targets are asked for what they need", async () => {
  const page = await site.page();
  await page.click('[data-preset="xor"]');
  const error = () => page.locator("#check-view .error").innerText();
  await view(page).getByLabel("Type of layer 1").selectOption("add");
  await page.fill("textarea.gradients", "{}");
  await check(page);
  await page.waitForSelector("#check-view [aria-invalid]");
  assert.match(await error(), /add takes at least 2 inputs/);
  await view(page).locator(".layer").nth(1).getByLabel("More about layer 0").click();
  await view(page).getByLabel("name", { exact: true }).first().fill("first");
  await view(page).getByLabel("inputs").nth(1).fill("first, first");
  await view(page).getByLabel("Loss", { exact: true }).selectOption("upstream");
  await view(page).getByLabel("upstream, the gradient at the output").fill("[[1], [2]]");
  await check(page);
  await page.waitForSelector("#check-view [aria-invalid]");
  assert.match(await error(), /data.upstream has shape/);
  await view(page).getByLabel("upstream, the gradient at the output").fill("[[1], [2], [3], [4]]");
  await example(page, "right");
  await page.waitForSelector(".summary.good");
  assert.match(await page.locator(".facts").innerText(), /6 of 6/);
  assert.deepEqual(page.complaints.filter((line) => !line.includes("400")), []);
});

test("tabs by arrow keys, and the theme stays", async () => {
  const page = await site.page();
  await page.getByRole("tab", { name: "Check" }).press("ArrowRight");
  await page.waitForSelector("#train-view", { state: "visible" });
  assert.ok(!await page.isVisible("#check-view"));
  await page.keyboard.press("Home");
  assert.ok(await page.isVisible("#check-view"));
  await page.getByLabel("Dark colours").click();
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  await page.reload();
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
});

test("the same with curl", async () => {
  const page = await site.page();
  await example(page, "right");
  await page.getByText("The same with curl").first().click();
  await page.locator("#check-view .curl code", { hasText: "curl" }).waitFor();
  const command = await page.locator("#check-view .curl code").innerText();
  assert.ok(command.startsWith(`curl '${site.address}/v1/check?format=text'`));
  const body = JSON.parse(command.slice(command.indexOf("-d '") + 4, -1));
  assert.deepEqual(Object.keys(body.gradients), ["W1", "b1", "W2", "b2", "W3", "b3"]);
});

test("a token is asked for where one is needed, and kept for the tab", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "gradcheckd-")), "tokens");
  writeFileSync(file, `staff ${createHash("sha256").update("abc").digest("hex")}\n`);
  const guarded = await openSite("--tokens", file);
  try {
    const page = await guarded.page();
    await page.click('[data-example="right"]');
    await page.getByRole("dialog", { name: "Token" }).waitFor();
    await page.fill("#token", "wrong");
    await page.keyboard.press("Enter");
    await page.getByText("That token is not known here.").waitFor();
    await page.fill("#token", "abc");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".report");
    await page.reload();
    await example(page, "right");
    assert.equal(await page.getByRole("dialog").count(), 0);
    assert.match(await page.innerText(".headline"), /All gradients are right/);
    await page.getByText("The same with curl").first().click();
    const command = await page.locator("#check-view .curl code", { hasText: "curl" }).innerText();
    assert.ok(command.includes('"Authorization: Bearer $TOKEN"') && !command.includes("abc"));
  } finally {
    await guarded.close();
  }
});

test("where nothing is revealed, nothing is offered that needs it", async () => {
  const closed = await openSite("--no-reveal");
  try {
    const page = await closed.page();
    assert.equal(await page.locator(".examples:visible").count(), 0);
    assert.equal(await page.getByText("Show the reference").count(), 0);
  } finally {
    await closed.close();
  }
});

for (const theme of ["light", "dark"]) {
  test(`nothing that axe finds serious, and nothing too wide: ${theme}`, async () => {
    const page = await site.page({ theme, width: 360 });
    await view(page).getByLabel("Show the reference").check();
    await example(page, "bias");
    await page.waitForSelector(".heat-figure");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    // The policy forbids a script tag's text, but not what the tool itself evaluates.
    await page.evaluate(readFileSync(AXE, "utf8"));
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const { violations } = await page.evaluate(() => window.axe.run());
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map((node) => node.target.join(" "))]), []);
    }
    assert.deepEqual(page.complaints, []);
  });
}
