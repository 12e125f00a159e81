/** The pages of the help: readable in either theme, with and without script, on a phone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { openSite } from "./browser.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PAPER = { light: "rgb(246, 246, 243)", dark: "rgb(16, 19, 23)" }; // --paper of style.css

let site;
before(async () => { site = await openSite(); });
after(() => site.close());

/** The addresses of all pages. */
const menu = (page) => page.locator("nav.pages a").evaluateAll((links) => links.map((link) => link.href));

/** What the page is painted with. */
const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("the front page leads to it", async () => {
  const page = await site.page();
  await page.locator("header").getByText("Help").click();
  await page.waitForURL(`${site.address}/help/`);
  assert.equal(await page.locator("h1").innerText(), "Help");
});

for (const theme of ["light", "dark"]) {
  test(`nothing that axe finds serious, and nothing too wide: ${theme}`, async () => {
    const page = await site.page({ theme, width: 390, path: "help/" });
    const addresses = await menu(page);
    assert.ok(addresses.length >= 12);
    for (const address of addresses) {
      await page.goto(address);
      assert.equal(await paper(page), PAPER[theme], address);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${address} is too wide`);
      await page.evaluate(readFileSync(AXE, "utf8")); // which the policy does not forbid
      const { violations } = await page.evaluate(() => window.axe.run());
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], address);
    }
    assert.deepEqual(page.complaints, []);
  });

  test(`without script, too: ${theme}`, async () => {
    const page = await site.page({ theme, script: false, path: "help/checks" });
    assert.equal(await page.locator("h1").innerText(), "Checks");
    assert.equal(await page.evaluate("document.documentElement.dataset.theme ?? null"), null);
    assert.equal(await paper(page), PAPER[theme]);
  });
}

test("who has chosen a theme on the front page has it here", async () => {
  const page = await site.page({ theme: "light" });
  await page.getByLabel("Dark colours").click();
  await page.goto(`${site.address}/help/codes`);
  assert.equal(await paper(page), PAPER.dark);
});
