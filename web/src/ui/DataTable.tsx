import { createVirtualizer } from "@tanstack/solid-virtual";
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type JSX } from "solid-js";
import { preview } from "../format/value";
import "./DataTable.css";

export interface Column<Row> {
  name: string;
  width: number;
  header: () => JSX.Element;
  cell: (row: Row, index: number) => JSX.Element;
  number?: boolean;
  sorted?: "ascending" | "descending" | undefined;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** Rows that are not here yet are undefined. */
  rows: readonly (Row | undefined)[];
  rowHeight: number;
  /** Height of a line in a row of several lines; the row's without. */
  lineHeight?: number;
  /** Texts go over several lines. */
  wrap?: boolean;
  /** Columns at the left that stay in place; the first without. */
  frozen?: number;
  /** The row that the keys act on. */
  cursor?: number;
  onOpen?: (row: Row, index: number) => void;
  /** What the row is called by a screen reader's list and the tests. */
  rowId: (row: Row) => string;
  onResize?: (name: string, width: number) => void;
  /** A column was dragged to the place of another. */
  onMove?: (name: string, to: string) => void;
  /** These rows are in sight. */
  onSight?: (first: number, last: number) => void;
  stale?: boolean;
}

const NARROWEST = 48;
/** Rows beyond the edges that are drawn already. */
const OVERSCAN = 12;
/** Pixels beyond the edges in which columns are drawn already. */
const BESIDE = 400;

/** A column where it stands. */
interface Placed<Row> {
  column: Column<Row>;
  index: number;
  /** Left edge of a frozen column, which stays there. */
  left: number | undefined;
  /** It is the first after the frozen ones that is drawn: the columns between are empty space before it. */
  follows: boolean;
}

/**
 * A table of any length and width: only the cells in sight are there. The header stays in place, and so do the
 * frozen columns.
 */
