//! Axes that fit what is drawn.

import { scaleLinear } from "d3-scale";

/** Without spreading: there may be more values than a call takes. */
export const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
export const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** An axis upwards from the least of the values to the most, whatever they are. */
export function upwards(values: readonly number[], height: number) {
  const [low, high] = [least(values), most(values)];
  const room = low === high ? Math.abs(low) / 2 || 0.5 : 0;
  return scaleLinear()
    .domain([low - room, high + room])
    .nice(5)
    .range([height, 0]);
}

/** Numbers in a path, short. */
export const round = (x: number) => Math.round(x * 10) / 10;
