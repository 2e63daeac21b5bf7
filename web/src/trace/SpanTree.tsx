import { createMemo, For, Show } from "solid-js";
import type { TraceSpan } from "../api/types";
import { count, measure, plain, score } from "../format/number";
import { setParameters } from "../router";
import { Some } from "../ui/Some";

/** The spans of a trace as a tree, each with its place in time. */
export function SpanTree(props: { spans: readonly TraceSpan[]; selected: TraceSpan | undefined }) {
  const length = createMemo(() =>
    Math.max(1e-9, ...props.spans.map((span) => (span.offset ?? 0) + (span.duration ?? 0))),
  );
  return (
    <div class="spans" role="tree" aria-label="Spans">
      <Some each={props.spans} step={200}>
        {(span) => (
          <div
            role="treeitem"
            class="span"
            aria-level={span.depth + 1}
            aria-selected={span.id === props.selected?.id}
            tabindex={span.id === props.selected?.id ? 0 : -1}
            onClick={() => setParameters({ span: span.id }, { replace: true })}
          >
            <div class="row span-name" style={{ "padding-left": `${span.depth * 14}px` }}>
              <span class={`type type-${span.purpose === "scorer" ? "score" : (span.type ?? "none")}`}>
                {span.type ?? "span"}
              </span>
              <span class="cut grow" dir="auto">
                {span.name ?? span.span_id}
              </span>
              <Show when={span.error != null}>
                <span class="worse">error</span>
              </Show>
              <For each={Object.entries(span.scores).slice(0, 3)}>{([, value]) => <strong>{score(value)}</strong>}</For>
            </div>
            <div class="row quiet span-numbers">
              <svg class="timeline grow" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect
                  x={(100 * (span.offset ?? 0)) / length()}
                  width={Math.max(0.6, (100 * (span.duration ?? 0)) / length())}
                  height="6"
                />
              </svg>
              <span>{span.duration == null ? "" : `${plain(span.duration)} s`}</span>
              <Show when={span.tokens != null}>
                <span>{count(span.tokens)} tok</span>
              </Show>
              <Show when={span.cost != null}>
                <span>{measure(span.cost, "$")}</span>
              </Show>
            </div>
          </div>
        )}
      </Some>
    </div>
  );
}
