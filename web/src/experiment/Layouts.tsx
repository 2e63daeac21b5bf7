import { For } from "solid-js";
import { setParameters } from "../router";
import type { Layout, View } from "./view";

const LAYOUTS: [Layout, string][] = [
  ["list", "List"],
  ["grid", "Grid"],
  ["summary", "Report"],
  ["trials", "Trials"],
];

/** The ways to show the cases. All obey the filter. */
export function Layouts(props: { view: View }) {
  return (
    <div class="choice" role="group" aria-label="Layout">
      <For each={LAYOUTS}>
        {([layout, name]) => (
          <button
            aria-pressed={props.view.layout() === layout}
            onClick={() => setParameters({ layout: layout === "list" ? null : layout })}
          >
            {name}
          </button>
        )}
      </For>
    </div>
  );
}
