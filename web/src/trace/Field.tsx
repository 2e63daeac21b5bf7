import { createMemo, createSignal, For, Match, Show, Switch } from "solid-js";
import { copy } from "../ui/copy";
import { Conversation } from "./Conversation";
import { Diff } from "./Diff";
import { jsonChanges } from "./jsonChanges";
import { JsonView } from "./JsonView";
import { Markdown } from "./Markdown";
import { messagesOf } from "./messages";
import { Text } from "./Text";

type Look = "diff" | "conversation" | "markdown" | "text" | "json";

/** A field of a span; `against` is the same field of the matched span, undefined where there is none. */
export function Field(props: { name: string; value: unknown; against: unknown }) {
  const [asked, ask] = createSignal<Look>();
  const messages = createMemo(() => messagesOf(props.value));
  const changes = createMemo(() =>
    props.against === undefined ? [] : jsonChanges(props.against, props.value ?? null),
  );
  const looks = createMemo((): Look[] => [
    ...(changes().length > 0 ? ["diff" as const] : []),
    ...(messages() ? ["conversation" as const] : []),
    ...(typeof props.value === "string" ? (["text", "markdown"] as const) : ["json" as const]),
  ]);
  const look = () => looks().find((one) => one === asked()) ?? looks()[0];
  return (
    <section class="field">
      <header class="row">
        <h3>{props.name}</h3>
        <Show when={props.against !== undefined && changes().length === 0}>
          <span class="quiet">as in the baseline</span>
        </Show>
        <span class="grow" />
        <Show when={looks().length > 1}>
          <For each={looks()}>
            {(one) => (
              <button aria-pressed={look() === one} onClick={() => ask(one)}>
                {{ diff: "Diff", conversation: "Conversation", markdown: "Markdown", text: "Text", json: "JSON" }[one]}
              </button>
            )}
          </For>
        </Show>
        <button
          aria-label={`Copy ${props.name}`}
          onClick={() =>
            copy(
              typeof props.value === "string" ? props.value : JSON.stringify(props.value, null, 2),
              `Copied ${props.name}`,
            )
          }
        >
          Copy
        </button>
      </header>
      <Switch fallback={<JsonView value={props.value} />}>
        <Match when={look() === "diff"}>
          <Diff before={props.against} after={props.value} changes={changes()} />
        </Match>
        <Match when={look() === "conversation" && messages()}>{(all) => <Conversation messages={all()} />}</Match>
        <Match when={look() === "markdown"}>
          <Markdown text={props.value as string} />
        </Match>
        <Match when={look() === "text"}>
          <Text text={props.value as string} />
        </Match>
      </Switch>
    </section>
  );
}
