// Measures the page over the store that make_store.py makes, as people use it: from the click or key to the answer
// on the screen.
//
//     node benches/page/measure.mjs --evalhouse target/release/evalhouse --work SCRATCH_DIR [--runs 15] [--markdown]
//
// Needs web/node_modules and Chromium (CHROMIUM names it). Prints a table; what is over its limit is marked, and
// exit 1 says that something was.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    evalhouse: { type: "string" },
    url: { type: "string" },
    work: { type: "string", default: "target/page-bench" },
    runs: { type: "string", default: "15" },
    markdown: { type: "boolean", default: false },
  },
});
process.env.EVALHOUSE_BIN = options.evalhouse;
const web = new URL("../../web/", import.meta.url);
createRequire(web)("playwright-core");
const { launch, serve } = await import(new URL("tests/harness.mjs", web));

const RUNS = Number(options.runs);
const sorted = (list) => list.toSorted((a, b) => a - b);
const at = (list, share) =>
  sorted(list)[Math.min(list.length - 1, Math.floor(share * list.length))];

const server = options.url
  ? { url: options.url, stop: () => undefined }
  : await serve(`${options.work}/store`);
const browser = await launch();
const results = [];

/** From the first input that `act` makes to the frame in which `done`, an expression, is true. */
async function timed(page, act, done) {
  // As one text: the policy of the page lets nothing in it make code of texts.
  await page.evaluate(`(() => {
    let start;
    const begin = () => (start ??= performance.now());
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, begin, { capture: true, once: true });
    globalThis.measured = new Promise((resolve) => {
      const look = () => (start !== undefined && (${done}) ? resolve(performance.now() - start) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    });
  })()`);
  await act();
  return page.evaluate(() => globalThis.measured);
}

/** Waits until an expression is true. */
const until = (page, done) =>
  page.evaluate(
    `new Promise((resolve) => (function look() { if (${done}) resolve(true); else requestAnimationFrame(look); })())`,
  );

const experiment = (project, number) =>
  `/app/evalhouse/p/${project}/experiments/run-${String(number).padStart(4, "0")}`;
const number = (run) => 900 - 17 * run;
const fresh = async () => {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
  });
  return context.newPage();
};
const rest = (page) => page.waitForLoadState("networkidle");

function report(what, list, limit, unit = "ms", share = 0.5) {
  results.push({
    what,
    median: at(list, share),
    worst: at(list, 0.95),
    limit,
    unit,
    share,
  });
}

const ROWS = `document.querySelector('[aria-label=Cases][aria-busy=false] [data-id]')`;
const DELTAS = `document.querySelectorAll('.sums .quiet, .sums .better, .sums .worse').length > 10`;

// The list

for (const [what, path] of [
  ["list of 2,000 experiments in all projects", "/"],
  ["list of 1,000 experiments with charts", "/app/evalhouse/p/history"],
]) {
  const paint = [];
  const shown = [];
  for (let run = 0; run < RUNS; run++) {
    const page = await fresh();
    await page.goto(server.url + path);
    await page.locator("[aria-label=Experiments] [data-id]").first().waitFor();
    const times = await page.evaluate(() => [
      performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      performance.now(),
    ]);
    paint.push(times[0]);
    shown.push(times[1]);
    await page.context().close();
  }
  report(`${what}: first paint`, paint, 300);
  report(`${what}: rows`, shown, 1_000);
}

// One experiment

