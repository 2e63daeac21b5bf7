//! How the filter language writes names and constants.

/** A name after a dot, as the filter language writes it. */
export const quoted = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

/** The name that such a name stands for. */
export const unquoted = (name: string) => name.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"');

/** A constant, as the filter language writes it. */
export function constant(value: unknown): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}

/** The parts of a list with commas between them; commas inside brackets and quotes stay. */
export const listed = (text: string): string[] => pieces(text, ",");

/** The conditions that all have to hold, each so that it can stand beside others. */
export function conditions(text: string): string[] {
  if (pieces(text, " or ").length > 1 || pieces(text, "?").length > 1) return [`(${text.trim()})`];
  const parts: string[] = [];
  for (const piece of pieces(text, " and ")) {
    // The `and` of a `between` is no end.
    if (/\sbetween\s(?!.*\sand\s)/i.test(parts.at(-1) ?? "")) parts.push(`${parts.pop()} and ${piece}`);
    else parts.push(piece);
  }
  return parts;
}

/** The parts of a text between separators that are in no bracket and no quotes. */
function pieces(text: string, separator: string): string[] {
  const parts: string[] = [];
  const lower = text.toLowerCase();
  let depth = 0;
  let quote = "";
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === "'" || letter === '"') quote = letter;
    else if ("([{".includes(letter)) depth++;
    else if (")]}".includes(letter)) depth--;
    else if (depth === 0 && lower.startsWith(separator, at)) {
      parts.push(text.slice(start, at));
      start = at + separator.length;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== "");
}
