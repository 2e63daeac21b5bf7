// What the tests of the page share: a server over a store of its own, a browser, and pages on which nothing may go
// wrong. EVALHOUSE_BIN is the program that has the page in it; CHROMIUM the browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The program to test. */
export function program() {
  assert.ok(process.env.EVALHOUSE_BIN, "EVALHOUSE_BIN names the program to test with");
  return process.env.EVALHOUSE_BIN;
}

/** Runs the program to its end and gives what it printed. */
export function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program(), args, { stdio: ["ignore", "pipe", "inherit"] });
    const out = [];
    child.stdout.on("data", (piece) => out.push(piece));
    child.on("exit", (code) =>
      code === 0 ? resolve(Buffer.concat(out).toString()) : reject(new Error(`${args.join(" ")} ended with ${code}`)),
    );
  });
}

/** Serves a store until `stop`. */
export async function serve(store) {
  const port = await freePort();
  const server = spawn(program(), ["--store", store, "serve", "--listen", `127.0.0.1:${port}`], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const up = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return { url, stop: () => server.kill() };
    assert.ok(tries < 900, "the server did not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/**
 * A store that `fill` makes, served for the tests of a file. `scenario` is a test on a page of its own: a message
 * on the console, an error or a failed request that is not expected fails it.
 */
export function served(fill) {
  const here = { url: "", store: "", browser: undefined, page: undefined };
  const clean = [];
  before(async () => {
    here.store = await mkdtemp(join(tmpdir(), "evalhouse-web-"));
    clean.push(() => rm(here.store, { recursive: true, force: true }));
    await fill(here.store);
    const { url, stop } = await serve(here.store);
    clean.unshift(stop);
    here.url = url;
    here.browser = await launch();
  });
  after(async () => {
    await here.browser?.close();
    for (const act of clean) await act();
  });
  const scenario = (name, path, act, expected = [], options = {}) =>
    test(name, async () => {
      const context = await here.browser.newContext({
        viewport: { width: 1440, height: 900 },
        acceptDownloads: true,
        permissions: ["clipboard-read", "clipboard-write"],
        ...options,
      });
      const page = await context.newPage();
      here.page = page;
      page.setDefaultTimeout(15_000);
      const troubles = [];
      page.on("console", (message) => {
        if (message.type() === "error") troubles.push(`${message.text()} ${message.location().url}`);
      });
      page.on("pageerror", (error) => troubles.push(error.message));
      page.on(
        "requestfailed",
        (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && troubles.push(request.url()),
      );
      await page.goto(here.url + (typeof path === "function" ? path() : path));
      await act(page);
      assert.deepEqual(
        troubles.filter((text) => !expected.some((pattern) => pattern.test(text))),
        [],
      );
      await context.close();
    });
  const ask = async (path, init) => {
    const response = await fetch(here.url + path, init);
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
  const post = (path, body, method = "POST") =>
    ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { here, scenario, ask, post };
}

export const importData = (store, path, project, ...more) =>
  run(["--quiet", "--store", store, "import", path, "--project", project, ...more]);

/** A parameter of the address of a page. */
export const parameterOf = (page, name) => new URL(page.url()).searchParams.get(name);

/** The rows of a table that are in sight. */
export const rowsOf = (page, label) => page.getByRole("grid", { name: label }).locator("[role=row][data-id]");

/** Where something is drawn: a chart that is drawn anew has it again in a moment. */
export async function placeOf(locator) {
  for (let tries = 0; tries < 100; tries++) {
    const place = await locator.boundingBox();
    if (place) return place;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${locator} is not drawn`);
}
