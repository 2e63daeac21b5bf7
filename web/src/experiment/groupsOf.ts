//! The groups of an experiment's cases: how they are asked for, and their lines.

import { get } from "../api/client";
import type { Group, GroupMember, Groups } from "../api/types";
import { parameter } from "../router";
import type { View } from "./view";

/** One line: an experiment inside a group. */
export interface Line {
  group: Group;
  member: GroupMember;
  experiment: string;
  /** It is of the experiment that is looked at, not of a comparison. */
  mine: boolean;
  /** It is the first of its group. */
  first: boolean;
}

/** The comparison that differences and regressions are against. */
export const firstOf = (view: View) => {
  const first = view.sideOf(parameter("first") ?? undefined);
  return view.bases().find((base) => first !== undefined && view.sideOf(base) === first) ?? view.bases()[0];
};

export const groupsAsked = (view: View) => ({
  project: view.project,
  bases: view.bases().toSorted((a, b) => Number(b === firstOf(view)) - Number(a === firstOf(view))),
  "group-by": view.groupBy(),
  where: view.where(),
  aggregate: parameter("aggregate"),
  // Regressions are from something.
  sort: view.comparing() ? parameter("order") : null,
});

export async function askGroups(
  view: View,
  { bases: [base, ...others], ...given }: ReturnType<typeof groupsAsked>,
  signal?: AbortSignal,
): Promise<Groups> {
  const { experiment } = view;
  return base === undefined
    ? get("/api/v1/groups", { ...given, experiment }, signal)
    : get("/api/v1/diff", { ...given, base, candidate: [experiment, ...others] }, signal);
}

export function linesOf(view: View, { experiments, groups }: Groups): Line[] {
  const mine = experiments.findIndex((side) => side.id === view.summary()?.id);
  const alongside = parameter("within") !== "off";
  return groups.flatMap((group) =>
    group.experiments
      .map((member, index) => ({
        group,
        member,
        experiment: experiments[index]?.experiment ?? "",
        mine: index === mine,
      }))
      .filter((line) => alongside || line.mine)
      .map((line, nth) => ({ ...line, first: nth === 0 })),
  );
}
