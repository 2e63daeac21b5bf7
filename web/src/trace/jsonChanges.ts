export interface JsonChange {
  path: string;
  kind: "added" | "removed" | "changed";
  before: unknown;
  after: unknown;
}

/** The paths at which two JSON values differ. */
export function jsonChanges(before: unknown, after: unknown, path = ""): JsonChange[] {
  if (Object.is(before, after)) return [];
  const trees = isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after);
  if (!trees) return [{ path, kind: "changed", before, after }];
  const step = (name: string) => (Array.isArray(after) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): JsonChange[] => {
    const [was, is] = [before[name], after[name]];
    if (!(name in before)) return [{ path: step(name), kind: "added", before: undefined, after: is }];
    if (!(name in after)) return [{ path: step(name), kind: "removed", before: was, after: undefined }];
    return jsonChanges(was, is, step(name));
  });
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
