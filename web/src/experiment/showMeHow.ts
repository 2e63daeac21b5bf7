//! What a view is elsewhere: a command, SQL, a table in Markdown.

import type { CaseCell, CaseRow } from "../api/types";
import { oneLine } from "../format/value";
import type { View } from "./view";

const shell = (text: string) => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command line that answers the same. */
export function command(view: View): string {
  const base = view.diff()?.base;
  const parts = ["evalhouse", "cases", `${view.project}/${view.experiment}`];
  const option = (name: string, value: string | undefined) => value !== undefined && parts.push(`--${name}`, value);
  option("against", base && `${base.project}/${base.experiment}`);
  option("where", view.where());
  for (const by of view.groupBy()) option("group-by", by);
  option("sort", view.sort());
  option("columns", view.columns());
  return parts.map(shell).join(" ");
}

/** SQL that answers the same, where the language of SQL has it: without a filter, or groups. */
export function sqlOf(view: View): string | undefined {
  if (view.where() !== undefined || view.groupBy().length > 0) return undefined;
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const name = `${view.project}/${view.experiment}`;
  const base = view.diff()?.base;
  if (base) return `select * from diff(${text(`${base.project}/${base.experiment}`)}, ${text(name)})`;
  return `select * from experiment(${text(name)})`;
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

const written = (of: CaseCell | undefined) => {
  const value = typeof of?.value === "number" ? String(Number(of.value.toPrecision(6))) : oneLine(of?.value ?? null);
  return cell(of?.delta ? `${value} (${of.delta > 0 ? "+" : ""}${Number(of.delta.toPrecision(3))})` : value);
};

/** Rows that are here as a table in Markdown. */
export function asMarkdown(view: View, only?: ReadonlySet<string>): string {
  const table = view.cases();
  if (!table) return "";
  const rows = only ? table.rows.filter((row) => only.has(row.id)) : table.rows;
  const names = table.columns.map((column) => cell(column.name));
  const lines = rows.map((row: CaseRow) => `| ${row.cells.map(written).join(" | ")} |`);
  return [`| ${names.join(" | ")} |`, `|${" --- |".repeat(names.length)}`, ...lines, ""].join("\n");
}
