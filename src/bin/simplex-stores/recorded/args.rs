//! Reading the arguments of a recorded operation from their JSON.

use serde::Deserialize;
use serde_json::Value;
use simplex_stores::protocol::{Semantics, TextDecode};

/// What is wrong with a line, for the user.
pub(crate) type Parsed<T> = Result<T, String>;

/// What is wrong with a JSON text. A value of another type is not repeated as serde does, for values
/// may be secret (RACE-17).
pub(crate) fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_field = ["missing field", "duplicate field"].iter().any(|it| text.starts_with(it));
    match (error.is_data() && !names_a_field, error.column()) {
        (false, _) => text,
        (true, 0) => "a field holds a value of another type".to_owned(),
        (true, column) => format!("a value of another type before column {column}"),
    }
}

/// Reads the text form of a value; link data may have empty parts.
pub(crate) fn read<T: TextDecode>(text: &str) -> Parsed<T> {
    T::from_text(text.as_bytes(), Semantics::Strict).map_err(|error| error.to_string())
}

pub(crate) fn field<'a>(args: &'a Value, name: &str) -> Parsed<&'a Value> {
    args.get(name).ok_or_else(|| format!("no field {name}"))
}

pub(crate) fn string<'a>(args: &'a Value, name: &str) -> Parsed<&'a str> {
    field(args, name)?.as_str().ok_or_else(|| format!("{name} is not a text"))
}

pub(crate) fn strings<'a>(args: &'a Value, name: &str) -> Parsed<Vec<&'a str>> {
    let list = field(args, name)?.as_array().ok_or_else(|| format!("{name} is not a list"))?;
    let item = |item: &'a Value| item.as_str().ok_or_else(|| format!("{name} holds no texts"));
    list.iter().map(item).collect()
}

/// A value that is written as its text form.
pub(crate) fn id<T: TextDecode>(args: &Value, name: &str) -> Parsed<T> {
    read(string(args, name)?).map_err(|error| format!("{name}: {error}"))
}

pub(crate) fn ids<T: TextDecode>(args: &Value, name: &str) -> Parsed<Vec<T>> {
    strings(args, name)?.into_iter().map(read).collect()
}

/// A form that carries its own text: the text is read, and must make the same form again.
pub(crate) fn with_text<F, T>(args: &Value, name: &str, text: fn(&F) -> &str) -> Parsed<T>
where
    F: for<'de> Deserialize<'de> + for<'t> From<&'t T> + PartialEq,
    T: TextDecode,
{
    let form: F =
        serde_json::from_value(field(args, name)?.clone()).map_err(|error| json_fault(&error))?;
    let value: T = read(text(&form)).map_err(|error| format!("{name}: {error}"))?;
    match F::from(&value) == form {
        true => Ok(value),
        false => Err(format!("{name}: its text and its fields differ")),
    }
}
