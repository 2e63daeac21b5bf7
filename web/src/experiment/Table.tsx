import { createMemo, Match, Show, Switch } from "solid-js";
import type { CaseCell, CaseColumn, CaseRow } from "../api/types";
import { plain, score, signed } from "../format/number";
import { parameters, setParameters } from "../router";
import { DataTable, ValueCell, type Column } from "../ui/DataTable";
import { kept } from "../ui/kept";
import { Header, numberOf } from "./Header";
import type { View } from "./view";

const WIDTHS = { text: 270, score: 172, metric: 172, number: 120, bool: 100 } as Record<string, number>;

/** The row heights to choose from. */
export const [compact, setCompact] = kept("compact", false);

/** The cases of an experiment, each against its match in the baseline. */
export function Table(props: { view: View; cursor: number; open: (row: CaseRow, index: number) => void }) {
  const [widths, setWidths] = kept<Record<string, number>>("widths.cases", {});
  const picks = createMemo(() => new Set(parameters("pick")));
  const table = () => props.view.cases();

  const columns = createMemo((): Column<CaseRow>[] =>
    (table()?.columns ?? []).map((column, index) => ({
      name: column.name,
      width: widths()[column.name] ?? WIDTHS[column.kind] ?? 200,
      number: numberOf(column) !== undefined || column.kind === "number",
      header: () => <Header view={props.view} column={column} />,
      cell: (row) =>
        index === 0 ? (
          <First row={row} picked={picks().has(row.id)} column={column} />
        ) : (
          <Cell cell={row.cells[index]} column={column} />
        ),
    })),
  );
  return (
    <DataTable
      label="Cases"
      columns={columns()}
      rows={table()?.rows ?? []}
      total={table()?.total}
      rowHeight={compact() ? 22 : 28}
      rowId={(row) => row.id}
      cursor={props.cursor}
      onOpen={props.open}
      onResize={(name, width) => setWidths({ ...widths(), [name]: width })}
      onEnd={props.view.more}
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
      <Cell cell={props.row.cells[0]} column={props.column} />
    </span>
  );
}

const CLASS: Record<string, { sign: string; colour: string; words: string }> = {
  improved: { sign: "▲", colour: "better", words: "improved" },
  regressed: { sign: "▼", colour: "worse", words: "regressed" },
  lost_score: { sign: "lost", colour: "quiet", words: "the baseline has a value" },
  gained_score: { sign: "gained", colour: "quiet", words: "the baseline has no value" },
};

/** A value and, against a baseline, how far it is from it. */
function Cell(props: { cell: CaseCell | undefined; column: CaseColumn }) {
  const value = () => props.cell?.value;
  const write = (x: number | null) => (props.column.kind === "score" ? score(x) : plain(x));
  const change = () => CLASS[props.cell?.class ?? ""];
  return (
    <Switch fallback={<ValueCell value={value()} />}>
      <Match when={props.column.kind === "score" || props.column.kind === "metric" || typeof value() === "number"}>
        <Show when={change()}>
          {(is) => (
            <span class={`change ${is().colour}`} title={`${is().words}; baseline ${write(props.cell?.base ?? null)}`}>
              {is().sign} <Show when={props.cell?.delta != null}>{signed(props.cell?.delta, write)}</Show>
            </span>
          )}
        </Show>
        <span classList={{ quiet: value() == null }}>{write((value() as number | null) ?? null)}</span>
      </Match>
    </Switch>
  );
}