const opening = [];
const filtering = [];
const regressing = [];
const grouping = [];
const tracing = [];
for (let run = 0; run < RUNS; run++) {
  const page = await fresh();
  await page.goto(
    `${server.url}/app/evalhouse/p/history?where=run-${String(number(run)).padStart(4, "0")}`,
  );
  const link = page.locator("[aria-label=Experiments] [data-id] a").first();
  await link.waitFor();
  await rest(page);
  opening.push(await timed(page, () => link.click(), `${ROWS} && ${DELTAS}`));
  await rest(page);

  const total = await page.locator(".counts span").first().innerText();
  const changed = `${ROWS} && ${DELTAS} && !document.querySelector('.counts span').innerText.startsWith(${JSON.stringify(total.split(" rows")[0])})`;
  await page.getByRole("textbox", { name: "Filter" }).click();
  await page.keyboard.insertText(
    `metadata.tier = 'pro' and scores.s${run % 10} < 60%`,
  );
  await page.keyboard.press("Escape");
  filtering.push(
    await timed(page, () => page.keyboard.press("Enter"), changed),
  );
  await rest(page);

  await page.goto(server.url + experiment("history", number(run) - 1));
  await until(page, `${ROWS} && ${DELTAS}`);
  await rest(page);
  const regressed = page.getByTitle("Only the regressed").first();
  regressing.push(
    await timed(
      page,
      () => regressed.click(),
      `location.search.includes('regressed') && ${ROWS} && ${DELTAS}`,
    ),
  );
  await rest(page);

  await page.goto(server.url + experiment("history", number(run) - 2));
  await until(page, `${ROWS} && ${DELTAS}`);
  await rest(page);
  await page.keyboard.press("g");
  const field = page
    .locator(".sheet label")
    .filter({ hasText: /^metadata\.category$/ })
    .getByRole("checkbox");
  await field.waitFor();
  grouping.push(
    await timed(
      page,
      () => field.click(),
      `document.querySelector('[aria-label=Groups][aria-busy=false] [data-id]')`,
    ),
  );

  await page.goto(server.url + experiment("history", number(run) - 3));
  await until(page, `${ROWS} && ${DELTAS}`);
  await rest(page);
  const row = page.locator("[aria-label=Cases] [data-id]").nth(2);
  tracing.push(
    await timed(
      page,
      () => row.click(),
      `document.querySelector('.trace .detail .field') && document.querySelector('.trace .facts-line')?.innerText.includes('was')`,
    ),
  );
  await page.context().close();
}
report("opening an experiment with its comparison", opening, 300);
report("changing the filter", filtering, 300);
report("only the regressed", regressing, 300);
report("grouping by a field", grouping, 300);
report("opening a trace beside its match", tracing, 300);

// A long table

const page = await fresh();
await page.goto(server.url + experiment("long", 1));
await until(page, ROWS);
await rest(page);
const grid = page.getByRole("grid", { name: "Cases" });
await grid.hover();
for (const [what, step] of [
  ["scrolling over 100,000 cases", 240],
  ["flying over 100,000 cases", 6_000],
]) {
  await page.evaluate(() => {
    globalThis.frames = [];
    let last = performance.now();
    const tick = (now) => {
      globalThis.frames.push(now - last);
      last = now;
      globalThis.ticking = requestAnimationFrame(tick);
    };
    globalThis.ticking = requestAnimationFrame(tick);
  });
  const end = Date.now() + 6_000;
  for (let turn = 0; Date.now() < end; turn++) {
    await page.mouse.wheel(0, step);
    await page.waitForTimeout(16);
  }
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(globalThis.ticking);
    return globalThis.frames.slice(2);
  });
  const seconds = frames.reduce((sum, time) => sum + time, 0) / 1_000;
  results.push({
    what,
    median: frames.length / seconds,
    worst: 1_000 / at(frames, 0.95),
    limit: -50,
    unit: "frames/s",
  });
}
await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
await until(
  page,
  `[...document.querySelectorAll('[aria-label=Cases] [data-id]')].length > 10`,
);
await rest(page);

// The memory of the tab: what its process has for itself.
const session = await browser.newBrowserCDPSession();
const { processInfo } = await session.send("SystemInfo.getProcessInfo");
const own = async ({ id }) => {
  const rollup = await readFile(`/proc/${id}/smaps_rollup`, "utf8").catch(
    () => "",
  );
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1_024;
};
const renderers = await Promise.all(
  processInfo.filter((one) => one.type === "renderer").map(own),
);
results.push({
  what: "memory of the tab after that",
  median: Math.max(...renderers),
  worst: Math.max(...renderers),
  limit: 300,
  unit: "MiB",
});

await browser.close();
server.stop();

const over = ({ median, limit }) =>
  limit < 0 ? median < -limit : median > limit;
const digits = (x) => x.toFixed(x < 100 ? 1 : 0);
if (options.markdown)
  console.log("| what | median | 95 % | limit |\n| --- | ---: | ---: | ---: |");
for (const one of results) {
  const limit = one.limit < 0 ? `at least ${-one.limit}` : `${one.limit}`;
  const cells = [
    one.what,
    `${digits(one.median)} ${one.unit}`,
    digits(one.worst),
    limit + (over(one) ? " MISSED" : ""),
  ];
  console.log(
    options.markdown
      ? `| ${cells.join(" | ")} |`
      : `${cells[0].padEnd(58)} ${cells[1].padStart(16)} ${cells[2].padStart(9)}   ${cells[3]}`,
  );
}
process.exitCode = results.some(over) ? 1 : 0;
