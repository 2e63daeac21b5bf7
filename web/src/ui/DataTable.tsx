import { createVirtualizer } from "@tanstack/solid-virtual";
import { createEffect, For, on, Show, type JSX } from "solid-js";
import { preview } from "../format/value";
import "./DataTable.css";

export interface Column<Row> {
  name: string;
  width: number;
  header: () => JSX.Element;
  cell: (row: Row) => JSX.Element;
  number?: boolean;
  sorted?: "ascending" | "descending" | undefined;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowHeight: number;
  /** Rows in all, where not all are here yet. */
  total?: number;
  /** The row that the keys act on. */
  cursor?: number;
  onOpen?: (row: Row, index: number) => void;
  /** What the row is called by a screen reader's list and the tests. */
  rowId: (row: Row) => string;
  onResize?: (name: string, width: number) => void;
  /** The last row that is here came into sight. */
  onEnd?: () => void;
  stale?: boolean;
}

const NARROWEST = 48;

/** A table of any length: only the rows in sight are there. The header and the first column stay in place. */
export function DataTable<Row>(props: Props<Row>) {
  let scroller!: HTMLDivElement;
  const virtual = createVirtualizer({
    get count() {
      return props.rows.length;
    },
    getScrollElement: () => scroller,
    estimateSize: () => props.rowHeight,
    overscan: 12,
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
    const last = virtual.getVirtualItems().at(-1);
    if (last && last.index >= props.rows.length - 1 && props.rows.length < (props.total ?? 0)) props.onEnd?.();
  });
  const width = () => props.columns.reduce((sum, column) => sum + column.width, 0);
  createEffect(() => {
    scroller.style.setProperty("--columns", props.columns.map((column) => `${column.width}px`).join(" "));
    scroller.style.setProperty("--width", `${width()}px`);
    scroller.style.setProperty("--row", `${props.rowHeight}px`);
  });
  return (
    <div
      ref={scroller}
      class="table"
      classList={{ stale: props.stale }}
      role="grid"
      tabindex="0"
      aria-label={props.label}
      aria-rowcount={(props.total ?? props.rows.length) + 1}
      aria-colcount={props.columns.length}
      aria-busy={props.stale}
    >
      <div class="table-head" role="row" aria-rowindex={1}>
        <For each={props.columns}>
          {(column) => (
            <div role="columnheader" aria-sort={column.sorted} classList={{ number: column.number }}>
              {column.header()}
              <Show when={props.onResize}>
                <Handle
                  column={column}
                  resize={(to) => props.onResize!(column.name, Math.max(NARROWEST, Math.round(to)))}
                />
              </Show>
            </div>
          )}
        </For>
      </div>
      <div class="table-body" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
        <For each={virtual.getVirtualItems()}>
          {(item) => (
            <Show when={props.rows[item.index]} keyed>
              {(row) => (
                <div
                  class="table-row"
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={props.cursor === item.index}
                  data-id={props.rowId(row)}
                  style={{ transform: `translateY(${item.start}px)` }}
                  onClick={(event) =>
                    !(event.target as Element).closest("a, button, input, label") && props.onOpen?.(row, item.index)
                  }
                >
                  <For each={props.columns}>
                    {(column) => (
                      <div role="gridcell" classList={{ number: column.number }}>
                        {column.cell(row)}
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

/** The edge of a column, to be dragged. */
function Handle<Row>(props: { column: Column<Row>; resize: (width: number) => void }) {
  const drag = (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const edge = event.currentTarget as HTMLElement;
    const [from, width] = [event.clientX, props.column.width];
    edge.setPointerCapture(event.pointerId);
    edge.onpointermove = (move) => props.resize(width + move.clientX - from);
    edge.onpointerup = () => (edge.onpointermove = null);
  };
  return <span class="handle" onPointerDown={drag} onClick={(event) => event.stopPropagation()} />;
}

/** A stored value in a cell: its beginning, cut with a mark where it is longer. */
export function ValueCell(props: { value: unknown }) {
  return (
    <span class="cut mono" classList={{ quiet: props.value == null }} title={preview(props.value, 1200)} dir="auto">
      {preview(props.value)}
    </span>
  );
}
