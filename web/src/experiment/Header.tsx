import { createMemo, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseColumn, Groups } from "../api/types";
import { count } from "../format/number";
import { Delta, meanOf, sumsOf, type Sums } from "./Delta";
import { quoted, unquoted } from "../format/language";
import { narrow, type View } from "./view";

/** The score or metric that a column shows, if it shows one. */
export function numberOf(column: Pick<CaseColumn, "name">): { kind: Sums["kind"]; name: string } | undefined {
  const [, table, name] = /^(scores|metrics)\.(.+)$/s.exec(column.name) ?? [];
  return table ? { kind: table === "scores" ? "score" : "metric", name: unquoted(name!) } : undefined;
}

/** The name of a column as its header shows it. */
export const titleOf = (column: CaseColumn) => numberOf(column)?.name ?? column.name;

/** Turns the order by a column: down, up, none. */
function reorder(view: View, name: string) {
  const now = view.sort();
  view.setSort(now === `${name} desc` ? `${name} asc` : now === `${name} asc` ? null : `${name} desc`);
}

/** The header of a column: its order, and for numbers what they come to. */
export function Header(props: { view: View; column: CaseColumn }) {
  const sums = createMemo(() => {
    const number = numberOf(props.column);
    return number && sumsOf(number.kind, number.name, props.view.diff(), props.view.alone());
  });
  const order = () => {
    const sort = props.view.sort();
    return sort === `${props.column.name} desc` ? "↓" : sort === `${props.column.name} asc` ? "↑" : "";
  };
  const path = () => `${props.column.kind === "score" ? "scores" : "metrics"}.${quoted(sums()?.name ?? "")}`;
  return (
    <>
      <button class="sort cut" title={props.column.name} onClick={() => reorder(props.view, props.column.name)}>
        {titleOf(props.column)} {order()}
      </button>
      <Show when={sums()}>
        {(of) => (
          <>
            <div class="sums cut">
              <span title={of().title}>{meanOf(of())}</span> <Delta of={of()} />
            </div>
            <div class="sums row">
              <Show when={of().improved != null}>
                <button
                  class="better"
                  title="Only the improved"
                  onClick={() => narrow(props.view, `improved(${path()})`)}
                >
                  ▲<span class="only-read">improved </span>
                  {count(of().improved)}
                </button>
                <button
                  class="worse"
                  title="Only the regressed"
                  onClick={() => narrow(props.view, `regressed(${path()})`)}
                >
                  ▼<span class="only-read">regressed </span>
                  {count(of().regressed)}
                </button>
              </Show>
              <Show when={of().kind === "score" && of().share}>
                <Distribution view={props.view} path={path()} />
              </Show>
            </div>
          </>
        )}
      </Show>
    </>
  );
}

const BINS = 10;

/** Distributions are asked for one after another, behind everything that was asked before. */
let turn: Promise<unknown> = Promise.resolve();
const inTurn = <T,>(act: () => Promise<T>): Promise<T> => {
  const result = turn.then(act);
  turn = result.catch(() => undefined);
  return result;
};

/** How the values of a score are spread from 0 to 1: rows a tenth, as the server groups them. */
function Distribution(props: { view: View; path: string }) {
  const groups = answer(
    // What the header says comes first.
    () =>
      props.view.loading()
        ? undefined
        : {
            base: props.view.bases()[0],
            by: `floor(${props.path} * ${BINS})`,
            where: props.view.where(),
          },
    ({ base, by, where }, signal) =>
      inTurn(async () => {
        if (signal.aborted) throw new DOMException("a newer question", "AbortError");
        const { experiment, project } = props.view;
        const given = { "group-by": by, where, project };
        return base === undefined
          ? get<Groups>("/api/v1/groups", { ...given, experiment }, signal)
          : get<Groups>("/api/v1/diff", { ...given, base, candidate: experiment }, signal);
      }),
    props.view.changes,
  );
  const bins = createMemo(() => {
    const rows = Array<number>(BINS).fill(0);
    for (const group of groups()?.groups ?? []) {
      const bin = group.values[0];
      if (bin != null) rows[Math.min(Number(bin), BINS - 1)]! += group.experiments.at(-1)?.rows ?? 0;
    }
    return rows;
  });
  const most = () => Math.max(1, ...bins());
  const said = () =>
    bins()
      .map((rows, bin) => `${bin / BINS}: ${rows}`)
      .join(", ");
  return (
    <svg class="spark" viewBox="0 0 50 14" role="img" aria-label={`Rows by value: ${said()}`}>
      <For each={bins()}>
        {(rows, bin) => (
          <rect x={bin() * 5} width={4} y={13 - (12 * rows) / most()} height={(12 * rows) / most() + 1} />
        )}
      </For>
    </svg>
  );
}
