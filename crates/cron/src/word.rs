//! The text cut into words with their places.

use crate::error::CronError;

/// Shortcuts and what they stand for.
const SHORTCUTS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@noon", "0 12 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A field, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    /// Of its first character, from 1.
    pub(crate) column: usize,
}

impl<'a> Word<'a> {
    /// Without a last character, and whether it was there.
    pub(crate) fn without_suffix(self, suffix: char) -> (Self, bool) {
        match self.text.strip_suffix(suffix) {
            Some(text) => (Self { text, ..self }, true),
            None => (self, false),
        }
    }

    /// The pieces between commas; several commas count as one.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        pieces(self.text, self.column, |c| c == ',')
    }

    /// An error about this word.
    pub(crate) fn wrong(&self, why: impl std::fmt::Display) -> CronError {
        CronError::new(self.column, format!("`{}` {why}", self.text))
    }
}

/// Fields and what follows them; a shortcut becomes the fields it stands for.
pub(crate) fn split(text: &str) -> Result<Vec<Word<'_>>, CronError> {
    let mut words: Vec<Word<'_>> = pieces(text, 1, |c| c.is_ascii_whitespace()).collect();
    if let Some(first) = words
        .first()
        .copied()
        .filter(|word| word.text.starts_with('@'))
    {
        let Some((_, fields)) = SHORTCUTS.iter().find(|(name, _)| *name == first.text) else {
            let known: Vec<&str> = SHORTCUTS.iter().map(|(name, _)| *name).collect();
            return Err(first.wrong(format_args!("is none of {}", known.join(", "))));
        };
        let fields = fields.split(' ').map(|text| Word { text, ..first });
        words.splice(0..1, fields);
    }
    Ok(words)
}

fn pieces<'a>(
    text: &'a str,
    column: usize,
    is_separator: impl Fn(char) -> bool,
) -> impl Iterator<Item = Word<'a>> {
    let mut next = column;
    text.split(is_separator).filter_map(move |text| {
        let column = next;
        next += text.chars().count() + 1;
        (!text.is_empty()).then_some(Word { text, column })
    })
}
