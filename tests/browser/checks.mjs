// What the checks of all pages share: a browser without a network, and a list of what went wrong.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--no-first-run",
];

export const start = (executablePath) => chromium.launch({ executablePath, args: QUIET });

// Opens a page from disk. `finish` closes it, and fails if anything was fetched, said or refused on the way.
export const open = async (browser, file, { hash = "", width = 1280, ...options } = {}) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const troubles = [];
  const url = `file://${file}`;
  page.on("request", (request) => {
    if (!request.url().split("#")[0].startsWith(url)) troubles.push(`asks for ${request.url()}`);
  });
  // A refusal of the page's policy is such a message, too.
  page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("dialog", (dialog) => { troubles.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const began = performance.now();
  await page.goto(url + hash);
  if (options.javaScriptEnabled !== false) await page.locator("#count:not(:empty), body:not(:has(#count))").first().waitFor({ state: "attached" });
  const took = performance.now() - began;
  const finish = async () => {
    await context.close();
    assert.deepEqual(troubles, [], file);
  };
  return { page, took, finish };
};

// Axe runs in a world of its own, so that the page's policy stays as it is.
export const accessible = async (page, what) => {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const run = async (expression, awaitPromise = false) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise, returnByValue: true });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await run(AXE + "; 0");
  const violations = await run(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then(({ violations, passes }) =>
      passes.length > 5 ? violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map((node) => node.html + " " + node.failureSummary).join("; ")) : ["axe looked at nothing"])`,
    true,
  );
  assert.deepEqual(violations, [], what);
};

// The width that the page takes beyond the window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
