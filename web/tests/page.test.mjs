// Drives the page of a server over the bundled data in a browser. EVALHOUSE_BIN is the program that has the
// page in it; CHROMIUM the browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const web = fileURLToPath(new URL("..", import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const clean = [];
let browser;
let url;
let page;
let troubles;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(" ")} ended with ${code}`))));
  });
}

async function startServer() {
  const program = process.env.EVALHOUSE_BIN;
  assert.ok(program, "EVALHOUSE_BIN names the program to test with");
  const store = await mkdtemp(join(tmpdir(), "evalhouse-web-"));
  clean.push(() => rm(store, { recursive: true, force: true }));
  await run(program, [
    "--quiet",
    "--store",
    store,
    "import",
    join(web, "../data/support-assistant"),
    "--project",
    "support-assistant",
  ]);
  const port = await freePort();
  const server = spawn(program, ["--store", store, "serve", "--listen", `127.0.0.1:${port}`], { stdio: "ignore" });
  clean.unshift(() => server.kill());
  const address = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const up = await fetch(`${address}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return address;
    assert.ok(tries < 100, "the server did not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

before(async () => {
  url = await startServer();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser?.close();
  for (const act of clean) await act();
});

/** A test on a page of its own, on which nothing may go wrong but what is expected. */
function scenario(name, path, act, expected = []) {
  test(name, async () => {
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(10_000);
    troubles = [];
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on(
      "requestfailed",
      (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && troubles.push(request.url()),
    );
    await page.goto(url + path);
    await act();
    assert.deepEqual(
      troubles.filter((text) => !expected.some((pattern) => pattern.test(text))),
      [],
    );
    await page.close();
  });
}

const ask = async (path) => (await fetch(url + path)).json();
const parameter = (name) => new URL(page.url()).searchParams.get(name);
const rows = (label) => page.getByRole("grid", { name: label }).locator("[role=row][data-id]");
const PROMPT = "/app/evalhouse/p/support-assistant/experiments/prompt-v2";
const minus = (text) => text.replace("-", "−");

scenario("the list shows every experiment with the means of the history", "/", async () => {
  const history = await ask("/api/v1/projects/support-assistant/history");
  await rows("Experiments").nth(3).waitFor();
  const point = history.scores.Factuality.points.find((one) => one.experiment === "prompt-v2");
  const row = rows("Experiments").filter({ hasText: "prompt-v2" });
  await row
    .getByText(`${(100 * point.mean).toFixed(1)} %`)
    .first()
    .waitFor();
});

scenario("several experiments are picked and compared", "/", async () => {
  await page.getByLabel("Pick prompt-v3").check();
  await page.getByLabel("Pick prompt-v2").check();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("grid", { name: "Cases" }).waitFor();
  assert.match(page.url(), /experiments\/prompt-v3\?vs=/);
});

scenario("the charts draw", "/?chart=scatter", async () => {
  await page.locator("svg .mark").nth(3).waitFor();
  await page.getByRole("button", { name: "Score comparison" }).click();
  await page.locator("svg rect.mark").first().waitFor();
  await page.getByRole("button", { name: "Over time" }).click();
  await page.locator("svg circle.mark").nth(3).waitFor();
});

scenario("headers show the numbers of the diff, and filter", PROMPT, async () => {
  const diff = await ask("/api/v1/diff?base=baseline&candidate=prompt-v2");
  const { candidate, delta_matched: delta, regressed } = diff.scores.Factuality;
  const header = page.getByRole("columnheader").filter({ hasText: "Factuality" });
  await header.getByText(`${(100 * candidate).toFixed(1)} %`).waitFor();
  await header
    .getByText(minus((100 * delta).toFixed(1)))
    .first()
    .waitFor();
  await header.getByTitle("Only the regressed").click();
  assert.equal(parameter("where"), "regressed(scores.Factuality)");
  const { total } = await ask(
    "/api/v1/experiments/prompt-v2/cases?against=baseline&limit=1&where=regressed(scores.Factuality)",
  );
  await page.getByText(`${total} rows`).first().waitFor();
  assert.ok(regressed > 0);
});

scenario("counts add up and filter", PROMPT, async () => {
  const { counts } = await ask("/api/v1/diff?base=baseline&candidate=prompt-v2");
  await page.getByRole("button", { name: `${counts.matched} matched` }).waitFor();
  await page.getByRole("button", { name: `${counts.base_only} only there` }).click();
  await rows("Cases").first().getByText("only there").waitFor();
  await rows("Cases").first().click();
  await page.getByText("only in the baseline").waitFor();
});

scenario("a phrase shows what it was understood as", `${PROMPT}?where=regressions+in+Factuality`, async () => {
  await page.locator(".understood code", { hasText: "regressed(scores.Factuality)" }).waitFor();
});

scenario(
  "a wrong filter says where, and keeps what was typed",
  `${PROMPT}?where=scores.Factualty+%3C+1`,
  async () => {
    await page.getByText("did you mean `Factuality`").waitFor();
    await page.locator(".editor").getByText("Factualty").waitFor();
  },
  [/400 \(Bad Request\)/],
);

scenario("the filter bar completes and asks", PROMPT, async () => {
  await rows("Cases").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("metadata.ti");
  await page.locator(".cm-tooltip-autocomplete").getByText("metadata.tier").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(" = 'pro'");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("where="));
  assert.equal(parameter("where"), "metadata.tier = 'pro'");
});

scenario(
  "groups are ordered by regressions and open as a filter",
  `${PROMPT}?group=metadata.category&order=regressions%3AFactuality`,
  async () => {
    const { groups } = await ask(
      "/api/v1/diff?base=baseline&candidate=prompt-v2&group-by=metadata.category&sort=regressions:Factuality",
    );
    await rows("Groups").first().getByText(groups[0].values[0]).waitFor();
    await rows("Groups").first().click();
    assert.equal(parameter("where"), `metadata.category = '${groups[0].values[0]}'`);
  },
);

scenario("the layouts show", `${PROMPT}?layout=grid`, async () => {
  await page.locator(".grid-row").first().waitFor();
  await page.getByRole("button", { name: "Report" }).click();
  await page.locator(".large").first().waitFor();
  await page.getByRole("button", { name: "Trials" }).click();
  await rows("Trials").first().waitFor();
});

scenario("a trace opens, shows the change, and steps by keys", PROMPT, async () => {
  await rows("Cases").first().click();
  await page.getByRole("treeitem").nth(3).waitFor();
  await page.locator(".trace ins, .trace del").first().waitFor();
  const first = parameter("case");
  await page.keyboard.press("n");
  await page.waitForFunction((id) => new URL(location.href).searchParams.get("case") !== id, first);
  await page.keyboard.press("p");
  await page.waitForFunction((id) => new URL(location.href).searchParams.get("case") === id, first);
  await page.keyboard.press("Escape");
  await page.locator(".trace").waitFor({ state: "detached" });
});

scenario("what carries a regression opens as a filter", PROMPT, async () => {
  const { slices } = await ask("/api/v1/explain?base=baseline&candidate=prompt-v2&score=Factuality");
  await page.getByRole("button", { name: "Why?" }).first().click();
  await page.getByRole("button", { name: slices[0].where }).click();
  assert.equal(parameter("where"), slices[0].where);
});

scenario("cases are scored by hand", "/app/evalhouse/p/support-assistant/experiments/cheaper-model", async () => {
  const id = await rows("Cases").first().getAttribute("data-id");
  await page.getByLabel(`Pick case ${id}`).check();
  await page.getByRole("toolbar").getByRole("button", { name: "Score" }).click();
  await page.getByLabel("Score", { exact: true }).fill("Review");
  await page.getByRole("spinbutton", { name: "Value" }).fill("0.5");
  await page.getByLabel("Note").fill("looked at it");
  await page.getByRole("dialog").getByRole("button", { name: "Score" }).click();
  await page.getByText("Scored 1 cases").waitFor();
  const trace = await ask(`/api/v1/experiments/cheaper-model/traces/${id}`);
  assert.equal(trace.scores.Review, 0.5);
});

scenario("SQL runs and explains", "/app/evalhouse/sql?q=select+count(*)+as+n+from+experiments", async () => {
  await rows("Results").first().getByText("4", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("logical_plan").waitFor();
});

scenario("settings show, and the keys are listed", "/app/evalhouse/p/support-assistant/settings", async () => {
  await page.getByText("Which rows are the same case").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
});

for (const scheme of ["light", "dark"]) {
  for (const [name, path] of [
    ["the list", "/"],
    ["an experiment", PROMPT],
    ["a trace", `${PROMPT}?case=0d4b2399-0f2a-5f92-a589-2b046814825f`],
    ["groups", `${PROMPT}?group=metadata.tier`],
    ["SQL", "/app/evalhouse/sql?q=select+1+as+one"],
    ["settings", "/app/evalhouse/p/support-assistant/settings"],
  ]) {
    scenario(`axe finds nothing serious in ${name}, ${scheme}`, path, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForLoadState("networkidle");
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
