import { scaleLinear, scaleUtc } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import type { SqlRow } from "../api/client";
import { BarChart, type BarGroup } from "../charts/BarChart";
import { Chart, type Area } from "../charts/Chart";
import { least, most, round, upwards } from "../charts/scales";
import { series } from "../charts/shapes";
import { count, plain } from "../format/number";
import { date } from "../format/time";
import { oneLine, preview } from "../format/value";
import { parameter, parameters, setParameters } from "../router";

/** Bars that can still be told apart; lines have room for more. */
const MOST_BARS = 60;
const MOST_POINTS = 5_000;

const isTime = (value: unknown) => typeof value === "string" && /^\d{4}-\d\d-\d\d[T ]/.test(value);

interface Props {
  rows: readonly SqlRow[];
  names: readonly string[];
  /** Shows a row in the table. */
  select: (row: SqlRow) => void;
}

/** The rows of a query as bars or a line: one column across, the numbers up. A click selects the row. */
export default function ResultChart(props: Props) {
  const numbers = createMemo(() =>
    props.names.filter((name) => props.rows.some((row) => typeof row[name] === "number")),
  );
  const x = () => {
    const asked = parameter("x");
    if (asked !== null && props.names.includes(asked)) return asked;
    return props.names.find((name) => !numbers().includes(name)) ?? numbers()[0] ?? "";
  };
  const others = createMemo(() => numbers().filter((name) => name !== x()));
  const ys = createMemo(() => {
    const asked = parameters("y").filter((name) => others().includes(name));
    return asked.length > 0 ? asked : others().slice(0, 4);
  });
  const rows = createMemo(() => props.rows.slice(0, MOST_POINTS));
  const ordered = () => rows().every((row) => isTime(row[x()]) || typeof row[x()] === "number" || row[x()] == null);
  const groups = createMemo((): BarGroup[] => {
    const seen = new Map<string, number>();
    return rows()
      .slice(0, MOST_BARS)
      .map((row) => {
        const text = preview(row[x()], 60);
        const nth = (seen.get(text) ?? 0) + 1;
        seen.set(text, nth);
        return {
          name: nth === 1 ? text : `${text} (${nth})`,
          bars: ys().map((name) => ({
            label: name,
            value: typeof row[name] === "number" ? row[name] : null,
            low: null,
            high: null,
            open: () => props.select(row),
          })),
        };
      });
  });
  const turn = (name: string) =>
    setParameters({ y: ys().includes(name) ? ys().filter((one) => one !== name) : [...ys(), name] }, { replace: true });
  return (
    <section class="charts result-chart" aria-label="Chart of the results">
      <Show
        when={ys().length > 0}
        fallback={<p class="quiet">A chart needs a column of numbers beside another column.</p>}
      >
        <div class="row charts-bar">
          <label class="row">
            Across
            <select
              aria-label="Column across"
              onChange={(event) => setParameters({ x: event.currentTarget.value, y: null }, { replace: true })}
            >
              <For each={props.names}>
                {(name) => (
                  <option value={name} selected={name === x()}>
                    {name}
                  </option>
                )}
              </For>
            </select>
          </label>
          <span class="quiet">up</span>
          <For each={others().slice(0, 12)}>
            {(name) => (
              <button aria-pressed={ys().includes(name)} onClick={() => turn(name)}>
                {name}
              </button>
            )}
          </For>
          <Show when={props.rows.length > (ordered() ? MOST_POINTS : MOST_BARS)}>
            <span class="quiet">the first {count(ordered() ? MOST_POINTS : MOST_BARS)} rows</span>
          </Show>
        </div>
        <Show
          when={ordered() && rows().length > 2}
          fallback={<BarChart label="Results" groups={groups()} share={false} />}
        >
          <Lines rows={rows()} x={x()} ys={ys()} select={props.select} />
        </Show>
      </Show>
    </section>
  );
}

function Lines(props: { rows: readonly SqlRow[]; x: string; ys: readonly string[]; select: Props["select"] }) {
  const times = () => props.rows.some((row) => isTime(row[props.x]));
  const at = (row: SqlRow) => (times() ? Date.parse(String(row[props.x])) : Number(row[props.x]));
  const known = createMemo(() =>
    props.rows.filter((row) => Number.isFinite(at(row))).toSorted((a, b) => at(a) - at(b)),
  );
  const x = (area: Area) => {
    const ends = [least(known().map(at)), most(known().map(at))];
    return times() ? scaleUtc().domain(ends).range([0, area.width]) : scaleLinear().domain(ends).range([0, area.width]);
  };
  const y = (area: Area) =>
    upwards(
      known().flatMap((row) => props.ys.flatMap((name) => (typeof row[name] === "number" ? row[name] : []))),
      area.height,
    );
  const points = (area: Area, name: string) => {
    const [toX, toY] = [x(area), y(area)];
    return known().flatMap((row) =>
      typeof row[name] === "number" ? [{ row, x: toX(at(row)), y: toY(row[name]), value: row[name] }] : [],
    );
  };
  return (
    <Chart
      label={`${props.ys.join(", ")} by ${props.x}`}
      x={(area) => {
        const scale = x(area);
        return scale.ticks(6).map((tick: number | Date) => ({
          at: scale(tick),
          text: tick instanceof Date ? date(tick) : plain(tick),
        }));
      }}
      y={(area) =>
        y(area)
          .ticks(5)
          .map((tick) => ({ at: y(area)(tick), text: plain(tick) }))
      }
      marks={(area) =>
        props.ys.flatMap((name) =>
          points(area, name).map((point) => ({
            x: point.x,
            y: point.y,
            tells: [`${name} ${plain(point.value, 6)}`, `${props.x} ${oneLine(point.row[props.x])}`],
            open: () => props.select(point.row),
          })),
        )
      }
      xTitle={props.x}
      legend={props.ys.map((name, kind) => ({
        name,
        sign: <rect class={`mark ${series(kind)}`} x="-5" y="-2" width="10" height="4" />,
      }))}
    >
      {(area) => (
        <For each={props.ys}>
          {(name, kind) => (
            <g class={series(kind())}>
              <path
                class="result-line"
                d={`M${points(area, name)
                  .map((point) => `${round(point.x)} ${round(point.y)}`)
                  .join("L")}`}
              />
              <Show when={known().length <= 60}>
                <For each={points(area, name)}>
                  {(point) => <circle class="mark" cx={point.x} cy={point.y} r="3" />}
                </For>
              </Show>
            </g>
          )}
        </For>
      )}
    </Chart>
  );
}
