import { diffLines, diffWordsWithSpace, type Change } from "diff";
import { createMemo, For, Match, Show, Switch } from "solid-js";
import { oneLine } from "../format/value";
import { jsonChanges } from "./jsonChanges";
import { sideBySide } from "./TracePanel";

/** Texts longer than this are compared by lines: words would take too long, and nobody reads them. */
const WORDS_UP_TO = 20_000;
/** Characters around a change that stay; the rest of an unchanged part folds. */
const AROUND = 160;

/** What changed: words of prose, lines of long texts, paths of JSON. */
export function Diff(props: { before: unknown; after: unknown }) {
  const bothTrees = () => isTree(props.before) && isTree(props.after);
  const text = (value: unknown) =>
    value == null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <Switch fallback={<TextDiff before={text(props.before)} after={text(props.after)} />}>
      <Match when={bothTrees()}>
        <JsonDiff before={props.before} after={props.after} />
      </Match>
    </Switch>
  );
}

const isTree = (value: unknown) => typeof value === "object" && value !== null;

function TextDiff(props: { before: string; after: string }) {
  const long = () => props.before.length + props.after.length > WORDS_UP_TO;
  const changes = createMemo(() =>
    long() ? diffLines(props.before, props.after) : diffWordsWithSpace(props.before, props.after),
  );
  return (
    <>
      <Show when={long()}>
        <p class="quiet">Too long for words: compared by lines.</p>
      </Show>
      <Show
        when={sideBySide()}
        fallback={
          <pre class="text diff" dir="auto">
            <For each={changes()}>{(change) => <Part of={change} />}</For>
          </pre>
        }
      >
        <div class="sides">
          <pre class="text diff" dir="auto" aria-label="Baseline">
            <For each={changes().filter((change) => !change.added)}>{(change) => <Part of={change} />}</For>
          </pre>
          <pre class="text diff" dir="auto" aria-label="Here">
            <For each={changes().filter((change) => !change.removed)}>{(change) => <Part of={change} />}</For>
          </pre>
        </div>
      </Show>
    </>
  );
}

function Part(props: { of: Change }) {
  return (
    <Switch fallback={<Unchanged text={props.of.value} />}>
      <Match when={props.of.added}>
        <ins>{props.of.value}</ins>
      </Match>
      <Match when={props.of.removed}>
        <del>{props.of.value}</del>
      </Match>
    </Switch>
  );
}

/** An unchanged part; the middle of a long one is left out. */
function Unchanged(props: { text: string }) {
  return (
    <Show when={props.text.length > 4 * AROUND} fallback={props.text}>
      {props.text.slice(0, AROUND)}
      <details class="same">
        <summary>{props.text.length - 2 * AROUND} characters are the same</summary>
        {props.text.slice(AROUND, -AROUND)}
      </details>
      {props.text.slice(-AROUND)}
    </Show>
  );
}

function JsonDiff(props: { before: unknown; after: unknown }) {
  const changes = createMemo(() => jsonChanges(props.before, props.after));
  return (
    <ul class="paths">
      <For each={changes()}>
        {(change) => (
          <li>
            <code>{change.path || "(whole)"}</code>
            <Switch>
              <Match when={change.kind === "added"}>
                <pre class="text">
                  <ins>{oneLine(change.after)}</ins>
                </pre>
              </Match>
              <Match when={change.kind === "removed"}>
                <pre class="text">
                  <del>{oneLine(change.before)}</del>
                </pre>
              </Match>
              <Match when={change.kind === "changed"}>
                <TextDiff before={oneLine(change.before)} after={oneLine(change.after)} />
              </Match>
            </Switch>
          </li>
        )}
      </For>
    </ul>
  );
}
