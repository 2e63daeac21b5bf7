//! Shredding: scalar paths inside JSON become typed columns of their own.
//!
//! A path is shredded in a file when every value it has there is of one kind (integers beside
//! doubles count as doubles) and its texts are short; otherwise it stays in the JSON of that file,
//! and the file's footer says so. Objects are entered to a fixed depth, arrays not at all.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use evalhouse_model::schema::{decode_column, encode_column};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::sync::Arc;

use crate::columns::Kind;

/// Objects are entered this deep: `metadata.a.b.c.d`.
const DEPTH_MAX: usize = 4;
/// Paths shredded per JSON column and file; a column with more is "open", its other paths unlisted.
const PATHS_MAX: usize = 200;
/// Longer texts stay in the JSON, where they are stored anyway.
const TEXT_BYTES_MAX: usize = 512;
/// Doubles hold every integer up to here.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// What one JSON column of one file holds at its paths.
#[derive(Debug)]
pub(crate) struct Shredder {
    field: &'static str,
    /// Walks keep values only when asked; a first look over a spilled file needs kinds alone.
    keep_values: bool,
    nodes: Vec<Node>,
    paths: usize,
    walks: u64,
    /// Takes no path that it does not have.
    frozen: bool,
    /// True when paths were left out (too many), or a text did not parse.
    pub(crate) open: bool,
}

#[derive(Debug, Default)]
struct Node {
    /// Encoded key, `user.tier`.
    key: String,
    depth: usize,
    children: HashMap<Box<str>, usize>,
    values: Values,
    counted: bool,
    /// The walk that came by last.
    last_walk: u64,
    /// Some rows have an object or array here.
    container: bool,
}

/// The values of a path, with the rows that have them.
#[derive(Debug, Default)]
struct Values {
    kind: Option<Found>,
    rows: Vec<u32>,
    ints: Vec<i64>,
    floats: Vec<f64>,
    bools: Vec<bool>,
    texts: Vec<Box<str>>,
    /// An integer was seen that a double does not hold.
    wide_int: bool,
}

/// What was seen at a path so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Uniform(Kind),
    /// Values of this kind (as SQL sees them) stay in the JSON.
    Json(Kind),
}

/// How the paths of one JSON column are stored in one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// Encoded key → kind, for shredded paths.
    pub(crate) shredded: BTreeMap<String, Kind>,
    /// Encoded key → kind in SQL, for paths that stay in the JSON.
    pub(crate) json: BTreeMap<String, Kind>,
    /// Encoded keys that only ever hold objects or arrays here. They are no columns, but where another
    /// file has scalars under such a path, this one's values are in its JSON.
    pub(crate) containers: Vec<String>,
    /// Other paths may be in the JSON.
    pub(crate) open: bool,
}

impl Shredder {
    pub(crate) fn new(field: &'static str, keep_values: bool) -> Self {
        Self { field, keep_values, nodes: vec![Node::default()], paths: 0, walks: 0, frozen: false, open: false }
    }

    /// Looks at one value of the column.
    pub(crate) fn walk(&mut self, row: u32, json: &str) {
        if !json.starts_with('{') {
            return; // a scalar or array has no paths
        }
        self.walks += 1;
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let walk = Walk { shredder: self, node: 0, row };
        if walk.deserialize(&mut deserializer).is_err() {
            self.open = true;
        }
    }

