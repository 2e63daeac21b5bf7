// Charts and lists of scores on any scale, what is chosen in them, and SQL that gives more than the page shows.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importData, parameterOf, rowsOf, served } from "./harness.mjs";

const CASES = 12;
const EXPERIMENTS = ["first", "second", "third"];

/** Stars go to five; Odd has a mean below one and values above it; Good is a share. */
const rowsOfRun = (run) =>
  Array.from({ length: CASES }, (_, at) => ({
    id: `${run}-${at}`,
    span_id: `${run}-${at}`,
    root_span_id: `${run}-${at}`,
    created: `2026-01-0${run + 1}T00:00:00Z`,
    input: { question: `question ${at}`, "two words": at },
    output: `answer ${run}`,
    metadata: { kind: at % 2 === 0 ? "even" : "odd" },
    scores: { Stars: (at % 4) + run, Odd: at % (4 - run) === 0 ? 2 : 0, Good: ((at % 3) + run) / 4 },
    metrics: { start: 0, end: 1 + run, "disk reads": 10 * (run + 1) + at, idle: 0 },
  }));

const { here, scenario, ask } = served(async (store) => {
  const folder = await mkdtemp(join(tmpdir(), "evalhouse-rows-"));
  for (const project of ["ratings", "others"])
    for (const [run, name] of EXPERIMENTS.entries()) {
      const path = join(folder, `${name}.jsonl`);
      const lines = rowsOfRun(run).map((row) => JSON.stringify({ ...row, id: `${project}-${row.id}` }));
      await writeFile(path, lines.join("\n"));
      await importData(store, path, project, "--experiment", name);
    }
  await rm(folder, { recursive: true });
});

const list = (parameters = {}) => `/app/evalhouse/p/ratings?${new URLSearchParams(parameters)}`;
const sqlPage = (q, more = {}) => `/app/evalhouse/sql?${new URLSearchParams({ q, ...more })}`;
const history = (project = "ratings") => ask(`/api/v1/projects/${project}/history`);
const ticks = (page) => page.locator(".chart .tick").allTextContents();
const inView = (page, name, value) =>
  page.waitForFunction(([n, v]) => new URL(location.href).searchParams.get(n) === v, [name, value]);
const decimal = (x) => String(Number(x.toPrecision(3)));

for (const [score, isShare] of [
  ["Stars", false],
  ["Odd", false],
  ["Good", true],
])
  scenario(`${score} over time is written ${isShare ? "as percent" : "as it is"}`, list({ score }), async (page) => {
    const { points } = (await history()).scores[score];
    const written = isShare ? `${(100 * points[0].mean).toFixed(1)} %` : decimal(points[0].mean);
    await page
      .locator(`.chart a[aria-label*=", ${written}"], .chart a[aria-label*="${written} from"]`)
      .first()
      .waitFor();
    await page.waitForFunction(
      (share) =>
        [...document.querySelectorAll(".chart .tick")].some((tick) => tick.textContent.includes("%")) === share,
      isShare,
    );
    const marks = await page
      .locator(".chart a .mark")
      .evaluateAll((all) => all.map((mark) => mark.getBoundingClientRect().y));
    assert.equal(new Set(marks.map(Math.round)).size, new Set(points.map((point) => point.mean)).size);
  });

scenario("a column of the list has one way of writing its means", list(), async (page) => {
  const { scores } = await history();
  const row = rowsOf(page, "Experiments").filter({ hasText: "second" });
  const point = (name) => scores[name].points.find((one) => one.experiment === "second");
  await row.getByText(`${(100 * point("Good").mean).toFixed(1)} % ±`).waitFor();
  await row.getByText(point("Stars").mean.toFixed(2)).waitFor();
  await row.getByText(point("Odd").mean.toFixed(2)).first().waitFor();
});

scenario(
  "bars of scores on several scales share one axis from zero, and none is cut",
  list({ chart: "bars" }),
  async (page) => {
    await page.locator(".chart rect.mark").nth(8).waitFor();
    await page.waitForFunction(
      () => ![...document.querySelectorAll(".chart .tick")].some((one) => one.textContent.includes("%")),
    );
    const cut = () =>
      page.evaluate(() => {
        const edges = (element) => element.getBoundingClientRect();
        const all = edges(document.querySelector(".sensor"));
        const drawn = [...document.querySelectorAll(".chart rect.mark, .bar-interval")].map(edges);
        return drawn.filter((one) => one.top < all.top - 1 || one.bottom > all.bottom + 1).length;
      });
    assert.equal(await cut(), 0);
    assert.ok((await ticks(page)).includes("0"));
  },
);

