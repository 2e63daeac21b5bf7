// Every number that the page shows is the one that the command line prints: headers, cells, counts, the summary pane,
// groups, trials and the list.
import assert from "node:assert/strict";
import { join } from "node:path";
import { importData, root, rowsOf, run, served } from "./harness.mjs";

const PROJECT = "support-assistant";
const { here, scenario } = served((store) => importData(store, join(root, "data/support-assistant"), PROJECT));

const printed = async (...args) => JSON.parse(await run(["--store", here.store, ...args, "--format", "json"]));

// How the page writes numbers, said again without its code.
const NONE = "–";
const minus = (text) => text.replace("-", "−");
const count = (n) => n.toLocaleString("en");
const percent = (x) => (x === null ? NONE : `${minus((100 * x).toFixed(1))} %`);
const score = (x) => (x === null ? NONE : minus(x.toFixed(2)));
function plain(x, digits = 3) {
  if (x === null) return NONE;
  if (Number.isInteger(x)) return minus(count(x));
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-6) return minus(x.toExponential(digits - 1));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return minus(x.toLocaleString("en", { maximumFractionDigits: decimals }));
}
const measure = (x, unit) => (unit === "$" ? `$${plain(x)}` : `${plain(x)} ${unit}`);
const signed = (x, write) => (x === 0 ? write(0) : (x > 0 ? "+" : "−") + write(Math.abs(x)));
const hundredths = (x) => (100 * x).toFixed(1);
const inUnit = (unit) => (x) => (unit === "$" ? `$${plain(x)}` : plain(x));

/** A difference with half its interval. */
function delta({ delta_matched: by, delta: ofGroup = by, ci_low, ci_high }, write) {
  if (ofGroup === null) return "";
  return signed(ofGroup, write) + (ci_low === null ? "" : `±${write((ci_high - ci_low) / 2)}`);
}

/** Texts without their spaces, which are looks. */
const dense = (text) => text.replace(/\s/g, "");
const hasAll = (text, parts, what) => {
  for (const part of parts) assert.ok(dense(text).includes(dense(part)), `${what}: ${text} has no ${part}`);
};
/** A sign with exactly this count behind it. */
const hasCount = (text, sign, number, what) =>
  assert.match(dense(text), new RegExp(`${sign}(improved|regressed)?${count(number)}(?!\\d)`), what);

/** What a cell says of a number and how far it is from the baseline's. */
const SIGNS = { improved: "▲", regressed: "▼", lost_score: "lost", gained_score: "gained" };
function cellText({ value, delta, class: is }, write) {
  const sign = SIGNS[is];
  const change = sign === undefined ? "" : sign + (delta == null ? "" : signed(delta, write));
  return dense(change + write(value ?? null));
}

/** The cells of a row by the titles of their columns. */
async function cellsOf(page, table, id) {
  const found = await page.evaluate(
    ([label, rowId]) => {
      const grid = document.querySelector(`[aria-label="${label}"]`);
      const row = [...grid.querySelectorAll("[data-id]")].find((one) => one.dataset.id === rowId);
      const heads = [...grid.querySelectorAll("[role=columnheader]")].map((head) => [
        head.querySelector("button.sort")?.title ?? head.innerText.trim().split("\n")[0],
        // What a delta's button says to those who listen is no number.
        (row?.querySelector(`[aria-colindex="${head.getAttribute("aria-colindex")}"]`)?.innerText ?? "").replace(
          ", why?",
          "",
        ),
      ]);
      return row && heads;
    },
    [table, id],
  );
  assert.ok(found, `${table} has no row ${id}`);
  return new Map(found.map(([name, text]) => [name, dense(text)]));
}

const experimentPath = (name, parameters = {}) =>
  `/app/evalhouse/p/${PROJECT}/experiments/${name}?${new URLSearchParams(parameters)}`;

const FILTERS = [
  undefined,
  "metadata.category = 'refunds'",
  "scores.Factuality < 80%",
  "regressed(Factuality)",
  "metadata.tier = 'pro' and metrics.duration > 1",
];
const asked = (where) => (where === undefined ? [] : ["--where", where]);
const said = (where) => (where === undefined ? "" : `, ${where}`);
const ROWS = 8;

const PAIRS = [
  ["baseline", "prompt-v2"],
  ["prompt-v2", "prompt-v3"],
  ["prompt-v3", "cheaper-model"],
];

