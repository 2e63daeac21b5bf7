import { createSignal, For, Match, Show, Switch } from "solid-js";
import { post } from "../api/client";
import type { Scoring } from "../api/types";
import { constant } from "../format/language";
import { count, plain } from "../format/number";
import { withParameters } from "../router";
import { Dialog } from "../ui/Dialog";
import { createSent } from "../ui/sent";
import { createExpression, ExpressionField } from "./Expression";
import { HandForm } from "./HandForm";
import { type View } from "./view";

/** Scorers to begin with: a name and an expression over a case. */
const SCORERS: [string, string, string][] = [
  ["ExactMatch", "exact_match(output, expected)", "the same value as expected"],
  ["Levenshtein", "levenshtein_score(output, expected)", "how alike two texts are, letter by letter"],
  ["NumericDiff", "numeric_diff(output, expected)", "how near two numbers are"],
  ["JSONDiff", "json_diff(output, expected)", "how alike two JSON values are, field by field"],
  ["ContainsExpected", "contains(lower(output), lower(expected))", "the expected text is somewhere in the output"],
  ["Brief", "len(output) < 400", "an output of less than 400 characters"],
];

/** Cases that a scorer is tried on. */
const TRIED = 6;

/** Scores cases: by a scorer that runs on the server, or by hand. */
export function Score(props: { view: View; rows: readonly string[]; close: () => void }) {
  const [how, setHow] = createSignal<"scorer" | "hand">("scorer");
  const many = () => (props.rows.length === 1 ? "this case" : `${count(props.rows.length)} cases`);
  return (
    <Dialog title={`Score ${many()}`} close={props.close} wide={how() === "scorer"}>
      <div class="choice" role="group" aria-label="How to score">
        <button aria-pressed={how() === "scorer"} onClick={() => setHow("scorer")}>
          By a scorer
        </button>
        <button aria-pressed={how() === "hand"} onClick={() => setHow("hand")}>
          By hand
        </button>
      </div>
      <Switch>
        <Match when={how() === "scorer"}>
          <ScorerForm {...props} />
        </Match>
        <Match when={how() === "hand"}>
          <HandForm {...props} />
        </Match>
      </Switch>
    </Dialog>
  );
}

/** A scorer, tried on some cases before it is applied. */
function ScorerForm(props: { view: View; rows: readonly string[]; close: () => void }) {
  const [name, setName] = createSignal(SCORERS[0]![0]);
  const [all, setAll] = createSignal(false);
  const scorer = createExpression({
    view: props.view,
    text: SCORERS[0]![1],
    beside: ["output", "expected"],
    where: () => `id in [${props.rows.slice(0, TRIED).map(constant).join(", ")}]`,
    limit: TRIED,
  });
  const exists = () => props.view.summary()?.scores[name().trim()] !== undefined;
  const total = () => props.view.cases()?.total ?? 0;
  const sent = createSent(async () => {
    const chosen = all() ? { where: props.view.where() ?? null } : { ids: props.rows };
    const path = withParameters(`${props.view.path}/scorings`, { project: props.view.project });
    const response = await post(path, { name: name().trim(), scorer: scorer.text().trim(), ...chosen });
    const started: Scoring = await response.json();
    props.view.scorings.started(started);
    props.close();
  });
  return (
    <form class="form" onSubmit={sent.send}>
      <div class="wide offers" role="group" aria-label="Scorers to begin with">
        <For each={SCORERS}>
          {([title, expression, about]) => (
            <button
              type="button"
              class="lined"
              title={about}
              aria-pressed={scorer.text() === expression}
              onClick={() => {
                setName(title);
                scorer.put(expression);
              }}
            >
              {title}
            </button>
          )}
        </For>
      </div>
      <label>
        Name of the score
        <input required value={name()} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <div class="wide">
        <span>Scorer: an expression that gives a number, or true and false for 1 and 0</span>
        <ExpressionField
          of={scorer}
          label="Scorer"
          title={name()}
          table="What the scorer says of some cases"
          number={scoreOf}
          error={sent.error()}
        />
      </div>
      <label class="row">
        <input type="checkbox" checked={all()} onChange={(event) => setAll(event.currentTarget.checked)} />
        <span>
          All {count(total())} cases {props.view.where() === undefined ? "of the experiment" : "under the filter"}
        </span>
      </label>
      <Show when={exists()}>
        <p class="quiet">
          The experiment has a score {name()} already. What this scorer gave before is replaced; a case with one from
          elsewhere gets the mean of both.
        </p>
      </Show>
      <button class="main" disabled={sent.sending() || scorer.preview.error !== undefined || name().trim() === ""}>
        Score {all() ? count(total()) : count(props.rows.length)} cases
      </button>
    </form>
  );
}

const scoreOf = (value: unknown) =>
  value === true ? "1" : value === false ? "0" : typeof value === "number" ? plain(value) : "–";
