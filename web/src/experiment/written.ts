//! What is shown as a table of plain values, asked for whole, and such tables as text.

import { get } from "../api/client";
import type { CaseCell, CaseTable, TrialReport } from "../api/types";
import { count } from "../format/number";
import { oneLine } from "../format/value";
import { askGroups, groupsAsked, linesOf } from "./groupsOf";
import type { View } from "./view";

/** A table of values that is written in the browser: the server writes no such rows. */
export interface Values {
  columns: string[];
  rows: unknown[][];
}

/** Rows that go into a table in Markdown at most: nobody pastes more. */
const COPIED = 5_000;
/** Cases of trials that one answer has at most. */
export const MOST_CASES = 100_000;

export async function groupValues(view: View): Promise<Values> {
  const lines = linesOf(view, await askGroups(view, groupsAsked(view)));
  const names = (of: "scores" | "metrics") => [...new Set(lines.flatMap((line) => Object.keys(line.member[of])))];
  const [scores, metrics] = [names("scores"), names("metrics")];
  const ofScore = ["value", "delta", "ci_low", "ci_high", "improved", "regressed"] as const;
  return {
    columns: [
      ...view.groupBy(),
      ...["experiment", "rows", "cases"],
      ...scores.flatMap((name) => ofScore.map((part) => `scores.${name}.${part}`)),
      ...metrics.map((name) => `metrics.${name}`),
    ],
    rows: lines.map(({ group, member, experiment }) => [
      ...group.values,
      ...[experiment, member.rows, member.cases],
      ...scores.flatMap((name) => ofScore.map((part) => member.scores[name]?.[part])),
      ...metrics.map((name) => member.metrics[name]),
    ]),
  };
}

export async function trialValues(view: View): Promise<Values> {
  const given = { project: view.project, where: view.where(), limit: String(MOST_CASES) };
  const report = await get<TrialReport>(`${view.path}/trials`, given);
  const scores = Object.keys(report.scores);
  const ofScore = ["mean", "sd", "min", "max", "passes", "n"] as const;
  return {
    columns: ["id", "input", "trials", ...scores.flatMap((name) => ofScore.map((part) => `scores.${name}.${part}`))],
    rows: report.cases.map((one) => [
      ...[one.id, one.input, one.trials],
      ...scores.flatMap((name) => ofScore.map((part) => one.scores[name]?.[part])),
    ]),
  };
}

const field = (value: unknown) => {
  const text = value == null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const asCsv = ({ columns, rows }: Values) =>
  [columns, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");

export const asJson = ({ columns, rows }: Values) =>
  JSON.stringify(rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at], value ?? null]))));

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

const written = (of: CaseCell | undefined) => {
  const value = typeof of?.value === "number" ? String(Number(of.value.toPrecision(6))) : oneLine(of?.value ?? null);
  return cell(of?.delta ? `${value} (${of.delta > 0 ? "+" : ""}${Number(of.delta.toPrecision(3))})` : value);
};

/** Rows as a table in Markdown, and what there is to say of them: all that are listed, or those of a condition. */
export async function asMarkdown(view: View, only?: string): Promise<{ text: string; said: string }> {
  const table: CaseTable = await view.list({ limit: String(COPIED), ...(only === undefined ? {} : { where: only }) });
  const names = table.columns.map((column) => cell(column.name));
  const lines = table.rows.map((row) => `| ${row.cells.map(written).join(" | ")} |`);
  const all = table.rows.length === table.total;
  return {
    text: [`| ${names.join(" | ")} |`, `|${" --- |".repeat(names.length)}`, ...lines, ""].join("\n"),
    said: all
      ? `Copied ${count(table.total)} rows as Markdown`
      : `Copied the first ${count(COPIED)} of ${count(table.total)} rows: a file has all`,
  };
}
