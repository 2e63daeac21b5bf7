//! Keys of the page. Whoever is mounted offers its keys; the help lists what is offered now.

import { createSignal, onCleanup } from "solid-js";

interface Key {
  key: string;
  what: string;
  act: () => void;
}

const [keys, setKeys] = createSignal<readonly Key[]>([]);

export { keys };

/** Offers a key while the component is there: `j`, `Escape`, `Mod+k`. The newest offer of a key wins. */
export function onKey(key: string, what: string, act: () => void) {
  const offered: Key = { key, what, act };
  setKeys((all) => [...all, offered]);
  onCleanup(() => setKeys((all) => all.filter((one) => one !== offered)));
}

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const modified = event.metaKey || event.ctrlKey;
  // Within an editor's shadow tree the event is retargeted; the path knows where it began.
  if (!modified && typing(event.composedPath()[0] ?? null)) return;
  const pressed = modified ? `Mod+${event.key}` : event.key;
  const found = keys().findLast((key) => key.key === pressed);
  if (!found || event.altKey) return;
  event.preventDefault();
  found.act();
});
