import { scaleLinear, scaleLog } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import type { Leaderboard } from "../api/types";
import { percent, plain } from "../format/number";
import { to } from "../router";
import { Chart, type Area } from "./Chart";

type Row = Leaderboard["rows"][number];

/** From this ratio on an axis is logarithmic. */
const WIDE = 100;

/** A score against a metric; the dashed line joins those that none beats in both. */
export function ScatterChart(props: { project: string; score: string; cost: string; rows: readonly Row[] }) {
  const known = createMemo(() => props.rows.filter((row) => row.mean != null && row.cost != null));
  const costs = () => known().map((row) => row.cost!);
  const isLog = () => Math.min(...costs()) > 0 && Math.max(...costs()) / Math.min(...costs()) >= WIDE;
  const x = (area: Area) =>
    (isLog() ? scaleLog() : scaleLinear())
      .domain([isLog() ? Math.min(...costs()) : 0, Math.max(...costs())])
      .nice()
      .range([0, area.width]);
  const y = (area: Area) => {
    const ends = known().flatMap((row) => [row.ci_low ?? row.mean!, row.ci_high ?? row.mean!]);
    return scaleLinear()
      .domain([Math.min(...ends), Math.max(...ends)])
      .nice(5)
      .range([area.height, 0]);
  };
  const write = (value: number) => (value >= 0 && value <= 1 ? percent(value, 1) : plain(value));
  const frontier = () =>
    known()
      .filter((row) => row.on_frontier)
      .toSorted((a, b) => a.cost! - b.cost!);
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
      >
        {(area) => (
          <>
            <path
              class="frontier"
              d={`M${frontier()
                .map((row) => `${x(area)(row.cost!)} ${y(area)(row.mean!)}`)
                .join("L")}`}
            />
            <For each={known()}>
              {/* Within a group the link is one of SVG, not of HTML. */}
              {(row) => (
                <g>
                  <a href={to.experiment(props.project, row.experiment)} class="series-0">
                    <title>{`${row.experiment}: ${write(row.mean!)}, ${props.cost} ${plain(row.cost)}, rank ${row.rank}`}</title>
                    <line
                      class="interval"
                      x1={x(area)(row.cost!)}
                      x2={x(area)(row.cost!)}
                      y1={y(area)(row.ci_low ?? row.mean!)}
                      y2={y(area)(row.ci_high ?? row.mean!)}
                    />
                    <circle
                      class="mark"
                      cx={x(area)(row.cost!)}
                      cy={y(area)(row.mean!)}
                      r={row.on_frontier ? 5 : 3.5}
                    />
                    <Show when={known().length <= 12 || row.on_frontier}>
                      <text class="mark-label" x={x(area)(row.cost!) + 8} y={y(area)(row.mean!) - 5}>
                        {row.experiment}
                      </text>
                    </Show>
                  </a>
                </g>
              )}
            </For>
          </>
        )}
      </Chart>
    </Show>
  );
}
