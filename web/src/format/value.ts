//! Stored JSON as text.

/** A value on one line: texts without quotes, everything else as JSON. */
export function oneLine(value: unknown): string {
  if (value == null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The first part of a value on one line, short enough for a table cell however long the value is. */
export function preview(value: unknown, length = 400): string {
  const text = oneLine(value);
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
