//! What a view is elsewhere: a command, SQL.

import type { ExperimentSide } from "../api/types";
import { parameter } from "../router";
import type { View } from "./view";
import { explained } from "./Why";

const shell = (text: string) => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command line that answers the same; with `only`, of the cases that are like that. */
export function command(view: View, only?: string): string {
  const nameOf = (side: ExperimentSide) => `${side.project}/${side.experiment}`;
  const bases = view.sides().map(nameOf);
  const experiment = `${view.project}/${view.experiment}`;
  const parts = ["evalhouse"];
  const where = only ?? view.where();
  const option = (name: string, value: string | undefined | null) => value != null && parts.push(`--${name}`, value);
  const opened = only === undefined ? parameter("case") : null;
  const why = explained();
  if (opened !== null) {
    const owner = parameter("there") === "yes" ? (bases[0] ?? experiment) : experiment;
    parts.push("trace", owner, opened);
    return parts.map(shell).join(" ");
  }
  const from = view.sideOf(why?.from) ?? view.sides()[0];
  if (why && from) {
    parts.push("explain", nameOf(from), experiment, "--score", why.score);
    option("where", why.where ?? where);
    return parts.map(shell).join(" ");
  }
  if (view.layout() === "trials") {
    parts.push("trials", experiment);
    option("where", where);
    return parts.map(shell).join(" ");
  }
  if (view.layout() === "summary" && view.groupBy().length === 0) {
    parts.push(...(bases[0] === undefined ? ["show", experiment] : ["diff", bases[0], experiment]));
    option("where", where);
    return parts.map(shell).join(" ");
  }
  if (view.groupBy().length > 0 && bases[0] !== undefined) {
    parts.push("diff", bases[0], experiment, ...bases.slice(1));
  } else {
    parts.push("cases", experiment);
    option("against", bases[0]);
  }
  option("where", where);
  for (const by of view.groupBy()) option("group-by", by);
  if (view.groupBy().length > 0) {
    option("aggregate", parameter("aggregate"));
    option("sort", parameter("order"));
  } else {
    option("align", view.align());
    option("sort", view.sort());
    option("columns", view.columns());
  }
  return parts.map(shell).join(" ");
}

/** Functions that only the filter language has: SQL says them with the columns of `diff`. */
const OF_PAIRS =
  /\b(regressed|improved|unchanged|changed|flipped|delta|presence|lost_score|gained_score|baseline|search|any_span|group_size|trial)\s*\(/i;

/** SQL that answers the same, where SQL has the words of the filter; undefined where only the command has. */
export function sqlOf(view: View): string | undefined {
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const name = text(`${view.project}/${view.experiment}`);
  const base = view.sides()[0];
  const against = base && text(`${base.project}/${base.experiment}`);
  const where = view.where();
  const all = [where, view.sort(), view.columns(), ...view.groupBy()];
  if (view.understood() !== undefined || all.some((one) => one !== undefined && OF_PAIRS.test(one))) return undefined;
  // SQL has no percent: 50% is 0.5.
  const plain = where?.replace(/(\d+(?:\.\d+)?)%(?!\s*[\w.(])/g, (_, number) => String(Number(number) / 100));
  const condition = plain === undefined ? "" : `\nwhere ${plain}`;
  const scores = Object.keys(view.summary()?.scores ?? {}).map((score) => `scores."${score.replaceAll('"', '""')}"`);
  if (view.layout() === "trials") return `select * from trials(${name})`;
  if (view.groupBy().length > 0) {
    const means = scores.map((score) => `avg(${score}) as ${score.replace(/^scores\./, "")}`);
    const by = view.groupBy().join(", ");
    return `select ${[by, "count(*) as rows", ...means].join(", ")}\nfrom experiment(${name})${condition}\ngroup by ${by}`;
  }
  if (against !== undefined && where === undefined)
    return view.align() === undefined ? `select * from diff(${against}, ${name})` : undefined;
  const columns = view.cases()?.columns.map((column) => column.name) ?? ["*"];
  const order = view.sort() === undefined ? "" : `\norder by ${view.sort()}`;
  return `select ${columns.join(", ")}\nfrom experiment(${name})${condition}${order}`;
}
