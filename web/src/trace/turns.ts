//! A trace as one conversation: what each call of a model added to it.

import type { TraceSpan } from "../api/types";
import { messagesOf, type Message } from "./messages";

/** What a call of a model was told anew, and what it said. */
export interface Turn {
  span: TraceSpan;
  messages: Message[];
}

/** The turns of the spans that call models and read as conversations. */
export function turnsOf(spans: readonly TraceSpan[]): Turn[] {
  const seen = new Set<string>();
  const isNew = (message: Message) => {
    const key = JSON.stringify(message);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  return spans
    .filter((span) => span.type === "llm" && span.purpose !== "scorer")
    .map((span) => ({
      span,
      messages: [...(messagesOf(span.input) ?? []), ...said(span.output)].filter(isNew),
    }))
    .filter((turn) => turn.messages.length > 0);
}

/** What a model put out: messages, or one text. */
function said(output: unknown): Message[] {
  const messages = messagesOf(output);
  if (messages) return messages;
  const isMessage = typeof output === "object" && output !== null && "role" in output;
  if (isMessage) return messagesOf([output]) ?? [];
  return typeof output === "string" && output !== "" ? [{ role: "assistant", text: output, parts: [], calls: [] }] : [];
}
