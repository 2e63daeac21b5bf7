//! The body of a request, read once: rows are passed over as text, which does not recurse however deep they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What a body has under a name.
#[derive(Debug, PartialEq)]
pub(crate) enum Listed<'a> {
    /// A list: its items' texts.
    Items(Vec<&'a str>),
    /// An object that says the rows are in an uploaded file.
    Overflow,
    /// Something else, or nothing.
    NoList,
}

/// What a body, `{"<list>": […], …}`, has under a name. Of a name that is given twice, the last counts.
pub(crate) fn listed<'a>(body: &'a str, list: &str) -> serde_json::Result<Listed<'a>> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let listed = deserializer.deserialize_map(BodyVisitor { list })?;
    deserializer.end()?;
    Ok(listed)
}

struct BodyVisitor<'s> {
    list: &'s str,
}

impl<'a> Visitor<'a> for BodyVisitor<'_> {
    type Value = Listed<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut body: A) -> Result<Listed<'a>, A::Error> {
        let mut listed = Listed::NoList;
        while let Some(name) = body.next_key::<Cow<'_, str>>()? {
            if name == self.list {
                listed = body.next_value()?;
            } else {
                body.next_value::<IgnoredAny>()?;
            }
        }
        Ok(listed)
    }
}

impl<'de> Deserialize<'de> for Listed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'a> Visitor<'a> for ListVisitor {
    type Value = Listed<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Listed<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<&RawValue>()? {
            items.push(item.get());
        }
        Ok(Listed::Items(items))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Listed<'a>, A::Error> {
        let mut listed = Listed::NoList;
        while let Some((_, value)) = object.next_entry::<IgnoredAny, &RawValue>()? {
            if value.get() == r#""logs3_overflow""# {
                listed = Listed::Overflow;
            }
        }
        Ok(listed)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }

    fn visit_str<E>(self, _: &str) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }

    fn visit_unit<E>(self) -> Result<Listed<'a>, E> {
        Ok(Listed::NoList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_list_of_the_name_counts() {
        let read = |body| listed(body, "rows").unwrap();
        let rows = read(r#"{"rows": [1], "api_version": 2, "rows": [ {"a": [1]} , "x"]}"#);
        assert_eq!(rows, Listed::Items(vec![r#"{"a": [1]}"#, r#""x""#]));
        assert_eq!(read(r#"{"rows": {"type": "logs3_overflow", "key": "k"}}"#), Listed::Overflow);
        for nothing in ["{}", r#"{"rows": 1}"#, r#"{"rows": null}"#, r#"{"rows": {}}"#, r#"{"rows": "[1]"}"#] {
            assert_eq!(read(nothing), Listed::NoList, "{nothing}");
        }
    }

    #[test]
    fn deep_bodies_do_not_recurse() {
        let deep = format!(
            "{{\"rows\": [{}{}], \"x\": {}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000),
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(matches!(listed(&deep, "rows"), Ok(Listed::Items(items)) if items.len() == 1));
    }
}
