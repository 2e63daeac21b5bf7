import { For, Show } from "solid-js";
import { count, measure, plain } from "../format/number";
import { setParameters } from "../router";
import { Conversation } from "./Conversation";
import type { Turn } from "./turns";

/** The conversation of a trace, with what each turn took at its edge. */
export function Turns(props: { turns: readonly Turn[] }) {
  return (
    <ol class="turns">
      <For each={props.turns}>
        {({ span, messages }) => (
          <li>
            <Conversation messages={messages} />
            <div class="edge quiet">
              <button
                title="Show this span"
                onClick={() => setParameters({ span: span.id, look: null }, { replace: true })}
              >
                {span.name ?? span.type}
              </button>
              <Show when={span.duration != null}>
                <span>{plain(span.duration)} s</span>
              </Show>
              <Show when={span.tokens != null}>
                <span>{count(span.tokens)} tokens</span>
              </Show>
              <Show when={span.cost != null}>
                <span>{measure(span.cost, "$")}</span>
              </Show>
            </div>
          </li>
        )}
      </For>
    </ol>
  );
}
