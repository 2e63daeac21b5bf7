import { ApiError, post, type SqlRow } from "../api/client";

export interface FirstRows {
  rows: SqlRow[];
  /** The query gives more than these. */
  more: boolean;
}

/** The first rows of a query. When they are here the query ends, however many more it would give. */
export async function firstRows(
  query: string,
  parameters: object,
  most: number,
  signal: AbortSignal,
): Promise<FirstRows> {
  const enough = new AbortController();
  const ended = AbortSignal.any([signal, enough.signal]);
  const response = await post("/api/v1/sql?format=jsonl", { query, parameters }, ended);
  const rows: SqlRow[] = [];
  try {
    for await (const line of linesOf(response)) {
      if (rows.length === most) return { rows, more: true };
      rows.push(JSON.parse(line));
    }
    return { rows, more: false };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError("The server broke its answer off.", "The query may be over a limit: ask for fewer rows.", 0);
  } finally {
    enough.abort();
  }
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split("\n");
    rest = lines.pop()!;
    yield* lines.filter((line) => line !== "");
  }
  if (rest !== "") yield rest;
}

/** How many rows a query gives in all; undefined for what cannot be a part of another query. */
export async function countRows(query: string, parameters: object, signal: AbortSignal): Promise<number | undefined> {
  const counting = `select count(*) as n from (\n${query.replace(/;\s*$/, "")}\n)`;
  try {
    const response = await post("/api/v1/sql", { query: counting, parameters }, signal);
    return (await response.json())[0].n;
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return undefined;
    throw error;
  }
}
