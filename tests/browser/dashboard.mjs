// The dashboard in a real browser:  node dashboard.mjs CHROMIUM OPEN CLOSED KEY
//
// OPEN is the URL of a service that needs no key, CLOSED of one that needs KEY.
import assert from "node:assert/strict";
import { accessible, overflow, start } from "./checks.mjs";

const [chromium, service, closed, key] = process.argv.slice(2);
const browser = await start(chromium);

// A window on a service. `finish` closes it, and fails if anything was asked of somebody else, said or refused.
const visit = async (url, { width = 1280, ...options } = {}) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const troubles = [];
  const { origin } = new URL(url);
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) troubles.push(`asks for ${request.url()}`);
  });
  page.on("console", (message) => {
    // A browser calls every answer that is no success an error.
    if (!page.expected?.test(message.text())) troubles.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("dialog", (dialog) => { troubles.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(url);
  return { page, finish: async () => { await context.close(); assert.deepEqual(troubles, [], url); } };
};

const heading = (page) => page.locator("h1").textContent();

const begin = async (page, what) => {
  await page.goto(`${service}/start`);
  await page.selectOption("[name=what]", what);
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/runs\/\d{8}-/);
};

let first;

const checks = {
  async "a run is started from the form, is seen to go on, and becomes its report"() {
    const { page, finish } = await visit(service);
    await begin(page, "suite:quick");
    assert.match(await heading(page), /Running|Waiting/);
    await page.locator(".said", { hasText: /^[1-9]\d* of 25 phrases, \d+ of \d+ right$/ }).waitFor();
    const far = await page.locator("progress").evaluate((bar) => bar.value / bar.max);
    assert.ok(far > 0 && far <= 1, `${far}`);
    first = page.url();
    await page.locator("#gates").waitFor();
    assert.equal(page.url(), first);
    assert.match(await heading(page), /Failed/);
    await page.getByRole("link", { name: "thrash", exact: true }).click();
    assert.match(await page.locator("#results li").first().textContent(), /quick against ash-v5.*Failed.*accuracy/s);
    await finish();
  },

  async "what runs is on the first page, and is stopped from there"() {
    const { page, finish } = await visit(service);
    await begin(page, "suite:comprehensive");
    await page.goto(service);
    await page.locator("#running .said", { hasText: /^[1-9]\d* of \d{3} phrases/ }).waitFor();
    await page.getByRole("button", { name: "Cancel comprehensive against ash-v5" }).click();
    await page.waitForURL(/\/runs\/\d{8}-/);
    await page.locator("h1", { hasText: "Interrupted" }).waitFor();
    assert.ok(await page.locator("#gates").isVisible(), "what it found until then is kept");
    await finish();
  },

  async "a run that somebody else starts appears by itself"() {
    const { page, finish } = await visit(service);
    await page.locator("#running .empty").waitFor();
    const response = await fetch(`${service}/api/test/run`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ test_type: "comprehensive" }),
    });
    const { id } = await response.json();
    await page.locator("#running progress").waitFor();
    await fetch(`${service}/api/test/runs/${id}/cancel`, { method: "POST" });
    await page.locator("#running .empty").waitFor();
    await finish();
  },

  async "a load of hours is counted in seconds, however long its slices are"() {
    const { page, finish } = await visit(service);
    const told = [["load_started", { planned_ms: 7_200_000 }], ["load_second", { at_s: 3600, length_s: 2 }]];
    const body = told.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join("");
    await page.route("**/events", (route) => route.fulfill({ contentType: "text/event-stream", body }));
    await begin(page, "suite:comprehensive");
    await page.locator(".said", { hasText: "3602 of 7200 s of load" }).waitFor();
    await page.unroute("**/events");
    await page.getByRole("button", { name: /^Cancel/ }).click();
    await page.locator("h1", { hasText: /Interrupted|Cancelled/ }).waitFor();
    await finish();
  },

  async "filters narrow the list, and stand in the URL"() {
    const { page, finish } = await visit(`${service}/runs`);
    const all = await page.locator(".entries > li").count();
    assert.ok(all >= 5, `${all} runs`);
    await page.selectOption("[name=outcome]", { label: "Passed" });
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/outcome=passed/);
    assert.deepEqual(await page.locator(".entries .outcome").allTextContents(), ["Passed"]);
    assert.equal(await page.inputValue("[name=outcome]"), "passed");
    await page.selectOption("[name=suite]", "comprehensive");
    await page.getByRole("button", { name: "Filter" }).click();
    assert.match(await page.locator(".empty").textContent(), /No run is like that/);
    await page.locator(".empty a").click();
    assert.equal(await page.locator(".entries > li").count(), all);
    await finish();
  },

  async "two runs are chosen from the list and compared"() {
    const { page, finish } = await visit(`${service}/runs?suite=kept`);
    const [newer, older] = await page.locator(".entries > li").all();
    await older.getByLabel(/Before/).check();
    await newer.getByLabel(/After/).check();
    await page.getByRole("button", { name: "Compare the two" }).click();
    await page.waitForURL(/\/compare\?/);
    assert.match(await page.locator(".lead").textContent(), /fixed/);
    await page.getByRole("link", { name: "The run before" }).click();
    assert.match(await heading(page), /Failed/);
    await finish();
  },

  async "the trend has the gates' lines"() {
    const { page, finish } = await visit(service);
    const chart = page.getByRole("img", { name: /^Accuracy over 2 runs, now .*; the gate is at 92.0 %/ }).first();
    assert.ok(await chart.isVisible());
    await page.getByRole("link", { name: "History of kept" }).click();
    assert.equal(await page.locator("#runs tbody tr").count(), 2);
    await finish();
  },

  async "one signs in with a key, not with another one, and out again"() {
    const { page, finish } = await visit(`${closed}/runs`);
    assert.match(page.url(), /\/sign-in\?to=/);
    page.expected = /status of 422/;
    await page.getByLabel("Key", { exact: true }).fill("not the key, not at all");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").textContent(), /opens nothing/);
    await accessible(page, "sign-in, wrong");
    page.expected = undefined;
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${closed}/runs`);
    const [cookie] = await page.context().cookies();
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && !cookie.value.includes(key), JSON.stringify(cookie));
    await page.goto(`${closed}/start`);
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#gates").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${closed}/sign-in`);
    await page.goto(closed);
    await page.waitForURL(/\/sign-in/);
    assert.equal((await page.context().cookies()).length, 0);
    await finish();
  },

  async "it is readable in light and dark, wide and narrow, and accessible"() {
    const paths = ["/", "/runs", "/start", "/history?suite=kept", new URL(first).pathname, "/compare?a=latest&b=x"];
    for (const path of paths) {
      const { page, finish } = await visit(`${service}/start`);
      page.expected = path.includes("b=x") ? /status of 404/ : undefined;
      await page.goto(service + path);
      for (const [width, colorScheme] of [[1280, "light"], [400, "dark"], [400, "light"]]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        assert.equal(await overflow(page), 0, `${path} at ${width}`);
        const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]);
        assert.equal(paper < 128, colorScheme === "dark", path);
        await accessible(page, `${path}, ${width}, ${colorScheme}`);
      }
      await finish();
    }
  },

  async "the keyboard leads past the navigation"() {
    const { page, finish } = await visit(service);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await finish();
  },

  async "without scripts runs are started, seen and stopped all the same"() {
    const { page, finish } = await visit(service, { javaScriptEnabled: false });
    await begin(page, "suite:comprehensive");
    assert.ok(await page.getByRole("link", { name: "Look again" }).isVisible());
    await page.getByRole("button", { name: /^Cancel/ }).click();
    await page.waitForURL(/\/runs\/\d{8}-/);
    for (let tries = 0; !(await page.locator("h1", { hasText: /Interrupted|Cancelled/ }).count()); tries += 1) {
      assert.ok(tries < 300, "it is not stopped");
      await page.waitForTimeout(200);
      await page.reload();
    }
    await finish();
  },

  async "phrases are hidden until asked for, and names from outside run nothing"() {
    const { page, finish } = await visit(first);
    await page.locator("#rows summary").first().click();
    const seen = () => page.locator("#rows q").first().evaluate((q) => getComputedStyle(q).visibility);
    assert.equal(await seen(), "hidden");
    await page.locator("#reveal").check();
    assert.equal(await seen(), "visible");
    for (const path of ["/", "/runs", "/history"]) {
      await page.goto(service + path);
      assert.equal(await page.locator("img, iframe").count(), 0, path);
    }
    await page.goto(`${service}/runs`);
    const hostile = page.locator(".entries a", { hasText: "<script>alert(1)</script>" });
    assert.equal(await hostile.count(), 1);
    await hostile.click();
    assert.match(await page.locator(".lead").textContent(), /<img src=x onerror=alert\(1\)>/);
    await finish();
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
