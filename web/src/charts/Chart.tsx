import { createSignal, For, onCleanup, onMount, type JSX } from "solid-js";
import "./Chart.css";

export interface Area {
  width: number;
  height: number;
}

interface Tick {
  at: number;
  text: string;
}

interface Props {
  label: string;
  x: (area: Area) => readonly Tick[];
  y: (area: Area) => readonly Tick[];
  xTitle?: string | undefined;
  children: (area: Area) => JSX.Element;
}

const HEIGHT = 200;
const MARGIN = { top: 10, right: 140, bottom: 34, left: 56 };

/** A drawing with axes, as wide as its place. */
export function Chart(props: Props) {
  let box!: HTMLElement;
  const [width, setWidth] = createSignal(900);
  onMount(() => {
    const watch = new ResizeObserver(() => setWidth(box.clientWidth));
    watch.observe(box);
    onCleanup(() => watch.disconnect());
  });
  const area = (): Area => ({
    width: Math.max(100, width() - MARGIN.left - MARGIN.right),
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  });
  return (
    <figure class="chart" ref={box}>
      <svg width={width()} height={HEIGHT} role="group" aria-label={props.label}>
        <g transform={`translate(${MARGIN.left} ${MARGIN.top})`}>
          <For each={props.y(area())}>
            {(tick) => (
              <>
                <line class="gridline" x2={area().width} y1={tick.at} y2={tick.at} />
                <text class="tick" x={-8} y={tick.at + 4} text-anchor="end">
                  {tick.text}
                </text>
              </>
            )}
          </For>
          <For each={props.x(area())}>
            {(tick) => (
              <text class="tick" x={tick.at} y={area().height + 16} text-anchor="middle">
                {tick.text}
              </text>
            )}
          </For>
          <text class="tick" x={area().width} y={area().height + 30} text-anchor="end">
            {props.xTitle}
          </text>
          {props.children(area())}
        </g>
      </svg>
    </figure>
  );
}
