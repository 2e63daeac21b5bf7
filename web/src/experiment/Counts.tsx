import { For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseTable } from "../api/types";
import { count } from "../format/number";
import { quoted } from "../format/language";
import { isAsked, narrow, narrowedFrom, type View } from "./view";

/** Counts that are shown: an experiment may have thousands of scores. */
const MOST = 14;

const FAILED = "error is not null";

interface Counted {
  n: number;
  words: string;
  condition: string;
}

/** Where every case went; each count is a filter. */
export function Counts(props: { view: View }) {
  /** Rows with an error under a filter that compares: no summary has them. The diff tells what a phrase means. */
  const failed = answer(
    () =>
      props.view.diff() && props.view.where() !== undefined
        ? {
            project: props.view.project,
            against: props.view.bases()[0],
            align: props.view.align(),
            where: narrowedFrom(props.view.meaning(), FAILED),
            columns: "id",
            limit: "1",
          }
        : undefined,
    async (given, signal) => (await get<CaseTable>(`${props.view.path}/cases`, given, signal)).total,
    props.view.changes,
  );
  const counted = (): Counted[] => {
    const errors = { n: props.view.alone()?.errors ?? failed() ?? 0, words: "with an error", condition: FAILED };
    const diff = props.view.diff();
    if (!diff) return [errors].filter((one) => one.n > 0);
    const of = diff.counts;
    const lost = Object.entries(diff.scores).flatMap(([name, score]) => [
      { n: score.lost_score, words: `lost ${name}`, condition: `lost_score(scores.${quoted(name)})` },
      { n: score.gained_score, words: `gained ${name}`, condition: `gained_score(scores.${quoted(name)})` },
    ]);
    const all = [
      { n: of.matched, words: "matched", condition: "presence() = 'matched'" },
      { n: of.candidate_only, words: "only here", condition: "presence() = 'candidate_only'" },
      { n: of.base_only, words: "only there", condition: "presence() = 'base_only'" },
      { n: of.null_key, words: "without a key", condition: "presence() = 'null_key'" },
      errors,
      ...lost,
    ];
    return all.filter((one) => one.n > 0).slice(0, MOST);
  };
  return (
    <div class="counts">
      <Show when={props.view.cases()}>
        {(table) => (
          <span>
            {count(table().total)} rows
            <Show when={props.view.diff()}>
              {(diff) => (
                <span class="quiet">
                  {" "}
                  · same case: {diff().key}, trials by {diff().reducer}
                </span>
              )}
            </Show>
          </span>
        )}
      </Show>
      <For each={counted()}>
        {(one) => (
          <button aria-pressed={isAsked(props.view, one.condition)} onClick={() => narrow(props.view, one.condition)}>
            {count(one.n)} {one.words}
          </button>
        )}
      </For>
    </div>
  );
}
