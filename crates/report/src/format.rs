//! The output formats.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// How data is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Text for people, laid out for a terminal.
    #[default]
    Table,
    /// GitHub-flavoured markdown.
    Markdown,
    /// One JSON value.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header line.
    Csv,
    /// An Apache Parquet file.
    Parquet,
    /// An Apache Arrow IPC file.
    Arrow,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 7] =
        [Self::Table, Self::Markdown, Self::Json, Self::Jsonl, Self::Csv, Self::Parquet, Self::Arrow];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// One line of help.
    pub fn description(self) -> &'static str {
        match self {
            Self::Table => "text for people",
            Self::Markdown => "GitHub-flavoured markdown",
            Self::Json => "one JSON value",
            Self::Jsonl => "one JSON object a line",
            Self::Csv => "comma-separated values with a header line",
            Self::Parquet => "an Apache Parquet file",
            Self::Arrow => "an Apache Arrow IPC file",
        }
    }

    /// Whether the bytes are of no use on a terminal.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// The format that a file name asks for.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "txt" => Some(Self::Table),
            "md" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "arrow" | "feather" => Some(Self::Arrow),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("unknown format `{text}`, expected one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>(), Ok(format));
        }
        assert!("xml".parse::<Format>().is_err());
    }

    #[test]
    fn a_file_name_chooses() {
        assert_eq!(Format::of_path(Path::new("out/rows.NDJSON")), Some(Format::Jsonl));
        assert_eq!(Format::of_path(Path::new("rows")), None);
    }
}
