import { createSignal, For, Show } from "solid-js";
import { Dialog } from "./Dialog";
import { keys, onKey } from "./keys";

const [open, setOpen] = createSignal(false);

const written = (key: string) => key.replace("Mod+", "Ctrl ").replace("Escape", "Esc").replace("Enter", "↵").toString();

/** Opens the list of keys. */
export function HelpButton() {
  onKey("?", "This help", () => setOpen(true));
  return (
    <>
      <button aria-label="Help: the keys of this page" onClick={() => setOpen(true)}>
        Help <kbd>?</kbd>
      </button>
      <Show when={open()}>
        <Dialog title="Keys" close={() => setOpen(false)}>
          <table>
            <tbody>
              <For each={[...new Map(keys().map((key) => [key.key, key])).values()]}>
                {(key) => (
                  <tr>
                    <td>
                      <kbd>{written(key.key)}</kbd>
                    </td>
                    <td>{key.what}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </Dialog>
      </Show>
    </>
  );
}
