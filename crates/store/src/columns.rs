//! The columns of the `spans` table: a fixed part, and one column for every score, metric and
//! shredded JSON path that any experiment ever had.

use std::collections::{BTreeMap, HashSet};

use deltalake_core::kernel::{ArrayType, DataType as DeltaType, MetadataValue, PrimitiveType, StructField, StructType};
use evalhouse_model::schema::{self, decode_column, encode_column};

use crate::StoreError;

/// Key of a column's metadata that holds the kind its values have in SQL, where that is wider than
/// the kind it is stored as.
const LOGICAL_KIND: &str = "evalhouse.kind";

/// The kind of a score, metric or shredded path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// Boolean.
    Bool,
    /// Text.
    Text,
}

impl Kind {
    /// The narrowest kind that holds both.
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Text => "text",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Int, Self::Float, Self::Bool, Self::Text].into_iter().find(|kind| kind.name() == name)
    }

    fn delta_type(self) -> DeltaType {
        match self {
            Self::Int => DeltaType::LONG,
            Self::Float => DeltaType::DOUBLE,
            Self::Bool => DeltaType::BOOLEAN,
            Self::Text => DeltaType::STRING,
        }
    }
}

/// One dynamic column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathColumn {
    /// Stored column name, encoded.
    pub name: String,
    /// Kind of the stored column.
    pub stored: Kind,
    /// Kind of the path's values over all files: the kind of the column in SQL.
    pub logical: Kind,
}

/// All dynamic columns of the table, by encoded path (see [`encode_path`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    by_path: BTreeMap<String, PathColumn>,
    taken: HashSet<String>,
}

impl Columns {
    /// Reads the dynamic columns of a table schema.
    pub fn from_schema(table: &StructType) -> Self {
        let mut columns = Self::default();
        for field in table.fields() {
            let Some((prefix, _)) = field.name().split_once('.') else { continue };
            if !is_dynamic_field(prefix) {
                continue;
            }
            let stored = match field.data_type() {
                DeltaType::Primitive(PrimitiveType::Long) => Kind::Int,
                DeltaType::Primitive(PrimitiveType::Double) => Kind::Float,
                DeltaType::Primitive(PrimitiveType::Boolean) => Kind::Bool,
                _ => Kind::Text,
            };
            let logical = match field.metadata().get(LOGICAL_KIND) {
                Some(MetadataValue::String(name)) => Kind::parse(name).unwrap_or(stored),
                _ => stored,
            };
            let name = field.name().to_string();
            columns.taken.insert(name.to_lowercase());
            columns.by_path.insert(canonical_path(&name), PathColumn { name, stored, logical });
        }
        columns
    }

    /// The whole table schema: fixed columns, then dynamic ones by path.
    pub fn to_schema(&self) -> Result<StructType, StoreError> {
        let mut fields = fixed_fields();
        for column in self.by_path.values() {
            let mut field = StructField::nullable(&column.name, column.stored.delta_type());
            if column.logical != column.stored {
                field = field.with_metadata([(LOGICAL_KIND, column.logical.name())]);
            }
            fields.push(field);
        }
        StructType::try_new(fields).map_err(|e| StoreError::Delta(e.into()))
    }

    /// The columns whose stored name is to be kept.
    pub(crate) fn retained(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.by_path.iter().filter(|(_, column)| keep(&column.name));
        let by_path: BTreeMap<_, _> = kept.map(|(path, column)| (path.clone(), column.clone())).collect();
        let taken = by_path.values().map(|column| column.name.to_lowercase()).collect();
        Self { by_path, taken }
    }

    /// Finds a column by its encoded path, `scores.Answer%20Correctness`.
    pub fn get(&self, path: &str) -> Option<&PathColumn> {
        self.by_path.get(path)
    }

    /// Every dynamic column with its encoded path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PathColumn)> {
        self.by_path.iter().map(|(path, column)| (path.as_str(), column))
    }

    /// Learns that `path` holds values of `kind`, and returns its column. The first kind seen is the
    /// stored kind for ever, because a Delta column keeps its type; later kinds widen the logical one.
    pub fn learn(&mut self, field: &str, key: &str, kind: Kind) -> PathColumn {
        let path = format!("{field}.{key}");
        if let Some(column) = self.by_path.get_mut(&path) {
            column.logical = column.logical.join(kind);
            return column.clone();
        }
        let free = |name: &str| !self.taken.contains(&name.to_lowercase());
        // A lower-case name that follows an upper-case one has no upper-case letter to encode.
        let letters: [fn(char) -> bool; 2] = [char::is_uppercase, char::is_alphabetic];
        let encoded = letters.into_iter().map(|which| encode_letters(field, key, which));
        let name = std::iter::once(path.clone()).chain(encoded).find(|name| free(name)).unwrap_or_else(|| path.clone());
        self.taken.insert(name.to_lowercase());
        let column = PathColumn { name, stored: kind, logical: kind };
        self.by_path.insert(path, column.clone());
        column
    }

    /// Takes over what another process has meanwhile added to the table.
    pub(crate) fn absorb(&mut self, table: &Self) {
        for (path, column) in &table.by_path {
            match self.by_path.get_mut(path) {
                Some(known) => {
                    known.logical = known.logical.join(column.logical);
                    known.stored = column.stored;
                    known.name.clone_from(&column.name);
                }
                None => {
                    self.by_path.insert(path.clone(), column.clone());
                }
            }
            self.taken.insert(column.name.to_lowercase());
        }
    }

    /// Adds the columns of a staged file. Returns the names that cannot be added because another
    /// writer has since given the path another name or stored kind.
    pub(crate) fn merge(&mut self, other: &BTreeMap<String, PathColumn>) -> Vec<String> {
        let mut refused = Vec::new();
        for (path, column) in other {
            match self.by_path.get_mut(path) {
                Some(known) => {
                    known.logical = known.logical.join(column.logical);
                    if known.name != column.name || known.stored != column.stored {
                        refused.push(path.clone());
                    }
                }
                None if self.taken.contains(&column.name.to_lowercase()) => refused.push(path.clone()),
                None => {
                    self.taken.insert(column.name.to_lowercase());
                    self.by_path.insert(path.clone(), column.clone());
                }
            }
        }
        refused
    }
}

