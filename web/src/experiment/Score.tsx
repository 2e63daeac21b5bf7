import { createSignal, For, lazy, Match, Show, Suspense, Switch } from "solid-js";
import { answer, type ApiError, get, post } from "../api/client";
import type { CaseTable, Scoring } from "../api/types";
import { count, plain } from "../format/number";
import { withParameters } from "../router";
import { ValueCell } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Trouble } from "../ui/Trouble";
import { completeFilter } from "./complete";
import { HandForm } from "./HandForm";
import { constant } from "../format/language";
import { type View } from "./view";

const Editor = lazy(() => import("../ui/Editor"));

/** Scorers to begin with: a name and an expression over a case. */
const SCORERS: [string, string, string][] = [
  ["ExactMatch", "exact_match(output, expected)", "the same value as expected"],
  ["Levenshtein", "levenshtein_score(output, expected)", "how alike two texts are, letter by letter"],
  ["NumericDiff", "numeric_diff(output, expected)", "how near two numbers are"],
  ["JSONDiff", "json_diff(output, expected)", "how alike two JSON values are, field by field"],
  ["ContainsExpected", "contains(lower(output), lower(expected))", "the expected text is somewhere in the output"],
  ["Brief", "len(output) < 400", "an output of less than 400 characters"],
];

const RESTS_MS = 250;
const TRIED = "6";

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
  const [scorer, setScorer] = createSignal(SCORERS[0]![1]);
  const [tried, setTried] = createSignal(SCORERS[0]![1]);
  const [all, setAll] = createSignal(false);
  const [error, setError] = createSignal<ApiError>();
  const [sending, setSending] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const typed = (text: string) => {
    setScorer(text);
    clearTimeout(timer);
    timer = setTimeout(() => setTried(text.trim()), RESTS_MS);
  };
  const choose = (index: number) => {
    const [title, expression] = SCORERS[index]!;
    setName(title);
    setScorer(expression);
    setTried(expression);
  };
  const preview = answer(
    () =>
      tried() === ""
        ? undefined
        : {
            project: props.view.project,
            where: `id in [${props.rows.slice(0, Number(TRIED)).map(constant).join(", ")}]`,
            columns: `output,expected,${tried()}`,
            preview: "200",
            limit: TRIED,
          },
    (given, signal) => get<CaseTable>(`${props.view.path}/cases`, given, signal),
  );
  const exists = () => props.view.summary()?.scores[name().trim()] !== undefined;
  const total = () => props.view.cases()?.total ?? 0;
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    setSending(true);
    try {
      const chosen = all() ? { where: props.view.where() ?? null } : { ids: props.rows };
      const path = withParameters(`${props.view.path}/scorings`, { project: props.view.project });
      const started: Scoring = await (
        await post(path, { name: name().trim(), scorer: scorer().trim(), ...chosen })
      ).json();
      props.view.scorings.started(started);
      props.close();
    } catch (failure) {
      setError(failure as ApiError);
    } finally {
      setSending(false);
    }
  };
  return (
    <form class="form" onSubmit={send}>
      <div class="wide offers" role="group" aria-label="Scorers to begin with">
        <For each={SCORERS}>
          {([title, expression, about], index) => (
            <button
              type="button"
              class="lined"
              title={about}
              aria-pressed={scorer() === expression}
              onClick={() => choose(index())}
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
        <Suspense fallback={<div class="editor waiting mono">{scorer()}</div>}>
          <Editor
            label="Scorer"
            text={scorer()}
            enter={(text) => setTried(text.trim())}
            typed={typed}
            error={(preview.error ?? error())?.message}
            complete={(before) => completeFilter(props.view, before)}
          />
        </Suspense>
      </div>
      <Trouble error={preview.error ?? error()} />
      <Show when={preview()}>
        {(table) => (
          <table class="wide preview" aria-label="What the scorer says of some cases">
            <thead>
              <tr>
                <th scope="col">output</th>
                <th scope="col">expected</th>
                <th scope="col" class="number">
                  {name()}
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={table().rows}>
                {(row) => (
                  <tr>
                    <td>
                      <ValueCell value={row.cells[0]?.value} />
                    </td>
                    <td>
                      <ValueCell value={row.cells[1]?.value} />
                    </td>
                    <td class="number">{scoreOf(row.cells[2]?.value)}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        )}
      </Show>
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
      <button class="main" disabled={sending() || preview.error !== undefined || name().trim() === ""}>
        Score {all() ? count(total()) : count(props.rows.length)} cases
      </button>
    </form>
  );
}

const scoreOf = (value: unknown) =>
  value === true ? "1" : value === false ? "0" : typeof value === "number" ? plain(value) : "–";
