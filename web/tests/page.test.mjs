// Drives everything that the page can do over the bundled data.
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { importData, parameterOf, placeOf, root, rowsOf, served } from "./harness.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DATA = join(root, "data/support-assistant");
const { here, scenario, ask, post } = served(async (store) => {
  await importData(store, DATA, "support-assistant");
  // The same rows under other ids, for what changes rows and settings.
  const copies = await mkdtemp(join(tmpdir(), "evalhouse-rows-"));
  for (const file of await readdir(DATA)) {
    const name = file.replace(".jsonl.gz", "");
    const lines = gunzipSync(await readFile(join(DATA, file)))
      .toString()
      .trim()
      .split("\n");
    const rows = lines.map((line) => {
      const { project_id: _project, experiment_id: _experiment, ...row } = JSON.parse(line);
      return JSON.stringify(row);
    });
    await writeFile(join(copies, `${name}.jsonl`), rows.join("\n"));
    await importData(store, join(copies, `${name}.jsonl`), "workshop", "--experiment", name);
  }
  await rm(copies, { recursive: true });
});

const experiment = (name, project = "support-assistant") => `/app/evalhouse/p/${project}/experiments/${name}`;
const PROMPT = experiment("prompt-v2");
const CASE = "0d4b2399-0f2a-5f92-a589-2b046814825f";
const of = (project) => `project=${project}`;
const api = (path) => `/api/v1/${path}${path.includes("?") ? "&" : "?"}${of("support-assistant")}`;
const minus = (text) => text.replace("-", "−");
const settled = (page) => page.waitForLoadState("networkidle");
const inView = (page, name, value) =>
  page.waitForFunction(([n, v]) => new URL(location.href).searchParams.get(n) === v, [name, value]);

// The list

scenario(
  "the list shows every experiment with the means of the history",
  "/app/evalhouse/p/support-assistant",
  async (page) => {
    const history = await ask("/api/v1/projects/support-assistant/history");
    await rowsOf(page, "Experiments").nth(3).waitFor();
    const point = history.scores.Factuality.points.find((one) => one.experiment === "prompt-v2");
    const row = rowsOf(page, "Experiments").filter({ hasText: "prompt-v2" });
    await row
      .getByText(`${(100 * point.mean).toFixed(1)} %`)
      .first()
      .waitFor();
    await page.getByRole("columnheader", { name: "Cost, $" }).waitFor();
  },
);

scenario("the list of all projects links to each", "/", async (page) => {
  await page.getByRole("navigation", { name: "Projects" }).getByRole("link", { name: "workshop" }).click();
  await rowsOf(page, "Experiments").nth(3).waitFor();
  assert.match(page.url(), /\/p\/workshop$/);
});

scenario(
  "the list is sorted and filtered, by a name or a condition",
  "/app/evalhouse/p/support-assistant",
  async (page) => {
    await page.getByRole("button", { name: /^Experiment/ }).click();
    await page.getByRole("columnheader", { name: /^Experiment ↓/ }).waitFor();
    const names = await rowsOf(page, "Experiments").locator("a").allInnerTexts();
    assert.deepEqual(names, names.toSorted().toReversed());
    const filter = page.getByLabel("Filter experiments");
    await filter.fill("prompt");
    await filter.press("Enter");
    await page.getByText("2 experiments").waitFor();
    await filter.fill("experiment = 'baseline'");
    await filter.press("Enter");
    await page.getByText("1 experiments").waitFor();
  },
);

scenario("several experiments are picked and compared", "/app/evalhouse/p/support-assistant", async (page) => {
  await page.getByLabel("Pick prompt-v3").check();
  await page.getByLabel("Pick prompt-v2").check();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("grid", { name: "Cases" }).waitFor();
  assert.match(page.url(), /experiments\/prompt-v3\?vs=/);
});

// Charts

scenario("a chart over time tells what is near, and opens it", "/app/evalhouse/p/support-assistant", async (page) => {
  const mark = page.locator(".chart a .mark").nth(1);
  await mark.waitFor();
  const { x, y, width, height } = await mark.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.locator(".tip").getByText("cases").waitFor();
  await page.mouse.click(x + width / 2, y + height / 2);
  await page.getByRole("grid", { name: "Cases" }).waitFor();
});

scenario("a drag over time keeps those experiments", "/app/evalhouse/p/support-assistant", async (page) => {
  await page.locator(".chart a .mark").nth(3).waitFor();
  const { x, y, width, height } = await page.locator(".sensor").boundingBox();
  await page.mouse.move(x + width * 0.5, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => location.search.includes("where="));
  const { experiments } = await ask(api(`experiments?where=${encodeURIComponent(parameterOf(page, "where"))}`));
  assert.ok(experiments.length > 0 && experiments.length < 4);
  await page.getByText(`${experiments.length} experiments`).waitFor();
});

scenario(
  "scores are compared as bars with intervals",
  "/app/evalhouse/p/support-assistant?chart=bars",
  async (page) => {
    await page.locator(".bar-interval").nth(11).waitFor({ state: "attached" });
  },
);

/** The experiments of the workshop say which model they ran. */
async function nameModels() {
  const { experiments } = await ask(`/api/v1/experiments?${of("workshop")}`);
  for (const { id, experiment } of experiments) {
    const metadata = { model: experiment === "cheaper-model" ? "small" : "large", run: { number: 1 } };
    await post(`/v1/experiment/${id}`, { metadata }, "PATCH");
  }
}

scenario("bars are grouped by metadata, and a group is kept", "/", async (page) => {
  await nameModels();
  await page.goto(`${here.url}/app/evalhouse/p/workshop?chart=groups&score=Factuality`);
  const bars = page.locator(".chart g rect.mark");
  await bars.nth(1).waitFor();
  const rows = await post("/api/v1/sql", {
    query: `select mean_ci(scores."Factuality", comparison_key_hash) as of from cases
      where project = 'workshop' and experiment = 'cheaper-model'`,
  });
  await page
    .locator(".chart title", { hasText: `${(100 * rows[0].of.mean).toFixed(1)} %` })
    .first()
    .waitFor({ state: "attached" });
  assert.equal(await page.locator(".bar-interval").count(), 2);
  await page.getByRole("button", { name: /^by / }).click();
  assert.deepEqual(await page.locator(".sheet label").allInnerTexts(), ["model"]);
  await page.keyboard.press("Escape");
  await page.getByLabel("What counts").selectOption("experiments");
  await inView(page, "weigh", "experiments");
  await page.waitForFunction(() => document.querySelectorAll(".bar-interval").length === 0);
  const bar = await placeOf(bars.nth(1));
  await page.mouse.click(bar.x + bar.width / 2, bar.y + 12);
  await page.waitForFunction(() => location.search.includes("where=experiment_id"));
  await page.getByText("1 experiments", { exact: true }).waitFor();
});

