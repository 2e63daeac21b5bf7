import { scaleLinear, scaleUtc } from "d3-scale";
import { createMemo, createSignal, For, Show } from "solid-js";
import type { HistoryPoint, ScoreHistory } from "../api/types";
import { percent, plain, signed } from "../format/number";
import { date, time } from "../format/time";
import { setParameters, to } from "../router";
import { Chart, type Area } from "./Chart";

interface Props {
  project: string;
  score: string;
  points: readonly HistoryPoint[];
  changes: ScoreHistory["changes"];
}

/** A drag shorter than this is a click. */
const DRAG = 6;

/** A score over time, with intervals and where its mean changed. A drag keeps the experiments of that time. */
export function LineChart(props: Props) {
  const [drag, setDrag] = createSignal<[number, number]>();
  const known = createMemo(() => props.points.filter((point) => point.mean != null && point.created));
  const at = (point: HistoryPoint) => new Date(point.created!);
  const x = (area: Area) => {
    const times = known().map((point) => at(point).getTime());
    return scaleUtc()
      .domain([Math.min(...times), Math.max(...times)])
      .range([0, area.width]);
  };
  const y = (area: Area) => {
    const ends = known().flatMap((point) => [point.ci_low ?? point.mean!, point.ci_high ?? point.mean!]);
    return scaleLinear()
      .domain([Math.min(...ends), Math.max(...ends)])
      .nice(5)
      .range([area.height, 0]);
  };
  const write = (value: number) => (value >= 0 && value <= 1 ? percent(value, 1) : plain(value));
  const keep = (area: Area) => {
    const [from, until] = (drag() ?? [0, 0]).toSorted((a, b) => a - b);
    setDrag(undefined);
    if (until! - from! < DRAG) return;
    const [first, last] = [from!, until!].map((place) => x(area).invert(place).toISOString());
    setParameters({ where: `created >= '${first}' and created <= '${last}'` });
  };
  return (
    <Show when={known().length > 0} fallback={<p class="quiet">No experiment with a time has this score.</p>}>
      <Chart
        label={`${props.score} over time`}
        x={(area) =>
          x(area)
            .ticks(6)
            .map((tick) => ({ at: x(area)(tick), text: date(tick) }))
        }
        y={(area) =>
          y(area)
            .ticks(5)
            .map((tick) => ({ at: y(area)(tick), text: write(tick) }))
        }
      >
        {(area) => (
          <>
            <rect
              width={area.width}
              height={area.height}
              fill="transparent"
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                setDrag([event.offsetX - 56, event.offsetX - 56]);
              }}
              onPointerMove={(event) => drag() && setDrag([drag()![0], event.offsetX - 56])}
              onPointerUp={() => keep(area)}
            />
            <Show when={drag()}>
              {(ends) => (
                <rect
                  class="band"
                  x={Math.min(...ends())}
                  width={Math.abs(ends()[1] - ends()[0])}
                  height={area.height}
                  pointer-events="none"
                />
              )}
            </Show>
            <For each={props.changes.filter((change) => known().some((point) => point.id === change.id))}>
              {(change) => {
                const place = () => x(area)(at(known().find((point) => point.id === change.id)!));
                return (
                  <g class={change.worse ? "worse" : "better"}>
                    <line class="change-line" x1={place()} x2={place()} y2={area.height} />
                    <text class="tick" x={place() + 4} y={10}>
                      {change.worse ? "▼" : "▲"} {signed(change.delta, (size) => (100 * size).toFixed(1))}
                    </text>
                  </g>
                );
              }}
            </For>
            <path
              class="series-line"
              d={`M${known()
                .map((point) => `${x(area)(at(point))} ${y(area)(point.mean!)}`)
                .join("L")}`}
            />
            <For each={known()}>
              {/* Within a group the link is one of SVG, not of HTML. */}
              {(point, index) => (
                <g>
                  <a href={to.experiment(props.project, point.experiment)} class="series-0">
                    <title>{`${point.experiment}, ${time(point.created)}\n${write(point.mean!)} from ${write(point.ci_low ?? point.mean!)} to ${write(point.ci_high ?? point.mean!)}, ${point.n} cases`}</title>
                    <line
                      class="interval"
                      x1={x(area)(at(point))}
                      x2={x(area)(at(point))}
                      y1={y(area)(point.ci_low ?? point.mean!)}
                      y2={y(area)(point.ci_high ?? point.mean!)}
                    />
                    <circle
                      class="mark"
                      cx={x(area)(at(point))}
                      cy={y(area)(point.mean!)}
                      r={known().length > 60 ? 2 : 4}
                    />
                    <Show when={known().length <= 12 || index() === known().length - 1}>
                      <text class="mark-label" x={x(area)(at(point)) + 7} y={y(area)(point.mean!) - 6}>
                        {point.experiment}
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
