import { createMemo, createSignal, For, Match, Show, Switch } from "solid-js";
import { answer, get } from "../api/client";
import type { History, Leaderboard } from "../api/types";
import { parameter, setParameters } from "../router";
import { BarChart, type Bar } from "../charts/BarChart";
import { LineChart } from "../charts/LineChart";
import { ScatterChart } from "../charts/ScatterChart";
import type { Listed } from "./listed";

interface Props {
  project: string;
  rows: readonly Listed[];
  picked: readonly Listed[];
  history: History | undefined;
  scores: readonly string[];
}

const KINDS: [string, string][] = [
  ["time", "Over time"],
  ["bars", "Score comparison"],
  ["scatter", "Against a metric"],
];
const COSTS = ["estimated_cost", "duration", "tokens", "llm_duration", "time_to_first_token"];
/** Bars are for comparing a few. */
const MOST_BARS = 6;

/** Charts of the experiments of a project. */
export default function Charts(props: Props) {
  const kind = () => parameter("chart") ?? "time";
  const chosen = () => parameter("score") ?? props.scores[0];
  const [cost, setCost] = createSignal("estimated_cost");
  const shown = createMemo(() => new Set(props.rows.map((row) => row.id)));
  const points = createMemo(() =>
    (props.history?.scores[chosen() ?? ""]?.points ?? []).filter((point) => shown().has(point.id)),
  );
  const compared = createMemo(() => (props.picked.length > 0 ? props.picked : props.rows).slice(0, MOST_BARS));
  const bars = createMemo(() =>
    props.scores.map((name) => ({
      name,
      bars: compared().map((row): Bar => {
        const point = props.history?.scores[name]?.points.find((one) => one.id === row.id);
        return {
          label: row.experiment,
          value: point?.mean ?? null,
          low: point?.ci_low ?? null,
          high: point?.ci_high ?? null,
          n: point?.n ?? 0,
        };
      }),
    })),
  );
  const board = answer(
    () => (kind() === "scatter" && chosen() ? { project: props.project, score: chosen(), cost: cost() } : undefined),
    (given, signal) => get<Leaderboard>("/api/v1/leaderboard", given, signal),
  );
  return (
    <section class="charts" aria-label="Charts">
      <div class="row">
        <For each={KINDS}>
          {([name, title]) => (
            <button
              aria-pressed={kind() === name}
              onClick={() => setParameters({ chart: name === "time" ? null : name }, { replace: true })}
            >
              {title}
            </button>
          )}
        </For>
        <Show when={kind() !== "bars"}>
          <select
            aria-label="Score"
            value={chosen()}
            onChange={(event) => setParameters({ score: event.currentTarget.value }, { replace: true })}
          >
            <For each={props.scores}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </Show>
        <Show when={kind() === "scatter"}>
          <span class="quiet">against</span>
          <select aria-label="Metric" value={cost()} onChange={(event) => setCost(event.currentTarget.value)}>
            <For each={COSTS}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </Show>
        <Show when={kind() === "bars" && props.picked.length === 0 && props.rows.length > MOST_BARS}>
          <span class="quiet">the newest {MOST_BARS}; pick others in the list</span>
        </Show>
      </div>
      <Switch>
        <Match when={kind() === "time"}>
          <LineChart
            project={props.project}
            score={chosen() ?? ""}
            points={points()}
            changes={props.history?.scores[chosen() ?? ""]?.changes ?? []}
          />
        </Match>
        <Match when={kind() === "bars"}>
          <BarChart groups={bars()} />
        </Match>
        <Match when={kind() === "scatter" && board()}>
          {(of) => (
            <ScatterChart
              project={props.project}
              score={of().score}
              cost={of().cost ?? ""}
              rows={of().rows.filter((row) => shown().has(row.id))}
            />
          )}
        </Match>
      </Switch>
    </section>
  );
}