    /// Decides for every path.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan { open: self.open, ..Plan::default() };
        for node in &self.nodes {
            match node.values.kind {
                Some(_) if node.container => {
                    plan.json.insert(node.key.clone(), Kind::Text);
                }
                Some(Found::Uniform(kind)) => {
                    plan.shredded.insert(node.key.clone(), kind);
                }
                Some(Found::Json(kind)) => {
                    plan.json.insert(node.key.clone(), kind);
                }
                None if node.container && plan.containers.len() < PATHS_MAX => plan.containers.push(node.key.clone()),
                None => plan.open |= node.container,
            }
        }
        plan
    }

    /// The node of each path that has values, by encoded key.
    pub(crate) fn index(&self) -> HashMap<&str, usize> {
        self.nodes.iter().enumerate().skip(1).map(|(i, node)| (node.key.as_str(), i)).collect()
    }

    /// The array of one shredded path over some of the rows, as the kind it is stored as. A path that
    /// these rows lack is all null.
    pub(crate) fn array(&self, node: Option<usize>, kind: Kind, rows: Range<usize>) -> ArrayRef {
        let empty = Values::default();
        let values = node.and_then(|node| self.nodes.get(node)).map_or(&empty, |node| &node.values);
        values.array(kind, rows)
    }

    /// A shredder that keeps the values of these encoded keys and of no others.
    pub(crate) fn of_paths<'a>(field: &'static str, keys: impl Iterator<Item = &'a str>) -> Self {
        let mut shredder = Self::new(field, true);
        for key in keys {
            let node = key.split('.').try_fold(0, |node, segment| shredder.child(node, &decode_column(segment)));
            if let Some(node) = node {
                shredder.nodes[node].counted = true;
            }
        }
        shredder.frozen = true;
        shredder
    }

    fn child(&mut self, node: usize, key: &str) -> Option<usize> {
        if let Some(&child) = self.nodes[node].children.get(key) {
            return Some(child);
        }
        if self.frozen {
            return None;
        }
        let depth = self.nodes[node].depth + 1;
        if depth > DEPTH_MAX || self.nodes.len() > 8 * PATHS_MAX {
            self.open = true;
            return None;
        }
        // `field.a.b`: a dot inside a key is encoded, so that a key and a path cannot be confused.
        let segment = encode_column("", key).split_off(1).replace('.', "%2E");
        let parent = &self.nodes[node].key;
        let path = if parent.is_empty() { segment } else { format!("{parent}.{segment}") };
        let child = self.nodes.len();
        self.nodes.push(Node { key: path, depth, ..Node::default() });
        self.nodes[node].children.insert(key.into(), child);
        Some(child)
    }

    /// Records that `node` has a value; false when the path is one too many.
    fn admit(&mut self, node: usize) -> bool {
        if node == 0 {
            return false;
        }
        if !self.nodes[node].counted {
            if self.frozen {
                return false;
            }
            if self.paths >= PATHS_MAX {
                self.open = true;
                return false;
            }
            self.paths += 1;
            self.nodes[node].counted = true;
        }
        true
    }

    /// An object or array at a path that also has scalars: the path stays in the JSON, as text. A path
    /// that only ever holds containers is no column at all.
    fn container(&mut self, node: usize) {
        self.nodes[node].container = node != 0;
    }

    pub(crate) fn field(&self) -> &'static str {
        self.field
    }
}

impl Values {
    fn mix(&mut self, kind: Kind) {
        let known = match self.kind {
            Some(Found::Uniform(known) | Found::Json(known)) => known.join(kind),
            None => kind,
        };
        *self = Self { kind: Some(Found::Json(known)), ..Self::default() };
    }

    fn push_int(&mut self, row: u32, value: i64, keep: bool) {
        let wide = value.unsigned_abs() > EXACT_INTEGER_MAX;
        match self.kind {
            None | Some(Found::Uniform(Kind::Int)) => {
                self.kind = Some(Found::Uniform(Kind::Int));
                self.wide_int |= wide;
                if keep {
                    self.rows.push(row);
                    self.ints.push(value);
                }
            }
            Some(Found::Uniform(Kind::Float)) if !wide => {
                if keep {
                    self.rows.push(row);
                    self.floats.push(value as f64);
                }
            }
            _ => self.mix(Kind::Int),
        }
    }

    fn push_float(&mut self, row: u32, value: f64, keep: bool) {
        if self.kind == Some(Found::Uniform(Kind::Int)) && !self.wide_int {
            self.floats = self.ints.drain(..).map(|int| int as f64).collect();
            self.kind = Some(Found::Uniform(Kind::Float));
        }
        match self.kind {
            None | Some(Found::Uniform(Kind::Float)) => {
                self.kind = Some(Found::Uniform(Kind::Float));
                if keep {
                    self.rows.push(row);
                    self.floats.push(value);
                }
            }
            _ => self.mix(Kind::Float),
        }
    }

