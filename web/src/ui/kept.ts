import { createSignal, type Accessor } from "solid-js";

const PREFIX = "evalhouse.";

/** A value that this browser remembers: what people should not be asked twice, and no link needs. */
export function kept<T>(name: string, initial: T): [Accessor<T>, (value: T) => void] {
  const [value, setValue] = createSignal<T>(recall(name) ?? initial);
  return [
    value,
    (next) => {
      setValue(() => next);
      try {
        localStorage.setItem(PREFIX + name, JSON.stringify(next));
      } catch {
        // A browser that keeps nothing still shows the page.
      }
    },
  ];
}

function recall<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