scenario("a scatter plot has its frontier, symbols, and a box that filters", "/", async (page) => {
  await nameModels();
  await page.goto(`${here.url}/app/evalhouse/p/workshop?chart=scatter&score=Factuality`);
  await page.locator(".chart a .mark").nth(3).waitFor();
  const board = await ask(`/api/v1/leaderboard?${of("workshop")}&score=Factuality&cost=estimated_cost`);
  const corners = (await page.locator(".frontier").getAttribute("d")).split("L").length;
  assert.equal(corners, board.rows.filter((row) => row.on_frontier).length);
  await page.getByLabel("What marks stand for").selectOption("model");
  await page.locator(".chart .mark-label", { hasText: "small" }).first().waitFor();
  const shapes = await page
    .locator(".chart a .mark")
    .evaluateAll((marks) => marks.map((mark) => mark.getAttribute("d")));
  assert.equal(new Set(shapes).size, 2);
  const { x, y, width, height } = await page.locator(".sensor").boundingBox();
  await page.mouse.move(x + width / 2, y + 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 2, y + height - 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => location.search.includes("where=experiment_id"));
  await page.getByText("3 experiments", { exact: true }).waitFor();
});

// The experiment

scenario("headers show the numbers of the diff, and filter", PROMPT, async (page) => {
  const diff = await ask(api("diff?base=baseline&candidate=prompt-v2"));
  const { candidate, delta_matched: delta } = diff.scores.Factuality;
  const header = page.getByRole("columnheader").filter({ hasText: "Factuality" });
  await header.getByText(`${(100 * candidate).toFixed(1)} %`).waitFor();
  await header
    .getByText(minus((100 * delta).toFixed(1)))
    .first()
    .waitFor();
  await header.getByTitle("Only the regressed").click();
  assert.equal(parameterOf(page, "where"), "regressed(scores.Factuality)");
  const { total } = await ask(
    api("experiments/prompt-v2/cases?against=baseline&limit=1&where=regressed(scores.Factuality)"),
  );
  await page.getByText(`${total} rows`).first().waitFor();
  assert.ok(total > 0);
});

scenario("headers show how values are spread", PROMPT, async (page) => {
  const spark = page.getByRole("columnheader").filter({ hasText: "Factuality" }).getByRole("img");
  await spark.waitFor();
  const { groups } = await ask(
    api(`diff?base=baseline&candidate=prompt-v2&group-by=${encodeURIComponent("floor(scores.Factuality * 10)")}`),
  );
  const top = groups.find((group) => Number(group.values[0]) === 7).experiments[1].rows;
  await page.waitForFunction(
    (text) => [...document.querySelectorAll(".spark")].some((one) => one.getAttribute("aria-label").includes(text)),
    `0.7: ${top}`,
  );
});

scenario("the summary pane tells what the experiment is, and the id is copied", PROMPT, async (page) => {
  const summary = await ask(api("experiments/prompt-v2/summary"));
  const pane = page.getByRole("complementary");
  await pane.getByText(`${summary.cases} cases`).waitFor();
  await pane.getByTitle("Copy the id").click();
  await page.getByText("Copied the id").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), summary.id);
  await page.keyboard.press("s");
  await pane.waitFor({ state: "detached" });
});

scenario("the baseline is named with its rule, swapped, changed, and left out", PROMPT, async (page) => {
  const { baseline } = await ask(api("experiments/prompt-v2/baseline"));
  await page.getByText(`(rule: ${baseline.rule})`).waitFor();
  await page.getByRole("button", { name: "Swap" }).click();
  await page.waitForURL(/experiments\/baseline\?vs=/);
  await page.goBack();
  await page.getByRole("button", { name: "Compare with" }).click();
  await page.locator(".sheet label").filter({ hasText: "prompt-v3" }).getByRole("checkbox").check();
  await page.waitForFunction(() => new URL(location.href).searchParams.getAll("vs").length === 1);
  await page.keyboard.press("Escape");
  await page.getByLabel("Diff").uncheck();
  await inView(page, "diff", "off");
  await page.getByText("on its own").waitFor();
});

scenario("several comparisons are shown in every row", `${PROMPT}?vs=baseline&vs=prompt-v3`, async (page) => {
  const table = await ask(api("experiments/prompt-v2/cases?against=baseline&limit=1"));
  const { id } = table.rows[0];
  const other = await ask(
    api(
      `experiments/prompt-v2/cases?against=prompt-v3&limit=1&where=${encodeURIComponent(`id = '${id}'`)}&columns=scores.Factuality`,
    ),
  );
  const row = page.locator(`[data-id="${id}"]`);
  await row.locator(".against").first().waitFor();
  await row.locator(".against").getByText(other.rows[0].cells[0].base.toFixed(2), { exact: true }).first().waitFor();
  await page.getByRole("complementary").getByText("vs prompt-v3").waitFor();
});

scenario("counts add up and filter", PROMPT, async (page) => {
  const { counts } = await ask(api("diff?base=baseline&candidate=prompt-v2"));
  await page.getByRole("button", { name: `${counts.matched} matched` }).waitFor();
  await page.getByRole("button", { name: `${counts.base_only} only there` }).click();
  await rowsOf(page, "Cases").first().getByText("only there").waitFor();
  await rowsOf(page, "Cases").first().locator(".first > .cut").click();
  await page.getByText("only in the baseline").waitFor();
});

scenario("errors are counted under the filter of a comparison, and filter", PROMPT, async (page) => {
  const total = async (where) =>
    (await ask(api(`experiments/prompt-v2/cases?against=baseline&limit=1&where=${encodeURIComponent(where)}`))).total;
  const matched = "presence() = 'matched' and metadata.category = 'refunds'";
  const [all, some] = [await total("error is not null"), await total(`${matched} and error is not null`)];
  assert.ok(some > 0 && some < all);
  await page.getByRole("button", { name: `${all} with an error` }).waitFor();
  await page.goto(`${here.url}${PROMPT}?where=${encodeURIComponent(matched)}`);
  await page.getByRole("button", { name: `${some} with an error` }).click();
  assert.equal(parameterOf(page, "where"), `${matched} and error is not null`);
  await page.getByText(`${some} rows`).first().waitFor();
  await page.getByRole("button", { name: `${some} with an error`, pressed: true }).click();
  assert.equal(parameterOf(page, "where"), matched);
});

// The table

