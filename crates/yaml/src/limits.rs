//! How big a document may be, before and after its aliases are expanded.

use tappet_model::Position;

use crate::error::YamlError;

/// GitLab's words for every limit of this kind.
const TOO_BIG: &str = "The parsed YAML is too big";

/// Bounds on one text. Crossing any of them is the error
/// `The parsed YAML is too big`.
///
/// They are checked on counts, before anything is copied: a text that expands
/// to a billion nodes costs what its own length costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the text, and also of all its scalars after alias expansion.
    pub max_bytes: usize,
    /// Collections inside each other, aliases followed.
    pub max_depth: usize,
    /// Keys and values of all documents together, after alias expansion.
    pub max_nodes: usize,
}

/// GitLab's: 2 MiB and depth 100; the number of nodes is ours.
impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 2 * 1024 * 1024,
            max_depth: 100,
            max_nodes: 200_000,
        }
    }
}

impl Limits {
    pub(crate) fn check_source(&self, text: &str) -> Result<(), YamlError> {
        if text.len() > self.max_bytes {
            return Err(YamlError::whole_file(TOO_BIG));
        }
        Ok(())
    }

    pub(crate) fn check(&self, size: Size, position: Position) -> Result<(), YamlError> {
        if size.nodes > self.max_nodes
            || size.text_bytes > self.max_bytes
            || size.depth > self.max_depth
        {
            return Err(too_big(position));
        }
        Ok(())
    }
}

/// The error for a document that crosses a limit at this place.
pub(crate) fn too_big(position: Position) -> YamlError {
    YamlError::at(position, TOO_BIG)
}

/// What a node holds once every alias in it is expanded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Size {
    /// The node itself, its keys and all below.
    pub(crate) nodes: usize,
    /// Bytes of all scalars.
    pub(crate) text_bytes: usize,
    /// 0 for a scalar, 1 for a collection of scalars.
    pub(crate) depth: usize,
}

impl Size {
    pub(crate) fn scalar(text: &str) -> Self {
        Self {
            nodes: 1,
            text_bytes: text.len(),
            depth: 0,
        }
    }

    pub(crate) fn empty_collection() -> Self {
        Self {
            nodes: 1,
            text_bytes: 0,
            depth: 1,
        }
    }

    /// Adds one child to a collection.
    pub(crate) fn add_child(&mut self, child: Size) {
        self.add(child);
        self.depth = self.depth.max(child.depth + 1);
    }

    /// Adds what stands beside this.
    pub(crate) fn add(&mut self, other: Size) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.text_bytes = self.text_bytes.saturating_add(other.text_bytes);
    }
}
