// Drives the admin page in headless Chromium. Environment: BASE, KEY, LIST (a CSV), DRIVER (a folder with node_modules),
// PROFILE (a fresh folder), SOON_MS (whatever is waited for has come by then), HALO_SCREENSHOTS (where pictures are kept, if anywhere).
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BASE, end, enter, fault, open, require } from "./desk.mjs";

const { LIST, HALO_SCREENSHOTS: PICTURES } = process.env;
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SIZES_MAX = 6;
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

// Six sizes of type, spaces in steps of 4 px, nothing wider than the window.
const styles = (page) => page.evaluate(() => {
  const sizes = new Set(), odd = [];
  for (const it of document.body.querySelectorAll("*")) {
    if (it.closest("svg, option, datalist") || !it.checkVisibility()) continue;
    const style = getComputedStyle(it);
    const speaks = [...it.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) || it.matches("input, select, textarea");
    if (speaks && parseFloat(style.fontSize) > 0) sizes.add(style.fontSize);
    for (const side of ["Top", "Right", "Bottom", "Left"]) for (const kind of ["margin", "padding"]) {
      const px = parseFloat(style[kind + side]);
      // Auto margins are what is left over; a visually hidden label stands outside of the grid.
      const left = kind === "margin" && (side === "Left" || side === "Right") && it.matches("main, .line, .foot, .empty, .door");
      if (px % 4 !== 0 && !left && !(kind === "margin" && it.matches(".empty, .door, .switches"))) odd.push(`${it.tagName}.${it.className} ${kind}${side} ${px}`);
    }
    for (const gap of ["rowGap", "columnGap"]) if (parseFloat(style[gap]) % 4 > 0) odd.push(`${it.tagName}.${it.className} ${gap} ${style[gap]}`);
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return { sizes: [...sizes], odd: [...new Set(odd)].slice(0, 8), wide };
});

const seen = new Set();
const look = async (page, name) => {
  const { sizes, odd, wide } = await styles(page);
  if (sizes.length > SIZES_MAX) fault(`${name}: ${sizes.length} sizes of type: ${sizes}`);
  if (odd.length) fault(`${name}: off the grid: ${odd.join("; ")}`);
  if (wide > 0) fault(`${name}: ${wide} px wider than the window`);
  await page.evaluate(`${axe}; 0`);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of found.violations) {
    if (["serious", "critical"].includes(impact)) fault(`${name}: axe ${impact} ${id}: ${nodes.slice(0, 3).map((n) => n.html).join(" | ")}`);
  }
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  seen.add(name);
};
const words = async (page, selector, wanted) => {
  const text = await page.textContent(selector);
  if (!text.includes(wanted)) fault(`${selector} of ${page.url()} says "${text.trim()}" and not "${wanted}"`);
};
// What only programs had: slices of a report, links to it, how long things are kept; a key, and a program that is told.
const office = async (page, campaign) => {
  await page.goto(`${BASE}${campaign}/report`);
  await page.click("text=Slices and slowest turns");
  await page.selectOption("#by", "column:city");
  await page.click("main .head button");
  await page.waitForSelector(".slices td a");
  await words(page, ".slices tbody th", "Town");
  await page.click(".slices td a");
  await page.waitForURL(/label=Town&mode=/);
  await words(page, "#slowest", "Town");
  await look(page, "desk-en-slice");
  await page.click("table.cards tbody a");
  await page.waitForURL(/\/calls\/att_/);

  await page.goto(`${BASE}${campaign}/report`);
  await page.fill("[name=days]", "31");
  await page.click("text=Make a link");
  await page.waitForSelector("#share-faults");
  if ((await page.inputValue("[name=days]")) !== "31") fault("what was typed is gone after a refusal");
  await page.fill("[name=days]", "2");
  await page.click("text=Make a link");
  await page.waitForSelector("#share-faults", { state: "detached" });
  const link = await page.getAttribute("a[href^='/shared/']", "href");
  await look(page, "desk-en-shared");
  await page.goto(BASE + link);
  await page.waitForSelector("h1");
  await page.goto(`${BASE}${campaign}/report`);
  await page.click("[aria-labelledby=shares] table button");
  await page.waitForSelector("[aria-labelledby=shares] .bad");

  await page.goto(`${BASE}/access`);
  await page.fill("[name=transcripts_days]", "90");
  await page.click("text=Keep so");
  await page.waitForURL(/\/access#kept$/);
  if ((await page.inputValue("[name=transcripts_days]")) !== "90") fault("the days are not kept");
  await page.fill("[name=raw_days]", "soon");
  await page.click("text=Keep so");
  await page.waitForSelector("#kept-faults");
  await page.fill("[name=name]", "night shift");
  await page.click("text=Make the key");
  await page.waitForSelector(".notice code");
  await look(page, "desk-en-key");
  await page.goto(`${BASE}/webhooks`);
  await page.fill("[name=url]", "https://crm.example.com/halo");
  await page.click("form.card button");
  await page.waitForSelector("[role=status] code");
  await page.click("th a[href^='/webhooks?of=']");
  await look(page, "desk-en-webhook");
};

const drive = async () => {
  const desk = await open("desk", { viewport: { width: 1280, height: 900 }, locale: "en-GB", timezoneId: "Europe/Moscow", colorScheme: "light" });
  const page = desk.page;
  await page.goto(`${BASE}/`);
  await look(page, "desk-en-sign-in");
  await enter(page);
  await words(page, "h1", "Campaigns");
  await look(page, "desk-en-empty");

  // A list is dropped, and told before anything is stored.
  await page.click("text=Make the first one");
  await page.fill("[name=name]", "by hand");
  for (const mode of ["dialog", "realtime", "realtime_pure"]) await page.fill(`[name=weight_${mode}]`, "1");
  await page.fill("[name=cps]", "4");
  await page.fill("[name=busy]", "2m");
  await page.fill("[name=no_answer]", "2m");
  await page.setInputFiles("[name=contacts]", LIST);
  await page.waitForSelector("#checked .buckets");
  await words(page, "#checked .buckets p", "122 rows = 120 + 1 + 1");
  await look(page, "desk-en-new");
  await page.click("text=Make the campaign");
  await page.waitForURL(/\/start$/);
  await words(page, "h1", "120");
  await look(page, "desk-en-start");
  await page.fill("main [name=reason]", "a test by hand");
  await page.click("main button.primary");
  await page.waitForURL(/\/runs\/run_/);
  const run = page.url();

  // It is watched: figures move, nothing jumps.
  await page.evaluate(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) window.shift += entry.value; }))
      .observe({ type: "layout-shift", buffered: false });
  });
  await page.waitForFunction(() => document.querySelectorAll(".calls tr[data-key]").length > 2);
  await page.waitForFunction(() => document.querySelectorAll(".ended tr[data-key]").length > 3);
  await look(page, "desk-en-run");
  const drawn = () => page.textContent(".tiles");
  const before = await drawn();
  await page.waitForFunction((before) => document.querySelector(".tiles").textContent !== before, before);

  await page.click("[data-key=pause] summary");
  await page.fill("[data-key=pause] [name=reason]", "to look at it");
  await page.waitForTimeout(1500);
  if ((await page.inputValue("[data-key=pause] [name=reason]")) !== "to look at it") fault("what was typed is gone after a drawing");
  await page.click("[data-key=pause] button");
  await page.waitForSelector("h1 .chip.warn");
  await words(page, ".reason", "to look at it");
  await look(page, "desk-en-paused");
  await page.click("[data-key=resume] summary");
  await page.click("[data-key=resume] button");
  await page.waitForSelector("h1 .chip.on");
  const shift = await page.evaluate(() => window.shift ?? 0);
  if (shift > 0.02) fault(`the run's page jumps by ${shift}`);

  // A call, and the person behind it.
  await page.waitForFunction(() => [...document.querySelectorAll(".ended th a")].some((link) => link.textContent === "answered"));
  await page.click('.ended th a:text-is("answered")');
  await page.waitForSelector(".talk li");
  await look(page, "desk-en-call");
  await page.click("h1 a");
  await page.waitForURL(/\/people\/con_/);
  await look(page, "desk-en-person");
  await page.fill("#q", "Person 7");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/people\?q=/);
  await look(page, "desk-en-search");

  await page.goto(run);
  const campaign = await page.getAttribute(".crumbs a:nth-child(2)", "href");
  for (const [name, path] of [["campaign", campaign], ["report", `${campaign}/report`],
    ["slices", `${campaign}/report/slices?by=hour`], ["schedules", "/schedules"], ["suppressions", "/suppressions"],
    ["modes", "/modes"], ["setup", "/setup"], ["order", "/call"], ["access", "/access"], ["webhooks", "/webhooks"]]) {
    await page.goto(BASE + path);
    await look(page, `desk-en-${name}`);
  }
  await page.goto(`${BASE}${campaign}/files/report.html?lang=en`);
  await office(page, campaign);

  // A single call, followed.
  await page.goto(`${BASE}/call`);
  await page.fill("[name=phone]", "+79990000005");
  await page.check("[value=realtime]");
  await page.fill("[name=prompt]", "Say hello.");
  await page.click("text=Call now");
  await page.waitForURL(/\/calls\/att_/);
  await page.waitForFunction(() => document.querySelectorAll(".steps li").length > 3);
  await desk.context.close();

  // The same on a phone, in Russian, in the dark; the menu by the keyboard.
  const phone = await open("phone", { viewport: { width: 390, height: 844 }, locale: "ru-RU", timezoneId: "Europe/Moscow", colorScheme: "dark", hasTouch: true });
  const small = phone.page;
  await enter(small);
  await words(small, "h1", "Кампании");
  await small.focus(".burger");
  await small.keyboard.press("Enter");
  if (!(await small.isVisible("nav a"))) fault("the menu of a phone does not open by the keyboard");
  await look(small, "phone-ru-menu");
  for (const [name, path] of [["list", "/"], ["run", new URL(run).pathname], ["campaign", campaign], ["report", `${campaign}/report`],
    ["slices", `${campaign}/report/slices?by=column%3Acity`], ["access", "/access"], ["webhooks", "/webhooks"], ["new", "/new"], ["order", "/call"], ["schedules", "/schedules"], ["suppressions", "/suppressions"], ["modes", "/modes"],
    ["setup", "/setup"], ["search", "/people?q=Person"]]) {
    await small.goto(BASE + path);
    await look(small, `phone-ru-${name}`);
  }
  await small.goto(`${BASE}${campaign}/report`);
  await words(small, "h1", "Какой способ лучше?");
  await phone.context.close();
};

await drive().catch((cause) => fault(cause.stack));
end(`all pages were seen: ${seen.size}`);
