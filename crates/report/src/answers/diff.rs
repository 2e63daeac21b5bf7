//! A candidate held against a baseline.

use evalhouse_model::{CaseTable, Diff, Diffs, ExperimentSide, MetricDelta, ScoreDelta, Verdict};
use serde::Serialize;

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

/// How to read the tables.
const NOTE: [&str; 2] = [
    "Means over rows; delta over matched cases with its 95% interval, scores in points.",
    "Cases: ▲ improved, ▼ regressed, = unchanged. Detectable: with 80% power.",
];

/// A diff followed by its cases; as rows, the cases alone.
#[derive(Debug, Clone, Serialize)]
pub struct DiffWithCases {
    /// The diff.
    #[serde(flatten)]
    pub diff: Diff,
    /// The candidate's cases against the base.
    pub cases: CaseTable,
}

impl Answer for DiffWithCases {
    fn document(&self, view: &View) -> Document {
        let mut document = self.diff.document(view);
        document.push(Block::Heading("Cases".to_string()));
        document.blocks.extend(super::cases::table_blocks(&self.cases));
        document
    }

    fn records(&self) -> Vec<Record> {
        self.cases.records()
    }
}

impl Answer for Diffs {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        for diff in &self.diffs {
            document.blocks.extend(diff.document(view).blocks);
        }
        document
    }

    fn records(&self) -> Vec<Record> {
        let of_one = |diff: &Diff| {
            let candidate = diff.candidate.experiment.clone();
            diff.records().into_iter().map(move |mut record| {
                record.shift_insert(0, "candidate_experiment".to_string(), Datum::from(candidate.as_str()));
                record
            })
        };
        self.diffs.iter().flat_map(of_one).collect()
    }
}

