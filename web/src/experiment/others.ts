//! What the rows in sight are against comparisons, asked for as they come into sight.

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { get } from "../api/client";
import type { CaseCell, CaseRow, CaseTable } from "../api/types";
import { idIn, PREVIEW, type View } from "./view";

/** Rows are asked for in pieces of this many. */
const PIECE = 100;

interface Asked {
  /** The answer that the rows are of: with another one everything is asked anew. */
  of: () => unknown;
  rows: () => readonly (CaseRow | undefined)[];
  range: () => readonly [number, number];
  /** Ids of the comparisons. */
  bases: () => readonly string[];
  columns: () => readonly string[];
}

/** The cells of a row against a comparison; undefined until they are here. */
export function createOthers(view: View, asked: Asked) {
  const [known, setKnown] = createSignal<ReadonlyMap<string, readonly CaseCell[]>>(new Map());
  const key = (base: string, id: string) => `${base}:${id}`;
  let control = new AbortController();
  let seen = new Set<string>();
  const question = () => JSON.stringify([asked.bases(), asked.columns(), view.align()]);
  createEffect(
    on([question, asked.of], () => {
      control.abort();
      control = new AbortController();
      seen = new Set();
      setKnown(new Map());
    }),
  );
  onCleanup(() => control.abort());
  const load = async (against: string, ids: readonly string[]) => {
    const { signal } = control;
    for (const id of ids) seen.add(key(against, id));
    const given = {
      project: view.project,
      against,
      align: view.align(),
      where: idIn(ids),
      columns: asked.columns().join(","),
      preview: PREVIEW,
    };
    try {
      const table = await get<CaseTable>(`${view.path}/cases`, given, signal);
      if (signal.aborted) return;
      const next = new Map(known());
      for (const row of table.rows) next.set(key(against, row.id), row.cells);
      setKnown(next);
    } catch {
      // It is asked for again when it comes into sight again.
      if (!signal.aborted) for (const id of ids) seen.delete(key(against, id));
    }
  };
  createEffect(() => {
    const [from, until] = asked.range();
    const rows = asked.rows();
    question();
    asked.of();
    for (const base of asked.bases()) {
      const wanted: string[] = [];
      for (let at = from - (from % PIECE); at <= until && wanted.length < 2 * PIECE; at++) {
        const row = rows[at];
        if (row && row.presence !== "base_only" && !seen.has(key(base, row.id))) wanted.push(row.id);
      }
      if (wanted.length > 0) void load(base, wanted);
    }
  });
  return (base: string, id: string): readonly CaseCell[] | undefined => known().get(key(base, id));
}
