//! Scorers that the server applies to the experiment.

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { answer, get, post } from "../api/client";
import type { Scoring, ScoringList } from "../api/types";

const RUNNING_MS = 500;

/** What runs and what ended lately. The server knows; a page that is loaded again asks it. */
export function createScorings(project: string, path: string, ended: () => void) {
  const list = answer(
    () => ({ project }),
    async (given, signal) => (await get<ScoringList>(`${path}/scorings`, given, signal)).scorings,
  );
  /** Those whose end was seen, or lies before the page. */
  const [dismissed, setDismissed] = createSignal<ReadonlySet<string>>(new Set());
  const running = () => (list() ?? []).filter((one) => one.state === "running");
  /** Those whose end is still to be seen: a short one may have ended before it is first listed. */
  const awaited = new Set<string>();
  let first = true;
  createEffect(
    on(list, (now) => {
      if (!now) return;
      if (first) setDismissed(new Set(now.filter((one) => one.state !== "running").map((one) => one.id)));
      first = false;
      const over = now.filter((one) => one.state !== "running" && awaited.delete(one.id));
      for (const one of running()) awaited.add(one.id);
      if (over.length > 0) ended();
    }),
  );
  const watch = setInterval(() => running().length > 0 && list.again(), RUNNING_MS);
  onCleanup(() => clearInterval(watch));
  return {
    shown: (): Scoring[] => (list() ?? []).filter((one) => !dismissed().has(one.id)),
    /** One was started here. */
    started: (one: Scoring) => {
      awaited.add(one.id);
      list.again();
    },
    cancel: async (id: string) => {
      await post(`/api/v1/scorings/${encodeURIComponent(id)}`, {}, undefined, "DELETE");
      list.again();
    },
    dismiss: (id: string) => setDismissed(new Set([...dismissed(), id])),
  };
}
