// What every drive of the admin page needs: Chromium by playwright's core, faults that are told at the end, the sign-in.
// Environment: BASE, KEY, DRIVER (a folder with node_modules), PROFILE (a fresh folder), SOON_MS (whatever is waited for
// has come by then).
import { createRequire } from "node:module";
import { join } from "node:path";

const { KEY, DRIVER, PROFILE } = process.env;
export const { BASE } = process.env;
export const require = createRequire(join(DRIVER, "node_modules/"));
const { chromium } = require("playwright-core");
const SOON = Number(process.env.SOON_MS ?? 60_000);

const faults = [];
export const fault = (what) => faults.push(what);

const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const open = async (name, more) => {
  const context = await chromium.launchPersistentContext(join(PROFILE, name), { executablePath: "/usr/bin/chromium", args, ...more });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(SOON);
  page.on("console", (said) => said.type() === "error" && !/status of 4(00|22)/.test(said.text()) && fault(`console of ${page.url()}: ${said.text()}`));
  page.on("pageerror", (cause) => fault(`script of ${page.url()}: ${cause.message}`));
  page.on("request", (asked) => asked.url().startsWith(BASE) || fault(`a page asks elsewhere: ${asked.url()}`));
  return { context, page };
};

export const enter = async (page) => {
  await page.goto(`${BASE}/`);
  await page.fill("#key", KEY);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${BASE}/`);
};

export const end = (said) => {
  if (faults.length) {
    console.error([...new Set(faults)].join("\n"));
    process.exit(1);
  }
  console.log(said);
};
