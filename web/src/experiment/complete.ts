//! What can stand at a place of a filter.

import { get } from "../api/client";
import type { Groups } from "../api/types";
import { count, percent } from "../format/number";
import { numberOf } from "./Header";
import { quoted } from "../format/language";
import { type View } from "./view";

export interface Offer {
  label: string;
  detail: string;
  info?: string;
  /** What is written, where it is not the label. */
  apply?: string;
}

export interface Offers {
  /** Where the word that an offer replaces begins. */
  from: number;
  offers: Offer[];
  /** They are values within a constant text. */
  text?: boolean;
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

/** Values of a field that are offered. */
const VALUES = "60";

/** What stands before a constant text that is being written: a name, an operator, perhaps texts before it. */
const BEFORE_TEXT =
  /([A-Za-z_"][\w."[\]-]*)\s*(?:=|==|!=|<>|\s(?:not\s+)?(?:in|like|ilike|includes|contains)\s*[[(]?)\s*(?:'(?:[^']|'')*'\s*,\s*)*'((?:[^']|'')*)$/i;

const known = new WeakMap<View, Map<string, Promise<Offer[]>>>();

/** The values that a field has, most rows first. */
function valuesOf(view: View, path: string): Promise<Offer[]> {
  const of = known.get(view) ?? new Map<string, Promise<Offer[]>>();
  known.set(view, of);
  const asked =
    of.get(path) ??
    get<Groups>("/api/v1/groups", {
      experiment: view.experiment,
      project: view.project,
      "group-by": path,
      limit: VALUES,
    }).then(
      ({ groups }) =>
        groups
          .filter((group) => typeof group.values[0] === "string")
          .toSorted((a, b) => (b.experiments[0]?.rows ?? 0) - (a.experiments[0]?.rows ?? 0))
          .map((group) => ({
            label: group.values[0] as string,
            apply: (group.values[0] as string).replaceAll("'", "''"),
            detail: `${count(group.experiments[0]?.rows)} rows`,
          })),
      // What cannot be grouped by has no values to offer.
      () => [],
    );
  of.set(path, asked);
  return asked;
}

export function completeFilter(view: View, before: string): Offers | Promise<Offers> | undefined {
  const text = BEFORE_TEXT.exec(before);
  const isField = (path: string) =>
    (view.fields()?.fields ?? []).some((field) => field.path === path) ||
    path in (view.settings()?.settings.columns ?? {});
  if (text && isField(text[1]!)) {
    const from = before.length - text[2]!.length;
    return valuesOf(view, text[1]!).then((offers) => ({ from, offers, text: true }));
  }
  // Inside any other constant text nothing is a name.
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