scenario("columns are shown, hidden, ordered, frozen and resized, and the address knows", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  const sheet = page.locator(".sheet");
  await sheet
    .locator("label")
    .filter({ hasText: /^metadata\.tier$/ })
    .getByRole("checkbox")
    .check();
  await page.getByRole("columnheader").filter({ hasText: "metadata.tier" }).waitFor();
  await sheet
    .locator("label")
    .filter({ hasText: /^output$/ })
    .getByRole("checkbox")
    .uncheck();
  await page
    .getByRole("columnheader")
    .filter({ hasText: /^output/ })
    .waitFor({ state: "detached" });
  await sheet.getByRole("button", { name: "Move scores.Helpfulness left" }).click();
  await sheet.getByRole("button", { name: "Freeze up to scores.Helpfulness" }).click();
  await inView(page, "freeze", "2");
  assert.equal(await page.locator(".table-head .frozen").count(), 2);
  await sheet.getByRole("button", { name: "Order scores by regressions" }).click();
  await page.waitForFunction(() => location.search.includes("columns="));
  const diff = await ask(api("diff?base=baseline&candidate=prompt-v2"));
  const ranked = Object.entries(diff.scores).toSorted(([, a], [, b]) => b.regressed - a.regressed);
  const scores = parameterOf(page, "columns")
    .split(",")
    .filter((name) => name.startsWith("scores."));
  assert.equal(scores[0], `scores.${ranked[0][0]}`);
  await page.keyboard.press("Escape");
  await page.locator("[aria-label=Cases][aria-busy=false]").waitFor();
  const handle = page.getByRole("columnheader").first().locator(".handle");
  const before = (await page.getByRole("columnheader").first().boundingBox()).width;
  const { x, y } = await handle.boundingBox();
  await page.mouse.move(x + 3, y + 10);
  await page.mouse.down();
  await page.mouse.move(x + 63, y + 10, { steps: 3 });
  await page.mouse.up();
  const after = (await page.getByRole("columnheader").first().boundingBox()).width;
  assert.ok(Math.abs(after - before - 60) < 4, `${before} to ${after}`);
});

scenario("rows are ordered by a column, and are high, low or in between", PROMPT, async (page) => {
  await page.getByRole("columnheader").filter({ hasText: "Helpfulness" }).locator("button.sort").click();
  await inView(page, "sort", "scores.Helpfulness desc");
  const { rows } = await ask(
    api("experiments/prompt-v2/cases?against=baseline&limit=1&sort=scores.Helpfulness%20desc"),
  );
  await page.waitForFunction((id) => document.querySelector(".table-row[data-id]")?.dataset.id === id, rows[0].id);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByLabel("Height of rows").selectOption("tall");
  await page.waitForFunction(() => document.querySelector(".table-row").offsetHeight > 60);
  await page.getByLabel("Height of rows").selectOption("compact");
  await page.waitForFunction(() => document.querySelector(".table-row").offsetHeight === 22);
});

scenario("rows beyond the first page come when they are scrolled to", PROMPT, async (page) => {
  const { total, rows } = await ask(api("experiments/prompt-v2/cases?against=baseline&limit=1000"));
  assert.ok(total > 200);
  const grid = page.getByRole("grid", { name: "Cases" });
  await rowsOf(page, "Cases").first().waitFor();
  await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await page.locator(`[data-id="${rows.at(-1).id}"]`).waitFor();
});

scenario("trials line up as chosen, and are stepped through", `${PROMPT}?vs=baseline`, async (page) => {
  const two = page.locator("[data-id]").filter({ hasText: /[12] of 2/ });
  await two.first().waitFor();
  const id = await two.first().getAttribute("data-id");
  const turned = await ask(
    api(
      `experiments/prompt-v2/cases?against=baseline&shift=1&columns=scores.Factuality&where=${encodeURIComponent(`id = '${id}'`)}`,
    ),
  );
  const row = page.locator(`[data-id="${id}"]`);
  await row.getByText(/[12] of 2/).waitFor();
  const before = await row.getByText(/[12] of 2/).innerText();
  await row.getByRole("button", { name: "Next trial" }).click();
  await page.waitForFunction(
    ([name, text]) => !document.querySelector(`[data-id="${name}"]`).innerText.includes(text),
    [id, before.trim()],
  );
  const { base } = turned.rows[0].cells[0];
  await row
    .locator(`[title*="baseline ${base.toFixed(2)}"]`)
    .first()
    .waitFor();
  await page.getByLabel("Which trial of the comparison").selectOption("worst");
  await inView(page, "align", "worst");
});

/** A case that `worst` holds against another trial than `index` does: its id, that trial and its value. */
async function otherwiseAligned(base) {
  const rows = async (align) => {
    const columns = "scores.Factuality,baseline(trial())";
    const given = new URLSearchParams({ against: base, align, columns, limit: "1000" });
    return (await ask(api(`experiments/prompt-v2/cases?${given}`))).rows;
  };
  const byIndex = new Map((await rows("index")).map((row) => [row.id, row.cells]));
  const found = (await rows("worst")).find((row) => {
    const [value, trial] = byIndex.get(row.id);
    return trial.value !== null && trial.value !== row.cells[1].value && value.base !== row.cells[0].base;
  });
  return { id: found.id, trial: found.cells[1].value, base: found.cells[0].base.toFixed(2) };
}

const pressedTrials = (page) => page.getByRole("group", { name: "Trials" }).getByRole("button", { pressed: true });

scenario("every view holds a case against the trial that the alignment chooses", "/", async (page) => {
  const one = await otherwiseAligned("baseline");
  const row = encodeURIComponent(`id = '${one.id}'`);
  const view = `${here.url}${PROMPT}?vs=baseline&align=worst`;
  await page.goto(`${view}&where=${row}`);
  const cell = page.locator(`[data-id="${one.id}"]`).locator(`[title*="baseline ${one.base}"]`);
  await cell.first().waitFor();
  await page.goto(`${view}&case=${one.id}`);
  assert.equal(await pressedTrials(page).last().innerText(), String(one.trial + 1));
  await page.goto(`${view}&where=${row}&layout=grid`);
  await page.locator(".grid-row > div").nth(1).getByText(`Factuality ${one.base}`).waitFor();
  await page.goto(`${view}&pick=${one.id}`);
  await page.getByRole("button", { name: "Export these" }).click();
  const link = await page.getByRole("link", { name: "json", exact: true }).getAttribute("href");
  const [exported] = await ask(link);
  assert.equal(exported["scores.Factuality.baseline"].toFixed(2), one.base);

  const other = await otherwiseAligned("prompt-v3");
  await page.goto(`${here.url}${PROMPT}?vs=baseline&vs=prompt-v3&align=worst&where=id+%3D+%27${other.id}%27`);
  const cells = page.locator(`[data-id="${other.id}"] .against`);
  await cells.getByText(other.base, { exact: true }).first().waitFor();
});

scenario(
  "a trace is held against the trial that its row is, until it is closed",
  `${PROMPT}?vs=baseline`,
  async (page) => {
    const two = page.locator("[data-id]").filter({ hasText: /[12] of 2/ });
    const id = await two.first().getAttribute("data-id");
    const row = page.locator(`[data-id="${id}"]`);
    const [, before] = /([12]) of 2/.exec(await row.innerText());
    await row.getByRole("button", { name: "Next trial" }).click();
    await row.getByText(before === "1" ? "2 of 2" : "1 of 2").waitFor();
    await row.locator(".first > .cut").click();
    await page.waitForFunction(() => location.search.includes("against="));
    assert.equal(await pressedTrials(page).last().innerText(), before === "1" ? "2" : "1");
    await page.keyboard.press("n");
    await page.waitForFunction((old) => !location.search.includes(old), id);
    assert.equal(parameterOf(page, "against"), null);
    await page.goBack();
    await inView(page, "case", id);
    await page.keyboard.press("Escape");
    await page.locator(".trace").waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).search, "?vs=baseline");
  },
);

