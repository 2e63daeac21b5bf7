import { createSignal, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseTable } from "../api/types";
import { preview } from "../format/value";
import { Trouble } from "../ui/Trouble";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

const TYPES = ["", "number", "text", "boolean", "json"];
const RESTS_MS = 300;

/** Columns made of expressions, with what a new one gives in the newest experiment. */
export function CustomColumns(props: Part) {
  const [name, setName] = createSignal("");
  const [expression, setExpression] = createSignal("");
  const [tried, setTried] = createSignal("");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const type = (text: string) => {
    setExpression(text);
    clearTimeout(timer);
    timer = setTimeout(() => setTried(text.trim()), RESTS_MS);
  };
  const newest = () => props.experiments[0];
  const values = answer(
    () => (tried() && newest() ? { id: newest()!.id, columns: tried(), limit: "5", preview: "120" } : undefined),
    ({ id, ...given }, signal) => get<CaseTable>(`/api/v1/experiments/${encodeURIComponent(id)}/cases`, given, signal),
  );
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const type = String(new FormData(event.currentTarget as HTMLFormElement).get("type"));
    const setting = `columns.${name().trim()}`;
    const set = { [setting]: expression().trim(), ...(type === "" ? {} : { [`${setting}.type`]: type }) };
    void props.change({ set }).then((done) => {
      if (!done) return;
      for (const clear of [setName, setExpression, setTried]) clear("");
    });
  };
  return (
    <Section
      title="Custom columns"
      about="Columns made of expressions over a case; filters, groups and orders know them by their names."
    >
      <table>
        <tbody>
          <For each={Object.entries(props.settings.columns ?? {})}>
            {([column, of]) => (
              <tr>
                <th scope="row">{column}</th>
                <td>
                  <code>{of.expr}</code> <span class="quiet">{of.type}</span>
                </td>
                <td class="row">
                  <button
                    onClick={() => {
                      setName(column);
                      type(of.expr);
                    }}
                  >
                    Change {column}
                  </button>
                  <button onClick={() => void props.change({ unset: [`columns.${column}`] })}>Forget {column}</button>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <form class="row" onSubmit={save}>
        <input
          required
          aria-label="Name of the column"
          placeholder="tier"
          value={name()}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <input
          required
          class="mono grow"
          aria-label="Expression of the column"
          placeholder="metadata.tier"
          value={expression()}
          onInput={(event) => type(event.currentTarget.value)}
        />
        <select name="type" aria-label="Type of the column">
          <For each={TYPES}>{(one) => <option value={one}>{one === "" ? "type as it comes" : one}</option>}</For>
        </select>
        <button class="lined" disabled={values.error !== undefined}>
          Save the column
        </button>
      </form>
      <Trouble error={values.error} />
      <Show when={values()}>
        {(table) => (
          <p class="quiet" role="status" aria-label="What the column gives">
            In {newest()?.experiment}:{" "}
            <For each={table().rows}>
              {(row, index) => (
                <>
                  {index() > 0 ? ", " : ""}
                  <code>{preview(row.cells[0]?.value, 60)}</code>
                </>
              )}
            </For>
          </p>
        )}
      </Show>
    </Section>
  );
}
