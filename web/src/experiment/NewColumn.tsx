import { createSignal, For, lazy, Show, Suspense } from "solid-js";
import { answer, ApiError, get } from "../api/client";
import { changeSettings } from "../api/settings";
import type { CaseTable } from "../api/types";
import { setParameters } from "../router";
import { say } from "../ui/copy";
import { ValueCell } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Trouble } from "../ui/Trouble";
import { completeFilter } from "./complete";
import { quoted } from "../format/language";
import { type View } from "./view";

const Editor = lazy(() => import("../ui/Editor"));

const SHOWN = "8";
const RESTS_MS = 250;

/** A column made of an expression, with what it gives for the first cases; it is saved to the project. */
export default function NewColumn(props: { view: View; close: () => void }) {
  const [name, setName] = createSignal("");
  const [expression, setExpression] = createSignal("");
  const [tried, setTried] = createSignal("");
  const [error, setError] = createSignal<ApiError>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const typed = (text: string) => {
    setExpression(text);
    clearTimeout(timer);
    timer = setTimeout(() => setTried(text.trim()), RESTS_MS);
  };
  const preview = answer(
    () =>
      tried() === ""
        ? undefined
        : {
            project: props.view.project,
            where: props.view.where(),
            columns: `input,${tried()}`,
            against: props.view.bases()[0],
            preview: "200",
            limit: SHOWN,
          },
    (given, signal) => get<CaseTable>(`${props.view.path}/cases`, given, signal),
  );
  const shown = () => (props.view.cases()?.columns ?? []).map((column) => column.name);
  const show = (column: string) => {
    setParameters({ columns: [...shown(), column].join(",") });
    props.close();
  };
  const save = async () => {
    try {
      await changeSettings(props.view.project, { set: { [`columns.${name().trim()}`]: expression().trim() } });
      say(`Saved the column ${name().trim()} to the project`);
      props.view.settings.again();
      show(quoted(name().trim()));
    } catch (failure) {
      setError(failure as ApiError);
    }
  };
  return (
    <Dialog title="New column" close={props.close} wide>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          Name
          <input
            name="name"
            autofocus
            required
            placeholder="question"
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <div class="grow wide">
          <span>Expression</span>
          <Suspense fallback={<div class="editor waiting mono" />}>
            <Editor
              label="Expression of the column"
              text=""
              placeholder="input.question"
              enter={(text) => setTried(text.trim())}
              typed={typed}
              error={preview.error?.message}
              complete={(before) => completeFilter(props.view, before)}
            />
          </Suspense>
        </div>
        <Show when={!tried()}>
          <div class="wide">
            <span class="quiet">What the cases have:</span>
            <div class="offers">
              <For
                each={(props.view.fields()?.fields ?? []).filter((field) => !field.path.includes("[*]")).slice(0, 24)}
              >
                {(field) => (
                  <span class="mono offer" title={field.example ?? ""}>
                    {field.path} <span class="quiet">{Math.round(100 * field.presence)} %</span>
                  </span>
                )}
              </For>
            </div>
          </div>
        </Show>
        <Trouble error={preview.error ?? error()} />
        <Show when={preview()}>
          {(table) => (
            <table class="wide preview" aria-label="What the column would show">
              <thead>
                <tr>
                  <th scope="col">input</th>
                  <th scope="col">{name() || expression()}</th>
                </tr>
              </thead>
              <tbody>
                <For each={table().rows}>
                  {(row) => (
                    <tr>
                      <td class="quiet">
                        <ValueCell value={row.cells[0]?.value} />
                      </td>
                      <td>
                        <ValueCell value={row.cells[1]?.value} />
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          )}
        </Show>
        <div class="row">
          <button class="main" disabled={name().trim() === "" || !preview() || preview.error !== undefined}>
            Save to the project
          </button>
          <button
            type="button"
            class="lined"
            disabled={!preview() || preview.error !== undefined}
            onClick={() => show(expression().trim())}
          >
            Only show it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