// Filter, groups, layouts

scenario(
  "a phrase shows what it was understood as, and can be edited",
  `${PROMPT}?where=regressions+in+Factuality`,
  async (page) => {
    const understood = page.locator(".understood");
    await understood.locator("code", { hasText: "regressed(scores.Factuality)" }).waitFor();
    await understood.getByRole("button", { name: "Edit" }).click();
    await inView(page, "where", "regressed(scores.Factuality)");
  },
);

scenario(
  "a phrase is narrowed by what is clicked",
  `${PROMPT}?vs=baseline&where=regressions+in+Factuality`,
  async (page) => {
    await page.locator(".understood").waitFor();
    const helpfulness = page.getByRole("columnheader").filter({ hasText: "Helpfulness" });
    await helpfulness.getByTitle("Only the improved").click();
    await page.waitForFunction(() =>
      /^regressed\(.*\) and improved\(/.test(new URLSearchParams(location.search).get("where")),
    );
    await rowsOf(page, "Cases").first().waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
  },
);

scenario(
  "a wrong filter says where, and keeps what was typed",
  `${PROMPT}?where=scores.Factualty+%3C+1`,
  async (page) => {
    await page.getByText("did you mean `Factuality`").waitFor();
    await page.locator(".editor").getByText("Factualty").waitFor();
    await page.locator(".cm-lintRange-error").waitFor();
  },
  [/400 \(Bad Request\)/],
);

scenario("the filter bar completes paths, functions and operators", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  await settled(page);
  await page.keyboard.press("/");
  await page.keyboard.type("metadata.ti");
  await page.locator(".cm-tooltip-autocomplete").getByText("metadata.tier").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(" = '");
  await page.locator(".cm-tooltip-autocomplete").getByText("pro", { exact: true }).waitFor();
  await page.keyboard.type("pro'");
  await page.keyboard.type(" and regr");
  await page.locator(".cm-tooltip-autocomplete").getByText("regressed(").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type("Factuality)");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("where="));
  assert.equal(parameterOf(page, "where"), "metadata.tier = 'pro' and regressed(Factuality)");
});

scenario(
  "groups are ordered by regressions and open as a filter",
  `${PROMPT}?group=metadata.category&order=regressions%3AFactuality`,
  async (page) => {
    const { groups } = await ask(
      api("diff?base=baseline&candidate=prompt-v2&group-by=metadata.category&sort=regressions:Factuality"),
    );
    await rowsOf(page, "Groups").first().getByText(groups[0].values[0]).waitFor();
    await rowsOf(page, "Groups").first().click();
    assert.equal(parameterOf(page, "where"), `metadata.category = '${groups[0].values[0]}'`);
  },
);

scenario(
  "groups nest, sum up as chosen, and leave comparisons out",
  `${PROMPT}?vs=baseline&vs=prompt-v3&group=metadata.tier`,
  async (page) => {
    await rowsOf(page, "Groups").nth(2).waitFor();
    const { groups } = await ask(
      api("diff?base=baseline&candidate=prompt-v2&candidate=prompt-v3&group-by=metadata.tier"),
    );
    assert.equal(await rowsOf(page, "Groups").count(), 3 * groups.length);
    await page.keyboard.press("g");
    await page.getByLabel("How scores are summed up").selectOption("p90");
    await page.getByRole("columnheader").filter({ hasText: "Factuality (p90)" }).waitFor();
    await page.getByLabel("Comparison that differences are against").selectOption({ label: "prompt-v3" });
    await page.waitForFunction(() => location.search.includes("first="));
    await page.getByLabel("Include comparisons in group").uncheck();
    await page.waitForFunction(
      (n) => document.querySelectorAll("[aria-label=Groups] [data-id]").length === n,
      groups.length,
    );
    await page
      .locator(".sheet label")
      .filter({ hasText: /^metadata\.category$/ })
      .getByRole("checkbox")
      .check();
    await page.getByRole("columnheader").filter({ hasText: "metadata.tier / metadata.category" }).waitFor();
  },
);

scenario(
  "every layout obeys the filter",
  `${PROMPT}?layout=grid&where=metadata.category+%3D+%27refunds%27`,
  async (page) => {
    const where = "where=metadata.category%20%3D%20%27refunds%27";
    await page.locator(".grid-row").first().waitFor();
    const { total } = await ask(api(`experiments/prompt-v2/cases?against=baseline&limit=1&${where}`));
    await page.getByText(`${total} rows`).waitFor();
    await page.getByRole("button", { name: /^Fields:/ }).click();
    await page
      .locator(".sheet label")
      .filter({ hasText: /^expected$/ })
      .getByRole("checkbox")
      .check();
    await page.locator(".grid-field").nth(3).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Report" }).click();
    const diff = await ask(api(`diff?base=baseline&candidate=prompt-v2&${where}`));
    await page.locator(".large", { hasText: `${(100 * diff.scores.Factuality.candidate).toFixed(1)} %` }).waitFor();
    await page.getByRole("button", { name: "Trials" }).click();
    const trials = await ask(api(`experiments/prompt-v2/trials?limit=10000&${where}`));
    await page.waitForFunction(
      (n) => document.querySelector("[aria-label=Trials]")?.getAttribute("aria-rowcount") === String(n + 1),
      trials.cases.length,
    );
  },
);

// Traces

scenario("a trace opens, shows the change, and steps by keys", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().click();
  await page.getByRole("treeitem").nth(3).waitFor();
  await page.locator(".trace ins, .trace del").first().waitFor();
  const first = parameterOf(page, "case");
  await page.keyboard.press("n");
  await page.waitForFunction((id) => new URL(location.href).searchParams.get("case") !== id, first);
  await page.keyboard.press("p");
  await inView(page, "case", first);
  await page.keyboard.press("b");
  await page.locator(".trace .sides").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => location.search.includes("span="));
  await page.keyboard.press("Escape");
  await page.locator(".trace").waitFor({ state: "detached" });
});

scenario("the spans of a trace tell types, times, tokens and cost", `${PROMPT}?case=${CASE}`, async (page) => {
  const trace = await ask(api(`experiments/prompt-v2/traces/${CASE}`));
  await page
    .getByRole("treeitem")
    .nth(trace.spans.length - 1)
    .waitFor();
  const llm = trace.spans.findIndex((span) => span.type === "llm");
  await page.getByRole("treeitem").nth(llm).click();
  const item = page.getByRole("treeitem").nth(llm);
  await item.getByText(`${trace.spans[llm].tokens} tok`).waitFor();
  await item.getByText("$").waitFor();
  await page.getByRole("heading", { name: trace.spans[llm].name }).waitFor();
});

