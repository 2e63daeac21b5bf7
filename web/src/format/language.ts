//! How the filter language writes names and constants.

/** A name after a dot, as the filter language writes it. */
export const quoted = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

/** A constant, as the filter language writes it. */
export function constant(value: unknown): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}
