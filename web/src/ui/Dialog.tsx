import { onCleanup, onMount, type ParentProps } from "solid-js";
import "./Dialog.css";

/** A window over the page. The browser holds the focus in it, and Esc closes it. */
export function Dialog(props: ParentProps<{ title: string; close: () => void; wide?: boolean }>) {
  let dialog!: HTMLDialogElement;
  onMount(() => {
    dialog.showModal();
    onCleanup(() => dialog.close());
  });
  const outside = (event: MouseEvent) => event.target === dialog && props.close();
  return (
    <dialog
      ref={dialog}
      aria-label={props.title}
      classList={{ wide: props.wide }}
      onClose={() => props.close()}
      onClick={outside}
    >
      <div class="dialog">
        <header class="row">
          <h2 class="grow">{props.title}</h2>
          <button onClick={() => props.close()}>
            Close <kbd>Esc</kbd>
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
