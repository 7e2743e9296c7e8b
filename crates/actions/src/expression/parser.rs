//! Tokens → nodes, by operator precedence with two stacks.
//!
//! GitHub runner: `ExpressionParser.cs`. Groups make no node, so they do not
//! count towards the depth.

use super::error::{ExpressionError, SyntaxError, SyntaxErrorKind};
use super::functions::Function;
use super::lexer::{Lexer, Token, TokenKind};
use super::node::{Callee, Node, NodeId};
use super::scope::Scope;
use super::{Expression, MAX_DEPTH, MAX_LENGTH};
use crate::value::Value;

pub(super) fn parse(text: &str, scope: &dyn Scope) -> Result<Expression, ExpressionError> {
    // A UTF-16 unit takes a byte or more, so short texts need no counting.
    if text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH {
        return Err(ExpressionError::TooLong);
    }
    let mut parser = Parser {
        text,
        scope,
        nodes: Vec::new(),
        operators: Vec::new(),
        operands: Vec::new(),
        calls: Vec::new(),
    };
    let mut lexer = Lexer::new(text);
    let mut last = None;
    while let Some(token) = lexer.next() {
        if token.kind == TokenKind::Unexpected {
            return Err(parser.error(SyntaxErrorKind::UnexpectedSymbol, token));
        }
        parser.push(token)?;
        last = Some(token);
    }
    let last = last.ok_or(ExpressionError::Empty)?;
    if lexer.has_unclosed() || last.kind.wants_more() {
        return Err(parser.error(SyntaxErrorKind::UnexpectedEnd, last));
    }
    parser.finish()
}

/// A node and the levels that it and what it holds take.
#[derive(Clone, Copy)]
struct Operand {
    node: NodeId,
    depth: usize,
}

/// A call whose arguments are being read.
struct Call {
    callee: Callee,
    arguments: (usize, usize),
    /// Its `(`, which errors about the number of arguments point at.
    bracket: Token,
    /// Operands that were there before its arguments.
    operands: usize,
}

struct Parser<'a> {
    text: &'a str,
    scope: &'a dyn Scope,
    nodes: Vec<Node>,
    operators: Vec<TokenKind>,
    operands: Vec<Operand>,
    calls: Vec<Call>,
}

