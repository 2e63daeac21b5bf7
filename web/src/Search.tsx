import { createMemo, createSignal, For } from "solid-js";
import { answer, get } from "./api/client";
import type { ExperimentList } from "./api/types";
import { go, to } from "./router";
import { Dialog } from "./ui/Dialog";
import "./ui/Menu.css";

const SHOWN = 30;

/** Finds projects, experiments and pages by parts of their names. */
export function Search(props: { close: () => void }) {
  const [text, setText] = createSignal("");
  const [chosen, setChosen] = createSignal(0);
  const list = answer(
    () => true,
    (_, signal) => get<ExperimentList>("/api/v1/experiments", {}, signal),
  );
  const places = createMemo(() => {
    const experiments = list()?.experiments ?? [];
    const projects = [...new Set(experiments.map((row) => row.project))];
    return [
      ...projects.map((name) => ({ what: "Project", name, path: to.project(name) })),
      { what: "Page", name: "All experiments", path: to.projects() },
      { what: "Page", name: "SQL", path: to.sql() },
      ...experiments.map((row) => ({
        what: "Experiment",
        name: `${row.project} / ${row.experiment}`,
        path: to.experiment(row.project, row.experiment),
      })),
    ];
  });
  const found = createMemo(() => {
    const words = text().toLowerCase().split(/\s+/);
    return places()
      .filter((one) => words.every((word) => one.name.toLowerCase().includes(word)))
      .slice(0, SHOWN);
  });
  const open = (path: string | undefined) => {
    if (path === undefined) return;
    props.close();
    go(path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") open(found()[chosen()]?.path);
    else if (step) setChosen((n) => Math.min(Math.max(n + step, 0), found().length - 1));
    else return;
    event.preventDefault();
  };
  const typed = (value: string) => {
    setText(value);
    setChosen(0);
  };
  return (
    <Dialog title="Search" close={props.close}>
      <input
        autofocus
        role="combobox"
        aria-label="Name of a project or experiment"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={`found-${chosen()}`}
        placeholder="Project or experiment"
        onInput={(event) => typed(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div id="found" role="listbox" aria-label="Found" class="options">
        <For each={found()}>
          {(one, index) => (
            <div
              role="option"
              id={`found-${index()}`}
              aria-selected={chosen() === index()}
              class="option"
              onClick={() => open(one.path)}
            >
              <span class="cut grow">{one.name}</span> <span class="quiet">{one.what}</span>
            </div>
          )}
        </For>
      </div>
    </Dialog>
  );
}
