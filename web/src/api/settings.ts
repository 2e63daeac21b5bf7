//! Changes to how a project is read.

import { post } from "./client";
import type { SettingsAnswer } from "./types";

export interface SettingsChange {
  set?: Record<string, string>;
  unset?: string[];
}

/** Makes changes, all or none, and gives the settings as they are then. */
export async function changeSettings(project: string, change: SettingsChange): Promise<SettingsAnswer> {
  const path = `/api/v1/projects/${encodeURIComponent(project)}/settings`;
  return (await post(path, change, undefined, "PATCH")).json();
}
