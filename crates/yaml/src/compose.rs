//! Parser events → a flat table of nodes in which aliases are still links.
//!
//! Everything is counted here as if the aliases were already expanded, so that
//! no limit is crossed by building before it is seen.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{
    Event, Marker, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag, options,
};
use tappet_model::Position;

use crate::error::YamlError;
use crate::limits::{Limits, Size, too_big};
use crate::quoted_lines::PaddedLines;
use crate::syntax::{CANNOT_START, SOURCE, syntax_error};

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
    /// Boxed because tags are rare and large.
    pub(crate) tag: Option<Box<Tag>>,
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

/// Why a text could not be composed.
pub(crate) enum Failure {
    /// The parser's own complaint.
    Syntax(ScanError),
    /// Ours.
    Refused(YamlError),
}

impl Failure {
    pub(crate) fn into_error(self, padded: &PaddedLines) -> YamlError {
        match self {
            Self::Syntax(error) => syntax_error(&error, padded),
            Self::Refused(error) => error,
        }
    }
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
    padded: &PaddedLines,
) -> Result<Composed<'text>, Failure> {
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
        padded,
        composed: Composed {
            nodes: Vec::new(),
            roots: Vec::new(),
        },
        open: Vec::new(),
        anchors: HashMap::new(),
        total: Size::default(),
    };
    for next in parser {
        let (event, span) = next.map_err(Failure::Syntax)?;
        composer.take(event, span).map_err(Failure::Refused)?;
    }
    Ok(composer.composed)
}

struct Composer<'text, 'limits> {
    text: &'text str,
    limits: &'limits Limits,
    padded: &'limits PaddedLines,
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
                let position = self.position(&span.start);
                // An anchor around its own alias would never end.
                let (target, size) = self
                    .anchors
                    .get(&anchor)
                    .and_then(|&target| Some((target, self.composed.nodes[target].size?)))
                    .ok_or_else(|| too_big(position))?;
                self.leaf(RawKind::Alias(target), None, 0, size, &span)
            }
            Event::UnresolvedAlias(name) => Err(YamlError::at(
                self.position(&span.start),
                format!("Unknown alias: {name}"),
            )),
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tab_indentation(style, &span)?;
                self.start(RawKind::Sequence(Vec::new()), tag, anchor, &span)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tab_indentation(style, &span)?;
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
            position: self.position(&start),
            tag: tag.map(|tag| Box::new(tag.into_owned())),
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
        self.limits.check(here, self.position(&span.start))
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

    /// libyaml takes a tab for indentation before a block collection and
    /// refuses it; the parser lets some pass.
    fn refuse_tab_indentation(&self, style: StructureStyle, span: &Span) -> Result<(), YamlError> {
        let before = span
            .start
            .byte_offset()
            .and_then(|start| self.text.get(..start));
        if style == StructureStyle::Block && before.is_some_and(|text| text.ends_with('\t')) {
            return Err(YamlError::at(
                self.position(&span.start),
                format!("{SOURCE}: {CANNOT_START}"),
            ));
        }
        Ok(())
    }

    fn position(&self, marker: &Marker) -> Position {
        self.padded.position(marker)
    }
}
