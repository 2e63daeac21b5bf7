//! What the list and its charts tell of experiments, besides what the server lists.

import { sql } from "../api/client";
import { quoted } from "../format/language";
import { isShare } from "../format/number";
import type { Took } from "./listed";

interface Of {
  project: string | null;
}

const METRICS = `select column_name as name from information_schema.columns
where table_name = 'cases' and column_name like 'metrics.%' order by name`;

const OF_PROJECT = "from cases where $project is null or project = $project";

/** The metrics that cases of the store have. */
const metrics = async (signal: AbortSignal) =>
  (await sql<{ name: string }>(METRICS, {}, signal)).map(({ name }) => name.slice("metrics.".length));

/** The metrics that cases of a project have. */
export async function metricsOf(given: Of, signal: AbortSignal): Promise<string[]> {
  const names = await metrics(signal);
  if (names.length === 0) return [];
  const counted = names.map((name, index) => `count(metrics.${quoted(name)}) as n${index}`);
  const [found] = await sql<Record<string, number>>(`select ${counted.join(", ")} ${OF_PROJECT}`, given, signal);
  return names.filter((_, index) => found?.[`n${index}`]);
}

/** What rows took, on average. A metric that no experiment has is no column to ask for. */
export async function tookOf(given: Of, signal: AbortSignal): Promise<Took[]> {
  const known = new Set(await metrics(signal));
  const mean = (metric: string) => (known.has(metric) ? `avg(metrics.${metric})` : "null");
  return sql<Took>(
    `select experiment_id, ${mean("estimated_cost")} as cost, ${mean("duration")} as duration
${OF_PROJECT} group by experiment_id`,
    given,
    signal,
  );
}

/** Those of the scores that have values below 0 or above 1. */
export async function beyondShares(
  given: Of & { scores: readonly string[] },
  signal: AbortSignal,
): Promise<Set<string>> {
  if (given.scores.length === 0) return new Set();
  const ends = given.scores.map((name, index) => {
    const path = `scores.${quoted(name)}`;
    return `min(${path}) as low${index}, max(${path}) as high${index}`;
  });
  const parameters = { project: given.project };
  const [found] = await sql<Record<string, number | null>>(
    `select ${ends.join(", ")} ${OF_PROJECT}`,
    parameters,
    signal,
  );
  return new Set(given.scores.filter((_, index) => !isShare(found?.[`low${index}`], found?.[`high${index}`])));
}
