import { Show } from "solid-js";
import { setParameters } from "../router";

/** No experiments: none that the filter keeps, or none at all and how to send the first. */
export function Empty(props: { filtered: boolean }) {
  return (
    <Show
      when={props.filtered}
      fallback={
        <section class="empty">
          <h2>No experiments yet</h2>
          <p>The Braintrust SDKs send theirs here with these two lines:</p>
          <pre>{`export BRAINTRUST_APP_URL=${location.origin}\nexport BRAINTRUST_API_KEY=local`}</pre>
          <p>Results of other tools, and exports, are imported:</p>
          <pre>evalhouse import results/ --project my-project</pre>
        </section>
      }
    >
      <section class="empty">
        <h2>No experiment is like that</h2>
        <p>
          <button class="lined" onClick={() => setParameters({ where: null })}>
            Clear the filter
          </button>
        </p>
      </section>
    </Show>
  );
}
