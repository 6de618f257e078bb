// Looks at /docs in headless Chromium, asking nobody but the service. Environment: BASE, DRIVER (a folder with
// node_modules), PROFILE (a fresh folder), PICTURE (where a picture is kept, if anywhere).
import { createRequire } from "node:module";
import { join } from "node:path";

const { BASE, DRIVER, PROFILE, PICTURE } = process.env;
const { chromium } = createRequire(join(DRIVER, "node_modules/"))("playwright-core");

const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const faults = [];
const context = await chromium.launchPersistentContext(join(PROFILE, "docs"), {
  executablePath: "/usr/bin/chromium", args, viewport: { width: 1280, height: 1000 },
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(60_000);
page.on("console", (said) => said.type() === "error" && faults.push(`console: ${said.text()}`));
page.on("pageerror", (cause) => faults.push(`script: ${cause.message}`));
page.on("request", (asked) => asked.url().startsWith(BASE) || asked.url().startsWith("data:") || faults.push(`asks elsewhere: ${asked.url()}`));

await page.goto(`${BASE}/docs`);
await page.waitForSelector(".opblock-tag");
const topics = await page.locator(".opblock-tag").count();
await page.locator(".opblock-tag", { hasText: "Runs" }).first().click();
await page.waitForSelector(".opblock-summary");
const operations = await page.locator(".opblock-summary").count();
await page.locator("#operations-Runs-startRun .opblock-summary-control").click();
await page.waitForSelector("#operations-Runs-startRun .opblock-body");
if (PICTURE) await page.screenshot({ path: PICTURE, fullPage: true });
await context.close();
if (topics < 8 || operations < 8) faults.push(`only ${topics} topics and ${operations} operations are shown`);
if (faults.length) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`the document was seen: ${topics} topics`);
