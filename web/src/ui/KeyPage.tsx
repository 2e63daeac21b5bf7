import { createSignal } from "solid-js";
import { keepKey } from "../api/key";

/** Asks for an API key, where the server wants one. */
export function KeyPage(props: { why: string }) {
  const [key, setKey] = createSignal("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    keepKey(key().trim());
  };
  return (
    <section class="empty">
      <h1>This server wants an API key</h1>
      <p role="alert">{props.why}</p>
      <form class="row" onSubmit={submit}>
        <input
          type="password"
          name="key"
          aria-label="API key"
          placeholder="eh_…"
          autocomplete="off"
          required
          autofocus
          value={key()}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <button class="lined">Use it</button>
      </form>
      <p class="quiet">
        Whoever runs the server makes one: <code>evalhouse keys create NAME --role read</code>. It is kept until the
        browser closes.
      </p>
    </section>
  );
}
