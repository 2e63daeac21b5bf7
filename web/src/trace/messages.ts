//! What reads as a conversation.

export interface ToolCall {
  name: string;
  arguments: unknown;
}

export interface Message {
  role: string;
  text: string;
  /** Parts that are no text: images by link, files. */
  parts: unknown[];
  calls: ToolCall[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The messages of a value: a list of them, an object with such a list, or a model's choices. */
export function messagesOf(value: unknown): Message[] | undefined {
  if (isObject(value)) return messagesOf(value.messages ?? value.choices ?? value.message);
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const messages = value.map((one) => (isObject(one) && isObject(one.message) ? one.message : one));
  if (!messages.every((one) => isObject(one) && typeof one.role === "string")) return undefined;
  return (messages as Record<string, unknown>[]).map(read);
}

function read(message: Record<string, unknown>): Message {
  const parts = Array.isArray(message.content) ? message.content : [message.content];
  const textOf = (part: unknown) =>
    typeof part === "string" ? part : isObject(part) && typeof part.text === "string" ? part.text : undefined;
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  return {
    role: message.role as string,
    text: parts
      .map(textOf)
      .filter((text) => text !== undefined)
      .join("\n"),
    parts: parts.filter((part) => part != null && textOf(part) === undefined),
    calls: calls.map((call) => {
      const called = isObject(call) && isObject(call.function) ? call.function : call;
      return isObject(called)
        ? { name: String(called.name ?? "tool"), arguments: parsed(called.arguments) }
        : { name: "tool", arguments: called };
    }),
  };
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
