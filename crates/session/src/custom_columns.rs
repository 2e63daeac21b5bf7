//! The custom columns of one project as expressions over the columns of its cases.
//!
//! A column may be made of other custom columns; their expressions take the place of their names, so
//! that all of them are one projection. Its own name within it means what the name means elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{Expr, ExprSchemable, try_cast};
use evalhouse_language::{Expr as Tree, Node, Step, parse_expression};
use evalhouse_model::ProjectSettings;

use crate::catalog::type_name;
use crate::{Scope, Session, SessionError};

/// Resolves the columns of one project.
pub(crate) struct CustomColumns<'a> {
    pub(crate) session: &'a Session,
    pub(crate) settings: &'a ProjectSettings,
    /// The columns of cases without the custom ones.
    pub(crate) cases: &'a DFSchema,
    resolved: BTreeMap<&'a str, Expr>,
}

impl<'a> CustomColumns<'a> {
    pub(crate) fn new(session: &'a Session, settings: &'a ProjectSettings, cases: &'a DFSchema) -> Self {
        Self { session, settings, cases, resolved: BTreeMap::new() }
    }

    /// The expression of a column, planned once so that no query fails by it.
    pub(crate) fn column(&mut self, name: &'a str) -> Result<Expr, SessionError> {
        self.resolve(name, &[])
    }

    fn resolve(&mut self, name: &'a str, within: &[&'a str]) -> Result<Expr, SessionError> {
        if let Some(known) = self.resolved.get(name) {
            return Ok(known.clone());
        }
        let path = [within, &[name]].concat();
        if within.contains(&name) {
            return Err(SessionError::Query { message: format!("it is made of itself: {}", path.join(" → ")) });
        }
        if self.cases.has_column_with_unqualified_name(name) {
            let message = format!("`{name}` is a column of every case: choose another name");
            return Err(SessionError::Query { message });
        }
        let Some(column) = self.settings.columns.get(name) else {
            return Err(SessionError::Query { message: format!("there is no column `{name}`") });
        };
        let text = &column.expr;
        let wrong = |error| SessionError::Language { text: text.clone(), error };
        let tree = parse_expression(text).map_err(wrong)?;
        let mut parts: BTreeMap<&str, Expr> = BTreeMap::new();
        for part in self.named_in(&tree, name) {
            parts.insert(part, self.resolve(part, &path)?);
        }
        let schema = self.with_parts(&parts)?;
        let value = self.session.lower(&tree, &Scope::of(&schema)).map_err(wrong)?;
        let part_named = |node: &Expr| match node {
            Expr::Column(column) => parts.get(column.name.as_str()),
            _ => None,
        };
        let spelled_out = value.transform_up(|node| match part_named(&node) {
            Some(part) => Ok(Transformed::yes(part.clone())),
            None => Ok(Transformed::no(node)),
        });
        let value = spelled_out.data().map_err(SessionError::of)?;
        let value = match &column.data_type {
            Some(word) => self.typed(value, word)?,
            None => value,
        };
        self.session.physical(value.clone(), self.cases).map_err(SessionError::of)?;
        self.resolved.insert(name, value.clone());
        Ok(value)
    }

    /// A value as the type that a column is said to have.
    fn typed(&self, value: Expr, word: &str) -> Result<Expr, SessionError> {
        let own = value.get_type(self.cases).map_err(SessionError::of)?;
        let wanted = type_named(word)?;
        if !can_cast_types(&own, &wanted) {
            let able = TYPES.iter().filter(|(_, able)| can_cast_types(&own, able)).map(|(word, _)| *word);
            let able = able.collect::<Vec<_>>().join(", ");
            let own = type_name(&Field::new("", own, true));
            let message = format!("its expression is of the type {own}, which cannot be {word}, only: {able}");
            return Err(SessionError::Query { message });
        }
        Ok(try_cast(value, wanted))
    }

    /// The other custom columns that an expression names.
    fn named_in(&self, tree: &Tree, own: &str) -> BTreeSet<&'a str> {
        let mut named = BTreeSet::new();
        tree.any(&mut |part| {
            if let Node::Path(steps) = &part.node {
                named.extend(self.column_of(steps).filter(|name| *name != own));
            }
            false
        });
        named
    }

    /// The custom column that a path begins with, or that is named like all of it.
    fn column_of(&self, steps: &[Step]) -> Option<&'a str> {
        let key = |step: &Step| match step {
            Step::Key { name, .. } => Some(name.clone()),
            Step::Index(_) => None,
        };
        let first = steps.first().and_then(key)?;
        if self.cases.has_column_with_unqualified_name(&first) {
            return None;
        }
        let whole = steps.iter().map(key).collect::<Option<Vec<_>>>().map(|keys| keys.join("."));
        let names = || self.settings.columns.keys().map(String::as_str);
        let mut alike = names().filter(|name| name.eq_ignore_ascii_case(&first));
        names()
            .find(|name| *name == first)
            .or_else(|| alike.next())
            .or_else(|| names().find(|name| Some(*name) == whole.as_deref()))
    }

    /// The columns of cases and those that an expression is made of.
    fn with_parts(&self, parts: &BTreeMap<&str, Expr>) -> Result<DFSchema, SessionError> {
        if parts.is_empty() {
            return Ok(self.cases.clone());
        }
        let mut fields: Vec<_> = self.cases.iter().map(|(q, field)| (q.cloned(), Arc::clone(field))).collect();
        for (name, part) in parts {
            let data_type = part.get_type(self.cases).map_err(SessionError::of)?;
            fields.push((None, Arc::new(Field::new(*name, data_type, true))));
        }
        DFSchema::new_with_metadata(fields, HashMap::new()).map_err(SessionError::of)
    }
}

/// The types that a column may be said to have.
const TYPES: [(&str, DataType); 4] = [
    ("text", DataType::Utf8View),
    ("number", DataType::Float64),
    ("boolean", DataType::Boolean),
    ("json", DataType::Utf8View),
];

fn type_named(word: &str) -> Result<DataType, SessionError> {
    let found = TYPES.iter().find(|(known, _)| *known == word).map(|(_, data_type)| data_type.clone());
    found.ok_or_else(|| {
        let known = TYPES.map(|(known, _)| known).join(", ");
        SessionError::Query { message: format!("`{word}` is no type of a column, expected one of {known}") }
    })
}
