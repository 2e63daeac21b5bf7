import { createSignal, For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { ExperimentList, ExperimentRow } from "../api/types";
import { time } from "../format/time";
import { go, parameters, setParameters, to, withParameters } from "../router";
import { Menu } from "../ui/Menu";
import type { View } from "./view";

/** What the experiment is held against, and the rule that chose it; swapped or changed with a click. */
export function Baseline(props: { view: View }) {
  const sides = () => props.view.sides();
  const swap = () => {
    const base = sides()[0];
    if (base)
      go(
        withParameters(to.experiment(base.project, base.experiment), {
          vs: props.view.summary()?.id,
          where: props.view.where(),
        }),
      );
  };
  return (
    <div class="bar baseline">
      <span class="cut">
        <strong>{props.view.experiment}</strong>
        <Show
          when={sides().length > 0}
          fallback={
            <span class="quiet">
              {" "}
              {props.view.off()
                ? "on its own"
                : props.view.nothingToCompare()
                  ? "with nothing to compare: no rule finds a baseline"
                  : ""}
            </span>
          }
        >
          <For each={sides()}>
            {(side, index) => (
              <>
                <span class="quiet">{index() === 0 ? " against " : ", "}</span>
                <a href={to.experiment(side.project, side.experiment)}>{side.experiment}</a>
                <Show when={side.rule}>
                  <span class="quiet"> (rule: {side.rule})</span>
                </Show>
              </>
            )}
          </For>
        </Show>
      </span>
      <Show when={sides().length > 0}>
        <button class="lined" title="Judge the baseline against this experiment" onClick={swap}>
          ⇄ Swap
        </button>
      </Show>
      <Picker view={props.view} />
      <label class="row">
        <input
          type="checkbox"
          checked={!props.view.off()}
          onChange={(event) => setParameters({ diff: event.currentTarget.checked ? null : "off" })}
        />
        Diff
      </label>
    </div>
  );
}

/** Which experiments to compare with. */
function Picker(props: { view: View }) {
  const [open, setOpen] = createSignal(false);
  const [text, setText] = createSignal("");
  const list = answer(
    () => (open() ? { project: props.view.project } : undefined),
    (given, signal) => get<ExperimentList>("/api/v1/experiments", given, signal),
  );
  const shown = () =>
    (list()?.experiments ?? [])
      .filter(
        (row) => row.id !== props.view.summary()?.id && row.experiment.toLowerCase().includes(text().toLowerCase()),
      )
      .slice(0, 200);
  const isChosen = (row: ExperimentRow) => parameters("vs").some((one) => one === row.id || one === row.experiment);
  const choose = (row: ExperimentRow, on: boolean) => {
    const others = parameters("vs").filter((one) => one !== row.id && one !== row.experiment);
    setParameters({ vs: on ? [...others, row.id] : others, diff: null });
  };
  return (
    <Menu label="Compare with" open={open()} onOpen={setOpen}>
      <input
        placeholder="Find an experiment"
        aria-label="Find an experiment"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button onClick={() => setParameters({ vs: null, diff: null })}>What the project's rule chooses</button>
      <For each={shown()}>
        {(row) => (
          <label>
            <input
              type="checkbox"
              checked={isChosen(row)}
              onChange={(event) => choose(row, event.currentTarget.checked)}
            />
            <span class="cut grow">{row.experiment}</span> <span class="quiet">{time(row.created)}</span>
          </label>
        )}
      </For>
    </Menu>
  );
}