scenario(
  "messages read as a conversation, of a span and of the trace",
  `${PROMPT}?case=${CASE}&look=conversation`,
  async (page) => {
    const trace = await ask(api(`experiments/prompt-v2/traces/${CASE}`));
    const llm = trace.spans.find((span) => span.type === "llm" && span.purpose !== "scorer");
    await page.locator(".turns .message-assistant").first().waitFor();
    await page.locator(".edge").getByText(`${llm.tokens} tokens`).first().waitFor();
    await page.getByRole("button", { name: "Conversation", exact: true }).first().click();
    await page.locator(".spans").waitFor();
    await page.getByRole("treeitem").filter({ hasText: llm.name }).first().click();
    await page.locator(".detail").getByRole("button", { name: "Conversation" }).first().click();
    await page.locator(".detail .conversation .message").first().waitFor();
  },
);

scenario("a text is shown as Markdown", "/", async (page) => {
  const made = await post("/api/experiment/register", { project_name: "written", experiment_name: "first" });
  const output = "# Steps\n\n- first **now**\n- then `wait`\n\n<b>as it is</b>";
  const row = { id: "row-1", span_id: "row-1", root_span_id: "row-1", input: "how?", output };
  await post(`/v1/experiment/${made.experiment.id}/insert`, { events: [row] });
  await page.goto(`${here.url}/app/evalhouse/p/written/experiments/first?case=row-1`);
  const field = page.locator(".field").filter({ hasText: "output" });
  await field.getByText("# Steps").waitFor();
  await field.getByRole("button", { name: "Markdown", exact: true }).click();
  const markdown = field.locator(".markdown");
  await markdown.locator(".heading-like", { hasText: /^Steps$/ }).waitFor();
  assert.equal(await markdown.locator(".item").count(), 2);
  assert.equal(await markdown.locator("strong").innerText(), "now");
  assert.equal(await markdown.locator("code").innerText(), "wait");
  await markdown.getByText("<b>as it is</b>").waitFor();
});

scenario("JSON folds", experiment("prompt-v3"), async (page) => {
  await rowsOf(page, "Cases").first().click();
  await page.locator(".detail .field").first().waitFor();
  const fold = page.locator(".json .fold").first();
  await fold.waitFor();
  const open = await fold.getAttribute("aria-expanded");
  await fold.click();
  assert.notEqual(await fold.getAttribute("aria-expanded"), open);
});

scenario(
  "trials are stepped through in a trace, and the one it is held against",
  `${PROMPT}?vs=baseline&case=${CASE}`,
  async (page) => {
    const line = page.locator(".trials-line").filter({ hasText: "Trial" });
    await line.getByRole("button", { pressed: true }).nth(1).waitFor();
    await line.getByRole("button", { pressed: false }).last().click();
    await page.waitForFunction(() => location.search.includes("against="));
  },
);

// Scoring

scenario(
  "a scorer is tried and applied; its scores are spans of the traces",
  experiment("prompt-v3", "workshop"),
  async (page) => {
    await rowsOf(page, "Cases").nth(2).waitFor();
    const ids = await rowsOf(page, "Cases").evaluateAll((rows) => rows.slice(0, 3).map((row) => row.dataset.id));
    for (const id of ids) await page.getByLabel(`Pick case ${id}`).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Score" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Levenshtein" }).click();
    await dialog.getByRole("table", { name: "What the scorer says" }).getByRole("row").nth(3).waitFor();
    await dialog.getByRole("button", { name: "Score 3 cases" }).click();
    await page.getByRole("status", { name: "Scoring Levenshtein" }).getByText("done").waitFor();
    const where = encodeURIComponent(`id = '${ids[0]}'`);
    const column = encodeURIComponent("levenshtein_score(output, expected)");
    const { rows } = await ask(
      `/api/v1/experiments/prompt-v3/cases?${of("workshop")}&where=${where}&columns=scores.Levenshtein,${column}`,
    );
    assert.ok(Math.abs(rows[0].cells[0].value - rows[0].cells[1].value) < 1e-12);
    const list = await ask(`/api/v1/experiments?${of("workshop")}&where=experiment%20%3D%20%27prompt-v3%27`);
    const trace = await ask(`/api/v1/experiments/${list.experiments[0].id}/traces/${ids[0]}`);
    const span = trace.spans.find((one) => one.name === "Levenshtein");
    assert.equal(span.type, "score");
    // Wide enough for all columns.
    await page.setViewportSize({ width: 4000, height: 900 });
    await page.getByRole("columnheader").filter({ hasText: "Levenshtein" }).waitFor();
  },
);

scenario(
  "a scoring of many cases survives a reload, and is stopped",
  experiment("prompt-v2", "workshop"),
  async (page) => {
    await rowsOf(page, "Cases").first().waitFor();
    const path = `/api/v1/experiments/prompt-v2/scorings?${of("workshop")}`;
    const started = await post(path, { name: "Length", scorer: "least(1, len(output) / 1000.0)" });
    assert.equal(started.state, "running");
    await page.reload();
    const { scorings } = await ask(path);
    assert.equal(scorings[0].id, started.id);
    const stopped = await post(`/api/v1/scorings/${started.id}`, {}, "DELETE");
    assert.ok(["cancelled", "done"].includes(stopped.state));
  },
);

scenario(
  "a wrong scorer is refused with its place",
  experiment("cheaper-model", "workshop"),
  async (page) => {
    const id = await rowsOf(page, "Cases").first().getAttribute("data-id");
    await page.getByLabel(`Pick case ${id}`).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Score" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Scorer" }).click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("output.nothing +");
    await dialog.getByRole("alert").waitFor();
    await page.waitForFunction(() => document.querySelector("dialog button.main").disabled);
  },
  [/400 \(Bad Request\)/],
);

scenario("cases are scored by hand", experiment("cheaper-model", "workshop"), async (page) => {
  const id = await rowsOf(page, "Cases").first().getAttribute("data-id");
  await page.getByLabel(`Pick case ${id}`).check();
  await page.getByRole("toolbar").getByRole("button", { name: "Score" }).click();
  await page.getByRole("button", { name: "By hand" }).click();
  await page.getByLabel("Score", { exact: true }).fill("Review");
  await page.getByRole("spinbutton", { name: "Value" }).fill("0.5");
  await page.getByLabel("Note").fill("looked at it");
  await page.getByRole("dialog").getByRole("button", { name: "Score", exact: true }).click();
  await page.getByText("Scored 1 cases").waitFor();
  const { rows } = await ask(
    `/api/v1/experiments/cheaper-model/cases?${of("workshop")}&where=${encodeURIComponent(`id = '${id}'`)}&columns=scores.Review`,
  );
  assert.equal(rows[0].cells[0].value, 0.5);
});

// Explain, SQL

scenario("what carries a regression opens as a filter", PROMPT, async (page) => {
  const { slices } = await ask(api("explain?base=baseline&candidate=prompt-v2&score=Factuality"));
  await page.getByRole("button", { name: "Why?" }).first().click();
  await page.getByRole("button", { name: slices[0].where }).click();
  assert.equal(parameterOf(page, "where"), slices[0].where);
});

