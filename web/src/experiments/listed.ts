import type { ExperimentRow } from "../api/types";

/** What the list does not tell of an experiment. */
export interface About {
  experiment_id: string;
  branch: string | null;
  dataset: string | null;
  metadata: unknown;
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
export function metadataOf({ about }: Listed): Record<string, unknown> {
  const metadata = about?.metadata;
  return typeof metadata === "object" && metadata !== null ? (metadata as Record<string, unknown>) : {};
}

/** What experiments are told apart by, besides their scores: branch, dataset, metadata. */
export const traitsOf = (row: Listed): Record<string, unknown> => ({
  ...(row.about?.branch == null ? {} : { branch: row.about.branch }),
  ...(row.about?.dataset == null ? {} : { dataset: row.about.dataset }),
  ...metadataOf(row),
});