for (const [base, candidate] of PAIRS) {
  const sides = [`${PROJECT}/${base}`, `${PROJECT}/${candidate}`];
  for (const where of FILTERS) {
    const parameters = { vs: base, ...(where === undefined ? {} : { where }) };
    scenario(`${candidate} against ${base}${said(where)}`, experimentPath(candidate, parameters), async (page) => {
      const diff = await printed("diff", ...sides, ...asked(where));
      const cases = await printed("cases", sides[1], "--against", sides[0], ...asked(where));
      await page
        .getByText(`${count(cases.total)} rows`)
        .first()
        .waitFor();

      const head = async (name, mean, change) => {
        const cell = page
          .getByRole("columnheader")
          .filter({ has: page.getByTitle(name, { exact: true }) })
          .first();
        await cell.getByText(mean, { exact: true }).waitFor();
        // The differences come after the means.
        if (change !== "") await cell.filter({ hasText: change.split("±")[0] }).waitFor();
        const text = await cell.innerText();
        hasAll(text, [mean, change], name);
        return text;
      };
      for (const [name, of] of Object.entries(diff.scores)) {
        const text = await head(`scores.${name}`, percent(of.candidate), delta(of, hundredths));
        hasCount(text, "▲", of.improved, `${name} improved`);
        hasCount(text, "▼", of.regressed, `${name} regressed`);
      }
      for (const { name, kind } of cases.columns.filter((column) => column.kind === "metric")) {
        const of = diff[`${kind}s`][name.replace("metrics.", "")];
        const text = await head(name, measure(of.candidate, of.unit), delta(of, inUnit(of.unit)));
        hasCount(text, "▲", of.improved, `${name} improved`);
        hasCount(text, "▼", of.regressed, `${name} regressed`);
      }

      const ids = await rowsOf(page, "Cases").evaluateAll((rows) => rows.map((row) => row.dataset.id));
      const first = cases.rows.slice(0, ROWS);
      assert.deepEqual(
        ids.slice(0, first.length),
        first.map((row) => row.id),
      );
      for (const row of first) {
        const cells = await cellsOf(page, "Cases", row.id);
        for (const [index, { name, kind }] of cases.columns.entries()) {
          const { value } = row.cells[index];
          if (kind === "score" || kind === "metric")
            assert.equal(
              cells.get(name),
              cellText(row.cells[index], kind === "score" ? score : plain),
              `${row.id} ${name}`,
            );
          else {
            const text = value === null ? NONE : typeof value === "string" ? value : JSON.stringify(value);
            assert.ok(cells.get(name).includes(dense(text).slice(0, 40)), `${row.id} ${name}: ${cells.get(name)}`);
          }
        }
      }

      const { matched, candidate_only, base_only, null_key } = diff.counts;
      const counts = { matched, "only here": candidate_only, "only there": base_only, "without a key": null_key };
      for (const [name, of] of Object.entries(diff.scores))
        Object.assign(counts, { [`lost ${name}`]: of.lost_score, [`gained ${name}`]: of.gained_score });
      for (const [words, n] of Object.entries(counts)) {
        const shown = await page
          .locator(".counts")
          .getByRole("button", { name: new RegExp(`\\d ${words}$`) })
          .allInnerTexts();
        assert.deepEqual(
          shown.map((text) => text.trim()),
          n > 0 ? [`${count(n)} ${words}`] : [],
          words,
        );
      }
    });
  }

  scenario(
    `the summary pane of ${candidate} has the numbers of all cases`,
    experimentPath(candidate, { vs: base }),
    async (page) => {
      const summary = await printed("show", sides[1]);
      const pane = page.getByRole("complementary", { name: "Summary of the experiment" });
      await pane.getByText(`${count(summary.cases)} cases, ${count(summary.spans)} spans`).waitFor();
      const diff = await printed("diff", ...sides);
      const row = (name) => pane.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) });
      assert.equal(await row("errors").first().getByRole("cell").innerText(), count(summary.errors));
      for (const [name, of] of Object.entries(diff.scores)) {
        await row(name).getByText(delta(of, hundredths).split("±")[0]).first().waitFor();
        hasAll(await row(name).innerText(), [percent(of.candidate), delta(of, hundredths)], name);
      }
      await pane.getByRole("button", { name: "Zeros, too" }).click();
      for (const [name, of] of Object.entries(diff.metrics)) {
        const text = await row(name).last().innerText();
        hasAll(text, [measure(of.candidate, of.unit), delta(of, inUnit(of.unit))], name);
      }
    },
  );

  for (const where of [undefined, "scores.Factuality < 80%"])
    for (const by of ["metadata.category", "metadata.tier"])
      scenario(
        `groups of ${candidate} by ${by}${said(where)}`,
        experimentPath(candidate, { vs: base, group: by, ...(where === undefined ? {} : { where }) }),
        async (page) => {
          const { groups } = await printed("diff", ...sides, "--group-by", by, ...asked(where));
          const metrics = new Set(
            groups.flatMap((group) =>
              group.experiments.flatMap((of) => Object.keys(of.metrics).filter((name) => of.metrics[name])),
            ),
          );
          await rowsOf(page, "Groups").first().waitFor();
          // Wide enough for all columns.
          await page.setViewportSize({ width: 4000, height: 1000 });
          await page
            .getByRole("columnheader")
            .filter({ hasText: [...metrics].at(-1) })
            .first()
            .waitFor();
          for (const group of groups) {
            for (const [index, experiment] of [base, candidate].entries()) {
              const mine = group.experiments[index];
              const cells = await cellsOf(page, "Groups", JSON.stringify([group.values, experiment]));
              const what = `${group.values} of ${experiment}`;
              assert.equal(cells.get("Rows"), count(mine.rows), what);
              assert.equal(cells.get("Cases"), count(mine.cases), what);
              for (const [name, of] of Object.entries(mine.scores)) {
                const change =
                  of.delta == null ? "" : `${delta(of, score)}▲${count(of.improved)}▼${count(of.regressed)}`;
                assert.equal(cells.get(`${name} (avg)`), dense(change + plain(of.value)), `${what} ${name}`);
              }
              for (const name of metrics)
                assert.equal(cells.get(`${name} (mean)`), plain(mine.metrics[name] ?? null), `${what} ${name}`);
            }
          }
        },
      );

  for (const where of [undefined, "metadata.tier = 'pro'"])
    scenario(
      `trials of ${candidate}${said(where)}`,
      experimentPath(candidate, { layout: "trials", ...(where === undefined ? {} : { where }) }),
      async (page) => {
        const report = await printed("trials", sides[1], "--limit", String(ROWS), ...asked(where));
        await rowsOf(page, "Trials").first().waitFor();
        for (const [name, of] of Object.entries(report.scores)) {
          const text = await page.getByRole("columnheader").filter({ hasText: name }).first().innerText();
          const passes = of.pass
            .slice(0, 5)
            .map(({ k, at_least_one, all }) => `pass@${k} ${percent(at_least_one)} · pass^${k} ${percent(all)}`);
          const spread = `${percent(of.case_mean)} · within ${plain(of.within_sd, 2)} · between ${plain(of.between_sd, 2)}`;
          hasAll(text, [spread, `${count(of.flaky)} flaky of ${count(of.cases)} cases`, ...passes], name);
        }
        for (const row of report.cases) {
          const cells = await cellsOf(page, "Trials", row.id);
          assert.equal(cells.get("Trials"), count(row.trials), row.id);
          for (const [name, of] of Object.entries(row.scores)) {
            const spread = `sd ${score(of.sd)}, ${score(of.min)} to ${score(of.max)}, passes ${of.passes}/${of.n}`;
            assert.equal(cells.get(name), dense(`${score(of.mean)} ${spread}`), `${row.id} ${name}`);
          }
        }
      },
    );
}

scenario("the list has the means of the history", "/", async (page) => {
  const history = await printed("history", PROJECT);
  const list = await printed("experiments");
  for (const { experiment, id, rows } of list.experiments) {
    const row = page.locator(`[role=row][data-id="${id}"]`);
    await row.waitFor();
    for (const score of Object.values(history.scores)) {
      const point = score.points.find((one) => one.id === id);
      if (point?.mean == null) continue;
      const half = point.ci_low === null ? "" : ` ±${hundredths((point.ci_high - point.ci_low) / 2)}`;
      await row
        .getByText(percent(point.mean) + half)
        .first()
        .waitFor();
    }
    assert.ok((await row.innerText()).includes(count(rows)), experiment);
  }
});