scenario("any delta says why: in a header, a cell, a group", `${PROMPT}?vs=baseline&vs=prompt-v3`, async (page) => {
  const dialog = page.getByRole("dialog", { name: "Why did Factuality change?" });
  const header = page.getByRole("columnheader").filter({ hasText: "Factuality" });
  await header.getByRole("button", { name: "why?" }).click();
  await dialog.getByText(/against baseline over \d+/).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  const { rows } = await ask(api("experiments/prompt-v2/cases?against=prompt-v3&limit=1000&columns=scores.Factuality"));
  const { id } = rows.find((row) => row.cells[0].class === "regressed");
  await page.goto(
    `${here.url}${PROMPT}?vs=baseline&vs=prompt-v3&columns=input,scores.Factuality&where=id+%3D+%27${id}%27`,
  );
  const against = page.locator(".against");
  await against.hover();
  await against.getByRole("button", { name: "why?" }).click();
  await dialog.getByText(/against prompt-v3 over/).waitFor();
  assert.equal(parameterOf(page, "case"), null);
  await page.goto(`${here.url}${PROMPT}?vs=baseline&group=metadata.tier`);
  const group = rowsOf(page, "Groups")
    .filter({ has: page.getByRole("button", { name: "why?" }) })
    .first();
  await group.getByRole("button", { name: "why?" }).first().click();
  await page.getByRole("dialog").locator("code", { hasText: "metadata.tier = " }).first().waitFor();
  assert.equal(parameterOf(page, "where"), null);
});

scenario(
  "SQL runs, is remembered, explained and drawn",
  "/app/evalhouse/sql?q=select+experiment,+count(*)+as+n+from+cases+group+by+1",
  async (page) => {
    await rowsOf(page, "Results").nth(3).waitFor();
    await page.getByRole("button", { name: "Chart" }).click();
    await page.locator(".result-chart rect.mark").nth(3).waitFor();
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("logical_plan").waitFor();
    await page.getByRole("button", { name: "History" }).click();
    await page.locator(".sheet button", { hasText: "explain select" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Download" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator(".sheet").getByText("csv").click()]);
    assert.equal(file.suggestedFilename(), "rows.csv");
  },
);

scenario("a shipped query asks for its parameters and runs", "/app/evalhouse/sql", async (page) => {
  const { queries } = await ask("/api/v1/queries");
  const query = queries.find((one) => one.parameters.some((parameter) => parameter.name === "project"));
  await page.getByRole("button", { name: "Shipped queries" }).click();
  await page.locator(".sheet").getByRole("button", { name: query.question }).click();
  await page.keyboard.press("Escape");
  await page.getByLabel("Parameter project").fill("support-assistant");
  for (const one of query.parameters.filter((other) => other.name !== "project" && other.default === null))
    await page
      .getByLabel(`Parameter ${one.name}`)
      .fill({ score: "Factuality", base: "baseline" }[one.name] ?? "prompt-v2");
  await page.getByRole("button", { name: "Run" }).click();
  await rowsOf(page, "Results").first().waitFor();
});

scenario(
  "SQL completes tables and columns, and says where it is wrong",
  "/app/evalhouse/sql",
  async (page) => {
    await page.getByRole("textbox", { name: "SQL" }).click();
    await settled(page);
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("select * from exper");
    await page.locator(".cm-tooltip-autocomplete").getByText("experiments").first().waitFor();
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.getByRole("alert").filter({ hasText: "exper" }).waitFor();
  },
  [/400 \(Bad Request\)/],
);

// Taking it along

scenario(
  "what is listed is exported, as it is listed",
  `${PROMPT}?where=scores.Factuality+%3C+50%25&columns=input,scores.Factuality`,
  async (page) => {
    await rowsOf(page, "Cases").first().waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".sheet").getByRole("link", { name: "json", exact: true }).first().click(),
    ]);
    const rows = JSON.parse(await readFile(await file.path(), "utf8"));
    const { total, rows: listed } = await ask(
      api(
        `experiments/prompt-v2/cases?against=baseline&limit=1000&columns=input,scores.Factuality&where=${encodeURIComponent("scores.Factuality < 50%")}`,
      ),
    );
    assert.equal(rows.length, total);
    assert.deepEqual(
      rows.map((row) => [row.id, row["scores.Factuality"], row["scores.Factuality.delta"]]),
      listed.map((row) => [row.id, row.cells[1].value, row.cells[1].delta]),
    );
    await page.locator(".sheet .how").first().click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(
      command.startsWith("evalhouse cases support-assistant/prompt-v2 --against support-assistant/baseline --where"),
    );
    await page.getByRole("link", { name: "Open it as SQL" }).click();
    await page.waitForFunction(
      (n) => document.querySelector("[aria-label=Results]")?.getAttribute("aria-rowcount") === String(n + 1),
      total,
    );
  },
);

scenario(
  "groups and trials are exported as they are shown",
  `${PROMPT}?vs=baseline&group=metadata.tier`,
  async (page) => {
    const { groups } = await ask(api("diff?base=baseline&candidate=prompt-v2&group-by=metadata.tier"));
    await rowsOf(page, "Groups").first().waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    const sheet = page.locator(".sheet");
    const file = async (format) => {
      const click = sheet.getByRole("button", { name: format, exact: true }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), click]);
      return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
    };
    const [name, text] = await file("json");
    assert.equal(name, "prompt-v2-groups.json");
    const [first] = JSON.parse(text).filter((one) => one.experiment === "prompt-v2");
    assert.equal(first["metadata.tier"], groups[0].values[0]);
    assert.equal(first["scores.Factuality.delta"], groups[0].experiments[1].scores.Factuality.delta);
    const lines = (await file("csv"))[1].trim().split("\n");
    assert.equal(lines.length, 1 + 2 * groups.length);
    assert.match(lines[0], /^metadata\.tier,experiment,rows,cases,/);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Trials" }).click();
    await page.getByRole("button", { name: "Export" }).click();
    const { cases } = await ask(api("experiments/prompt-v2/trials?limit=1000"));
    const trials = JSON.parse((await file("json"))[1]);
    assert.deepEqual(
      trials.map((one) => [one.id, one["scores.Factuality.sd"]]),
      cases.map((one) => [one.id, one.scores.Factuality?.sd ?? null]),
    );
  },
);

scenario("trials say how many are shown, and show more", `${PROMPT}?layout=trials`, async (page) => {
  const { cases } = await ask(api("experiments/prompt-v2/trials?limit=1000"));
  const rows = (n) =>
    page.waitForFunction(
      (count) => document.querySelector("[aria-label=Trials]")?.getAttribute("aria-rowcount") === String(count + 1),
      n,
    );
  await page.getByText("These are the 200 cases").waitFor();
  await rows(200);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await rows(cases.length);
  await page.getByText("These are").waitFor({ state: "detached" });
});

scenario("all rows are copied as Markdown, not only those that were scrolled to", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  const { total } = await ask(api("experiments/prompt-v2/cases?against=baseline&limit=1"));
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("button", { name: "Copy the rows as Markdown" }).click();
  await page.getByText(`Copied ${total} rows as Markdown`).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(text.trim().split("\n").length, total + 2);
});

