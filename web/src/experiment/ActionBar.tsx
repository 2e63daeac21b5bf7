import { createSignal, For, Show } from "solid-js";
import { parameters, setParameters } from "../router";
import { copy, copyWhenHere } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { Score } from "./Score";
import { command } from "./showMeHow";
import { idIn, type View } from "./view";
import { asMarkdown } from "./written";

const FORMATS = ["csv", "json", "parquet"];

/** What can be done with the picked cases. */
export function ActionBar(props: { view: View }) {
  const [scoring, setScoring] = createSignal(false);
  const ids = () => parameters("pick");
  const isTheirs = () => props.view.rows().some((row) => row?.presence === "base_only" && ids().includes(row.id));
  // The baseline's own rows are listed where a filter asks who has a case.
  const condition = () => (isTheirs() ? `${idIn(ids())} and presence() is not null` : idIn(ids()));
  const shown = () => command(props.view, condition());
  return (
    <div class="actions" role="toolbar" aria-label="Picked cases">
      <strong>{ids().length} picked</strong>
      <button onClick={() => setScoring(true)}>Score</button>
      <button onClick={() => setParameters({ where: condition(), layout: "grid", pick: null })}>Side by side</button>
      <button onClick={() => setParameters({ where: condition(), pick: null })}>Show only these</button>
      <Menu label="Export these" up>
        <For each={FORMATS}>
          {(format) => (
            <a
              class="button"
              href={props.view.listedAs(format, condition())}
              download={`${props.view.experiment}-picked.${format}`}
            >
              {format}
            </a>
          )}
        </For>
      </Menu>
      <button onClick={() => copyWhenHere(asMarkdown(props.view, condition()))}>Copy as Markdown</button>
      <button onClick={() => copy(location.href, "Copied the link")}>Copy link</button>
      <button title={shown()} onClick={() => copy(shown(), "Copied the command")}>
        Copy the command
      </button>
      <button onClick={() => setParameters({ pick: null })}>Clear</button>
      <Show when={scoring()}>
        <Score view={props.view} rows={ids()} close={() => setScoring(false)} />
      </Show>
    </div>
  );
}
