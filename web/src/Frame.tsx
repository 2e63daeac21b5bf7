import { createSignal, Show, type ParentProps } from "solid-js";
import { running } from "./api/client";
import { place, to } from "./router";
import { HelpButton } from "./ui/Help";
import { theme, turnTheme } from "./ui/theme";
import { Search } from "./Search";
import { said } from "./ui/copy";
import { onKey } from "./ui/keys";
import "./Frame.css";

/** What is around every page: where one is, search, SQL, help. */
export function Frame(props: ParentProps) {
  const [searching, setSearching] = createSignal(false);
  onKey("Mod+k", "Search projects, experiments and pages", () => setSearching(true));
  const project = () => {
    const here = place();
    return "project" in here ? here.project : undefined;
  };
  const experiment = () => {
    const here = place();
    return here.kind === "experiment" ? here.experiment : undefined;
  };
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="frame">
        <nav class="row grow" aria-label="Where you are">
          <a class="brand" href={to.projects()}>
            evalhouse
          </a>
          <Show when={project()}>
            {(name) => (
              <>
                <span class="quiet">/</span>
                <a class="cut" href={to.project(name())}>
                  {name()}
                </a>
              </>
            )}
          </Show>
          <Show when={experiment()}>
            {(name) => (
              <>
                <span class="quiet">/</span>
                <strong class="cut">{name()}</strong>
              </>
            )}
          </Show>
        </nav>
        <button class="lined quiet" onClick={() => setSearching(true)}>
          Search <kbd>Ctrl K</kbd>
        </button>
        <a class="button" href={to.sql()}>
          SQL
        </a>
        <Show when={project()}>
          {(name) => (
            <a class="button" href={to.settings(name())}>
              Settings
            </a>
          )}
        </Show>
        <button onClick={turnTheme}>
          {{ system: "Theme: system", light: "Theme: light", dark: "Theme: dark" }[theme()]}
        </button>
        <HelpButton />
      </header>
      <div
        class="progress"
        classList={{ on: running() > 0 }}
        role="status"
        aria-label={running() > 0 ? "Loading" : ""}
      />
      <main id="main" tabindex="-1">
        {props.children}
      </main>
      <div class="said" classList={{ on: said() !== "" }} role="status">
        {said()}
      </div>
      <Show when={searching()}>
        <Search close={() => setSearching(false)} />
      </Show>
    </>
  );
}
