//! `strategy.matrix` → its combinations (GitHub runner: `MatrixBuilder`).

use tappet_model::Diagnostic;

use crate::expression::loosely_equal;
use crate::source::tree::{Content, Label, Tree};
use crate::{Object, Value};

/// GitHub's limit.
const MAX_COMBINATIONS: usize = 256;
/// What `exclude` may choose from.
const MAX_PRODUCT: usize = 10_000;

/// One leg of a matrix.
pub(super) struct Combination {
    /// The `matrix` context.
    pub(super) values: Value,
    /// What its job's name gets in parentheses.
    pub(super) name_parts: Vec<String>,
}

/// All combinations of an evaluated matrix: the cross product, whose first key
/// varies slowest, then what `include` adds. There may be none, when an
/// expression gave an empty list.
///
/// # Errors
///
/// A vector that is no list, a filter that fits no key, and more than 256
/// combinations.
pub(super) fn combinations(matrix: &Tree) -> Result<Vec<Combination>, Diagnostic> {
    let Content::Map(entries) = &matrix.content else {
        return Err(matrix.unexpected());
    };
    let mut vectors: Vec<(&Label, Vec<Value>)> = Vec::new();
    let mut include: &[Tree] = &[];
    let mut exclude: &[Tree] = &[];
    for (label, tree) in entries {
        let Content::List(items) = &tree.content else {
            return Err(tree.unexpected());
        };
        match label.text.as_str() {
            "include" => include = items,
            "exclude" => exclude = items,
            _ => vectors.push((label, items.iter().map(Tree::to_value).collect())),
        }
    }
    let is_vector = |name: &str| {
        vectors
            .iter()
            .any(|(label, _)| label.text.eq_ignore_ascii_case(name))
    };
    let mut includes = include
        .iter()
        .map(|item| Include::of(item, is_vector))
        .collect::<Result<Vec<_>, _>>()?;
    check_excludes(exclude, is_vector)?;

    let mut combinations = Vec::new();
    let size = product_size(matrix, &vectors)?;
    for index in 0..size {
        let values = member(&vectors, size, index);
        let values = Value::from(values);
        if exclude.iter().any(|filter| fits(filter, &values)) {
            continue;
        }
        let extras = extras(&mut includes, &values);
        combinations.push(Combination {
            name_parts: name_parts(&values),
            values: with_extras(values, extras),
        });
    }
    for include in includes.iter().filter(|include| !include.matched) {
        let values = include.item.to_value();
        let values = ordered(&values, &include.filter, &include.extras);
        combinations.push(Combination {
            name_parts: name_parts(&values),
            values,
        });
    }
    if combinations.len() > MAX_COMBINATIONS {
        return Err(too_many(matrix, combinations.len()));
    }
    Ok(combinations)
}

fn too_many(matrix: &Tree, count: usize) -> Diagnostic {
    Diagnostic::at(
        matrix.position,
        format!(
            "The matrix makes {count} jobs; {MAX_COMBINATIONS} are the most. Split it into several jobs"
        ),
    )
}

fn product_size(matrix: &Tree, vectors: &[(&Label, Vec<Value>)]) -> Result<usize, Diagnostic> {
    if vectors.is_empty() {
        return Ok(0);
    }
    let size = vectors.iter().fold(1_usize, |size, (_, values)| {
        size.saturating_mul(values.len())
    });
    if size > MAX_PRODUCT {
        return Err(too_many(matrix, size));
    }
    Ok(size)
}

/// One member of the cross product.
fn member(vectors: &[(&Label, Vec<Value>)], size: usize, index: usize) -> Object {
    let mut block = size;
    let mut values = Object::new();
    for (label, vector) in vectors {
        block /= vector.len();
        let value = &vector[(index / block) % vector.len()];
        values.insert(label.text.as_str(), value.clone());
    }
    values
}

/// An item of `include`.
struct Include<'a> {
    item: &'a Tree,
    /// Its keys that are keys of the matrix too.
    filter: Vec<&'a (Label, Tree)>,
    /// Its other keys.
    extras: Vec<&'a (Label, Tree)>,
    /// Whether it fitted a combination.
    matched: bool,
}

