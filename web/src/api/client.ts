//! Asks the server. A question that a newer one replaces is cancelled.

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { withParameters, type Given } from "../router";
import { wantKey } from "./key";

/** What the server answers when it cannot do what was asked. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly hint: string | null,
    readonly status: number,
  ) {
    super(message);
  }
}

const [running, setRunning] = createSignal(0);

/** How many questions wait for their answer. */
export { running };

async function send(path: string, init: RequestInit): Promise<Response> {
  setRunning((n) => n + 1);
  try {
    const response = await fetch(path, init);
    if (!response.ok) throw await refusal(response);
    return response;
  } catch (error) {
    if (error instanceof TypeError)
      throw new ApiError("The server does not answer.", "Is `evalhouse serve` still running?", 0);
    throw error;
  } finally {
    setRunning((n) => n - 1);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    if (response.status === 401) wantKey(error.message);
    return new ApiError(error.message, error.hint ?? null, response.status);
  } catch {
    return new ApiError(text || response.statusText, null, response.status);
  }
}

/** Asks for an answer. */
export async function get<T>(path: string, given: Given = {}, signal?: AbortSignal): Promise<T> {
  return (await send(withParameters(path, given), { signal: signal ?? null })).json();
}

/** Sends JSON and gives the response. */
export async function post(path: string, body: unknown, signal?: AbortSignal, method = "POST"): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return send(path, { method, headers, body: JSON.stringify(body), signal: signal ?? null });
}

export type SqlRow = Record<string, unknown>;

/** Runs SQL. */
export async function sql<T = SqlRow>(query: string, parameters: object = {}, signal?: AbortSignal): Promise<T[]> {
  return (await post("/api/v1/sql", { query, parameters }, signal)).json();
}

/** An answer as it is known now: the one before stays until the next is there. */
export interface Answer<T> {
  (): T | undefined;
  /** Why the newest question has no answer. */
  readonly error: ApiError | undefined;
  /** True while what is shown is older than what was asked. */
  readonly loading: boolean;
  /** Asks again. */
  again(): void;
  /** Asks no more, and keeps what is known. */
  stop(): void;
}

/**
 * Asks whenever `question` changes; undefined asks nothing and forgets. `ask` is given a signal that ends the
 * request when a newer one replaces it. The same is asked again when `changes` does.
 */
export function answer<Q, T>(
  question: () => Q | undefined,
  ask: (question: Q, signal: AbortSignal) => Promise<T>,
  changes: () => unknown = () => undefined,
): Answer<T> {
  const [value, setValue] = createSignal<T>();
  const [error, setError] = createSignal<ApiError>();
  const [loading, setLoading] = createSignal(false);
  const [round, setRound] = createSignal(0);
  const asked = () => JSON.stringify(question());
  let control = new AbortController();

  createEffect(
    on([asked, round, changes], () => {
      const now = question();
      if (now === undefined) {
        setValue(undefined);
        setError(undefined);
        setLoading(false);
        return;
      }
      control = new AbortController();
      const { signal } = control;
      onCleanup(() => control.abort());
      setLoading(true);
      const keep = (act: () => void) => {
        if (signal.aborted) return;
        setLoading(false);
        act();
      };
      ask(now, signal).then(
        (given) =>
          keep(() => {
            setError(undefined);
            setValue(() => given);
          }),
        (failure) =>
          keep(() => setError(failure instanceof ApiError ? failure : new ApiError(String(failure), null, 0))),
      );
    }),
  );

  return Object.defineProperties(() => value(), {
    error: { get: error },
    loading: { get: loading },
    again: { value: () => setRound((n) => n + 1) },
    stop: {
      value: () => {
        control.abort();
        setLoading(false);
      },
    },
  }) as unknown as Answer<T>;
}
