import { For, Show } from "solid-js";
import { withParameters, type Given } from "../router";
import { to } from "../router";
import { copy } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { asMarkdown, command, sqlOf } from "./showMeHow";
import type { View } from "./view";

const FORMATS = ["csv", "json", "jsonl", "parquet", "arrow"];

/** Takes along what is shown, or all of the experiment; and says how to get it elsewhere. */
export function Export(props: { view: View }) {
  const link = (format: string, given: Given) =>
    withParameters(`${props.view.path}/export`, { project: props.view.project, format, ...given });
  const listed = (): Given => ({
    rows: "listed",
    against: props.view.bases()[0],
    where: props.view.where(),
    sort: props.view.sort(),
    columns: props.view.columns(),
    align: props.view.align(),
  });
  return (
    <Menu label="Export" right>
      <h3>What is listed: this filter, order and these columns</h3>
      <Formats view={props.view} link={(format) => link(format, listed())} part="" />
      <button onClick={() => copy(asMarkdown(props.view), "Copied as Markdown")}>Copy the rows as Markdown</button>
      <h3>All cases</h3>
      <Formats view={props.view} link={(format) => link(format, { rows: "cases" })} part="-cases" />
      <h3>All spans, every field</h3>
      <Formats
        view={props.view}
        link={(format) => link(format, { rows: "spans", "all-fields": "true" })}
        part="-spans"
      />
      <h3>Show me how</h3>
      <button class="how" onClick={() => copy(command(props.view), "Copied the command")} title="Copy the command">
        <code>{command(props.view)}</code>
      </button>
      <Show
        when={sqlOf(props.view)}
        fallback={<p class="quiet indent">This filter compares cases: SQL has no word for it, the command has.</p>}
      >
        {(text) => (
          <>
            <button class="how" onClick={() => copy(text(), "Copied the SQL")} title="Copy the SQL">
              <code>{text()}</code>
            </button>
            <a class="button" href={withParameters(to.sql(), { q: text() })}>
              Open it as SQL
            </a>
          </>
        )}
      </Show>
    </Menu>
  );
}

function Formats(props: { view: View; link: (format: string) => string; part: string }) {
  return (
    <div class="row">
      <For each={FORMATS}>
        {(format) => (
          <a class="button" href={props.link(format)} download={`${props.view.experiment}${props.part}.${format}`}>
            {format}
          </a>
        )}
      </For>
    </div>
  );
}
