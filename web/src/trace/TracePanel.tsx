import { createMemo, createSignal, For, onMount, Show } from "solid-js";
import { answer, get, sql } from "../api/client";
import type { Trace } from "../api/types";
import { count, measure, score } from "../format/number";
import { parameter, setParameters } from "../router";
import { Score } from "../experiment/Score";
import type { View } from "../experiment/view";
import { copy } from "../ui/copy";
import { onKey } from "../ui/keys";
import { kept } from "../ui/kept";
import { Trouble } from "../ui/Trouble";
import { matchSpans } from "./matchSpans";
import { SpanDetail } from "./SpanDetail";
import { SpanTree } from "./SpanTree";
import { Turns } from "./Turns";
import { turnsOf } from "./turns";
import "./TracePanel.css";

interface Props {
  view: View;
  row: string;
  /** The case is only in the baseline. */
  there: boolean;
  step: (by: number) => void;
  position: [number, number];
}

/** Scores in the line above the spans; the root span has them all. */
const SCORES = 12;

interface Trial {
  here: boolean;
  id: string;
  trial: number;
}

/** The trials of the case here and there. Under a key of the project's own the stored indexes do not count. */
function trialsQuery(key: string): string {
  const isInput = key === "input";
  const hash = isInput ? "comparison_key_hash" : `comparison_hash(${key.replace(/^\[([\s\S]*)\]$/, "$1")})`;
  const trial = isInput
    ? "trial_index"
    : "row_number() over (partition by experiment_id, hash order by created, id) - 1";
  return `with keyed as (
  select experiment_id, id, trial_index, created, ${hash} as hash from cases where experiment_id in ($here, $there)
), numbered as (select experiment_id, id, hash, ${trial} as trial from keyed)
select b.experiment_id = $here as here, b.id, b.trial from numbered a join numbered b on a.hash = b.hash
where a.experiment_id = $here and a.id = $row order by b.trial`;
}

/** How the two sides of a diff stand. */
export const [sideBySide, setSideBySide] = kept("sideBySide", false);

