import { createEffect, lazy, Match, onCleanup, onMount, Suspense, Switch } from "solid-js";
import { followLinks, place, to } from "./router";
import { Frame } from "./Frame";
import { ExperimentsPage } from "./experiments/ExperimentsPage";
import { ObjectPage } from "./ObjectPage";
import { wanted } from "./api/key";
import { KeyPage } from "./ui/KeyPage";

const ExperimentPage = lazy(() => import("./experiment/ExperimentPage"));
const SqlPage = lazy(() => import("./sql/SqlPage"));
const SettingsPage = lazy(() => import("./settings/SettingsPage"));
const RowsPage = lazy(() => import("./RowsPage"));

/** The page. */
export function App() {
  onMount(() => {
    document.addEventListener("click", followLinks);
    onCleanup(() => document.removeEventListener("click", followLinks));
  });
  createEffect(() => {
    const here = place();
    const parts = [
      "experiment" in here && here.experiment,
      "project" in here && here.project,
      here.kind === "sql" && "SQL",
    ];
    document.title = [...parts.filter(Boolean), "evalhouse"].join(" · ");
  });
  const at = <K extends string>(kind: K) => {
    const here = place();
    return here.kind === kind ? (here as Extract<typeof here, { kind: K }>) : undefined;
  };
  return (
    <Frame>
      <Suspense>
        <Switch>
          <Match when={wanted()}>{(why) => <KeyPage why={why()} />}</Match>
          <Match when={at("projects")}>
            <ExperimentsPage />
          </Match>
          <Match when={at("project")} keyed>
            {(here) => <ExperimentsPage project={here.project} />}
          </Match>
          <Match when={at("experiment")} keyed>
            {(here) => <ExperimentPage project={here.project} experiment={here.experiment} />}
          </Match>
          <Match when={at("settings")} keyed>
            {(here) => <SettingsPage project={here.project} />}
          </Match>
          <Match when={at("sql")}>
            <SqlPage />
          </Match>
          <Match when={at("dataset")} keyed>
            {(here) => <RowsPage project={here.project} dataset={here.dataset} />}
          </Match>
          <Match when={at("logs")} keyed>
            {(here) => <RowsPage project={here.project} />}
          </Match>
          <Match when={at("object")} keyed>
            {(here) => <ObjectPage type={here.type} id={here.id} row={here.row} />}
          </Match>
          <Match when={at("unknown")}>
            <section class="empty">
              <h1>There is no such page</h1>
              <p>
                Nothing is at <code>{at("unknown")?.path}</code>. <a href={to.projects()}>All experiments</a>
              </p>
            </section>
          </Match>
        </Switch>
      </Suspense>
    </Frame>
  );
}
