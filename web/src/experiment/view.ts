//! What the experiment page shows: asked for in the address, answered by the server.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { answer, get, type ApiError } from "../api/client";
import type {
  Baseline,
  CaseRow,
  CaseTable,
  Diff,
  ExperimentSide,
  FieldList,
  SettingsAnswer,
  Summary,
} from "../api/types";
import { conditions, constant } from "../format/language";
import { parameter, parameters, setParameters, withParameters, type Given } from "../router";
import { createPages, PAGE } from "./pages";
import { createScorings } from "./scorings";

export type Layout = "list" | "grid" | "summary" | "trials";

/** Characters of a value that a cell can show. */
export const PREVIEW = "500";
/** How often a running experiment is looked at. */
const RUNNING_MS = 4_000;
/** An experiment that has not grown for this long has ended. */
const YOUNG_MS = 10 * 60_000;

/** What is shown: a layout, or groups, which the list gives way to. */
export type Shown = Layout | "groups";

export type View = ReturnType<typeof createView>;

export function createView(project: string, experiment: string) {
  const path = `/api/v1/experiments/${encodeURIComponent(experiment)}`;

  const where = createMemo(() => parameter("where") ?? undefined);
  const sort = createMemo(() => parameter("sort") ?? undefined);
  const columns = createMemo(() => parameter("columns") ?? undefined);
  const layout = createMemo(() => (parameter("layout") ?? "list") as Layout);
  const chosen = createMemo(() => parameters("vs"), [], { equals: sameList });
  const groupBy = createMemo(() => parameters("group"), [], { equals: sameList });
  const shows = (): Shown => (layout() === "list" && groupBy().length > 0 ? "groups" : layout());
  const off = createMemo(() => parameter("diff") === "off");
  const align = createMemo(() => parameter("align") ?? undefined);

  /** Changes when the stored data did: whatever shows them follows it. */
  const [changes, setChanges] = createSignal(0);
  const changed = () => setChanges((n) => n + 1);

  const summary = answer(
    () => ({ project }),
    (given, signal) => get<Summary>(`${path}/summary`, given, signal),
  );
  /** What the project's rule chooses; asked for alone, as no rule may find anything. */
  const rule = answer(
    () => ({ project }),
    (given, signal) => get<Baseline>(`${path}/baseline`, given, signal),
  );
  /** What it is held against: undefined until that is known. */
  const bases = createMemo(
    (): string[] | undefined => {
      if (off()) return [];
      if (chosen().length > 0) return chosen();
      const found = rule();
      if (!found) return rule.error ? [] : undefined;
      return found.baseline ? [found.baseline.id] : [];
    },
    undefined,
    { equals: (a, b) => a === b || (a !== undefined && b !== undefined && sameList(a, b)) },
  );
  const comparing = () => (bases()?.length ?? 0) > 0;

  const compare = (against: readonly string[], filter: string | undefined, signal: AbortSignal) =>
    Promise.all(
      against.map((base) => get<Diff>("/api/v1/diff", { base, candidate: experiment, project, where: filter }, signal)),
    );
  const overall = answer(
    () => (comparing() ? bases() : undefined),
    (against, signal) => compare(against, undefined, signal),
    changes,
  );
  const filtered = answer(
    () => (comparing() && where() !== undefined ? { bases: bases()!, where: where() } : undefined),
    (given, signal) => compare(given.bases, given.where, signal),
    changes,
  );
  const filteredSummary = answer(
    () => (bases() && !comparing() && where() !== undefined ? { project, where: where() } : undefined),
    (given, signal) => get<Summary>(`${path}/summary`, given, signal),
    changes,
  );
  const asked = createMemo(() => {
    const against = bases();
    return (
      against && { project, against: against[0], where: where(), sort: sort(), columns: columns(), align: align() }
    );
  });
  /** What is listed. */
  const list = (given: Given, signal?: AbortSignal) =>
    get<CaseTable>(`${path}/cases`, { ...asked(), preview: PREVIEW, ...given }, signal);
  const page = (offset: number, signal: AbortSignal) => list({ limit: String(PAGE), offset: String(offset) }, signal);
  const cases = answer(asked, (_, signal) => page(0, signal), changes);
  const pages = createPages<CaseRow>(cases, async (offset, signal) => (await page(offset, signal)).rows);

  const fields = answer(
    // What the filter completes and groups offer; what is looked at first goes first.
    () => (cases() || cases.error ? { project } : undefined),
    (given, signal) => get<FieldList>(`${path}/fields`, given, signal),
  );
  const settings = answer(
    () => (cases() ? project : undefined),
    (of, signal) => get<SettingsAnswer>(`/api/v1/projects/${encodeURIComponent(of)}/settings`, {}, signal),
  );

  const refresh = () => {
    for (const one of [summary, rule, fields]) one.again();
    changed();
  };
  const scorings = createScorings(project, path, refresh);

  // A young experiment is looked at again and again: it may be running. What it shows is asked for again only
  // when it has grown.
  let grown = 0;
  const size = () => summary() && `${summary()!.rows}/${summary()!.spans}/${summary()!.status}`;
  createEffect(
    on(size, (now, before) => {
      if (before === undefined || now === before) return;
      grown = Date.now();
      changed();
    }),
  );
  const mayRun = () => {
    const newest = Math.max(grown, Date.parse(summary()?.created ?? "") || 0);
    return summary()?.status === "partial" || Date.now() - newest < YOUNG_MS;
  };
  const watch = setInterval(() => !document.hidden && mayRun() && summary.again(), RUNNING_MS);
  onCleanup(() => clearInterval(watch));

  /** The comparisons under the filter. */
  const diffs = (): Diff[] => (comparing() ? ((where() === undefined ? overall() : filtered()) ?? []) : []);
  /** The numbers of the experiment alone under the filter. */
  const alone = (): Summary | undefined => (where() === undefined ? summary() : filteredSummary());

  /** What the filter was understood as, where it was a phrase. */
  const understood = (): string | undefined => {
    const meant = diffs()[0]?.where ?? alone()?.where ?? undefined;
    return meant === where() ? undefined : meant;
  };

  const sides = createMemo((): ExperimentSide[] => {
    if (!comparing()) return [];
    const byRule = rule()?.baseline;
    return (overall() ?? []).map(({ base }) =>
      chosen().length === 0 && byRule?.id === base.id ? { ...base, rule: byRule.rule } : base,
    );
  });

  return {
    project,
    experiment,
    path,
    where,
    sort,
    columns,
    layout,
    shows,
    groupBy,
    align,
    bases: () => bases() ?? [],
    /** Whether it is known what it is held against. */
    ready: () => bases() !== undefined,
    comparing,
    /** Whether it is known that there is nothing to hold it against. */
    nothingToCompare: () => summary() !== undefined && bases() !== undefined && !comparing() && !off(),
    off,
    summary,
    overall,
    cases,
    /** All rows; undefined where they are not here yet. */
    rows: pages.rows,
    list,
    /** A file with what is listed; with a condition, of the rows that are like that. */
    listedAs: (format: string, only?: string) =>
      withParameters(`${path}/export`, {
        ...asked(),
        rows: "listed",
        format,
        ...(only === undefined ? {} : { where: only }),
      }),
    /** Rows that are looked at. */
    look: pages.look,
    fields,
    settings,
    scorings,
    diffs,
    alone,
    /** The experiments that it is held against, with the rule that chose them. */
    sides,
    /** The one of an id, or as the address names it. */
    sideOf: (name: string | undefined) =>
      sides().find((side, at) => name !== undefined && (side.id === name || bases()?.[at] === name)),
    /** The first comparison under the filter, which the table holds each case against. */
    diff: (): Diff | undefined => diffs()[0],
    understood,
    /** The filter as a condition. A phrase is only understood as a whole; what it means can be narrowed. */
    meaning: () => understood() ?? where(),
    /** Why the filter cannot be answered. */
    trouble: (): ApiError | undefined =>
      summary.error ??
      (chosen().length > 0 && overall.error ? overall.error : undefined) ??
      cases.error ??
      filtered.error ??
      filteredSummary.error,
    /** Asks for everything again. */
    refresh,
    changes,
    loading: () => cases.loading,
    setWhere: (text: string | null) => setParameters({ where: text || null }),
    setSort: (text: string | null) => setParameters({ sort: text }),
  };
}

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/** The condition that rows are these. */
export const idIn = (ids: readonly string[]) => `id in [${ids.map(constant).join(", ")}]`;

/** The condition that asks for this, too. */
export function narrowedFrom(now: string | undefined, condition: string): string {
  if (now === undefined) return condition;
  const more = conditions(condition);
  return [...restOf(now, more), ...more].join(" and ");
}

/** Whether the filter asks for this. */
export const isAsked = (view: View, condition: string) => {
  const parts = conditions(view.meaning() ?? "");
  return conditions(condition).every((part) => parts.includes(part));
};

const restOf = (now: string | undefined, without: readonly string[]) =>
  conditions(now ?? "").filter((part) => !without.includes(part));

/** The filter that asks for cases that are like this, too; that asks no more where it was asked. */
export const narrowed = (view: View, condition: string): string | null =>
  isAsked(view, condition)
    ? restOf(view.meaning(), conditions(condition)).join(" and ") || null
    : narrowedFrom(view.meaning(), condition);

/** Sets that filter. */
export const narrow = (view: View, condition: string) => view.setWhere(narrowed(view, condition));
