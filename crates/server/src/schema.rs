//! JSON schemas of types, found by reading them.
//!
//! A type is deserialised from a source that has whatever the type asks for and writes down what was
//! asked: the schema is what serde does, and no second description of it. Which fields may be absent
//! is seen by writing out the emptiest value that the type has.

use indexmap::IndexMap;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::{Serialize, de};
use serde_json::{Map, Value, json};

/// The named schemas of a description.
#[derive(Debug, Default)]
pub struct Components {
    schemas: IndexMap<String, Value>,
    /// Fields that every value of a component was seen to have.
    present: IndexMap<String, Vec<String>>,
}

/// How much the source has where a type leaves it open.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fill {
    /// Every optional value is there, and one item in every list.
    Full,
    /// No optional value; one item in every list and map that stands in fewer of them than this.
    Lists(u8),
}

/// How deep lists in lists are looked into for fields that may be absent.
const LIST_LEVELS: u8 = 4;

impl Fill {
    fn has_items(self) -> bool {
        self != Self::Lists(0)
    }

    /// What an item of a list has.
    fn of_item(self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Lists(levels) => Self::Lists(levels.saturating_sub(1)),
        }
    }
}

impl Components {
    /// The schema of a type: a reference to a component for a struct.
    pub fn of<T: Serialize + DeserializeOwned>(&mut self) -> Value {
        let schema = self.traced::<T>(Fill::Full).1;
        for levels in 0..=LIST_LEVELS {
            if let (Some(value), _) = self.traced::<T>(Fill::Lists(levels))
                && let Ok(value) = serde_json::to_value(value)
            {
                self.observe(&schema, &value);
            }
        }
        schema
    }

    /// The components, complete.
    pub(crate) fn into_schemas(mut self) -> Map<String, Value> {
        for (name, fields) in &self.present {
            if let Some(Value::Object(schema)) = self.schemas.get_mut(name)
                && !fields.is_empty()
            {
                schema.insert("required".into(), json!(fields));
            }
        }
        self.schemas.sort_keys();
        self.schemas.into_iter().collect()
    }

    fn traced<T: DeserializeOwned>(&mut self, fill: Fill) -> (Option<T>, Value) {
        let mut schema = json!({});
        let value = T::deserialize(Tracer { schema: &mut schema, components: self, fill });
        (value.ok(), schema)
    }

    /// Notes which fields a value has.
    fn observe(&mut self, schema: &Value, value: &Value) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            let (Some(fields), Some(component)) = (value.as_object(), self.schemas.get(name).cloned()) else { return };
            match self.present.get_mut(name) {
                Some(known) => known.retain(|field| fields.contains_key(field)),
                None => {
                    self.present.insert(name.to_string(), fields.keys().cloned().collect());
                }
            }
            for (field, value) in fields {
                self.observe(&component["properties"][field], value);
            }
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.observe(&schema["items"], item)),
            Value::Object(fields) => {
                fields.values().for_each(|value| self.observe(&schema["additionalProperties"], value));
            }
            _ => {}
        }
    }
}

/// A source that has what is asked for, and writes that down.
struct Tracer<'a> {
    schema: &'a mut Value,
    components: &'a mut Components,
    fill: Fill,
}

type Error = de::value::Error;

impl<'a> Tracer<'a> {
    fn is(self, schema: Value) -> Self {
        *self.schema = schema;
        self
    }
}