impl Answer for Diff {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(title(self)));
        document.push(Block::Fields(fields(self)));
        if !self.scores.is_empty() {
            document.push(Block::Heading("Scores".to_string()));
            document.push(Block::Grid(score_grid(self, view)));
            document.push(Block::Note(NOTE.map(str::to_string).to_vec()));
        }
        let metrics = shown_metrics(self, view);
        if !metrics.is_empty() {
            document.push(Block::Heading("Metrics".to_string()));
            document.push(Block::Grid(metric_grid(&metrics)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document.push(Block::Lines(conclusions(self)));
        document
    }

    fn records(&self) -> Vec<Record> {
        let scores = self.scores.iter().map(|(name, score)| score_record(name, score));
        scores.chain(self.metrics.iter().map(|(name, metric)| metric_record(name, metric))).collect()
    }
}

fn title(diff: &Diff) -> String {
    if diff.base.project == diff.candidate.project {
        format!("{}: {} against {}", diff.base.project, diff.candidate.experiment, diff.base.experiment)
    } else {
        let name = |side: &ExperimentSide| format!("{}/{}", side.project, side.experiment);
        format!("{} against {}", name(&diff.candidate), name(&diff.base))
    }
}

fn fields(diff: &Diff) -> Vec<(String, Line)> {
    let mut fields = vec![
        ("base".to_string(), side(&diff.base)),
        ("candidate".to_string(), side(&diff.candidate)),
        ("key".to_string(), key(diff)),
    ];
    if let Some(filter) = &diff.filter {
        fields.push(("where".to_string(), Line::plain(filter)));
    }
    if let Some(cluster) = &diff.cluster {
        fields.push(("cluster".to_string(), Line::plain(cluster)));
    }
    fields.push(("cases".to_string(), accounting(diff)));
    fields
}

/// One experiment and, where a rule chose it, the rule.
pub(super) fn side(side: &ExperimentSide) -> Line {
    let counts = format!("{}, {}", number::counted(side.rows, "row"), number::counted(side.cases, "case"));
    let line = Line::new(&side.experiment, Tone::Strong).and(format!("  {counts}"), Tone::Plain);
    match &side.rule {
        Some(rule) => line.and(format!("  ({rule})"), Tone::Plain),
        None => line,
    }
}

fn key(diff: &Diff) -> Line {
    let line = Line::plain(&diff.key);
    let has_trials = diff.base.rows > diff.base.cases || diff.candidate.rows > diff.candidate.cases;
    if has_trials { line.and(format!("  (trials of a case: {})", diff.reducer), Tone::Quiet) } else { line }
}

/// Where every case went. The counts add up to the cases of both sides.
fn accounting(diff: &Diff) -> Line {
    let counts = &diff.counts;
    let mut line = Line::plain(format!("{} matched", number::count(counts.matched)));
    for (count, what) in [(counts.base_only, "only in base"), (counts.candidate_only, "only in candidate")] {
        let tone = if count == 0 { Tone::Quiet } else { Tone::Caution };
        line = line.and(" · ", Tone::Quiet).and(format!("{} {what}", number::count(count)), tone);
    }
    let tone = if counts.null_key == 0 { Tone::Quiet } else { Tone::Caution };
    let mut text = format!("{} without a key", number::counted(counts.null_key, "row"));
    if counts.null_key > 0 {
        let base = number::count(counts.null_key_base);
        let candidate = number::count(counts.null_key_candidate);
        text.push_str(&format!(" ({base} base, {candidate} candidate)"));
    }
    line.and(" · ", Tone::Quiet).and(text, tone)
}

fn score_grid(diff: &Diff, view: &View) -> Grid {
    let mut columns = vec![Column::name("score")];
    columns.extend(["base", "candidate", "delta"].map(Column::number));
    columns.push(Column::number("p (Holm)"));
    columns.push(Column::name("verdict"));
    columns.push(Column::number("▲").beginning_group());
    columns.extend(["▼", "=", "lost", "gained", "no score"].map(Column::number));
    columns.push(Column::number("detectable"));
    columns.push(Column::name("test"));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (name, score) in &diff.scores {
        grid.rows.push(score_row(name, score));
    }
    let sum = |count: fn(&ScoreDelta) -> i64| diff.scores.values().map(count).sum::<i64>();
    let counts = [
        ("lost", sum(|score| score.lost_score)),
        ("gained", sum(|score| score.gained_score)),
        ("no score", sum(|score| score.no_score)),
    ];
    let is_empty = |title: &str| counts.iter().any(|(name, count)| *name == title && *count == 0);
    grid.retain_columns(|title| view.all || !is_empty(title));
    grid
}

fn score_row(name: &str, score: &ScoreDelta) -> Vec<Cell> {
    let scale = Scale::of([score.min, score.max, score.base, score.candidate]);
    let tone = tone(score.verdict);
    let delta = scale.difference_interval(score.delta_matched, score.ci_low, score.ci_high);
    let mut cells = vec![
        Cell::new(name, Tone::Strong),
        Cell::plain(scale.mean(score.base)),
        Cell::plain(scale.mean(score.candidate)),
        Cell::new(delta, tone),
        Cell::new(number::p_value(score.p_adjusted), tone),
        Cell::new(verdict(score.verdict), tone),
    ];
    cells.push(count(score.improved, Tone::Good));
    cells.push(count(score.regressed, Tone::Bad));
    cells.push(count(score.unchanged, Tone::Plain));
    cells.extend([score.lost_score, score.gained_score, score.no_score].map(|value| count(value, Tone::Caution)));
    // Where no case differs, no effect was ruled out.
    let detectable = score.mde.filter(|effect| *effect > 0.0);
    cells.push(Cell::new(scale.size(detectable), Tone::Quiet));
    cells.push(Cell::new(method(score.method.as_deref()), Tone::Quiet));
    cells
}

fn count(value: i64, tone: Tone) -> Cell {
    Cell::new(number::count(value), if value == 0 { Tone::Quiet } else { tone })
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Improved => Tone::Good,
        Verdict::Regressed => Tone::Bad,
        Verdict::NotDistinguishable | Verdict::NoData => Tone::Quiet,
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Improved => "▲ improved",
        Verdict::Regressed => "▼ regressed",
        Verdict::NotDistinguishable => "not distinguishable",
        Verdict::NoData => "no data",
    }
}

