import { createSignal } from "solid-js";

const SHOWN_MS = 1_600;

const [said, setSaid] = createSignal("");

/** What was just done, for a moment. */
export { said };

export const messageOf = (error: unknown) => (error instanceof Error ? error.message.split("\n")[0]! : String(error));

export function say(text: string) {
  setSaid(text);
  setTimeout(() => setSaid((now) => (now === text ? "" : now)), SHOWN_MS);
}

/** The same for a text that is asked for first; it comes with what to say. */
export async function copyWhenHere(asked: Promise<{ text: string; said: string }>) {
  try {
    const { text, said } = await asked;
    await copy(text, said);
  } catch (error) {
    say(messageOf(error));
  }
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
