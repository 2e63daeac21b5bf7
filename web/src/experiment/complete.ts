//! What can stand at a place of a filter.

import { percent } from "../format/number";
import { numberOf } from "./Header";
import { quoted } from "../format/language";
import { type View } from "./view";

export interface Offer {
  label: string;
  detail: string;
  info?: string;
}

export interface Offers {
  /** Where the word that an offer replaces begins. */
  from: number;
  offers: Offer[];
}

const FUNCTIONS: [string, string][] = [
  ["regressed(", "got worse than in the baseline"],
  ["improved(", "got better than in the baseline"],
  ["delta(", "candidate − baseline"],
  ["flipped(", "crossed 0.5"],
  ["baseline(", "the value in the baseline"],
  ["presence()", "'matched', 'candidate_only', 'base_only'"],
  ["lost_score(", "only the baseline has the score"],
  ["gained_score(", "only the candidate has the score"],
  ["any_span(", "some span of the trace is like that"],
  ["search(", "words anywhere in the case"],
  ["len(", "length of a text or list"],
  ["trial()", "index of the trial"],
  ["group_size()", "trials of the case"],
];
const WORDS = ["and", "or", "not", "is null", "is not null", "in", "like", "ilike", "match", "includes", "between"];
const FIXED = ["id", "created", "error", "tags", "trial_index", "span_count"];

export function completeFilter(view: View, before: string): Offers | undefined {
  // Inside a constant text nothing is a name.
  if ((before.match(/'/g)?.length ?? 0) % 2 === 1) return undefined;
  const word = /[\w.$"[\]-]*$/.exec(before)?.[0] ?? "";
  const summary = view.summary();
  const scores = Object.keys(summary?.scores ?? {}).map((name) => ({
    label: `scores.${quoted(name)}`,
    detail: "score",
  }));
  const metrics = Object.entries(summary?.metrics ?? {}).map(([name, of]) => ({
    label: `metrics.${quoted(name)}`,
    detail: `metric ${of.unit}`,
  }));
  const fields = (view.fields()?.fields ?? []).map((field) => ({
    label: field.path,
    detail: `${field.types.join(" or ")}, ${percent(field.presence, 0)} of rows`,
    ...(field.example == null ? {} : { info: field.example }),
  }));
  const columns = (view.cases()?.columns ?? [])
    .filter((column) => !numberOf(column))
    .map((column) => ({ label: column.name, detail: column.kind }));
  const all: Offer[] = [
    ...scores,
    ...metrics,
    ...fields,
    ...columns,
    ...FIXED.map((label) => ({ label, detail: "column" })),
    ...FUNCTIONS.map(([label, detail]) => ({ label, detail })),
    ...WORDS.map((label) => ({ label, detail: "operator" })),
  ];
  const offers = [...new Map(all.map((offer) => [offer.label, offer])).values()];
  return { from: before.length - word.length, offers };
}
