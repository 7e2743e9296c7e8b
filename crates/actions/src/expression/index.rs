//! `a.b`, `a[b]` and `a.*`: what is not there is null.
//!
//! GitHub runner: `Operators/Index.cs`.

use super::ExpressionError;
use super::budget::Budget;
use crate::value::{Array, Object, Value};

/// An index that is not `*`: the same value as name and as number.
pub(super) struct Index {
    value: Value,
    /// Whole, from zero; none for negative numbers, NaN and what is beyond 32 bits.
    number: Option<usize>,
}

impl Index {
    pub(super) fn new(value: Value) -> Self {
        let number = value.to_number().floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 0 and i32::MAX"
        )]
        let number = (0.0..=f64::from(i32::MAX))
            .contains(&number)
            .then_some(number as usize);
        Self { value, number }
    }

    fn of_object(&self, object: &Object) -> Option<Value> {
        match &self.value {
            Value::String(name) => object.get(name).cloned(),
            value if value.is_primitive() => object.get(&value.to_text()).cloned(),
            _ => None,
        }
    }

    fn of_array(&self, array: &Array) -> Option<Value> {
        array.items.get(self.number?).cloned()
    }

    fn of(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(object) => self.of_object(object),
            Value::Array(array) => self.of_array(array),
            _ => None,
        }
    }
}

/// `value[index]`; on what `.*` made, the items that have it.
pub(super) fn index(
    value: &Value,
    index: &Index,
    budget: &mut Budget,
) -> Result<Value, ExpressionError> {
    let Value::Array(array) = value else {
        return Ok(index.of(value).unwrap_or_default());
    };
    if !array.filtered {
        return Ok(index.of_array(array).unwrap_or_default());
    }
    let items: Vec<Value> = array
        .items
        .iter()
        .filter_map(|item| index.of(item))
        .collect();
    budget.spend_items(items.len())?;
    Ok(Value::filtered(items))
}

/// `value.*`: the values of an object or array, those of each item on what
/// `.*` made, nothing of all else.
pub(super) fn wildcard(value: &Value, budget: &mut Budget) -> Result<Value, ExpressionError> {
    let mut items = Vec::new();
    match value {
        Value::Array(array) if array.filtered => {
            for item in &array.items {
                extend(&mut items, item, budget)?;
            }
        }
        _ => extend(&mut items, value, budget)?,
    }
    Ok(Value::filtered(items))
}

fn extend(
    items: &mut Vec<Value>,
    value: &Value,
    budget: &mut Budget,
) -> Result<(), ExpressionError> {
    match value {
        Value::Array(array) => {
            budget.spend_items(array.items.len())?;
            items.extend(array.items.iter().cloned());
        }
        Value::Object(object) => {
            budget.spend_items(object.len())?;
            items.extend(object.iter().map(|(_, value)| value.clone()));
        }
        _ => {}
    }
    Ok(())
}
