//! The rows of a long answer, a page at a time: those that are looked at, and some that were.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";

/** Rows of a page. */
export const PAGE = 200;
/** Pages that are kept: what is far from sight is asked for again. */
const KEPT = 40;
/** Pages that are asked for at a time; what flies by meanwhile is not asked for. */
const AT_A_TIME = 2;
/** Rows beyond those in sight that are asked for already. */
const AHEAD = 100;

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
  /** Pages beyond the first, of the answer that they go with. */
  const [more, setMore] = createSignal<{ of: First<Row> | undefined; pages: ReadonlyMap<number, readonly Row[]> }>({
    of: undefined,
    pages: new Map(),
  });
  const pages = () => (more().of === first() ? more().pages : new Map<number, readonly Row[]>());
  let control = new AbortController();
  let asked = new Set<number>();
  let running = 0;
  let sight: readonly [number, number] = [0, 0];
  onCleanup(() => control.abort());
  createEffect(
    on(first, () => {
      control.abort();
      control = new AbortController();
      asked = new Set([0]);
      running = 0;
      next();
    }),
  );
  const load = async (page: number) => {
    const { signal } = control;
    const of = first();
    asked.add(page);
    running++;
    try {
      const rows = await ask(page * PAGE, signal);
      if (signal.aborted) return;
      const kept = new Map(pages()).set(page, rows);
      for (const old of kept.keys()) {
        if (kept.size <= KEPT) break;
        if (old === page) continue;
        kept.delete(old);
        asked.delete(old);
      }
      setMore({ of, pages: kept });
    } catch {
      // It is asked for again when it is looked at again.
      if (!signal.aborted) asked.delete(page);
      return;
    } finally {
      if (!signal.aborted) running--;
    }
    next();
  };
  const next = () => {
    const total = first()?.total ?? 0;
    const [from, until] = [Math.max(0, sight[0] - AHEAD), Math.min(total - 1, sight[1] + AHEAD)];
    for (let page = Math.floor(from / PAGE); page <= Math.floor(until / PAGE) && running < AT_A_TIME; page++)
      if (!asked.has(page)) void load(page);
  };
  const look = (from: number, until: number) => {
    sight = [from, until];
    next();
  };
  const rows = createMemo(() => {
    const start = first();
    const all = new Array<Row | undefined>(start?.total ?? 0);
    start?.rows.forEach((row, at) => (all[at] = row));
    for (const [page, of] of pages()) of.forEach((row, at) => (all[page * PAGE + at] = row));
    return all;
  });
  return { rows, look };
}
