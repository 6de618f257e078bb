// Watches a run while it lives: whatever is drawn anew, nothing that is there already moves by itself. Environment: that of
// desk.mjs, RUN (its address), LIVE_S (how long it is watched), HALO_SCREENSHOTS (where a picture is kept, if anywhere).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BASE, end, enter, fault, open } from "./desk.mjs";

const { RUN, HALO_SCREENSHOTS: PICTURES } = process.env;
const LIVE_MS = Number(process.env.LIVE_S ?? 15) * 1000;

// Shifts with what moved, and whence to where.
const observe = () => {
  window.shifts = [];
  const box = ({ x, y, width, height }) => [x, y, width, height].map((px) => px.toFixed(1)).join(" ");
  const name = (node) => (node ? `${node.nodeName}.${node.className ?? ""} "${node.textContent.trim().slice(0, 40)}" in ${node.parentElement?.nodeName}.${node.parentElement?.className}` : "something");
  // A row that only keeps a place free shows nothing: where it gives way to another, nobody sees a jump.
  const empty = ({ sources }) => sources.length > 0 && sources.every(({ node }) => node?.classList?.contains("void"));
  new PerformanceObserver((list) => list.getEntries().filter((entry) => !entry.hadRecentInput && !empty(entry)).forEach(({ value, sources }) => {
    window.shifts.push(`${value.toFixed(6)}: ${sources.map((it) => `${name(it.node)} ${box(it.previousRect)} -> ${box(it.currentRect)}`).join("; ")}`);
  })).observe({ type: "layout-shift", buffered: true });
};

const watch = async (name, more) => {
  const { context, page } = await open(name, { timezoneId: "Europe/Moscow", ...more });
  await enter(page);
  await page.addInitScript(observe);
  await page.goto(`${BASE}${RUN}`);
  await page.waitForSelector(".tiles");
  let drawings = 0, last = "";
  const until = Date.now() + LIVE_MS;
  while (Date.now() < until) {
    await page.waitForTimeout(500);
    const now = await page.textContent("main");
    if (now !== last) drawings += 1;
    last = now;
  }
  const shifts = await page.evaluate(() => window.shifts);
  for (const shift of shifts.slice(0, 12)) fault(`${name}: ${shift}`);
  // Where nothing is drawn, nothing can jump.
  if (drawings < LIVE_MS / 5000) fault(`${name}: drawn ${drawings} times only`);
  if ((await page.locator("h1 .chip.on").count()) !== 1) fault(`${name}: the run does not live any more`);
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `live-${name}.png`), fullPage: true });
  await context.close();
  return drawings;
};

if (PICTURES) mkdirSync(PICTURES, { recursive: true });
const drive = () => Promise.all([
  watch("desk", { viewport: { width: 1280, height: 900 }, locale: "en-GB" }),
  watch("phone", { viewport: { width: 390, height: 844 }, locale: "ru-RU", hasTouch: true }),
]);
const drawings = await drive().catch((cause) => fault(cause.stack));
end(`nothing moved while it was drawn ${drawings} times`);