scenario(
  "a bar tells of itself wherever it is pointed at, and a drag keeps its experiments",
  list({ chart: "bars" }),
  async (page) => {
    const bars = page.locator(".chart rect.mark");
    await bars.nth(8).waitFor();
    await page.waitForLoadState("networkidle");
    const boxes = await bars.evaluateAll((all) =>
      all.map((bar) => {
        const { x, y, width, height } = bar.getBoundingClientRect();
        return { x, y, width, height };
      }),
    );
    const tallest = boxes.toSorted((a, b) => b.height - a.height)[0];
    await page.mouse.move(tallest.x + tallest.width / 2, tallest.y + tallest.height - 4);
    await page.locator(".tip").getByText(`${CASES} cases`).waitFor();
    const [from, until] = [boxes[0], boxes[1]];
    await page.mouse.move(from.x + 2, from.y + 2);
    await page.mouse.down();
    await page.mouse.move(until.x + until.width - 2, from.y + 4, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(() => location.search.includes("where="));
    await page.getByText("2 experiments", { exact: true }).waitFor();
  },
);

scenario(
  "the metrics to choose from are those that there are, and the address knows the chosen one",
  list({ chart: "scatter", score: "Good" }),
  async (page) => {
    const choice = page.getByLabel("Metric");
    await choice.locator("option", { hasText: "disk reads" }).waitFor({ state: "attached" });
    const { metrics } = await ask("/api/v1/experiments/first/summary?project=ratings");
    assert.deepEqual(await choice.locator("option").allInnerTexts(), Object.keys(metrics).toSorted());
    await choice.selectOption("disk reads");
    await inView(page, "metric", "disk reads");
    await page.getByText("mean disk reads of a row").waitFor();
    await page.reload();
    await page.getByText("mean disk reads of a row").waitFor();
    assert.equal(await choice.inputValue(), "disk reads");
  },
);

scenario("the list of all projects has intervals, too", "/", async (page) => {
  for (const project of ["ratings", "others"]) {
    const { scores } = await history(project);
    for (const { id, mean, ci_low, ci_high } of scores.Good.points) {
      const row = page.locator(`[role=row][data-id="${id}"]`);
      await row.getByText(`${(100 * mean).toFixed(1)} % ±${(50 * (ci_high - ci_low)).toFixed(1)}`).waitFor();
    }
  }
});

scenario(
  "groups show the metrics that are not zero everywhere",
  "/app/evalhouse/p/ratings/experiments/second?vs=first&group=metadata.kind",
  async (page) => {
    const { groups } = await ask("/api/v1/diff?project=ratings&base=first&candidate=second&group-by=metadata.kind");
    const row = page.locator(`[role=row][data-id='${JSON.stringify([groups[0].values, "second"])}']`);
    await row.waitFor();
    const heads = await page.getByRole("columnheader").allInnerTexts();
    assert.ok(
      heads.some((text) => text.includes("disk reads (mean)")),
      String(heads),
    );
    assert.ok(!heads.some((text) => text.includes("idle")), String(heads));
    await row.getByText(decimal(groups[0].experiments[1].metrics["disk reads"]), { exact: true }).waitFor();
  },
);

scenario(
  "a field of the cases becomes the expression of a new column",
  "/app/evalhouse/p/ratings/experiments/second",
  async (page) => {
    await rowsOf(page, "Cases").first().waitFor();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("button", { name: "New column" }).click();
    const dialog = page.getByRole("dialog", { name: "New column" });
    await dialog.getByRole("button", { name: "metadata.kind" }).click();
    await dialog.getByRole("table").getByText("even", { exact: true }).first().waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "kind");
    await dialog.getByRole("button", { name: 'input."two words"' }).click();
    await dialog.getByRole("table").getByText("3", { exact: true }).first().waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "two words");
    await dialog.getByRole("button", { name: "Save to the project" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("columnheader").filter({ hasText: "two words" }).waitFor();
    const { settings } = await ask("/api/v1/projects/ratings/settings");
    assert.equal(settings.columns["two words"].expr, 'input."two words"');
  },
);

// SQL

const MANY = 12_345;
const NUMBERS = `select value as n, value % 7 as rest from generate_series(1, ${MANY})`;

scenario(
  "a query that gives more than the page shows says so, and all of it is downloaded",
  sqlPage(NUMBERS),
  async (page) => {
    const status = page.getByRole("status", { name: "Rows of the query" });
    await status.getByText("the first 10,000 of 12,345 rows").waitFor();
    assert.equal(await page.getByRole("grid", { name: "Results" }).getAttribute("aria-rowcount"), "10001");
    await page.getByRole("button", { name: "Download all" }).click();
    const formats = await page.locator(".sheet button").allInnerTexts();
    assert.deepEqual(formats, ["csv", "json", "jsonl", "parquet", "arrow"]);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".sheet").getByText("jsonl", { exact: true }).click(),
    ]);
    const lines = (await readFile(await file.path(), "utf8")).trim().split("\n");
    assert.equal(lines.length, MANY);
  },
);

