import { For, lazy, Show, Suspense } from "solid-js";
import { answer, type ApiError, get } from "../api/client";
import type { CaseTable } from "../api/types";
import { ValueCell } from "../ui/DataTable";
import { createRested } from "../ui/rested";
import { Trouble } from "../ui/Trouble";
import { completeFilter } from "./complete";
import type { View } from "./view";

const Editor = lazy(() => import("../ui/Editor"));

/** Characters of a value that a preview shows. */
const PREVIEW = "200";

interface Tried {
  view: View;
  text?: string;
  /** Columns that are shown beside what the expression gives. */
  beside: readonly string[];
  /** The cases that it is tried on. */
  where: () => string | undefined;
  /** What these are held against. */
  against?: () => string | undefined;
  limit: number;
}

/** An expression over a case that is being written, with what it gives for some cases. */
export function createExpression({ view, text, beside, where, against, limit }: Tried) {
  const written = createRested(text);
  const preview = answer(
    () =>
      written.tried() === ""
        ? undefined
        : {
            project: view.project,
            where: where(),
            against: against?.(),
            columns: [...beside, written.tried()].join(","),
            preview: PREVIEW,
            limit: String(limit),
          },
    (given, signal) => get<CaseTable>(`${view.path}/cases`, given, signal),
  );
  /** Whether what is written now gives something. */
  const works = () =>
    preview() !== undefined && preview.error === undefined && written.text().trim() === written.tried();
  return { ...written, view, beside, preview, works };
}

/** Where an expression is written, and below it what it gives. */
export function ExpressionField(props: {
  of: ReturnType<typeof createExpression>;
  label: string;
  placeholder?: string;
  /** What its values are called. */
  title: string;
  /** The table of what it gives. */
  table: string;
  /** How its values are written where they have to be numbers. */
  number?: (value: unknown) => string;
  /** Why it was refused, besides that it cannot be tried. */
  error: ApiError | undefined;
}) {
  const error = () => props.of.preview.error ?? props.error;
  return (
    <>
      <Suspense fallback={<div class="editor waiting mono">{props.of.text()}</div>}>
        <Editor
          label={props.label}
          text={props.of.text()}
          placeholder={props.placeholder ?? ""}
          enter={props.of.put}
          typed={props.of.type}
          error={error()?.message}
          complete={(before) => completeFilter(props.of.view, before)}
        />
      </Suspense>
      <Trouble error={error()} />
      <Show when={props.of.preview()}>
        {(given) => (
          <table class="wide preview" classList={{ stale: props.of.preview.loading }} aria-label={props.table}>
            <thead>
              <tr>
                <For each={props.of.beside}>{(name) => <th scope="col">{name}</th>}</For>
                <th scope="col" classList={{ number: props.number !== undefined }}>
                  {props.title}
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={given().rows}>
                {(row) => (
                  <tr>
                    <For each={props.of.beside}>
                      {(_, index) => (
                        <td class="quiet">
                          <ValueCell value={row.cells[index()]?.value} />
                        </td>
                      )}
                    </For>
                    <td classList={{ number: props.number !== undefined }}>
                      <Given value={row.cells[props.of.beside.length]?.value} number={props.number} />
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        )}
      </Show>
    </>
  );
}

const Given = (props: { value: unknown; number: ((value: unknown) => string) | undefined }) => (
  <Show when={props.number} fallback={<ValueCell value={props.value} />}>
    {(write) => write()(props.value)}
  </Show>
);
