import { Show } from "solid-js";
import type { ApiError } from "../api/client";
import "./Trouble.css";

/** Why there is no answer, and what to do. The lines under a message point at a place in the text. */
export function Trouble(props: { error: ApiError | undefined; again?: () => void }) {
  return (
    <Show when={props.error}>
      {(error) => (
        <div class="trouble" role="alert">
          <pre>{error().message}</pre>
          <Show when={error().hint}>
            <p class="quiet">{error().hint}</p>
          </Show>
          <Show when={props.again && mayPass(error())}>
            <button class="lined" onClick={() => props.again?.()}>
              Try again
            </button>
          </Show>
        </div>
      )}
    </Show>
  );
}

/** Whether the same question may have an answer the next time: the server was away, or failed. */
const mayPass = ({ status }: ApiError) => status === 0 || status >= 500 || status === 429;

/** What the reader should know before trusting the numbers. */
export function Warnings(props: { of: readonly string[] | undefined }) {
  return (
    <Show when={props.of?.length}>
      <ul class="warnings">
        {props.of!.map((text) => (
          <li>{text}</li>
        ))}
      </ul>
    </Show>
  );
}
