import { createVirtualizer } from "@tanstack/solid-virtual";
import { createEffect, createMemo, createSignal, For, on, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseCell, CaseRow, CaseTable } from "../api/types";
import { score, signed } from "../format/number";
import { preview } from "../format/value";
import { quoted } from "../format/language";
import { parameters, setParameters } from "../router";
import { Menu } from "../ui/Menu";
import { createOthers } from "./others";
import { createPages, PAGE } from "./pages";
import { PREVIEW, type View } from "./view";
import { WhyButton } from "./Why";
import "./Grid.css";

const FIELDS = ["output", "expected", "error", "metadata"];
/** Height of a field in a cell, and of the scores below. */
const FIELD = 104;
const SCORES = 28;
/** Scores that a cell has room for. */
const MOST_SCORES = 6;
const OFFERED = 200;

/** The cases with what each experiment put out for them, side by side. */
export default function Grid(props: { view: View; open: (row: CaseRow, index: number) => void }) {
  let scroller!: HTMLDivElement;
  const [range, setRange] = createSignal<readonly [number, number]>([0, 10]);
  const chosen = () => {
    const asked = parameters("field");
    return asked.length > 0 ? asked : ["output"];
  };
  const scores = createMemo(() =>
    Object.keys(props.view.summary()?.scores ?? {})
      .slice(0, MOST_SCORES)
      .map((name) => ({ name, path: `scores.${quoted(name)}` })),
  );
  const paths = () => scores().map((one) => one.path);
  const theirFields = () => chosen().map((field) => `baseline(${field})`);
  const asked = createMemo(() =>
    props.view.summary()
      ? {
          project: props.view.project,
          where: props.view.where(),
          sort: props.view.sort(),
          against: props.view.bases()[0],
          align: props.view.align(),
          columns: ["input", ...chosen(), ...paths(), ...(props.view.comparing() ? theirFields() : [])].join(","),
          preview: PREVIEW,
          limit: String(PAGE),
        }
      : undefined,
  );
  const mine = answer(
    asked,
    (given, signal) => get<CaseTable>(`${props.view.path}/cases`, given, signal),
    props.view.changes,
  );
  const pages = createPages<CaseRow>(mine, async (offset, signal) => {
    const given = { ...asked(), offset: String(offset) };
    return (await get<CaseTable>(`${props.view.path}/cases`, given, signal)).rows;
  });
  const others = createOthers(props.view, {
    of: mine,
    rows: pages.rows,
    range,
    bases: () => props.view.bases().slice(1),
    columns: () => [...theirFields(), ...paths()],
  });
  const own = (row: CaseRow) => row.cells.slice(1, 1 + chosen().length + paths().length);
  /** What the matched case of a comparison says: the first comes with the rows. */
  const theirs = (base: string, row: CaseRow) =>
    base === props.view.bases()[0]
      ? [...row.cells.slice(-chosen().length), ...own(row).slice(chosen().length)]
      : others(base, row.id);
  const height = () => FIELD * chosen().length + SCORES;
  const virtual = createVirtualizer({
    get count() {
      return pages.rows().length;
    },
    getScrollElement: () => scroller,
    estimateSize: height,
    overscan: 4,
  });
  createEffect(on(height, () => virtual.measure(), { defer: true }));
  createEffect(() => scroller.style.setProperty("--grid-row", `${height()}px`));
  createEffect(() => {
    const items = virtual.getVirtualItems();
    const [first, last] = [items[0], items.at(-1)];
    if (!first || !last) return;
    setRange([first.index, last.index]);
    pages.look(first.index, last.index);
  });
  const offers = createMemo(() =>
    [
      ...new Set([
        ...chosen(),
        ...FIELDS,
        ...(props.view.fields()?.fields ?? []).map((one) => one.path).filter((path) => !path.includes("[*]")),
      ]),
    ].slice(0, OFFERED),
  );
  const turn = (field: string) =>
    setParameters({
      field: chosen().includes(field) ? chosen().filter((one) => one !== field) : [...chosen(), field],
    });
  return (
    <>
      <div class="row grid-fields">
        <Menu label={`Fields: ${chosen().join(", ")}`}>
          <For each={offers()}>
            {(name) => (
              <label>
                <input type="checkbox" checked={chosen().includes(name)} onChange={() => turn(name)} />
                <span class="cut">{name}</span>
              </label>
            )}
          </For>
        </Menu>
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
          <strong>input</strong>
          <For each={props.view.sides()}>{(side) => <strong class="cut">{side.experiment}</strong>}</For>
          <strong class="cut">{props.view.experiment}</strong>
        </div>
        <div class="grid-body" style={{ height: `${virtual.getTotalSize()}px` }}>
          <For each={virtual.getVirtualItems()}>
            {(item) => (
              <Show when={pages.rows()[item.index]} keyed>
                {(row) => (
                  <div
                    class="grid-row"
                    data-id={row.id}
                    style={{ transform: `translateY(${item.start}px)` }}
                    onClick={() => props.open(row, item.index)}
                  >
                    <Value value={row.cells[0]?.value} />
                    <For each={props.view.bases()}>
                      {(base) => (
                        <Side
                          fields={chosen()}
                          cells={theirs(base, row)}
                          scores={scores().map((one) => one.name)}
                          value={(cell) => cell?.base ?? null}
                        />
                      )}
                    </For>
                    <Side
                      fields={chosen()}
                      cells={row.presence === "base_only" ? undefined : own(row)}
                      scores={scores().map((one) => one.name)}
                      value={(cell) => (typeof cell?.value === "number" ? cell.value : null)}
                      changes
                    />
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

const COLOURS: Record<string, string> = { improved: "better", regressed: "worse" };
const SIGNS: Record<string, string> = { improved: "▲", regressed: "▼" };

/** What one experiment has for a case: the chosen fields, then the scores. */
function Side(props: {
  fields: readonly string[];
  cells: readonly CaseCell[] | undefined;
  scores: readonly string[];
  value: (cell: CaseCell | undefined) => number | null;
  changes?: boolean;
}) {
  return (
    <div>
      <For each={props.fields}>
        {(field, index) => (
          <div class="grid-field">
            <Show when={props.fields.length > 1}>
              <span class="quiet">{field}</span>
            </Show>
            <Value value={props.cells?.[index()]?.value} />
          </div>
        )}
      </For>
      <div class="grid-scores">
        <For each={props.scores}>
          {(name, index) => {
            const cell = () => props.cells?.[props.fields.length + index()];
            return (
              <span>
                <span class="quiet">{name}</span> {score(props.value(cell()))}
                <Show when={props.changes && SIGNS[cell()?.class ?? ""]}>
                  {" "}
                  <WhyButton
                    score={name}
                    class={COLOURS[cell()!.class!]!}
                    title={`Baseline ${score(cell()!.base)}`}
                    aside
                  >
                    {SIGNS[cell()!.class!]}
                    {signed(cell()?.delta, score)}
                  </WhyButton>
                </Show>
              </span>
            );
          }}
        </For>
      </div>
    </div>
  );
}

function Value(props: { value: unknown }) {
  return (
    <div class="grid-value mono" dir="auto">
      {preview(props.value, 1_000)}
    </div>
  );
}
