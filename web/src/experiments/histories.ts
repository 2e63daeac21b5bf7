import { createEffect, createMemo, createSignal } from "solid-js";
import { answer, get } from "../api/client";
import type { History, HistoryPoint } from "../api/types";

/** The histories of the projects that are looked at, one after another; what was asked stays known. */
export function createHistories(wanted: () => readonly string[]) {
  const [known, setKnown] = createSignal<ReadonlyMap<string, History>>(new Map());
  const newest = answer(
    () => wanted().find((project) => !known().has(project)),
    (project, signal) => get<History>(`/api/v1/projects/${encodeURIComponent(project)}/history`, {}, signal),
  );
  createEffect(() => {
    const found = newest();
    if (found) setKnown((all) => new Map(all).set(found.project, found));
  });
  const points = createMemo(() => {
    const all = new Map<string, Map<string, HistoryPoint>>();
    for (const history of known().values())
      for (const [score, of] of Object.entries(history.scores)) {
        if (!all.has(score)) all.set(score, new Map());
        for (const point of of.points) all.get(score)!.set(point.id, point);
      }
    return all;
  });
  return {
    of: (project: string | undefined) => (project === undefined ? undefined : known().get(project)),
    /** The mean of a score in an experiment, with its interval. */
    point: (score: string, id: string) => points().get(score)?.get(id),
    failed: () => newest.error,
    again: newest.again,
  };
}

export type Histories = ReturnType<typeof createHistories>;
