//! What the rows in sight are against the other comparisons, where there are several.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { get } from "../api/client";
import type { CaseCell, CaseTable } from "../api/types";
import { constant } from "../format/language";
import { PREVIEW, type View } from "./view";

/** Rows are asked for in pieces of this many. */
const PIECE = 100;

/** A cell of a row against the comparison of this number, 1 for the second; undefined until it is here. */
export function createOthers(view: View, range: () => readonly [number, number]) {
  const [known, setKnown] = createSignal<ReadonlyMap<string, readonly CaseCell[]>>(new Map());
  const key = (base: number, id: string) => `${base}:${id}`;
  const others = createMemo(() => view.bases().slice(1));
  let control = new AbortController();
  let asked = new Set<string>();
  createEffect(
    on([others, view.cases], () => {
      control.abort();
      control = new AbortController();
      asked = new Set();
      setKnown(new Map());
    }),
  );
  onCleanup(() => control.abort());
  const load = async (base: number, ids: readonly string[]) => {
    const { signal } = control;
    for (const id of ids) asked.add(key(base, id));
    const columns = (view.cases()?.columns ?? []).map((column) => column.name).join(",");
    const where = `id in [${ids.map(constant).join(", ")}]`;
    const given = { project: view.project, against: view.bases()[base], where, columns, preview: PREVIEW };
    try {
      const table = await get<CaseTable>(`${view.path}/cases`, given, signal);
      if (signal.aborted) return;
      const next = new Map(known());
      for (const row of table.rows) next.set(key(base, row.id), row.cells);
      setKnown(next);
    } catch {
      if (!signal.aborted) for (const id of ids) asked.delete(key(base, id));
    }
  };
  createEffect(() => {
    const [from, until] = range();
    const rows = view.rows();
    others().forEach((_, other) => {
      const base = other + 1;
      const wanted: string[] = [];
      for (let at = from - (from % PIECE); at <= until && wanted.length < 2 * PIECE; at++) {
        const row = rows[at];
        if (row && row.presence !== "base_only" && !asked.has(key(base, row.id))) wanted.push(row.id);
      }
      if (wanted.length > 0) void load(base, wanted);
    });
  });
  return (base: number, id: string, column: number): CaseCell | undefined => known().get(key(base, id))?.[column];
}
