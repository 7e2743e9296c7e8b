//! A mapping in the order it was written, with Ruby's rules for repeated keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tappet_model::Position;

use crate::node::Node;

/// From this many entries on, look-ups go through a hash index.
const INDEX_FROM: usize = 12;

/// What a key was before it became text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyKind {
    /// `name:`, or quoted.
    String,
    /// `:name:` in Psych's schema.
    Symbol,
    /// `10:`.
    Int,
    /// `1.5:`.
    Float,
    /// `true:`; in Psych's schema also `on:`, `yes:` and the like.
    Bool,
    /// `~:`.
    Null,
}

impl KeyKind {
    /// Strings and symbols of one text are one key, because GitLab turns all
    /// string keys into symbols; `1` and `"1"` are two.
    fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Symbol)
    }
}

/// A key of a [`Mapping`].
#[derive(Clone, Debug)]
pub struct Key {
    /// Its text: Ruby's `to_s` of the typed key (`on` → `true`, `0755` → `493`).
    pub text: String,
    /// Where it stands.
    pub position: Position,
    /// What it was.
    pub kind: KeyKind,
}

impl Key {
    /// A string key.
    pub fn new(text: impl Into<String>, position: Position) -> Self {
        Self {
            text: text.into(),
            position,
            kind: KeyKind::String,
        }
    }
}

/// Keys and values in the order of their first appearance.
#[derive(Clone, Default)]
pub struct Mapping {
    entries: Vec<(Key, Node)>,
    index: Option<Box<Index>>,
}

impl Mapping {
    /// A mapping without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the key with this text; a string key is preferred to a
    /// number or boolean that reads the same.
    pub fn get(&self, text: &str) -> Option<&Node> {
        self.find(text).map(|at| &self.entries[at].1)
    }

    /// Like [`get`](Self::get), to change the value in place.
    pub fn get_mut(&mut self, text: &str) -> Option<&mut Node> {
        self.find(text).map(|at| &mut self.entries[at].1)
    }

    /// The key with this text.
    pub fn key(&self, text: &str) -> Option<&Key> {
        self.find(text).map(|at| &self.entries[at].0)
    }

    /// Whether a key has this text.
    pub fn contains_key(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// All entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Node)> + ExactSizeIterator {
        self.entries.iter().map(|(key, node)| (key, node))
    }

    /// All entries in order, values changeable.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Key, &mut Node)> {
        self.entries.iter_mut().map(|(key, node)| (&*key, node))
    }

    /// All keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// All values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.entries.iter().map(|(_, node)| node)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sets a key: an existing one keeps its place in the order and takes the
    /// new key's position and the new value, a new one goes to the end. Returns
    /// the place in the order and what was there before.
    pub fn insert(&mut self, key: Key, node: Node) -> (usize, Option<(Key, Node)>) {
        if let Some(at) = self.find_kind(&key.text, key.kind.is_text()) {
            let before = std::mem::replace(&mut self.entries[at], (key, node));
            return (at, Some(before));
        }
        let at = self.entries.len();
        if let Some(index) = &mut self.index {
            index.add(&key, at);
        }
        self.entries.push((key, node));
        if self.index.is_none() && self.entries.len() >= INDEX_FROM {
            self.index = Some(Box::new(Index::of(&self.entries)));
        }
        (at, None)
    }

    /// Takes the key with this text out; the others keep their order. Costs the
    /// length of the mapping.
    pub fn remove(&mut self, text: &str) -> Option<(Key, Node)> {
        let at = self.find(text)?;
        let removed = self.entries.remove(at);
        if self.index.is_some() {
            self.index = Some(Box::new(Index::of(&self.entries)));
        }
        Some(removed)
    }

    fn find(&self, text: &str) -> Option<usize> {
        self.find_kind(text, true)
            .or_else(|| self.find_kind(text, false))
    }

    fn find_kind(&self, text: &str, is_text: bool) -> Option<usize> {
        let fits = |(key, _): &(Key, Node)| key.kind.is_text() == is_text && key.text == text;
        if let Some(index) = &self.index {
            let at = *index.places.get(&index.hash(text, is_text))?;
            if fits(&self.entries[at]) {
                return Some(at);
            }
            // Two keys with one hash: the index holds only one of them.
        }
        self.entries.iter().position(fits)
    }
}

/// Places by hash of key text and kind. A place is checked against its entry
/// before it is believed, so the index needs no copy of the texts.
#[derive(Clone)]
struct Index {
    places: HashMap<u64, usize>,
    state: RandomState,
}

