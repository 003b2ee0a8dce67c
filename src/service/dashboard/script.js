"use strict";
(() => {
  // A browser opens only a few connections to one place; the others are seen when something has changed.
  const MOST = 2, ASK_EVERY = 15000, ASK_AGAIN = 2000;

  // How far something is: counted from its events, of which the first that come are those that were.
  const follow = (place) => {
    const bar = place.querySelector("progress"), said = place.querySelector(".said"), told = place.querySelector(".told");
    let planned = 0, done = 0, judged = 0, passed = 0, unanswered = 0, load = false, missed = false, drawing = 0, quarter = 0;
    const words = () => {
      if (load) return `${Math.round(done / 1000)} of ${Math.round(planned / 1000)} s of load`;
      const more = missed || !judged ? "" : `, ${passed} of ${judged} right${unanswered ? `, ${unanswered} unanswered` : ""}`;
      return `${done} of ${planned} phrases${more}`;
    };
    const draw = () => {
      drawing = 0;
      if (!planned) return;
      bar.max = planned;
      bar.value = Math.min(done, planned);
      said.textContent = words();
      const now = Math.floor(4 * done / planned);
      if (now > quarter && now < 4) told.textContent = words();
      quarter = now;
    };
    const source = new EventSource(place.dataset.events);
    const on = (name, take) => source.addEventListener(name, (event) => {
      take(JSON.parse(event.data));
      drawing ||= requestAnimationFrame(draw);
    });
    const begin = (count, isLoad = false) => {
      planned = count;
      done = judged = passed = unanswered = quarter = 0;
      load = isLoad;
    };
    on("began", () => { said.textContent = "it begins"; });
    on("started", (event) => begin(event.planned));
    on("idle_started", (event) => begin(event.planned));
    on("load_started", (event) => begin(event.planned_ms, true));
    on("extended", (event) => { planned += event.more; });
    on("observed", (event) => {
      done += 1;
      judged += event.verdict ? 1 : 0;
      passed += event.verdict === "exact" || event.verdict === "tolerated" ? 1 : 0;
      unanswered += event.no_answer ? 1 : 0;
    });
    on("idle_observed", () => { done += 1; });
    on("load_second", (event) => { done = 1000 * (event.at_s + event.length_s); });
    on("missed", (event) => {
      missed = true;
      planned ||= bar.max > 1 ? bar.max : 0;
      done += event.missed;
    });
    on("ended", (event) => {
      source.close();
      said.textContent = told.textContent = `It is over: ${event.state}.`;
      location.reload();
    });
  };
  [...document.querySelectorAll("[data-events]")].slice(0, MOST).forEach(follow);

  // What is being asked while the page is shown.
  const asked = document.querySelector("[data-ready]");
  const ask = async () => {
    const response = await fetch(asked.dataset.ready).catch(() => null);
    const looks = await response?.json().catch(() => null);
    if (!looks?.target) return setTimeout(ask, ASK_AGAIN);
    for (const place of asked.querySelectorAll("[data-look]")) {
      const { state, detail } = looks[place.dataset.look];
      const [tone, sign] = { ok: ["good", "✓"], failed: ["bad", "✗"], none: ["plain", "–"] }[state];
      const mark = place.closest("li").querySelector(".mark");
      mark.className = `mark ${tone}`;
      mark.textContent = sign;
      place.textContent = detail ?? "none is wanted";
    }
  };
  if (asked) ask();

  // Whether something came or went since. Nobody loses what they are at: it waits until they are at nothing.
  const queue = document.querySelector("[data-runs]");
  const look = async () => {
    if (document.hidden) return;
    const response = await fetch(queue.dataset.runs).catch(() => null);
    const page = response?.ok ? await response.json().catch(() => null) : null;
    const seen = page?.runs.map((run) => `${run.id}:${run.state}`).join(" ");
    if (page && seen !== queue.dataset.seen && document.activeElement === document.body) location.reload();
  };
  if (queue) setInterval(look, ASK_EVERY);
})();
