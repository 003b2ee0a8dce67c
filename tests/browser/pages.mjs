// The HTML report in a real browser:  node pages.mjs CHROMIUM FOLDER
//
// The folder holds pages that the test beside `tests/it/report/browser.rs` made: run.html, large.html, hostile.html,
// comparison.html, history.html, load.html.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { accessible, open, overflow, start } from "./checks.mjs";

const [chromium, folder] = process.argv.slice(2);
const at = (name) => join(resolve(folder), name);
// An aim of 1.5 s on a machine of its own; here others may be at work, too.
const LARGE_OPENS_IN = 10_000;
const browser = await start(chromium);
const count = (page) => page.locator("#count").textContent();
const rows = (page) => page.locator("#rows > li").count();
const hash = (page) => page.evaluate(() => location.hash);

const checks = {
  async "the verdict is the first thing to be seen"() {
    const { page, finish } = await open(browser, at("run.html"));
    const heading = page.locator("h1");
    assert.match(await heading.textContent(), /Failed/);
    for (const what of [heading, page.locator(".lead"), page.locator(".numbers")]) {
      const box = await what.boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height < 900, "it is above the fold");
    }
    await finish();
  },

  async "filters narrow the list and stand in the URL"() {
    const { page, finish } = await open(browser, at("run.html"));
    assert.equal(await count(page), "5 of 25 phrases");
    await page.selectOption("[name=show]", "under");
    assert.equal(await count(page), "2 of 25 phrases");
    assert.equal(await hash(page), "#show=under");
    await page.fill("[name=q]", "explicit");
    assert.equal(await count(page), "1 of 25 phrases");
    assert.equal(await hash(page), "#q=explicit&show=under");
    await page.selectOption("[name=show]", "all");
    assert.equal(await rows(page), 4);
    await page.click("#clear");
    assert.equal(await count(page), "5 of 25 phrases");
    assert.equal(await hash(page), "");
    await finish();
  },

  async "a state in the URL is there again when it is opened"() {
    const state = "#show=under&category=passive_ideation&open=p-passive_ideation-002";
    const { page, finish } = await open(browser, at("run.html"), { hash: state });
    assert.equal(await count(page), "1 of 25 phrases");
    assert.equal(await page.inputValue("[name=category]"), "passive_ideation");
    assert.ok(await page.locator("#p-passive_ideation-002 details").evaluate((details) => details.open));
    assert.equal(await hash(page), state);
    await finish();
  },

  async "a link to a phrase opens it, failed or not"() {
    for (const id of ["p-self_harm-002", "p-self_harm-001"]) {
      const { page, finish } = await open(browser, at("run.html"), { hash: `#${id}` });
      const details = page.locator(`#${id} details`);
      assert.ok(await details.evaluate((details) => details.open), id);
      assert.ok(await details.evaluate((details) => details.contains(document.activeElement)), "it has the focus");
      const { y } = await details.boundingBox();
      assert.ok(y >= 0 && y < 800, `it is in the window: ${y}`);
      await finish();
    }
  },

  async "a link to a section leads there, however long the list above it was"() {
    const { page, finish } = await open(browser, at("large.html"), { hash: "#latency" });
    const { y } = await page.locator("#latency").boundingBox();
    assert.ok(y >= -1 && y < 100, `it is at the top: ${y}`);
    await finish();
  },

  async "nonsense in the URL does no harm"() {
    for (const hash of ["#show=nothing&category=%ff", "#p-%", "#open=p-nobody", "#=&&=", "#q=<img src=x>", "#gates"]) {
      const { page, finish } = await open(browser, at("run.html"), { hash });
      assert.match(await count(page), /^\d+ of 25 phrases$/, hash);
      await finish();
    }
  },

  async "a cell of the confusion matrix leads to its phrases"() {
    const { page, finish } = await open(browser, at("run.html"));
    const cell = page.getByRole("link", { name: "expected none, answered medium: 1 phrase" });
    await cell.click();
    assert.equal(await count(page), "1 of 25 phrases");
    assert.equal(await rows(page), 1);
    assert.ok(await page.locator("#p-gaming_slang-004").isVisible());
    await finish();
  },

  async "the reference's groups filter the list, and its answer stands in the row"() {
    const { page, finish } = await open(browser, at("run.html"));
    await page.getByRole("link", { name: "1 target wrong, reference right (read first)" }).click();
    assert.equal(await count(page), "1 of 25 phrases");
    assert.equal(await page.inputValue("[name=reference]"), "only_target_wrong");
    const row = page.locator("#p-explicit_ideation-003");
    await row.locator("summary").click();
    assert.match(await row.locator("dl").innerText(), /Reference\s+high \(exact\).*score 0\.72: target wrong, reference right/);
    await page.selectOption("[name=reference]", { label: "target right, reference wrong" });
    assert.equal(await count(page), "1 of 25 phrases");
    assert.equal(await hash(page), "#show=all&reference=only_reference_wrong");
    // A row that the script builds has the same fact.
    await page.locator("#p-everyday_benign-003 summary").click();
    assert.match(await page.locator("#p-everyday_benign-003 dl").innerText(), /medium \(over\).*score 0\.51: target right, reference wrong/);
    await page.click("#clear");
    await page.getByRole("link", { name: "reference high, answered medium: 1 phrase" }).click();
    assert.equal(await count(page), "1 of 25 phrases");
    await finish();
  },

  async "a row opens with the keyboard and tells what is known"() {
    const { page, finish } = await open(browser, at("run.html"));
    await page.locator("#p-explicit_ideation-003 summary").focus();
    await page.keyboard.press("Enter");
    assert.ok(await page.locator("#p-explicit_ideation-003 dl").isVisible());
    assert.equal(await hash(page), "#open=p-explicit_ideation-003");
    await page.keyboard.press("Enter");
    assert.ok(!(await page.locator("#p-explicit_ideation-003 dl").isVisible()));
    // The first stop leads past the navigation.
    await page.reload();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the findings");
    await finish();
  },

  async "phrases are hidden until asked for, one by one or all"() {
    const { page, finish } = await open(browser, at("run.html"), { hash: "#p-self_harm-002" });
    const phrase = page.locator("#p-self_harm-002 q");
    const seen = () => phrase.evaluate((q) => getComputedStyle(q).visibility);
    assert.equal(await phrase.textContent(), "The text of self_harm-002.");
    assert.equal(await seen(), "hidden");
    await page.locator("#p-self_harm-002").getByLabel("Show the phrase").check();
    assert.equal(await seen(), "visible");
    await page.locator("#p-self_harm-002").getByLabel("Show the phrase").uncheck();
    assert.equal(await seen(), "hidden");
    await page.locator("#reveal").check();
    assert.equal(await seen(), "visible");
    assert.equal(await page.locator("#p-self_harm-002 p").evaluate((p) => getComputedStyle(p).filter), "none");
    await finish();
  },

  async "it is readable in light and dark, wide and narrow, with nothing to scroll sideways"() {
    for (const name of ["run.html", "large.html", "hostile.html", "comparison.html", "history.html", "load.html"]) {
      const { page, finish } = await open(browser, at(name));
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const width of [400, 768, 1280, 2200]) {
          await page.setViewportSize({ width, height: 900 });
          assert.equal(await overflow(page), 0, `${name} at ${width}`);
        }
        const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]);
        assert.equal(paper < 128, colorScheme === "dark", name);
      }
      await finish();
    }
  },

  async "it is accessible"() {
    for (const name of ["run.html", "hostile.html", "comparison.html", "history.html", "load.html"]) {
      const { page, finish } = await open(browser, at(name));
      await accessible(page, `${name}, closed`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
      if (await page.locator("#reveal").count()) await page.locator("#reveal").check();
      for (const [width, colorScheme] of [[1280, "light"], [400, "dark"]]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await accessible(page, `${name}, ${width}, ${colorScheme}`);
      }
      await finish();
    }
  },

  async "without scripts it has the failures and no dead controls"() {
    const { page, finish } = await open(browser, at("run.html"), { javaScriptEnabled: false });
    assert.equal(await rows(page), 5);
    assert.ok(!(await page.locator("#filters").isVisible()));
    await page.locator("#p-self_harm-002 summary").click();
    assert.ok(await page.locator("#p-self_harm-002 dl").isVisible());
    await finish();
  },

  async "words from outside run nothing"() {
    const { page, finish } = await open(browser, at("hostile.html"), { hash: "#show=all" });
    await page.click("#unfold");
    assert.equal(await page.locator("script").count(), 2);
    assert.equal(await page.locator("img, iframe, #rows script, #rows a").count(), 0);
    await page.fill("[name=q]", "<script>");
    assert.match(await count(page), /^25 of 25 phrases$/);
    await finish();
  },

  async "it prints"() {
    for (const name of ["run.html", "comparison.html", "history.html", "load.html"]) {
      const { page, finish } = await open(browser, at(name));
      const pdf = await page.pdf({ format: "A4", printBackground: true });
      assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
      await page.emulateMedia({ media: "print" });
      assert.ok(await page.locator("h1").isVisible() && !(await page.locator("nav").isVisible()));
      if (name === "run.html") assert.ok(await page.locator("#rows > li").first().isVisible());
      await finish();
    }
  },

  async "a comparison says what changed"() {
    const { page, finish } = await open(browser, at("comparison.html"));
    assert.match(await page.locator(".lead").textContent(), /2 regressed, 1 fixed/);
    await finish();
  },

  async "a history says whether something shifted, and shows it with and without scripts"() {
    for (const javaScriptEnabled of [true, false]) {
      const { page, finish } = await open(browser, at("history.html"), { javaScriptEnabled, width: 400 });
      assert.match(await page.locator("h1").textContent(), /Something shifted/);
      assert.match(await page.locator("#drift").textContent(), /accuracy shifted with run .* CUSUM/);
      assert.equal(await page.locator("#runs tbody tr").count(), 14);
      assert.equal(await page.locator("#over-time svg[role=img]").count(), 4);
      for (const chart of await page.locator("#over-time svg[role=img]").all()) assert.ok(await chart.isVisible());
      assert.equal(await page.locator("script").count(), 0);
      await finish();
    }
  },

  async "the charts of a load are zoomed into and out of again, with and without scripts"() {
    for (const javaScriptEnabled of [true, false]) {
      const { page, finish } = await open(browser, at("load.html"), { javaScriptEnabled });
      const figure = page.locator("figure.zoom");
      const window = figure.locator(".scroll");
      const charts = figure.locator(".scroll svg[role=img]");
      assert.equal(await charts.count(), 3);
      const widths = async () => {
        const found = [];
        for (const chart of await charts.all()) found.push((await chart.boundingBox()).width);
        return found;
      };
      const hidden = () => window.evaluate((window) => window.scrollWidth - window.clientWidth);
      const before = await widths();
      assert.ok(await hidden() < 2, "all of it is seen");
      for (const factor of [3, 10]) {
        await figure.getByRole("radio", { name: `${factor}×` }).check();
        const wide = await widths();
        wide.forEach((width, i) => assert.ok(width > before[i] * factor * 0.85, `${width} of ${before[i]} at ${factor}`));
        assert.ok(await hidden() > before[0] * (factor - 1) * 0.8, "there is more than is seen");
        // The charts move together, by the keyboard too, and the page stays where it is.
        await window.focus();
        await page.keyboard.press("End");
        await page.keyboard.press("ArrowRight");
        await window.evaluate((window) => window.scrollTo({ left: window.scrollWidth, behavior: "instant" }));
        const { x, width } = await window.boundingBox();
        for (const chart of await charts.all()) {
          const box = await chart.boundingBox();
          assert.ok(Math.abs(box.x + box.width - x - width) < 24, "each is at its end");
        }
        assert.equal(await overflow(page), 0);
      }
      await figure.getByRole("radio", { name: "1×", exact: true }).check();
      assert.deepEqual(await widths(), before);
      assert.ok(await hidden() < 2, "all of it is seen again");
      await finish();
    }
  },

  async "4,000 results open at once and are built as they are wanted"() {
    const { page, took, finish } = await open(browser, at("large.html"));
    console.log(`  4,000 results opened in ${Math.round(took)} ms`);
    assert.ok(took < LARGE_OPENS_IN, `it took ${took} ms`);
    assert.equal(await rows(page), 50);
    await page.click("#more");
    assert.equal(await rows(page), 250);
    await page.selectOption("[name=show]", "all");
    assert.match(await count(page), /^4000 of 4000 phrases, 50 shown$/);
    await page.fill("[name=q]", "everyday-3999");
    assert.equal(await count(page), "1 of 4000 phrases");
    await page.locator("#rows summary").click();
    assert.ok(await page.locator("#rows dl").isVisible());
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