export function DataTable<Row>(props: Props<Row>) {
  let scroller!: HTMLDivElement;
  let head!: HTMLDivElement;
  const [sight, setSight] = createSignal<readonly [number, number]>([0, 2_000]);
  const virtual = createVirtualizer({
    get count() {
      return props.rows.length;
    },
    getScrollElement: () => scroller,
    estimateSize: () => props.rowHeight,
    overscan: OVERSCAN,
    // The header covers the top of what scrolls.
    get scrollPaddingEnd() {
      return head?.offsetHeight ?? 0;
    },
  });
  createEffect(
    on(
      () => props.rowHeight,
      () => virtual.measure(),
      { defer: true },
    ),
  );
  createEffect(() => {
    const cursor = props.cursor;
    if (cursor !== undefined && cursor >= 0) virtual.scrollToIndex(cursor);
  });
  createEffect(() => {
    const items = virtual.getVirtualItems();
    const [first, last] = [items[0], items.at(-1)];
    if (first && last) props.onSight?.(first.index, last.index);
  });

  const look = () => {
    // In steps, so that scrolling sideways does not place the columns anew for every pixel.
    const step = (x: number) => Math.round(x / 100) * 100;
    const next = [
      step(scroller.scrollLeft) - BESIDE,
      step(scroller.scrollLeft + scroller.clientWidth) + BESIDE,
    ] as const;
    setSight((now) => (now[0] === next[0] && now[1] === next[1] ? now : next));
  };
  onMount(() => {
    const watch = new ResizeObserver(look);
    watch.observe(scroller);
    onCleanup(() => watch.disconnect());
  });

  const edges = createMemo(() => {
    let at = 0;
    return props.columns.map((column) => (at += column.width) - column.width);
  });
  const width = createMemo(() => props.columns.reduce((sum, column) => sum + column.width, 0));
  const frozen = () => Math.min(props.frozen ?? 1, props.columns.length);
  const range = createMemo(
    () => {
      const [from, until] = sight();
      const at = edges();
      let first = frozen();
      while (first < at.length && at[first]! + props.columns[first]!.width < from) first++;
      let last = first;
      while (last < at.length && at[last]! < until) last++;
      return [first, last] as const;
    },
    [0, 0] as const,
    { equals: (a, b) => a[0] === b[0] && a[1] === b[1] },
  );
  const placed = createMemo((before: readonly Placed<Row>[]): Placed<Row>[] => {
    const known = new Map(before.map((one) => [one.column, one]));
    const place = (index: number): Placed<Row> => {
      const column = props.columns[index]!;
      const next = {
        column,
        index,
        left: index < frozen() ? edges()[index] : undefined,
        follows: index === range()[0],
      };
      const same = known.get(column);
      // The same object keeps the cells that are drawn.
      return same && same.index === index && same.left === next.left && same.follows === next.follows ? same : next;
    };
    const [first, last] = range();
    return [...upTo(0, frozen()), ...upTo(first, last)].map(place);
  }, []);
  createEffect(() => {
    const first = range()[0];
    const before = (edges()[first] ?? width()) - (edges()[frozen()] ?? width());
    const tracks = placed().map((at) => `${at.column.width + (at.follows ? before : 0)}px`);
    scroller.style.setProperty("--columns", tracks.join(" "));
    scroller.style.setProperty("--before", `${before}px`);
    scroller.style.setProperty("--width", `${width()}px`);
    scroller.style.setProperty("--row", `${props.rowHeight}px`);
    scroller.style.setProperty("--cell-line", `${props.lineHeight ?? props.rowHeight}px`);
  });

  const [dragged, setDragged] = createSignal<string>();
  const drop = (event: DragEvent, to: string) => {
    event.preventDefault();
    const from = dragged();
    setDragged(undefined);
    if (from !== undefined && from !== to) props.onMove?.(from, to);
  };
  const style = (at: Placed<Row>) => (at.left === undefined ? {} : { left: `${at.left}px` });
  const opens = (event: MouseEvent) => !(event.target as Element).closest("a, button, input, label, select");
  return (
    <div
      ref={scroller}
      class="table"
      classList={{ stale: props.stale, wrap: props.wrap }}
      role="grid"
      tabindex="0"
      aria-label={props.label}
      aria-rowcount={props.rows.length + 1}
      aria-colcount={props.columns.length}
      aria-busy={props.stale || props.columns.length === 0}
      onScroll={look}
    >
      <div class="table-head" role={props.columns.length > 0 ? "row" : "presentation"} aria-rowindex={1} ref={head}>
        <For each={placed()}>
          {(at) => (
            <div
              role="columnheader"
              aria-colindex={at.index + 1}
              aria-sort={at.column.sorted}
              classList={{
                number: at.column.number,
                frozen: at.left !== undefined,
                follows: at.follows,
                dragged: dragged() === at.column.name,
              }}
              style={style(at)}
              draggable={props.onMove !== undefined}
              onDragStart={() => setDragged(at.column.name)}
              onDragEnd={() => setDragged(undefined)}
              onDragOver={(event) => dragged() !== undefined && event.preventDefault()}
              onDrop={(event) => drop(event, at.column.name)}
            >
              {at.column.header()}
              <Show when={props.onResize}>
                <Handle
                  column={at.column}
                  resize={(to) => props.onResize!(at.column.name, Math.max(NARROWEST, Math.round(to)))}
                />
              </Show>
            </div>
          )}
        </For>
      </div>
      <div class="table-body" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
        <For each={virtual.getVirtualItems()}>
          {(item) => (
            <Show
              when={props.rows[item.index]}
              keyed
              fallback={
                <div
                  class="table-row waiting"
                  role="presentation"
                  style={{ transform: `translateY(${item.start}px)` }}
                />
              }
            >
              {(row) => (
                <div
                  class="table-row"
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={props.cursor === item.index}
                  data-id={props.rowId(row)}
                  style={{ transform: `translateY(${item.start}px)` }}
                  onClick={(event) => opens(event) && props.onOpen?.(row, item.index)}
                >
                  <For each={placed()}>
                    {(at) => (
                      <div
                        role="gridcell"
                        aria-colindex={at.index + 1}
                        classList={{ number: at.column.number, frozen: at.left !== undefined, follows: at.follows }}
                        style={style(at)}
                      >
                        {at.column.cell(row, item.index)}
                      </div>
                    )}
                  </For>
                </div>
              )}
            </Show>
          )}
        </For>
      </div>
    </div>
  );
}

const upTo = (from: number, until: number) => Array.from({ length: Math.max(0, until - from) }, (_, at) => from + at);

/** The edge of a column, to be dragged. */
function Handle<Row>(props: { column: Column<Row>; resize: (width: number) => void }) {
  const drag = (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const edge = event.currentTarget as HTMLElement;
    const [from, width] = [event.clientX, props.column.width];
    edge.setPointerCapture(event.pointerId);
    edge.onpointermove = (move) => props.resize(width + move.clientX - from);
    edge.onpointerup = (up) => {
      edge.onpointermove = null;
      props.resize(width + up.clientX - from);
    };
  };
  return (
    <span
      class="handle"
      draggable={true}
      onDragStart={(event) => (event.preventDefault(), event.stopPropagation())}
      onPointerDown={drag}
      onClick={(event) => event.stopPropagation()}
    />
  );
}

/** A stored value in a cell: its beginning, cut with a mark where it is longer. */
export function valueOf(value: unknown): JSX.Element {
  return (
    <span class={value == null ? "cut mono quiet" : "cut mono"} title={preview(value, 1200)} dir="auto">
      {preview(value)}
    </span>
  );
}

/** The same, where the value may change. */
export const ValueCell = (props: { value: unknown }) => <>{valueOf(props.value)}</>;
