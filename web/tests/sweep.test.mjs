// Every number of the headers, the summary pane, the groups and the list is the one that the command line prints.
import assert from "node:assert/strict";
import { join } from "node:path";
import { importData, root, rowsOf, run, served } from "./harness.mjs";

const PROJECT = "support-assistant";
const { here, scenario } = served((store) => importData(store, join(root, "data/support-assistant"), PROJECT));

const printed = async (...args) => JSON.parse(await run(["--store", here.store, ...args, "--format", "json"]));

// How the page writes numbers, said again without its code.
const minus = (text) => text.replace("-", "−");
const percent = (x) => (x === null ? "–" : `${minus((100 * x).toFixed(1))} %`);
const signed = (x) => (x === 0 ? "0.0" : (x > 0 ? "+" : "−") + (100 * Math.abs(x)).toFixed(1));
const count = (n) => n.toLocaleString("en");

const experimentPath = (name, parameters = {}) =>
  `/app/evalhouse/p/${PROJECT}/experiments/${name}?${new URLSearchParams(parameters)}`;

const FILTERS = [
  undefined,
  "metadata.category = 'refunds'",
  "scores.Factuality < 80%",
  "regressed(Factuality)",
  "metadata.tier = 'pro' and metrics.duration > 1",
];
/** Whether a text has a sign with exactly this count behind it. */
const hasCount = (text, sign, number) => new RegExp(`${sign}${count(number)}(?!\\d)`).test(text);

const PAIRS = [
  ["baseline", "prompt-v2"],
  ["prompt-v2", "prompt-v3"],
  ["prompt-v3", "cheaper-model"],
];

for (const [base, candidate] of PAIRS) {
  for (const where of FILTERS) {
    const parameters = { vs: base, ...(where === undefined ? {} : { where }) };
    scenario(
      `${candidate} against ${base}${where === undefined ? "" : `, ${where}`}`,
      experimentPath(candidate, parameters),
      async (page) => {
        const asked = [`${PROJECT}/${base}`, `${PROJECT}/${candidate}`];
        const diff = await printed("diff", ...asked, ...(where === undefined ? [] : ["--where", where]));
        for (const [name, score] of Object.entries(diff.scores)) {
          const header = page
            .getByRole("columnheader")
            .filter({ has: page.getByRole("button", { name, exact: false }) });
          const cell = header.filter({ hasText: name }).first();
          if (score.candidate !== null) await cell.getByText(percent(score.candidate)).first().waitFor();
          // The differences come after the means.
          if (score.delta_matched !== null) await cell.filter({ hasText: signed(score.delta_matched) }).waitFor();
          const text = (await cell.innerText()).replaceAll("\u00a0", " ");
          if (score.delta_matched !== null)
            assert.ok(
              text.includes(signed(score.delta_matched)),
              `${name}: ${text} has no ${signed(score.delta_matched)}`,
            );
          if (score.ci_low !== null) {
            const half = ((100 * (score.ci_high - score.ci_low)) / 2).toFixed(1);
            assert.ok(text.includes(`±${half}`), `${name}: ${text} has no ±${half}`);
          }
          assert.match(text, new RegExp(`▲\\s*(improved\\s*)?${count(score.improved)}(?!\\d)`), `${name} improved`);
          assert.match(text, new RegExp(`▼\\s*(regressed\\s*)?${count(score.regressed)}(?!\\d)`), `${name} regressed`);
        }
        const cases = await printed(
          "cases",
          asked[1],
          "--against",
          asked[0],
          ...(where === undefined ? [] : ["--where", where]),
        );
        await page
          .getByText(`${count(cases.total)} rows`)
          .first()
          .waitFor();
        const first = await rowsOf(page, "Cases").first().getAttribute("data-id");
        assert.equal(first, cases.rows[0].id);
      },
    );
  }
}

scenario(
  "the summary pane has the numbers of all cases",
  experimentPath("prompt-v2", { vs: "baseline" }),
  async (page) => {
    const summary = await printed("show", `${PROJECT}/prompt-v2`);
    const pane = page.getByRole("complementary", { name: "Summary of the experiment" });
    await pane.getByText(`${count(summary.cases)} cases, ${count(summary.spans)} spans`).waitFor();
    const diff = await printed("diff", `${PROJECT}/baseline`, `${PROJECT}/prompt-v2`);
    for (const [name, score] of Object.entries(diff.scores)) {
      const row = pane.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) });
      await row.getByText(percent(score.candidate)).first().waitFor();
      assert.ok((await row.innerText()).includes(signed(score.delta_matched)), name);
    }
  },
);

for (const by of ["metadata.category", "metadata.tier"]) {
  for (const where of [undefined, "scores.Factuality < 80%"]) {
    scenario(
      `groups by ${by}${where === undefined ? "" : `, ${where}`}`,
      experimentPath("prompt-v2", { vs: "baseline", group: by, ...(where === undefined ? {} : { where }) }),
      async (page) => {
        const { groups } = await printed(
          ...["diff", `${PROJECT}/baseline`, `${PROJECT}/prompt-v2`, "--group-by", by],
          ...(where === undefined ? [] : ["--where", where]),
        );
        for (const group of groups) {
          const id = JSON.stringify([group.values, "prompt-v2"]);
          const row = page.locator(`[role=row][data-id='${id}']`);
          const text = await row.innerText();
          const mine = group.experiments[1];
          for (const [name, score] of Object.entries(mine.scores)) {
            if (score.delta !== null)
              assert.ok(
                hasCount(text, "▲", score.improved) && hasCount(text, "▼", score.regressed),
                `${group.values} ${name}: ${text}`,
              );
          }
          assert.ok(text.includes(count(mine.rows)), text);
        }
      },
    );
  }
}

scenario("the list has the means of the history", "/", async (page) => {
  const history = await printed("history", PROJECT);
  const list = await printed("experiments");
  for (const { experiment, id, rows } of list.experiments) {
    const row = page.locator(`[role=row][data-id="${id}"]`);
    await row.waitFor();
    for (const score of Object.values(history.scores)) {
      const point = score.points.find((one) => one.id === id);
      if (point?.mean != null) await row.getByText(percent(point.mean)).first().waitFor();
    }
    assert.ok((await row.innerText()).includes(count(rows)), experiment);
  }
});
