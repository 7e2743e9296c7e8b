//! A small cache that forgets what was used least recently.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Entries up to a total weight. Meant for at most some hundred entries: making
/// room looks at all of them.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    budget: usize,
    used: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used_at: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Lru<K, V> {
    /// An empty cache whose entries weigh at most `budget` together.
    pub fn new(budget: usize) -> Self {
        Self {
            entries: HashMap::new(),
            budget,
            used: 0,
            clock: 0,
        }
    }

    /// The value of `key`, which counts as a use.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used_at = self.clock;
        Some(entry.value.clone())
    }

    /// Remembers `value`; not at all when it alone is over the budget.
    pub fn put(&mut self, key: K, value: V, weight: usize) {
        if weight > self.budget {
            return;
        }
        self.clock += 1;
        let entry = Entry {
            value,
            weight,
            used_at: self.clock,
        };
        self.used += weight;
        if let Some(old) = self.entries.insert(key, entry) {
            self.used -= old.weight;
        }
        while self.used > self.budget {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used_at);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&oldest);
        }
    }

    /// Forgets `key`.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.used -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_not_used() {
        let mut cache = Lru::new(2);
        cache.put("a", 1, 1);
        cache.put("b", 2, 1);
        assert_eq!(cache.get("a"), Some(1));
        cache.put("c", 3, 1);
        assert_eq!(cache.get("b"), None);
        assert_eq!((cache.get("a"), cache.get("c")), (Some(1), Some(3)));
    }

    #[test]
    fn weighs_entries() {
        let mut cache = Lru::new(10);
        cache.put("small", 1, 3);
        cache.put("huge", 2, 11);
        assert_eq!((cache.get("small"), cache.get("huge")), (Some(1), None));
        cache.put("big", 3, 10);
        assert_eq!((cache.get("small"), cache.get("big")), (None, Some(3)));
    }

    #[test]
    fn replacing_an_entry_frees_its_weight() {
        let mut cache = Lru::new(10);
        cache.put("a", 1, 6);
        cache.put("a", 2, 6);
        cache.put("b", 3, 4);
        assert_eq!((cache.get("a"), cache.get("b")), (Some(2), Some(3)));
    }
}
