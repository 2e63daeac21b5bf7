import { createEffect, createMemo, createSignal, For, lazy, on, Show, Suspense } from "solid-js";
import { answer, ApiError, get, post, sql, type SqlRow } from "../api/client";
import type { QueryList } from "../api/types";
import { count, plain } from "../format/number";
import { parameter, setParameters } from "../router";
import { say } from "../ui/copy";
import { DataTable, ValueCell, type Column } from "../ui/DataTable";
import { kept } from "../ui/kept";
import { Menu } from "../ui/Menu";
import { Trouble } from "../ui/Trouble";
import { countRows, firstRows } from "./firstRows";
import "./SqlPage.css";

const Editor = lazy(() => import("../ui/Editor"));
const ResultChart = lazy(() => import("./ResultChart"));

const START = "select project, experiment, rows, created from experiments order by created desc";
const TABLES = "select table_name, column_name from information_schema.columns where table_schema = 'public'";
/** Rows that the page shows; a download has them all. */
const SHOWN = 10_000;
const COLUMNS = 100;
const REMEMBERED = 50;
const FORMATS = ["csv", "json", "jsonl", "parquet", "arrow"];

/** SQL over all experiments. */
export default function SqlPage() {
  const [history, setHistory] = kept<string[]>("sql", []);
  const asked = createMemo(() => parameter("q") ?? undefined);
  const askedWith = createMemo(() => parameter("given"));
  const [text, setText] = createSignal(asked() ?? START);
  const [given, setGiven] = createSignal<Record<string, string>>(read(askedWith()));
  // The address may change without the page: back and forth go through what was run.
  createEffect(
    on([asked, askedWith], ([query, written]) => {
      setText(query ?? START);
      setGiven(read(written));
    }),
  );
  const question = () => (asked() ? { query: asked()!, given: askedWith() } : undefined);
  const found = answer(question, ({ query, given }, signal) =>
    firstRows(query, values(query, read(given)), SHOWN, signal),
  );
  const rows = () => found()?.rows;
  const total = answer(
    () => (found()?.more && !found.loading ? question() : undefined),
    ({ query, given }, signal) => countRows(query, values(query, read(given)), signal),
  );
  const schema = answer(
    () => true,
    async (_, signal) => {
      const columns = await sql<{ table_name: string; column_name: string }>(TABLES, {}, signal);
      const tables = Map.groupBy(columns, (column) => column.table_name);
      return Object.fromEntries([...tables].map(([table, of]) => [table, of.map((column) => column.column_name)]));
    },
  );
  const queries = answer(
    () => true,
    (_, signal) => get<QueryList>("/api/v1/queries", {}, signal),
  );
  const charted = () => parameter("as") === "chart";
  const [stopped, setStopped] = createSignal(false);
  createEffect(() => found.loading && setStopped(false));
  const stop = () => {
    found.stop();
    setStopped(true);
  };
  const run = (query: string) => {
    if (query.trim() === "") return;
    setHistory([query, ...history().filter((one) => one !== query)].slice(0, REMEMBERED));
    const names = parametersIn(query);
    const kept = Object.fromEntries(names.map((name) => [name, given()[name] ?? ""]));
    const written = names.length > 0 ? JSON.stringify(kept) : null;
    if (query === asked() && written === askedWith()) found.again();
    else setParameters({ q: query, given: written, x: null, y: null, row: null });
  };
  const select = (row: SqlRow) => setParameters({ row: String((rows() ?? []).indexOf(row)) }, { replace: true });
  const names = createMemo(() => Object.keys(rows()?.[0] ?? {}));
  const columns = createMemo((): Column<SqlRow>[] =>
    names()
      .slice(0, COLUMNS)
      .map((name) => ({
        name,
        width: 200,
        number: (rows() ?? []).some((row) => typeof row[name] === "number"),
        header: () => name,
        cell: (row) =>
          typeof row[name] === "number" ? plain(row[name] as number, 6) : <ValueCell value={row[name]} />,
      })),
  );
  return (
    <>
      <h1 class="only-read">SQL</h1>
      <div class="sql-editor">
        <Suspense fallback={<pre class="editor lines">{text()}</pre>}>
          <Editor
            label="SQL"
            lines
            text={text()}
            typed={setText}
            enter={run}
            error={found.error?.message}
            schema={schema()}
          />
        </Suspense>
      </div>
      <div class="bar">
        <button class="main" onClick={() => run(text())}>
          Run <kbd>Ctrl ↵</kbd>
        </button>
        <Show when={found.loading}>
          <button class="lined" onClick={stop}>
            Stop
          </button>
        </Show>
        <button class="lined" onClick={() => run(`explain ${text().replace(/^\s*explain\s+/i, "")}`)}>
          Explain
        </button>
        <div class="choice" role="group" aria-label="Results as">
          <button aria-pressed={!charted()} onClick={() => setParameters({ as: null }, { replace: true })}>
            Table
          </button>
          <button aria-pressed={charted()} onClick={() => setParameters({ as: "chart" }, { replace: true })}>
            Chart
          </button>
        </div>
        <Menu label="Shipped queries">
          <For each={queries()?.queries ?? []}>
            {(query) => (
              <button
                title={query.sql}
                onClick={() => {
                  setText(query.sql);
                  const usual = query.parameters.map((one) => [one.name, String(one.default ?? "")] as const);
                  setGiven({ ...Object.fromEntries(usual), ...given() });
                }}
              >
                <span class="grow">{query.question}</span>
              </button>
            )}
          </For>
        </Menu>
        <Menu label="History">
          <For each={history()} fallback={<p class="quiet">Nothing was run yet.</p>}>
            {(query) => (
              <button class="mono cut" title={query} onClick={() => setText(query)}>
                {query}
              </button>
            )}
          </For>
        </Menu>
        <Menu label="Download all">
          <For each={FORMATS}>
            {(format) => (
              <button onClick={() => download(asked() ?? text(), values(asked() ?? text(), given()), format)}>
                {format}
              </button>
            )}
          </For>
        </Menu>
        <Show when={stopped()}>
          <span role="status">Stopped: what is shown is from before.</span>
        </Show>
        <Show when={found()}>
          {(of) => (
            <span class="quiet" role="status" aria-label="Rows of the query">
              {of().more
                ? `the first ${count(of().rows.length)} of ${total() === undefined ? "more" : count(total())} rows`
                : `${count(of().rows.length)} rows`}
              {names().length > COLUMNS ? `, ${COLUMNS} of ${count(names().length)} columns` : ""}
            </span>
          )}
        </Show>
      </div>
      <Show when={parametersIn(text()).length > 0}>
        <div class="bar" role="group" aria-label="Parameters of the query">
          <For each={parametersIn(text())}>
            {(name) => (
              <label class="row">
                <code>${name}</code>
                <input
                  value={given()[name] ?? ""}
                  aria-label={`Parameter ${name}`}
                  onInput={(event) => setGiven({ ...given(), [name]: event.currentTarget.value })}
                  onKeyDown={(event) => event.key === "Enter" && run(text())}
                />
              </label>
            )}
          </For>
        </div>
      </Show>
      <Trouble error={found.error ?? total.error} />
      <Suspense>
        <Show when={charted() && rows()?.length ? rows() : undefined}>
          {(all) => <ResultChart rows={all()} names={names()} select={select} />}
        </Show>
      </Suspense>
      <Show
        when={rows()?.some((row) => "plan_type" in row)}
        fallback={<Results rows={rows()} columns={columns()} stale={found.loading} />}
      >
        <div class="plans">
          <For each={rows()}>
            {(row) => (
              <>
                <h2>{String(row.plan_type)}</h2>
                <pre>{String(row.plan)}</pre>
              </>
            )}
          </For>
        </div>
      </Show>
    </>
  );
}

