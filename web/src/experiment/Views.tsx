import { createSignal, For, Show } from "solid-js";
import type { ApiError } from "../api/client";
import { changeSettings } from "../api/settings";
import { go } from "../router";
import { OF_A_TRACE } from "../trace/opened";
import { copy, say } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { Trouble } from "../ui/Trouble";
import type { View } from "./view";
import { OF_AN_EXPLANATION } from "./Why";

/** Parameters that say what is open or picked, not how cases are shown. */
const OF_THE_MOMENT = [...OF_A_TRACE, ...OF_AN_EXPLANATION, "pick"];

function shown(): string {
  const parameters = new URLSearchParams(location.search);
  for (const name of OF_THE_MOMENT) parameters.delete(name);
  return parameters.toString();
}

/** Views with a name, for everybody who reads the project; a link shares one. */
export function Views(props: { view: View }) {
  const [error, setError] = createSignal<ApiError>();
  const views = () => Object.entries(props.view.settings()?.settings.views ?? {});
  const change = async (done: string, what: Parameters<typeof changeSettings>[1]) => {
    try {
      await changeSettings(props.view.project, what);
      setError(undefined);
      say(done);
      props.view.settings.again();
    } catch (failure) {
      setError(failure as ApiError);
    }
  };
  const save = (name: string) => change(`Saved the view ${name}`, { set: { [`views.${name}`]: shown() } });
  return (
    <Menu label="Views" right>
      <button onClick={() => copy(location.href, "Copied the link")}>Copy a link to this view</button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
          if (name) void save(name);
          event.currentTarget.reset();
        }}
      >
        <input name="name" placeholder="Name this view, then Enter" aria-label="Name of the view to save" />
      </form>
      <Trouble error={error()} />
      <Show when={views().length > 0} fallback={<p class="quiet indent">The project has no saved view yet.</p>}>
        <h3>Saved to the project</h3>
      </Show>
      <For each={views()}>
        {([name, search]) => (
          <div class="row">
            <button class="grow cut" title={search} onClick={() => go(`${location.pathname}?${search}`)}>
              {name}
            </button>
            <button
              aria-label={`Forget ${name}`}
              onClick={() => void change(`Forgot the view ${name}`, { unset: [`views.${name}`] })}
            >
              ✕
            </button>
          </div>
        )}
      </For>
    </Menu>
  );
}
