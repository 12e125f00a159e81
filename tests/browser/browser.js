/**
 * A daemon and a browser for the tests of the pages.
 *
 *   const site = await openSite();          once per file; words for the daemon's command line
 *   const page = await site.page({ theme: "dark", width: 360, hash: "#check" });
 *   const help = await site.page({ path: "help/", script: false });    any other page than the front page
 *   page.complaints                         what the console and the page said, as errors or warnings
 *   await site.close();
 *
 * The program is $GRADCHECKD, the browser $CHROMIUM (else Debian's).
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

async function startDaemon(words) {
  const daemon = spawn(process.env.GRADCHECKD ?? "build/gradcheckd", ["--listen", "127.0.0.1:0", ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: daemon.stdout });
  const [line] = await new Promise((resolve, reject) => {
    lines.once("line", (text) => resolve([text]));
    daemon.once("exit", (status) => reject(new Error(`the daemon ended with ${status}`)));
    daemon.once("error", reject);
  });
  return { address: line.match(/http:\S+/)[0], stop: () => daemon.kill("SIGTERM") };
}

export async function openSite(...words) {
  const daemon = await startDaemon(words);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });
  const contexts = [];

  async function page({ theme = "light", width = 1280, height = 900, hash = "", path = "", script = true } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce", javaScriptEnabled: script });
    contexts.push(context);
    const tab = await context.newPage();
    tab.complaints = [];
    tab.on("console", (message) => ["error", "warning"].includes(message.type()) && tab.complaints.push(message.text()));
    tab.on("pageerror", (error) => tab.complaints.push(String(error)));
    if (path) await tab.goto(`${daemon.address}/${path}`);
    else await go(tab, `${daemon.address}/${hash}`);
    return tab;
  }

  async function close() {
    for (const context of contexts) await context.close();
    await browser.close();
    daemon.stop();
  }

  return { page, close, address: daemon.address };
}

/** Opens an address in a tab and waits until the page is ready. */
export async function go(tab, address) {
  await tab.goto("about:blank");
  await tab.goto(address);
  await tab.waitForSelector("html[data-ready]");
}
