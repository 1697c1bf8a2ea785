// Looks at every page as .ci/page serves it: axe, the console, the policy, a walk by keyboard.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import puppeteer from "puppeteer-core";

const base = process.argv[2].replace(/\/$/, "");
// What is searched for: something that finds more pictures than one page shows.
const query = process.argv[3] ?? "turtle";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// HTML, styles and scripts of the first page, compressed, in bytes.
const LIGHT = 60_000;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  userDataDir: process.env.PROFILE,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const wrong = [];
const fail = (what) => {
  console.log(`wrong: ${what}`);
  wrong.push(what);
};
const must = (right, what) => right || fail(what);

// A page that notes whatever goes wrong on it.
async function open(name, { width = 1440, theme = "light", script = true } = {}) {
  const page = await browser.newPage();
  page.on("console", (m) => m.type() === "error" && !/status of 4\d\d/.test(m.text()) && fail(`${name}: ${m.text()}`));
  page.on("pageerror", (e) => fail(`${name}: ${e.message}`));
  page.on("request", (r) => {
    if (!r.url().startsWith(base) && !/^(data|blob|about):/.test(r.url())) fail(`${name}: asks ${r.url()}`);
  });
  page.on("response", (r) => r.status() >= 500 && fail(`${name}: ${r.status()} ${r.url()}`));
  await page.evaluateOnNewDocument(() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  return page;
}

const go = (page, path) => page.goto(base + path, { waitUntil: "networkidle0" });
// A hit notes the place in the history first, which is a navigation too: so the address is waited for.
async function follow(page, act, path) {
  await act();
  await page.waitForFunction((path) => location.pathname.startsWith(path) && document.readyState === "complete", {}, path);
  await page.waitForNetworkIdle();
}
const count = (page) => page.$$eval(".hits .grid > li", (all) => all.length);

async function first(page, selector) {
  await go(page, "/");
  return page.$eval(selector, (link) => link.getAttribute("href"));
}

// Every page, light and dark, wide and narrow.
const scout = await open("scout");
const asset = await first(scout, ".grid a");
await go(scout, "/runs");
const run = await scout.$eval("tbody a", (link) => link.getAttribute("href"));
await scout.close();
const paths = ["/", "/?q=turtle", "/?q=nothinglikeit", "/?q=%22open", asset, "/collections", "/review", "/runs", run, "/help", "/keys", "/upload", "/login", "/nowhere"];
for (const path of paths) {
  for (const theme of ["light", "dark"]) {
    for (const width of [1440, 900, 360]) {
      const name = `${path} ${theme} ${width}`;
      const page = await open(name, { width, theme });
      await go(page, path);
      const found = await page.evaluate(`${axe}; axe.run(document)`);
      for (const fault of found.violations) {
        const where = fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ");
        if (["serious", "critical"].includes(fault.impact)) fail(`${name}: ${fault.id}: ${where}`);
        else console.log(`${name}: ${fault.impact} ${fault.id}: ${where}`);
      }
      for (const refused of await page.evaluate(() => window.refused)) fail(`${name}: policy: ${refused}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      must(over <= 0, `${name}: scrolls sideways by ${over}`);
      await page.close();
    }
  }
}
console.log(`${paths.length} pages looked at, light and dark, at three widths`);

// By keyboard: to the box, a search, a hit, back to the same place.
{
  const page = await open("keyboard");
  await go(page, "/");
  const focused = (selector) => page.evaluate((s) => document.activeElement.matches(s), selector);
  for (let tab = 0; tab < 4 && !(await focused("#q")); tab++) await page.keyboard.press("Tab");
  must(await focused("#q"), "keyboard: four tabs do not reach the search");
  await page.keyboard.type(query);
  await Promise.all([page.waitForNavigation({ waitUntil: "networkidle0" }), page.keyboard.press("Enter")]);
  must(page.url().includes("q="), `keyboard: Enter leads to ${page.url()}`);
  const before = await count(page);
  // Down until more hits came.
  for (let i = 0; i < 40 && (await count(page)) <= before; i++) {
    await page.keyboard.press("End");
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const loaded = await count(page);
  const more = await page.$(".more");
  must(loaded > before || !more, `keyboard: ${before} hits and no more of them`);
  await page.waitForNetworkIdle();
  await page.evaluate(() => [...document.querySelectorAll(".hits .grid a")].at(-5).focus());
  await page.keyboard.press("Tab");
  await new Promise((resolve) => setTimeout(resolve, 400));
  const top = await page.evaluate(() => scrollY);
  const chosen = await page.evaluate(() => document.activeElement.dataset.asset);
  const there = await count(page);
  await follow(page, () => page.keyboard.press("Enter"), "/assets/");
  must(page.url().includes("/assets/"), `keyboard: a hit leads to ${page.url()}`);
  must(await page.$eval(".steps", (steps) => !steps.hidden), "keyboard: the asset does not know its hits");
  // A page that the browser kept whole fires no event that `goBack` waits for.
  await page.evaluate(() => history.back());
  await page.waitForFunction(() => location.search.includes("q=") && document.querySelector(".hits .grid a"));
  await new Promise((resolve) => setTimeout(resolve, 500));
  must((await count(page)) >= there, `back: ${await count(page)} hits of ${there}`);
  const now = await page.evaluate(() => scrollY);
  must(Math.abs(now - top) < 40, `back: at ${now}, not ${top}`);
  must((await page.evaluate(() => document.activeElement.dataset?.asset)) === chosen, "back: the hit is not focused");
  console.log(`by keyboard: ${loaded} hits loaded, back at ${now} of ${top}`);
  await page.close();
}

// A restoration lies beside its original; with scripts, over it, and arrow keys move what parts them.
for (const script of [true, false]) {
  const page = await open(`restoration ${script ? "with" : "without"} script`, { script });
  await go(page, "/?q=is:restored");
  const link = await page.$(".grid a");
  if (link) {
    await go(page, await link.evaluate((link) => link.getAttribute("href")));
    const lefts = await page.$$eval(".restoration .pair figure", (all) => all.map((one) => one.getBoundingClientRect().left));
    must(lefts.length === 2, `restoration: ${lefts.length} pictures`);
    must((lefts[0] === lefts[1]) === script, `restoration: pictures at ${lefts}`);
    if (script) {
      const cut = () => page.$eval(".pair figure + figure", (figure) => figure.style.getPropertyValue("--cut"));
      await page.focus(".pair input");
      await page.keyboard.press("ArrowRight");
      must((await cut()) === "51%", `restoration: the arrow moves to ${await cut()}`);
      must((await page.evaluate(() => window.refused)).length === 0, "restoration: the policy refuses something");
    }
  }
  await page.close();
}

// The picture can be looked into by keys, and the theme stays chosen.
{
  const page = await open("plate");
  await go(page, "/?q=collection:large");
  const large = await page.$(".grid a");
  if (large) await follow(page, () => large.click(), "/assets/");
  else await go(page, asset);
  let tiles = 0;
  page.on("response", (r) => r.url().includes("/iiif/") && r.ok() && (tiles += 1));
  await page.focus(".stage.live");
  const wide = () => page.$eval(".plate", (plate) => plate.getBoundingClientRect().width);
  const fitted = await wide();
  for (let i = 0; i < 6; i++) await page.keyboard.press("+");
  await page.keyboard.press("ArrowRight");
  for (let i = 0; i < 50 && !tiles; i++) await new Promise((resolve) => setTimeout(resolve, 200));
  must((await wide()) > fitted * 1.5, "plate: plus does not come closer");
  must(tiles > 0, "plate: no tile was fetched");
  await page.keyboard.press("0");
  await new Promise((resolve) => setTimeout(resolve, 100));
  must(Math.abs((await wide()) - fitted) < 2, "plate: 0 does not fit it in");
  await page.click(".theme");
  await go(page, "/help");
  must((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "theme: not kept");
  console.log(`looked into a picture: ${tiles} tiles`);
  await page.close();
}

// Without a script: search, narrow down, go on.
{
  const page = await open("without script", { script: false });
  await go(page, "/");
  const heights = await page.$$eval(".grid li", (all) => all.map((li) => li.getBoundingClientRect().height));
  must(heights.length > 0 && heights.every((height) => height > 80), "without script: the grid has no rows");
  await page.type("#q", query);
  await Promise.all([page.waitForNavigation(), page.click(".find button")]);
  must(page.url().includes("q="), "without script: no search");
  if (await page.$(".more a")) {
    const start = await page.$eval(".grid a", (link) => link.href);
    await Promise.all([page.waitForNavigation(), page.click(".more a")]);
    must((await page.$eval(".grid a", (link) => link.href)) !== start, "without script: more are the same");
  }
  const facet = await page.$(".facet a");
  if (facet) {
    await Promise.all([page.waitForNavigation(), facet.click()]);
    must(await page.$(".chips a"), "without script: no chip after narrowing down");
  }
  await page.close();
}

// The weight of the first page.
{
  const html = await (await fetch(`${base}/`, { headers: { accept: "text/html" } })).text();
  const loads = [...html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((match) => match[1]);
  const texts = await Promise.all(loads.map(async (path) => (await fetch(base + path)).text()));
  const weight = [html, ...texts].reduce((sum, text) => sum + gzipSync(text).length, 0);
  must(weight < LIGHT, `the first page weighs ${weight} bytes`);
  console.log(`the first page: ${weight} bytes of HTML, styles and scripts, compressed`);
}

await browser.close();
console.log(wrong.length ? `${wrong.length} things are wrong` : "nothing is wrong");
process.exit(wrong.length ? 1 : 0);
