//! Conditions of one file. Jobs repeat them, often through `extends`, and a
//! regular expression is dear to compile, so each text is read once.

use std::collections::HashMap;

use tappet_yaml::Node;

use crate::expression::{self, Expression};

/// Conditions read so far, by text; none for one that is not valid.
#[derive(Default)]
pub(crate) struct Conditions {
    read: HashMap<String, Option<Expression>>,
}

impl Conditions {
    /// The condition in a node; none when it is not valid.
    pub(crate) fn read(&mut self, node: &Node) -> Option<Expression> {
        let text = node.as_str()?;
        if let Some(known) = self.read.get(text) {
            return known.clone();
        }
        let condition = expression::parse(text).ok();
        self.read.insert(text.to_owned(), condition.clone());
        condition
    }
}
