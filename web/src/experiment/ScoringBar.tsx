import { For, Show } from "solid-js";
import { count } from "../format/number";
import type { View } from "./view";

const STATES: Record<string, string> = { done: "done", cancelled: "stopped", failed: "failed" };

/** How far scorers are. What they gave is kept when one is stopped. */
export function ScoringBar(props: { view: View }) {
  return (
    <For each={props.view.scorings.shown()}>
      {(one) => (
        <div class="scoring" role="status" aria-label={`Scoring ${one.name}`}>
          <strong>{one.name}</strong>
          <progress max={one.total} value={one.scored + one.skipped} aria-label="Cases done" />
          <span>
            {count(one.scored)} of {count(one.total)} cases scored
            <Show when={one.skipped > 0}>, {count(one.skipped)} without an answer</Show>
          </span>
          <Show
            when={one.state === "running"}
            fallback={
              <>
                <span classList={{ worse: one.state === "failed" }}>
                  {STATES[one.state] ?? one.state}
                  <Show when={one.message}>: {one.message}</Show>
                </span>
                <button onClick={() => props.view.scorings.dismiss(one.id)}>Close</button>
              </>
            }
          >
            <button class="lined" onClick={() => void props.view.scorings.cancel(one.id)}>
              Stop
            </button>
          </Show>
        </div>
      )}
    </For>
  );
}
