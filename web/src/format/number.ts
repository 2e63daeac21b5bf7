//! Numbers as the page writes them: one precision for each kind, and never a number for null.

export const NONE = "–";
const MINUS = "−";

const minus = (text: string) => text.replace("-", MINUS);

const grouped = new Intl.NumberFormat("en");

/** A count. */
export const count = (n: number | null | undefined) => (n == null ? NONE : minus(grouped.format(n)));

/** A share of one as percent: `83.0 %`. */
export const percent = (x: number | null | undefined, digits = 1) =>
  x == null ? NONE : `${minus((100 * x).toFixed(digits))} %`;

/** A plain number with at most `digits` significant ones, for values of unknown size. */
export function plain(x: number | null | undefined, digits = 3): string {
  if (x == null) return NONE;
  if (Number.isInteger(x)) return count(x);
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-6) return minus(x.toExponential(digits - 1));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return minus(x.toLocaleString("en", { maximumFractionDigits: decimals }));
}

/** A value of a score in a cell: `0.57`. */
export const score = (x: number | null | undefined) => (x == null ? NONE : minus(x.toFixed(2)));

/** A value with its unit, for places without a header that has it: `1.84 s`, `$0.0021`. */
export function measure(x: number | null | undefined, unit: string): string {
  if (x == null) return NONE;
  if (unit === "$") return x < 0 ? `${MINUS}$${plain(-x)}` : `$${plain(x)}`;
  return unit === "" ? plain(x) : `${plain(x)} ${unit}`;
}

/** The mean of a score: as percent where its values are shares, else as it is. */
export const mean = (x: number | null | undefined, isShare: boolean) => (isShare ? percent(x) : plain(x));

/** Whether values between these are shares of one. */
export const isShare = (min: number | null | undefined, max: number | null | undefined) =>
  (min == null || min >= 0) && (max == null || max <= 1);

/** A number with its sign: `+2.1`, `−0.3`. */
export function signed(x: number | null | undefined, write: (size: number) => string): string {
  if (x == null) return NONE;
  if (x === 0) return write(0);
  return (x > 0 ? "+" : MINUS) + write(Math.abs(x));
}

/** Half the width of an interval: `±1.4`. */
export const halfWidth = (low: number | null | undefined, high: number | null | undefined) =>
  low == null || high == null ? null : (high - low) / 2;

/** A p-value. */
export function pValue(p: number | null | undefined): string {
  if (p == null) return NONE;
  return p < 0.0001 ? "< 0.0001" : p.toPrecision(2);
}

/** Writes the numbers of a column with one precision: that which shows three digits of the largest. */
export function inColumn(values: Iterable<number | null | undefined>): (x: number | null | undefined) => string {
  let largest = 0;
  for (const value of values) if (value != null) largest = Math.max(largest, Math.abs(value));
  const digits = largest === 0 ? 0 : Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(largest))));
  const write = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (x) => (x == null ? NONE : minus(write.format(x)));
}
