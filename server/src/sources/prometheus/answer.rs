//! Reads an answer of the query API in one pass, row by row, without building a tree or a map of strings.

use super::{
    failed, garbled,
    label::{Label, LabelSet, Names},
    short,
};
use naru_domain::Why;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use std::fmt;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Milliseconds since the epoch, by Prometheus's clock.
    pub(super) at_ms: i64,
    /// May be NaN or infinite.
    pub(super) value: f64,
}

/// One series of the answer.
#[derive(Debug)]
pub(super) struct Row {
    /// Its labels, as far as we read them.
    pub(super) labels: LabelSet,
    /// Its samples in order of time: one in an instant vector.
    pub(super) samples: Vec<Sample>,
}

/// Calls `each` for every row, in the answer's order. Returns what Prometheus warns of: an answer with warnings is partial.
pub(super) fn read(body: &[u8], names: &mut Names, each: &mut dyn FnMut(&Row)) -> Result<Vec<Why>, Why> {
    let mut envelope = Envelope {
        names,
        each,
        status: String::new(),
        error: String::new(),
        error_type: String::new(),
        warnings: vec![],
        data: false,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    envelope
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| garbled(where_it_ends(&error)))?;
    if envelope.status.is_empty() {
        return Err(garbled("no status in the answer"));
    }
    if envelope.status != "success" {
        return Err(failed(200, &envelope.error_type, &envelope.error));
    }
    if !envelope.data {
        return Err(garbled("no data in the answer"));
    }
    // Many warnings say the same of many series.
    Ok(envelope
        .warnings
        .iter()
        .take(5)
        .map(|it| Why::Said { detail: short(it) })
        .collect())
}

/// Where reading ended, without the text that stood there: it is the answer of an unknown server.
fn where_it_ends(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "the answer ends early",
        Category::Syntax | Category::Io => "no JSON",
        Category::Data => "not the JSON of the query API",
    };
    format!("{what}: line {}, column {}", error.line(), error.column())
}

struct Envelope<'a> {
    names: &'a mut Names,
    each: &'a mut dyn FnMut(&Row),
    status: String,
    error: String,
    error_type: String,
    warnings: Vec<String>,
    data: bool,
}

impl Envelope<'_> {
    fn deserialize<'de>(
        &mut self,
        json: impl Deserializer<'de, Error = serde_json::Error>,
    ) -> serde_json::Result<()> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Envelope<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of Prometheus")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Status => self.status = map.next_value()?,
                Key::Error => self.error = map.next_value()?,
                Key::ErrorType => self.error_type = map.next_value()?,
                Key::Warnings => self.warnings = map.next_value::<Option<_>>()?.unwrap_or_default(),
                Key::Data => {
                    self.data = map.next_value_seed(Data {
                        names: self.names,
                        each: self.each,
                    })?;
                }
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Status,
    Error,
    ErrorType,
    Warnings,
    Data,
    #[serde(other)]
    Other,
}

/// `data`: true if it held a result. `null` beside an error.
struct Data<'a> {
    names: &'a mut Names,
    each: &'a mut dyn FnMut(&Row),
}

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the data of a query")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Field {
            Result,
            #[serde(other)]
            Other,
        }
        let mut found = false;
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Result => {
                    map.next_value_seed(Rows(&mut self))?;
                    found = true;
                }
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct Rows<'a, 'b>(&'a mut Data<'b>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector or a matrix")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let none = self.0.names.no_labels();
        let mut row = Row {
            labels: none.clone(),
            samples: vec![],
        };
        loop {
            row.labels.clone_from(&none);
            row.samples.clear();
            match rows.next_element_seed(OneRow {
                names: self.0.names,
                row: &mut row,
            })? {
                Some(()) => (self.0.each)(&row),
                None => return Ok(()),
            }
        }
    }
}

struct OneRow<'a> {
    names: &'a mut Names,
    row: &'a mut Row,
}

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Field {
            Metric,
            Value,
            Values,
            #[serde(other)]
            Other,
        }
        let Self { names, row } = self;
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Metric => map.next_value_seed(Metric {
                    names,
                    labels: &mut row.labels,
                })?,
                Field::Value => row.samples.push(map.next_value_seed(OneSample)?),
                Field::Values => map.next_value_seed(Samples(&mut row.samples))?,
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if row.samples.is_empty() {
            Err(A::Error::missing_field("value"))
        } else {
            Ok(())
        }
    }
}

struct Metric<'a> {
    names: &'a mut Names,
    labels: &'a mut LabelSet,
}

impl<'de> DeserializeSeed<'de> for Metric<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metric<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(label) = map.next_key_seed(Text(Label::called))? {
            match label {
                Some(label) => {
                    let value = map.next_value_seed(Text(|text: &str| self.names.intern(text)))?;
                    self.labels.put(label, value);
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Hands a JSON string on without keeping it.
struct Text<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Text<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }
}

struct Samples<'a>(&'a mut Vec<Sample>);

impl<'de> DeserializeSeed<'de> for Samples<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Samples<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut samples: A) -> Result<(), A::Error> {
        while let Some(sample) = samples.next_element_seed(OneSample)? {
            self.0.push(sample);
        }
        Ok(())
    }
}

/// `[seconds, "value"]`
struct OneSample;

impl<'de> DeserializeSeed<'de> for OneSample {
    type Value = Sample;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Sample, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneSample {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Sample, A::Error> {
        let seconds: f64 = pair
            .next_element()?
            .ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let value = pair
            .next_element_seed(Text(|text: &str| text.parse::<f64>().ok()))?
            .ok_or_else(|| A::Error::invalid_length(1, &self))?
            .ok_or_else(|| A::Error::custom("a sample's value is no number"))?;
        if pair.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::invalid_length(3, &self));
        }
        Ok(Sample {
            at_ms: (seconds * 1000.0).round() as i64,
            value,
        })
    }
}

#[cfg(test)]
mod tests;