/// The encoded path of a field and keys. The dots of a score's name stay (`scores.a.b` is one
/// score); a dot inside a JSON key is encoded, so that a key and a path cannot be confused.
pub fn encode_path<'a>(field: &str, keys: impl IntoIterator<Item = &'a str>) -> String {
    let nested = field != schema::SCORES && field != schema::METRICS;
    let mut path = field.to_string();
    for key in keys {
        let encoded = encode_column("", key);
        path.push('.');
        path.push_str(&if nested { encoded[1..].replace('.', "%2E") } else { encoded[1..].to_string() });
    }
    path
}

/// The field and keys of a stored column name or encoded path.
pub fn decode_path(column: &str) -> (&str, Vec<String>) {
    let (field, rest) = column.split_once('.').unwrap_or((column, ""));
    if field == schema::SCORES || field == schema::METRICS {
        return (field, vec![decode_column(rest)]);
    }
    (field, rest.split('.').map(decode_column).collect())
}

fn canonical_path(column: &str) -> String {
    let (field, keys) = decode_path(column);
    encode_path(field, keys.iter().map(String::as_str))
}

/// Encodes some letters of an encoded key as well (its hex digits are left alone).
fn encode_letters(field: &str, key: &str, which: fn(char) -> bool) -> String {
    let mut out = format!("{field}.");
    let mut hex_left = 0;
    for c in key.chars() {
        let is_hex = hex_left > 0;
        hex_left = if c == '%' && !is_hex { 2 } else { usize::saturating_sub(hex_left, 1) };
        if which(c) && !is_hex {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether `field.anything` is a dynamic column.
pub fn is_dynamic_field(field: &str) -> bool {
    field == schema::SCORES || field == schema::METRICS || schema::SHREDDED_COLUMNS.contains(&field)
}

/// The fixed columns, identifiers first: Delta keeps statistics of the first 32.
fn fixed_fields() -> Vec<StructField> {
    let text = |name: &str| StructField::nullable(name, DeltaType::STRING);
    let texts = || DeltaType::Array(Box::new(ArrayType::new(DeltaType::STRING, true)));
    let key = DeltaType::decimal(38, 0).unwrap_or(DeltaType::STRING);
    vec![
        text(schema::PROJECT),
        text(schema::EXPERIMENT),
        text(schema::EXPERIMENT_ID),
        StructField::nullable(schema::CREATED, DeltaType::TIMESTAMP),
        text(schema::ID),
        text(schema::SPAN_ID),
        text(schema::ROOT_SPAN_ID),
        StructField::nullable(schema::SPAN_PARENTS, texts()),
        StructField::nullable(schema::IS_ROOT, DeltaType::BOOLEAN),
        StructField::nullable(schema::POSITION, DeltaType::LONG),
        text(schema::NAME),
        text(schema::TYPE),
        text(schema::PURPOSE),
        StructField::nullable(schema::START, DeltaType::DOUBLE),
        StructField::nullable(schema::END, DeltaType::DOUBLE),
        StructField::nullable(schema::COMPARISON_KEY_HASH, key),
        StructField::nullable(schema::TRIAL_INDEX, DeltaType::LONG),
        StructField::nullable(schema::SPAN_COUNT, DeltaType::LONG),
        text(schema::INPUT),
        text(schema::OUTPUT),
        text(schema::EXPECTED),
        text(schema::ERROR),
        text(schema::METADATA),
        StructField::nullable(schema::TAGS, texts()),
        text(schema::SCORES),
        text(schema::METRICS),
        text(schema::SPAN_ATTRIBUTES),
        text(schema::CONTEXT),
        text(schema::ORIGIN),
        text(schema::EXTRA),
        StructField::nullable(schema::XACT, DeltaType::LONG),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_survive_the_table_schema() {
        let mut columns = Columns::default();
        columns.learn("scores", "F", Kind::Float);
        columns.learn("scores", "f", Kind::Float);
        columns.learn("metadata", "model", Kind::Int);
        columns.learn("metadata", "model", Kind::Text);
        let read = Columns::from_schema(&columns.to_schema().unwrap());
        assert_eq!(read, columns);
        assert_eq!(read.get("scores.F").unwrap().name, "scores.F");
        assert_eq!(read.get("scores.f").unwrap().name, "scores.%66");
        let mut spellings = Columns::default();
        let names: HashSet<String> =
            ["Ab", "aB", "AB", "ab"].map(|key| spellings.learn("scores", key, Kind::Float).name.to_lowercase()).into();
        assert_eq!(names.len(), 4);
        let model = read.get("metadata.model").unwrap();
        assert_eq!((model.stored, model.logical), (Kind::Int, Kind::Text));
    }
}
