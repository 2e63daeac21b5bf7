import { createMemo, For, Show } from "solid-js";
import { answer } from "../api/client";
import type { GroupScore } from "../api/types";
import { count, plain, score, signed, halfWidth } from "../format/number";
import { oneLine } from "../format/value";
import { setParameters } from "../router";
import { DataTable, type Column } from "../ui/DataTable";
import { Trouble, Warnings } from "../ui/Trouble";
import { constant } from "../format/language";
import { askGroups, firstOf, groupsAsked, linesOf, type Line } from "./groupsOf";
import { narrowedFrom, type View } from "./view";
import { Why } from "./Why";

/** Groups of cases, each experiment summed up inside each. */
export function Groups(props: { view: View }) {
  const groups = answer(
    () => (props.view.ready() && props.view.groupBy().length > 0 ? groupsAsked(props.view) : undefined),
    (given, signal) => askGroups(props.view, given, signal),
    props.view.changes,
  );
  const lines = createMemo(() => (groups() ? linesOf(props.view, groups()!) : []));
  const names = createMemo(() => [...new Set(lines().flatMap((line) => Object.keys(line.member.scores)))]);
  /** A metric that is zero everywhere tells groups apart as little as one that is not there. */
  const metrics = createMemo(() => {
    const names = new Set(lines().flatMap((line) => Object.keys(line.member.metrics)));
    return [...names].filter((name) => lines().some((line) => line.member.metrics[name]));
  });
  /** The filter that keeps only a group. */
  const within = (line: Line) => {
    const conditions = props.view.groupBy().map((by, index) => {
      const value = line.group.values[index];
      return value == null
        ? `${by} is null`
        : typeof value === "object"
          ? `${by} = ${JSON.stringify(value)}`
          : `${by} = ${constant(value)}`;
    });
    return narrowedFrom(props.view.meaning(), conditions.join(" and "));
  };
  // In one step: without a group there is no order of groups either.
  const open = (line: Line) => setParameters({ group: null, order: null, where: within(line) });
  const columns = createMemo((): Column<Line>[] => [
    {
      name: "group",
      width: 280,
      header: () => props.view.groupBy().join(" / "),
      cell: (line) => (
        <Show when={line.first}>
          <strong>{line.group.values.map((value) => (value == null ? "(none)" : oneLine(value))).join(" / ")}</strong>
        </Show>
      ),
    },
    { name: "experiment", width: 160, header: () => "Experiment", cell: (line) => line.experiment },
    { name: "rows", width: 80, number: true, header: () => "Rows", cell: (line) => count(line.member.rows) },
    { name: "cases", width: 80, number: true, header: () => "Cases", cell: (line) => count(line.member.cases) },
    ...names().map((name): Column<Line> => ({
      name,
      width: 250,
      number: true,
      header: () => `${name} (${groups()?.aggregate ?? ""})`,
      cell: (line) => (
        <Score
          of={line.member.scores[name]}
          name={name}
          from={firstOf(props.view)}
          where={line.mine ? within(line) : undefined}
        />
      ),
    })),
    ...metrics().map((name): Column<Line> => ({
      name: `metrics.${name}`,
      width: 120,
      number: true,
      header: () => `${name} (mean)`,
      cell: (line) => plain(line.member.metrics[name]),
    })),
  ]);
  return (
    <>
      <Trouble error={groups.error} again={groups.again} />
      <DataTable
        label="Groups"
        columns={columns()}
        rows={lines()}
        rowHeight={28}
        rowId={(line) => JSON.stringify([line.group.values, line.experiment])}
        onOpen={open}
        stale={groups.loading}
      />
      <Show when={groups()?.moved}>
        {(moved) => (
          <p class="note">
            {count(moved())} matched cases are in another group than in the baseline; they are counted in the
            baseline's.
          </p>
        )}
      </Show>
      <Warnings of={groups()?.warnings} />
    </>
  );
}

/** A delta whose interval has zero in it is grey: noise explains it. With `where` it can be explained. */
function Score(props: {
  of: GroupScore | undefined;
  name: string;
  from: string | undefined;
  where: string | undefined;
}) {
  const real = () =>
    props.of?.ci_low != null && props.of.ci_high != null && (props.of.ci_low > 0 || props.of.ci_high < 0);
  const width = () => halfWidth(props.of?.ci_low, props.of?.ci_high);
  return (
    <>
      <Show when={props.of?.delta != null}>
        <span class="change" classList={{ quiet: !real() }}>
          <Why
            score={props.where === undefined ? undefined : props.name}
            from={props.from}
            where={props.where}
            class={real() ? "" : "quiet"}
            title="Difference over the matched cases of the group"
          >
            {signed(props.of!.delta, score)}
            <Show when={width() != null}> ±{score(width())}</Show>
          </Why>{" "}
          <For each={[["▲", "better", props.of!.improved] as const, ["▼", "worse", props.of!.regressed] as const]}>
            {([sign, colour, n]) => (
              <span class={colour}>
                {sign}
                {count(n)}{" "}
              </span>
            )}
          </For>
        </span>
      </Show>
      {plain(props.of?.value)}
    </>
  );
}
