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
              <For each={message.parts}>{(part) => <Part of={part} />}</For>
            </div>
          </li>
        )}
      </For>
    </ol>
  );
}

/** A part that is no text. A picture is a link: the page loads nothing that a model names. */
function Part(props: { of: unknown }) {
  const link = () => linkOf(props.of);
  return (
    <Show when={link()} fallback={<JsonView value={props.of} />}>
      {(url) => (
        <a href={url()} target="_blank" rel="noreferrer noopener" class="picture">
          picture: {url()}
        </a>
      )}
    </Show>
  );
}

function linkOf(part: unknown): string | undefined {
  if (typeof part !== "object" || part === null) return undefined;
  const image = (part as Record<string, unknown>).image_url;
  const url = typeof image === "object" && image !== null ? (image as Record<string, unknown>).url : image;
  return typeof url === "string" && /^https?:\/\//i.test(url) ? url : undefined;
}
