import { createSignal, Show } from "solid-js";
import { count } from "../format/number";

const FIRST = 4_000;

/** A text as it is. A very long one is shown piece by piece, and says how much is shown. */
export function Text(props: { text: string }) {
  const [shown, setShown] = createSignal(FIRST);
  return (
    <>
      <pre class="text" dir="auto">
        {props.text.slice(0, shown())}
      </pre>
      <Show when={props.text.length > shown()}>
        <p class="quiet">
          {count(shown())} of {count(props.text.length)} characters{" "}
          <button class="lined" onClick={() => setShown(shown() * 4)}>
            More
          </button>{" "}
          <button class="lined" onClick={() => setShown(props.text.length)}>
            All
          </button>
        </p>
      </Show>
    </>
  );
}
