import { createSignal, For, lazy, Show, Suspense } from "solid-js";
import { changeSettings } from "../api/settings";
import { setParameters } from "../router";
import { say } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { numberOf } from "./Header";
import { frozen, height, HEIGHTS, setHeight, type Height } from "./Table";
import { listed, quoted } from "../format/language";
import { type View } from "./view";

const NewColumn = lazy(() => import("./NewColumn"));

/** Names that are listed at once; the text finds the others. */
const LISTED = 200;

/** Which columns the table has, in which order, how many stay in place, and how high a row is. */
export function Columns(props: { view: View }) {
  const [text, setText] = createSignal("");
  const [making, setMaking] = createSignal(false);
  /** What was asked for; until then what the server chose. */
  const shown = () => {
    const asked = props.view.columns();
    return asked === undefined ? (props.view.cases()?.columns ?? []).map((column) => column.name) : listed(asked);
  };
  const own = () => Object.entries(props.view.settings()?.settings.columns ?? {});
  const others = () => {
    const { scores = {}, metrics = {} } = props.view.summary() ?? {};
    const all = [
      ...own().map(([name]) => quoted(name)),
      ...["input", "output", "expected", "error", "tags", "metadata", "created"],
      ...Object.keys(scores).map((name) => `scores.${quoted(name)}`),
      ...Object.keys(metrics).map((name) => `metrics.${quoted(name)}`),
      ...(props.view.fields()?.fields ?? []).map((field) => field.path).filter((path) => !path.includes("[*]")),
    ];
    const has = new Set(shown());
    const part = text().toLowerCase();
    const found = [...new Set(all)].filter((name) => !has.has(name) && name.toLowerCase().includes(part));
    return found.slice(0, LISTED);
  };
  const set = (names: string[]) => setParameters({ columns: names.length > 0 ? names.join(",") : null });
  const move = (index: number, by: number) => {
    const names = shown();
    const [name] = names.splice(index, 1);
    names.splice(index + by, 0, name!);
    set(names);
  };
  const regressions = () => {
    const scores = props.view.diff()?.scores ?? {};
    const rank = (name: string) => scores[numberOf({ name })!.name]?.regressed ?? -1;
    const isScore = (name: string) => numberOf({ name })?.kind === "score";
    const ranked = shown()
      .filter(isScore)
      .toSorted((a, b) => rank(b) - rank(a));
    set(shown().map((name) => (isScore(name) ? ranked.shift()! : name)));
  };
  const forget = async (name: string) => {
    await changeSettings(props.view.project, { unset: [`columns.${name}`] });
    say(`The project has no column ${name} any more`);
    props.view.settings.again();
  };
  return (
    <>
      <Menu label="Columns" right>
        <label>
          Rows
          <select
            aria-label="Height of rows"
            value={height()}
            onChange={(event) => setHeight(event.currentTarget.value as Height)}
          >
            <For each={Object.keys(HEIGHTS)}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </label>
        <button onClick={regressions} disabled={!props.view.comparing()}>
          Order scores by regressions
        </button>
        <button onClick={() => setParameters({ columns: null, freeze: null })}>The usual columns</button>
        <button onClick={() => setMaking(true)}>New column…</button>
        <h3>Shown</h3>
        <For each={shown().slice(0, LISTED)}>
          {(name, index) => (
            <div class="row">
              <label class="grow">
                <input
                  type="checkbox"
                  checked
                  onChange={() => set(shown().filter((one) => one !== name))}
                  disabled={shown().length === 1}
                />
                <span class="cut">{name}</span>
              </label>
              <button
                aria-pressed={index() < frozen()}
                title="Keep the columns up to here in place"
                aria-label={`Freeze up to ${name}`}
                onClick={() => setParameters({ freeze: frozen() === index() + 1 ? null : String(index() + 1) })}
              >
                Freeze
              </button>
              <button aria-label={`Move ${name} left`} disabled={index() === 0} onClick={() => move(index(), -1)}>
                ↑
              </button>
              <button
                aria-label={`Move ${name} right`}
                disabled={index() === shown().length - 1}
                onClick={() => move(index(), 1)}
              >
                ↓
              </button>
            </div>
          )}
        </For>
        <h3>Others</h3>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (text().trim()) set([...shown(), text().trim()]);
          }}
        >
          <input
            class="mono"
            placeholder="Find, or an expression and Enter"
            aria-label="Find a column, or write an expression"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </form>
        <For each={others()}>
          {(name) => (
            <label>
              <input type="checkbox" checked={false} onChange={() => set([...shown(), name])} />
              <span class="cut">{name}</span>
            </label>
          )}
        </For>
        <Show when={own().length > 0}>
          <h3>Made for this project</h3>
          <For each={own()}>
            {([name, column]) => (
              <div class="row">
                <span class="grow cut indent" title={column.expr}>
                  {name} <code class="quiet">{column.expr}</code>
                </span>
                <button aria-label={`Forget the column ${name}`} onClick={() => void forget(name)}>
                  ✕
                </button>
              </div>
            )}
          </For>
        </Show>
      </Menu>
      <Suspense>
        <Show when={making()}>
          <NewColumn view={props.view} close={() => setMaking(false)} />
        </Show>
      </Suspense>
    </>
  );
}
