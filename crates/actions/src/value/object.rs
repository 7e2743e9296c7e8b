//! Objects: names to values in the order of their first mention.
//!
//! Names are the same whatever their case, except in objects made by
//! [`Object::case_sensitive`] (GitHub runner: `env` on Linux).

use std::collections::HashMap;
use std::sync::Arc;

use super::{Value, equal_ignoring_case, folded};

/// Up to here, looking through all names is quicker than a table.
const SMALL: usize = 16;

/// The entries of a [`Value::Object`].
#[derive(Debug, Default)]
pub struct Object {
    entries: Vec<(Arc<str>, Value)>,
    /// Places of entries by name (in one case, if case does not matter); made
    /// once there are many.
    places: HashMap<Box<str>, usize>,
    case_sensitive: bool,
}

impl Object {
    /// No entries; the case of names does not matter.
    pub fn new() -> Self {
        Self::default()
    }

    /// No entries; `a` and `A` are two names.
    pub fn case_sensitive() -> Self {
        Self {
            case_sensitive: true,
            ..Self::default()
        }
    }

    /// Adds an entry or gives the present one a new value; its place and the
    /// spelling of its name stay.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) {
        let key = key.into();
        match self.place(&key) {
            Some(place) => self.entries[place].1 = value,
            None => self.push(key, value),
        }
    }

    /// Adds what a document says: a name repeated letter by letter has its last
    /// value, one that differs in case from an earlier one is left out.
    /// (`fromJSON`: the runner and `@actions/expressions` agree.)
    pub(crate) fn insert_from_document(&mut self, key: Arc<str>, value: Value) {
        match self.place(&key) {
            Some(place) if *self.entries[place].0 == *key => self.entries[place].1 = value,
            Some(_) => {}
            None => self.push(key, value),
        }
    }

    fn push(&mut self, key: Arc<str>, value: Value) {
        let place = self.entries.len();
        self.entries.push((key, value));
        if place == SMALL {
            for (at, (key, _)) in self.entries.iter().enumerate() {
                self.places.insert(self.table_key(key), at);
            }
        } else if place > SMALL {
            let key = self.table_key(&self.entries[place].0);
            self.places.insert(key, place);
        }
    }

    fn table_key(&self, key: &str) -> Box<str> {
        if self.case_sensitive {
            key.into()
        } else {
            folded(key).into()
        }
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() > SMALL {
            return if self.case_sensitive {
                self.places.get(key).copied()
            } else {
                self.places.get(&*folded(key)).copied()
            };
        }
        self.entries.iter().position(|(name, _)| {
            **name == *key || (!self.case_sensitive && equal_ignoring_case(name, key))
        })
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.place(key).map(|place| &self.entries[place].1)
    }

    /// Entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut object = Self::new();
        for (key, value) in entries {
            object.insert_from_document(key.into(), value);
        }
        object
    }
}