impl Index {
    fn of(entries: &[(Key, Node)]) -> Self {
        let mut index = Self {
            places: HashMap::with_capacity(entries.len() * 2),
            state: RandomState::new(),
        };
        for (at, (key, _)) in entries.iter().enumerate() {
            index.add(key, at);
        }
        index
    }

    fn add(&mut self, key: &Key, at: usize) {
        let hash = self.hash(&key.text, key.kind.is_text());
        self.places.entry(hash).or_insert(at);
    }

    fn hash(&self, text: &str, is_text: bool) -> u64 {
        self.state.hash_one((text, is_text))
    }
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(key, node)| (&key.text, node)))
            .finish()
    }
}

/// The same keys with equal values, in any order and at any place.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().all(|(key, node)| {
                other
                    .find_kind(&key.text, key.kind.is_text())
                    .is_some_and(|at| &other.entries[at].1 == node)
            })
    }
}

impl FromIterator<(Key, Node)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (Key, Node)>>(entries: I) -> Self {
        let mut mapping = Self::new();
        mapping.extend(entries);
        mapping
    }
}

impl Extend<(Key, Node)> for Mapping {
    fn extend<I: IntoIterator<Item = (Key, Node)>>(&mut self, entries: I) {
        for (key, node) in entries {
            self.insert(key, node);
        }
    }
}

impl IntoIterator for Mapping {
    type Item = (Key, Node);
    type IntoIter = std::vec::IntoIter<(Key, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Position = Position { line: 1, column: 1 };

    fn key(text: &str) -> Key {
        Key::new(text, HERE)
    }

    fn int_key(text: &str) -> Key {
        Key {
            kind: KeyKind::Int,
            ..key(text)
        }
    }

    fn texts(mapping: &Mapping) -> Vec<&str> {
        mapping.keys().map(|key| key.text.as_str()).collect()
    }

    #[test]
    fn a_repeated_key_keeps_its_place_and_takes_the_later_position_and_value() {
        let later = Position { line: 9, column: 2 };
        let mut mapping: Mapping = [
            (key("a"), Node::int(1, HERE)),
            (key("b"), Node::int(2, HERE)),
        ]
        .into_iter()
        .collect();
        let (at, before) = mapping.insert(Key::new("a", later), Node::int(3, later));
        assert_eq!(at, 0);
        assert_eq!(before.map(|(_, node)| node), Some(Node::int(1, HERE)));
        assert_eq!(texts(&mapping), ["a", "b"]);
        assert_eq!(mapping.get("a").and_then(Node::as_int), Some(3));
        assert_eq!(mapping.key("a").map(|key| key.position), Some(later));
    }

    #[test]
    fn a_number_and_the_same_text_are_two_keys_and_the_text_is_found_first() {
        for filler in [0, 100] {
            let mut mapping: Mapping = (0..filler)
                .map(|n| (key(&format!("k{n}")), Node::null(HERE)))
                .collect();
            mapping.insert(int_key("1"), Node::int(10, HERE));
            assert_eq!(mapping.get("1").and_then(Node::as_int), Some(10));
            mapping.insert(key("1"), Node::int(11, HERE));
            assert_eq!(mapping.len(), filler + 2);
            assert_eq!(mapping.get("1").and_then(Node::as_int), Some(11));
        }
    }

    #[test]
    fn a_long_mapping_finds_every_key_also_after_a_removal() {
        let mut mapping: Mapping = (0..1000)
            .map(|n| (key(&format!("k{n}")), Node::int(n, HERE)))
            .collect();
        assert!(mapping.remove("k10").is_some());
        assert!(mapping.get("k10").is_none());
        for n in (0..1000).filter(|n| *n != 10) {
            let found = mapping.get(&format!("k{n}")).and_then(Node::as_int);
            assert_eq!(found, Some(n));
        }
        assert_eq!(texts(&mapping)[9..11], ["k9", "k11"]);
    }

    #[test]
    fn order_and_places_do_not_matter_for_equality() {
        let there = Position { line: 5, column: 5 };
        let left: Mapping = [
            (key("a"), Node::int(1, HERE)),
            (key("b"), Node::int(2, HERE)),
        ]
        .into_iter()
        .collect();
        let right: Mapping = [
            (key("b"), Node::int(2, there)),
            (key("a"), Node::int(1, there)),
        ]
        .into_iter()
        .collect();
        assert_eq!(left, right);
        let other: Mapping = [
            (key("a"), Node::int(1, HERE)),
            (key("b"), Node::int(3, HERE)),
        ]
        .into_iter()
        .collect();
        assert_ne!(left, other);
    }
}
