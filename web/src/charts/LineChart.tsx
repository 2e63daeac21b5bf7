import { scaleLinear, scaleUtc } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import type { HistoryPoint, ScoreHistory } from "../api/types";
import { percent, plain, signed } from "../format/number";
import { date, time } from "../format/time";
import { setParameters, to } from "../router";
import { Chart, opens, type Area, type Box } from "./Chart";
import { labels, series, shape } from "./shapes";

interface Props {
  project: string;
  score: string;
  points: readonly HistoryPoint[];
  changes: ScoreHistory["changes"];
  /** What an experiment's mark stands for, and all that there are. */
  kind: (id: string) => string | undefined;
  kinds: readonly string[];
}

/** More marks than this are one drawing, without a link each. */
const LINKED = 60;

/** A score over time, with intervals and where its mean changed. A drag keeps the experiments of that time. */
export function LineChart(props: Props) {
  const known = createMemo(() => props.points.filter((point) => point.mean != null && point.created));
  const at = (point: HistoryPoint) => new Date(point.created!).getTime();
  const x = createMemo(() => {
    const times = known().map(at);
    const [first, last] = [least(times), most(times)];
    return first === last ? scaleUtc().domain([first - 1, last + 1]) : scaleUtc().domain([first, last]);
  });
  const y = createMemo(() => {
    const low = least(known().map((point) => point.ci_low ?? point.mean!));
    const high = most(known().map((point) => point.ci_high ?? point.mean!));
    return scaleLinear()
      .domain(low === high ? [low - 0.5, high + 0.5] : [low, high])
      .nice(5);
  });
  const xAt = (area: Area) => x().copy().range([0, area.width]);
  const yAt = (area: Area) => y().copy().range([area.height, 0]);
  const write = (value: number) => (value >= 0 && value <= 1 ? percent(value, 1) : plain(value));
  const drawn = (area: Area) => {
    const [toX, toY] = [xAt(area), yAt(area)];
    return known().map((point) => ({
      point,
      kind: Math.max(0, props.kinds.indexOf(props.kind(point.id) ?? "")),
      x: toX(at(point)),
      y: toY(point.mean!),
      low: toY(point.ci_low ?? point.mean!),
      high: toY(point.ci_high ?? point.mean!),
    }));
  };
  const tells = (point: HistoryPoint) => [
    point.experiment,
    time(point.created),
    `${write(point.mean!)} from ${write(point.ci_low ?? point.mean!)} to ${write(point.ci_high ?? point.mean!)}, ${point.n} cases`,
    ...(props.kinds.length > 0 ? [props.kind(point.id) ?? "–"] : []),
  ];
  const keep = (box: Box, area: Area) => {
    const [first, last] = [box.left, box.right].map((place) => xAt(area).invert(place).toISOString());
    setParameters({ where: `created >= '${first}' and created <= '${last}'` });
  };
  return (
    <Show when={known().length > 0} fallback={<p class="quiet">No experiment with a time has this score.</p>}>
      <Chart
        label={`${props.score} over time`}
        x={(area) => {
          const scale = xAt(area);
          return scale.ticks(6).map((tick) => ({ at: scale(tick), text: date(tick) }));
        }}
        y={(area) => {
          const scale = yAt(area);
          return scale.ticks(5).map((tick) => ({ at: scale(tick), text: write(tick) }));
        }}
        marks={(area) =>
          drawn(area).map((one) => ({
            x: one.x,
            y: one.y,
            tells: tells(one.point),
            open: opens(to.experiment(props.project, one.point.experiment)),
          }))
        }
        wide
        onDrag={keep}
        legend={props.kinds.map((name, kind) => ({
          name,
          sign: <path class={`mark ${series(kind)}`} d={shape(kind)} />,
        }))}
      >
        {(area) => {
          const all = createMemo(() => drawn(area));
          const changes = createMemo(() => {
            const places = new Map(all().map((one) => [one.point.id, one.x]));
            return props.changes.flatMap((change) => {
              const place = places.get(change.id);
              return place === undefined ? [] : [{ change, place }];
            });
          });
          const named = createMemo(() => {
            const wanted = all().length <= 12 ? all() : all().slice(-1);
            return labels(
              wanted.map((one) => ({ x: one.x, y: one.y - 8, text: one.point.experiment, of: one })),
              area.width,
            );
          });
          return (
            <>
              <For each={changes()}>
                {({ change, place }) => (
                  <g class={change.worse ? "worse" : "better"}>
                    <line class="change-line" x1={place} x2={place} y2={area.height} />
                    <text class="change-label" x={place + 4} y={9}>
                      {change.worse ? "▼" : "▲"} {signed(change.delta, (size) => (100 * size).toFixed(1))}
                    </text>
                  </g>
                )}
              </For>
              <path
                class="series-line"
                d={`M${all()
                  .map((one) => `${round(one.x)} ${round(one.y)}`)
                  .join("L")}`}
              />
              <path
                class="intervals"
                d={all()
                  .map((one) => `M${round(one.x)} ${round(one.low)}V${round(one.high)}`)
                  .join("")}
              />
              <Show
                when={all().length <= LINKED}
                fallback={
                  <For each={props.kinds.length > 0 ? props.kinds : [""]}>
                    {(_, kind) => (
                      <path
                        class={`mark ${series(kind())}`}
                        d={all()
                          .filter((one) => one.kind === kind())
                          .map((one) => dot(one.x, one.y))
                          .join("")}
                      />
                    )}
                  </For>
                }
              >
                <For each={all()}>
                  {/* Within a group the link is one of SVG, not of HTML. */}
                  {(one) => (
                    <g>
                      <a
                        href={to.experiment(props.project, one.point.experiment)}
                        aria-label={tells(one.point).join(", ")}
                      >
                        <path
                          class={`mark ${series(one.kind)}`}
                          d={shape(one.kind)}
                          transform={`translate(${one.x} ${one.y})`}
                        />
                      </a>
                    </g>
                  )}
                </For>
              </Show>
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

const round = (x: number) => Math.round(x * 10) / 10;

const dot = (x: number, y: number) => `M${round(x) - 2} ${round(y)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;

/** Without spreading: there may be more values than a call takes. */
export const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
export const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
