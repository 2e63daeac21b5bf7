import { createSignal, Show } from "solid-js";
import { parameters, setParameters } from "../router";
import { copy } from "../ui/copy";
import { Score } from "./Score";
import { asMarkdown } from "./showMeHow";
import { constant } from "../format/language";
import { type View } from "./view";

/** What can be done with the picked cases. */
export function ActionBar(props: { view: View }) {
  const [scoring, setScoring] = createSignal(false);
  const ids = () => parameters("pick");
  const condition = () => `id in [${ids().map(constant).join(", ")}]`;
  return (
    <div class="actions" role="toolbar" aria-label="Picked cases">
      <strong>{ids().length} picked</strong>
      <button onClick={() => setScoring(true)}>Score</button>
      <button onClick={() => setParameters({ where: condition(), pick: null })}>Show only these</button>
      <button onClick={() => copy(asMarkdown(props.view, new Set(ids())), "Copied as Markdown")}>
        Copy as Markdown
      </button>
      <button onClick={() => copy(location.href, "Copied the link")}>Copy link</button>
      <button onClick={() => setParameters({ pick: null })}>Clear</button>
      <Show when={scoring()}>
        <Score view={props.view} rows={ids()} close={() => setScoring(false)} />
      </Show>
    </div>
  );
}