/** One case: the tree of its spans, and each span's fields against the matched case. */
export default function TracePanel(props: Props) {
  let panel!: HTMLElement;
  const [scoring, setScoring] = createSignal(false);
  const close = () => setParameters({ case: null, span: null, there: null, against: null });
  onKey("Escape", "Close the trace", close);
  onKey("b", "Diff side by side or inline", () => setSideBySide(!sideBySide()));
  onMount(() => panel.focus());

  const sides = () => props.view.sides();
  /** The comparison that fields are held against. */
  const base = () => sides().find((side) => side.id === parameter("with")) ?? sides()[0];
  const traceOf = (experiment: string, row: string, signal: AbortSignal) =>
    get<Trace>(`/api/v1/experiments/${encodeURIComponent(experiment)}/traces/${encodeURIComponent(row)}`, {}, signal);
  const owner = () => (props.there ? base()?.id : props.view.summary()?.id);
  const trace = answer(
    () => (owner() ? { experiment: owner()!, row: props.row } : undefined),
    ({ experiment, row }, signal) => traceOf(experiment, row, signal),
  );

  const trials = answer(
    () =>
      props.view.summary() && !props.there
        ? { here: props.view.summary()!.id, there: props.view.comparing() ? (base()?.id ?? "") : "", row: props.row }
        : undefined,
    (given, signal) => sql<Trial>(trialsQuery(props.view.summary()!.key), given, signal),
  );
  /** The row of the baseline that this one is held against: the trial of the same index, unless another is chosen. */
  const other = createMemo(() => {
    const [here, there] = [true, false].map((side) => (trials() ?? []).filter((trial) => trial.here === side));
    const index = here!.find((trial) => trial.id === props.row)?.trial;
    return (
      there!.find((trial) => trial.id === parameter("against"))?.id ??
      there!.find((trial) => trial.trial === ((index ?? 0) + Number(parameter("shift") ?? 0)) % there!.length)?.id ??
      there![0]?.id
    );
  });
  const otherTrace = answer(
    () => (other() && base() ? { experiment: base()!.id, row: other()! } : undefined),
    ({ experiment, row }, signal) => traceOf(experiment, row, signal),
  );
  const pairs = createMemo(() => matchSpans(trace()?.spans ?? [], otherTrace()?.spans ?? []));
  const selected = createMemo(() => {
    const spans = trace()?.spans ?? [];
    return spans.find((span) => span.id === parameter("span")) ?? spans[0];
  });
  const turns = createMemo(() => turnsOf(trace()?.spans ?? []));
  const asConversation = () => parameter("look") === "conversation" && turns().length > 0;
  const moveSpan = (by: number) => {
    const spans = trace()?.spans ?? [];
    const next = spans[spans.indexOf(selected()!) + by];
    if (next) setParameters({ span: next.id }, { replace: true });
  };
  onKey("ArrowDown", "Next span", () => moveSpan(1));
  onKey("ArrowUp", "Span before", () => moveSpan(-1));

  return (
    <section class="trace" ref={panel} tabindex="-1" aria-label="Trace">
      <header class="bar">
        <strong>Case</strong>
        <button class="mono cut" title="Copy the id" onClick={() => copy(props.row, "Copied the id")}>
          {props.row} <span class="quiet">copy</span>
        </button>
        <span class="quiet">
          {props.position[0] >= 0 ? `${count(props.position[0] + 1)} of ${count(props.position[1])}` : ""}
        </span>
        <span class="grow" />
        <button onClick={() => props.step(-1)}>
          ← Before <kbd>p</kbd>
        </button>
        <button onClick={() => props.step(1)}>
          Next → <kbd>n</kbd>
        </button>
        <button onClick={() => setScoring(true)} disabled={props.there}>
          Score
        </button>
        <Show when={turns().length > 0}>
          <button
            aria-pressed={asConversation()}
            onClick={() => setParameters({ look: asConversation() ? null : "conversation" }, { replace: true })}
          >
            Conversation
          </button>
        </Show>
        <button aria-pressed={sideBySide()} onClick={() => setSideBySide(!sideBySide())}>
          Side by side <kbd>b</kbd>
        </button>
        <button onClick={close}>
          Close <kbd>Esc</kbd>
        </button>
      </header>
      <Show when={sides().length > 1}>
        <div class="trials-line" role="group" aria-label="Comparison">
          <span class="quiet">Against</span>
          <For each={sides()}>
            {(side) => (
              <button
                aria-pressed={side.id === base()?.id}
                onClick={() => setParameters({ with: side.id, against: null, shift: null }, { replace: true })}
              >
                {side.experiment}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Trials of={trials() ?? []} row={props.row} against={other()} base={base()?.experiment} />
      <Trouble error={trace.error} again={trace.again} />
      <Show when={trace()}>
        {(of) => (
          <>
            <ul class="facts-line">
              <Show when={props.there}>
                <li class="tag">only in the baseline</li>
              </Show>
              <For each={Object.entries(of().scores).slice(0, SCORES)}>
                {([name, value]) => (
                  <li>
                    <span class="quiet">{name}</span> <strong>{score(value)}</strong>
                    <Show when={otherTrace()}>
                      {(there) => <span class="quiet"> was {score(there().scores[name])}</span>}
                    </Show>
                  </li>
                )}
              </For>
              <For each={["duration", "tokens", "estimated_cost"].filter((name) => of().metrics[name] != null)}>
                {(name) => (
                  <li>
                    <span class="quiet">{name}</span>{" "}
                    {measure(of().metrics[name], props.view.summary()?.metrics[name]?.unit ?? "")}
                  </li>
                )}
              </For>
              <Show when={props.view.comparing() && trials() && !other()}>
                <li class="tag">not in the baseline</li>
              </Show>
            </ul>
            <Show when={asConversation()}>
              <Turns turns={turns()} />
            </Show>
            <div class="trace-body" classList={{ stale: trace.loading, away: asConversation() }}>
              <SpanTree spans={of().spans} selected={selected()} />
              <Show when={selected()} keyed>
                {(span) => (
                  <SpanDetail span={span} against={pairs().get(span)} comparing={otherTrace() !== undefined} />
                )}
              </Show>
            </div>
          </>
        )}
      </Show>
      <Show when={scoring()}>
        <Score view={props.view} rows={[props.row]} close={() => setScoring(false)} />
      </Show>
    </section>
  );
}

/** The trials of the case here, and the ones of the baseline that it can be held against. */
function Trials(props: { of: readonly Trial[]; row: string; against: string | undefined; base: string | undefined }) {
  const here = () => props.of.filter((trial) => trial.here);
  const there = () => props.of.filter((trial) => !trial.here);
  return (
    <Show when={here().length > 1 || there().length > 1}>
      <div class="trials-line">
        <span class="quiet">Trial</span>
        <For each={here()}>
          {(trial) => (
            <button
              aria-pressed={trial.id === props.row}
              onClick={() => setParameters({ case: trial.id, span: null, against: null })}
            >
              {trial.trial + 1}
            </button>
          )}
        </For>
        <Show when={there().length > 0}>
          <span class="quiet">against {props.base}, trial</span>
          <For each={there()}>
            {(trial) => (
              <button aria-pressed={trial.id === props.against} onClick={() => setParameters({ against: trial.id })}>
                {trial.trial + 1}
              </button>
            )}
          </For>
        </Show>
      </div>
    </Show>
  );
}
