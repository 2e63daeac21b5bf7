import { lazy, Show, Suspense } from "solid-js";
import { onKey } from "../ui/keys";
import { completeFilter } from "./complete";
import type { View } from "./view";

const Editor = lazy(() => import("../ui/Editor"));

/** Which cases to show, as an expression or a phrase. */
export function FilterBar(props: { view: View }) {
  let focus: (() => void) | undefined;
  onKey("/", "Filter", () => focus?.());
  return (
    <div class="filter">
      <Suspense fallback={<div class="editor waiting mono">{props.view.where() ?? ""}</div>}>
        <Editor
          label="Filter"
          text={props.view.where() ?? ""}
          placeholder="Filter: scores.Factuality < 0.5, or a phrase: errors"
          enter={(text) => props.view.setWhere(text.trim())}
          error={props.view.trouble()?.message}
          complete={(before) => completeFilter(props.view, before)}
          ready={(act) => (focus = act)}
        />
      </Suspense>
      <Show when={props.view.understood()}>
        {(expression) => (
          <div class="understood">
            <span class="quiet">understood as</span> <code>{expression()}</code>
            <button onClick={() => props.view.setWhere(expression())}>Edit</button>
          </div>
        )}
      </Show>
    </div>
  );
}
