//! A bounded memory of values that were used recently.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps at least the `capacity` values used last and at most twice as many.
///
/// Two generations: what is used moves to the young one; when that is full, it
/// becomes the old one and the former old one is forgotten.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// An empty memory.
    pub fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            capacity,
        }
    }

    /// Remembers a value.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Takes a value out.
    pub fn take(&mut self, key: &K) -> Option<V> {
        // The older generation may hold an outdated value of the same key.
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// A copy of the value, which counts as a use.
    pub fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.insert(key.clone(), value.clone());
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut recent = Recent::new(2);
        for key in 0..10 {
            recent.insert(key, key);
            assert_eq!(recent.get(&0), Some(0), "after {key}");
        }
        assert_eq!(recent.get(&3), None);
        assert!(recent.young.len() + recent.old.len() <= 4);
    }

    #[test]
    fn a_newer_value_replaces_an_older_one_of_either_generation() {
        let mut recent = Recent::new(1);
        recent.insert('a', 1);
        recent.insert('b', 1);
        recent.insert('a', 2);
        assert_eq!(recent.take(&'a'), Some(2));
        assert_eq!(recent.take(&'a'), None);
    }
}
