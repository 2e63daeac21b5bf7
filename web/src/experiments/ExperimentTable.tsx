import { createMemo, createSignal, Show } from "solid-js";
import { count, halfWidth, inColumn, mean, NONE } from "../format/number";
import { oneLine } from "../format/value";
import { time } from "../format/time";
import { go, parameter, parameters, setParameters, to } from "../router";
import { DataTable, ValueCell, type Column } from "../ui/DataTable";
import { onKey } from "../ui/keys";
import { kept } from "../ui/kept";
import type { Histories } from "./histories";
import { metadataOf, type Listed } from "./listed";

interface Props {
  rows: readonly Listed[];
  scores: readonly string[];
  /** Whether the values of a score are shares of one. */
  share: (score: string) => boolean;
  histories: Histories;
  /** The projects that are in sight. */
  look: (projects: string[]) => void;
  withProject: boolean;
  stale: boolean;
}

type Value = (row: Listed) => string | number | null | undefined;

const METADATA_SHOWN = 4;

/** The list of experiments. */
export function ExperimentTable(props: Props) {
  const [widths, setWidths] = kept<Record<string, number>>("widths.experiments", {});
  const [cursor, setCursor] = createSignal(-1);
  const picks = createMemo(() => new Set(parameters("pick")));
  const metadata = createMemo(() =>
    [...new Set(props.rows.flatMap((row) => Object.keys(metadataOf(row))))].slice(0, METADATA_SHOWN),
  );
  const scoreOf = (name: string) => (row: Listed) => props.histories.point(name, row.id)?.mean ?? row.scores[name];

  const seconds = createMemo(() => inColumn(props.rows.map((row) => row.took?.duration)));
  const dollars = createMemo(() => inColumn(props.rows.map((row) => row.took?.cost)));
  /** How the means of a score are written, and the halves of their intervals. */
  const writers = createMemo(() => {
    const writer = (name: string): [(x: number) => string, (x: number) => string] => {
      if (props.share(name)) return [(x) => mean(x, true), (x) => (100 * x).toFixed(1)];
      const write = inColumn(props.rows.map((row) => row.scores[name]));
      return [write, write];
    };
    return new Map(props.scores.map((name) => [name, writer(name)]));
  });

  const values = createMemo(() => {
    const all: [string, Value][] = [
      ["Experiment", (row) => row.experiment],
      ["Created", (row) => row.created],
      ["Branch", (row) => row.about?.branch],
      ["Dataset", (row) => row.about?.dataset],
      ["Cases", (row) => row.cases],
      ["Rows", (row) => row.rows],
      ["Errors", (row) => row.errors],
      ["Duration", (row) => row.took?.duration],
      ["Cost", (row) => row.took?.cost],
      ...props.scores.map((name): [string, Value] => [`scores.${name}`, scoreOf(name)]),
      ...metadata().map((name): [string, Value] => [`metadata.${name}`, (row) => oneLine(metadataOf(row)[name])]),
    ];
    return new Map(all);
  });
  const order = () => {
    const [name, down] = (parameter("sort") ?? "").split(/ (desc)$/);
    return { name: name ?? "", down: down === "desc" };
  };
  const rows = createMemo(() => {
    const { name, down } = order();
    const value = values().get(name);
    return value ? props.rows.toSorted((a, b) => compare(value(a), value(b), down)) : props.rows;
  });
  const turn = (name: string) => {
    const now = order();
    setParameters({ sort: now.name !== name ? `${name} desc` : now.down ? name : null });
  };
  const pick = (row: Listed, on: boolean) => {
    const ids = new Set(picks());
    if (on) ids.add(row.id);
    else ids.delete(row.id);
    setParameters({ pick: [...ids] }, { replace: true });
  };
  const open = (row: Listed | undefined) => row && go(to.experiment(row.project, row.experiment));
  const step = (by: number) => setCursor((at) => Math.min(Math.max(at + by, 0), rows().length - 1));
  onKey("j", "Next row", () => step(1));
  onKey("k", "Row before", () => step(-1));
  onKey("o", "Open the row", () => open(rows()[cursor()]));
  onKey("x", "Pick the row", () => {
    const row = rows()[cursor()];
    if (row) pick(row, !picks().has(row.id));
  });

  const columns = createMemo((): Column<Listed>[] => {
    const column = (
      name: string,
      width: number,
      cell: Column<Listed>["cell"],
      number = false,
      title = name,
    ): Column<Listed> => ({
      name,
      number,
      width: widths()[name] ?? width,
      cell,
      get sorted() {
        return order().name === name ? (order().down ? "descending" : "ascending") : undefined;
      },
      header: () => (
        <button class="sort cut" onClick={() => turn(name)}>
          {title} {order().name === name ? (order().down ? "↓" : "↑") : ""}
        </button>
      ),
    });
    const withValue = (get: (row: Listed) => boolean) => props.rows.some(get);
    return [
      column("Experiment", 280, (row) => (
        <label class="row">
          <input
            type="checkbox"
            checked={picks().has(row.id)}
            aria-label={`Pick ${row.experiment}`}
            onChange={(event) => pick(row, event.currentTarget.checked)}
          />
          <a class="cut" href={to.experiment(row.project, row.experiment)}>
            {props.withProject ? `${row.project} / ${row.experiment}` : row.experiment}
          </a>
          <Show when={row.status !== "complete"}>
            <span class="quiet">{row.status}</span>
          </Show>
        </label>
      )),
      column("Created", 160, (row) => time(row.created)),
      ...(withValue((row) => row.about?.branch != null)
        ? [column("Branch", 140, (row) => <ValueCell value={row.about?.branch} />)]
        : []),
      ...(withValue((row) => row.about?.dataset != null)
        ? [column("Dataset", 140, (row) => <ValueCell value={row.about?.dataset} />)]
        : []),
      column("Cases", 80, (row) => count(row.cases), true),
      column("Rows", 80, (row) => count(row.rows), true),
      column(
        "Errors",
        80,
        (row) => <span classList={{ worse: row.errors > 0, quiet: row.errors === 0 }}>{count(row.errors)}</span>,
        true,
      ),
      ...(withValue((row) => row.took?.duration != null)
        ? [column("Duration", 100, (row) => seconds()(row.took?.duration), true, "Duration, s")]
        : []),
      ...(withValue((row) => row.took?.cost != null)
        ? [column("Cost", 100, (row) => dollars()(row.took?.cost), true, "Cost, $")]
        : []),
      ...props.scores.map((name) =>
        column(
          `scores.${name}`,
          160,
          (row) => (
            <Mean rows={row.scores[name]} point={props.histories.point(name, row.id)} writers={writers().get(name)!} />
          ),
          true,
          name,
        ),
      ),
      ...metadata().map((name) =>
        column(`metadata.${name}`, 150, (row) => <ValueCell value={metadataOf(row)[name]} />, false, name),
      ),
    ];
  });

  return (
    <DataTable
      label="Experiments"
      columns={columns()}
      rows={rows()}
      rowHeight={28}
      rowId={(row) => row.id}
      cursor={cursor()}
      onOpen={open}
      onSight={(first, last) =>
        props.look([
          ...new Set(
            rows()
              .slice(first, last + 1)
              .map((row) => row.project),
          ),
        ])
      }
      onResize={(name, width) => setWidths({ ...widths(), [name]: width })}
      stale={props.stale}
    />
  );
}

/** A mean with its interval: over cases where the project's history tells it, else over rows. */
function Mean(props: {
  rows: number | null | undefined;
  point: { mean: number | null; ci_low: number | null; ci_high: number | null } | undefined;
  writers: readonly [(x: number) => string, (x: number) => string];
}) {
  const write = (x: number | null | undefined) => (x == null ? NONE : props.writers[0](x));
  const width = () => halfWidth(props.point?.ci_low, props.point?.ci_high);
  return (
    <Show when={props.point} fallback={<span title="Mean over rows">{write(props.rows)}</span>}>
      {(point) => (
        <span title="Mean over cases and half its 95 % interval">
          {write(point().mean)}{" "}
          <Show when={width() != null}>
            <span class="quiet">±{props.writers[1](width()!)}</span>
          </Show>
        </span>
      )}
    </Show>
  );
}

/** Nulls last, whichever way. */
function compare(a: string | number | null | undefined, b: string | number | null | undefined, down: boolean): number {
  if (a == null || b == null) return Number(a == null) - Number(b == null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return down ? -order : order;
}
