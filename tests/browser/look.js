// Opens report pages in headless Chromium and prints what a reader would find there, as JSON.
// Usage: node look.js CHROMIUM REPORT.html HOSTILE.html
"use strict";
const fs = require("node:fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [executablePath, report, hostile] = process.argv.slice(2);
const address = (file) => `file://${file}`;

async function open(browser, file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const found = { errors: [], requests: [], dialogs: 0 };
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) found.errors.push(message.text()); });
  page.on("pageerror", (error) => found.errors.push(error.message));
  page.on("request", (request) => { if (request.url() !== address(file)) found.requests.push(request.url()); });
  page.on("dialog", (dialog) => { found.dialogs += 1; dialog.dismiss(); });
  await page.goto(address(file));
  return { page, found, close: () => context.close() };
}

// The page's policy forbids foreign scripts, so axe comes in through the debugger, which is not bound by it.
async function accessibility(browser, file, options) {
  const { page, close } = await open(browser, file, { ...options, bypassCSP: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  await close();
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`).join(" | ")}`);
}

const text = (page, selector) => page.locator(selector).first().innerText();
const slide = (page, name, value) => page.locator(`#rule [name=${name}]`).evaluate((input, to) => {
  input.value = to;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}, String(value));

async function rule(page) {
  const read = async () => ({ headline: await text(page, "[data-field=headline]"), rule: await text(page, "[data-field=rule]"),
    keeps: await text(page, "[data-field=keeps]"), why: await text(page, "[data-field=why]"),
    rows: await page.locator(".advice tbody").first().locator("tr").allInnerTexts() });
  const seen = { start: await read() };
  await slide(page, "loss", 20);
  seen.loose = await read();
  await slide(page, "loss", 0.5);
  await slide(page, "budget", 0);
  seen.tight = await read();
  await page.locator("#rule [name=sure]").check();
  await slide(page, "budget", 100);
  await slide(page, "loss", 2);
  seen.sure = await read();
  await page.locator("#rule button").click();
  seen.reset = await read();
  return seen;
}

async function tables(page) {
  const table = page.locator("section:has(#variants) table").first();
  const tools = page.locator("section:has(#variants) .tools").first();
  const column = () => table.locator("tbody tr:visible td:nth-child(2)").allInnerTexts();
  const button = table.locator("thead button").nth(1);
  const seen = { before: await column() };
  await button.click();
  seen.rising = await column();
  await button.click();
  seen.falling = await column();
  seen.said = await table.locator("thead th").nth(1).getAttribute("aria-sort");
  await tools.locator("input").fill("binary");
  seen.filtered = await table.locator("tbody tr:visible th").allInnerTexts();
  seen.count = await tools.locator("output").innerText();
  const [download] = await Promise.all([page.waitForEvent("download"), tools.locator(".csv").click()]);
  seen.file = download.suggestedFilename();
  seen.csv = fs.readFileSync(await download.path(), "utf8");
  return seen;
}

async function figures(page) {
  const boxes = await page.locator("[role=img]").evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => {
    const { width, height } = one.querySelector("svg").getBoundingClientRect();
    return { figure: one.dataset.figure || "chart", width, height, words: one.getAttribute("aria-label").length };
  }));
  const first = page.locator("[data-figure=bytes]").first();
  await first.scrollIntoViewIfNeeded();
  await first.focus();
  await page.keyboard.press("ArrowRight");
  const keyed = await text(page, "#tip");
  const halo = await page.locator(".halo").boundingBox();
  await page.keyboard.press("Escape");
  const hidden = await page.locator("#tip").isHidden();
  await page.mouse.move(halo.x + halo.width / 2 + 1, halo.y + halo.height / 2 + 1);
  const pointed = await text(page, "#tip");
  const chart = page.locator("section:has(#spread) svg.chart use:has(title)").first();
  let told = "";
  if (await chart.count()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.hover({ force: true });
    told = await text(page, "#tip");
  }
  return { boxes, keyed, hidden, pointed, told };
}

async function explorer(page) {
  if (!await page.locator("#explorer").count()) return null;
  const read = async () => ({ summary: await text(page, "#broken-summary"), rows: await page.locator("#broken tbody tr").allInnerTexts() });
  const seen = { first: await read() };
  await page.locator("#explorer [name=panel]").selectOption({ index: 1 });
  seen.panel = await read();
  await page.locator("#explorer [name=variant]").selectOption({ index: 0 });
  seen.variant = await read();
  return seen;
}

async function theme(page) {
  const read = () => page.evaluate(() => ({ chosen: document.documentElement.dataset.theme || "",
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.documentElement).getPropertyValue("--fig-ink").trim() }));
  const before = await read();
  await page.locator("#theme").click();
  return { before, after: await read() };
}

async function main() {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const seen = {};
  const { page, found, close } = await open(browser, report, { colorScheme: "light" });
  seen.rule = await rule(page);
  seen.tables = await tables(page);
  seen.figures = await figures(page);
  seen.explorer = await explorer(page);
  seen.theme = await theme(page);
  await page.emulateMedia({ media: "print" });
  seen.printed = { tools: await page.locator(".tools:visible, .live:visible").count(), paper: await page.evaluate(() => getComputedStyle(document.body).backgroundColor) };
  seen.found = found;
  await close();

  const paper = await open(browser, report, { viewport: { width: 718, height: 1047 }, colorScheme: "dark" });
  await paper.page.emulateMedia({ media: "print" });
  seen.printed.width = await paper.page.evaluate(() => document.documentElement.scrollWidth);
  await paper.close();

  const phone = await open(browser, report, { viewport: { width: 390, height: 844 } });
  seen.phone = await phone.page.evaluate(() => document.documentElement.scrollWidth);
  await phone.close();

  const still = await open(browser, report, { javaScriptEnabled: false });
  seen.still = { headline: await text(still.page, "[data-field=headline]"), controls: await still.page.locator(".live:visible").count(),
    drawings: await still.page.locator("[role=img] svg:visible").count(), tables: await still.page.locator("table:visible").count(),
    broken: await still.page.locator("#broken tbody tr:visible").count() };
  await still.close();

  const odd = await open(browser, hostile);
  seen.hostile = { ...odd.found, text: await odd.page.evaluate(() => document.body.innerText), scripts: await odd.page.locator("script").count(), title: await odd.page.title(),
    broken: await odd.page.locator("#broken tbody tr").first().innerText() };
  await odd.close();

  seen.axe = { light: await accessibility(browser, report, { colorScheme: "light" }), dark: await accessibility(browser, report, { colorScheme: "dark" }),
    phone: await accessibility(browser, report, { viewport: { width: 390, height: 844 }, colorScheme: "light" }) };
  await browser.close();
  console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error); process.exit(1); });
