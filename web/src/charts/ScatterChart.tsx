import { scaleLinear, scaleLog } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import type { Leaderboard } from "../api/types";
import { percent, plain } from "../format/number";
import { to } from "../router";
import { Chart, opens, type Area, type Box } from "./Chart";
import { least, most } from "./LineChart";
import { labels, series, shape } from "./shapes";

type Row = Leaderboard["rows"][number];

/** From this ratio on an axis is logarithmic. */
const WIDE = 100;
/** More marks than this have no link each. */
const LINKED = 200;

/** A score against a metric; the dashed line joins those that none beats in both. A drag keeps what is in its box. */
export function ScatterChart(props: {
  project: string;
  score: string;
  cost: string;
  rows: readonly Row[];
  kind: (id: string) => string | undefined;
  kinds: readonly string[];
  keep: (ids: readonly string[]) => void;
}) {
  const known = createMemo(() => props.rows.filter((row) => row.mean != null && row.cost != null));
  const costs = createMemo(() => known().map((row) => row.cost!));
  const isLog = createMemo(() => least(costs()) > 0 && most(costs()) / least(costs()) >= WIDE);
  const x = (area: Area) =>
    (isLog() ? scaleLog() : scaleLinear())
      .domain([isLog() ? least(costs()) : Math.min(0, least(costs())), most(costs()) || 1])
      .nice()
      .range([0, area.width]);
  const y = (area: Area) => {
    const low = least(known().map((row) => row.ci_low ?? row.mean!));
    const high = most(known().map((row) => row.ci_high ?? row.mean!));
    return scaleLinear()
      .domain(low === high ? [low - 0.5, high + 0.5] : [low, high])
      .nice(5)
      .range([area.height, 0]);
  };
  const write = (value: number) => (value >= 0 && value <= 1 ? percent(value, 1) : plain(value));
  const drawn = (area: Area) => {
    const [toX, toY] = [x(area), y(area)];
    return known().map((row) => ({
      row,
      kind: Math.max(0, props.kinds.indexOf(props.kind(row.id) ?? "")),
      x: toX(row.cost!),
      y: toY(row.mean!),
      low: toY(row.ci_low ?? row.mean!),
      high: toY(row.ci_high ?? row.mean!),
    }));
  };
  const tells = (row: Row) => [
    row.experiment,
    `${props.score} ${write(row.mean!)} from ${write(row.ci_low ?? row.mean!)} to ${write(row.ci_high ?? row.mean!)}`,
    `${props.cost} ${plain(row.cost)}, rank ${row.rank}${row.on_frontier ? ", on the frontier" : ""}`,
    ...(props.kinds.length > 0 ? [props.kind(row.id) ?? "–"] : []),
  ];
  const keep = (box: Box, area: Area) => {
    const inside = drawn(area).filter(
      (one) => one.x >= box.left && one.x <= box.right && one.y >= box.top && one.y <= box.bottom,
    );
    if (inside.length > 0) props.keep(inside.map((one) => one.row.id));
  };
  return (
    <Show when={known().length > 0} fallback={<p class="quiet">No experiment has both.</p>}>
      <Chart
        label={`${props.score} against ${props.cost}`}
        x={(area) =>
          x(area)
            .ticks(6)
            .map((tick) => ({ at: x(area)(tick), text: plain(tick) }))
        }
        y={(area) =>
          y(area)
            .ticks(5)
            .map((tick) => ({ at: y(area)(tick), text: write(tick) }))
        }
        xTitle={`mean ${props.cost} of a row${isLog() ? ", logarithmic" : ""}`}
        marks={(area) =>
          drawn(area).map((one) => ({
            x: one.x,
            y: one.y,
            tells: tells(one.row),
            open: opens(to.experiment(props.project, one.row.experiment)),
          }))
        }
        onDrag={keep}
        legend={props.kinds.map((name, kind) => ({
          name,
          sign: <path class={`mark ${series(kind)}`} d={shape(kind)} />,
        }))}
      >
        {(area) => {
          const all = createMemo(() => drawn(area));
          const frontier = createMemo(() =>
            all()
              .filter((one) => one.row.on_frontier)
              .toSorted((a, b) => a.x - b.x),
          );
          const named = createMemo(() => {
            const wanted = [...frontier(), ...(all().length <= 12 ? all().filter((one) => !one.row.on_frontier) : [])];
            return labels(
              wanted.map((one) => ({ x: one.x, y: one.y - 6, text: one.row.experiment, of: one })),
              area.width,
            );
          });
          return (
            <>
              <path
                class="frontier"
                d={`M${frontier()
                  .map((one) => `${one.x} ${one.y}`)
                  .join("L")}`}
              />
              <path
                class="intervals"
                d={all()
                  .map((one) => `M${one.x} ${one.low}V${one.high}`)
                  .join("")}
              />
              <For each={all()}>
                {(one) => {
                  const mark = () => (
                    <path
                      class={`mark ${series(one.kind)}`}

                      d={shape(one.kind)}
                      transform={`translate(${one.x} ${one.y})${one.row.on_frontier ? " scale(1.4)" : ""}`}
                    />
                  );
                  return (
                    <Show when={all().length <= LINKED} fallback={mark()}>
                      {/* Within a group the link is one of SVG, not of HTML. */}
                      <g>
                        <a
                          href={to.experiment(props.project, one.row.experiment)}
                          aria-label={tells(one.row).join(", ")}
                        >
                          {mark()}
                        </a>
                      </g>
                    </Show>
                  );
                }}
              </For>
              <For each={named()}>
                {(label) => (
                  <text class="mark-label" x={label.left} y={label.y}>
                    {label.text}
                  </text>
                )}
              </For>
            </>
          );
        }}
      </Chart>
    </Show>
  );
}
