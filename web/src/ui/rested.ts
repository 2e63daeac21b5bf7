import { createSignal, onCleanup } from "solid-js";

const RESTS_MS = 250;

/** A text that is being typed, and what it was when typing last rested: that is what is tried. */
export function createRested(initial = "") {
  const [text, setText] = createSignal(initial);
  const [tried, setTried] = createSignal(initial.trim());
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const put = (now: string) => {
    clearTimeout(timer);
    setText(now);
    setTried(now.trim());
  };
  return {
    text,
    tried,
    type: (now: string) => {
      setText(now);
      clearTimeout(timer);
      timer = setTimeout(() => setTried(now.trim()), RESTS_MS);
    },
    /** What needs no rest, as it was chosen and not typed. */
    put,
  };
}
