//! The order in which variables can be expanded.

use std::collections::HashMap;

use tappet_model::Variable;

use super::{Escapes, Piece, Pieces, may_refer};

/// Variables after all that they refer to, otherwise in their own order, as
/// indices (Tarjan's algorithm, visiting as Ruby's `TSort` does).
///
/// # Errors
///
/// The circles, each in the order of its discovery. A variable that refers to
/// its own key alone is none.
pub(super) fn by_dependency(variables: &[Variable]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut by_key: HashMap<&str, Vec<usize>> = HashMap::with_capacity(variables.len());
    for (at, variable) in variables.iter().enumerate() {
        by_key.entry(&variable.key).or_default().push(at);
    }
    let children: Vec<Vec<usize>> = variables
        .iter()
        .map(|variable| references(variable, &by_key))
        .collect();
    let mut search = Search {
        children: &children,
        state: vec![State::default(); variables.len()],
        visited: 0,
        stack: Vec::new(),
        order: Vec::with_capacity(variables.len()),
        circles: Vec::new(),
    };
    for at in 0..variables.len() {
        search.visit(at);
    }
    if search.circles.is_empty() {
        Ok(search.order)
    } else {
        Err(search.circles)
    }
}

fn references(variable: &Variable, by_key: &HashMap<&str, Vec<usize>>) -> Vec<usize> {
    if !may_refer(variable) {
        return Vec::new();
    }
    let mut found: Vec<&str> = Vec::new();
    for piece in Pieces::new(&variable.value, Escapes::Doubled) {
        if let Piece::Reference { name, .. } = piece {
            found.push(name);
        }
    }
    let known = found.into_iter().filter_map(|name| by_key.get(name));
    known.flatten().copied().collect()
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Order of first visit, from 1; 0 when not visited.
    visit: usize,
    /// The earliest visit that can be reached and is still open.
    low: usize,
    /// Whether its circle is complete.
    done: bool,
}

struct Search<'a> {
    children: &'a [Vec<usize>],
    state: Vec<State>,
    visited: usize,
    stack: Vec<usize>,
    order: Vec<usize>,
    circles: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Depth first on an own stack, because chains may be long.
    fn visit(&mut self, root: usize) {
        if self.state[root].visit != 0 {
            return;
        }
        self.open(root);
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if let Some(&child) = self.children[at].get(*next) {
                *next += 1;
                let seen = self.state[child];
                if seen.visit == 0 {
                    self.open(child);
                    path.push((child, 0));
                } else if !seen.done {
                    self.state[at].low = self.state[at].low.min(seen.visit);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                self.state[parent].low = self.state[parent].low.min(self.state[at].low);
            }
            if self.state[at].low == self.state[at].visit {
                self.close(at);
            }
        }
    }

    fn open(&mut self, at: usize) {
        self.visited += 1;
        self.state[at] = State {
            visit: self.visited,
            low: self.visited,
            done: false,
        };
        self.stack.push(at);
    }

    /// Takes the component that starts at this variable off the stack.
    fn close(&mut self, at: usize) {
        let from = self.stack.iter().rposition(|&other| other == at);
        let component = self.stack.split_off(from.unwrap_or(self.stack.len()));
        for &member in &component {
            self.state[member].done = true;
        }
        match component.as_slice() {
            [single] => self.order.push(*single),
            _ => self.circles.push(component),
        }
    }
}
