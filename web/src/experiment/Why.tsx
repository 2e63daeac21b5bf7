import { Show, type ParentProps } from "solid-js";
import { parameter, setParameters, type Given } from "../router";

const NOTHING = { explain: null, "explain-from": null, "explain-where": null } satisfies Given;

/** The parameters that are about an open explanation. */
export const OF_AN_EXPLANATION = Object.keys(NOTHING);

/** What is explained: a score, from which baseline (the first without), of which cases (those of the filter without). */
export interface Explained {
  score: string;
  from?: string | undefined;
  where?: string | null | undefined;
}

export function explained(): Explained | undefined {
  const score = parameter("explain");
  if (score === null) return undefined;
  return { score, from: parameter("explain-from") ?? undefined, where: parameter("explain-where") };
}

export const explain = ({ score, from, where }: Explained) =>
  setParameters({ explain: score, "explain-from": from, "explain-where": where });

/** Closes the explanation; with a condition, that becomes the filter. */
export const closeExplanation = (where?: string | null) =>
  setParameters({ ...NOTHING, ...(where === undefined ? {} : { where }) });

interface Looks {
  class: string;
  title: string;
  /** The tab key passes it by: a table would have hundreds of stops, and its header has the same. */
  aside?: boolean;
}

/** A delta that says, when it is clicked, which cases carry it. */
export function WhyButton(props: ParentProps<Explained & Looks>) {
  return (
    <button
      class={`delta ${props.class}`}
      title={`${props.title}: why?`}
      tabindex={props.aside ? -1 : undefined}
      onClick={(event) => {
        event.stopPropagation();
        explain({ score: props.score, from: props.from, where: props.where });
      }}
    >
      {props.children}
      <span class="only-read">, why?</span>
    </button>
  );
}

/** The same, and without a score a delta of which there is nothing to say. */
export function Why(props: ParentProps<Omit<Explained, "score"> & { score: string | undefined } & Looks>) {
  return (
    <Show
      when={props.score}
      fallback={
        <span class={props.class} title={props.title}>
          {props.children}
        </span>
      }
    >
      {(score) => <WhyButton {...props} score={score()} />}
    </Show>
  );
}
