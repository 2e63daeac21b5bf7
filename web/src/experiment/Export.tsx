import { For, Show } from "solid-js";
import { withParameters } from "../router";
import { copy } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { asMarkdown, command, sqlOf } from "./showMeHow";
import type { View } from "./view";

const FORMATS = ["csv", "json", "jsonl", "parquet", "arrow"];

/** Takes along what is shown, or all of the experiment; and says how to get it elsewhere. */
export function Export(props: { view: View }) {
  const link = (format: string, all: boolean) =>
    withParameters(`${props.view.path}/export`, {
      project: props.view.project,
      format,
      rows: all ? "spans" : "cases",
      "all-fields": all ? "true" : null,
    });
  return (
    <Menu label="Export" right>
      <h3>Shown rows</h3>
      <button onClick={() => copy(asMarkdown(props.view), "Copied as Markdown")}>Copy as Markdown</button>
      <h3>Show me how</h3>
      <button onClick={() => copy(command(props.view), "Copied the command")} title={command(props.view)}>
        Copy the command line
      </button>
      <Show when={sqlOf(props.view)}>
        {(text) => (
          <button onClick={() => copy(text(), "Copied the SQL")} title={text()}>
            Copy the SQL
          </button>
        )}
      </Show>
      <h3>All cases</h3>
      <div class="row">
        <For each={FORMATS}>
          {(format) => (
            <a class="button" href={link(format, false)} download={`${props.view.experiment}.${format}`}>
              {format}
            </a>
          )}
        </For>
      </div>
      <h3>All spans, every field</h3>
      <div class="row">
        <For each={FORMATS}>
          {(format) => (
            <a class="button" href={link(format, true)} download={`${props.view.experiment}-spans.${format}`}>
              {format}
            </a>
          )}
        </For>
      </div>
    </Menu>
  );
}
