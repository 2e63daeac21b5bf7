import { For } from "solid-js";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

/** What experiments are held against, and baselines with a name. */
export function BaselineRule(props: Part) {
  const names = () => [...new Set(props.experiments.map((row) => row.experiment))];
  const set = (name: string, value: string) =>
    void props.change(value === "" ? { unset: [name] } : { set: { [name]: value } });
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const [name, target] = [String(given.get("name")).trim(), String(given.get("target")).trim()];
    void props.change({ set: { [`baselines.${name}`]: target } }).then((done) => done && form.reset());
  };
  return (
    <Section
      title="Baseline"
      about="What an experiment is held against: its recorded base, else this one, else the latest on its branch, else the latest of the project."
    >
      <datalist id="experiment-names">
        <For each={names()}>{(name) => <option value={name} />}</For>
      </datalist>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          set("baseline.experiment", String(new FormData(event.currentTarget).get("experiment")).trim());
        }}
      >
        <label class="row grow">
          Experiment
          <input
            class="grow"
            name="experiment"
            list="experiment-names"
            placeholder="none: the rules below it choose"
            value={props.settings.baseline?.experiment ?? ""}
          />
        </label>
        <button class="lined">Save</button>
      </form>
      <label class="row">
        <input
          type="checkbox"
          checked={props.settings.baseline?.overrides_recorded ?? false}
          onChange={(event) => set("baseline.overrides_recorded", event.currentTarget.checked ? "true" : "")}
        />
        It wins over the base that an experiment recorded for itself
      </label>
      <table>
        <tbody>
          <For each={Object.entries(props.settings.baselines ?? {})}>
            {([name, target]) => (
              <tr>
                <th scope="row">
                  <code>baseline:{name}</code>
                </th>
                <td>{target}</td>
                <td>
                  <button onClick={() => void props.change({ unset: [`baselines.${name}`] })}>Forget {name}</button>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <form class="row" onSubmit={add}>
        <input name="name" required aria-label="Name of a baseline" placeholder="release" />
        <input
          name="target"
          required
          list="experiment-names"
          aria-label="Its experiment"
          placeholder="experiment"
          class="grow"
        />
        <button class="lined">Name a baseline</button>
      </form>
    </Section>
  );
}
