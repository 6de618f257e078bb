// Opens reports from a disk in headless Chromium, with the network off. Environment: PAGES (files with commas between),
// DRIVER (a folder with node_modules), PROFILE (a fresh folder), PICTURES (where screenshots are kept).
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const { PAGES, DRIVER, PROFILE, PICTURES } = process.env;
const require = createRequire(join(DRIVER, "node_modules/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const CHARTS_MIN = 3;

const faults = [];
const fault = (what) => faults.push(what);
mkdirSync(PICTURES, { recursive: true });

const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const look = async (page, file, name) => {
  const lang = /_ru\./.test(file) ? "ru" : "en";
  await page.goto(pathToFileURL(file).href);
  const found = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    first: document.querySelector("main section, section")?.textContent ?? "",
    charts: [...document.querySelectorAll("figure svg")].map((svg) => {
      const box = svg.getBoundingClientRect();
      const drawn = svg.querySelectorAll("path, polyline, line, rect, circle").length;
      return { title: svg.querySelector("title")?.textContent, desc: svg.querySelector("desc")?.textContent,
        drawn, seen: box.width > 100 && box.height > 50, twin: !!svg.closest("figure").querySelector("table") || !!svg.closest("figure").nextElementSibling?.querySelector("table") };
    }),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  if (found.lang !== lang) fault(`${name}: the language is ${found.lang}`);
  if (found.charts.length < CHARTS_MIN) fault(`${name}: ${found.charts.length} charts`);
  for (const chart of found.charts) {
    if (!chart.title || !chart.desc || !chart.twin || chart.drawn < 3 || !chart.seen) fault(`${name}: a chart lacks something: ${JSON.stringify(chart)}`);
  }
  if (found.wide > 0) fault(`${name}: ${found.wide} px wider than the window`);
  await page.evaluate(`${axe}; 0`);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) fault(`${name}: axe ${impact} ${id}: ${nodes.slice(0, 3).map((n) => n.html).join(" | ")}`);
  }
  const picture = join(PICTURES, `${name}.png`);
  await page.screenshot({ path: picture, fullPage: true });
  if (statSync(picture).size < 20_000) fault(`${name}: nothing to see`);
};

const sights = [
  ["light", { viewport: { width: 1280, height: 900 }, colorScheme: "light" }],
  ["dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
  ["narrow", { viewport: { width: 390, height: 800 }, colorScheme: "light" }],
];
for (const [sight, more] of sights) {
  const context = await chromium.launchPersistentContext(join(PROFILE, sight), { executablePath: "/usr/bin/chromium", args, offline: true, ...more });
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("console", (said) => said.type() === "error" && fault(`console of ${page.url()}: ${said.text()}`));
  page.on("pageerror", (cause) => fault(`script of ${page.url()}: ${cause.message}`));
  page.on("request", (asked) => asked.url().startsWith("file:") || fault(`a page asks elsewhere: ${asked.url()}`));
  for (const file of PAGES.split(",")) await look(page, file, `${basename(file, ".html")}-${sight}`);
  if (sight === "light") {
    // On paper nothing is folded away or cut off.
    await page.emulateMedia({ media: "print" });
    await page.screenshot({ path: join(PICTURES, "print.png"), fullPage: true });
  }
  await context.close();
}
if (faults.length) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log("every report was seen");
