//! `variables[KEY]=value` as Rack reads it: bracketed names become nested
//! objects and arrays (Rack: `lib/rack/query_parser.rb`), with limits.

use percent_encoding::percent_decode;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::Malformed;

/// Pairs in one query string or form.
pub const MAX_PAIRS: usize = 4096;
/// Levels of brackets, and of nesting in JSON.
pub const MAX_DEPTH: usize = 32;

/// Reads `a=1&b[c]=2&d[]=3`. `+` is a space; everything is decoded once.
pub fn parse_pairs(text: &[u8], into: &mut Map<String, Value>) -> Result<(), Malformed> {
    let mut count = 0;
    for pair in text.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        count += 1;
        if count > MAX_PAIRS {
            return Err(Malformed::TooMany);
        }
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let value = Value::String(decode(&pair[at + 1..])?);
                insert(into, &decode(&pair[..at])?, value)?;
            }
            None => insert(into, &decode(pair)?, Value::Null)?,
        }
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<String, Malformed> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let text =
        String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| Malformed::Encoding)?;
    if text.contains('\0') {
        return Err(Malformed::Encoding);
    }
    Ok(text)
}

/// Puts a value where its bracketed name says.
pub fn insert(into: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Malformed> {
    let (first, rest) = split(name)?;
    if first.is_empty() {
        return Ok(());
    }
    place(into, first, &rest, value)
}

/// `a[b][]` → `a` and `[b, ""]`. A name whose brackets do not match stays whole.
fn split(name: &str) -> Result<(&str, Vec<&str>), Malformed> {
    let Some(open) = name.find('[').filter(|open| *open > 0) else {
        return Ok((name, Vec::new()));
    };
    let mut parts = Vec::new();
    let mut rest = &name[open..];
    while !rest.is_empty() {
        let Some((part, after)) = rest
            .strip_prefix('[')
            .and_then(|inner| inner.split_once(']'))
        else {
            return Ok((name, Vec::new()));
        };
        parts.push(part);
        if parts.len() >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        rest = after;
    }
    Ok((&name[..open], parts))
}

fn place(
    into: &mut Map<String, Value>,
    key: &str,
    rest: &[&str],
    value: Value,
) -> Result<(), Malformed> {
    let Some((next, deeper)) = rest.split_first() else {
        into.insert(key.to_owned(), value);
        return Ok(());
    };
    let empty = if next.is_empty() {
        Value::Array(Vec::new())
    } else {
        Value::Object(Map::new())
    };
    let slot = match into.entry(key) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(empty),
    };
    match (slot, next.is_empty()) {
        (Value::Object(object), false) => place(object, next, deeper, value),
        (Value::Array(items), true) => push(items, key, deeper, value),
        (found, is_array) => Err(Malformed::Conflict {
            expected: if is_array { "Array" } else { "Hash" },
            found: kind(found),
            name: key.to_owned(),
        }),
    }
}

/// `a[]=x` appends; `a[][b]=x` fills the last object until `b` would repeat.
fn push(items: &mut Vec<Value>, key: &str, rest: &[&str], value: Value) -> Result<(), Malformed> {
    let Some((next, deeper)) = rest.split_first() else {
        items.push(value);
        return Ok(());
    };
    if next.is_empty() {
        return Err(Malformed::Conflict {
            expected: "Hash",
            found: "Array",
            name: key.to_owned(),
        });
    }
    if let Some(Value::Object(last)) = items.last_mut()
        && (!deeper.is_empty() || !last.contains_key(*next))
    {
        return place(last, next, deeper, value);
    }
    let mut object = Map::new();
    place(&mut object, next, deeper, value)?;
    items.push(Value::Object(object));
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NilClass",
        Value::Array(_) => "Array",
        Value::Object(_) => "Hash",
        _ => "String",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Value, Malformed> {
        let mut map = Map::new();
        parse_pairs(text.as_bytes(), &mut map)?;
        Ok(Value::Object(map))
    }

    #[rstest]
    #[case("a=1&b=2", json!({"a":"1","b":"2"}))]
    #[case("a=1&a=2", json!({"a":"2"}))]
    #[case("a", json!({"a":null}))]
    #[case("a=&&=x", json!({"a":""}))]
    #[case("a=x%3Dy%26z+w%2B", json!({"a":"x=y&z w+"}))]
    #[case("variables[A]=1&variables[B]=2", json!({"variables":{"A":"1","B":"2"}}))]
    #[case("variables%5BA%5D=1", json!({"variables":{"A":"1"}}))]
    #[case("a[b][c]=1&a[b][d]=2", json!({"a":{"b":{"c":"1","d":"2"}}}))]
    #[case("scope[]=failed&scope[]=success", json!({"scope":["failed","success"]}))]
    #[case("v[][key]=A&v[][value]=1&v[][key]=B", json!({"v":[{"key":"A","value":"1"},{"key":"B"}]}))]
    #[case("a[b=1", json!({"a[b":"1"}))]
    #[case("a[b]c=1", json!({"a[b]c":"1"}))]
    #[case("[a]=1", json!({"[a]":"1"}))]
    fn names_with_brackets_nest(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(parse(text), Ok(expected));
    }

    #[rstest]
    #[case("a=1&a[b]=2", "expected Hash (got String) for param `a'")]
    #[case("a[]=1&a[b]=2", "expected Hash (got Array) for param `a'")]
    #[case("a[b]=1&a[]=2", "expected Array (got Hash) for param `a'")]
    #[case("a=%FF", "a parameter is not valid UTF-8 or holds a null byte")]
    #[case("a%00=1", "a parameter is not valid UTF-8 or holds a null byte")]
    fn contradictions_and_broken_text_are_refused(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn depth_and_number_are_limited() {
        let deep = format!("a{}=1", "[b]".repeat(MAX_DEPTH));
        assert_eq!(parse(&deep), Err(Malformed::TooDeep));
        let many = "a=1&".repeat(MAX_PAIRS + 1);
        assert_eq!(parse(&many), Err(Malformed::TooMany));
    }
}
