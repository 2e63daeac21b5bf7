import { createSignal, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { CaseTable } from "../api/types";
import { preview } from "../format/value";
import { createRested } from "../ui/rested";
import { Trouble } from "../ui/Trouble";
import { Section } from "./Section";
import type { Part } from "./SettingsPage";

const TYPES = ["", "number", "text", "boolean", "json"];

/** Columns made of expressions, with what a new one gives in the newest experiment. */
export function CustomColumns(props: Part) {
  const [name, setName] = createSignal("");
  const expression = createRested();
  const newest = () => props.experiments[0];
  const values = answer(
    () =>
      expression.tried() && newest()
        ? { id: newest()!.id, columns: expression.tried(), limit: "5", preview: "120" }
        : undefined,
    ({ id, ...given }, signal) => get<CaseTable>(`/api/v1/experiments/${encodeURIComponent(id)}/cases`, given, signal),
  );
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const type = String(new FormData(event.currentTarget as HTMLFormElement).get("type"));
    const setting = `columns.${name().trim()}`;
    const set = { [setting]: expression.text().trim(), ...(type === "" ? {} : { [`${setting}.type`]: type }) };
    void props.change({ set }).then((done) => {
      if (!done) return;
      setName("");
      expression.put("");
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
                      expression.put(of.expr);
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
          value={expression.text()}
          onInput={(event) => expression.type(event.currentTarget.value)}
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
