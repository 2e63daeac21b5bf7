import { For, Show } from "solid-js";
import { JsonView } from "./JsonView";
import type { Message } from "./messages";
import { Text } from "./Text";

/** Messages, read from top to bottom; the arguments of tool calls are folded. */
export function Conversation(props: { messages: readonly Message[] }) {
  return (
    <ol class="conversation">
      <For each={props.messages}>
        {(message) => (
          <li class={`message message-${message.role}`}>
            <span class="role">{message.role}</span>
            <div>
              <Show when={message.text !== ""}>
                <Text text={message.text} />
              </Show>
              <For each={message.calls}>
                {(call) => (
                  <details>
                    <summary>
                      calls <code>{call.name}</code>
                    </summary>
                    <JsonView value={call.arguments} />
                  </details>
                )}
              </For>
              <For each={message.parts}>{(part) => <JsonView value={part} />}</For>
            </div>
          </li>
        )}
      </For>
    </ol>
  );
}
