//! A first look at a file: what it is made of, as far as its first bytes say.

use std::collections::HashSet;
use std::io::Read;

use indexmap::IndexSet;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::content::Content;
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{Kind, ScanError, Scanner, Value, unquote};
use crate::read::Input;
use crate::reason;
use crate::table;
use crate::zip::{self, Zip};

/// Decoded bytes that are looked at.
const PREFIX_BYTES: u64 = 1 << 20;

/// Rows that the names of columns are taken from.
const ROWS_LOOKED_AT: usize = 256;

/// How deep fields of the first value are listed, how many, and up to which length of their paths: a
/// format is told by a few short names.
const LEVELS: usize = 3;
const FIELDS_MAX: usize = 20_000;
const PATH_BYTES_MAX: usize = 512;

/// What a file is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Container {
    /// A zip archive: a log of Inspect, or files of anything.
    Zip { is_inspect_log: bool },
    /// A Parquet file, with the names of its columns.
    Parquet(Vec<String>),
    /// JSON, with the fields of its first object.
    Json(Shape, Vec<Field>),
    /// Text with a header line, and the names in it.
    Table(Vec<String>),
    /// Nothing that is read here.
    Other,
}

/// How the values of a JSON text lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One object.
    Object,
    /// One array.
    Array,
    /// One value a line.
    Lines,
}

/// A field of the first object: `results.version`, or `events[].span_id` of an array's first element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) path: String,
    /// Text of the value where it is short and no container.
    pub(crate) value: Option<String>,
}

/// What was seen of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    /// The file's name, without its folder.
    pub(crate) name: String,
    pub(crate) container: Container,
    /// Names that the first rows of a JSON text have beside those of the very first one.
    later_names: Vec<String>,
}

impl Look {
    /// Looks at a source.
    pub(crate) fn at(source: &Source) -> Result<Self, Fault> {
        let content = source.open().map_err(|error| Fault::unreadable(&error))?;
        let (container, later_names) = container(&content)?;
        Ok(Self { name: source.file_name(), container, later_names })
    }

    /// The fields of the first JSON object, if the file is JSON of this shape.
    pub(crate) fn json(&self, shape: Shape) -> Option<Fields<'_>> {
        match &self.container {
            Container::Json(known, fields) if *known == shape => Some(Fields(fields)),
            _ => None,
        }
    }

    /// The fields of the first object of a file of rows: an array's or the lines'. A file that is one
    /// object may be one line.
    pub(crate) fn rows(&self) -> Option<Fields<'_>> {
        match &self.container {
            Container::Json(_, fields) => Some(Fields(fields)),
            _ => None,
        }
    }

    /// The columns of a table: a CSV's or a Parquet file's.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match &self.container {
            Container::Parquet(columns) | Container::Table(columns) => Some(columns),
            _ => None,
        }
    }

    /// The names at the top of the first rows of a JSON text: not every row need have every field.
    pub(crate) fn names_of_rows(&self) -> impl Iterator<Item = &str> {
        let first = self.rows().into_iter().flat_map(Fields::names);
        first.chain(self.later_names.iter().map(String::as_str))
    }

    /// Whether rows of this file, in whatever container, have all of these fields.
    pub(crate) fn has_columns(&self, names: &[&str]) -> bool {
        match (self.rows(), self.columns()) {
            (Some(fields), _) => fields.has_all(names),
            (None, Some(columns)) => names.iter().all(|name| columns.iter().any(|column| column == name)),
            (None, None) => false,
        }
    }
}

/// The fields of a file's first object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a [Field]);

impl<'a> Fields<'a> {
    pub(crate) fn has(self, path: &str) -> bool {
        self.0.iter().any(|field| field.path == path)
    }

    pub(crate) fn has_all(self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.has(path))
    }

    pub(crate) fn has_any(self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.has(path))
    }

    /// The short text of a value: of a string without its quotes.
    pub(crate) fn value(self, path: &str) -> Option<&'a str> {
        self.0.iter().find(|field| field.path == path)?.value.as_deref()
    }

    /// The names of the fields at the top.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|field| field.path.as_str()).filter(|path| !path.contains(['.', '[']))
    }
}

