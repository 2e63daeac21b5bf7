// Hundreds of experiments of a thousand rows, made up: every count is right and no request fails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parameterOf, program, root, rowsOf, served } from "./harness.mjs";

const SIZES = { experiments: 200, cases: 500, trials: 2, scores: 5, small: 100, long: 5_000 };
const ROWS = SIZES.cases * SIZES.trials;
const CATEGORIES = 8;
/** The engine's part on a busy machine. */
const PATIENCE = { timeout: 60_000 };

const { scenario, ask } = served(async (store) => {
  const work = await mkdtemp(join(tmpdir(), "evalhouse-large-"));
  const options = Object.entries(SIZES).flatMap(([name, size]) => [`--${name}`, String(size)]);
  const script = join(root, "benches/page/make_store.py");
  await promisify(execFile)("python3", [script, "--evalhouse", program(), "--work", work, ...options]);
  await rm(store, { recursive: true });
  await rename(join(work, "store"), store);
  await rm(work, { recursive: true });
});

const experiment = (name, parameters = {}) =>
  `/app/evalhouse/p/history/experiments/${name}?${new URLSearchParams({ vs: "run-0198", ...parameters })}`;
const cases = (parameters = {}) =>
  ask(
    `/api/v1/experiments/run-0199/cases?${new URLSearchParams({ project: "history", against: "run-0198", limit: 1, ...parameters })}`,
  );
const rowCount = (page, label, n) =>
  page.waitForFunction(
    ([name, rows]) =>
      document.querySelector(`[aria-label="${name}"]`)?.getAttribute("aria-rowcount") === String(rows + 1),
    [label, n],
    PATIENCE,
  );

scenario("the list of all projects", "/", async (page) => {
  await page.getByText(`${SIZES.experiments + SIZES.small + 2} experiments`).waitFor(PATIENCE);
  const projects = page.getByRole("navigation", { name: "Projects" });
  for (const [project, n] of Object.entries({ history: SIZES.experiments, many: SIZES.small, long: 2 }))
    assert.match(await projects.getByRole("link", { name: project }).innerText(), new RegExp(`${n}$`));
});

scenario("the list of a project, scrolled and filtered", "/app/evalhouse/p/history", async (page) => {
  await rowCount(page, "Experiments", SIZES.experiments);
  await page.locator(".chart .series-line").waitFor(PATIENCE);
  const grid = page.getByRole("grid", { name: "Experiments" });
  await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  const oldest = rowsOf(page, "Experiments").filter({ hasText: "run-0000" });
  await oldest.getByText(SIZES.cases.toLocaleString("en"), { exact: true }).waitFor();
  await oldest.getByText(ROWS.toLocaleString("en"), { exact: true }).waitFor();
  await page.getByLabel("Filter experiments").fill("run-01");
  await page.getByLabel("Filter experiments").press("Enter");
  await page.getByText("100 experiments").waitFor();
});

scenario("an experiment against another, scrolled to its end", experiment("run-0199"), async (page) => {
  await rowCount(page, "Cases", ROWS);
  await page.getByRole("button", { name: `${SIZES.cases} matched` }).waitFor(PATIENCE);
  const last = (await cases({ offset: ROWS - 1 })).rows[0].id;
  const grid = page.getByRole("grid", { name: "Cases" });
  await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await page.locator(`[data-id="${last}"]`).waitFor(PATIENCE);
});

scenario(
  "a filter, and what got worse under it",
  experiment("run-0199", { where: "metadata.category = 'refunds'" }),
  async (page) => {
    const of = Math.ceil((SIZES.cases - 1) / CATEGORIES) * SIZES.trials;
    await rowCount(page, "Cases", of);
    await page.getByTitle("Only the regressed").first().click();
    await page.waitForFunction(() => new URLSearchParams(location.search).get("where").includes("regressed("));
    const { total } = await cases({ where: parameterOf(page, "where") });
    assert.ok(total > 0 && total < of);
    await rowCount(page, "Cases", total);
  },
);

scenario("groups", experiment("run-0199", { group: "metadata.category" }), async (page) => {
  await rowsOf(page, "Groups").first().waitFor(PATIENCE);
  await rowCount(page, "Groups", 2 * CATEGORIES);
  const rows = await page
    .locator("[aria-label=Groups] [role=row][data-id] [aria-colindex='3']")
    .evaluateAll((cells) => cells.map((cell) => Number(cell.innerText.replace(",", ""))));
  assert.equal(
    rows.reduce((sum, n) => sum + n, 0),
    2 * ROWS,
  );
});

scenario("a trace, and the next", experiment("run-0199"), async (page) => {
  await rowsOf(page, "Cases").first().waitFor(PATIENCE);
  const [first, second] = (await cases({ limit: 2 })).rows.map((row) => row.id);
  // Where its input is: at the numbers, "why?" may be asked.
  await page.locator(`[data-id="${first}"]`).click({ position: { x: 150, y: 10 } });
  await page.getByRole("treeitem").first().waitFor(PATIENCE);
  assert.equal(parameterOf(page, "case"), first);
  await page.keyboard.press("n");
  await page.waitForFunction((id) => new URL(location.href).searchParams.get("case") === id, second);
});

scenario("an experiment of many cases", `/app/evalhouse/p/long/experiments/run-0001?vs=run-0000`, async (page) => {
  await rowCount(page, "Cases", SIZES.long);
  await page.getByRole("button", { name: `${SIZES.long.toLocaleString("en")} matched` }).waitFor(PATIENCE);
});
