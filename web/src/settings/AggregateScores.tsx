import { createMemo, createSignal, For, Show } from "solid-js";
import { plain } from "../format/number";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

type Kind = "weighted" | "minimum" | "maximum";

const MISSING = [
  ["renormalise", "the others carry its weight"],
  ["null", "the whole is missing, too"],
  ["zero", "it counts as 0"],
] as const;

/** Scores made of scores. */
export function AggregateScores(props: Part) {
  const all = () => Object.entries(props.settings.aggregate_scores ?? {});
  const [editing, setEditing] = createSignal<string>();
  return (
    <Section
      title="Aggregate scores"
      about="Scores made of scores: a weighted mean, the smallest or the largest, worked out for each row and then averaged."
    >
      <table>
        <tbody>
          <For each={all()}>
            {([name, of]) => (
              <tr>
                <th scope="row">{name}</th>
                <td>
                  {of.type} of {written(of.categories)}
                  <span class="quiet">
                    ; without one, {MISSING.find(([policy]) => policy === (of.missing ?? "renormalise"))?.[1]}
                  </span>
                </td>
                <td class="row">
                  <button onClick={() => setEditing(name)}>Change {name}</button>
                  <button onClick={() => void props.change({ unset: [`aggregate_scores.${name}`] })}>
                    Forget {name}
                  </button>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <Show
        when={editing() !== undefined}
        fallback={
          <button class="lined" onClick={() => setEditing("")}>
            New aggregate score
          </button>
        }
      >
        <Form {...props} name={editing()!} close={() => setEditing(undefined)} />
      </Show>
    </Section>
  );
}

function written(categories: unknown): string {
  if (Array.isArray(categories)) return categories.join(", ");
  return Object.entries(categories as Record<string, number>)
    .map(([name, weight]) => `${plain(weight)} × ${name}`)
    .join(", ");
}

function Form(props: Part & { name: string; close: () => void }) {
  const before = props.settings.aggregate_scores?.[props.name];
  const [kind, setKind] = createSignal<Kind>(before?.type ?? "weighted");
  const given = before?.categories as Record<string, number> | string[] | undefined;
  const start = Array.isArray(given) ? Object.fromEntries(given.map((name) => [name, 1])) : (given ?? {});
  const [weights, setWeights] = createSignal<Record<string, number>>(start);
  const [flipped, setFlipped] = createSignal<readonly string[]>(before?.flip ?? []);
  const names = createMemo(() => {
    const found = props.experiments.flatMap((row) => Object.keys(row.scores));
    const others = Object.keys(props.settings.aggregate_scores ?? {});
    return [...new Set([...found, ...others, ...Object.keys(weights())])].filter((name) => name !== props.name);
  });
  const weigh = (name: string, text: string) => {
    const rest = Object.fromEntries(Object.entries(weights()).filter(([one]) => one !== name));
    setWeights(Number(text) > 0 ? { ...rest, [name]: Number(text) } : rest);
  };
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get("name")).trim();
    const value = {
      type: kind(),
      categories: kind() === "weighted" ? weights() : Object.keys(weights()),
      missing: String(form.get("missing")),
      flip: flipped().filter((one) => one in weights()),
    };
    const gone = before !== undefined && name !== props.name ? [`aggregate_scores.${props.name}`] : [];
    const set = { [`aggregate_scores.${name}`]: JSON.stringify(value) };
    void props.change({ set, unset: gone }).then((done) => done && props.close());
  };
  return (
    <form class="fields" aria-label="Aggregate score" onSubmit={save}>
      <label>
        Name
        <input name="name" required autofocus value={props.name} placeholder="Overall" />
      </label>
      <label>
        Formula
        <select value={kind()} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
          <option value="weighted">weighted mean</option>
          <option value="minimum">the smallest</option>
          <option value="maximum">the largest</option>
        </select>
      </label>
      <label>
        Where a score is missing
        <select name="missing">
          <For each={MISSING}>
            {([policy, text]) => (
              <option value={policy} selected={(before?.missing ?? "renormalise") === policy}>
                {text}
              </option>
            )}
          </For>
        </select>
      </label>
      <table class="full">
        <thead>
          <tr>
            <th scope="col">Score</th>
            <th scope="col">{kind() === "weighted" ? "Weight" : "Counts"}</th>
            <th scope="col">Less is better</th>
          </tr>
        </thead>
        <tbody>
          <For each={names()}>
            {(name) => (
              <tr>
                <th scope="row">{name}</th>
                <td>
                  <Show
                    when={kind() === "weighted"}
                    fallback={
                      <input
                        type="checkbox"
                        aria-label={`Use ${name}`}
                        checked={name in weights()}
                        onChange={(event) => weigh(name, event.currentTarget.checked ? "1" : "0")}
                      />
                    }
                  >
                    <input
                      type="number"
                      min="0"
                      step="any"
                      placeholder="0"
                      aria-label={`Weight of ${name}`}
                      value={weights()[name] ?? ""}
                      onInput={(event) => weigh(name, event.currentTarget.value)}
                    />
                  </Show>
                </td>
                <td>
                  <input
                    type="checkbox"
                    aria-label={`Less of ${name} is better: use 1 − score`}
                    checked={flipped().includes(name)}
                    onChange={(event) =>
                      setFlipped(
                        event.currentTarget.checked ? [...flipped(), name] : flipped().filter((one) => one !== name),
                      )
                    }
                  />
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <div class="row full">
        <button class="main" disabled={Object.keys(weights()).length === 0}>
          Save
        </button>
        <button type="button" class="lined" onClick={props.close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
