import { scaleBand, scaleLinear } from "d3-scale";
import { For, Show } from "solid-js";
import { percent, plain } from "../format/number";
import { Chart, type Area } from "./Chart";

export interface Bar {
  label: string;
  value: number | null;
  low: number | null;
  high: number | null;
  n: number;
}

/** Bars from zero with their intervals, one colour an experiment. */
export function BarChart(props: { groups: readonly { name: string; bars: readonly Bar[] }[] }) {
  const outer = (area: Area) =>
    scaleBand<string>()
      .domain(props.groups.map((group) => group.name))
      .range([0, area.width])
      .padding(0.2);
  const inner = (area: Area) =>
    scaleBand<number>()
      .domain((props.groups[0]?.bars ?? []).map((_, index) => index))
      .range([0, outer(area).bandwidth()])
      .padding(0.12);
  const highest = () =>
    Math.max(0, ...props.groups.flatMap((group) => group.bars.map((bar) => bar.high ?? bar.value ?? 0)));
  const isShare = () => highest() <= 1;
  const y = (area: Area) =>
    scaleLinear()
      .domain([0, isShare() ? 1 : highest()])
      .range([area.height, 0]);
  const write = (value: number) => (isShare() ? percent(value, 0) : plain(value));
  return (
    <Chart
      label="Scores of the experiments"
      x={(area) =>
        props.groups.map((group) => ({ at: outer(area)(group.name)! + outer(area).bandwidth() / 2, text: group.name }))
      }
      y={(area) =>
        y(area)
          .ticks(5)
          .map((tick) => ({ at: y(area)(tick), text: write(tick) }))
      }
    >
      {(area) => (
        <>
          <For each={props.groups}>
            {(group) => (
              <For each={group.bars}>
                {(bar, index) => {
                  const left = () => outer(area)(group.name)! + inner(area)(index())!;
                  const middle = () => left() + inner(area).bandwidth() / 2;
                  return (
                    <Show when={bar.value != null}>
                      <g class={`series-${index() % 6}`}>
                        <rect
                          class="mark"
                          x={left()}
                          width={inner(area).bandwidth()}
                          y={y(area)(bar.value!)}
                          height={area.height - y(area)(bar.value!)}
                        >
                          <title>{`${bar.label}, ${group.name}: ${percent(bar.value)}, from ${percent(bar.low)} to ${percent(bar.high)}, ${bar.n} cases`}</title>
                        </rect>
                        <Show when={bar.low != null && bar.high != null}>
                          <line
                            class="interval bar-interval"
                            x1={middle()}
                            x2={middle()}
                            y1={y(area)(bar.low!)}
                            y2={y(area)(bar.high!)}
                          />
                        </Show>
                      </g>
                    </Show>
                  );
                }}
              </For>
            )}
          </For>
          <For each={props.groups[0]?.bars ?? []}>
            {(bar, index) => (
              <g class={`series-${index() % 6}`} transform={`translate(${area.width + 10} ${8 + index() * 16})`}>
                <rect class="mark" width="10" height="10" y="-9" />
                <text class="mark-label" x="14">
                  {bar.label}
                </text>
              </g>
            )}
          </For>
        </>
      )}
    </Chart>
  );
}
