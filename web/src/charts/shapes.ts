//! Marks that differ in shape as well as in colour.

const R = 4;

const SHAPES = [
  `M${R} 0A${R} ${R} 0 1 1 ${-R} 0A${R} ${R} 0 1 1 ${R} 0Z`,
  `M${-R} ${-R}H${R}V${R}H${-R}Z`,
  `M0 ${-R - 1}L${R + 1} ${R}H${-R - 1}Z`,
  `M0 ${-R - 1.5}L${R + 1.5} 0L0 ${R + 1.5}L${-R - 1.5} 0Z`,
  `M0 ${R + 1}L${R + 1} ${-R}H${-R - 1}Z`,
  `M-1.5 -5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z`,
];

/** The outline of the n-th kind of mark. */
export const shape = (kind: number) => SHAPES[kind % SHAPES.length]!;

/** The class of the n-th colour. */
export const series = (kind: number) => `series-${kind % SHAPES.length}`;

interface Label {
  x: number;
  y: number;
  text: string;
}

/** Places of labels that do not cover each other; a label without room is left out. */
export function labels(wanted: readonly Label[], width: number) {
  const placed: { left: number; right: number; y: number }[] = [];
  return wanted.flatMap(({ x, y, text }) => {
    const size = 6.4 * text.length;
    const goesLeft = x + size + 8 > width + 130;
    const left = goesLeft ? x - 8 - size : x + 8;
    const box = { left, right: left + size, y };
    if (placed.some((other) => Math.abs(other.y - y) < 13 && other.left < box.right && box.left < other.right))
      return [];
    placed.push(box);
    return [{ text, left, y }];
  });
}
