import { createMemo, For, Match, Show, Switch } from "solid-js";
import { answer, get, sql } from "../api/client";
import type { History, Leaderboard } from "../api/types";
import { constant, quoted } from "../format/language";
import { count } from "../format/number";
import { oneLine } from "../format/value";
import { parameter, parameters, setParameters, to } from "../router";
import { BarChart, type Bar, type BarGroup } from "../charts/BarChart";
import { opens } from "../charts/Chart";
import { LineChart } from "../charts/LineChart";
import type { Kinds } from "../charts/PointChart";
import { ScatterChart } from "../charts/ScatterChart";
import { Menu } from "../ui/Menu";
import { Trouble } from "../ui/Trouble";
import { traitsOf, type Listed } from "./listed";
import { metricsOf } from "./measured";

interface Props {
  project: string;
  rows: readonly Listed[];
  picked: readonly Listed[];
  history: History | undefined;
  scores: readonly string[];
  /** Whether the values of a score are shares of one. */
  share: (score: string) => boolean;
  /** Keeps these experiments in the list. */
  keep: (ids: readonly string[]) => void;
}

const KINDS: [string, string][] = [
  ["time", "Over time"],
  ["bars", "Score comparison"],
  ["groups", "By metadata"],
  ["scatter", "Against a metric"],
];
/** Marks that stand for nothing but their experiments. */
const ALIKE: Kinds = { kind: () => undefined, kinds: [] };
/** Bars are for comparing a few. */
const MOST_BARS = 6;
/** Scores that have room side by side. */
const MOST_SCORES = 24;
/** Fields with more values than this make no groups. */
const MOST_VALUES = 24;

interface Pooled {
  value: string;
  experiments: number;
  of: { mean: number | null; ci_low: number | null; ci_high: number | null; n: number } | null;
}

/** Lists that come to the same are not drawn anew. */
const sameBy =
  <T,>(part: (one: T) => unknown) =>
  (a: readonly T[], b: readonly T[]) =>
    a.length === b.length && a.every((one, index) => part(one) === part(b[index]!));

