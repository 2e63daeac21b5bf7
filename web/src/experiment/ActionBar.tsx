import { createSignal, For, Show } from "solid-js";
import { parameters, setParameters, withParameters } from "../router";
import { copy } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { Score } from "./Score";
import { asMarkdown, command } from "./showMeHow";
import { idIn, type View } from "./view";

const FORMATS = ["csv", "json", "parquet"];

/** What can be done with the picked cases. */
export function ActionBar(props: { view: View }) {
  const [scoring, setScoring] = createSignal(false);
  const ids = () => parameters("pick");
  const condition = () => idIn(ids());
  const shown = () => command(props.view, condition());
  const link = (format: string) =>
    withParameters(`${props.view.path}/export`, {
      project: props.view.project,
      format,
      rows: "listed",
      against: props.view.bases()[0],
      align: props.view.align(),
      columns: props.view.columns(),
      where: condition(),
    });
  return (
    <div class="actions" role="toolbar" aria-label="Picked cases">
      <strong>{ids().length} picked</strong>
      <button onClick={() => setScoring(true)}>Score</button>
      <button onClick={() => setParameters({ where: condition(), layout: "grid", pick: null })}>Side by side</button>
      <button onClick={() => setParameters({ where: condition(), pick: null })}>Show only these</button>
      <Menu label="Export these" up>
        <For each={FORMATS}>
          {(format) => (
            <a class="button" href={link(format)} download={`${props.view.experiment}-picked.${format}`}>
              {format}
            </a>
          )}
        </For>
      </Menu>
      <button onClick={() => copy(asMarkdown(props.view, new Set(ids())), "Copied as Markdown")}>
        Copy as Markdown
      </button>
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
