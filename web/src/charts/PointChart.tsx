import { createMemo, For, Show, type JSX } from "solid-js";
import { mean } from "../format/number";
import { to } from "../router";
import { Chart, opens, type Area, type Box } from "./Chart";
import { round, upwards } from "./scales";
import { labels, series, shape } from "./shapes";

/** An experiment in a chart: the mean of a score with its interval, at some place across. */
export interface Point {
  id: string;
  experiment: string;
  across: number;
  mean: number;
  low: number | null;
  high: number | null;
  /** What is told besides its name and its mean. */
  tells: readonly string[];
  /** It stands out. */
  large?: boolean;
}

/** A point at its place in the drawing. */
export interface Drawn extends Point {
  kind: number;
  x: number;
  y: number;
  bottom: number;
  top: number;
}

/** Marks of experiments are told apart by what they stand for. */
export interface Kinds {
  kind: (id: string) => string | undefined;
  kinds: readonly string[];
}

interface Axis {
  (value: number): number;
  ticks: (count: number) => readonly (number | Date)[];
}

/** More marks than this are one drawing, without a link each. */
const LINKED = 100;
/** So many experiments can all have their names beside them. */
const NAMED = 12;

/** Means with their intervals, each a mark that opens its experiment. */
export function PointChart(props: {
  project: string;
  label: string;
  points: readonly Point[];
  /** Whether the score is a share of one, and written as percent. */
  share: boolean;
  across: (area: Area) => Axis;
  tick: (value: number | Date) => string;
  title?: string;
  of: Kinds;
  wide?: boolean;
  onDrag: (box: Box, drawn: readonly Drawn[], area: Area) => void;
  /** Those that have their names beside them before all others. */
  named: (drawn: readonly Drawn[]) => readonly Drawn[];
  /** What is drawn beneath the marks. */
  children: (drawn: readonly Drawn[], area: Area) => JSX.Element;
}) {
  const write = (value: number) => mean(value, props.share);
  const up = (area: Area) =>
    upwards(
      props.points.flatMap((point) => [point.low ?? point.mean, point.mean, point.high ?? point.mean]),
      area.height,
    );
  const place = (area: Area): Drawn[] => {
    const [x, y] = [props.across(area), up(area)];
    return props.points.map((point) => ({
      ...point,
      kind: Math.max(0, props.of.kinds.indexOf(props.of.kind(point.id) ?? "")),
      x: x(point.across),
      y: y(point.mean),
      bottom: y(point.low ?? point.mean),
      top: y(point.high ?? point.mean),
    }));
  };
  const tells = (point: Point) => [
    point.experiment,
    `${write(point.mean)} from ${write(point.low ?? point.mean)} to ${write(point.high ?? point.mean)}`,
    ...point.tells,
    ...(props.of.kinds.length > 0 ? [props.of.kind(point.id) ?? "–"] : []),
  ];
  const path = (point: Point) => to.experiment(props.project, point.experiment);
  return (
    <Chart
      label={props.label}
      x={(area) => {
        const scale = props.across(area);
        return scale.ticks(6).map((tick) => ({ at: scale(Number(tick)), text: props.tick(tick) }));
      }}
      y={(area) => {
        const scale = up(area);
        return scale.ticks(5).map((tick) => ({ at: scale(tick), text: write(tick) }));
      }}
      xTitle={props.title}
      marks={(area) => place(area).map((one) => ({ x: one.x, y: one.y, tells: tells(one), open: opens(path(one)) }))}
      wide={props.wide ?? false}
      onDrag={(box, area) => props.onDrag(box, place(area), area)}
      legend={props.of.kinds.map((name, kind) => ({
        name,
        sign: <path class={`mark ${series(kind)}`} d={shape(kind)} />,
      }))}
    >
      {(area) => {
        const drawn = createMemo(() => place(area));
        const named = createMemo(() => {
          const first = props.named(drawn());
          const others = drawn().length <= NAMED ? drawn().filter((one) => !first.includes(one)) : [];
          const wanted = [...first, ...others];
          return labels(
            wanted.map((one) => ({ x: one.x, y: one.y - 7, text: one.experiment })),
            area.width,
          );
        });
        return (
          <>
            {props.children(drawn(), area)}
            <path
              class="intervals"
              d={drawn()
                .map((one) => `M${round(one.x)} ${round(one.bottom)}V${round(one.top)}`)
                .join("")}
            />
            <Show when={drawn().length <= LINKED} fallback={<Dots drawn={drawn()} />}>
              <For each={drawn()}>
                {/* Within a group the link is one of SVG, not of HTML. */}
                {(one) => (
                  <g>
                    <a href={path(one)} aria-label={tells(one).join(", ")}>
                      <path
                        class={`mark ${series(one.kind)}`}
                        d={shape(one.kind)}
                        transform={`translate(${one.x} ${one.y})${one.large ? " scale(1.4)" : ""}`}
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
  );
}

const dot = (x: number, y: number, r: number) =>
  `M${round(x) - r} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 -${2 * r} 0`;

/** Marks of one kind as one drawing. */
function Dots(props: { drawn: readonly Drawn[] }) {
  const kinds = createMemo(() => [...Map.groupBy(props.drawn, (one) => one.kind)]);
  return (
    <For each={kinds()}>
      {([kind, all]) => (
        <path class={`mark ${series(kind)}`} d={all.map((one) => dot(one.x, one.y, one.large ? 4 : 2)).join("")} />
      )}
    </For>
  );
}
