import { createMemo, createSignal, For, onMount, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { LineUp, Trace } from "../api/types";
import { count, measure, score } from "../format/number";
import { parameter, setParameters } from "../router";
import { Score } from "../experiment/Score";
import type { View } from "../experiment/view";
import { copy } from "../ui/copy";
import { onKey } from "../ui/keys";
import { kept } from "../ui/kept";
import { Trouble } from "../ui/Trouble";
import { matchSpans } from "./matchSpans";
import { closeTrace, openTrace } from "./opened";
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

/** How the two sides of a diff stand. */
export const [sideBySide, setSideBySide] = kept("sideBySide", false);

/** One case: the tree of its spans, and each span's fields against the matched case. */
export default function TracePanel(props: Props) {
  let panel!: HTMLElement;
  const [scoring, setScoring] = createSignal(false);
  onKey("Escape", "Close the trace", closeTrace);
  onKey("b", "Diff side by side or inline", () => setSideBySide(!sideBySide()));
  onMount(() => panel.focus());

  const sides = () => props.view.sides();
  /** The comparison that fields are held against. */
  const base = () => sides().find((side) => side.id === parameter("with")) ?? sides()[0];
  const tracePath = (experiment: string, row: string) =>
    `/api/v1/experiments/${encodeURIComponent(experiment)}/traces/${encodeURIComponent(row)}`;
  const traceOf = (experiment: string, row: string, signal: AbortSignal) =>
    get<Trace>(tracePath(experiment, row), {}, signal);
  const owner = () => (props.there ? base()?.id : props.view.summary()?.id);
  const answered = answer(
    () => (owner() ? { experiment: owner()!, row: props.row } : undefined),
    ({ experiment, row }, signal) => traceOf(experiment, row, signal),
    props.view.changes,
  );

  /** The same trace keeps what is folded open, however often it is asked for. */
  const trace = createMemo(() => answered(), undefined, { equals: sameJson });
  const isBaseKnown = () => props.view.ready() && (!props.view.comparing() || base() !== undefined);
  /** Which trials there are, and which row of the baseline this one is held against. */
  const lineUp = answer(
    () =>
      owner() && isBaseKnown()
        ? {
            experiment: owner()!,
            row: props.row,
            against: props.there ? undefined : base()?.id,
            align: props.view.align(),
          }
        : undefined,
    ({ experiment, row, ...given }, signal) =>
      get<LineUp>(`${tracePath(experiment, row)}/lineup`, { project: props.view.project, ...given }, signal),
    props.view.changes,
  );
  const theirs = () => lineUp()?.against ?? undefined;
  /** The row of the baseline that is shown beside this one; none where this is held against a mean. */
  const other = createMemo(() => {
    const { matched, trials = [] } = theirs() ?? {};
    const chosen = trials.find((trial) => trial.id === parameter("against"));
    // The mean of one trial is that trial.
    return chosen?.id ?? matched ?? (trials.length === 1 ? trials[0]!.id : undefined);
  });
  const otherTrace = answer(
    () => (other() && base() ? { experiment: base()!.id, row: other()! } : undefined),
    ({ experiment, row }, signal) => traceOf(experiment, row, signal),
  );
  const pairs = createMemo(() => matchSpans(trace()?.spans ?? [], otherTrace()?.spans ?? []));
  const selected = createMemo(
    () => {
      const spans = trace()?.spans ?? [];
      return spans.find((span) => span.id === parameter("span")) ?? spans[0];
    },
    undefined,
    { equals: sameJson },
  );
  const turns = createMemo(() => turnsOf(trace()?.spans ?? []));
  const asConversation = () => parameter("look") === "conversation" && turns().length > 0;
  const moveSpan = (by: number) => {
    const spans = trace()?.spans ?? [];
    const next = spans[spans.findIndex((span) => span.id === selected()?.id) + by];
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
        <button onClick={closeTrace}>
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
                onClick={() => setParameters({ with: side.id, against: null }, { replace: true })}
              >
                {side.experiment}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={lineUp()}>{(of) => <Trials of={of()} there={props.there} against={other()} />}</Show>
      <Trouble error={answered.error ?? lineUp.error} again={() => (answered.again(), lineUp.again())} />
      <Show when={trace()} fallback={<p class="note quiet">{answered.loading ? "Loading the spans…" : ""}</p>}>
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
              <Show when={(theirs()?.trials ?? []).length === 0}>
                <li class="tag">not in the baseline</li>
              </Show>
            </ul>
            <Show when={asConversation()}>
              <Turns turns={turns()} />
            </Show>
            <div class="trace-body" classList={{ stale: answered.loading, away: asConversation() }}>
              <SpanTree spans={of().spans} selected={selected()} />
              <Show when={selected()} keyed>
                {(span) => (
                  <SpanDetail span={span} against={pairs().get(span.id)} comparing={otherTrace() !== undefined} />
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

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The trials of the case here, and the ones of the baseline that it can be held against. */
function Trials(props: { of: LineUp; there: boolean; against: string | undefined }) {
  const theirs = () => props.of.against?.trials ?? [];
  return (
    <Show when={props.of.trials.length > 1 || theirs().length > 1}>
      <div class="trials-line" role="group" aria-label="Trials">
        <span class="quiet">Trial</span>
        <For each={props.of.trials}>
          {(trial) => (
            <button aria-pressed={trial.id === props.of.id} onClick={() => openTrace(trial.id, { there: props.there })}>
              {trial.trial + 1}
            </button>
          )}
        </For>
        <Show when={theirs().length > 0}>
          <span class="quiet">
            against {props.of.against?.experiment?.experiment},{" "}
            {props.against === undefined ? `the mean of ${count(theirs().length)} trials; compare with trial` : "trial"}
          </span>
          <For each={theirs()}>
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
