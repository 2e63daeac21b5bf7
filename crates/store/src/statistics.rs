//! What Delta's log says of each file, so that a scan can leave files out.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, TimeUnit};
use evalhouse_model::schema;

/// Delta's per-file statistics, over the columns worth pruning by.
#[derive(Debug, Default)]
pub(crate) struct FileStatistics {
    rows: usize,
    ranges: BTreeMap<String, Range>,
    null_counts: HashMap<String, usize>,
}

#[derive(Debug)]
enum Range {
    Text(String, String),
    Int(i64, i64),
    Float(f64, f64),
    Micros(i64, i64),
}

/// Longer texts are left out of the statistics.
const STATISTIC_BYTES_MAX: usize = 64;

impl FileStatistics {
    /// Whether a column has a range. Statistics are read on every open of the store, so identifiers
    /// of the experiment, the time, scores and shredded metadata have one, and unique or bulky
    /// columns do not.
    fn has_range(name: &str) -> bool {
        matches!(name, schema::PROJECT | schema::EXPERIMENT | schema::EXPERIMENT_ID | schema::CREATED | schema::XACT)
            || name.starts_with("metadata.")
            || name.starts_with("scores.")
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        use arrow::array::{AsArray, types};
        use arrow::compute::{max, max_string, min, min_string};
        self.rows += batch.num_rows();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let name = field.name();
            // The count of nulls also says that the file has the score or metric at all.
            if !Self::has_range(name) && !name.starts_with("metrics.") {
                continue;
            }
            *self.null_counts.entry(name.clone()).or_default() += array.null_count();
            if !Self::has_range(name) {
                continue;
            }
            let range = match field.data_type() {
                DataType::Utf8 => {
                    let texts = array.as_string::<i32>();
                    min_string(texts).zip(max_string(texts)).map(|(low, high)| Range::Text(low.into(), high.into()))
                }
                DataType::Int64 => {
                    let ints = array.as_primitive::<types::Int64Type>();
                    min(ints).zip(max(ints)).map(|(low, high)| Range::Int(low, high))
                }
                DataType::Float64 => {
                    let floats = array.as_primitive::<types::Float64Type>();
                    min(floats).zip(max(floats)).map(|(low, high)| Range::Float(low, high))
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    let times = array.as_primitive::<types::TimestampMicrosecondType>();
                    min(times).zip(max(times)).map(|(low, high)| Range::Micros(low, high))
                }
                _ => None,
            };
            if let Some(range) = range {
                let widened = match self.ranges.remove(name) {
                    Some(known) => known.union(range),
                    None => range,
                };
                self.ranges.insert(name.clone(), widened);
            }
        }
    }

    /// The statistics as Delta writes them.
    pub(crate) fn to_json(&self) -> String {
        let bounds = |pick: fn(&Range) -> Option<serde_json::Value>| -> serde_json::Map<String, serde_json::Value> {
            self.ranges.iter().filter_map(|(name, range)| Some((name.clone(), pick(range)?))).collect()
        };
        let nulls: serde_json::Map<String, serde_json::Value> =
            self.null_counts.iter().map(|(name, count)| (name.clone(), (*count).into())).collect();
        serde_json::json!({
            "numRecords": self.rows,
            "minValues": bounds(Range::low),
            "maxValues": bounds(Range::high),
            "nullCount": nulls,
        })
        .to_string()
    }
}

impl Range {
    fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text(a, b), Self::Text(c, d)) => Self::Text(a.min(c), b.max(d)),
            (Self::Int(a, b), Self::Int(c, d)) => Self::Int(a.min(c), b.max(d)),
            (Self::Float(a, b), Self::Float(c, d)) => Self::Float(a.min(c), b.max(d)),
            (Self::Micros(a, b), Self::Micros(c, d)) => Self::Micros(a.min(c), b.max(d)),
            (known, _) => known,
        }
    }

    fn low(&self) -> Option<serde_json::Value> {
        match self {
            Self::Text(low, high) => Self::short(low, high).then(|| low.as_str().into()),
            Self::Int(low, _) => Some((*low).into()),
            Self::Float(low, _) => Some((*low).into()),
            // Delta's timestamps in statistics have milliseconds: round outwards.
            Self::Micros(low, _) => time_text(low.div_euclid(1000)),
        }
    }

    fn high(&self) -> Option<serde_json::Value> {
        match self {
            Self::Text(low, high) => Self::short(low, high).then(|| high.as_str().into()),
            Self::Int(_, high) => Some((*high).into()),
            Self::Float(_, high) => Some((*high).into()),
            Self::Micros(_, high) => time_text(high.div_euclid(1000) + i64::from(high.rem_euclid(1000) != 0)),
        }
    }

    fn short(low: &str, high: &str) -> bool {
        low.len() <= STATISTIC_BYTES_MAX && high.len() <= STATISTIC_BYTES_MAX
    }
}

fn time_text(millis: i64) -> Option<serde_json::Value> {
    let time = chrono::DateTime::from_timestamp_millis(millis)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into())
}

/// Statistics without those of some columns.
pub(crate) fn statistics_without(statistics: &str, names: &[String]) -> String {
    let Ok(mut parsed) = serde_json::from_str::<serde_json::Value>(statistics) else { return statistics.to_string() };
    for part in ["minValues", "maxValues", "nullCount"] {
        if let Some(columns) = parsed.get_mut(part).and_then(|part| part.as_object_mut()) {
            columns.retain(|name, _| !names.contains(name));
        }
    }
    parsed.to_string()
}
