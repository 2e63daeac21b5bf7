import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import { count, measure } from "../format/number";
import { oneLine } from "../format/value";
import { time } from "../format/time";
import { copy } from "../ui/copy";
import { Some } from "../ui/Some";
import { Warnings } from "../ui/Trouble";
import { Delta, meanOf, sumsOf, type Sums } from "./Delta";
import type { View } from "./view";
import { explain } from "./Why";

/** What an experiment is and comes to, over all its cases. */
export function SummaryPane(props: { view: View }) {
  const [all, setAll] = createSignal(false);
  const summary = () => props.view.summary();
  const diffs = () => (props.view.comparing() ? (props.view.overall() ?? []) : []);
  const numbers = (kind: Sums["kind"]) => {
    const first = diffs()[0];
    const of = first ?? summary();
    const names = Object.keys((kind === "score" ? of?.scores : of?.metrics) ?? {});
    return names.flatMap((name) => sumsOf(kind, name, first, summary()) ?? []);
  };
  const scores = createMemo(() => numbers("score"));
  const metrics = createMemo(() => numbers("metric").filter((of) => all() || of.mean || of.delta));
  const found = () => {
    const of = summary()!;
    return of.declared_total == null
      ? `${count(of.rows)} rows`
      : `${count(of.rows)} of ${count(of.declared_total)} declared rows`;
  };
  return (
    <aside class="pane" classList={{ several: diffs().length > 1 }} aria-label="Summary of the experiment">
      <Show when={summary()} fallback={<p class="quiet">{props.view.summary.loading ? "…" : ""}</p>}>
        {(of) => (
          <>
            <table class="facts">
              <tbody>
                <Fact name="id">
                  <button class="mono cut" title="Copy the id" onClick={() => copy(of().id, "Copied the id")}>
                    {of().id}
                  </button>
                </Fact>
                <Fact name="created">{time(of().created)}</Fact>
                <Fact name="found">
                  {found()}, {count(of().cases)} cases, {count(of().spans)} spans
                </Fact>
                <Fact name="errors">{count(of().errors)}</Fact>
                <Fact name="status">{of().status}</Fact>
                <Show when={of().dataset}>
                  <Fact name="dataset">{of().dataset}</Fact>
                </Show>
                <Show when={of().tags.length > 0}>
                  <Fact name="tags">{of().tags.join(", ")}</Fact>
                </Show>
                <Fact name="same case">
                  <code>{of().key}</code>
                </Fact>
                <For each={Object.entries((of().metadata ?? {}) as object)}>
                  {([name, value]) => (
                    <Fact name={name}>
                      <span class="mono">{oneLine(value)}</span>
                    </Fact>
                  )}
                </For>
              </tbody>
            </table>
            <Warnings of={[...new Set([...of().warnings, ...diffs().flatMap((diff) => diff.warnings)])]} />
            <div class="sideways">
              <table class="numbers">
                <caption class="only-read">Scores over all cases</caption>
                <thead>
                  <tr>
                    <th scope="col">Score</th>
                    <th scope="col" class="number">
                      Mean
                    </th>
                    <For each={diffs()}>
                      {(diff) => (
                        <th scope="col" class="number cut">
                          vs {diff.base.experiment}
                        </th>
                      )}
                    </For>
                  </tr>
                </thead>
                <tbody>
                  <Some each={scores()} more={inRow}>
                    {(of) => (
                      <tr>
                        <th scope="row">{of.name}</th>
                        <td class="number" title={of.title}>
                          {meanOf(of)}
                        </td>
                        <For each={diffs()}>
                          {(diff, index) => (
                            <td class="number">
                              <Show when={sumsOf("score", of.name, diff, undefined)}>
                                {(sums) => <Delta of={sums()} words base={diff.base.id} />}
                              </Show>
                              <Show when={index() === 0}>
                                <button class="why" onClick={() => explain({ score: of.name })}>
                                  Why?
                                </button>
                              </Show>
                            </td>
                          )}
                        </For>
                      </tr>
                    )}
                  </Some>
                </tbody>
                <thead>
                  <tr>
                    <th scope="col">Metric</th>
                    <td class="number" colspan={1 + diffs().length}>
                      <button aria-pressed={all()} onClick={() => setAll(!all())}>
                        Zeros, too
                      </button>
                    </td>
                  </tr>
                </thead>
                <tbody>
                  <Some each={metrics()} more={inRow}>
                    {(of) => (
                      <tr>
                        <th scope="row">{of.name}</th>
                        <td class="number" title={of.title}>
                          {measure(of.mean, of.unit)}
                        </td>
                        <For each={diffs()}>
                          {(diff) => (
                            <td class="number">
                              <Show when={sumsOf("metric", of.name, diff, undefined)}>
                                {(sums) => <Delta of={sums()} />}
                              </Show>
                            </td>
                          )}
                        </For>
                      </tr>
                    )}
                  </Some>
                </tbody>
              </table>
            </div>
          </>
        )}
      </Show>
    </aside>
  );
}

const inRow = (button: JSX.Element) => (
  <tr>
    <td colspan="9">{button}</td>
  </tr>
);

function Fact(props: { name: string; children: JSX.Element }) {
  return (
    <tr>
      <th scope="row" class="quiet">
        {props.name}
      </th>
      <td>{props.children}</td>
    </tr>
  );
}
