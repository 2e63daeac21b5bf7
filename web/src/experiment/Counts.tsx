import { For, Show } from "solid-js";
import { count } from "../format/number";
import { quoted } from "../format/language";
import { narrow, type View } from "./view";

/** Counts that are shown: an experiment may have thousands of scores. */
const MOST = 14;

interface Counted {
  n: number;
  words: string;
  condition: string;
}

/** Where every case went; each count is a filter. */
export function Counts(props: { view: View }) {
  const counted = (): Counted[] => {
    const diff = props.view.diff();
    const errors = props.view.alone()?.errors ?? 0;
    const ofErrors = errors > 0 ? [{ n: errors, words: "rows with an error", condition: "error is not null" }] : [];
    if (!diff) return ofErrors;
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
      ...lost,
    ];
    return [
      ...all.filter((one) => one.n > 0).slice(0, MOST),
      { n: -1, words: "errors", condition: "error is not null" },
    ];
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
          <button
            aria-pressed={props.view.where()?.includes(one.condition)}
            onClick={() => narrow(props.view, one.condition)}
          >
            {one.n >= 0 ? count(one.n) : ""} {one.words}
          </button>
        )}
      </For>
    </div>
  );
}
