import { createMemo, createSignal, lazy, Match, Show, Suspense, Switch } from "solid-js";
import type { CaseRow } from "../api/types";
import { parameter, parameters, setParameters } from "../router";
import { onKey } from "../ui/keys";
import { kept } from "../ui/kept";
import { Trouble, Warnings } from "../ui/Trouble";
import { openTrace } from "../trace/opened";
import { ActionBar } from "./ActionBar";
import { Baseline } from "./Baseline";
import { Columns } from "./Columns";
import { Counts } from "./Counts";
import { Export } from "./Export";
import { FilterBar } from "./FilterBar";
import { GroupMenu } from "./GroupMenu";
import { Groups } from "./Groups";
import { Layouts } from "./Layouts";
import { ScoringBar } from "./ScoringBar";
import { SummaryPane } from "./SummaryPane";
import { Table } from "./Table";
import { Views } from "./Views";
import { createView } from "./view";
import { explained } from "./Why";
import "./ExperimentPage.css";

const Grid = lazy(() => import("./Grid"));
const SummaryLayout = lazy(() => import("./SummaryLayout"));
const Trials = lazy(() => import("./Trials"));
const Explain = lazy(() => import("./Explain"));
const TracePanel = lazy(() => import("../trace/TracePanel"));

/** From this width on there is room for the pane beside the table. */
const WIDE = 1_000;

/** An experiment: its cases against a baseline, and what they come to. */
export default function ExperimentPage(props: { project: string; experiment: string }) {
  const view = createView(props.project, props.experiment);
  const [pane, setPane] = kept("pane", innerWidth >= WIDE);
  const [cursor, setCursor] = createSignal(-1);

  const rows = view.rows;
  const open = (row: CaseRow, index: number, against?: string) => {
    setCursor(index);
    openTrace(row.id, { there: row.presence === "base_only", against });
  };
  const opened = createMemo(() => parameter("case"));
  const at = () => {
    const index = rows().findIndex((row) => row?.id === opened());
    return index >= 0 ? index : cursor();
  };
  const pickAtCursor = () => {
    const row = rows()[at()];
    if (!row) return;
    const others = parameters("pick").filter((id) => id !== row.id);
    setParameters({ pick: parameters("pick").includes(row.id) ? others : [...others, row.id] }, { replace: true });
  };
  const step = (by: number) => {
    const index = Math.min(Math.max(at() + by, 0), rows().length - 1);
    const row = rows()[index];
    setCursor(index);
    if (row && opened() !== null) open(row, index);
  };
  onKey("j", "Next row", () => step(1));
  onKey("k", "Row before", () => step(-1));
  onKey("n", "Next case", () => step(1));
  onKey("p", "Case before", () => step(-1));
  onKey("x", "Pick the row", pickAtCursor);
  onKey("o", "Open the row", () => rows()[cursor()] && open(rows()[cursor()]!, cursor()));
  onKey("d", "Comparison on or off", () => setParameters({ diff: view.off() ? null : "off" }));
  onKey("t", "Trials of each case", () => setParameters({ layout: view.layout() === "trials" ? null : "trials" }));
  onKey("s", "Summary pane", () => setPane(!pane()));

  return (
    <div class="experiment">
      <h1 class="only-read">Experiment {props.experiment}</h1>
      <Baseline view={view} />
      <div class="bar">
        <FilterBar view={view} />
        <GroupMenu view={view} />
        <Columns view={view} />
        <Layouts view={view} />
        <Export view={view} />
        <Views view={view} />
        <button aria-pressed={pane()} onClick={() => setPane(!pane())}>
          Summary
        </button>
      </div>
      <Counts view={view} />
      <Trouble error={view.trouble()} again={view.refresh} />
      <div class="experiment-body">
        <div class="experiment-main">
          <Suspense>
            <Switch fallback={<Table view={view} cursor={at()} open={open} />}>
              <Match when={view.cases() && rows().length === 0}>
                <section class="empty">
                  <Show when={view.where()} fallback={<h2>The experiment has no cases yet</h2>}>
                    <h2>No case is like that</h2>
                    <p>
                      <button class="lined" onClick={() => view.setWhere(null)}>
                        Clear the filter
                      </button>
                    </p>
                  </Show>
                </section>
              </Match>
              <Match when={view.shows() === "summary"}>
                <SummaryLayout view={view} />
              </Match>
              <Match when={view.shows() === "trials"}>
                <Trials view={view} />
              </Match>
              <Match when={view.shows() === "grid"}>
                <Grid view={view} open={open} />
              </Match>
              <Match when={view.shows() === "groups"}>
                <Groups view={view} />
              </Match>
            </Switch>
          </Suspense>
          <ScoringBar view={view} />
          <Show when={parameters("pick").length > 0}>
            <ActionBar view={view} />
          </Show>
        </div>
        <Show when={pane()}>
          <SummaryPane view={view} />
        </Show>
      </div>
      <Warnings of={view.cases()?.warnings} />
      <Suspense>
        <Show when={explained()}>{(of) => <Explain view={view} of={of()} />}</Show>
        <Show when={opened()}>
          {(id) => (
            <TracePanel
              view={view}
              row={id()}
              there={parameter("there") === "yes"}
              step={step}
              position={[at(), view.cases()?.total ?? 0]}
            />
          )}
        </Show>
      </Suspense>
    </div>
  );
}
