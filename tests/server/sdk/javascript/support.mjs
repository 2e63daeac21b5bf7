// What the scenarios share: names, what was sent, what was read, and the summary computed a second time.

import assert from "node:assert";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { _internalGetGlobalState, flush, initExperiment } from "braintrust";

export const APP_URL = process.env.BRAINTRUST_APP_URL.replace(/\/$/, "");
const HEADERS = { Authorization: `Bearer ${process.env.BRAINTRUST_API_KEY}` };

// Fields of a row that say what to do with it, and are not part of it.
const CONTROLS = ["_is_merge", "_merge_paths", "_array_delete", "_object_delete", "_audit_source", "_audit_metadata"];
// Fields that say which object a row belongs to.
const OBJECT_FIELDS = ["experiment_id", "dataset_id", "project_id"];
// Fields that a merge never changes.
const KEPT = ["id", "created", "span_id", "root_span_id", "span_parents", "_parent_id"];
// Fields that the server may add to a row.
const ADDED = [
  "_xact_id", "_pagination_key", "is_root", "project_id", "org_id", "log_id", "created", "span_id",
  "root_span_id", "span_parents", "comments", "audit_data", "classifications", "facets",
];

export const newProject = (words = "sdk") => `${words} ${randomUUID().slice(-12)}`;

export async function all(records) {
  const list = [];
  for await (const record of records) list.push(record);
  return list;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isNothing = (value) => value === null || value === undefined;

// ---- what was sent ----------------------------------------------------------------------------

function merge(into, row, top = true) {
  for (const [key, value] of Object.entries(row)) {
    const old = into[key];
    if (top && key === "tags" && Array.isArray(old) && Array.isArray(value)) {
      into[key] = [...new Set([...old, ...value])];
    } else if (isObject(old) && isObject(value)) {
      merge(old, value, false);
    } else {
      into[key] = value;
    }
  }
}

const without = (row, keys) => Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));

/** The rows of an object as the requests of this process, merged, leave them: a Map by id. */
export function sentRows(objectId) {
  const folder = process.env.BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR;
  const requests = readdirSync(folder).map((name) => ({
    time: Number(name.split("_")[1]),
    rows: JSON.parse(readFileSync(join(folder, name), "utf8")).rows,
  }));
  requests.sort((one, other) => one.time - other.time);
  const rows = new Map();
  for (const row of requests.flatMap((request) => request.rows)) {
    if (!OBJECT_FIELDS.some((field) => row[field] === objectId) || "comment" in row) continue;
    const stored = rows.get(row.id);
    if (row._object_delete) rows.delete(row.id);
    else if (row._is_merge && stored) merge(stored, without(row, KEPT));
    else rows.set(row.id, row);
  }
  return new Map([...rows].map(([id, row]) => [id, without(row, CONTROLS)]));
}

// ---- what was read ----------------------------------------------------------------------------

/** The first place where two JSON values differ, or null. */
export function difference(wanted, got, path = "") {
  if (isObject(wanted) && isObject(got)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
      if (!Object.hasOwn(got, key)) return `${path}.${key} is missing`;
      if (!Object.hasOwn(wanted, key)) return `${path}.${key} was not sent: ${short(got[key])}`;
      const found = difference(wanted[key], got[key], `${path}.${key}`);
      if (found) return found;
    }
    return null;
  }
  if (Array.isArray(wanted) && Array.isArray(got)) {
    if (wanted.length !== got.length) return `${path} has ${got.length} elements, not ${wanted.length}`;
    for (const at of wanted.keys()) {
      const found = difference(wanted[at], got[at], `${path}[${at}]`);
      if (found) return found;
    }
    return null;
  }
  return wanted === got ? null : `${path} is ${short(got)}, not ${short(wanted)}`;
}

export const short = (value) => (JSON.stringify(value) ?? "undefined").slice(0, 200);

