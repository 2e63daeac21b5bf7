import { scaleLinear, scaleLog } from "d3-scale";
import { createMemo, Show } from "solid-js";
import type { Leaderboard } from "../api/types";
import { plain } from "../format/number";
import type { Area, Box } from "./Chart";
import { PointChart, type Drawn, type Kinds, type Point } from "./PointChart";
import { least, most, round } from "./scales";

/** From this ratio on an axis is logarithmic. */
const WIDE = 100;

/** A score against a metric; the dashed line joins those that none beats in both. A drag keeps what is in its box. */
export function ScatterChart(props: {
  project: string;
  score: string;
  share: boolean;
  metric: string;
  rows: Leaderboard["rows"];
  of: Kinds;
  keep: (ids: readonly string[]) => void;
}) {
  const points = createMemo((): Point[] =>
    props.rows.flatMap((row) =>
      row.mean == null || row.cost == null
        ? []
        : {
            id: row.id,
            experiment: row.experiment,
            across: row.cost,
            mean: row.mean,
            low: row.ci_low,
            high: row.ci_high,
            tells: [
              `${props.metric} ${plain(row.cost)}, rank ${row.rank}${row.on_frontier ? ", on the frontier" : ""}`,
            ],
            large: row.on_frontier,
          },
    ),
  );
  const ends = createMemo(() => {
    const values = points().map((point) => point.across);
    return [least(values), most(values)] as const;
  });
  const isLog = () => ends()[0] > 0 && ends()[1] / ends()[0] >= WIDE;
  const across = (area: Area) => {
    const [low, high] = ends();
    return (isLog() ? scaleLog().domain(ends()) : scaleLinear().domain([Math.min(0, low), high || 1]))
      .nice()
      .range([0, area.width]);
  };
  const keep = (box: Box, drawn: readonly Drawn[]) => {
    const inside = drawn.filter(
      (one) => one.x >= box.left && one.x <= box.right && one.y >= box.top && one.y <= box.bottom,
    );
    if (inside.length > 0) props.keep(inside.map((one) => one.id));
  };
  const frontier = (drawn: readonly Drawn[]) => drawn.filter((one) => one.large).toSorted((a, b) => a.x - b.x);
  return (
    <Show when={points().length > 0} fallback={<p class="quiet">No experiment has both.</p>}>
      <PointChart
        project={props.project}
        label={`${props.score} against ${props.metric}`}
        points={points()}
        share={props.share}
        across={across}
        tick={(tick) => plain(Number(tick))}
        title={`mean ${props.metric} of a row${isLog() ? ", logarithmic" : ""}`}
        of={props.of}
        onDrag={keep}
        named={frontier}
      >
        {(drawn) => (
          <path
            class="frontier"
            d={`M${frontier(drawn)
              .map((one) => `${round(one.x)} ${round(one.y)}`)
              .join("L")}`}
          />
        )}
      </PointChart>
    </Show>
  );
}
