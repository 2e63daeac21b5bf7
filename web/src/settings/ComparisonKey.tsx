import { For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { KeyCheck } from "../api/types";
import { count, percent } from "../format/number";
import { createRested } from "../ui/rested";
import { Trouble, Warnings } from "../ui/Trouble";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

/** Which rows are the same case, with what the key would match before it is saved. */
export function ComparisonKey(props: Part) {
  const stored = () => props.settings.comparison_key ?? "input";
  const key = createRested(stored());
  const check = answer(
    () => (key.tried() === "" ? undefined : { key: key.tried() }),
    (given, signal) => get<KeyCheck>(`/api/v1/projects/${encodeURIComponent(props.project)}/key-check`, given, signal),
  );
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const written = key.text().trim();
    const isUsual = written === "input" || written === "";
    void props.change(isUsual ? { unset: ["comparison_key"] } : { set: { comparison_key: written } });
  };
  return (
    <Section
      title="Comparison key"
      about="Which rows are the same case, in one experiment and across experiments: an expression, or several in brackets."
    >
      <form class="row" onSubmit={save}>
        <input
          class="mono grow"
          aria-label="Comparison key"
          value={key.text()}
          placeholder="[input.question, metadata.tier]"
          onInput={(event) => key.type(event.currentTarget.value)}
        />
        <button class="main" disabled={key.text().trim() === stored() || check.error !== undefined}>
          Save
        </button>
      </form>
      <Trouble error={check.error} />
      <Show when={check()}>
        {(of) => (
          <div classList={{ stale: check.loading }}>
            <table aria-label="What the key matches">
              <thead>
                <tr>
                  <th scope="col">Newest experiments</th>
                  <th scope="col" class="number">
                    Rows
                  </th>
                  <th scope="col" class="number">
                    Keys
                  </th>
                  <th scope="col" class="number">
                    With trials
                  </th>
                  <th scope="col" class="number">
                    Without a key
                  </th>
                  <th scope="col" class="number">
                    Matched with the one below
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={of().experiments}>
                  {(one, index) => (
                    <tr>
                      <th scope="row">{one.experiment}</th>
                      <td class="number">{count(one.rows)}</td>
                      <td class="number">{count(one.keys)}</td>
                      <td class="number">{count(one.repeated)}</td>
                      <td class="number">{count(one.null_key)}</td>
                      <td class="number">
                        <Show when={of().matches[index()]} fallback="–">
                          {(match) => (
                            <span
                              title={`only in ${match().base}: ${count(match().base_only)}, only in ${match().candidate}: ${count(match().candidate_only)}`}
                            >
                              {count(match().matched)} ({percent(match().rate, 0)})
                            </span>
                          )}
                        </Show>
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
            <Warnings of={of().warnings} />
            <For each={of().collisions}>
              {(one) => (
                <p class="quiet">
                  <code>{one.key}</code> stands for {count(one.inputs)} different inputs in {one.experiment}.
                </p>
              )}
            </For>
          </div>
        )}
      </Show>
    </Section>
  );
}