fn container(content: &Content) -> Result<(Container, Vec<String>), Fault> {
    let only = |container| Ok((container, Vec::new()));
    let mut magic = Vec::with_capacity(4);
    content.stream(0).take(4).read_to_end(&mut magic).map_err(|error| Fault::unreadable(&error))?;
    if magic == zip::MAGIC {
        return only(Container::Zip { is_inspect_log: is_inspect_log(&Zip::open(content.clone())?)? });
    }
    if magic == b"PAR1" {
        return only(Container::Parquet(parquet_columns(content)?));
    }
    let input = Input::open(content.stream(0), std::rc::Rc::new(|_| {})).map_err(|error| Fault::unreadable(&error))?;
    let mut prefix = Vec::new();
    // Compressed bytes that break off may still hold the first rows.
    let ended = input.take(PREFIX_BYTES).read_to_end(&mut prefix);
    if ended.is_err() && prefix.is_empty() {
        return only(Container::Other);
    }
    let text = String::from_utf8_lossy(&prefix);
    let container = of_text(&text, prefix.len() as u64 == PREFIX_BYTES);
    let later_names = match &container {
        Container::Json(Shape::Array | Shape::Lines, first) => later_names(&text, Fields(first)),
        _ => Vec::new(),
    };
    Ok((container, later_names))
}

/// An Inspect log has one of two members; they are at the start or the end of it.
fn is_inspect_log(zip: &Zip) -> Result<bool, Fault> {
    let mut is_log = false;
    zip.each_member(|name, _| {
        is_log = is_of_inspect(name);
        !is_log
    })?;
    Ok(is_log)
}

/// Whether a member of a zip archive says that the archive is a log of Inspect.
pub(crate) fn is_of_inspect(member: &str) -> bool {
    matches!(member, "header.json" | "_journal/start.json")
}

fn parquet_columns(content: &Content) -> Result<Vec<String>, Fault> {
    let reader = SerializedFileReader::new(content.clone()).map_err(|error| {
        Fault::file(reason::CORRUPT_COMPRESSION, format!("the Parquet file cannot be read: {error}")).at(1, None)
    })?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let fields = schema.root_schema().get_fields().iter().map(|field| field.name().to_string());
    Ok(fields.collect())
}

fn of_text(text: &str, is_cut: bool) -> Container {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_json = text.starts_with(['{', '[']);
    if !is_json {
        return table::header(text).map_or(Container::Other, Container::Table);
    }
    let mut fields = Vec::new();
    let mut scanner = Scanner::new(text);
    if text.starts_with('[') {
        let _ = list_array(&mut scanner, "", LEVELS, &mut fields);
        return Container::Json(Shape::Array, fields);
    }
    let ended = list_object(&mut scanner, "", LEVELS, &mut fields);
    let after = scanner.rest().trim_start_matches([' ', '\t', '\r']);
    let rest = after.trim_start();
    // A second line may be broken, and still the first one is a row.
    let is_first_line = !scanner.saw_newline() && after.starts_with('\n') && !rest.is_empty();
    let is_lines = ended.is_ok() && (rest.starts_with('{') || is_first_line || (is_cut && rest.is_empty()));
    // A first line that is broken may be followed by good ones.
    let is_broken_line = ended.is_err() && !is_cut && text.lines().nth(1).is_some_and(is_object);
    Container::Json(if is_lines || is_broken_line { Shape::Lines } else { Shape::Object }, fields)
}