scenario("picked rows are copied as Markdown", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByRole("toolbar").getByRole("button", { name: "Copy as Markdown" }).click();
  await page.getByText("Copied 1 rows as Markdown").waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(text.trim().split("\n").length, 3);
});

scenario(
  "a view is saved to the project and opened again",
  `${experiment("prompt-v2", "workshop")}?where=metadata.tier+%3D+%27pro%27&layout=grid`,
  async (page) => {
    await page.locator(".grid-row").first().waitFor();
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByLabel("Name of the view to save").fill("pro side by side");
    await page.keyboard.press("Enter");
    await page.getByText("Saved the view").waitFor();
    const { settings } = await ask("/api/v1/projects/workshop/settings");
    assert.equal(settings.views["pro side by side"], "where=metadata.tier+%3D+%27pro%27&layout=grid");
    await page.goto(here.url + experiment("prompt-v3", "workshop"));
    await rowsOf(page, "Cases").first().waitFor();
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("button", { name: "pro side by side", exact: true }).click();
    await page.locator(".grid-row").first().waitFor();
    assert.equal(parameterOf(page, "where"), "metadata.tier = 'pro'");
  },
);

scenario("going back loses nothing", `${PROMPT}?where=scores.Factuality+%3C+50%25`, async (page) => {
  await rowsOf(page, "Cases").nth(5).waitFor();
  await rowsOf(page, "Cases").nth(5).click();
  await page.getByRole("treeitem").first().waitFor();
  await page.goBack();
  await page.locator(".trace").waitFor({ state: "detached" });
  assert.equal(parameterOf(page, "where"), "scores.Factuality < 50%");
});

// The project

scenario("a custom column is previewed and saved to the project", experiment("prompt-v2", "workshop"), async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("button", { name: "New column" }).click();
  const dialog = page.getByRole("dialog", { name: "New column" });
  await dialog.getByLabel("Name").fill("plan");
  await dialog.getByRole("textbox", { name: "Expression of the column" }).click();
  await page.keyboard.type("upper(metadata.tier)");
  await dialog
    .getByRole("table")
    .getByText(/^(FREE|PRO|ENTERPRISE)$/)
    .first()
    .waitFor();
  await dialog.getByRole("button", { name: "Save to the project" }).click();
  await page.getByRole("columnheader").filter({ hasText: "plan" }).waitFor();
  const { settings } = await ask("/api/v1/projects/workshop/settings");
  assert.equal(settings.columns.plan.expr, "upper(metadata.tier)");
});

scenario("settings are changed, each with what it does", "/app/evalhouse/p/workshop/settings", async (page) => {
  const stored = async () => (await ask("/api/v1/projects/workshop/settings")).settings;
  const saved = () => page.getByText("Saved", { exact: true }).waitFor();
  const key = page.getByRole("region", { name: "Comparison key" });
  await key.getByRole("textbox").fill("metadata.case_id");
  const check = await ask("/api/v1/projects/workshop/key-check?key=metadata.case_id");
  await key.getByRole("table").getByText(`${check.matches[0].matched} (`).waitFor();
  await key.getByRole("button", { name: "Save" }).click();
  await saved();
  assert.equal((await stored()).comparison_key, "metadata.case_id");

  await page.getByLabel("Reducer").selectOption("median");
  const scores = page.getByRole("region", { name: "Scores", exact: true });
  await scores.getByLabel("Tolerance of Factuality").fill("0.02");
  await scores.getByLabel("Tolerance of Factuality").press("Tab");
  await scores.getByLabel("Which way Helpfulness is better").selectOption("lower");
  await page.waitForFunction(async () => {
    const { settings } = await (await fetch("/api/v1/projects/workshop/settings")).json();
    return (
      settings.reducer === "median" &&
      settings.scores?.Factuality?.tolerance === 0.02 &&
      settings.scores?.Helpfulness?.direction === "lower"
    );
  });

  const baseline = page.getByRole("region", { name: "Baseline" });
  await baseline.getByLabel("Experiment", { exact: true }).fill("prompt-v3");
  await baseline.getByRole("button", { name: "Save" }).click();
  await baseline.getByLabel("Name of a baseline").fill("release");
  await baseline.getByLabel("Its experiment").fill("prompt-v2");
  await baseline.getByRole("button", { name: "Name a baseline" }).click();
  await baseline.getByText("baseline:release").waitFor();
  assert.equal((await stored()).baseline.experiment, "prompt-v3");

  const aggregates = page.getByRole("region", { name: "Aggregate scores" });
  await aggregates.getByRole("button", { name: "New aggregate score" }).click();
  await aggregates.getByLabel("Name").fill("Overall");
  await aggregates.getByLabel("Weight of Factuality").fill("2");
  await aggregates.getByLabel("Weight of Helpfulness").fill("1");
  await aggregates.getByRole("button", { name: "Save" }).click();
  await aggregates.getByText("2 × Factuality, 1 × Helpfulness").waitFor();
  assert.deepEqual((await stored()).aggregate_scores.Overall.categories, { Factuality: 2, Helpfulness: 1 });

  const columns = page.getByRole("region", { name: "Custom columns" });
  await columns.getByLabel("Name of the column").fill("tier");
  await columns.getByLabel("Expression of the column").fill("lower(metadata.tier)");
  await columns.getByRole("status").locator("code").first().waitFor();
  await columns.getByRole("button", { name: "Save the column" }).click();
  await columns.getByRole("button", { name: "Forget tier" }).waitFor();
  await columns.getByRole("button", { name: "Forget tier" }).click();
  await columns.getByRole("button", { name: "Forget tier" }).waitFor({ state: "detached" });

  await post(
    "/api/v1/projects/workshop/settings",
    {
      unset: [
        "comparison_key",
        "reducer",
        "baseline.experiment",
        "scores.Factuality.tolerance",
        "scores.Helpfulness.direction",
      ],
    },
    "PATCH",
  );
});

scenario(
  "what cannot be a setting is refused, and nothing is stored",
  "/app/evalhouse/p/workshop/settings",
  async (page) => {
    const key = page.getByRole("region", { name: "Comparison key" });
    await key.getByRole("textbox").fill("metadata.case_id +");
    await key.getByRole("alert").getByText("expected a value").waitFor();
    assert.ok(await key.getByRole("button", { name: "Save" }).isDisabled());
    await page.getByRole("region", { name: "Baseline" }).getByLabel("Experiment", { exact: true }).fill("nothing");
    await page.getByRole("region", { name: "Baseline" }).getByRole("button", { name: "Save" }).click();
    await page.getByText("has no experiment `nothing`").waitFor();
  },
  [/400 \(Bad Request\)/],
);

// SDKs, running experiments