/** Every row sent is there once, and equals what was sent field by field. */
export function checkRows(wanted, rows) {
  const ids = new Set(rows.map((row) => row.id));
  assert.equal(ids.size, rows.length, "rows came twice");
  const missing = [...wanted.keys()].filter((id) => !ids.has(id));
  assert.equal(missing.length, 0, `${missing.length} of ${wanted.size} rows are missing: ${missing.slice(0, 3)}`);
  const extra = rows.filter((row) => !wanted.has(row.id));
  assert.equal(extra.length, 0, `${extra.length} rows were never sent: ${short(extra[0])}`);
  for (const row of rows) {
    const sent = wanted.get(row.id);
    for (const key of new Set([...Object.keys(sent), ...Object.keys(row)])) {
      if (key === "log_id" || (isNothing(sent[key]) && (isNothing(row[key]) || ADDED.includes(key)))) continue;
      assert(key in sent, `field ${key} was not sent: ${short(row[key])}`);
      const found = difference(sent[key], row[key], key);
      assert(found === null, `row ${row.id}: ${found}`);
    }
    assert.match(row._xact_id, /^[0-9]+$/, "_xact_id is not a decimal text");
  }
  assert(new Set(rows.map((row) => row._xact_id.length)).size <= 1, "_xact_id has no fixed width");
  return rows;
}

export function checkSpans(wanted, rows) {
  checkRows(wanted, rows);
  for (const row of rows) assert.equal(row.is_root, !row.span_parents?.length, "is_root");
  return rows;
}

/** Opens an experiment, reads it, compares it with what was sent; gives its rows. */
export async function checkExperiment(project, experiment) {
  await flush();
  const opened = initExperiment(project, { experiment, open: true });
  return checkSpans(sentRows(await opened.id), await all(opened));
}

export const roots = (rows) => rows.filter((row) => !row.span_parents?.length);
export const named = (rows, name) => rows.filter((row) => row.span_attributes.name === name);
export const byId = (rows) => Object.fromEntries(rows.map((row) => [row.id, row]));

export async function btql(query) {
  const state = _internalGetGlobalState();
  await state.login({});
  const rows = [];
  let cursor = null;
  do {
    const answer = await (await state.apiConn().post("btql", { query: { ...query, cursor } })).json();
    rows.push(...answer.data);
    cursor = answer.cursor;
  } while (cursor);
  return rows;
}

export const source = (kind, id) => ({
  op: "function",
  name: { op: "ident", name: [kind] },
  args: [{ op: "literal", value: id }],
});

export async function get(path) {
  const url = path.startsWith("http") ? path : APP_URL + path;
  const answer = await fetch(url, { headers: HEADERS });
  assert.equal(answer.status, 200, `GET ${url}: ${answer.status}`);
  return answer;
}

export async function post(path, body) {
  const headers = { ...HEADERS, "Content-Type": "application/json" };
  const answer = await fetch(APP_URL + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, `POST ${path}: ${answer.status}`);
  return answer.json();
}

/** The link has the form .../app/{org}/p/{project}/{kind}/{name}, percent-encoded, and opens. */
export async function checkLink(url, ...tail) {
  const end = `/p/${tail.map(encodeURIComponent).join("/")}`;
  assert(url.startsWith(`${APP_URL}/app/`) && url.endsWith(end), `${url} does not end in ${end}`);
  await get(url);
}

// ---- the summary, computed a second time ------------------------------------------------------

const TOKENS = ["prompt_tokens", "completion_tokens", "prompt_cached_tokens", "prompt_cache_creation_tokens"];
const LOWER_IS_BETTER = ["duration", "llm_duration", "total_tokens", "estimated_cost", ...TOKENS];
const UNITS = { start: "s", end: "s", duration: "s", llm_duration: "s", estimated_cost: "$" };

const sum = (values) => values.reduce((total, value) => total + value, 0);

function mean(values) {
  const there = values.filter((value) => !isNothing(value));
  return there.length ? sum(there) / there.length : null;
}

/** A value as text with the keys of objects in order. */
const canonical = (value) =>
  JSON.stringify(value ?? null, (_, part) =>
    isObject(part) ? Object.fromEntries(Object.keys(part).sort().map((key) => [key, part[key]])) : part,
  );

