/**
 * Where in a text a message of the server points at. The message has the line and, below it, a row of `^`.
 */
export function placeIn(message: string, text: string): { from: number; to: number } | undefined {
  const lines = message.split("\n");
  const under = lines.findIndex((line) => /^ *\^+ *$/.test(line));
  const line = lines[under - 1];
  if (line === undefined) return undefined;
  const marks = lines[under]!;
  const written = line.trimStart();
  const start = text.indexOf(written);
  if (start < 0) return undefined;
  const from = start + marks.indexOf("^") - (line.length - written.length);
  return { from, to: Math.min(text.length, from + marks.trim().length) };
}
