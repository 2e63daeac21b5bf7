import { type ParentProps } from "solid-js";

/** A part of the settings: its name, what it is for, its fields. */
export function Section(props: ParentProps<{ title: string; about: string }>) {
  return (
    <section class="setting" aria-label={props.title}>
      <div>
        <h2>{props.title}</h2>
        <p class="quiet">{props.about}</p>
      </div>
      <div class="setting-body">{props.children}</div>
    </section>
  );
}
