import { diffLines, diffWordsWithSpace, type Change } from "diff";
import { createMemo, createSignal, For, Match, Show, Switch, type JSX } from "solid-js";
import { count } from "../format/number";
import { oneLine } from "../format/value";
import { Some } from "../ui/Some";
import type { JsonChange } from "./jsonChanges";
import { sideBySide } from "./TracePanel";

/** Texts longer than this are compared by lines: words would take too long, and nobody reads them. */
const WORDS_UP_TO = 20_000;
/** A comparison that takes longer is given up: the sides are shown whole. */
const PATIENCE_MS = 400;
/** Characters of a changed part that are shown at once. */
const LONG = 4_000;
/** Characters around a change that stay; the rest of an unchanged part folds. */
const AROUND = 160;

/** What changed: words of prose, lines of long texts, paths of JSON. */
export function Diff(props: { before: unknown; after: unknown; changes: readonly JsonChange[] }) {
  const bothTrees = () => isTree(props.before) && isTree(props.after);
  const text = (value: unknown) =>
    value == null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <Switch fallback={<TextDiff before={text(props.before)} after={text(props.after)} />}>
      <Match when={bothTrees()}>
        <JsonDiff changes={props.changes} />
      </Match>
    </Switch>
  );
}

const isTree = (value: unknown) => typeof value === "object" && value !== null;

function TextDiff(props: { before: string; after: string }) {
  const long = () => props.before.length + props.after.length > WORDS_UP_TO;
  const changes = createMemo((): Change[] => {
    const { before, after } = props;
    const within = { timeout: PATIENCE_MS };
    const found = long() ? diffLines(before, after, within) : diffWordsWithSpace(before, after, within);
    return found ?? [whole(before, "removed"), whole(after, "added")];
  });
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

/** What is compared when comparing takes too long: all of one side. */
const whole = (value: string, side: "added" | "removed"): Change => ({
  value,
  count: 1,
  added: side === "added",
  removed: side === "removed",
});

function Part(props: { of: Change }) {
  return (
    <Switch fallback={<Unchanged text={props.of.value} />}>
      <Match when={props.of.added}>
        <ins>
          <Long text={props.of.value} />
        </ins>
      </Match>
      <Match when={props.of.removed}>
        <del>
          <Long text={props.of.value} />
        </del>
      </Match>
    </Switch>
  );
}

/** A changed part; a very long one comes piece by piece. */
function Long(props: { text: string }) {
  const [shown, setShown] = createSignal(LONG);
  return (
    <Show when={props.text.length > shown()} fallback={props.text}>
      {props.text.slice(0, shown())}
      <button class="lined" onClick={() => setShown(shown() * 4)}>
        {count(shown())} of {count(props.text.length)} characters: more
      </button>
    </Show>
  );
}

/** An unchanged part; the middle of a long one is left out. */
function Unchanged(props: { text: string }) {
  return (
    <Show when={props.text.length > 4 * AROUND} fallback={props.text}>
      {props.text.slice(0, AROUND)}
      <details class="same">
        <summary>{count(props.text.length - 2 * AROUND)} characters are the same</summary>
        <Long text={props.text.slice(AROUND, -AROUND)} />
      </details>
      {props.text.slice(-AROUND)}
    </Show>
  );
}

function JsonDiff(props: { changes: readonly JsonChange[] }) {
  return (
    <ul class="paths">
      <Some each={props.changes} more={(button: JSX.Element) => <li>{button}</li>}>
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
      </Some>
    </ul>
  );
}