macro_rules! scalars {
    ($($method:ident => $visit:ident($($value:expr)?), $schema:tt;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.schema = json!($schema);
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    scalars! {
        deserialize_bool => visit_bool(false), {"type": "boolean"};
        deserialize_i8 => visit_i8(0), {"type": "integer"};
        deserialize_i16 => visit_i16(0), {"type": "integer"};
        deserialize_i32 => visit_i32(0), {"type": "integer"};
        deserialize_i64 => visit_i64(0), {"type": "integer"};
        deserialize_u8 => visit_u8(0), {"type": "integer", "minimum": 0};
        deserialize_u16 => visit_u16(0), {"type": "integer", "minimum": 0};
        deserialize_u32 => visit_u32(0), {"type": "integer", "minimum": 0};
        deserialize_u64 => visit_u64(0), {"type": "integer", "minimum": 0};
        deserialize_f32 => visit_f32(0.0), {"type": "number"};
        deserialize_f64 => visit_f64(0.0), {"type": "number"};
        deserialize_char => visit_char('a'), {"type": "string"};
        deserialize_str => visit_str(""), {"type": "string"};
        deserialize_string => visit_str(""), {"type": "string"};
        deserialize_unit => visit_unit(), {"type": "null"};
    }

    /// Any JSON. An empty list is what every type that takes anything takes, untagged enums too.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.schema = json!({});
        visitor.visit_seq(de::value::SeqDeserializer::<_, Error>::new(std::iter::empty::<()>()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("JSON has no bytes"))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.fill != Fill::Full {
            return visitor.visit_none();
        }
        let mut inner = json!({});
        let value = visitor.visit_some(Tracer { schema: &mut inner, components: self.components, fill: self.fill })?;
        *self.schema = nullable(inner);
        Ok(value)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let this = self.is(json!({"type": "array"}));
        let left = usize::from(this.fill.has_items());
        visitor.visit_seq(Items { tracer: this, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        let this = self.is(json!({"type": "array"}));
        visitor.visit_seq(Items { tracer: this, left: length })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let this = self.is(json!({"type": "object"}));
        let left = usize::from(this.fill.has_items());
        visitor.visit_map(Entries { tracer: this, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let mut properties = Map::new();
        let fill = self.fill;
        let access = Fields { fields, properties: &mut properties, components: &mut *self.components, fill };
        let value = visitor.visit_map(access)?;
        if fill == Fill::Full {
            let schema = json!({"type": "object", "properties": properties});
            self.components.schemas.insert(name.to_string(), schema);
        }
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.schema = json!({"type": "string", "enum": variants});
        visitor.visit_enum(First(variants.first().copied().unwrap_or_default()))
    }
}

/// The schema of what may be null as well.
fn nullable(schema: Value) -> Value {
    match &schema {
        Value::Object(fields) if fields.is_empty() => schema,
        Value::Object(fields) => match fields.get("type") {
            Some(Value::String(one)) if !fields.contains_key("enum") => {
                let mut fields = fields.clone();
                fields.insert("type".into(), json!([one, "null"]));
                Value::Object(fields)
            }
            _ => json!({"anyOf": [schema, {"type": "null"}]}),
        },
        _ => schema,
    }
}

struct Items<'a> {
    tracer: Tracer<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let Tracer { schema, components, fill } = &mut self.tracer;
        let mut item = json!({});
        let value = seed.deserialize(Tracer { schema: &mut item, components, fill: fill.of_item() })?;
        schema["items"] = item;
        Ok(Some(value))
    }
}

struct Entries<'a> {
    tracer: Tracer<'a>,
    left: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(StrDeserializer::<Error>::new("name")).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Tracer { schema, components, fill } = &mut self.tracer;
        let mut entry = json!({});
        let value = seed.deserialize(Tracer { schema: &mut entry, components, fill: fill.of_item() })?;
        schema["additionalProperties"] = entry;
        Ok(value)
    }
}

struct Fields<'a> {
    fields: &'static [&'static str],
    properties: &'a mut Map<String, Value>,
    components: &'a mut Components,
    fill: Fill,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(name) = self.fields.first() else { return Ok(None) };
        seed.deserialize(StrDeserializer::<Error>::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, rest)) = self.fields.split_first() else { return Err(Error::custom("no field is left")) };
        self.fields = rest;
        let mut schema = json!({});
        let value = seed.deserialize(Tracer { schema: &mut schema, components: self.components, fill: self.fill })?;
        self.properties.insert((*name).to_string(), schema);
        Ok(value)
    }
}

/// The first variant of an enum without data.
struct First(&'static str);

impl<'de> EnumAccess<'de> for First {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let value = seed.deserialize(StrDeserializer::<Error>::new(self.0))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for First {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(Error::custom("a variant with data has no name of its own in JSON"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a variant with data has no name of its own in JSON"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a variant with data has no name of its own in JSON"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Outer {
        #[serde(rename = "type")]
        kind: Kind,
        inner: Option<Inner>,
        scores: IndexMap<String, Option<f64>>,
        any: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        rows: Vec<Inner>,
    }

    #[derive(Serialize, Deserialize)]
    struct Inner {
        n: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        First,
        Second,
    }

    #[test]
    fn a_schema_is_what_serde_does() {
        let mut components = Components::default();
        assert_eq!(components.of::<Outer>(), json!({"$ref": "#/components/schemas/Outer"}));
        let inner = json!({"$ref": "#/components/schemas/Inner"});
        assert_eq!(
            Value::Object(components.into_schemas()),
            json!({
                "Inner": {
                    "type": "object",
                    "properties": {
                        "n": {"type": "integer", "minimum": 0},
                        "tags": {"type": "array", "items": {"type": "string"}},
                    },
                    "required": ["n"],
                },
                "Outer": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": ["first", "second"]},
                        "inner": {"anyOf": [inner, {"type": "null"}]},
                        "scores": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
                        "any": {},
                        "hint": {"type": ["string", "null"]},
                        "rows": {"type": "array", "items": inner},
                    },
                    "required": ["type", "inner", "scores", "any", "rows"],
                },
            })
        );
    }
}
