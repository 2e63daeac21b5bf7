//! Which trial of the comparison a row is held against, and which others there are.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { get } from "../api/client";
import type { CaseRow, CaseTable } from "../api/types";
import { parameter } from "../router";
import { constant } from "../format/language";
import { PREVIEW, type View } from "./view";

/** The trial of the comparison, from 0, of how many. */
export interface Against {
  trial: number | null;
  trials: number;
}

const COLUMNS = "baseline(trial()),baseline(group_size())";
const PIECE = 100;

/** Trials of the comparison for the rows in sight, and rows that the user holds against another one. */
export function createTrials(view: View, range: () => readonly [number, number]) {
  const [known, setKnown] = createSignal<ReadonlyMap<string, Against>>(new Map());
  const [turned, setTurned] = createSignal<ReadonlyMap<string, { shift: number; row: CaseRow; against: Against }>>(
    new Map(),
  );
  /** Whether the comparison has a case with several trials. */
  const repeats = createMemo(() => {
    const base = view.sides()[0];
    return base !== undefined && base.rows > base.cases;
  });
  let asked = new Set<string>();
  let control = new AbortController();
  createEffect(
    on(view.cases, () => {
      control.abort();
      control = new AbortController();
      asked = new Set();
      setKnown(new Map());
      setTurned(new Map());
    }),
  );
  onCleanup(() => control.abort());

  const given = (ids: readonly string[]) => ({
    project: view.project,
    against: view.bases()[0],
    align: view.align(),
    where: `id in [${ids.map(constant).join(", ")}]`,
  });
  const read = (row: CaseRow): Against => ({
    trial: (row.cells.at(-2)?.value as number | null) ?? null,
    trials: (row.cells.at(-1)?.value as number | null) ?? 0,
  });
  const load = async (ids: readonly string[]) => {
    const { signal } = control;
    for (const id of ids) asked.add(id);
    try {
      const table = await get<CaseTable>(`${view.path}/cases`, { ...given(ids), columns: COLUMNS }, signal);
      if (signal.aborted) return;
      const next = new Map(known());
      for (const row of table.rows) next.set(row.id, read(row));
      setKnown(next);
    } catch {
      if (!signal.aborted) for (const id of ids) asked.delete(id);
    }
  };
  createEffect(() => {
    if (!repeats()) return;
    const [from, until] = range();
    const rows = view.rows();
    const wanted: string[] = [];
    for (let at = from - (from % PIECE); at <= until && wanted.length < 2 * PIECE; at++) {
      const row = rows[at];
      if (row && row.presence !== "base_only" && !asked.has(row.id)) wanted.push(row.id);
    }
    if (wanted.length > 0) void load(wanted);
  });

  /** Holds a row against the trial this many steps on. */
  const turn = async (row: CaseRow, by: number) => {
    const of = against(row.id);
    if (!of || of.trials < 2) return;
    const shift = ((turned().get(row.id)?.shift ?? 0) + by + of.trials) % of.trials;
    const columns = [...(view.cases()?.columns ?? []).map((column) => column.name), COLUMNS].join(",");
    const { signal } = control;
    const asking = { ...given([row.id]), align: undefined, columns, shift: String(shift), preview: PREVIEW };
    const table = await get<CaseTable>(`${view.path}/cases`, asking, signal);
    const next = table.rows[0];
    if (next && !signal.aborted) setTurned(new Map(turned()).set(row.id, { shift, row: next, against: read(next) }));
  };
  const against = (id: string): Against | undefined => turned().get(id)?.against ?? known().get(id);
  return {
    repeats,
    against,
    turn,
    /** The row as it is held now. */
    row: (row: CaseRow): CaseRow => turned().get(row.id)?.row ?? row,
    /** How many steps a row was turned. */
    shift: (id: string): number => turned().get(id)?.shift ?? 0,
    /** How trials line up: by their index unless the address says otherwise. */
    align: () => parameter("align") ?? "index",
  };
}
