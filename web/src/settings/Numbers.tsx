import { createMemo, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { Summary } from "../api/types";
import { Some } from "../ui/Some";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

const ABOUT = {
  scores: "Which way a score is better, and how much it has to differ to count: 0.01 is one point of a hundred.",
  metrics: "The same of metrics, in their own units. Less time, tokens, cost and errors are better by their names.",
};

/** Directions and tolerances of scores or metrics. */
export function Numbers(props: Part & { kind: "scores" | "metrics" }) {
  const newest = () => props.experiments[0]?.id;
  const summary = answer(
    () => (props.kind === "metrics" ? newest() : undefined),
    (id, signal) => get<Summary>(`/api/v1/experiments/${encodeURIComponent(id)}/summary`, {}, signal),
  );
  const made = () => props.settings[props.kind] ?? {};
  const names = createMemo(() => {
    const found =
      props.kind === "scores"
        ? props.experiments.flatMap((row) => Object.keys(row.scores))
        : Object.keys(summary()?.metrics ?? {});
    return [...new Set([...found, ...Object.keys(made())])];
  });
  const set = (name: string, property: string, value: string) => {
    const setting = `${props.kind}.${name}.${property}`;
    void props.change(value === "" ? { unset: [setting] } : { set: { [setting]: value } });
  };
  return (
    <Section title={props.kind === "scores" ? "Scores" : "Metrics"} about={ABOUT[props.kind]}>
      <Show when={names().length > 0} fallback={<p class="quiet">No experiment has any yet.</p>}>
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Better</th>
              <th scope="col">Tolerance</th>
            </tr>
          </thead>
          <tbody>
            <Some
              each={names()}
              step={50}
              more={(button) => (
                <tr>
                  <td colspan="3">{button}</td>
                </tr>
              )}
            >
              {(name) => (
                <tr>
                  <th scope="row">{name}</th>
                  <td>
                    <select
                      aria-label={`Which way ${name} is better`}
                      onChange={(event) => set(name, "direction", event.currentTarget.value)}
                    >
                      <For
                        each={
                          [
                            ["", "as usual"],
                            ["higher", "higher"],
                            ["lower", "lower"],
                          ] as const
                        }
                      >
                        {([value, text]) => (
                          <option value={value} selected={(made()[name]?.direction ?? "") === value}>
                            {text}
                          </option>
                        )}
                      </For>
                    </select>
                  </td>
                  <td>
                    <input
                      type="number"
                      min="0"
                      step="any"
                      placeholder="none"
                      aria-label={`Tolerance of ${name}`}
                      value={made()[name]?.tolerance ?? ""}
                      onChange={(event) => set(name, "tolerance", event.currentTarget.value)}
                    />
                  </td>
                </tr>
              )}
            </Some>
          </tbody>
        </table>
      </Show>
    </Section>
  );
}
