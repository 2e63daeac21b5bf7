import { createMemo, For, Show } from "solid-js";
import { count } from "../format/number";
import { Delta, meanOf, sumsOf, type Sums } from "./Delta";
import { Some } from "../ui/Some";
import type { View } from "./view";
import "./SummaryLayout.css";

/** The numbers in large type, for a report. They obey the filter. */
export default function SummaryLayout(props: { view: View }) {
  const blocks = createMemo(() => {
    const diffs = props.view.diffs();
    const first = diffs[0];
    const alone = props.view.alone();
    const of = (kind: Sums["kind"], name: string): Sums[] =>
      (first ? diffs : [undefined]).flatMap((diff) => sumsOf(kind, name, diff, alone) ?? []);
    const names = (kind: Sums["kind"]) =>
      Object.keys((kind === "score" ? (first?.scores ?? alone?.scores) : (first?.metrics ?? alone?.metrics)) ?? {});
    const all = (["score", "metric"] as const).flatMap((kind) => names(kind).map((name) => of(kind, name)));
    return all.filter((sums) => sums.some((one) => one.kind === "score" || one.mean));
  });
  return (
    <div class="report" tabindex="0" role="region" aria-label="Report">
      <h2>
        {props.view.experiment}
        <Show when={props.view.diff()}>{(diff) => <span class="quiet"> against {diff().base.experiment}</span>}</Show>
      </h2>
      <Show when={props.view.where()}>
        <p>
          Cases with <code>{props.view.where()}</code>
        </p>
      </Show>
      <div class="blocks">
        <Some each={blocks()}>
          {(sums) => (
            <section class="block">
              <h3>{sums[0]!.name}</h3>
              <p class="large" title={sums[0]!.title}>
                {meanOf(sums[0]!)}
              </p>
              <For each={sums.filter((one) => one.verdict)}>
                {(one, index) => (
                  <p>
                    <Delta of={one} words base={props.view.diffs()[index()]?.base.id} />{" "}
                    <span class="quiet">
                      from {meanOf(one, one.base)} in {props.view.diffs()[index()]?.base.experiment}; ▲
                      {count(one.improved)} ▼{count(one.regressed)}
                    </span>
                  </p>
                )}
              </For>
            </section>
          )}
        </Some>
      </div>
    </div>
  );
}
