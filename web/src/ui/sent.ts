import { createSignal } from "solid-js";
import type { ApiError } from "../api/client";

/** A form that is sent once at a time, and why it was refused. */
export function createSent(act: (given: FormData) => Promise<void>) {
  const [sending, setSending] = createSignal(false);
  const [error, setError] = createSignal<ApiError>();
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    setSending(true);
    setError(undefined);
    try {
      await act(new FormData(event.currentTarget as HTMLFormElement));
    } catch (failure) {
      setError(failure as ApiError);
    } finally {
      setSending(false);
    }
  };
  return { send, sending, error };
}
