import { createMemo, Show } from "solid-js";
import { answer, ApiError, get, post } from "./api/client";
import { DataTable, ValueCell, type Column } from "./ui/DataTable";
import { Trouble } from "./ui/Trouble";
import { time } from "./format/time";

type Row = Record<string, unknown> & { id: string };

const ROWS = 200;

/** The newest rows of a dataset, or of a project's logs. */
export default function RowsPage(props: { project: string; dataset?: string }) {
  const rows = answer(
    () => ({ project: props.project, dataset: props.dataset }),
    async ({ project, dataset }, signal) => {
      const id = await (dataset === undefined ? projectId(project, signal) : datasetId(project, dataset, signal));
      const kind = dataset === undefined ? "project_logs" : "dataset";
      const response = await post(`/v1/${kind}/${encodeURIComponent(id)}/fetch`, { limit: ROWS }, signal);
      return (await response.json()).events as Row[];
    },
  );
  const columns = createMemo((): Column<Row>[] => [
    { name: "created", width: 170, header: () => "Created", cell: (row) => time(row.created as string) },
    ...["input", "expected", "output", "metadata", "tags"].map((name) => ({
      name,
      width: 300,
      header: () => name,
      cell: (row: Row) => <ValueCell value={row[name]} />,
    })),
  ]);
  return (
    <>
      <h1 class="heading">
        {props.dataset ?? "Logs"} <span class="quiet">newest {ROWS} rows</span>
      </h1>
      <Trouble error={rows.error} again={rows.again} />
      <Show when={rows()}>
        {(all) => <DataTable label="Rows" columns={columns()} rows={all()} rowHeight={28} rowId={(row) => row.id} />}
      </Show>
    </>
  );
}

async function projectId(project: string, signal: AbortSignal): Promise<string> {
  return firstId(get("/v1/project", { project_name: project }, signal));
}

async function datasetId(project: string, dataset: string, signal: AbortSignal): Promise<string> {
  return firstId(get("/v1/dataset", { project_name: project, dataset_name: dataset }, signal));
}

async function firstId(found: Promise<{ objects: { id: string }[] }>): Promise<string> {
  const first = (await found).objects[0];
  if (!first) throw new ApiError("There is no such dataset or project.", null, 404);
  return first.id;
}