/// The names of the first rows that the first one does not have, as far as the text goes.
fn later_names(text: &str, first: Fields<'_>) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_array = text.starts_with('[');
    let mut scanner = Scanner::new(text);
    let mut more = if is_array { scanner.enter_array().unwrap_or(false) } else { true };
    let first: HashSet<&str> = first.names().collect();
    let mut names: IndexSet<String> = IndexSet::new();
    for _ in 0..ROWS_LOOKED_AT {
        let Some(Ok(row)) = more.then(|| scanner.value()) else { break };
        for (name, _) in row.fields() {
            if !first.contains(&*name) && !names.contains(&*name) && names.len() < FIELDS_MAX {
                names.insert(name.into_owned());
            }
        }
        more = if is_array { scanner.more(b']').unwrap_or(false) } else { !scanner.rest().trim_start().is_empty() };
    }
    names.into_iter().collect()
}

fn is_object(line: &str) -> bool {
    Value::parse(line).is_ok_and(|value| value.kind == Kind::Object)
}

/// Lists the fields of the object that comes next, until the text breaks off.
fn list_object(scanner: &mut Scanner<'_>, prefix: &str, levels: usize, into: &mut Vec<Field>) -> Result<(), ScanError> {
    let mut more = scanner.enter_object()?;
    while more {
        let name = scanner.key()?;
        let path = format!("{prefix}{}", unquote(name.text));
        scanner.skip_space();
        if path.len() > PATH_BYTES_MAX || into.len() >= FIELDS_MAX {
            scanner.value()?;
            more = scanner.more(b'}')?;
            continue;
        }
        into.push(Field { path: path.clone(), value: None });
        let at = into.len() - 1;
        match scanner.peek()? {
            b'{' if levels > 1 => list_object(scanner, &format!("{path}."), levels - 1, into)?,
            b'[' if levels > 1 => list_array(scanner, &path, levels - 1, into)?,
            _ => {
                let value = scanner.value()?;
                let is_short = value.text.len() <= 200 && !value.text.starts_with(['{', '[']);
                into[at].value = is_short.then(|| match value.string() {
                    Some(text) => text.into_owned(),
                    None => value.text.to_string(),
                });
            }
        }
        more = scanner.more(b'}')?;
    }
    Ok(())
}

/// Lists the fields of the first object in the array that comes next, and passes the rest of it.
fn list_array(scanner: &mut Scanner<'_>, path: &str, levels: usize, into: &mut Vec<Field>) -> Result<(), ScanError> {
    let mut more = scanner.enter_array()?;
    let mut is_first = true;
    while more {
        scanner.skip_space();
        if is_first && scanner.peek()? == b'{' {
            let prefix = if path.is_empty() { String::new() } else { format!("{path}[].") };
            list_object(scanner, &prefix, levels, into)?;
        } else {
            scanner.value()?;
        }
        is_first = false;
        more = scanner.more(b']')?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> (Shape, Vec<String>) {
        let Container::Json(shape, fields) = of_text(text, false) else { panic!("{text}") };
        (shape, fields.into_iter().map(|field| field.path).collect())
    }

    #[test]
    fn fields_are_listed_by_path() {
        let (shape, found) = paths(r#"{"a":{"b":1},"c":[{"d":2},{"e":3}],"f":[1]}"#);
        assert_eq!(shape, Shape::Object);
        assert_eq!(found, ["a", "a.b", "c", "c[].d", "f"]);
        assert_eq!(paths(r#"[{"x":{"y":1}}]"#), (Shape::Array, vec!["x".to_string(), "x.y".to_string()]));
        assert_eq!(paths("{\"x\":1}\n{\"x\":2}\n").0, Shape::Lines);
    }

    #[test]
    fn a_broken_second_line_is_a_line() {
        for second in ["{\"x\":", "x\":2}", "null", "[1"] {
            assert_eq!(paths(&format!("{{\"x\":1}} \r\n\n{second}\n{{\"x\":3}}\n")).0, Shape::Lines, "{second}");
        }
        for one in ["{\"x\":1}\n\n", "{\"x\":1} x", "{\n\"x\":1}\nx"] {
            assert_eq!(paths(one).0, Shape::Object, "{one}");
        }
    }

    #[test]
    fn long_names_and_many_of_them_take_no_room() {
        let many: String = (0..100_000).map(|i| format!(r#""{i}":1,"#)).collect();
        let (_, found) = paths(&format!(r#"{{"{}":{{{many}"a":1}},"x":{{{many}"a":1}}}}"#, "k".repeat(10_000)));
        assert_eq!((found.len(), found[0].as_str()), (FIELDS_MAX, "x"));
    }

    #[test]
    fn what_comes_before_a_cut_is_seen() {
        assert_eq!(paths(r#"{"evalId":"e","results":{"version":3,"results":[{"vars":"#).1.len(), 5);
    }

    #[test]
    fn values_are_short_texts() {
        let Container::Json(_, fields) = of_text(r#"{"v":3,"s":"x"}"#, false) else { panic!() };
        assert_eq!((Fields(&fields).value("v"), Fields(&fields).value("s")), (Some("3"), Some("x")));
    }
}
