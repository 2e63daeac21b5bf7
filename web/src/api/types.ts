//! The server's answers, from its own description of them.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Baseline = Schemas["Baseline"];
export type CaseCell = Schemas["CaseCell"];
export type CaseColumn = Schemas["CaseColumn"];
/** `base_id`: the baseline's row that it is held against; null where that is the mean of its trials. */
export type CaseRow = Schemas["CaseRow"] & { base_id?: string | null };
export type CaseTable = Schemas["CaseTable"];
export type Diff = Schemas["Diff"];
export type ExperimentList = Schemas["ExperimentList"];
export type ExperimentRow = Schemas["ExperimentRow"];
export type ExperimentSide = Schemas["ExperimentSide"];
export type Explanation = Schemas["Explanation"];
export type FieldList = Schemas["FieldList"];
export type Group = Schemas["Group"];
export type GroupMember = Schemas["GroupMember"];
export type GroupScore = Schemas["GroupScore"];
export type Groups = Schemas["Groups"];
export type History = Schemas["History"];
export type HistoryPoint = Schemas["HistoryPoint"];
export type InferredField = Schemas["InferredField"];
export type KeyCheck = Schemas["KeyCheck"];
export type Leaderboard = Schemas["Leaderboard"];
export type LineUp = Schemas["Lineup"];
export type LinedUp = Schemas["LineupTrial"];
export type MetricDelta = Schemas["MetricDelta"];
export type NamedQuery = Schemas["NamedQuery"];
export type ProjectSettings = Schemas["ProjectSettings"];
export type QueryList = Schemas["QueryList"];
export type Scoring = Schemas["Scoring"];
export type ScoringList = Schemas["ScoringList"];
export type ScoreDelta = Schemas["ScoreDelta"];
export type ScoreHistory = Schemas["ScoreHistory"];
export type SettingsAnswer = Schemas["SettingsAnswer"];
export type Slice = Schemas["Slice"];
export type Summary = Schemas["Summary"];
export type Trace = Schemas["Trace"];
export type TraceSpan = Schemas["TraceSpan"];
export type TrialReport = Schemas["TrialReport"];
