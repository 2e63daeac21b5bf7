import { For } from "solid-js";
import { post } from "../api/client";
import { say } from "../ui/copy";
import { createSent } from "../ui/sent";
import { Trouble } from "../ui/Trouble";
import type { View } from "./view";

/** A score given by a person, with a note. It is written as feedback on the rows. */
export function HandForm(props: { view: View; rows: readonly string[]; close: () => void }) {
  const sent = createSent(async (given) => {
    const scores = { [String(given.get("name"))]: Number(given.get("value")) };
    const comment = String(given.get("note") ?? "").trim();
    const feedback = props.rows.map((id) => ({ id, scores, source: "app", ...(comment ? { comment } : {}) }));
    await post(`/v1/experiment/${props.view.summary()?.id}/feedback`, { feedback });
    say(`Scored ${props.rows.length} cases`);
    props.view.refresh();
    props.close();
  });
  return (
    <form class="form" onSubmit={sent.send}>
      <label>
        Score
        <input name="name" required list="score-names" placeholder="Human review" />
      </label>
      <datalist id="score-names">
        <For each={Object.keys(props.view.summary()?.scores ?? {})}>{(name) => <option value={name} />}</For>
      </datalist>
      <label>
        Value
        <input name="value" type="number" min="0" max="1" step="any" required />
      </label>
      <label>
        Note
        <textarea name="note" rows="3" />
      </label>
      <p class="quiet">
        A new name keeps human judgement apart from what scorers gave; under a name that exists the value takes the old
        one's place.
      </p>
      <Trouble error={sent.error()} />
      <button class="main" disabled={sent.sending()}>
        Score
      </button>
    </form>
  );
}
