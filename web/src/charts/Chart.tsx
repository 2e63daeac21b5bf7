import { createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from "solid-js";
import { go } from "../router";
import "./Chart.css";

export interface Area {
  width: number;
  height: number;
}

interface Tick {
  at: number;
  text: string;
}

/** Something in a chart that tells of itself and opens. */
export interface Mark {
  x: number;
  y: number;
  /** All that it covers, where that is more than a point. */
  box?: Box;
  /** Lines that are shown while the pointer is near. */
  tells: readonly string[];
  open: () => void;
}

/** What was dragged over: from left to right, from top to bottom. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Props {
  label: string;
  x: (area: Area) => readonly Tick[];
  y: (area: Area) => readonly Tick[];
  xTitle?: string | undefined;
  marks: (area: Area) => readonly Mark[];
  /** A drag chooses what is in a box; with `wide` everything from its left to its right. */
  onDrag?: (box: Box, area: Area) => void;
  wide?: boolean;
  /** What the colours or shapes stand for. */
  legend?: readonly { name: string; sign: JSX.Element }[];
  children: (area: Area) => JSX.Element;
}

const HEIGHT = 210;
const MARGIN = { top: 12, right: 150, bottom: 36, left: 60 };
/** A drag shorter than this is a click. */
const DRAG = 6;
/** The pointer is near a mark within this many pixels. */
const NEAR = 24;
/** Entries of a legend that fit. */
const LEGEND = 9;
/** Width of a letter of a tick. */
const LETTER = 6.2;

/** How far a place is from a mark. */
function distance(
  { x, y, box = { left: x, right: x, top: y, bottom: y } }: Mark,
  [atX, atY]: readonly [number, number],
) {
  const beyond = (at: number, first: number, last: number) => Math.max(first - at, 0, at - last);
  return Math.hypot(beyond(atX, box.left, box.right), beyond(atY, box.top, box.bottom));
}

export const opens = (path: string) => () => go(path);

/** A drawing with axes, as wide as its place. The nearest mark tells of itself; a click opens it, a drag chooses. */
export function Chart(props: Props) {
  let box!: HTMLElement;
  const [width, setWidth] = createSignal(900);
  const [pointer, setPointer] = createSignal<readonly [number, number]>();
  const [start, setStart] = createSignal<readonly [number, number]>();
  onMount(() => {
    const watch = new ResizeObserver(() => setWidth(box.clientWidth));
    watch.observe(box);
    onCleanup(() => watch.disconnect());
  });
  const right = () => (width() < 620 ? 16 : MARGIN.right);
  const area = createMemo((): Area => ({
    width: Math.max(100, width() - MARGIN.left - right()),
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  }));
  const marks = createMemo(() => props.marks(area()));
  const near = createMemo(() => {
    const at = pointer();
    if (!at || start()) return undefined;
    let found: Mark | undefined;
    let least = NEAR;
    for (const mark of marks()) {
      const far = distance(mark, at);
      if (far < least) [found, least] = [mark, far];
    }
    return found;
  });
  const dragged = (): Box | undefined => {
    const [from, to] = [start(), pointer()];
    if (!from || !to || !props.onDrag) return undefined;
    const clamp = (x: number, most: number) => Math.min(Math.max(x, 0), most);
    const [left, other] = [from[0], to[0]].map((x) => clamp(x, area().width)).toSorted((a, b) => a - b);
    const [top, bottom] = [from[1], to[1]].map((y) => clamp(y, area().height)).toSorted((a, b) => a - b);
    return props.wide
      ? { left: left!, right: other!, top: 0, bottom: area().height }
      : { left: left!, right: other!, top: top!, bottom: bottom! };
  };
  const at = (event: PointerEvent): [number, number] => {
    const edge = box.getBoundingClientRect();
    return [event.clientX - edge.left - MARGIN.left, event.clientY - edge.top - MARGIN.top];
  };
  const up = () => {
    const chosen = dragged();
    setStart(undefined);
    if (chosen && chosen.right - chosen.left > DRAG) props.onDrag?.(chosen, area());
    else near()?.open();
  };
  /** Ticks that have room: every second, every third … */
  const xTicks = createMemo(() => {
    const all = props.x(area());
    const room = all.length > 1 ? Math.abs(all[1]!.at - all[0]!.at) : area().width;
    const letters = Math.max(6, Math.floor((0.95 * room) / LETTER));
    const cut = (text: string) => (text.length > letters && all.length > 1 ? `${text.slice(0, letters - 1)}…` : text);
    const each = Math.max(1, Math.ceil(40 / Math.max(room, 1)));
    return all
      .filter((_, index) => index % each === 0)
      .map((tick) => ({ ...tick, text: cut(tick.text), whole: tick.text }));
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
          <For each={xTicks()}>
            {(tick) => (
              <text class="tick" x={tick.at} y={area().height + 16} text-anchor="middle">
                {tick.text}
                <title>{tick.whole}</title>
              </text>
            )}
          </For>
          <text class="tick" x={area().width} y={area().height + 31} text-anchor="end">
            {props.xTitle}
          </text>
          {props.children(area())}
          <Show when={near()}>{(mark) => <circle class="near" cx={mark().x} cy={mark().y} r="8" />}</Show>
          <Show when={dragged()}>
            {(of) => (
              <rect
                class="band"
                x={of().left}
                y={of().top}
                width={of().right - of().left}
                height={of().bottom - of().top}
              />
            )}
          </Show>
          <rect
            class="sensor"
            classList={{ pointing: near() !== undefined }}
            x={-4}
            y={-MARGIN.top}
            width={area().width + 8}
            height={area().height + MARGIN.top + 4}
            onPointerDown={(event) => {
              if (event.button !== 0) return;
              event.currentTarget.setPointerCapture(event.pointerId);
              setPointer(at(event));
              if (props.onDrag) setStart(at(event));
            }}
            onPointerMove={(event) => setPointer(at(event))}
            onPointerUp={up}
            onPointerLeave={() => setPointer(undefined)}
          />
          <Show when={right() > 100}>
            <For each={(props.legend ?? []).slice(0, LEGEND)}>
              {(entry, index) => (
                <g transform={`translate(${area().width + 16} ${6 + index() * 17})`}>
                  {entry.sign}
                  <text class="mark-label" x="12" y="4">
                    {entry.name.length > 20 ? `${entry.name.slice(0, 19)}…` : entry.name}
                    <title>{entry.name}</title>
                  </text>
                </g>
              )}
            </For>
            <Show when={(props.legend?.length ?? 0) > LEGEND}>
              <text class="tick" x={area().width + 16} y={10 + LEGEND * 17}>
                and {props.legend!.length - LEGEND} more
              </text>
            </Show>
          </Show>
        </g>
      </svg>
      <Show when={near()}>
        {(mark) => (
          <div
            class="tip"
            classList={{ left: mark().x > area().width * 0.6 }}
            style={{ left: `${MARGIN.left + mark().x}px`, top: `${MARGIN.top + mark().y}px` }}
          >
            <For each={mark().tells}>{(line, index) => <div classList={{ quiet: index() > 0 }}>{line}</div>}</For>
          </div>
        )}
      </Show>
    </figure>
  );
}
