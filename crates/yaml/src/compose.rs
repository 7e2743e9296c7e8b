//! Parser events → a flat table of nodes in which aliases are still links.
//!
//! Everything is counted here as if the aliases were already expanded, so that
//! no limit is crossed by building before it is seen.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag, options};
use tappet_model::Position;

use crate::error::YamlError;
use crate::limits::{Limits, Size, too_big};

/// Where a node stands in [`Composed::nodes`].
pub(crate) type NodeIndex = usize;

/// All nodes of a text, linked by their indices.
pub(crate) struct Composed<'text> {
    pub(crate) nodes: Vec<RawNode<'text>>,
    /// The root of each document.
    pub(crate) roots: Vec<NodeIndex>,
}

/// A node before its scalars have types.
pub(crate) struct RawNode<'text> {
    pub(crate) kind: RawKind<'text>,
    pub(crate) position: Position,
    pub(crate) tag: Option<Cow<'text, Tag>>,
    /// None while the node is still being read.
    size: Option<Size>,
}

pub(crate) enum RawKind<'text> {
    Scalar {
        text: Cow<'text, str>,
        plain: bool,
    },
    Sequence(Vec<NodeIndex>),
    /// Keys and values in turn.
    Mapping(Vec<NodeIndex>),
    Alias(NodeIndex),
}

/// Reads all documents of a text.
///
/// # Errors
///
/// Malformed YAML, an alias without an anchor before it in its document, and
/// every limit.
pub(crate) fn compose<'text>(
    text: &'text str,
    limits: &Limits,
) -> Result<Composed<'text>, YamlError> {
    let parser = Parser::new_from_str_with_options(
        text,
        options! {
            emit_unresolved_aliases: true,
            emit_comments: false,
            flow_nesting_limit: limits.max_depth.saturating_add(1),
            block_nesting_limit: limits.max_depth.saturating_add(1),
        },
    );
    let mut composer = Composer {
        text,
        limits,
        composed: Composed {
            nodes: Vec::new(),
            roots: Vec::new(),
        },
        open: Vec::new(),
        anchors: HashMap::new(),
        total: Size::default(),
    };
    for next in parser {
        let (event, span) = next?;
        composer.take(event, span)?;
    }
    Ok(composer.composed)
}

struct Composer<'text, 'limits> {
    text: &'text str,
    limits: &'limits Limits,
    composed: Composed<'text>,
    /// Collections not yet closed, outermost first.
    open: Vec<Open>,
    /// By the parser's number for the anchor.
    anchors: HashMap<usize, NodeIndex>,
    total: Size,
}

struct Open {
    index: NodeIndex,
    children: Vec<NodeIndex>,
    size: Size,
}

impl<'text> Composer<'text, '_> {
    fn take(&mut self, event: Event<'text>, span: Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = self.scalar_text(text, style, &span);
                let size = Size::scalar(&text);
                let kind = RawKind::Scalar {
                    text,
                    plain: style == ScalarStyle::Plain,
                };
                self.leaf(kind, tag, anchor, size, &span)
            }
            Event::Alias(anchor) => {
                let position = position(&span.start);
                // An anchor around its own alias would never end.
                let (target, size) = self
                    .anchors
                    .get(&anchor)
                    .and_then(|&target| Some((target, self.composed.nodes[target].size?)))
                    .ok_or_else(|| too_big(position))?;
                self.leaf(RawKind::Alias(target), None, 0, size, &span)
            }
            Event::UnresolvedAlias(name) => Err(YamlError::at(
                position(&span.start),
                format!("Unknown alias: {name}"),
            )),
            Event::SequenceStart(_, anchor, tag) => {
                self.start(RawKind::Sequence(Vec::new()), tag, anchor, &span)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.start(RawKind::Mapping(Vec::new()), tag, anchor, &span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn leaf(
        &mut self,
        kind: RawKind<'text>,
        tag: Option<Cow<'text, Tag>>,
        anchor: usize,
        size: Size,
        span: &Span,
    ) -> Result<(), YamlError> {
        let index = self.push(kind, tag, anchor, span);
        self.composed.nodes[index].size = Some(size);
        self.count(size, span)?;
        self.attach(index, size);
        Ok(())
    }

    fn start(
        &mut self,
        kind: RawKind<'text>,
        tag: Option<Cow<'text, Tag>>,
        anchor: usize,
        span: &Span,
    ) -> Result<(), YamlError> {
        let index = self.push(kind, tag, anchor, span);
        let size = Size::empty_collection();
        self.count(size, span)?;
        self.open.push(Open {
            index,
            children: Vec::new(),
            size,
        });
        Ok(())
    }

    fn end(&mut self) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        let node = &mut self.composed.nodes[closed.index];
        if let RawKind::Sequence(children) | RawKind::Mapping(children) = &mut node.kind {
            *children = closed.children;
        }
        node.size = Some(closed.size);
        self.attach(closed.index, closed.size);
    }

    fn push(
        &mut self,
        kind: RawKind<'text>,
        tag: Option<Cow<'text, Tag>>,
        anchor: usize,
        span: &Span,
    ) -> NodeIndex {
        let start = span.tag_start().unwrap_or(span.start);
        let index = self.composed.nodes.len();
        self.composed.nodes.push(RawNode {
            kind,
            position: position(&start),
            tag,
            size: None,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        index
    }

    /// Adds what a node brings, aliases expanded, and checks the limits.
    fn count(&mut self, size: Size, span: &Span) -> Result<(), YamlError> {
        self.total.add(size);
        let here = Size {
            depth: self.open.len() + size.depth,
            ..self.total
        };
        self.limits.check(here, position(&span.start))
    }

    fn attach(&mut self, index: NodeIndex, size: Size) {
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(index);
                parent.size.add_child(size);
            }
            None => self.composed.roots.push(index),
        }
    }

    /// Undoes two habits of the parser: `~` for nothing at all, and a line end
    /// added to a block scalar that the end of the text cuts off.
    fn scalar_text(
        &self,
        text: Cow<'text, str>,
        style: ScalarStyle,
        span: &Span,
    ) -> Cow<'text, str> {
        match style {
            ScalarStyle::Plain if span.start.index() == span.end.index() => Cow::Borrowed(""),
            ScalarStyle::Literal | ScalarStyle::Folded
                if text.ends_with('\n')
                    && !self.text.ends_with('\n')
                    && span.end.byte_offset() == Some(self.text.len()) =>
            {
                let mut text = text.into_owned();
                text.pop();
                Cow::Owned(text)
            }
            _ => text,
        }
    }
}

/// The parser counts columns from 0.
pub(crate) fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