impl<'a> Include<'a> {
    fn of(item: &'a Tree, is_vector: impl Fn(&str) -> bool) -> Result<Self, Diagnostic> {
        let Content::Map(entries) = &item.content else {
            return Err(item.unexpected());
        };
        if entries.is_empty() {
            return Err(Diagnostic::at(
                item.position,
                "Matrix include mapping does not contain any values",
            ));
        }
        let (filter, extras) = entries
            .iter()
            .partition(|(label, _)| is_vector(&label.text));
        Ok(Self {
            item,
            filter,
            extras,
            matched: false,
        })
    }
}

fn check_excludes(exclude: &[Tree], is_vector: impl Fn(&str) -> bool) -> Result<(), Diagnostic> {
    for item in exclude {
        let Content::Map(entries) = &item.content else {
            return Err(item.unexpected());
        };
        if entries.is_empty() {
            return Err(Diagnostic::at(
                item.position,
                "Matrix exclude filter must not be empty",
            ));
        }
        for (label, _) in entries {
            if !is_vector(&label.text) {
                return Err(Diagnostic::at(
                    label.position,
                    format!(
                        "Matrix exclude key '{}' does not match any key within the matrix",
                        label.text
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// What the items of `include` add to a combination; later ones win.
fn extras(includes: &mut [Include<'_>], values: &Value) -> Object {
    let mut extras = Object::new();
    for include in includes {
        let is_match = include
            .filter
            .iter()
            .all(|(label, filter)| fits(filter, &values.get(&label.text)));
        if is_match {
            include.matched = true;
            for (label, tree) in &include.extras {
                extras.insert(label.text.as_str(), tree.to_value());
            }
        }
    }
    extras
}

fn with_extras(values: Value, extras: Object) -> Value {
    if extras.is_empty() {
        return values;
    }
    let mut all = Object::new();
    if let Value::Object(object) = &values {
        for (key, value) in object.iter() {
            all.insert(key, value.clone());
        }
    }
    for (key, value) in extras.iter() {
        all.insert(key, value.clone());
    }
    Value::from(all)
}

/// The values of an item, keys of the matrix first.
fn ordered(values: &Value, filter: &[&(Label, Tree)], extras: &[&(Label, Tree)]) -> Value {
    let mut all = Object::new();
    for (label, _) in filter.iter().chain(extras) {
        all.insert(label.text.as_str(), values.get(&label.text));
    }
    Value::from(all)
}

/// Whether every scalar of a filter equals what stands at its place, as `==`
/// has it.
fn fits(filter: &Tree, value: &Value) -> bool {
    match &filter.content {
        Content::Map(entries) => entries
            .iter()
            .all(|(label, filter)| fits(filter, &value.get(&label.text))),
        Content::List(items) => items.iter().enumerate().all(|(at, filter)| {
            let item = match value {
                Value::Array(array) => array.items.get(at).cloned().unwrap_or_default(),
                other => other.get(&at.to_string()),
            };
            fits(filter, &item)
        }),
        _ => loosely_equal(value, &filter.to_value()),
    }
}

/// The scalars of a combination in order, those inside of lists and mappings
/// too; null and empty texts are left out.
fn name_parts(values: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    collect_parts(values, &mut parts);
    parts
}

fn collect_parts(value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Array(array) => array
            .items
            .iter()
            .for_each(|item| collect_parts(item, parts)),
        Value::Object(object) => object
            .iter()
            .for_each(|(_, value)| collect_parts(value, parts)),
        scalar => {
            let text = scalar.to_text();
            if !text.is_empty() {
                parts.push(text.to_string());
            }
        }
    }
}

/// The name of a leg: `build (ubuntu, 20)`, at most 100 characters.
pub(super) fn leg_name(job: &str, parts: &[String]) -> String {
    const MAX: usize = 100;
    let name = if parts.is_empty() {
        job.to_owned()
    } else {
        format!("{job} ({})", parts.join(", "))
    };
    if name.chars().count() <= MAX {
        return name;
    }
    let kept: String = name.chars().take(MAX - 3).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests;
