// Rows that nobody should send are shown as text and break nothing.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { importData, parameterOf, rowsOf, served } from "./harness.mjs";

const PROJECT = `<img src=x onerror="globalThis.hacked=1">`;
const SCRIPT = `<script>globalThis.hacked=1</script><img src=x onerror="globalThis.hacked=1">`;
const RTL = "مرحبا بالعالم \u202Eevil\u202C שלום";
const HUGE = 3_000_000;

const ODD = {
  "": "an empty name",
  "a.b": 1,
  'quo"te': 2,
  "[0]": 3,
  __proto__x: 4,
  constructor: { prototype: "x" },
  toString: null,
  [SCRIPT]: SCRIPT,
  "line\nbreak\ttab": "x",
  [RTL]: RTL,
};
// Written as text, so that the field is one of the row and not of the object here.
const PROTO = `{"__proto__": {"polluted": true}, "hasOwnProperty": 1}`;

const rowsOfSide = (side) => [
  {
    id: "script",
    input: { question: SCRIPT },
    output: `${SCRIPT} ${side}`,
    expected: SCRIPT,
    metadata: { ...ODD, side },
    scores: { Good: side === "b" ? 1 : 0, [SCRIPT]: 0.5 },
  },
  { id: "rtl", input: RTL, output: `${RTL} ${side}`, expected: RTL, metadata: { text: RTL }, scores: { Good: 0.5 } },
  {
    id: "huge",
    input: "a huge text",
    output: `${side}${"lorem ipsum ".repeat(HUGE / 12)}${side}`,
    expected: "x".repeat(HUGE),
    metadata: { list: Array.from({ length: 20_000 }, (_, at) => ({ at, side })) },
    scores: { Good: 0.25 },
  },
  {
    id: "nulls",
    input: "nothing",
    output: null,
    expected: null,
    error: null,
    metadata: null,
    scores: { Good: null },
    metrics: null,
    tags: null,
  },
  { id: "bare", input: "bare" },
  {
    id: "deep",
    input: "deep",
    output: JSON.parse(`${'{"a":'.repeat(90)}1${"}".repeat(90)}`),
    metadata: { proto: "PROTO" },
    scores: { Good: -3.5e300 },
  },
  { id: "numbers", input: 1e21, output: [1e-300, -0.0, 12345678901234567890n.toString()], scores: { Good: 1 } },
  {
    id: "messages",
    input: [
      { role: SCRIPT, content: SCRIPT },
      { role: "user", content: [{ type: "image_url", image_url: { url: "javascript:globalThis.hacked=1" } }] },
      { role: "assistant", content: null, tool_calls: [{ function: { name: SCRIPT, arguments: "{not json" } }] },
      { role: "tool", content: null },
    ],
    output: "```html\n" + SCRIPT + "\n```\n# " + SCRIPT + "\n- **" + SCRIPT + "**",
    scores: { Good: 1 },
  },
];

const FIELDS = 5_000;
/** One row of thousands of fields, and rows of which nothing is known. */
const bareRows = (side) => [
  {
    id: "fields",
    input: "fields",
    output: side,
    metadata: Object.fromEntries(Array.from({ length: FIELDS }, (_, n) => [`field ${n}`, `${side} ${n}`])),
  },
  ...["one", "two", "three"].map((id) => ({
    id: `nothing-${id}`,
    input: null,
    output: null,
    expected: null,
    error: null,
    metadata: null,
    scores: null,
    metrics: null,
    tags: null,
  })),
];

const line = (row) => {
  const whole = { span_id: row.id, root_span_id: row.id, created: "2026-01-01T00:00:00Z", ...row };
  return JSON.stringify(whole).replace('"PROTO"', PROTO);
};

const { scenario } = served(async (store) => {
  const folder = join(store, "..", `${store.split("/").at(-1)}-rows`);
  await mkdir(folder, { recursive: true });
  const write = async (name, rows) => {
    const path = join(folder, `${name}.jsonl`);
    await writeFile(path, rows.map(line).join("\n"));
    return path;
  };
  for (const [name, rows] of [
    ["a", rowsOfSide("a")],
    ["b", rowsOfSide("b")],
    ["bare-a", bareRows("a")],
    ["bare-b", bareRows("b")],
  ])
    await importData(store, await write(name, rows), PROJECT, "--experiment", name);
});

const place = (experiment, search = "") =>
  `/app/evalhouse/p/${encodeURIComponent(PROJECT)}/experiments/${experiment}${search}`;

/** Nothing of the rows became a part of the page or ran. */
async function isOnlyText(page) {
  const found = await page.evaluate(() => ({
    hacked: "hacked" in globalThis,
    polluted: "polluted" in {},
    elements: document.querySelectorAll("[onerror], #page script, #page img, #page iframe, a[href^='javascript']")
      .length,
  }));
  assert.deepEqual(found, { hacked: false, polluted: false, elements: 0 });
}

scenario("the list names projects and experiments as text", "/", async (page) => {
  await rowsOf(page, "Experiments").nth(1).waitFor();
  await isOnlyText(page);
});

