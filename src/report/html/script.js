"use strict";
(async () => {
  const find = (selector, within = document) => within.querySelector(selector);
  const list = find("#rows"), form = find("#filters"), count = find("#count"), more = find("#more");
  // Base64 of a zlib stream of JSON.
  const packed = Uint8Array.from(atob(find("#data").textContent), (sign) => sign.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = await new Response(unpacked).json();
  const FIRST = 50, STEP = 200;

  // A row is what the page holds already, or what is built when it is wanted.
  // It is an array: a value in each facet, its flags, its id, its text, and words or their places in a list.
  const FLAGS = data.facets.length;
  const word = (value) => typeof value === "number" ? data.words[value] :
    Array.isArray(value) ? value.map(word).join("") : value;
  const anchor = (id) => "p-" + [...id].slice(0, 120).join("").replace(/[^\w.~-]/gu, "_");
  const ready = [...list.children];
  const rows = ready.map((element, at) => {
    const values = data.ready[at];
    return { values, flags: values[FLAGS], element, id: element.id, text: element.textContent.toLowerCase() };
  });
  const taken = new Set(ready.map((element) => element.id));
  for (const row of data.rows) {
    const name = row[FLAGS + 1];
    const id = taken.has(anchor(name)) ? "" : anchor(name);
    taken.add(id);
    rows.push({ values: row, flags: row[FLAGS], id, row });
  }

  const make = (tag, content, attributes = {}) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...[content].flat());
    return element;
  };
  // The same as `Row::html` makes.
  const build = ({ row, flags, id }) => {
    const [name, text, ...cells] = row.slice(FLAGS + 1);
    const facts = cells.splice(4);
    const summary = make("summary", [make("b", name)]);
    summary.append(...[data.facets[1][1][row[1]], ...cells].map((cell) => make("i", word(cell))));
    const parts = [summary];
    if (text !== null) parts.push(make("p", make("q", text)));
    parts.push(make("dl", facts.map((fact, at) => make(at % 2 ? "dd" : "dt", word(fact)))));
    const severe = flags & 1 << data.flags.indexOf("severe miss") ? " severe" : "";
    return make("li", make("details", parts), { class: data.facets[0][1][row[0]] + severe, ...(id && { id }) });
  };
  const element = (row) => row.element ??= build(row);
  const words = (row) => row.text ??= row.row.slice(FLAGS + 1).map(word).join(" ").toLowerCase();

  // What is shown: the form's values, which the URL holds too.
  const fields = [...form.elements].filter((field) => field.name);
  const state = () => fields.filter((field) => field.value).map((field) => [field.name, field.value]);
  const FAILED = new Set(["under", "over", "unanswered"].map((name) => data.facets[0][1].indexOf(name)));
  const matcher = () => {
    const wanted = Object.fromEntries(state());
    const tests = data.facets.flatMap(([key, names], at) => {
      if (key === "show" && !wanted.show) return [(row) => FAILED.has(row.values[at])];
      if (!wanted[key] || wanted[key] === "all") return [];
      const value = names.indexOf(wanted[key]);
      return [(row) => row.values[at] === value];
    });
    if (wanted.flag) {
      const bit = 1 << data.flags.indexOf(wanted.flag);
      tests.push((row) => row.flags & bit);
    }
    const query = (wanted.q ?? "").trim().toLowerCase();
    if (query) tests.push((row) => words(row).includes(query));
    return (row) => tests.every((test) => test(row));
  };

  let matching = [], shown = 0;
  const show = (upTo) => {
    const added = matching.slice(shown, upTo).map(element);
    list.append(...added);
    shown += added.length;
    const rest = matching.length - shown;
    more.hidden = rest === 0;
    more.textContent = `Show ${Math.min(STEP, rest)} more of ${rest}`;
    count.textContent = `${matching.length} of ${rows.length} phrases` + (rest ? `, ${shown} shown` : "");
    return added[0];
  };
  const filter = () => {
    matching = rows.filter(matcher());
    list.replaceChildren();
    shown = 0;
    show(FIRST);
  };

  // The URL: `#show=under&category=x&open=p-id` is a state, `#p-id` a phrase, anything else a place on the page.
  let opened = "";
  const remember = () => {
    const parts = opened ? [...state(), ["open", opened]] : state();
    const hash = parts.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
    history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  };
  const set = (wanted) => {
    for (const field of fields) {
      field.value = wanted.get(field.name) ?? "";
      // A value that this run does not know would leave nothing chosen.
      if (field.selectedIndex === -1) field.value = "";
    }
    filter();
  };
  const reveal = (id) => {
    const row = rows.find((row) => row.id === id);
    if (!row) return false;
    if (!matching.includes(row)) set(new Map([["show", "all"]]));
    show(matching.indexOf(row) + 1);
    const details = find("details", element(row));
    details.open = true;
    opened = id;
    element(row).scrollIntoView();
    find("summary", details).focus({ preventScroll: true });
    return true;
  };
  const read = (followed) => {
    let hash = location.hash.slice(1);
    if (hash.startsWith("p-")) {
      try { hash = decodeURIComponent(hash); } catch { /* a stray percent sign is no phrase */ }
      reveal(hash);
    } else if (hash.includes("=")) {
      const wanted = new URLSearchParams(hash.replaceAll("+", "%2B"));
      opened = "";
      set(wanted);
      if (reveal(wanted.get("open"))) return;
      find("#failures").scrollIntoView();
      if (followed) find("#failures-title").focus({ preventScroll: true });
    } else if (!followed) {
      // The browser went there before the list became shorter.
      document.getElementById(hash)?.scrollIntoView();
    }
  };

  form.hidden = count.hidden = false;
  filter();
  form.addEventListener("input", () => { opened = ""; filter(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  find("#clear").addEventListener("click", () => { opened = ""; set(new Map()); remember(); });
  find("#unfold").addEventListener("click", ({ target }) => {
    const open = target.getAttribute("aria-pressed") === "false";
    target.setAttribute("aria-pressed", String(open));
    target.textContent = open ? "Close all" : "Open all shown";
    for (const details of list.querySelectorAll("details")) details.open = open;
  });
  // Each phrase has a switch of its own, as soon as its row is open.
  list.addEventListener("toggle", ({ target }) => {
    const phrase = find("p", target);
    if (!phrase || find("label", target)) return;
    phrase.before(make("label", [make("input", [], { type: "checkbox" }), "Show the phrase"]));
  }, true);
  more.addEventListener("click", () => find("summary", show(shown + STEP)).focus());
  list.addEventListener("click", ({ target }) => {
    const summary = target.closest("summary");
    if (!summary) return;
    opened = summary.parentElement.open ? "" : summary.closest("li").id;
    remember();
  });
  addEventListener("hashchange", () => read(true));
  read(false);
})();
