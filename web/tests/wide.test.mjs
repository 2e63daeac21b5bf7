// An experiment of hundreds of scores: the first are listed, only what is in sight is drawn, nothing waits for the rest.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importData, rowsOf, served } from "./harness.mjs";

// As many as the engine sums up in seconds, each against its baseline.
const SCORES = 200;
const NAMES = Array.from({ length: SCORES }, (_, n) => `score ${n}`);
/** As many are listed, by name, unless others are named. */
const LISTED = 64;
/** The page must not add to what the engine takes for their statistics. */
const PATIENCE = { timeout: 60_000 };

const rowsOfSide = (side) =>
  Array.from({ length: 3 }, (_, at) => ({
    id: `wide-${at}`,
    span_id: `wide-${at}`,
    root_span_id: `wide-${at}`,
    created: "2026-01-01T00:00:00Z",
    input: `wide ${at}`,
    output: side,
    scores: Object.fromEntries(NAMES.map((name, n) => [name, ((n + at) % 7) / 7])),
    metadata: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`field ${n}`, n])),
  }));

const { scenario } = served(async (store) => {
  const folder = await mkdtemp(join(tmpdir(), "evalhouse-rows-"));
  for (const side of ["a", "b"]) {
    const path = join(folder, `${side}.jsonl`);
    await writeFile(
      path,
      rowsOfSide(side)
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    await importData(store, path, "wide", "--experiment", side);
  }
  await rm(folder, { recursive: true });
});

const place = (search) => `/app/evalhouse/p/wide/experiments/b?vs=a${search}`;

scenario("the list draws the columns in sight", "/app/evalhouse/p/wide?chart=bars", async (page) => {
  await rowsOf(page, "Experiments").nth(1).waitFor(PATIENCE);
  assert.ok((await page.locator("[aria-label=Experiments] [role=gridcell]").count()) < 100);
});

scenario("the table draws the columns in sight, and scrolls to the last", place(""), async (page) => {
  await rowsOf(page, "Cases").nth(2).waitFor(PATIENCE);
  const grid = page.getByRole("grid", { name: "Cases" });
  assert.ok(Number(await grid.getAttribute("aria-colcount")) > LISTED);
  assert.ok((await grid.locator("[role=gridcell]").count()) < 150);
  await grid.evaluate((element) => element.scrollTo(element.scrollWidth, 0));
  await grid
    .getByRole("columnheader")
    .filter({ hasText: NAMES.toSorted()[LISTED - 1] })
    .waitFor();
  assert.ok((await grid.locator("[role=gridcell]").count()) < 150);
  assert.ok((await page.locator(".pane tr").count()) < 400);
});

scenario("a trace of hundreds of scores opens", place("&case=wide-1"), async (page) => {
  await page.locator(".detail .field").first().waitFor(PATIENCE);
  assert.ok((await page.locator(".trace *").count()) < 3_000);
});

for (const layout of ["grid", "summary"])
  scenario(`as ${layout}`, place(`&layout=${layout}`), async (page) => {
    await page.locator(".grid-row, .large").first().waitFor(PATIENCE);
    assert.ok((await page.locator(".experiment-body *").count()) < 6_000);
  });
