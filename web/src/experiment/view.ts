//! What the experiment page shows: asked for in the address, answered by the server.

import { createMemo, createSignal, onCleanup } from "solid-js";
import { answer, get, type ApiError } from "../api/client";
import type { CaseTable, Diff, FieldList, Summary } from "../api/types";
import { parameter, parameters, setParameters } from "../router";

export type Layout = "list" | "grid" | "summary" | "trials";

/** Rows that are asked for first; the rest come when they are scrolled to. */
const FIRST_ROWS = 1_000;
const MOST_ROWS = 100_000;
/** How often a running experiment is looked at. */
const RUNNING_MS = 5_000;

/** The comparison that the experiment's own rule chooses. */
const BY_RULE = "baseline";

export type View = ReturnType<typeof createView>;

export function createView(project: string, experiment: string) {
  const path = `/api/v1/experiments/${encodeURIComponent(experiment)}`;
  const [limit, setLimit] = createSignal(FIRST_ROWS);

  const where = createMemo(() => parameter("where") ?? undefined);
  const sort = createMemo(() => parameter("sort") ?? undefined);
  const columns = createMemo(() => parameter("columns") ?? undefined);
  const layout = createMemo(() => (parameter("layout") ?? "list") as Layout);
  const chosen = createMemo(() => parameters("vs"), [], { equals: sameList });
  const groupBy = createMemo(() => parameters("group"), [], { equals: sameList });
  const off = createMemo(() => parameter("diff") === "off");

  const summary = answer(
    () => ({ project }),
    (given, signal) => get<Summary>(`${path}/summary`, given, signal),
  );

  const wanted = createMemo(() => (off() ? [] : chosen().length > 0 ? chosen() : [BY_RULE]), [], { equals: sameList });
  const compare = (bases: string[], filter: string | undefined, signal: AbortSignal) =>
    Promise.all(
      bases.map((base) => get<Diff>("/api/v1/diff", { base, candidate: experiment, project, where: filter }, signal)),
    );
  const overall = answer(
    () => (wanted().length > 0 ? wanted() : undefined),
    (bases, signal) => compare(bases, undefined, signal),
  );
  /** No rule finds a baseline for the first experiment, and an experiment is no baseline of itself. */
  const nothingToCompare = createMemo(() => {
    if (chosen().length > 0) return false;
    const base = overall()?.[0];
    return overall.error !== undefined || (base !== undefined && base.base.id === base.candidate.id);
  });
  const bases = createMemo(() => (nothingToCompare() ? [] : wanted()), [], { equals: sameList });
  const comparing = () => bases().length > 0;
  const filtered = answer(
    () => (comparing() && where() !== undefined ? { bases: bases(), where: where() } : undefined),
    (given, signal) => compare(given.bases, given.where, signal),
  );
  const filteredSummary = answer(
    () => (!comparing() && where() !== undefined ? { project, where: where() } : undefined),
    (given, signal) => get<Summary>(`${path}/summary`, given, signal),
  );
  const cases = answer(
    () => ({ project, against: bases()[0], where: where(), sort: sort(), columns: columns(), limit: String(limit()) }),
    (given, signal) => get<CaseTable>(`${path}/cases`, given, signal),
  );
  const fields = answer(
    () => ({ project }),
    (given, signal) => get<FieldList>(`${path}/fields`, given, signal),
  );

  const refresh = () => {
    for (const one of [summary, overall, filtered, filteredSummary, cases]) one.again();
  };
  const watch = setInterval(() => !document.hidden && summary()?.status === "partial" && refresh(), RUNNING_MS);
  onCleanup(() => clearInterval(watch));

  /** The comparisons under the filter. */
  const diffs = (): Diff[] => (comparing() ? ((where() === undefined ? overall() : filtered()) ?? []) : []);
  /** The numbers of the experiment alone under the filter. */
  const alone = (): Summary | undefined => (where() === undefined ? summary() : filteredSummary());

  return {
    project,
    experiment,
    path,
    where,
    sort,
    columns,
    layout,
    groupBy,
    bases,
    comparing,
    nothingToCompare,
    off,
    summary,
    overall,
    cases,
    fields,
    diffs,
    alone,
    /** The first comparison under the filter, which the table holds each case against. */
    diff: () => diffs()[0],
    /** What the filter was understood as, where it was a phrase. */
    understood: (): string | undefined => {
      const meant = diffs()[0]?.where ?? alone()?.where ?? undefined;
      return meant === where() ? undefined : meant;
    },
    /** Why the filter cannot be answered. */
    trouble: (): ApiError | undefined =>
      chosen().length > 0 && overall.error ? overall.error : (cases.error ?? filtered.error ?? filteredSummary.error),
    refresh,
    loading: () => cases.loading,
    more: () => setLimit((n) => Math.min(n * 4, MOST_ROWS)),
    setWhere: (text: string | null) => setParameters({ where: text || null }),
    setSort: (text: string | null) => setParameters({ sort: text }),
  };
}

const sameList = (a: string[], b: string[]) => a.length === b.length && a.every((one, index) => one === b[index]);

/** Asks for cases that are like this, too; asks no more where that was asked. */
export function narrow(view: View, condition: string) {
  const now = view.where();
  if (now === undefined) return view.setWhere(condition);
  const parts = now.split(" and ");
  if (parts.includes(condition)) return view.setWhere(parts.filter((part) => part !== condition).join(" and "));
  const whole = / or |\?/i.test(now) ? `(${now})` : now;
  view.setWhere(`${whole} and ${condition}`);
}

/** A name after a dot, as the filter language writes it. */
export const quoted = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

/** A constant, as the filter language writes it. */
export function constant(value: unknown): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}
