import { createMemo, createSignal, For, Show } from "solid-js";
import { answer, ApiError, get } from "../api/client";
import { changeSettings, type SettingsChange } from "../api/settings";
import type { ExperimentList, SettingsAnswer } from "../api/types";
import { to, withParameters } from "../router";
import { say } from "../ui/copy";
import { Trouble } from "../ui/Trouble";
import { AggregateScores } from "./AggregateScores";
import { BaselineRule } from "./BaselineRule";
import { ComparisonKey } from "./ComparisonKey";
import { CustomColumns } from "./CustomColumns";
import { Numbers } from "./Numbers";
import { Section } from "./Section";
import "./SettingsPage.css";

/** What the parts of the page are given. */
export interface Part {
  project: string;
  settings: SettingsAnswer["settings"];
  experiments: ExperimentList["experiments"];
  /** Makes a change; false when it was refused. */
  change: (change: SettingsChange) => Promise<boolean>;
}

const REDUCERS = ["mean", "median", "min", "max", "mode", "majority", "first", "last", "any", "all"];

/** How a project is read: everything can be changed here, and is stored at once. */
export default function SettingsPage(props: { project: string }) {
  const path = () => `/api/v1/projects/${encodeURIComponent(props.project)}/settings`;
  const stored = answer(path, (from, signal) => get<SettingsAnswer>(from, {}, signal));
  const list = answer(
    () => ({ project: props.project }),
    (given, signal) => get<ExperimentList>("/api/v1/experiments", given, signal),
  );
  const [changed, setChanged] = createSignal<SettingsAnswer>();
  const [error, setError] = createSignal<ApiError>();
  const settings = createMemo(() => (changed() ?? stored())?.settings);
  const change = async (what: SettingsChange) => {
    try {
      setChanged(await changeSettings(props.project, what));
      setError(undefined);
      say("Saved");
      return true;
    } catch (failure) {
      setError(failure as ApiError);
      return false;
    }
  };
  return (
    <section class="settings">
      <h1>How {props.project} is read</h1>
      <Trouble error={stored.error ?? error()} />
      <Show when={settings()}>
        {(now) => {
          const part = (): Part => ({
            project: props.project,
            settings: now(),
            experiments: list()?.experiments ?? [],
            change,
          });
          const reducer = () => now().reducer ?? "mean";
          return (
            <>
              <ComparisonKey {...part()} />
              <Section title="Trials" about="How the trials of a case become one value where cases are compared.">
                <label class="row">
                  Reducer
                  <select
                    value={reducer()}
                    onChange={(event) => {
                      const chosen = event.currentTarget.value;
                      void change(chosen === "mean" ? { unset: ["reducer"] } : { set: { reducer: chosen } });
                    }}
                  >
                    <For each={[...new Set([...REDUCERS, reducer()])]}>
                      {(name) => (
                        <option value={name} selected={name === reducer()}>
                          {name}
                        </option>
                      )}
                    </For>
                  </select>
                </label>
              </Section>
              <BaselineRule {...part()} />
              <Numbers {...part()} kind="scores" />
              <AggregateScores {...part()} />
              <CustomColumns {...part()} />
              <Numbers {...part()} kind="metrics" />
              <Section title="Saved views" about="Made on the page of an experiment, under Views.">
                <Show
                  when={Object.keys(now().views ?? {}).length > 0}
                  fallback={<p class="quiet">There is none yet.</p>}
                >
                  <table>
                    <tbody>
                      <For each={Object.entries(now().views ?? {})}>
                        {([name, search]) => (
                          <tr>
                            <th scope="row">{name}</th>
                            <td class="mono cut">{search}</td>
                            <td>
                              <button onClick={() => void change({ unset: [`views.${name}`] })}>Forget {name}</button>
                            </td>
                          </tr>
                        )}
                      </For>
                    </tbody>
                  </table>
                </Show>
              </Section>
              <LanguageModel {...part()} />
              <p class="quiet">
                The same on the command line: <code>evalhouse settings {props.project}</code>.{" "}
                <a href={withParameters(to.project(props.project), {})}>Experiments of {props.project}</a>
              </p>
            </>
          );
        }}
      </Show>
    </section>
  );
}

const MODEL = ["base_url", "model", "api_key_variable"] as const;

/** Who may translate phrases. The key itself is never stored: only the name of the variable that has it. */
function LanguageModel(props: Part) {
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const values = MODEL.map((name) => [`language_model.${name}`, String(given.get(name) ?? "").trim()] as const);
    void props.change({
      set: Object.fromEntries(values.filter(([, value]) => value !== "")),
      unset: values.filter(([, value]) => value === "").map(([name]) => name),
    });
  };
  return (
    <Section
      title="Language model"
      about="The command line may ask it to turn phrases into filters. The server and this page ask nobody."
    >
      <form class="fields" onSubmit={save}>
        <For each={MODEL}>
          {(name) => (
            <label>
              {{ base_url: "Address", model: "Model", api_key_variable: "Variable with its key" }[name]}
              <input name={name} class="mono" value={props.settings.language_model?.[name] ?? ""} />
            </label>
          )}
        </For>
        <button class="lined">Save</button>
      </form>
    </Section>
  );
}