/** Charts of the experiments of a project. */
export default function Charts(props: Props) {
  const kind = () => parameter("chart") ?? "time";
  const chosen = () => parameter("score") ?? props.scores[0];
  const symbols = () => parameter("symbols") ?? "";
  const set = (name: string, value: string | string[] | null) => setParameters({ [name]: value }, { replace: true });

  const shown = createMemo(() => new Map(props.rows.map((row) => [row.id, row])));
  // The list becomes richer by and by.
  const points = createMemo(
    () => (props.history?.scores[chosen() ?? ""]?.points ?? []).filter((point) => shown().has(point.id)),
    [],
    { equals: sameBy((point) => point) },
  );

  /** Fields of the metadata that tell experiments apart. */
  const fields = createMemo(() => {
    const values = new Map<string, Set<string>>();
    for (const row of props.rows)
      for (const [name, value] of Object.entries(traitsOf(row))) {
        if (typeof value === "object" && value !== null) continue;
        if (!values.has(name)) values.set(name, new Set());
        values.get(name)!.add(oneLine(value));
      }
    return [...values].filter(([, of]) => of.size <= MOST_VALUES).map(([name]) => name);
  });
  const valueOf = (row: Listed, names: readonly string[]) =>
    names.map((name) => oneLine(traitsOf(row)[name])).join(", ");
  const marked = createMemo((): Kinds => {
    const by = symbols();
    if (by === "") return ALIKE;
    return {
      kind: (id) => {
        const row = shown().get(id);
        return row && valueOf(row, [by]);
      },
      kinds: [...new Set(props.rows.map((row) => valueOf(row, [by])))].toSorted(),
    };
  });

  const compared = createMemo(() => (props.picked.length > 0 ? props.picked : props.rows).slice(0, MOST_BARS), [], {
    equals: sameBy((row: Listed) => row.id),
  });
  const drawn = createMemo(() => props.scores.slice(0, MOST_SCORES));
  const bars = createMemo((): BarGroup[] =>
    drawn().map((name) => ({
      name,
      bars: compared().map((row): Bar => {
        const point = props.history?.scores[name]?.points.find((one) => one.id === row.id);
        return {
          label: row.experiment,
          value: point?.mean ?? null,
          low: point?.ci_low ?? null,
          high: point?.ci_high ?? null,
          over: `${count(point?.n ?? 0)} cases`,
          ids: [row.id],
          open: opens(to.experiment(props.project, row.experiment)),
        };
      }),
    })),
  );

  const by = createMemo(() => {
    const asked = parameters("by").filter((name) => fields().includes(name));
    return asked.length > 0 ? asked : fields().slice(0, 1);
  });
  const alike = () => parameter("weigh") === "experiments";
  /** Every case of the experiments of a group counts; intervals know that experiments share their cases. */
  const pooled = answer(
    () =>
      kind() === "groups" && chosen() && by().length > 0
        ? { score: chosen()!, groups: props.rows.map((row) => [row.id, valueOf(row, by())] as const) }
        : undefined,
    ({ score, groups }, signal) =>
      sql<Pooled>(
        `with groups(id, value) as (values ${groups.map((row) => `(${row.map(constant).join(", ")})`).join(", ")})
select value, count(distinct experiment_id) as experiments, mean_ci(scores.${quoted(score)}, comparison_key_hash) as of
from cases join groups on cases.experiment_id = groups.id group by value order by value`,
        {},
        signal,
      ),
  );
  const grouped = createMemo((): BarGroup[] => {
    const means = new Map(points().map((point) => [point.id, point.mean]));
    return (pooled() ?? []).map((group) => {
      const inside = props.rows.filter((row) => valueOf(row, by()) === group.value);
      const ids = inside.map((row) => row.id);
      const known = inside.flatMap((row) => means.get(row.id) ?? []);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      return {
        name: group.value,
        bars: [
          {
            label: chosen() ?? "",
            value: alike() ? (known.length > 0 ? mean : null) : (group.of?.mean ?? null),
            low: alike() ? null : (group.of?.ci_low ?? null),
            high: alike() ? null : (group.of?.ci_high ?? null),
            over: `${count(group.experiments)} experiments, ${count(group.of?.n ?? 0)} rows`,
            ids,
            open: () => props.keep(ids),
          },
        ],
      };
    });
  });
  const metrics = answer(() => (kind() === "scatter" ? { project: props.project } : undefined), metricsOf);
  const board = answer(
    () =>
      kind() === "scatter" && chosen()
        ? { project: props.project, score: chosen(), cost: parameter("metric") }
        : undefined,
    (given, signal) => get<Leaderboard>("/api/v1/leaderboard", given, signal),
  );
  /** What is drawn is on its way. */
  const waits = () =>
    !props.history ||
    (kind() === "groups" && by().length > 0 && pooled.loading && !pooled()) ||
    (kind() === "scatter" && board.loading && !board());
  return (
    <section class="charts" aria-label="Charts">
      <div class="row charts-bar">
        <For each={KINDS}>
          {([name, title]) => (
            <button aria-pressed={kind() === name} onClick={() => set("chart", name === "time" ? null : name)}>
              {title}
            </button>
          )}
        </For>
        <span class="grow" />
        <Show when={kind() !== "bars"}>
          <select aria-label="Score" value={chosen()} onChange={(event) => set("score", event.currentTarget.value)}>
            <For each={props.scores}>
              {(name) => (
                <option value={name} selected={name === chosen()}>
                  {name}
                </option>
              )}
            </For>
          </select>
        </Show>
        <Show when={kind() === "scatter"}>
          <span class="quiet">against</span>
          <select aria-label="Metric" onChange={(event) => set("metric", event.currentTarget.value)}>
            <For each={metrics()}>
              {(name) => (
                <option value={name} selected={name === board()?.cost}>
                  {name}
                </option>
              )}
            </For>
          </select>
        </Show>
        <Show when={(kind() === "time" || kind() === "scatter") && fields().length > 0}>
          <select
            aria-label="What marks stand for"
            value={symbols()}
            onChange={(event) => set("symbols", event.currentTarget.value || null)}
          >
            <option value="">marks: all alike</option>
            <For each={fields()}>
              {(name) => (
                <option value={name} selected={name === symbols()}>
                  marks: {name}
                </option>
              )}
            </For>
          </select>
        </Show>
        <Show when={kind() === "groups"}>
          <Menu label={`by ${by().join(", ") || "…"}`} right>
            <For each={fields()} fallback={<p class="quiet">No experiment has metadata that makes groups.</p>}>
              {(name) => (
                <label>
                  <input
                    type="checkbox"
                    checked={by().includes(name)}
                    onChange={(event) =>
                      set("by", event.currentTarget.checked ? [...by(), name] : by().filter((one) => one !== name))
                    }
                  />
                  {name}
                </label>
              )}
            </For>
          </Menu>
          <select
            aria-label="What counts"
            value={alike() ? "experiments" : ""}
            onChange={(event) => set("weigh", event.currentTarget.value || null)}
          >
            <option value="">every case counts</option>
            <option value="experiments">every experiment counts</option>
          </select>
        </Show>
        <Show when={kind() === "bars" && props.picked.length === 0 && props.rows.length > MOST_BARS}>
          <span class="quiet">the newest {MOST_BARS}; pick others in the list</span>
        </Show>
      </div>
      <Trouble error={pooled.error ?? board.error ?? metrics.error} />
      <Switch>
        <Match when={waits()}>
          <p class="chart-waiting quiet">…</p>
        </Match>
        <Match when={kind() === "time"}>
          <LineChart
            project={props.project}
            score={chosen() ?? ""}
            share={props.share(chosen() ?? "")}
            points={points()}
            changes={props.history?.scores[chosen() ?? ""]?.changes ?? []}
            of={marked()}
          />
        </Match>
        <Match when={kind() === "bars"}>
          <BarChart
            label="Scores of the experiments"
            groups={bars()}
            share={drawn().every(props.share)}
            keep={props.keep}
          />
        </Match>
        <Match when={kind() === "groups"}>
          <Show
            when={by().length > 0}
            fallback={
              <p class="quiet">
                These experiments have no metadata, branch or dataset that tells them apart. The SDKs send it:{" "}
                <code>{`Eval(…, metadata={"model": "…"})`}</code>
              </p>
            }
          >
            <BarChart
              label={`${chosen()} by ${by().join(", ")}`}
              groups={grouped()}
              share={props.share(chosen() ?? "")}
              keep={props.keep}
            />
          </Show>
        </Match>
        <Match when={kind() === "scatter" && board()}>
          {(of) => (
            <ScatterChart
              project={props.project}
              score={of().score}
              share={props.share(of().score)}
              metric={of().cost ?? ""}
              rows={of().rows.filter((row) => shown().has(row.id))}
              of={marked()}
              keep={props.keep}
            />
          )}
        </Match>
      </Switch>
    </section>
  );
}
