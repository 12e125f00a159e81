/**
 * The picture in the README: a wrong submission and what the page says of it.
 *
 *   node screenshot.js OUT.png
 */
import { openSite } from "./browser.js";

const site = await openSite();
const page = await site.page({ width: 1280, height: 1760 });
await page.locator('[data-example="bias"], button:has-text("Bias averaged twice")').first().click();
await page.getByRole("button", { name: "Check", exact: true }).last().click();
await page.waitForSelector(".report");
await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
await page.screenshot({ path: process.argv[2], clip: { x: 0, y: 0, width: 1280, height: 1760 } });
await site.close();
