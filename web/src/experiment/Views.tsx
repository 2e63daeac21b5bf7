import { For, Show } from "solid-js";
import { go, place } from "../router";
import { copy } from "../ui/copy";
import { kept } from "../ui/kept";
import { Menu } from "../ui/Menu";

interface Named {
  name: string;
  search: string;
}

const [views, setViews] = kept<Named[]>("views", []);

/** Parameters that say which case is open, not how cases are shown. */
const OF_THE_MOMENT = ["case", "there", "span", "pick", "explain"];

function shown(): string {
  const parameters = new URLSearchParams(location.search);
  for (const name of OF_THE_MOMENT) parameters.delete(name);
  return parameters.toString();
}

/** Views with a name, kept by this browser; a link shares one. */
export function Views() {
  const save = (name: string) => setViews([...views().filter((one) => one.name !== name), { name, search: shown() }]);
  const open = (search: string) => place() && go(`${location.pathname}?${search}`);
  return (
    <Menu label="Views" right>
      <button onClick={() => copy(location.href, "Copied the link")}>Copy a link to this view</button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
          if (name) save(name);
          event.currentTarget.reset();
        }}
      >
        <input name="name" placeholder="Name this view, then Enter" aria-label="Name of the view to save" />
      </form>
      <Show when={views().length > 0}>
        <h3>Saved in this browser</h3>
      </Show>
      <For each={views()}>
        {(view) => (
          <div class="row">
            <button class="grow cut" onClick={() => open(view.search)}>
              {view.name}
            </button>
            <button aria-label={`Forget ${view.name}`} onClick={() => setViews(views().filter((one) => one !== view))}>
              ✕
            </button>
          </div>
        )}
      </For>
    </Menu>
  );
}