impl Parser<'_> {
    fn error(&self, kind: SyntaxErrorKind, token: Token) -> ExpressionError {
        let before = &self.text[..token.start];
        ExpressionError::Syntax(Box::new(SyntaxError {
            kind,
            token: self.text[token.start..token.end].to_owned(),
            position: before.encode_utf16().count() + 1,
            expression: self.text.to_owned(),
        }))
    }

    fn push(&mut self, token: Token) -> Result<(), ExpressionError> {
        match token.kind {
            TokenKind::StartGroup | TokenKind::Not => self.operators.push(token.kind),
            TokenKind::StartParameters => {
                self.operators.push(token.kind);
                let call = self.calls.last_mut();
                call.expect("a function is before it").bracket = token;
            }
            TokenKind::EndGroup => {
                self.apply_until_bracket();
                self.operators.pop();
            }
            TokenKind::EndIndex => {
                self.apply_until_bracket();
                self.apply_top();
            }
            TokenKind::Separator => self.apply_until_bracket(),
            TokenKind::EndParameters => {
                self.apply_until_bracket();
                self.operators.pop();
                self.end_call()?;
            }
            TokenKind::StartIndex
            | TokenKind::Dereference
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::Comparison(_) => {
                while let Some(&top) = self.operators.last()
                    && !is_bracket(top)
                    && precedence(token.kind) <= precedence(top)
                {
                    self.apply_top();
                }
                self.operators.push(token.kind);
            }
            TokenKind::Function => self.start_call(token)?,
            _ => {
                let node = self.leaf(token)?;
                self.push_operand(node, 1);
            }
        }
        Ok(())
    }

    fn leaf(&self, token: Token) -> Result<Node, ExpressionError> {
        let word = &self.text[token.start..token.end];
        Ok(match token.kind {
            TokenKind::Boolean(value) => Node::Literal(Value::Bool(value)),
            TokenKind::Number(value) => Node::Literal(Value::Number(value)),
            TokenKind::String => {
                let inner = &word[1..word.len() - 1];
                let text = if inner.contains('\'') {
                    inner.replace("''", "'").into()
                } else {
                    inner.into()
                };
                Node::Literal(Value::String(text))
            }
            TokenKind::PropertyName => Node::Literal(word.into()),
            TokenKind::Wildcard => Node::Wildcard,
            TokenKind::NamedValue => {
                let name = word.to_ascii_lowercase();
                if !self.scope.knows_context(&name) {
                    return Err(self.error(SyntaxErrorKind::UnrecognizedNamedValue, token));
                }
                Node::Context(name.into(), byte(token.start))
            }
            _ => Node::Literal(Value::Null),
        })
    }

    fn push_operand(&mut self, node: Node, depth: usize) {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("the length of a text is limited"));
        self.nodes.push(node);
        self.operands.push(Operand { node: id, depth });
    }

    fn pop_operand(&mut self) -> Operand {
        self.operands.pop().expect("the lexer checked the order")
    }

    fn start_call(&mut self, token: Token) -> Result<(), ExpressionError> {
        let name = &self.text[token.start..token.end];
        let (callee, arguments) = if let Some(function) = Function::named(name) {
            (Callee::Function(function), function.arguments())
        } else if let Some(rule) = self.scope.function(name) {
            let callee = Callee::Special(rule.function, byte(token.start));
            (callee, (rule.min, rule.max))
        } else {
            return Err(self.error(SyntaxErrorKind::UnrecognizedFunction, token));
        };
        self.calls.push(Call {
            callee,
            arguments,
            bracket: token,
            operands: self.operands.len(),
        });
        Ok(())
    }

    fn end_call(&mut self) -> Result<(), ExpressionError> {
        let call = self.calls.pop().expect("the lexer pairs brackets");
        let arguments = self.operands.split_off(call.operands);
        let (min, max) = call.arguments;
        let kind = if arguments.len() < min {
            Some(SyntaxErrorKind::TooFewParameters)
        } else if arguments.len() > max {
            Some(SyntaxErrorKind::TooManyParameters)
        } else if matches!(call.callee, Callee::Function(Function::Case))
            && arguments.len().is_multiple_of(2)
        {
            Some(SyntaxErrorKind::EvenParameters)
        } else {
            None
        };
        if let Some(kind) = kind {
            return Err(self.error(kind, call.bracket));
        }
        let deepest = arguments.iter().map(|one| one.depth).max().unwrap_or(0);
        let arguments = arguments.iter().map(|one| one.node).collect();
        self.push_operand(Node::Call(call.callee, arguments), deepest + 1);
        Ok(())
    }

    fn apply_until_bracket(&mut self) {
        while let Some(&top) = self.operators.last()
            && !is_bracket(top)
        {
            self.apply_top();
        }
    }

    /// Makes a node of the topmost operator and its operands.
    fn apply_top(&mut self) {
        let operator = self.operators.pop().expect("an operator is there");
        let right = self.pop_operand();
        if operator == TokenKind::Not {
            self.push_operand(Node::Not(right.node), right.depth + 1);
            return;
        }
        let left = self.pop_operand();
        let depth = left.depth.max(right.depth) + 1;
        match operator {
            TokenKind::Comparison(comparison) => {
                self.push_operand(Node::Comparison(comparison, left.node, right.node), depth);
            }
            TokenKind::And | TokenKind::Or => self.join(operator, left, right),
            _ => self.push_operand(Node::Index(left.node, right.node), depth),
        }
    }

    /// Makes one node of `a && b`; an operand that is such a node itself gives
    /// its operands instead, so that a long chain is not deep.
    fn join(&mut self, operator: TokenKind, left: Operand, right: Operand) {
        let is_and = operator == TokenKind::And;
        let mut operands = Vec::new();
        let mut depth = 0;
        for operand in [left, right] {
            match &mut self.nodes[operand.node.0 as usize] {
                Node::And(nested) if is_and => {
                    depth = depth.max(operand.depth);
                    append(&mut operands, nested);
                }
                Node::Or(nested) if !is_and => {
                    depth = depth.max(operand.depth);
                    append(&mut operands, nested);
                }
                _ => {
                    depth = depth.max(operand.depth + 1);
                    operands.push(operand.node);
                }
            }
        }
        let node = if is_and {
            Node::And(operands)
        } else {
            Node::Or(operands)
        };
        self.push_operand(node, depth);
    }

    fn finish(mut self) -> Result<Expression, ExpressionError> {
        while !self.operators.is_empty() {
            self.apply_top();
        }
        let root = self.pop_operand();
        if root.depth > MAX_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
        Ok(Expression {
            nodes: self.nodes,
            root: root.node,
        })
    }
}

/// Moves nodes to the end of a list, without copying when that list is empty.
fn append(to: &mut Vec<NodeId>, from: &mut Vec<NodeId>) {
    if to.is_empty() {
        std::mem::swap(to, from);
    } else {
        to.append(from);
    }
}

fn byte(at: usize) -> u32 {
    u32::try_from(at).expect("the length of a text is limited")
}

/// Whether an operator waits for its closing bracket.
fn is_bracket(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::StartGroup | TokenKind::StartIndex | TokenKind::StartParameters
    )
}

fn precedence(kind: TokenKind) -> u8 {
    use super::node::Comparison::{Equal, NotEqual};
    match kind {
        TokenKind::StartIndex | TokenKind::Dereference => 5,
        TokenKind::Not => 4,
        TokenKind::Comparison(Equal | NotEqual) => 2,
        TokenKind::Comparison(_) => 3,
        TokenKind::And => 1,
        _ => 0,
    }
}
