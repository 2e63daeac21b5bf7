//! Which trace is open. What the address says of one trace does not outlive it.

import { setParameters, type Given } from "../router";

const NOTHING = { case: null, there: null, span: null, against: null } satisfies Given;

/** The parameters that are about an open trace. */
export const OF_A_TRACE = [...Object.keys(NOTHING), "with"];

/** Opens the trace of a row. `there`: it is the baseline's; `against`: the baseline's row to hold it against. */
export function openTrace(row: string, how: { there?: boolean; against?: string | undefined } = {}) {
  const { there = false, against } = how;
  // A chosen row is the first comparison's, whichever was looked at last.
  setParameters({ ...NOTHING, case: row, there: there ? "yes" : null, ...(against ? { against, with: null } : {}) });
}

export const closeTrace = () => setParameters({ ...NOTHING, with: null });