scenario("back and forth go through the queries that were run", sqlPage("select 1 as one"), async (page) => {
  await page.getByRole("columnheader", { name: "one" }).waitFor();
  const editor = page.getByRole("textbox", { name: "SQL" });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("select $number as two");
  await page.getByLabel("Parameter number").fill("7");
  await page.keyboard.press("Enter");
  await page.getByRole("columnheader", { name: "two" }).waitFor();
  await page.goBack();
  await page.getByRole("columnheader", { name: "one" }).waitFor();
  assert.equal((await editor.innerText()).trim(), "select 1 as one");
  await page.goForward();
  await page.getByRole("columnheader", { name: "two" }).waitFor();
  assert.equal(await page.getByLabel("Parameter number").inputValue(), "7");
});

scenario("a running query is stopped", sqlPage("select 1 as one"), async (page) => {
  await page.getByRole("columnheader", { name: "one" }).waitFor();
  await page.getByRole("textbox", { name: "SQL" }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(
    "select count(*) as two from generate_series(1, 3000000) a, generate_series(1, 3000000) b where a.value % 7 = b.value % 5",
  );
  const aborted = page.waitForEvent("requestfailed", (request) => request.url().includes("/api/v1/sql"));
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Stop" }).click();
  await aborted;
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
  await page.getByText("Stopped").waitFor();
  await page.goBack();
  await page.getByRole("columnheader", { name: "one" }).waitFor();
});

for (const [name, query, mark] of [
  ["bars", "select experiment, count(*) as n from cases where project = 'ratings' group by 1 order by 1", "rect.mark"],
  ["a line", "select value as n, value * value as square from generate_series(1, 20)", "circle.mark"],
])
  scenario(
    `a mark of ${name} of results tells of itself and selects its row`,
    sqlPage(query, { as: "chart" }),
    async (page) => {
      const found = page.locator(`.result-chart g ${mark}`).nth(2);
      await found.waitFor();
      const box = await found.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page
        .locator(".tip")
        .getByText(name === "bars" ? "third" : "square 9")
        .waitFor();
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await inView(page, "row", "2");
      assert.equal(await rowsOf(page, "Results").nth(2).getAttribute("aria-selected"), "true");
      await page.reload();
      await page.locator("[aria-label=Results] [aria-selected=true]").waitFor();
    },
  );

scenario(
  "what a chart of results draws is in the address",
  sqlPage("select value as a, value as b, value * 2 as c from generate_series(1, 9)", { as: "chart" }),
  async (page) => {
    await page.getByLabel("Column across").selectOption("b");
    await inView(page, "x", "b");
    await page.locator(".charts-bar").getByRole("button", { name: "a", exact: true }).click();
    await inView(page, "y", "c");
    await page.goto(page.url());
    await page.locator(".charts-bar").getByRole("button", { name: "c", pressed: true }).waitFor();
    assert.equal(await page.getByLabel("Column across").inputValue(), "b");
  },
);
