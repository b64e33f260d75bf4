"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // Numbers as the page's own text writes them.
  const NB = "\u00a0", DASH = "\u2013";
  const grouped = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (share) => share === null ? DASH : `${(100 * share).toFixed(1)}${NB}%`;
  const bytes = (count) => grouped(count, Number.isInteger(count) ? 0 : 1);
  const storage = (count) => {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let step = 0;
    while (count >= 1000 && step < 4) { count /= 1000; step += 1; }
    return `${Number(count.toPrecision(3))}${NB}${units[step]}`;
  };
  const share = (part, whole) => part === whole ? "all" : part > whole ? percent(part / whole) : `1/${(whole / part).toFixed(1).replace(/\.0$/, "")}`;
  const short = (value) => `${Number(value.toPrecision(6))}`;

  // Theme: the system's, until a reader chooses.
  const remembered = { get: () => { try { return localStorage.getItem("evalsuite-theme"); } catch { return null; } },
    set: (name) => { try { localStorage.setItem("evalsuite-theme", name); } catch { /* a page on disk may not remember */ } } };
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const themed = () => { one("#theme").textContent = dark() ? "Light" : "Dark"; };
  if (["light", "dark"].includes(remembered.get())) root.dataset.theme = remembered.get();
  one("#theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; remembered.set(root.dataset.theme); themed(); });
  themed();

  // The rule: fewest bytes among the variants that keep enough and fit the budget.
  const rule = one("#rule");
  const sizes = data.choices.flatMap((choice) => choice.variants.map((variant) => variant[1]));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const budgetOf = (step) => step >= 100 ? Infinity : least * (most / least) ** (step / 100);
  const choose = (choice, minimum, budget, sure) => {
    const kept = (variant) => sure && variant[3] !== null ? variant[3] : variant[2];
    const fitting = choice.variants.filter((variant) => variant[1] <= budget + 1e-9);
    const enough = choice.variants.filter((variant) => kept(variant) >= minimum - 1e-9).sort((a, b) => a[1] - b[1] || b[2] - a[2]);
    return { chosen: enough.find((variant) => variant[1] <= budget + 1e-9), cheapest: enough[0],
      best: fitting.sort((a, b) => b[2] - a[2] || a[1] - b[1])[0] };
  };
  const interval = (variant) => variant[3] === null ? "" : ` [${(100 * variant[3]).toFixed(1)}, ${(100 * variant[4]).toFixed(1)}]`;
  const shortlist = (choice, chosen) => {
    const front = choice.variants.filter((variant) => variant[5]);
    const place = chosen ? front.filter((variant) => variant[1] < chosen[1]).length : front.length;
    const near = chosen ? front.slice(Math.max(0, place - 2), place + 3) : front.slice(-4);
    const full = choice.variants.filter((variant) => variant[0] === choice.full);
    const rows = [...new Set([...near, ...(chosen ? [chosen] : []), ...full])].sort((a, b) => a[1] - b[1] || a[2] - b[2]);
    const role = (variant) => variant === chosen ? "recommended" : variant[0] === choice.full ? "full quality"
      : !chosen ? "on the front" : variant[1] < chosen[1] ? "smaller" : "larger";
    return rows.map((variant) => {
      const name = make("th", { scope: "row" }, variant[0], make("span", { className: "remark" }, role(variant)));
      const cells = [percent(variant[2]), variant[3] === null ? DASH : `${(100 * variant[3]).toFixed(1)} to ${(100 * variant[4]).toFixed(1)}`,
        percent(variant[7]), bytes(variant[1]), share(variant[1], choice.bytes), storage(variant[1] * 1e6)];
      return make("tr", { className: variant === chosen ? "chosen" : "" }, name, ...cells.map((text) => make("td", {}, text)));
    });
  };
  const answer = (choice, card, minimum, budget, sure) => {
    const { chosen, cheapest, best } = choose(choice, minimum, budget, sure);
    const put = (field, text) => { one(`[data-field=${field}]`, card).textContent = text; };
    const wanted = `${short(100 * minimum)}${NB}%`;
    card.classList.toggle("none", !chosen);
    put("headline", chosen ? `${chosen[0] === choice.full ? "Keep" : "Ship"} ${chosen[0]}` : "Nothing fits this rule");
    if (chosen) {
      put("keeps", chosen[0] === choice.full ? "" : `${percent(chosen[2])}${interval(chosen)} of full quality at ${share(chosen[1], choice.bytes)} of the bytes`);
      const over = choice.tasks > 1 && chosen[7] !== null ? `Mean over ${choice.tasks} tasks; least on ${chosen[6]}, ${percent(chosen[7])}. ` : "";
      put("why", `${over}${bytes(chosen[1])} bytes per vector instead of ${bytes(choice.bytes)}: ${storage(chosen[1] * 1e6)} per million vectors instead of ${storage(choice.bytes * 1e6)}.`);
    } else {
      put("keeps", best ? `The best that fits is ${best[0]}: ${percent(best[2])}${interval(best)} at ${bytes(best[1])} bytes` : "No variant is that small");
      put("why", cheapest ? `To keep ${wanted} takes ${cheapest[0]}, ${bytes(cheapest[1])} bytes per vector.` : `No variant keeps ${wanted}.`);
    }
    const limit = budget === Infinity ? "" : `, among those of at most ${bytes(Math.floor(budget))} bytes`;
    const certain = sure ? "the lower end of the interval of " : "";
    put("rule", `Rule: the fewest bytes per vector where ${certain}the mean retention, averaged over tasks, is at least ${wanted} of full-width float32 (${choice.full})${limit}.`);
    one("tbody", card).replaceChildren(...shortlist(choice, chosen));
  };
  if (rule && sizes.length) {
    const [loss, budget, sure] = ["loss", "budget", "sure"].map((name) => rule.elements[name]);
    if (!data.choices.some((choice) => choice.variants.some((variant) => variant[3] !== null))) sure.closest("label").hidden = true;
    const show = () => {
      const limit = budgetOf(Number(budget.value));
      rule.elements.lossText.value = `${short(Number(loss.value))}${NB}%`;
      rule.elements.budgetText.value = limit === Infinity ? "no limit" : `${bytes(Math.floor(limit))} bytes`;
      budget.setAttribute("aria-valuetext", rule.elements.budgetText.value);
      loss.setAttribute("aria-valuetext", rule.elements.lossText.value);
    };
    const apply = () => {
      show();
      all("[data-choice]").forEach((card) => answer(data.choices[card.dataset.choice], card, 1 - Number(loss.value) / 100, budgetOf(Number(budget.value)), sure.checked));
    };
    const start = () => { loss.value = short(100 * (1 - data.minimum)); budget.value = 100; sure.checked = false; };
    start(); show();
    rule.addEventListener("input", apply);
    rule.addEventListener("reset", (event) => { event.preventDefault(); start(); apply(); });
    rule.addEventListener("submit", (event) => event.preventDefault());
  } else if (rule) rule.hidden = true;

  // Tables: sort by a column, filter rows, download.
  const textOf = (cell) => {
    const copy = cell.cloneNode(true);
    all(".remark, .bar, .mark", copy).forEach((extra) => extra.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const keyOf = (cell) => {
    const text = cell ? textOf(cell) : "";
    const [match, fraction] = [text.replace(/[,\u00a0 ]/g, "").replace("\u2212", "-").match(/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?/), text.match(/^1\/([\d.]+)$/)];
    const unit = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[(text.match(/\b(kB|MB|GB|TB)$/) || [])[1]] || 1;
    return fraction ? 1 / Number(fraction[1]) : match && !/^\d+\//.test(text) ? Number(match[0]) * unit : text === DASH || text === "" ? null : text.toLowerCase();
  };
  const order = (a, b) => a === null ? (b === null ? 0 : 1) : b === null ? -1
    : typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
  const csvOf = (table) => all("tr", table).filter((row) => !row.classList.contains("group") && !row.hidden)
    .map((row) => [...row.cells].map((cell) => `"${textOf(cell).replaceAll("\u00a0", " ").replace(/^(?=[=@]|[+-](?![\d.]))/, "'").replaceAll('"', '""')}"`).join(",")).join("\r\n");
  const download = (name, text) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const sortBy = (table, head) => {
    const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    all("tr.group", table).forEach((row) => row.remove());
    const rows = all("tbody tr", table).map((row, place) => [keyOf(row.cells[column]), place, row]);
    const missing = (entry) => entry[0] === null;
    rows.sort((a, b) => missing(a) || missing(b) ? order(a[0], b[0]) : (down ? -1 : 1) * order(a[0], b[0]) || a[1] - b[1]);
    const [first, ...others] = [...table.tBodies];
    first.append(...rows.map((entry) => entry[2]));
    others.forEach((body) => body.remove());
  };
  const equip = (table) => {
    const head = one("thead tr", table);
    if (!head || table.classList.contains("heat")) return;
    for (const cell of head.cells) {
      const button = make("button", { type: "button", className: "sort" });
      button.append(...cell.childNodes);
      button.addEventListener("click", () => sortBy(table, cell));
      cell.append(button);
    }
    const box = table.closest(".scroll"), name = box.getAttribute("aria-label") || "table";
    const tools = make("div", { className: "tools" });
    if (all("tbody tr", table).length > 5) {
      const input = make("input", { type: "search", placeholder: "Filter rows", "aria-label": `Filter rows: ${name}` });
      const count = make("output", { className: "count" });
      input.addEventListener("input", () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean), rows = all("tbody tr", table);
        rows.forEach((row) => { row.hidden = words.length > 0 && (row.classList.contains("group") || !words.every((word) => textOf(row).toLowerCase().includes(word))); });
        count.value = words.length ? `${rows.filter((row) => !row.hidden).length} rows` : "";
      });
      tools.append(input, count);
    }
    const button = make("button", { type: "button", className: "csv", "aria-label": `Download CSV: ${name}` }, "CSV");
    button.addEventListener("click", () => download(`${name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 80) || "table"}.csv`, csvOf(table)));
    tools.append(button);
    box.before(tools);
  };
  all(".scroll > table").forEach(equip);

  // Pointing at a figure: the nearest mark says what it is. Arrow keys walk from mark to mark.
  const tip = document.body.appendChild(make("div", { id: "tip", role: "status", hidden: true }));
  const say = (lines, x, y) => {
    tip.replaceChildren(...lines.map((line, place) => make(place ? "span" : "strong", {}, line)));
    tip.hidden = false;
    const room = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - room.width - 8))}px`;
    tip.style.top = `${y + 18 + room.height > innerHeight ? Math.max(8, y - room.height - 12) : y + 18}px`;
  };
  let again = null; // says a mark reached by keyboard anew, where the page has scrolled meanwhile
  const hide = () => { again = null; tip.hidden = true; all(".halo").forEach((halo) => halo.remove()); };
  const told = (panel, cell) => {
    const [name, , size, value, lower, upper, n, kept, ties] = cell;
    const lines = [name, `${panel.metric} ${value.toFixed(1)}${lower === null ? "" : ` [${lower.toFixed(1)}, ${upper.toFixed(1)}]`}`, `${bytes(size)} bytes per vector`];
    if (n !== null) lines.push(`n = ${grouped(n, 0)} ${panel.unit}`);
    if (kept !== null) lines.push(`keeps ${kept.toFixed(1)}${NB}%`);
    if (ties) lines.push(`ties across the cut-off: ${ties.toFixed(1)}${NB}%`);
    return lines;
  };
  all("[data-figure]").forEach((box) => {
    const svg = one("svg", box), panel = data.panels[box.dataset.panel], frame = (data.frames[box.dataset.figure] || [])[box.dataset.panel];
    if (!svg || !frame) return;
    const [left, top, width, height, x0, x1, y0, y1] = frame, upright = box.dataset.figure === "bytes" ? 2 : 1, kept = box.dataset.figure === "kept";
    const marks = panel.cells.filter((cell) => !kept || cell[7] !== null).map((cell) => [
      left + width * Math.log(cell[upright] / x0) / Math.log(x1 / x0), top + height * (1 - ((kept ? cell[7] : cell[3]) - y0) / (y1 - y0)), cell,
    ]).filter(([x, y]) => x >= left - 1 && x <= left + width + 1 && y >= top - 1 && y <= top + height + 1).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    if (!marks.length) return;
    const point = (mark) => {
      all(".halo").forEach((halo) => halo.remove());
      const halo = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [name, value] of [["class", "halo"], ["cx", mark[0]], ["cy", mark[1]], ["r", 7]]) halo.setAttribute(name, value);
      svg.append(halo);
      const place = halo.getBoundingClientRect();
      say(told(panel, mark[2]), place.left + place.width / 2, place.top + place.height / 2);
    };
    box.addEventListener("pointermove", (event) => {
      const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const far = (mark) => Math.hypot(mark[0] - spot.x, mark[1] - spot.y);
      const nearest = marks.reduce((a, b) => far(b) < far(a) ? b : a);
      hide();
      if (far(nearest) < 24) point(nearest);
    });
    box.addEventListener("pointerleave", hide);
    let place = -1;
    box.tabIndex = 0;
    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      place = (place + step + marks.length) % marks.length;
      again = () => point(marks[place]);
      again();
    });
    box.addEventListener("blur", hide);
  });
  all("svg.chart").forEach((svg) => {
    svg.addEventListener("pointerover", (event) => {
      const mark = event.target.closest("use"), title = mark?.querySelector("title"), who = mark?.parentNode.dataset.who;
      if (title) say([...(who ? [who] : []), title.textContent], event.clientX, event.clientY); else hide();
    });
    svg.addEventListener("pointerleave", hide);
  });
  addEventListener("scroll", () => again ? again() : hide(), { passive: true });

  // The explorer: queries that break.
  const explorer = one("#explorer");
  if (explorer && data.queries.length) {
    const [panels, variants] = ["panel", "variant"].map((name) => explorer.elements[name]);
    const fill = (select, names) => select.replaceChildren(...names.map((name, value) => make("option", { value }, name)));
    const isolated = (text) => make("bdi", { dir: "auto" }, text);
    const list = (panel, places, good) => {
      const items = places.map((place) => {
        const [id, text] = panel.docs[place], item = make("li", { title: text }, isolated(text || id));
        if (good.includes(place)) item.prepend(make("span", { className: "good" }, "✓ "), make("span", { className: "unseen" }, "relevant: "));
        return item;
      });
      return make("td", { className: "docs" }, places.length ? make("ol", {}, ...items) : DASH);
    };
    const render = () => {
      const panel = data.queries[panels.value], [name, worse, better, total, queries] = panel.variants[variants.value];
      one("#broken-summary").textContent = `At ${name}, ${grouped(worse, 0)} of ${grouped(total, 0)} ${panel.pairs ? "pairs" : "queries"} lose and ${grouped(better, 0)} gain. The ${queries.length} that lose most:`;
      one("#broken tbody").replaceChildren(...queries.map(([id, text, before, after, loss, first, then, good]) => make("tr", {},
        make("th", { scope: "row" }, isolated(text || id), text ? make("span", { className: "remark" }, isolated(id)) : ""),
        make("td", {}, before.toFixed(1)), make("td", {}, after.toFixed(1)), make("td", {}, loss.toFixed(1)),
        list(panel, first, good), list(panel, then, good))));
    };
    const offer = () => {
      const panel = data.queries[panels.value];
      fill(variants, panel.variants.map((variant) => variant[0]));
      variants.value = panel.first;
      render();
    };
    fill(panels, data.queries.map((panel) => panel.name));
    panels.addEventListener("change", offer);
    variants.addEventListener("change", render);
    explorer.addEventListener("submit", (event) => event.preventDefault());
    offer();
  }

  // Commands can be copied; everything unfolds for the printer.
  all(".copy").forEach((button) => button.addEventListener("click", async () => {
    const code = button.previousElementSibling;
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(code); button.textContent = "Selected"; }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }));
  addEventListener("beforeprint", () => all("details:not([open])").forEach((part) => { part.open = true; part.dataset.closed = ""; }));
  addEventListener("afterprint", () => all("details[data-closed]").forEach((part) => { part.open = false; delete part.dataset.closed; }));
})();
