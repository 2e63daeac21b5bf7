import { createMemo, createSignal, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { TrialReport } from "../api/types";
import { count, percent, plain, score } from "../format/number";
import { openTrace } from "../trace/opened";
import { DataTable, ValueCell, type Column } from "../ui/DataTable";
import { Trouble, Warnings } from "../ui/Trouble";
import type { View } from "./view";
import { MOST_CASES } from "./written";

type Case = TrialReport["cases"][number];

const MOST_K = 5;
/** Cases that are shown at first, and how many times as many on request. */
const CASES = 200;
const MORE = 10;

/** How much the trials of each case agree, flaky cases first. */
export default function Trials(props: { view: View }) {
  const [cases, setCases] = createSignal(CASES);
  const report = answer(
    () => ({ project: props.view.project, where: props.view.where(), limit: String(cases()) }),
    (given, signal) => get<TrialReport>(`${props.view.path}/trials`, given, signal),
    props.view.changes,
  );
  const columns = createMemo((): Column<Case>[] => [
    { name: "input", width: 380, header: () => "input", cell: (row) => <ValueCell value={row.input} /> },
    { name: "trials", width: 70, number: true, header: () => "Trials", cell: (row) => count(row.trials) },
    ...Object.entries(report()?.scores ?? {}).map(([name, of]): Column<Case> => ({
      name,
      width: 270,
      number: true,
      header: () => (
        <>
          {name}
          <div class="sums" title="Mean over cases, standard deviation within a case and between cases">
            {percent(of.case_mean)} · within {plain(of.within_sd, 2)} · between {plain(of.between_sd, 2)}
          </div>
          <div class="sums">
            {count(of.flaky)} flaky of {count(of.cases)} cases
          </div>
          <For each={of.pass.slice(0, MOST_K)}>
            {(pass) => (
              <div class="sums quiet" title={`Over ${pass.cases} cases that have ${pass.k} trials`}>
                pass@{pass.k} {percent(pass.at_least_one)} · pass^{pass.k} {percent(pass.all)}
              </div>
            )}
          </For>
        </>
      ),
      cell: (row) => (
        <Show when={row.scores[name]} fallback="–">
          {(spread) => (
            <span>
              {score(spread().mean)}{" "}
              <span class="quiet">
                sd {score(spread().sd)}, {score(spread().min)} to {score(spread().max)}, passes {count(spread().passes)}
                /{count(spread().n)}
              </span>
            </span>
          )}
        </Show>
      ),
    })),
  ]);
  return (
    <>
      <Trouble error={report.error} again={report.again} />
      <Show when={report()}>
        {(of) => (
          <p class="note">
            {of().trials_min === of().trials_max
              ? count(of().trials_min)
              : `${count(of().trials_min)} to ${count(of().trials_max)}`}{" "}
            trials a case; a trial passes from {plain(of().threshold)}.
            <Show when={of().cases.length === cases()}>
              {" "}
              These are the {count(cases())} cases whose trials agree least.{" "}
              <Show when={cases() < MOST_CASES} fallback="A filter shows others.">
                <button class="lined" onClick={() => setCases(Math.min(MOST_CASES, cases() * MORE))}>
                  More
                </button>
              </Show>
            </Show>
          </p>
        )}
      </Show>
      <DataTable
        label="Trials"
        columns={columns()}
        rows={report()?.cases ?? []}
        rowHeight={28}
        rowId={(row) => row.id}
        onOpen={(row) => openTrace(row.id)}
        stale={report.loading}
      />
      <Warnings of={report()?.warnings} />
    </>
  );
}
