import { Show } from "solid-js";
import type { Diff, MetricDelta, ScoreDelta, Summary } from "../api/types";
import { halfWidth, isShare, mean, measure, percent, plain, pValue, signed } from "../format/number";
import { Why } from "./Why";

/** What a header says of a number: its mean and, against a baseline, the delta with its verdict. */
export interface Sums {
  kind: "score" | "metric";
  name: string;
  unit: string;
  share: boolean;
  mean: number | null;
  base: number | null;
  delta: number | null;
  low: number | null;
  high: number | null;
  improved: number | null;
  regressed: number | null;
  /** Better or worse beyond noise. */
  verdict: "improved" | "regressed" | "not_distinguishable" | "no_data" | null;
  title: string;
}

/** What is known of a number: from a comparison where there is one, else of the experiment alone. */
export function sumsOf(
  kind: Sums["kind"],
  name: string,
  diff: Diff | undefined,
  alone: Summary | undefined,
): Sums | undefined {
  if (!diff) return alone && sumsAlone(kind, name, alone);
  const score = kind === "score" ? diff.scores[name] : undefined;
  const metric = kind === "metric" ? diff.metrics[name] : undefined;
  return score ? sumsOfScore(name, score) : metric && sumsOfMetric(name, metric);
}

/** Of a comparison. */
function sumsOfScore(name: string, of: ScoreDelta): Sums {
  const share = isShare(of.min, of.max);
  return {
    kind: "score",
    name,
    unit: "",
    share,
    mean: of.candidate,
    base: of.base,
    delta: of.delta_matched,
    low: of.ci_low,
    high: of.ci_high,
    improved: of.improved,
    regressed: of.regressed,
    verdict: of.verdict as Sums["verdict"],
    title:
      `Mean over rows; difference over ${of.n} matched cases, p = ${pValue(of.p_adjusted)} after Holm's correction` +
      (of.method ? ` (${of.method})` : "") +
      (of.mde == null ? "" : `; sees differences from ${share ? percent(of.mde) : plain(of.mde)} on`),
  };
}

/** Of a comparison. A metric has no verdict but its interval. */
function sumsOfMetric(name: string, of: MetricDelta): Sums {
  const real = of.ci_low != null && of.ci_high != null && (of.ci_low > 0 || of.ci_high < 0);
  const better = (of.delta_matched ?? 0) < 0 === of.lower_is_better;
  return {
    kind: "metric",
    name,
    unit: of.unit,
    share: false,
    mean: of.candidate,
    base: of.base,
    delta: of.delta_matched,
    low: of.ci_low,
    high: of.ci_high,
    improved: of.improved,
    regressed: of.regressed,
    verdict: of.n < 2 ? "no_data" : real ? (better ? "improved" : "regressed") : "not_distinguishable",
    title: `Mean over rows; difference over ${of.n} matched cases with its 95 % interval`,
  };
}

/** Of an experiment alone. */
function sumsAlone(kind: Sums["kind"], name: string, summary: Summary): Sums | undefined {
  const none = { base: null, delta: null, improved: null, regressed: null, verdict: null };
  const score = kind === "score" ? summary.scores[name] : undefined;
  if (score) {
    const title = `Mean over cases with its 95 % interval, ${score.n} rows with a value, ${score.missing} without`;
    return {
      ...none,
      kind,
      name,
      unit: "",
      share: isShare(score.min, score.max),
      mean: score.case_mean,
      low: score.ci_low,
      high: score.ci_high,
      title,
    };
  }
  const metric = kind === "metric" ? summary.metrics[name] : undefined;
  if (!metric) return undefined;
  const title = `Mean over ${metric.n} rows; median ${measure(metric.p50, metric.unit)}, nine in ten below ${measure(metric.p90, metric.unit)}`;
  return { ...none, kind, name, unit: metric.unit, share: false, mean: metric.mean, low: null, high: null, title };
}

export const meanOf = (of: Sums, value = of.mean) =>
  of.kind === "score" ? mean(value, of.share) : measure(value, of.unit);

const SIGN = { improved: "▲", regressed: "▼", not_distinguishable: "", no_data: "" };
const WORDS = {
  improved: "improved",
  regressed: "regressed",
  not_distinguishable: "not distinguishable",
  no_data: "too few",
};
const COLOUR = { improved: "better", regressed: "worse", not_distinguishable: "quiet", no_data: "quiet" };

/** A delta: sign, size, interval and verdict. Grey where noise explains it. `base` is what it is a delta from. */
export function Delta(props: { of: Sums; words?: boolean; base?: string | undefined }) {
  const size = (x: number) =>
    props.of.share ? (100 * x).toFixed(1) : props.of.unit === "$" ? `$${plain(x)}` : plain(x);
  const width = () => halfWidth(props.of.low, props.of.high);
  return (
    <Show when={props.of.verdict}>
      {(verdict) => (
        <Why
          score={props.of.kind === "score" && props.of.delta != null ? props.of.name : undefined}
          from={props.base}
          class={COLOUR[verdict()]}
          title={props.of.title}
        >
          {signed(props.of.delta, size)}
          <Show when={width() != null}> ±{size(width()!)}</Show> <span aria-hidden="true">{SIGN[verdict()]}</span>
          <span classList={{ "only-read": !props.words }}> {WORDS[verdict()]}</span>
        </Why>
      )}
    </Show>
  );
}
