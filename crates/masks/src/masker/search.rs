//! Finds every secret in a text, and how much of its end may be the beginning of
//! one.

use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError, Input, MatchKind};

/// The automaton over all spellings.
pub(super) struct Search {
    automaton: NFA,
    start: StateID,
    /// Bytes of the longest spelling.
    pub(super) longest: usize,
    /// For each state, sorted by it: how many of the last bytes are the
    /// beginning of some spelling.
    depths: Vec<(StateID, u32)>,
}

pub(super) struct Found {
    /// Disjoint, in order.
    pub(super) secrets: Vec<Range<usize>>,
    /// How many bytes at the end may be the beginning of a secret.
    pub(super) possible_prefix: usize,
}

impl Search {
    pub(super) fn new(patterns: &[Vec<u8>]) -> Result<Self, BuildError> {
        // Standard semantics report every occurrence; the leftmost kinds forget
        // those that overlap an earlier one.
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .build(patterns)?;
        let start = automaton
            .start_state(Anchored::No)
            .expect("an automaton is built for unanchored searches by default");
        let mut depths = vec![(start, 0_u32)];
        for pattern in patterns {
            let mut state = start;
            for (byte, depth) in pattern.iter().zip(1..) {
                state = automaton.next_state(Anchored::No, state, *byte);
                depths.push((state, depth));
            }
        }
        depths.sort_unstable();
        depths.dedup();
        Ok(Self {
            longest: automaton.max_pattern_len(),
            automaton,
            start,
            depths,
        })
    }

    /// Finds every secret in `text`, of which the first `covered` bytes count
    /// as one.
    pub(super) fn scan(&self, text: &[u8], covered: usize) -> Found {
        let mut secrets = Vec::new();
        if covered > 0 {
            secrets.push(0..covered);
        }
        let mut state = self.start;
        let mut position = 0;
        while let Some(end) = self.first_end(text, position) {
            // No secret ends before `end`, so none begins more than the longest
            // one before it: the walk may start there.
            position = position.max(end.saturating_sub(self.longest));
            while position < text.len() && (position < end || state != self.start) {
                state = self.step(state, text[position]);
                position += 1;
                if self.automaton.is_match(state) {
                    add(&mut secrets, position - self.longest_match(state)..position);
                }
            }
        }
        if state == self.start {
            // No whole secret is left, so the last bytes decide.
            let last = position.max((text.len() + 1).saturating_sub(self.longest));
            for byte in &text[last..] {
                state = self.step(state, *byte);
            }
        }
        Found {
            secrets,
            possible_prefix: self.depth(state),
        }
    }

    /// Where the first secret after `position` ends. Skips ordinary text with
    /// vector instructions.
    fn first_end(&self, text: &[u8], position: usize) -> Option<usize> {
        let input = Input::new(text).range(position..).earliest(true);
        self.automaton
            .try_find(&input)
            .expect("the automaton supports unanchored searches")
            .map(|found| found.end())
    }

    fn step(&self, state: StateID, byte: u8) -> StateID {
        self.automaton.next_state(Anchored::No, state, byte)
    }

    /// The length of the longest spelling that ends in this matching state: the
    /// automaton lists a state's own spelling before its suffixes.
    fn longest_match(&self, state: StateID) -> usize {
        self.automaton
            .pattern_len(self.automaton.match_pattern(state, 0))
    }

    fn depth(&self, state: StateID) -> usize {
        let index = self
            .depths
            .binary_search_by_key(&state, |(state, _)| *state)
            .expect("every state is reached by a beginning of a spelling");
        self.depths[index].1 as usize
    }
}

/// Adds an occurrence that ends after all earlier ones, merging those it
/// overlaps.
fn add(secrets: &mut Vec<Range<usize>>, mut new: Range<usize>) {
    while let Some(last) = secrets.last()
        && last.end > new.start
    {
        new.start = new.start.min(last.start);
        new.end = new.end.max(last.end);
        secrets.pop();
    }
    secrets.push(new);
}