scenario("the table shows every row", place("b", "?vs=a"), async (page) => {
  await page.locator("[data-id=script]").getByText(SCRIPT.slice(0, 30)).first().waitFor();
  const ids = await rowsOf(page, "Cases").evaluateAll((rows) => rows.map((row) => row.dataset.id));
  assert.deepEqual(
    ids.toSorted(),
    rowsOfSide("b")
      .map((row) => row.id)
      .toSorted(),
  );
  const heights = await rowsOf(page, "Cases").evaluateAll((rows) => rows.map((row) => row.offsetHeight));
  assert.deepEqual([...new Set(heights)], [28]);
  await isOnlyText(page);
});

for (const { id } of rowsOfSide("b"))
  scenario(`the trace of ${id} opens against its match`, place("b", `?vs=a&case=${id}`), async (page) => {
    await page.getByRole("treeitem").first().waitFor();
    await page.locator(".detail .field").first().waitFor();
    for (const look of await page.locator(".detail .field > header button[aria-pressed]").all()) await look.click();
    await isOnlyText(page);
  });

scenario("a huge text comes piece by piece, and its diff too", place("b", "?vs=a&case=huge"), async (page) => {
  const shown = await page.locator(".detail").evaluate((detail) => detail.textContent.length);
  assert.ok(shown < 300_000, `${shown} characters at once`);
  await page.getByText("characters").first().waitFor();
});

scenario("right-to-left text keeps its own direction", place("b", "?vs=a"), async (page) => {
  const cell = page.locator("[data-id=rtl] [dir=auto]").first();
  assert.equal(await cell.evaluate((element) => getComputedStyle(element).direction), "rtl");
});

for (const layout of ["grid", "summary", "trials"])
  scenario(`odd rows as ${layout}`, place("b", `?vs=a&layout=${layout}`), async (page) => {
    await page.locator(".grid-row, .large, [role=row][data-id]").first().waitFor();
    await isOnlyText(page);
  });

scenario(
  "a group of an odd name opens as a filter that is understood",
  place("b", "?vs=a&group=metadata.text"),
  async (page) => {
    await rowsOf(page, "Groups").filter({ hasText: "evil" }).first().click();
    assert.ok(parameterOf(page, "where").includes(RTL));
    await page.locator("[data-id=rtl]").waitFor();
  },
);

scenario(
  "SQL shows odd columns and values",
  "/app/evalhouse/sql?q=" + encodeURIComponent("select * from cases limit 5"),
  async (page) => {
    await rowsOf(page, "Results").first().waitFor();
    await isOnlyText(page);
  },
);

scenario("settings know odd scores", `/app/evalhouse/p/${encodeURIComponent(PROJECT)}/settings`, async (page) => {
  await page.getByRole("heading", { name: "Comparison key" }).waitFor();
  await page.getByRole("region", { name: "Scores", exact: true }).getByText(SCRIPT.slice(0, 20)).first().waitFor();
  await isOnlyText(page);
});

scenario(
  "an odd filter in the address is only text",
  place("b", `?vs=a&where=${encodeURIComponent(SCRIPT)}`),
  async (page) => {
    await page.getByRole("alert").first().waitFor();
    await isOnlyText(page);
  },
  [/400 \(Bad Request\)/],
);

const bare = (search = "") => place("bare-b", `?vs=bare-a${search}`);

scenario("rows of which nothing is known are listed, without a number", bare(), async (page) => {
  await page.locator("[data-id=nothing-one]").waitFor();
  assert.equal(await rowsOf(page, "Cases").count(), bareRows("b").length);
  await page.locator("[data-id=nothing-one]").getByText("–").first().waitFor();
  assert.doesNotMatch(await page.locator("[data-id=nothing-one]").innerText(), /undefined|NaN|null/);
  await page.getByText("without a key").waitFor();
});

for (const id of ["fields", "nothing-one"])
  scenario(`the trace of ${id} opens and draws no more than is read`, bare(`&case=${id}`), async (page) => {
    await page.getByRole("treeitem").first().waitFor();
    await page.locator(".detail").waitFor();
    assert.ok((await page.locator(".detail *").count()) < 4_000);
    await isOnlyText(page);
  });

for (const layout of ["grid", "summary", "trials"])
  scenario(`rows of nothing as ${layout}`, bare(`&layout=${layout}`), async (page) => {
    await page
      .getByRole("main")
      .getByText(/\d rows|\d cases|trials a case/)
      .first()
      .waitFor();
    assert.doesNotMatch(await page.getByRole("main").innerText(), /undefined|NaN/);
  });

scenario("thousands of fields are offered a few at a time", bare(), async (page) => {
  await page.locator("[data-id=fields]").waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("button", { name: "New column" }).click();
  const offers = page.getByRole("group", { name: "What the cases have" });
  await offers.getByText("more").waitFor();
  assert.ok((await offers.getByRole("button").count()) < 30);
  await offers.getByRole("button", { name: "metadata" }).first().click();
  await page.getByRole("dialog").getByRole("table").getByText("b ").first().waitFor();
});
