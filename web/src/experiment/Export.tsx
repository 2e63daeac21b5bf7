import { For, Show } from "solid-js";
import { to, withParameters, type Given } from "../router";
import { copy, copyWhenHere, messageOf, say } from "../ui/copy";
import { Menu } from "../ui/Menu";
import { command, sqlOf } from "./showMeHow";
import type { View } from "./view";
import { asCsv, asJson, asMarkdown, groupValues, trialValues, type Values } from "./written";

const FORMATS = ["csv", "json", "jsonl", "parquet", "arrow"];

/** Takes along what is shown, or all of the experiment; and says how to get it elsewhere. */
export function Export(props: { view: View }) {
  const link = (format: string, given: Given) =>
    withParameters(`${props.view.path}/export`, { project: props.view.project, format, ...given });
  const isList = () => props.view.shows() === "list" || props.view.shows() === "grid";
  return (
    <Menu label="Export" right>
      <Show when={props.view.shows() === "groups"}>
        <h3>These groups</h3>
        <Written view={props.view} part="-groups" ask={groupValues} />
      </Show>
      <Show when={props.view.shows() === "trials"}>
        <h3>How much the trials of each case agree</h3>
        <Written view={props.view} part="-trials" ask={trialValues} />
      </Show>
      <h3>{isList() ? "What is listed" : "The cases behind it"}: this filter, order and these columns</h3>
      <Formats view={props.view} link={(format) => props.view.listedAs(format)} part="" />
      <button onClick={() => copyWhenHere(asMarkdown(props.view))}>Copy the rows as Markdown</button>
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
        fallback={<p class="quiet indent">SQL has no words for what is compared here; the command has.</p>}
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

const WRITERS: [string, string, (values: Values) => string][] = [
  ["csv", "text/csv", asCsv],
  ["json", "application/json", asJson],
];

/** Files that are written here. */
function Written(props: { view: View; part: string; ask: (view: View) => Promise<Values> }) {
  const write = async (format: string, type: string, writer: (values: Values) => string) => {
    try {
      const text = writer(await props.ask(props.view));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type }));
      link.download = `${props.view.experiment}${props.part}.${format}`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      say(messageOf(error));
    }
  };
  return (
    <div class="row">
      <For each={WRITERS}>
        {([format, type, writer]) => <button onClick={() => void write(format, type, writer)}>{format}</button>}
      </For>
    </div>
  );
}
