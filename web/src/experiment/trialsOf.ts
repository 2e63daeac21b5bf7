//! Which trial of the comparison a row is held against, and which others there are.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { get } from "../api/client";
import type { CaseCell, CaseRow, CaseTable } from "../api/types";
import { createOthers } from "./others";
import { idIn, PREVIEW, type View } from "./view";

/** The trial of the comparison, from 0, of how many; null where a row is held against the mean of them. */
export interface Against {
  trial: number | null;
  trials: number;
}

const COLUMNS = ["baseline(trial())", "baseline(group_size())"];

const read = (cells: readonly CaseCell[]): Against => ({
  trial: (cells.at(-2)?.value as number | null) ?? null,
  trials: (cells.at(-1)?.value as number | null) ?? 0,
});

/** Trials of the comparison for the rows in sight, and rows that the user holds against another one. */
export function createTrials(view: View, range: () => readonly [number, number]) {
  const [turned, setTurned] = createSignal<ReadonlyMap<string, CaseRow>>(new Map());
  /** Whether the comparison has a case with several trials. */
  const repeats = createMemo(() => {
    const base = view.sides()[0];
    return base !== undefined && base.rows > base.cases;
  });
  const known = createOthers(view, {
    of: view.cases,
    rows: view.rows,
    range,
    bases: () => (repeats() ? view.bases().slice(0, 1) : []),
    columns: () => COLUMNS,
  });
  let control = new AbortController();
  createEffect(
    on(view.cases, () => {
      control.abort();
      control = new AbortController();
      setTurned(new Map());
    }),
  );
  onCleanup(() => control.abort());

  const against = (id: string): Against | undefined => {
    const cells = turned().get(id)?.cells ?? known(view.bases()[0] ?? "", id);
    return cells && read(cells);
  };
  /** Holds a row against the trial before or after. */
  const turn = async (row: CaseRow, by: 1 | -1) => {
    const of = against(row.id);
    if (!of || of.trials < 2) return;
    const from = of.trial ?? (by > 0 ? -1 : 0);
    // The server counts from the trial of the row's own index on, and takes 0 for no choice at all.
    const steps = (from + by - row.trial) % of.trials;
    const shift = steps > 0 ? steps : steps + of.trials;
    const columns = [...(view.cases()?.columns ?? []).map((column) => column.name), ...COLUMNS];
    const { signal } = control;
    const table = await get<CaseTable>(
      `${view.path}/cases`,
      {
        project: view.project,
        against: view.bases()[0],
        where: idIn([row.id]),
        columns: columns.join(","),
        shift: String(shift),
        preview: PREVIEW,
      },
      signal,
    );
    const next = table.rows[0];
    if (next && !signal.aborted) setTurned(new Map(turned()).set(row.id, next));
  };
  return {
    repeats,
    against,
    turn,
    /** The row as it is held now. */
    row: (row: CaseRow): CaseRow => turned().get(row.id) ?? row,
    /** The row of the comparison that the user chose for a row. */
    chosen: (id: string): string | undefined => turned().get(id)?.base_id ?? undefined,
  };
}
