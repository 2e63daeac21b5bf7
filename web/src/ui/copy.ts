import { createSignal } from "solid-js";

const SHOWN_MS = 1_600;

const [said, setSaid] = createSignal("");

/** What was just done, for a moment. */
export { said };

export function say(text: string) {
  setSaid(text);
  setTimeout(() => setSaid((now) => (now === text ? "" : now)), SHOWN_MS);
}

/** Puts a text on the clipboard and says so. */
export async function copy(text: string, done: string) {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    say("The browser allows no copying here");
  }
}
