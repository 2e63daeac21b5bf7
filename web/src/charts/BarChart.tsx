import { scaleBand, scaleLinear } from "d3-scale";
import { createMemo, For, Show } from "solid-js";
import { mean } from "../format/number";
import { Chart, type Area, type Box } from "./Chart";
import { least, most } from "./scales";
import { series } from "./shapes";

export interface Bar {
  /** The experiment, or what several have in common. */
  label: string;
  value: number | null;
  low: number | null;
  high: number | null;
  /** What the value is over: `200 cases`. */
  over?: string;
  /** Experiments that it stands for. */
  ids?: readonly string[];
  open: () => void;
}

export interface BarGroup {
  name: string;
  bars: readonly Bar[];
}

/** Bars from zero with their intervals, one colour a series. A drag keeps the experiments of the bars in it. */
export function BarChart(props: {
  label: string;
  groups: readonly BarGroup[];
  /** Whether all values are shares of one, and written as percent. */
  share: boolean;
  keep?: (ids: readonly string[]) => void;
}) {
  const outer = (area: Area) =>
    scaleBand<string>()
      .domain(props.groups.map((group) => group.name))
      .range([0, area.width])
      .padding(0.2);
  const names = createMemo(() => [...new Set(props.groups.flatMap((group) => group.bars.map((bar) => bar.label)))]);
  const ends = createMemo(() => {
    const values = props.groups.flatMap((group) => group.bars.flatMap((bar) => [bar.value, bar.high, bar.low]));
    const known = values.filter((value) => value != null);
    const [low, high] = [Math.min(0, least(known)), Math.max(0, most(known))];
    return [low, props.share ? Math.max(1, high) : high === low ? 1 : high] as const;
  });
  const y = (area: Area) => scaleLinear().domain(ends()).range([area.height, 0]);
  const write = (value: number | null) => mean(value, props.share);
  const drawn = (area: Area) => {
    const [groups, scale] = [outer(area), y(area)];
    const inner = scaleBand<string>().domain(names()).range([0, groups.bandwidth()]).padding(0.12);
    return props.groups.flatMap((group) =>
      group.bars.flatMap((bar) => {
        if (bar.value == null) return [];
        const left = groups(group.name)! + inner(bar.label)!;
        const [top, bottom] = [scale(Math.max(0, bar.value)), scale(Math.min(0, bar.value))];
        return [
          { group, bar, kind: names().indexOf(bar.label), left, width: inner.bandwidth(), top, height: bottom - top },
        ];
      }),
    );
  };
  const tells = (group: BarGroup, bar: Bar) => [
    bar.label === group.name ? bar.label : `${bar.label}: ${group.name}`,
    bar.low == null ? write(bar.value) : `${write(bar.value)} from ${write(bar.low)} to ${write(bar.high)}`,
    ...(bar.over === undefined ? [] : [bar.over]),
  ];
  const keep = (box: Box, area: Area) => {
    const inside = drawn(area).filter((one) => one.left + one.width > box.left && one.left < box.right);
    const ids = new Set(inside.flatMap((one) => one.bar.ids ?? []));
    if (ids.size > 0) props.keep?.([...ids]);
  };
  return (
    <Show when={props.groups.length > 0} fallback={<p class="quiet">There is nothing to draw.</p>}>
      <Chart
        label={props.label}
        x={(area) => {
          const bands = outer(area);
          return props.groups.map((group) => ({ at: bands(group.name)! + bands.bandwidth() / 2, text: group.name }));
        }}
        y={(area) => {
          const scale = y(area);
          return scale.ticks(5).map((tick) => ({ at: scale(tick), text: write(tick) }));
        }}
        marks={(area) =>
          drawn(area).map((one) => ({
            x: one.left + one.width / 2,
            y: one.top + Math.min(one.height / 2, 12),
            box: { left: one.left, right: one.left + one.width, top: one.top, bottom: one.top + one.height },
            tells: tells(one.group, one.bar),
            open: one.bar.open,
          }))
        }
        wide
        {...(props.keep ? { onDrag: keep } : {})}
        legend={
          names().length > 1
            ? names().map((name, kind) => ({
                name,
                sign: <rect class={`mark ${series(kind)}`} x="-5" y="-5" width="10" height="10" />,
              }))
            : []
        }
      >
        {(area) => (
          <>
            <line class="zero" x2={area.width} y1={y(area)(0)} y2={y(area)(0)} />
            <For each={drawn(area)}>
              {(one) => (
                <g class={series(one.kind)}>
                  <rect class="mark" x={one.left} width={one.width} y={one.top} height={one.height}>
                    <title>{tells(one.group, one.bar).join(", ")}</title>
                  </rect>
                  <Show when={one.bar.low != null && one.bar.high != null}>
                    <line
                      class="bar-interval"
                      x1={one.left + one.width / 2}
                      x2={one.left + one.width / 2}
                      y1={y(area)(one.bar.low!)}
                      y2={y(area)(one.bar.high!)}
                    />
                  </Show>
                </g>
              )}
            </For>
          </>
        )}
      </Chart>
    </Show>
  );
}
