//! Tokens → one term, by GitLab's shunting yard.
//!
//! Like GitLab's, it does not ask where an operator stands between its values,
//! so `$A "x" ==` is accepted. `==`, `!=`, `=~` and `!~` bind tightest, then
//! `&&`, then `||`; all from the left.

use super::lexer::Token;
use super::{ExpressionError, Operator, Term};

/// What waits for its right side.
enum Waiting {
    Open,
    Operator(Operator),
}

pub(super) fn parse(tokens: Vec<Token>) -> Result<Term, ExpressionError> {
    let mut terms: Vec<Term> = Vec::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    for token in tokens {
        match token {
            Token::Value(term) => terms.push(term),
            Token::Open => waiting.push(Waiting::Open),
            Token::Close => loop {
                match waiting.pop() {
                    Some(Waiting::Operator(operator)) => combine(&mut terms, operator)?,
                    Some(Waiting::Open) => break,
                    None => return Err(ExpressionError::UnmatchedParenthesis),
                }
            },
            Token::Operator(operator) => {
                while let Some(Waiting::Operator(before)) = waiting.last() {
                    if binding(*before) > binding(operator) {
                        break;
                    }
                    let before = *before;
                    waiting.pop();
                    combine(&mut terms, before)?;
                }
                waiting.push(Waiting::Operator(operator));
            }
        }
    }
    for left in waiting.into_iter().rev() {
        match left {
            Waiting::Operator(operator) => combine(&mut terms, operator)?,
            Waiting::Open => return Err(ExpressionError::UnmatchedParenthesis),
        }
    }
    match (terms.pop(), terms.is_empty()) {
        (Some(term), true) => Ok(term),
        (Some(_), false) => Err(ExpressionError::MissingOperator),
        (None, _) => Err(ExpressionError::Empty),
    }
}

fn combine(terms: &mut Vec<Term>, operator: Operator) -> Result<(), ExpressionError> {
    let right = terms.pop();
    let left = terms.pop();
    let (Some(left), Some(right)) = (left, right) else {
        return Err(ExpressionError::MissingOperand);
    };
    terms.push(Term::Operation(operator, Box::new((left, right))));
    Ok(())
}

/// Lower binds tighter.
fn binding(operator: Operator) -> u8 {
    match operator {
        Operator::Equals | Operator::NotEquals | Operator::Matches | Operator::NotMatches => 10,
        Operator::And => 11,
        Operator::Or => 12,
    }
}