    fn push_bool(&mut self, row: u32, value: bool, keep: bool) {
        match self.kind {
            None | Some(Found::Uniform(Kind::Bool)) => {
                self.kind = Some(Found::Uniform(Kind::Bool));
                if keep {
                    self.rows.push(row);
                    self.bools.push(value);
                }
            }
            _ => self.mix(Kind::Bool),
        }
    }

    fn push_text(&mut self, row: u32, value: &str, keep: bool) {
        match self.kind {
            None | Some(Found::Uniform(Kind::Text)) if value.len() <= TEXT_BYTES_MAX => {
                self.kind = Some(Found::Uniform(Kind::Text));
                if keep {
                    self.rows.push(row);
                    self.texts.push(value.into());
                }
            }
            _ => self.mix(Kind::Text),
        }
    }

    fn array(&self, kind: Kind, rows: Range<usize>) -> ArrayRef {
        // The stored kind may be wider than what these rows hold: doubles where they have integers.
        let mut next = self.rows.partition_point(|&row| (row as usize) < rows.start);
        let count = rows.len();
        let places = rows.map(|row| {
            let found = (self.rows.get(next).copied() == u32::try_from(row).ok()).then_some(next);
            next += usize::from(found.is_some());
            found
        });
        match kind {
            Kind::Int => {
                let mut builder = Int64Builder::with_capacity(count);
                places.for_each(|at| builder.append_option(at.and_then(|i| self.ints.get(i).copied())));
                Arc::new(builder.finish())
            }
            Kind::Float => {
                let mut builder = Float64Builder::with_capacity(count);
                let value = |i: usize| self.floats.get(i).copied().or_else(|| self.ints.get(i).map(|int| *int as f64));
                places.for_each(|at| builder.append_option(at.and_then(value)));
                Arc::new(builder.finish())
            }
            Kind::Bool => {
                let mut builder = BooleanBuilder::with_capacity(count);
                places.for_each(|at| builder.append_option(at.and_then(|i| self.bools.get(i).copied())));
                Arc::new(builder.finish())
            }
            Kind::Text => {
                let mut builder = StringBuilder::new();
                places.for_each(|at| builder.append_option(at.and_then(|i| self.texts.get(i))));
                Arc::new(builder.finish())
            }
        }
    }
}

/// Reads a key as the child that it leads to, if there is one.
struct Key<'a> {
    shredder: &'a mut Shredder,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.shredder.child(self.node, key))
    }
}

/// Visits one JSON value without building it.
struct Walk<'a> {
    shredder: &'a mut Shredder,
    node: usize,
    row: u32,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        if self.shredder.admit(self.node) {
            self.shredder.nodes[self.node].values.push_bool(self.row, value, self.shredder.keep_values);
        }
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        if self.shredder.admit(self.node) {
            self.shredder.nodes[self.node].values.push_int(self.row, value, self.shredder.keep_values);
        }
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_wide(),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        // Integer literals beyond 64 bits arrive as doubles; their digits are only in the JSON.
        if value.fract() == 0.0 && value.abs() >= EXACT_INTEGER_MAX as f64 {
            return self.visit_wide();
        }
        if self.shredder.admit(self.node) {
            self.shredder.nodes[self.node].values.push_float(self.row, value, self.shredder.keep_values);
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        if self.shredder.admit(self.node) {
            self.shredder.nodes[self.node].values.push_text(self.row, value, self.shredder.keep_values);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.shredder.container(self.node);
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.shredder.container(self.node);
        while let Some(child) = entries.next_key_seed(Key { shredder: self.shredder, node: self.node })? {
            match child {
                // The first of a repeated key counts, as in the functions that read JSON.
                Some(node) if self.shredder.nodes[node].last_walk != self.shredder.walks => {
                    self.shredder.nodes[node].last_walk = self.shredder.walks;
                    entries.next_value_seed(Walk { shredder: self.shredder, node, row: self.row })?;
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl Walk<'_> {
    fn visit_wide<E: serde::de::Error>(self) -> Result<(), E> {
        if self.shredder.admit(self.node) {
            self.shredder.nodes[self.node].values.mix(Kind::Text);
        }
        Ok(())
    }
}
