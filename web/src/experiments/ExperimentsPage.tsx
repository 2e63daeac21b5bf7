import { createMemo, createSignal, For, lazy, Show } from "solid-js";
import { answer, get, sql } from "../api/client";
import type { ExperimentList } from "../api/types";
import { constant } from "../format/language";
import { count, isShare } from "../format/number";
import { go, parameter, parameters, setParameters, to, withParameters } from "../router";
import { onKey } from "../ui/keys";
import { kept } from "../ui/kept";
import { Trouble } from "../ui/Trouble";
import { ExperimentTable } from "./ExperimentTable";
import { Empty } from "./Empty";
import { createHistories } from "./histories";
import { isCondition, type About, type Listed } from "./listed";
import { beyondShares, tookOf } from "./measured";
import "./ExperimentsPage.css";

const Charts = lazy(() => import("./Charts"));

const ABOUT =
  "select experiment_id, branch, dataset, metadata from experiments where $project is null or project = $project";

/** Scores whose values are looked at; the means of others have to tell whether they are shares. */
const RANGED = 50;

/** The experiments of a project, or of all; charts above, several to be picked and compared. */
export function ExperimentsPage(props: { project?: string }) {
  const [charts, setCharts] = kept("charts", true);
  const [typed, setTyped] = createSignal(parameter("where") ?? "");
  const where = () => parameter("where") ?? "";
  const condition = () => (isCondition(where()) ? where() : undefined);

  const list = answer(
    () => ({ project: props.project, where: condition() }),
    (given, signal) => get<ExperimentList>("/api/v1/experiments", given, signal),
  );
  const about = answer(
    () => ({ project: props.project ?? null }),
    (given, signal) => sql<About>(ABOUT, given, signal),
  );
  const took = answer(
    // After the list itself: it is looked at first.
    () => (list() ? { project: props.project ?? null } : undefined),
    tookOf,
  );
  const projects = createMemo(() => [...Map.groupBy(list()?.experiments ?? [], (row) => row.project)]);
  const one = createMemo(() => props.project ?? (projects().length === 1 ? projects()[0]?.[0] : undefined));
  const rows = createMemo((): Listed[] => {
    const known = new Map(about()?.map((one) => [one.experiment_id, one]));
    const taken = new Map(took()?.map((one) => [one.experiment_id, one]));
    const name = isCondition(where()) ? "" : where().toLowerCase();
    const kept = (list()?.experiments ?? []).filter((row) => row.experiment.toLowerCase().includes(name));
    return kept.map((row) => ({ ...row, about: known.get(row.id), took: taken.get(row.id) }));
  });
  const scores = createMemo(() => [...new Set(rows().flatMap((row) => Object.keys(row.scores)))]);
  const beyond = answer(
    () => (list() ? { project: props.project ?? null, scores: scores().slice(0, RANGED) } : undefined),
    beyondShares,
  );
  const shares = createMemo(() => {
    const isMean = (name: string) => rows().every((row) => isShare(row.scores[name], row.scores[name]));
    return new Set(scores().filter((name) => !beyond()?.has(name) && isMean(name)));
  });
  const share = (name: string) => shares().has(name);
  const [sight, setSight] = createSignal<readonly string[]>([]);
  // The list goes first: what a chart needs takes longer.
  const histories = createHistories(() => (list() ? (one() === undefined ? sight() : [one()!]) : []));
  const picked = createMemo(() => {
    const ids = new Set(parameters("pick"));
    return rows().filter((row) => ids.has(row.id));
  });
  const compare = () => {
    // The newest is judged; the rows are newest first.
    const [candidate, ...others] = picked();
    if (candidate)
      go(withParameters(to.experiment(candidate.project, candidate.experiment), { vs: others.map((row) => row.id) }));
  };
  const keep = (ids: readonly string[]) =>
    setParameters({ where: `experiment_id in [${ids.map(constant).join(", ")}]` });
  let filter!: HTMLInputElement;
  onKey("/", "Filter experiments", () => filter.focus());
  onKey("c", "Compare the picked experiments", compare);

  return (
    <div class="experiments">
      <Show when={props.project === undefined && projects().length > 1}>
        <nav class="projects" aria-label="Projects">
          <h2>Projects</h2>
          <ul>
            <For each={projects()}>
              {([name, of]) => (
                <li>
                  <a href={to.project(name)} class="row">
                    <span class="cut grow">{name}</span> <span class="quiet">{count(of.length)}</span>
                  </a>
                </li>
              )}
            </For>
          </ul>
        </nav>
      </Show>
      <div class="experiments-main">
        <h1 class="only-read">{props.project === undefined ? "All experiments" : `Experiments of ${props.project}`}</h1>
        <form
          class="bar"
          onSubmit={(event) => {
            event.preventDefault();
            setParameters({ where: typed() || null });
          }}
        >
          <input
            ref={filter}
            class="grow mono"
            aria-label="Filter experiments"
            placeholder="Name, or a condition: metadata.model = 'gpt-4o' and branch = 'main'"
            value={where()}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <span class="quiet">{count(rows().length)} experiments</span>
          <Show when={one() !== undefined}>
            <button type="button" aria-pressed={charts()} onClick={() => setCharts(!charts())}>
              Charts
            </button>
          </Show>
          <Show when={picked().length > 0}>
            <button type="button" onClick={() => setParameters({ pick: null })}>
              Clear {picked().length} picked
            </button>
          </Show>
          <button type="button" class="main" disabled={picked().length < 2} onClick={compare}>
            Compare
          </button>
        </form>
        <Trouble error={list.error} again={list.again} />
        <Trouble error={about.error ?? took.error ?? beyond.error} />
        <Trouble error={histories.failed()} again={histories.again} />
        <Show when={charts() && rows().length > 0 ? one() : undefined}>
          {(project) => (
            <Charts
              project={project()}
              rows={rows()}
              picked={picked()}
              history={histories.of(project())}
              scores={scores()}
              share={share}
              keep={keep}
            />
          )}
        </Show>
        <Show when={list()} fallback={<div class="grow" />}>
          <Show when={rows().length > 0} fallback={<Empty filtered={where() !== ""} />}>
            <ExperimentTable
              rows={rows()}
              scores={scores()}
              share={share}
              histories={histories}
              look={setSight}
              withProject={one() === undefined}
              stale={list.loading}
            />
          </Show>
        </Show>
      </div>
    </div>
  );
}
