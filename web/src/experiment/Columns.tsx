import { createSignal, For } from "solid-js";
import { setParameters } from "../router";
import { Menu } from "../ui/Menu";
import { compact, setCompact } from "./Table";
import { quoted, type View } from "./view";

/** Names that are listed at once; the text finds the others. */
const LISTED = 200;

/** Which columns the table has, and in which order. */
export function Columns(props: { view: View }) {
  const [text, setText] = createSignal("");
  const shown = () => (props.view.cases()?.columns ?? []).map((column) => column.name);
  const others = () => {
    const { scores = {}, metrics = {} } = props.view.summary() ?? {};
    const all = [
      ...["input", "output", "expected", "error", "tags", "metadata", "created"],
      ...Object.keys(scores).map((name) => `scores.${quoted(name)}`),
      ...Object.keys(metrics).map((name) => `metrics.${quoted(name)}`),
      ...(props.view.fields()?.fields ?? []).map((field) => field.path).filter((path) => !path.includes("[*]")),
    ];
    const found = [...new Set(all)].filter(
      (name) => !shown().includes(name) && name.toLowerCase().includes(text().toLowerCase()),
    );
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
    const rank = (name: string) => scores[name.replace(/^scores\./, "").replaceAll('"', "")]?.regressed ?? -1;
    const isScore = (name: string) => name.startsWith("scores.");
    const ranked = shown()
      .filter(isScore)
      .toSorted((a, b) => rank(b) - rank(a));
    set(shown().map((name) => (isScore(name) ? ranked.shift()! : name)));
  };
  return (
    <Menu label="Columns" right>
      <label>
        <input type="checkbox" checked={compact()} onChange={(event) => setCompact(event.currentTarget.checked)} />
        Compact rows
      </label>
      <button onClick={regressions} disabled={!props.view.comparing()}>
        Order scores by regressions
      </button>
      <button onClick={() => set([])}>The usual columns</button>
      <h3>Shown</h3>
      <For each={shown()}>
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
    </Menu>
  );
}
