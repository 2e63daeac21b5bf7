//! The rows of a long answer, a page at a time: those that are looked at, and some that were.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";

/** Rows of a page. */
export const PAGE = 250;
/** Pages that are kept: what is far from sight is asked for again. */
const KEPT = 40;
/** Rows that fly by are not asked for. */
const RESTS_MS = 60;

/** The first page, which is asked for by itself, and how many rows there are. */
interface First<Row> {
  rows: readonly Row[];
  total: number;
}

/** All rows, undefined where they are not here. `ask` gets those from an offset on. */
export function createPages<Row>(
  first: () => First<Row> | undefined,
  ask: (offset: number, signal: AbortSignal) => Promise<readonly Row[]>,
) {
  const [pages, setPages] = createSignal<ReadonlyMap<number, readonly Row[]>>(new Map());
  let control = new AbortController();
  let asked = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    control.abort();
    clearTimeout(timer);
  };
  onCleanup(stop);
  createEffect(
    on(first, (now) => {
      stop();
      control = new AbortController();
      asked = new Set([0]);
      setPages(new Map(now ? [[0, now.rows]] : []));
    }),
  );
  const load = async (page: number) => {
    const { signal } = control;
    asked.add(page);
    try {
      const rows = await ask(page * PAGE, signal);
      if (signal.aborted) return;
      const next = new Map(pages()).set(page, rows);
      for (const old of next.keys()) {
        if (next.size <= KEPT) break;
        if (old === 0 || old === page) continue;
        next.delete(old);
        asked.delete(old);
      }
      setPages(next);
    } catch {
      // It is asked for again when it is looked at again.
      if (!signal.aborted) asked.delete(page);
    }
  };
  const look = (from: number, until: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (let page = Math.floor(from / PAGE); page <= Math.floor(until / PAGE); page++)
        if (!asked.has(page)) void load(page);
    }, RESTS_MS);
  };
  const rows = createMemo(() => {
    const all = new Array<Row | undefined>(first()?.total ?? 0);
    for (const [page, of] of pages()) of.forEach((row, at) => (all[page * PAGE + at] = row));
    return all;
  });
  return { rows, look };
}
