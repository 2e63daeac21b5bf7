import { createSignal, createUniqueId, onCleanup, Show, type ParentProps } from "solid-js";
import "./Menu.css";

/** A button that opens a sheet below itself. A click elsewhere or Esc closes it. */
export function Menu(
  props: ParentProps<{
    label: string;
    name?: string;
    right?: boolean;
    /** It opens above itself. */
    up?: boolean;
    open?: boolean;
    onOpen?: (open: boolean) => void;
  }>,
) {
  const [own, setOwn] = createSignal(false);
  const id = createUniqueId();
  let box!: HTMLDivElement;
  const open = () => props.open ?? own();
  const set = (now: boolean) => {
    setOwn(now);
    props.onOpen?.(now);
  };
  const elsewhere = (event: Event) => open() && !event.composedPath().includes(box) && set(false);
  document.addEventListener("pointerdown", elsewhere);
  onCleanup(() => document.removeEventListener("pointerdown", elsewhere));
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open()) return;
    event.preventDefault();
    set(false);
    box.querySelector("button")?.focus();
  };
  return (
    <div class="menu" ref={box} onKeyDown={escape}>
      <button
        aria-expanded={open()}
        aria-controls={open() ? id : undefined}
        aria-label={props.name}
        onClick={() => set(!open())}
      >
        {props.label} <span aria-hidden="true">▾</span>
      </button>
      <Show when={open()}>
        <div id={id} class="sheet" classList={{ right: props.right, up: props.up }}>
          {props.children}
        </div>
      </Show>
    </div>
  );
}
