import { scaleUtc } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import type { HistoryPoint, ScoreHistory } from "../api/types";
import { signed, plain } from "../format/number";
import { date, time } from "../format/time";
import { setParameters } from "../router";
import type { Area, Box } from "./Chart";
import { PointChart, type Drawn, type Kinds, type Point } from "./PointChart";
import { least, most, round } from "./scales";

/** A score over time, with intervals and where its mean changed. A drag keeps the experiments of that time. */
export function LineChart(props: {
  project: string;
  score: string;
  share: boolean;
  points: readonly HistoryPoint[];
  changes: ScoreHistory["changes"];
  of: Kinds;
}) {
  const points = createMemo((): Point[] =>
    props.points.flatMap((point) =>
      point.mean == null || !point.created
        ? []
        : {
            id: point.id,
            experiment: point.experiment,
            across: Date.parse(point.created),
            mean: point.mean,
            low: point.ci_low,
            high: point.ci_high,
            tells: [time(point.created), `${point.n} cases`],
          },
    ),
  );
  const across = (area: Area) => {
    const times = points().map((point) => point.across);
    const [first, last] = [least(times), most(times)];
    const room = first === last ? 1 : 0;
    return scaleUtc()
      .domain([first - room, last + room])
      .range([0, area.width]);
  };
  const keep = (box: Box, _: readonly Drawn[], area: Area) => {
    const [first, last] = [box.left, box.right].map((place) => across(area).invert(place).toISOString());
    setParameters({ where: `created >= '${first}' and created <= '${last}'` });
  };
  const changes = (drawn: readonly Drawn[]) => {
    const places = new Map(drawn.map((one) => [one.id, one.x]));
    return props.changes.flatMap((change) => {
      const place = places.get(change.id);
      return place === undefined ? [] : [{ change, place }];
    });
  };
  const size = (x: number) => (props.share ? (100 * x).toFixed(1) : plain(x));
  return (
    <Show when={points().length > 0} fallback={<p class="quiet">No experiment with a time has this score.</p>}>
      <PointChart
        project={props.project}
        label={`${props.score} over time`}
        points={points()}
        share={props.share}
        across={across}
        tick={(tick) => date(new Date(tick))}
        of={props.of}
        wide
        onDrag={keep}
        named={(drawn) => drawn.slice(-1)}
      >
        {(drawn, area) => (
          <>
            <For each={changes(drawn)}>
              {({ change, place }) => (
                <g class={change.worse ? "worse" : "better"}>
                  <line class="change-line" x1={place} x2={place} y2={area.height} />
                  <text class="change-label" x={place + 4} y={9}>
                    {change.worse ? "▼" : "▲"} {signed(change.delta, size)}
                  </text>
                </g>
              )}
            </For>
            <path class="series-line" d={`M${drawn.map((one) => `${round(one.x)} ${round(one.y)}`).join("L")}`} />
          </>
        )}
      </PointChart>
    </Show>
  );
}