fn method(name: Option<&str>) -> String {
    match name {
        Some("paired_t") => "paired t".to_string(),
        Some("cluster_t") => "clustered t".to_string(),
        Some("mcnemar_exact") => "exact McNemar".to_string(),
        Some("sign_flip_exact") => "exact sign-flip".to_string(),
        Some("sign_flip") => "sign-flip".to_string(),
        Some(other) => other.replace('_', " "),
        None => number::NONE.to_string(),
    }
}

/// Metrics that changed in some case, or are asked for.
fn shown_metrics<'a>(diff: &'a Diff, view: &View) -> Vec<(&'a String, &'a MetricDelta)> {
    let says_something = |metric: &MetricDelta| {
        let is_one_sided = metric.base.is_some() != metric.candidate.is_some();
        metric.improved + metric.regressed > 0 || is_one_sided
    };
    diff.metrics.iter().filter(|(_, metric)| view.all || says_something(metric)).collect()
}

fn metric_grid(metrics: &[(&String, &MetricDelta)]) -> Grid {
    let mut columns = vec![Column::name("metric")];
    columns.extend(["base", "candidate", "delta", "change"].map(Column::number));
    columns.push(Column::number("▲").beginning_group());
    columns.extend(["▼", "="].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (name, metric) in metrics {
        grid.rows.push(metric_row(name, metric));
    }
    grid
}

fn metric_row(name: &str, metric: &MetricDelta) -> Vec<Cell> {
    let unit = metric.unit.as_str();
    let reference = metric.base.unwrap_or(0.0).abs().max(metric.candidate.unwrap_or(0.0).abs());
    let delta = number::metric_difference(metric.delta_matched, metric.ci_low, metric.ci_high, unit, reference);
    let tone = metric_tone(metric);
    vec![
        Cell::new(name, Tone::Strong),
        Cell::plain(number::metric(metric.base, unit)),
        Cell::plain(number::metric(metric.candidate, unit)),
        Cell::new(delta, tone),
        Cell::new(number::change(metric.delta_matched, metric.base), tone),
        count(metric.improved, Tone::Good),
        count(metric.regressed, Tone::Bad),
        count(metric.unchanged, Tone::Plain),
    ]
}

/// Colour only where the interval leaves zero out.
fn metric_tone(metric: &MetricDelta) -> Tone {
    let (Some(low), Some(high)) = (metric.ci_low, metric.ci_high) else { return Tone::Quiet };
    match (low > 0.0, high < 0.0, metric.lower_is_better) {
        (true, _, true) | (_, true, false) => Tone::Bad,
        (true, _, false) | (_, true, true) => Tone::Good,
        _ => Tone::Quiet,
    }
}

/// One sentence for each score that changed, regressions first, and one where none did.
fn conclusions(diff: &Diff) -> Vec<Line> {
    let family = diff.scores.values().filter(|score| score.p.is_some()).count();
    let mut lines = Vec::new();
    for wanted in [Verdict::Regressed, Verdict::Improved] {
        let chosen = diff.scores.iter().filter(|(_, score)| score.verdict == wanted);
        lines.extend(chosen.map(|(name, score)| conclusion(name, score, family)));
    }
    let has_answer = diff.scores.values().any(|score| score.verdict == Verdict::NotDistinguishable);
    if lines.is_empty() && has_answer {
        lines.push(Line::plain("No score changed by more than noise explains."));
    }
    lines
}

fn conclusion(name: &str, score: &ScoreDelta, family: usize) -> Line {
    let scale = Scale::of([score.min, score.max, score.base, score.candidate]);
    let (sign, word) = match score.verdict {
        Verdict::Regressed => ("▼ ", "regressed"),
        _ => ("▲ ", "improved"),
    };
    let delta = scale.difference_interval(score.delta_matched, score.ci_low, score.ci_high);
    let cases = number::counted(score.n, "matched case");
    let mut text = format!(": {delta}{} over {cases}", scale.unit());
    if let Some(p) = score.p_adjusted.or(score.p) {
        let correction = if family > 1 { format!(" after Holm over {family} scores") } else { String::new() };
        text.push_str(&format!(" ({}{correction})", number::p_phrase(p)));
    }
    text.push('.');
    let tone = tone(score.verdict);
    Line::new(sign, tone).and(name, Tone::Strong).and(" ", Tone::Plain).and(word, tone).and(text, Tone::Plain)
}

fn score_record(name: &str, score: &ScoreDelta) -> Record {
    Record::from([
        ("kind".to_string(), Datum::from("score")),
        ("name".to_string(), Datum::from(name)),
        ("base".to_string(), Datum::from(score.base)),
        ("candidate".to_string(), Datum::from(score.candidate)),
        ("delta_matched".to_string(), Datum::from(score.delta_matched)),
        ("delta_all".to_string(), Datum::from(score.delta_all)),
        ("improved".to_string(), Datum::from(score.improved)),
        ("regressed".to_string(), Datum::from(score.regressed)),
        ("unchanged".to_string(), Datum::from(score.unchanged)),
        ("lost_score".to_string(), Datum::from(score.lost_score)),
        ("gained_score".to_string(), Datum::from(score.gained_score)),
        ("no_score".to_string(), Datum::from(score.no_score)),
        ("n".to_string(), Datum::from(score.n)),
        ("sd".to_string(), Datum::from(score.sd)),
        ("se".to_string(), Datum::from(score.se)),
        ("ci_low".to_string(), Datum::from(score.ci_low)),
        ("ci_high".to_string(), Datum::from(score.ci_high)),
        ("p".to_string(), Datum::from(score.p)),
        ("p_adjusted".to_string(), Datum::from(score.p_adjusted)),
        ("method".to_string(), Datum::from(score.method.as_deref())),
        ("mde".to_string(), Datum::from(score.mde)),
        ("verdict".to_string(), Datum::Text(verdict_name(score.verdict))),
        ("lower_is_better".to_string(), Datum::from(score.lower_is_better)),
        ("unit".to_string(), Datum::Text(None)),
    ])
}

/// The name that JSON has for it.
fn verdict_name(verdict: Verdict) -> Option<String> {
    let value = serde_json::to_value(verdict).ok()?;
    value.as_str().map(str::to_string)
}

fn metric_record(name: &str, metric: &MetricDelta) -> Record {
    Record::from([
        ("kind".to_string(), Datum::from("metric")),
        ("name".to_string(), Datum::from(name)),
        ("base".to_string(), Datum::from(metric.base)),
        ("candidate".to_string(), Datum::from(metric.candidate)),
        ("delta_matched".to_string(), Datum::from(metric.delta_matched)),
        ("delta_all".to_string(), Datum::from(metric.delta_all)),
        ("improved".to_string(), Datum::from(metric.improved)),
        ("regressed".to_string(), Datum::from(metric.regressed)),
        ("unchanged".to_string(), Datum::from(metric.unchanged)),
        ("n".to_string(), Datum::from(metric.n)),
        ("se".to_string(), Datum::from(metric.se)),
        ("ci_low".to_string(), Datum::from(metric.ci_low)),
        ("ci_high".to_string(), Datum::from(metric.ci_high)),
        ("lower_is_better".to_string(), Datum::from(metric.lower_is_better)),
        ("unit".to_string(), Datum::from(metric.unit.as_str())),
    ])
}
