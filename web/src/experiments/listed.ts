import type { ExperimentRow } from "../api/types";

/** What the list does not tell of an experiment. */
export interface About {
  experiment_id: string;
  branch: string | null;
  dataset: string | null;
  metadata: string | null;
}

/** What a row of an experiment took, on average. */
export interface Took {
  experiment_id: string;
  cost: number | null;
  duration: number | null;
}

/** An experiment in the list. */
export type Listed = ExperimentRow & { about: About | undefined; took: Took | undefined };

/** Whether a text is a condition for the server, or part of a name. */
export const isCondition = (text: string) => /[=<>~(]|\s(is|in|not|like|ilike|match|includes|between)\s/i.test(text);

/** The metadata of an experiment. */
export function metadataOf(row: Listed): Record<string, unknown> {
  const parsed: unknown = row.about?.metadata ? JSON.parse(row.about.metadata) : null;
  return parsed !== null && typeof parsed === "object" ? (parsed as Record<string, unknown>) : {};
}
