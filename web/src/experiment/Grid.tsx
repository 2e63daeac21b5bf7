import { createVirtualizer } from "@tanstack/solid-virtual";
import { createMemo, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseRow, CaseTable } from "../api/types";
import { score } from "../format/number";
import { preview } from "../format/value";
import { parameter, setParameters } from "../router";
import { quoted } from "../format/language";
import { type View } from "./view";
import "./Grid.css";

const FIELDS = ["output", "expected", "error", "metadata"];
const ROW = 132;

/** The cases with what each experiment put out for them, side by side. */
export default function Grid(props: { view: View; open: (row: CaseRow, index: number) => void }) {
  let scroller!: HTMLDivElement;
  const field = () => parameter("field") ?? "output";
  const scores = () =>
    Object.keys(props.view.summary()?.scores ?? {}).map((name) => ({ name, path: `scores.${quoted(name)}` }));
  const asked = () => ({ project: props.view.project, where: props.view.where(), sort: props.view.sort() });

  const mine = answer(
    () =>
      props.view.summary()
        ? {
            ...asked(),
            against: props.view.bases()[0],
            columns: ["input", field(), ...scores().map((one) => one.path)].join(","),
          }
        : undefined,
    (given, signal) => get<CaseTable>(`${props.view.path}/cases`, given, signal),
  );
  /** What the matched case of each comparison says, by the row of this experiment. */
  const theirs = answer(
    () =>
      props.view.comparing() ? { ...asked(), bases: props.view.bases(), columns: `baseline(${field()})` } : undefined,
    ({ bases, ...given }, signal) =>
      Promise.all(bases.map((against) => get<CaseTable>(`${props.view.path}/cases`, { ...given, against }, signal))),
  );
  const matched = createMemo(() =>
    (theirs() ?? []).map((table) => new Map(table.rows.map((row) => [row.id, row.cells[0]?.value]))),
  );
  const names = () => [
    ...(props.view.overall() ?? []).slice(0, matched().length).map((diff) => diff.base.experiment),
    props.view.experiment,
  ];
  const rows = () => mine()?.rows ?? [];
  const virtual = createVirtualizer({
    get count() {
      return rows().length;
    },
    getScrollElement: () => scroller,
    estimateSize: () => ROW,
    overscan: 4,
  });
  return (
    <>
      <div class="row grid-fields">
        <span class="quiet">Each cell shows</span>
        <select
          aria-label="What each cell shows"
          value={field()}
          onChange={(event) => setParameters({ field: event.currentTarget.value })}
        >
          <For
            each={[
              ...new Set([
                field(),
                ...FIELDS,
                ...(props.view.fields()?.fields ?? []).map((one) => one.path).filter((path) => !path.includes("[*]")),
              ]),
            ]}
          >
            {(name) => <option value={name}>{name}</option>}
          </For>
        </select>
      </div>
      <div
        class="grid"
        ref={scroller}
        tabindex="0"
        role="region"
        aria-label="Cases side by side"
        classList={{ stale: mine.loading }}
      >
        <div class="grid-head">
          <For each={["input", ...names()]}>{(name) => <strong class="cut">{name}</strong>}</For>
        </div>
        <div class="grid-body" style={{ height: `${virtual.getTotalSize()}px` }}>
          <For each={virtual.getVirtualItems()}>
            {(item) => (
              <Show when={rows()[item.index]} keyed>
                {(row) => (
                  <div
                    class="grid-row"
                    data-id={row.id}
                    style={{ transform: `translateY(${item.start}px)` }}
                    onClick={() => props.open(row, item.index)}
                  >
                    <Value value={row.cells[0]?.value} />
                    <For each={matched()}>{(of) => <Value value={of.get(row.id)} />}</For>
                    <div>
                      <Value value={row.cells[1]?.value} />
                      <div class="grid-scores quiet">
                        <For each={scores()}>
                          {(one, index) => (
                            <span>
                              {one.name} {score(row.cells[index() + 2]?.value as number | null)}
                            </span>
                          )}
                        </For>
                      </div>
                    </div>
                  </div>
                )}
              </Show>
            )}
          </For>
        </div>
      </div>
    </>
  );
}

function Value(props: { value: unknown }) {
  return (
    <div class="grid-value mono" dir="auto">
      {preview(props.value, 1_000)}
    </div>
  );
}
