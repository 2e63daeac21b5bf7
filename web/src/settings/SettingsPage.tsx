import { createMemo, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { SettingsAnswer } from "../api/types";
import { oneLine } from "../format/value";
import { copy } from "../ui/copy";
import { Trouble } from "../ui/Trouble";
import "./SettingsPage.css";

/** What can be set, in words, and what holds when it is not. */
const SETTINGS: [keyof SettingsAnswer["settings"], string, string][] = [
  ["comparison_key", "Which rows are the same case", "input"],
  ["reducer", "How trials of a case become one value", "mean"],
  [
    "baseline",
    "What experiments are held against",
    "the recorded base, else the latest on the same branch, else the latest of the project",
  ],
  ["baselines", "Baselines with a name", "none"],
  ["scores", "Directions and tolerances of scores", "higher is better, any difference counts"],
  ["metrics", "Directions and tolerances of metrics", "by name: less time, tokens, cost and errors are better"],
  ["aggregate_scores", "Scores made of scores", "none"],
  ["columns", "Columns made of expressions", "none"],
  ["language_model", "Who may translate phrases", "nobody"],
];

/** How a project is read. */
export default function SettingsPage(props: { project: string }) {
  const settings = answer(
    () => props.project,
    (project, signal) => get<SettingsAnswer>(`/api/v1/projects/${encodeURIComponent(project)}/settings`, {}, signal),
  );
  const values = createMemo(() => (settings()?.settings ?? {}) as Record<string, unknown>);
  const command = (name: string) => `evalhouse settings ${props.project} set ${name} '…'`;
  return (
    <section class="settings">
      <h1>How {props.project} is read</h1>
      <Trouble error={settings.error} again={settings.again} />
      <Show when={settings()}>
        <table>
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            <For each={SETTINGS}>
              {([name, about, otherwise]) => (
                <tr>
                  <th scope="row">
                    {about}
                    <div class="quiet mono">{name}</div>
                  </th>
                  <td>
                    <Show when={values()[name] != null} fallback={<span class="quiet">not set: {otherwise}</span>}>
                      <Value of={values()[name]} />
                    </Show>
                  </td>
                  <td>
                    <button
                      class="mono"
                      title={command(name)}
                      onClick={() => copy(command(name), "Copied the command")}
                    >
                      Copy the command
                    </button>
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </Show>
    </section>
  );
}

function Value(props: { of: unknown }) {
  return (
    <Show when={typeof props.of === "object"} fallback={<code>{oneLine(props.of)}</code>}>
      <For each={Object.entries(props.of as object)}>
        {([name, value]) => (
          <div>
            {name}: <code>{oneLine(value)}</code>
          </div>
        )}
      </For>
    </Show>
  );
}