scenario("the links that the SDKs print open the right page", "/", async (page) => {
  const made = await post("/api/experiment/register", { project_name: "linked", experiment_name: "first" });
  const { id } = made.experiment;
  const row = {
    id: "row-1",
    span_id: "row-1",
    root_span_id: "row-1",
    input: "hello",
    output: "you",
    scores: { Good: 1 },
  };
  await post(`/v1/experiment/${id}/insert`, { events: [row] });
  await page.goto(`${here.url}/app/evalhouse/p/linked/experiments/first`);
  await page.locator("[data-id=row-1]").waitFor();
  await page.goto(`${here.url}/app/evalhouse/object?object_type=experiment&object_id=${id}&id=row-1`);
  await page.getByRole("treeitem").waitFor();
  assert.match(page.url(), /\/p\/linked\/experiments\/first\?case=row-1/);
  const dataset = await post("/api/dataset/register", { project_name: "linked", dataset_name: "questions" });
  await post(`/v1/dataset/${dataset.dataset.id}/insert`, {
    events: [{ id: "d1", input: "asked once", expected: "x" }],
  });
  await page.goto(`${here.url}/app/evalhouse/p/linked/datasets/questions`);
  await page.getByText("asked once").waitFor();
});

scenario("a running experiment updates by itself", "/", async (page) => {
  const made = await post("/api/experiment/register", { project_name: "running", experiment_name: "now" });
  const insert = (at) => {
    const id = `row-${at}`;
    const row = { id, span_id: id, root_span_id: id, input: `question ${at}`, output: "x", scores: { Good: at % 2 } };
    return post(`/v1/experiment/${made.experiment.id}/insert`, { events: [row] });
  };
  await insert(1);
  await page.goto(`${here.url}/app/evalhouse/p/running/experiments/now`);
  await page.locator("[data-id=row-1]").waitFor();
  await insert(2);
  await page.locator("[data-id=row-2]").waitFor();
  await page.getByText("2 rows").first().waitFor();
  await page.getByRole("button", { name: "Trials" }).click();
  await rowsOf(page, "Trials").nth(1).waitFor();
  await insert(3);
  await rowsOf(page, "Trials").nth(2).waitFor();
  await page.getByRole("button", { name: "Grid" }).click();
  await page.locator(".grid-row").nth(2).waitFor();
  await insert(4);
  await page.locator(".grid-row").nth(3).waitFor();
  await page.goto(`${here.url}/app/evalhouse/p/running/experiments/now?group=scores.Good&case=row-1`);
  await rowsOf(page, "Groups").first().getByText("2").first().waitFor();
  await page.getByRole("treeitem").nth(0).waitFor();
  const child = { id: "step-1", span_id: "step-1", root_span_id: "row-1", span_parents: ["row-1"], output: "y" };
  await post(`/v1/experiment/${made.experiment.id}/insert`, { events: [child] });
  await page.getByRole("treeitem").nth(1).waitFor();
  await insert(5);
  await insert(6);
  await rowsOf(page, "Groups").first().getByText("3").first().waitFor();
});

scenario("an experiment without a baseline stands alone", experiment("baseline"), async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  const summary = await ask(api("experiments/baseline/summary"));
  const header = page.getByRole("columnheader").filter({ hasText: "Factuality" });
  await header.getByText(`${(100 * summary.scores.Factuality.case_mean).toFixed(1)} %`).waitFor();
});

// The frame

scenario("search finds and opens by keys", "/", async (page) => {
  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type("workshop v3");
  await page.getByRole("option", { name: /workshop \/ prompt-v3/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/p\/workshop\/experiments\/prompt-v3/);
});

scenario("everything goes by keys, and the help lists them", PROMPT, async (page) => {
  await rowsOf(page, "Cases").first().waitFor();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  for (const what of ["Filter", "Group", "Next row", "Open the row", "Next case", "Trials of each case"])
    await help.getByText(what, { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("o");
  await page.getByRole("treeitem").first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await inView(page, "layout", "trials");
  await page.keyboard.press("t");
  await page.keyboard.press("d");
  await inView(page, "diff", "off");
});

scenario("the theme is chosen and kept", "/", async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.getByRole("button", { name: "Theme: system" }).click();
  const light = await ground();
  await page.getByRole("button", { name: "Theme: light" }).click();
  assert.notEqual(await ground(), light);
  await page.reload();
  await page.getByRole("button", { name: "Theme: dark" }).waitFor();
});

for (const [name, path] of [
  ["the list", "/app/evalhouse/p/support-assistant"],
  ["an experiment", PROMPT],
  ["a trace", `${PROMPT}?case=${CASE}`],
  ["settings", "/app/evalhouse/p/support-assistant/settings"],
])
  // 1440 by 900 at 200 %.
  scenario(
    `${name} is readable at 200 % zoom`,
    path,
    async (page) => {
      await settled(page);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(wide, 0);
      const main = await page.getByRole("main").boundingBox();
      assert.ok(main.height > 250, `${main.height} pixels are left`);
      for (const button of await page.getByRole("banner").getByRole("button").all()) {
        const box = await button.boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= 720, await button.innerText());
      }
    },
    [],
    { viewport: { width: 720, height: 450 } },
  );

test("the script is small, and the editor and charts come when they are needed", async () => {
  const assets = join(root, "web/dist/assets");
  const sizes = {};
  for (const name of await readdir(assets))
    if (name.endsWith(".js")) sizes[name] = gzipSync(await readFile(join(assets, name))).length;
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  assert.ok(total < 400_000, `${total} bytes compressed`);
  const page = await (await fetch(here.url)).text();
  const first = Object.keys(sizes).filter((name) => page.includes(name));
  const firstSize = first.reduce((sum, name) => sum + sizes[name], 0);
  assert.ok(firstSize < 80_000, `${first} have ${firstSize} bytes`);
  assert.ok(!first.some((name) => /Editor|Chart/.test(name)), String(first));
});

for (const scheme of ["light", "dark"]) {
  for (const [name, path] of [
    ["the list", "/app/evalhouse/p/support-assistant"],
    ["bars", "/app/evalhouse/p/support-assistant?chart=bars"],
    ["an experiment", PROMPT],
    ["several comparisons", `${PROMPT}?vs=baseline&vs=prompt-v3`],
    ["a grid", `${PROMPT}?layout=grid`],
    ["a report", `${PROMPT}?layout=summary`],
    ["trials", `${PROMPT}?layout=trials`],
    ["a trace", `${PROMPT}?case=${CASE}`],
    ["a conversation", `${PROMPT}?case=${CASE}&look=conversation`],
    ["an explanation", `${PROMPT}?explain=Factuality`],
    ["groups", `${PROMPT}?group=metadata.tier`],
    ["SQL", "/app/evalhouse/sql?q=select+1+as+one"],
    ["settings", "/app/evalhouse/p/support-assistant/settings"],
  ]) {
    scenario(`axe finds nothing serious in ${name}, ${scheme}`, path, async (page) => {
      await page.emulateMedia({ colorScheme: scheme });
      await settled(page);
      // The browser's own evaluation: a script element would break the page's policy.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact));
      assert.deepEqual(
        serious.map(
          (one) =>
            `${one.id}: ${one.nodes
              .map((node) => node.html.slice(0, 160))
              .slice(0, 3)
              .join(" | ")}`,
        ),
        [],
      );
    });
  }
}
