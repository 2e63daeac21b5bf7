import { createMemo, createSignal, Index, Show, type JSX } from "solid-js";
import type { CaseCell, CaseColumn, CaseRow } from "../api/types";
import { plain, score, signed } from "../format/number";
import { parameter, parameters, setParameters } from "../router";
import { DataTable, valueOf, type Column } from "../ui/DataTable";
import { kept } from "../ui/kept";
import { Header, numberOf } from "./Header";
import { createOthers } from "./others";
import { createTrials } from "./trialsOf";
import type { View } from "./view";
import { WhyButton } from "./Why";

const WIDTHS = { text: 270, score: 172, metric: 172, number: 120, bool: 100 } as Record<string, number>;

/** The row heights to choose from. */
export const HEIGHTS = { compact: 22, normal: 28, tall: 76 };
export type Height = keyof typeof HEIGHTS;
export const [height, setHeight] = kept<Height>("height", "normal");

/** How many columns stay in place. */
export const frozen = () => Number(parameter("freeze") ?? 1);

/** The cases of an experiment, each against its match in the baseline. */
export function Table(props: {
  view: View;
  cursor: number;
  open: (row: CaseRow, index: number, against: string | undefined) => void;
}) {
  const [widths, setWidths] = kept<Record<string, number>>("widths.cases", {});
  const [range, setRange] = createSignal<readonly [number, number]>([0, 40]);
  const picks = createMemo(() => new Set(parameters("pick")));
  const table = () => props.view.cases();
  const others = createOthers(props.view, {
    of: props.view.cases,
    rows: props.view.rows,
    range,
    bases: () => props.view.bases().slice(1),
    columns: () => (table()?.columns ?? []).map((column) => column.name),
  });
  const trials = createTrials(props.view, range);
  const lines = () => Math.max(1, props.view.bases().length);
  const rowHeight = () => Math.max(HEIGHTS[height()], lines() * (height() === "compact" ? 20 : 24));
  const otherBases = createMemo(() => props.view.bases().slice(1));

  const columns = createMemo((): Column<CaseRow>[] => {
    const own = (table()?.columns ?? []).map((column, index): Column<CaseRow> => {
      const isNumber = numberOf(column) !== undefined;
      return {
        name: column.name,
        get width() {
          return widths()[column.name] ?? WIDTHS[column.kind] ?? 200;
        },
        number: isNumber || column.kind === "number",
        header: () => <Header view={props.view} column={column} />,
        cell: (row) => {
          const held = () => trials.row(row).cells[index];
          if (index === 0) return <First row={row} picked={picks().has(row.id)} column={column} />;
          if (!isNumber) return <>{cellOf(held(), column)}</>;
          return (
            <>
              {cellOf(held(), column)}
              <Index each={otherBases()}>
                {(base) => (
                  <div class="against">
                    {changeOf(others(base(), row.id)?.[index], column, base())}
                    <span class="quiet" title={`In ${props.view.sideOf(base())?.experiment}`}>
                      {writer(column)(others(base(), row.id)?.[index]?.base ?? null)}
                    </span>
                  </div>
                )}
              </Index>
            </>
          );
        },
      };
    });
    if (!props.view.comparing() || !trials.repeats()) return own;
    const choice: Column<CaseRow> = {
      name: "Trials",
      get width() {
        return widths()["Trials"] ?? 110;
      },
      header: () => (
        <>
          Trials
          <select
            class="align"
            aria-label="Which trial of the comparison rows are held against"
            value={props.view.align() ?? "index"}
            onChange={(event) =>
              setParameters({ align: event.currentTarget.value === "index" ? null : event.currentTarget.value })
            }
          >
            <option value="index">by index</option>
            <option value="closest">closest</option>
            <option value="worst">worst</option>
          </select>
        </>
      ),
      cell: (row) => (
        <Show when={trials.against(row.id)} fallback="–">
          {(of) => (
            <Show when={of().trials > 1} fallback={of().trials === 1 ? "1 of 1" : "–"}>
              <button class="step" aria-label="Trial before" onClick={() => void trials.turn(row, -1)}>
                ‹
              </button>
              {of().trial === null ? "mean" : of().trial! + 1} of {of().trials}
              <button class="step" aria-label="Next trial" onClick={() => void trials.turn(row, 1)}>
                ›
              </button>
            </Show>
          )}
        </Show>
      ),
    };
    return [...own.slice(0, 1), choice, ...own.slice(1)];
  });
  const move = (name: string, to: string) => {
    const names = (table()?.columns ?? []).map((column) => column.name);
    const [from, until] = [names.indexOf(name), names.indexOf(to)];
    if (from < 0 || until < 0) return;
    names.splice(until, 0, ...names.splice(from, 1));
    setParameters({ columns: names.join(",") });
  };
  return (
    <DataTable
      label="Cases"
      columns={columns()}
      rows={props.view.rows()}
      rowHeight={rowHeight()}
      lineHeight={lines() > 1 ? Math.floor(rowHeight() / lines()) : height() === "tall" ? 24 : rowHeight()}
      wrap={height() === "tall"}
      frozen={frozen()}
      rowId={(row) => row.id}
      cursor={props.cursor}
      onOpen={(row, index) => props.open(row, index, trials.chosen(row.id))}
      onResize={(name, width) => setWidths({ ...widths(), [name]: width })}
      onMove={move}
      onSight={(first, last) => {
        setRange([first, last]);
        props.view.look(first, last);
      }}
      stale={props.view.loading()}
    />
  );
}

