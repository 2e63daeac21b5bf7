import { For, Show, type JSX } from "solid-js";
import type { TraceSpan } from "../api/types";
import { plain, score } from "../format/number";
import { Some } from "../ui/Some";
import { Field } from "./Field";

const FIELDS = ["error", "input", "output", "expected", "metadata"] as const;

/** The fields of a span, each against the same field of the matched span. */
export function SpanDetail(props: { span: TraceSpan; against: TraceSpan | undefined; comparing: boolean }) {
  const same = () => (props.comparing ? props.against : undefined);
  const there = (name: (typeof FIELDS)[number]) => props.span[name] != null || same()?.[name] != null;
  // The tree shows when a span began and ended.
  const metrics = () =>
    Object.fromEntries(Object.entries(props.span.metrics).filter(([name]) => name !== "start" && name !== "end"));
  return (
    <div class="detail">
      <h2>
        {props.span.name ?? props.span.span_id} <span class="quiet">{props.span.type}</span>
      </h2>
      <Show when={props.comparing && !props.against}>
        <p class="quiet">The matched case has no such span.</p>
      </Show>
      <Show when={Object.keys(props.span.scores).length > 0}>
        <Numbers title="Scores" of={props.span.scores} against={same()?.scores} write={score} />
      </Show>
      <For each={FIELDS.filter(there)}>
        {(name) => (
          <Field name={name} value={props.span[name]} against={same() ? (same()![name] ?? null) : undefined} />
        )}
      </For>
      <Show when={props.span.tags.length > 0}>
        <p>
          <strong>tags</strong> {props.span.tags.join(", ")}
        </p>
      </Show>
      <Show when={Object.keys(metrics()).length > 0}>
        <Numbers title="Metrics" of={metrics()} against={same()?.metrics} write={plain} />
      </Show>
    </div>
  );
}

type Values = Record<string, number | null>;

function Numbers(props: {
  title: string;
  of: Values;
  against: Values | undefined;
  write: (x: number | null | undefined) => string;
}) {
  return (
    <section>
      <h3>{props.title}</h3>
      <table>
        <tbody>
          <Some each={Object.entries(props.of)} more={inRow}>
            {([name, value]) => (
              <tr>
                <th scope="row">{name}</th>
                <td class="number">{props.write(value)}</td>
                <Show when={props.against}>{(there) => <td class="quiet">was {props.write(there()[name])}</td>}</Show>
              </tr>
            )}
          </Some>
        </tbody>
      </table>
    </section>
  );
}

const inRow = (button: JSX.Element) => (
  <tr>
    <td colspan="3">{button}</td>
  </tr>
);
