import { For, Show } from "solid-js";
import { answer, get } from "../api/client";
import type { Explanation } from "../api/types";
import { count, halfWidth, percent, plain, pValue, score, signed } from "../format/number";
import { preview } from "../format/value";
import { Dialog } from "../ui/Dialog";
import { Trouble, Warnings } from "../ui/Trouble";
import { narrowedFrom, type View } from "./view";
import { closeExplanation, type Explained } from "./Why";

const SLICES = "12";

/** Which slices of the cases carry the change of a score. Each opens as a filter. */
export default function Explain(props: { view: View; of: Explained }) {
  const base = () => props.view.sideOf(props.of.from) ?? props.view.sides()[0];
  const where = () => props.of.where ?? props.view.where();
  const explanation = answer(
    () =>
      base() && {
        base: base()!.id,
        candidate: props.view.experiment,
        project: props.view.project,
        score: props.of.score,
        where: where(),
        limit: SLICES,
      },
    (given, signal) => get<Explanation>("/api/v1/explain", given, signal),
    props.view.changes,
  );
  const open = (condition: string) => closeExplanation(narrowedFrom(props.of.where ?? props.view.meaning(), condition));
  const withWidth = (delta: number | null, low: number | null, high: number | null) => {
    const width = halfWidth(low, high);
    return width === null ? signed(delta, score) : `${signed(delta, score)} ±${score(width)}`;
  };
  return (
    <Dialog title={`Why did ${props.of.score} change?`} close={closeExplanation} wide>
      <Trouble error={explanation.error} again={explanation.again} />
      <Show when={explanation()} fallback={<p class="quiet">Looking through the slices…</p>}>
        {(of) => (
          <>
            <p>
              {withWidth(of().delta, of().ci_low, of().ci_high)} against {base()?.experiment} over {count(of().n)}{" "}
              matched cases
              <Show when={where()}>
                {(condition) => (
                  <>
                    {" "}
                    with <code>{condition()}</code>
                  </>
                )}
              </Show>
              . {count(of().searched)} slices by {of().fields.join(", ")} were looked at; p-values are corrected for
              that.
            </p>
            <Show
              when={of().slices.length > 0}
              fallback={<p>No slice carries more of the change than its share of the cases.</p>}
            >
              <table class="slices">
                <thead>
                  <tr>
                    <th scope="col">Slice</th>
                    <th scope="col" class="number">
                      Cases
                    </th>
                    <th scope="col" class="number">
                      Inside
                    </th>
                    <th scope="col" class="number">
                      Elsewhere
                    </th>
                    <th scope="col" class="number">
                      Share of change
                    </th>
                    <th scope="col" class="number">
                      ▲ ▼
                    </th>
                    <th scope="col" class="number">
                      p
                    </th>
                  </tr>
                </thead>
                <tbody>
                  <For each={of().slices}>
                    {(slice) => (
                      <tr>
                        <td>
                          <button class="mono slice" onClick={() => open(slice.where)}>
                            {slice.where}
                          </button>
                          <For each={slice.worst.slice(0, 1)}>
                            {(worst) => (
                              <div class="cut quiet" title="Its worst case">
                                {score(worst.base)} → {score(worst.candidate)} {preview(worst.input, 120)}
                              </div>
                            )}
                          </For>
                        </td>
                        <td class="number">{count(slice.n)}</td>
                        <td class="number">{withWidth(slice.delta, slice.ci_low, slice.ci_high)}</td>
                        <td class="number">{signed(slice.delta_elsewhere, plain)}</td>
                        <td class="number">{percent(slice.share, 0)}</td>
                        <td class="number">
                          <span class="better">▲{count(slice.improved)}</span>{" "}
                          <span class="worse">▼{count(slice.regressed)}</span>
                        </td>
                        <td class="number">{pValue(slice.p_adjusted)}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </Show>
            <Warnings of={of().warnings} />
          </>
        )}
      </Show>
    </Dialog>
  );
}