function traceMetrics(rows) {
  const spans = rows.filter((span) => span.span_attributes.purpose !== "scorer");
  const ofType = (type) => spans.filter((span) => span.span_attributes.type === type);
  const took = ({ metrics }) => metrics.end - metrics.start;
  const llm = ofType("llm");
  const metrics = {
    start: Math.min(...spans.map((span) => span.metrics.start)),
    end: Math.max(...spans.map((span) => span.metrics.end)),
    duration: took(ofType("task")[0] ?? roots(spans)[0]),
  };
  if (llm.length) {
    metrics.llm_duration = sum(llm.map(took));
    for (const name of TOKENS) {
      if (llm.some((span) => name in span.metrics)) metrics[name] = sum(llm.map((span) => span.metrics[name] ?? 0));
    }
    if ("prompt_tokens" in metrics || "completion_tokens" in metrics) {
      metrics.total_tokens = (metrics.prompt_tokens ?? 0) + (metrics.completion_tokens ?? 0);
    }
  }
  const costs = spans.map((span) => span.metrics.estimated_cost).filter((cost) => !isNothing(cost));
  if (costs.length) metrics.estimated_cost = sum(costs);
  return metrics;
}

/** The traces of an experiment: key, scores, metrics. Trials have the same key. */
function traces(rows) {
  const grouped = new Map();
  for (const row of rows) grouped.set(row.root_span_id, [...(grouped.get(row.root_span_id) ?? []), row]);
  return [...grouped.values()].map((spans) => {
    const scores = {};
    for (const [name, value] of spans.flatMap((span) => Object.entries(span.scores ?? {}))) (scores[name] ??= []).push(value);
    for (const name of Object.keys(scores)) scores[name] = mean(scores[name]);
    return { key: canonical(roots(spans)[0].input), scores, metrics: traceMetrics(spans) };
  });
}

/** part is "scores" or "metrics". */
function computeSummary(rows, baseRows, part) {
  const [now, before] = [traces(rows), traces(baseRows ?? [])];
  const keysBefore = new Set(before.map((trace) => trace.key));
  const matched = new Set(now.map((trace) => trace.key).filter((key) => keysBefore.has(key)));
  const valuesOf = (of, name, picks) => mean(of.filter((trace) => picks(trace.key)).map((trace) => trace[part][name]));
  const summary = {};
  for (const name of new Set(now.flatMap((trace) => Object.keys(trace[part])))) {
    const value = valuesOf(now, name, () => true);
    if (value === null) continue;
    const [ours, theirs] = [now, before].map((of) => valuesOf(of, name, (key) => matched.has(key)));
    let [improvements, regressions] = [0, 0];
    for (const key of matched) {
      const [one, other] = [now, before].map((of) => valuesOf(of, name, (its) => its === key));
      if (one === null || other === null || close(one, other)) continue;
      (one > other) !== (part === "metrics" && LOWER_IS_BETTER.includes(name)) ? improvements++ : regressions++;
    }
    summary[name] = { value, diff: ours === null || theirs === null ? null : ours - theirs, improvements, regressions };
  }
  return summary;
}

function close(one, other) {
  if (isNothing(one) || isNothing(other)) return isNothing(one) && isNothing(other);
  return Math.abs(one - other) <= Math.max(1e-9 * Math.abs(one), Math.abs(one) < 1e6 ? 1e-7 : 1e-4);
}

/** The summary that the SDK gives says what the rows say. */
export function checkSummary(summary, rows, baseName, baseRows) {
  assert.equal(summary.comparisonExperimentName, baseName, "the comparison");
  for (const [part, field] of [["scores", "score"], ["metrics", "metric"]]) {
    const wanted = computeSummary(rows, baseRows, part);
    const entries = summary[part];
    for (const name of Object.keys(wanted)) assert(name in entries, `the summary lacks ${name}: ${short(entries)}`);
    for (const [name, entry] of Object.entries(entries)) {
      const { value, diff, improvements, regressions } = wanted[name] ?? {};
      if (value === undefined) {
        assert(part === "metrics" && !entry[field], `the summary has ${short(entry)}, which has no value`);
        continue;
      }
      assert.equal(entry.name, name);
      assert(close(entry[field], value), `${name} is ${entry[field]}, not ${value}`);
      if (name === "start" || name === "end") {
        assert(isNothing(entry.diff), `${name} has a diff, ${entry.diff}`);
        continue;
      }
      assert(close(entry.diff, diff), `the diff of ${name} is ${entry.diff}, not ${diff}`);
      assert.deepEqual(
        [entry.improvements, entry.regressions],
        [improvements, regressions],
        `improvements and regressions of ${name}: ${short(entry)}, not ${improvements} and ${regressions}`,
      );
      if (part === "metrics") assert.equal(entry.unit, UNITS[name] ?? "tok", `the unit of ${name}`);
    }
  }
}
