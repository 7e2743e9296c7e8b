//! Reading JSON of a shape that somebody else promised: what is absent or null is
//! nothing, what has the wrong type is an error that names its place.

use serde_json::Value;
use tappet_model::{CommitSha, RefName};

use super::{MAX_ITEMS, MAX_NAME_CHARS, Repository, Revision};

/// A delivery that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPayload {
    /// No header says what happened.
    #[error("the header `{header}` is missing: is the project bound to another kind of forge?")]
    NoEvent {
        /// The header that this kind of forge sends.
        header: &'static str,
    },
    /// The body is no JSON, or nested too deeply.
    #[error("the body cannot be read as JSON ({0}): set the webhook's content type to JSON")]
    NotJson(String),
    /// A field is not as the forge documents it.
    #[error("`{field}` {problem}")]
    Field {
        /// Where it stands: `pull_request.head.sha`.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A place in the payload and what stands there.
pub(super) struct Field<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    /// The whole payload.
    pub(super) fn root(value: &'a Value) -> Result<Self, BadPayload> {
        let root = Self {
            path: String::new(),
            value,
        };
        match value {
            Value::Object(_) => Ok(root),
            _ => Err(BadPayload::Field {
                field: "the body".to_owned(),
                problem: "must be an object",
            }),
        }
    }

    /// A member of an object. Nothing has no members.
    pub(super) fn get(&self, name: &str) -> Result<Field<'a>, BadPayload> {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let value = match self.value {
            Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
            Value::Null => &Value::Null,
            _ => return self.wrong("must be an object"),
        };
        Ok(Field { path, value })
    }

    /// There is something.
    pub(super) fn is_there(&self) -> bool {
        !self.value.is_null()
    }

    /// The error that this place has a problem.
    pub(super) fn wrong<T>(&self, problem: &'static str) -> Result<T, BadPayload> {
        Err(BadPayload::Field {
            field: self.path.clone(),
            problem,
        })
    }

    /// A text as it stands there.
    pub(super) fn raw(&self) -> Result<Option<&'a str>, BadPayload> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => self.wrong("must be a string"),
        }
    }

    /// A text for people, cut, without NULs, which no environment can hold.
    pub(super) fn text(&self, max_chars: usize) -> Result<Option<String>, BadPayload> {
        let keep = |text: &str| {
            text.chars()
                .filter(|&c| c != '\0')
                .take(max_chars)
                .collect()
        };
        Ok(self.raw()?.map(keep))
    }

    /// A name, login or title; empty when there is none.
    pub(super) fn name(&self) -> Result<String, BadPayload> {
        Ok(self.text(MAX_NAME_CHARS)?.unwrap_or_default())
    }

    /// The same, but it has to be there.
    pub(super) fn required_name(&self) -> Result<String, BadPayload> {
        match self.name()? {
            name if name.is_empty() => self.wrong("is missing"),
            name => Ok(name),
        }
    }

    /// An id: a number or a text.
    pub(super) fn id(&self) -> Result<Option<String>, BadPayload> {
        match self.value {
            Value::Null => Ok(None),
            Value::Number(number) if number.is_u64() || number.is_i64() => {
                Ok(Some(number.to_string()))
            }
            Value::String(text) if !text.is_empty() && text.len() <= MAX_NAME_CHARS => {
                Ok(Some(text.clone()))
            }
            _ => self.wrong("must be an id"),
        }
    }

    /// An id that has to be there.
    pub(super) fn required_id(&self) -> Result<String, BadPayload> {
        match self.id()? {
            Some(id) => Ok(id),
            None => self.wrong("is missing"),
        }
    }

    /// A whole number.
    pub(super) fn integer(&self) -> Result<Option<i64>, BadPayload> {
        match self.value {
            Value::Null => Ok(None),
            value => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => self.wrong("must be a whole number"),
            },
        }
    }

    /// The number of a pull request.
    pub(super) fn number(&self) -> Result<String, BadPayload> {
        match self.integer()? {
            Some(number) if number > 0 => Ok(number.to_string()),
            Some(_) => self.wrong("must be above zero"),
            None => self.wrong("is missing"),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self) -> Result<Option<bool>, BadPayload> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => self.wrong("must be true or false"),
        }
    }

    /// All items of a list; none when there is no list.
    pub(super) fn items(&self) -> Result<Vec<Field<'a>>, BadPayload> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, value)| Field {
                    path: format!("{}[{index}]", self.path),
                    value,
                })
                .collect()),
            _ => self.wrong("must be a list"),
        }
    }

    /// The member `name` of all items of a list; empty and absent ones left out.
    pub(super) fn names_of(&self, name: &str) -> Result<Vec<String>, BadPayload> {
        let mut names = Vec::new();
        for item in self.items()?.iter().take(MAX_ITEMS) {
            let name = item.get(name)?.name()?;
            if !name.is_empty() {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// A repository whose id is in the member `id`.
    pub(super) fn repository(&self, id: &str) -> Result<Repository, BadPayload> {
        Ok(Repository {
            id: self.get(id)?.required_id()?,
            full_name: self.get("full_name")?.required_name()?,
        })
    }

    /// A commit; `None` when absent, empty or all zeros.
    pub(super) fn revision(&self) -> Result<Option<Revision>, BadPayload> {
        let Some(text) = self.raw()?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !(7..=40).contains(&text.len()) {
            return self.wrong("must be a commit id of 40 hex digits");
        }
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        let text = text.to_ascii_lowercase();
        Ok(Some(match text.parse::<CommitSha>() {
            Ok(sha) => Revision::Full(sha),
            Err(_) => Revision::Short(text),
        }))
    }

    /// A commit that has to be there.
    pub(super) fn required_revision(&self) -> Result<Revision, BadPayload> {
        match self.revision()? {
            Some(revision) => Ok(revision),
            None => self.wrong("is missing"),
        }
    }

    /// A name of a branch that git accepts.
    pub(super) fn branch(&self) -> Result<String, BadPayload> {
        match self.raw()? {
            None | Some("") => self.wrong("is missing"),
            Some(name) => match RefName::new(name) {
                Ok(name) => Ok(name.as_str().to_owned()),
                Err(_) => self.wrong("must be a name of a branch that git accepts"),
            },
        }
    }

    /// The full name of a branch or tag that git accepts.
    pub(super) fn full_ref(&self) -> Result<RefName, BadPayload> {
        match self.raw()? {
            None | Some("") => self.wrong("is missing"),
            Some(name) => self.checked_ref(name),
        }
    }

    /// `name`, which stands here, as a full name. The short one has to stand by itself, too.
    pub(super) fn checked_ref(&self, name: &str) -> Result<RefName, BadPayload> {
        let is_good = |name: &RefName| match name.split() {
            (Some(_), short) => RefName::new(short).is_ok(),
            (None, _) => false,
        };
        match RefName::new(name) {
            Ok(name) if is_good(&name) => Ok(name),
            _ => self.wrong("must be refs/heads/… or refs/tags/… with a name that git accepts"),
        }
    }
}
