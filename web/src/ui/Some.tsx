import { createSignal, For, Show, type JSX } from "solid-js";
import { count } from "../format/number";

const STEP = 100;

/** The first of many; the others on request, as nobody reads thousands and no browser draws them quickly. */
export function Some<T>(props: {
  each: readonly T[];
  step?: number;
  /** What holds the button that shows more: a row of a table, an item of a list. */
  more?: (button: JSX.Element) => JSX.Element;
  children: (item: T, index: () => number) => JSX.Element;
}) {
  const step = () => props.step ?? STEP;
  const [shown, setShown] = createSignal(step());
  const button = () => (
    <button class="lined" onClick={() => setShown(shown() + 10 * step())}>
      {count(shown())} of {count(props.each.length)}: more
    </button>
  );
  return (
    <>
      <For each={props.each.length > shown() ? props.each.slice(0, shown()) : props.each}>{props.children}</For>
      <Show when={props.each.length > shown()}>{props.more ? props.more(button()) : button()}</Show>
    </>
  );
}
