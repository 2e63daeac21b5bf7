import type { TraceSpan } from "../api/types";

/**
 * Which span of another trace is the same step, by the id of the one: the same names from the root down, the same
 * turn among equals.
 */
export function matchSpans(spans: readonly TraceSpan[], others: readonly TraceSpan[]): Map<string, TraceSpan> {
  const byPlace = new Map(places(others));
  const pairs = places(spans).flatMap(([place, span]): [string, TraceSpan][] => {
    const other = byPlace.get(place);
    return other ? [[span.id, other]] : [];
  });
  return new Map(pairs);
}

function places(spans: readonly TraceSpan[]): [string, TraceSpan][] {
  const seen = new Map<string, number>();
  const above: string[] = [];
  return spans.map((span) => {
    const name = `${above[span.depth - 1] ?? ""}/${span.name ?? ""}:${span.type ?? ""}`;
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    const place = `${name}#${nth}`;
    above[span.depth] = place;
    return [place, span];
  });
}
