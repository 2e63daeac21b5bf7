// Takes a picture of a page: node tests/shot.mjs URL FILE [light|dark] [WIDTHxHEIGHT]
import { chromium } from "playwright-core";

const [url, file, scheme = "light", size = "1440x900"] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
page.on(
  "console",
  (message) => ["error", "warning"].includes(message.type()) && console.log(message.type(), message.text()),
);
page.on("pageerror", (error) => console.log("pageerror", error.message));
page.on("response", (response) => response.status() >= 400 && console.log(response.status(), response.url()));
await page.goto(url);
await page.waitForTimeout(1500);
for (const step of process.argv.slice(6)) await new Function("page", `return (async () => { ${step} })()`)(page);
await page.waitForTimeout(300);
await page.screenshot({ path: file });
await browser.close();