function Results(props: { rows: SqlRow[] | undefined; columns: Column<SqlRow>[]; stale: boolean }) {
  const selected = () => Number(parameter("row") ?? -1);
  return (
    <Show
      when={props.rows}
      fallback={
        <p class="note">
          {props.stale
            ? "Running …"
            : "Tables: spans, cases, scores, experiments, projects, datasets. Ctrl+Enter runs."}
        </p>
      }
    >
      {(rows) => (
        <DataTable
          label="Results"
          columns={props.columns}
          rows={rows()}
          rowHeight={24}
          rowId={(row) => JSON.stringify(row).slice(0, 80)}
          cursor={selected()}
          onOpen={(_, index) => setParameters({ row: String(index) }, { replace: true })}
          stale={props.stale}
        />
      )}
    </Show>
  );
}

/** The parameters of a query, `$project`; those in texts and comments are none. */
function parametersIn(query: string): string[] {
  const code = query.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, " ");
  return [...new Set([...code.matchAll(/\$([A-Za-z_]\w*)/g)].map((found) => found[1]!))];
}

/** What the parameters of a query are given as. */
const values = (query: string, given: Record<string, string>) =>
  Object.fromEntries(parametersIn(query).map((name) => [name, valueOf(given[name] ?? "")]));

/** A value as it is meant: nothing is null, a number is a number. */
function valueOf(text: string): string | number | null {
  if (text === "") return null;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function read(text: string | null): Record<string, string> {
  try {
    return text === null ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

/** Runs the query again for a file. */
async function download(query: string, parameters: object, format: string) {
  try {
    const response = await post(`/api/v1/sql?format=${format}`, { query, parameters });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `rows.${format}`;
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    say(error instanceof ApiError ? error.message.split("\n")[0]! : String(error));
  }
}