const PRESENCE: Record<string, string> = { base_only: "only there", candidate_only: "only here", null_key: "no key" };

/** The first cell of a row, which can be picked and says where the case is. */
function First(props: { row: CaseRow; picked: boolean; column: CaseColumn }) {
  const pick = (on: boolean) => {
    const others = parameters("pick").filter((id) => id !== props.row.id);
    setParameters({ pick: on ? [...others, props.row.id] : others }, { replace: true });
  };
  const presence = () => PRESENCE[props.row.presence ?? ""];
  return (
    <span class="first">
      <input
        type="checkbox"
        aria-label={`Pick case ${props.row.id}`}
        checked={props.picked}
        onChange={(event) => pick(event.currentTarget.checked)}
      />
      <Show when={presence()}>{(text) => <span class="tag">{text()}</span>}</Show>
      <Show when={props.row.trial > 0}>
        <span class="quiet" title="Trial">
          #{props.row.trial + 1}
        </span>
      </Show>
      {cellOf(props.row.cells[0], props.column)}
    </span>
  );
}

const CLASS: Record<string, { sign: string; colour: string; words: string }> = {
  improved: { sign: "▲", colour: "better", words: "improved" },
  regressed: { sign: "▼", colour: "worse", words: "regressed" },
  lost_score: { sign: "lost", colour: "quiet", words: "the baseline has a value" },
  gained_score: { sign: "gained", colour: "quiet", words: "the baseline has no value" },
};

const writer = (column: CaseColumn) => (x: number | null) => (column.kind === "score" ? score(x) : plain(x));

// A cell is made anew with its row and seldom changes: plain functions make it quicker than components do.

/** How far a value is from the baseline's. */
function changeOf(cell: CaseCell | undefined, column: CaseColumn, base?: string): JSX.Element {
  const is = CLASS[cell?.class ?? ""];
  if (!is) return undefined;
  const write = writer(column);
  const number = numberOf(column);
  return [
    <span class={`change ${is.colour}`} title={`${is.words}; baseline ${write(cell?.base ?? null)}`}>
      {is.sign} {cell?.delta == null ? "" : signed(cell.delta, write)}
    </span>,
    // Beside the delta, not the delta itself: a click on a row's numbers opens the row.
    cell?.delta != null && number?.kind === "score" && (
      <WhyButton score={number.name} from={base} class="ask" title={number.name} aside>
        ?
      </WhyButton>
    ),
  ];
}

/** A value and, against a baseline, how far it is from it. */
function cellOf(cell: CaseCell | undefined, column: CaseColumn): JSX.Element {
  const value = cell?.value;
  if (column.kind !== "score" && column.kind !== "metric" && typeof value !== "number") return valueOf(value);
  return [
    changeOf(cell, column),
    <span class={value == null ? "quiet" : undefined}>
      {writer(column)((value as number | null | undefined) ?? null)}
    </span>,
  ];
}
