//! Checks of what a call brings, with the errors that clients of FastAPI know: of each
//! wrong value where it stands, what is wrong and the value (pydantic 2.14, lax mode).
//!
//! A getter that notes an error returns an empty value: use values after
//! [`Checks::finish`].

mod integer;

use serde_json::{Value, json};

use super::json::Json;
use super::refusal::Refused;

pub use integer::Integer;

/// Values longer than this are not sent back.
const ECHO_LIMIT: usize = 1000;

/// Where a value stands: `body`, 1, `pr`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place(Vec<Step>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Name(String),
    Index(usize),
}

impl Place {
    /// The body as a whole.
    pub fn body() -> Self {
        Self(vec![Step::Name("body".to_owned())])
    }

    /// A part of the address.
    pub fn path(name: &str) -> Self {
        Self(vec![Step::Name("path".to_owned())]).field(name)
    }

    /// A parameter of the query.
    pub fn query(name: &str) -> Self {
        Self(vec![Step::Name("query".to_owned())]).field(name)
    }

    /// A field of what stands here.
    pub fn field(&self, name: &str) -> Self {
        self.with(Step::Name(name.to_owned()))
    }

    /// An element of the list that stands here, or a character of the text.
    pub fn index(&self, at: usize) -> Self {
        self.with(Step::Index(at))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn is_whole_body(&self) -> bool {
        *self == Self::body()
    }

    fn to_json(&self) -> Value {
        let steps = self.0.iter().map(|step| match step {
            Step::Name(name) => json!(name),
            Step::Index(at) => json!(at),
        });
        Value::Array(steps.collect())
    }
}

/// One wrong value, as JSON in the order of pydantic: `type`, `loc`, `msg`, `input`, `ctx`.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    kind: &'static str,
    place: Place,
    message: String,
    input: String,
    context: Option<Value>,
}

impl Problem {
    /// Of this kind, in pydantic's words. `input` is the wrong value; of a whole body
    /// nothing is sent back, since it may hold secrets.
    fn new(kind: &'static str, place: Place, message: impl Into<String>, input: &Json) -> Self {
        let input = if place.is_whole_body() {
            Json::Null.to_string()
        } else {
            echo(input)
        };
        Self {
            kind,
            place,
            message: message.into(),
            input,
            context: None,
        }
    }

    fn context(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }

    /// A body that is no JSON; FastAPI counts characters.
    pub fn json_invalid(position: usize, message: &str) -> Self {
        let place = Place::body().index(position);
        let nothing = Json::Object(Vec::new());
        Self::new("json_invalid", place, "JSON decode error", &nothing)
            .context(json!({ "error": message }))
    }

    /// Right in form and wrong all the same.
    pub fn value(place: Place, message: impl std::fmt::Display, input: &Json) -> Self {
        let text = format!("Value error, {message}");
        Self::new("value_error", place, text, input).context(json!({ "error": {} }))
    }

    /// A field that there is none of.
    pub fn extra(place: Place) -> Self {
        let message = "Extra inputs are not permitted";
        Self::new("extra_forbidden", place, message, &Json::Null)
    }

    /// The text of an answer's list.
    pub fn to_json(&self) -> String {
        let mut fields = vec![
            ("type", json!(self.kind).to_string()),
            ("loc", self.place.to_json().to_string()),
            ("msg", json!(self.message).to_string()),
            ("input", self.input.clone()),
        ];
        if let Some(context) = &self.context {
            fields.push(("ctx", context.to_string()));
        }
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// The wrong value, unless it is long.
fn echo(input: &Json) -> String {
    let text = input.to_string();
    if text.len() <= ECHO_LIMIT {
        return text;
    }
    match input {
        Json::Text(text) => {
            let begin: String = text.chars().take(ECHO_LIMIT / 4).collect();
            json!(format!("{begin}…")).to_string()
        }
        _ => Json::Null.to_string(),
    }
}

#[cfg(test)]
impl Checks {
    /// What was noted, for tests of those who check: `missing at body.1.pr`.
    pub fn told(&self) -> Vec<String> {
        let told = self.problems.iter().map(|problem| {
            let steps = problem.place.0.iter().map(|step| match step {
                Step::Name(name) => name.clone(),
                Step::Index(at) => at.to_string(),
            });
            let place = steps.collect::<Vec<_>>().join(".");
            format!("{} at {place}", problem.kind)
        });
        told.collect()
    }
}

/// Collects what is wrong with a call, in the order of its checks.
#[derive(Default)]
pub struct Checks {
    problems: Vec<Problem>,
}

impl Checks {
    /// 422 with everything that was noted.
    pub fn finish(self) -> Result<(), Refused> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(Refused::invalid(self.problems)),
        }
    }

    /// Notes that something is wrong.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A whole number; texts, truth values and numbers like `12.0` will do.
    pub fn integer(&mut self, place: Place, value: &Json) -> Integer {
        match Integer::lax(value) {
            Ok(integer) => integer,
            Err(refused) => {
                self.refuse(Problem::new(refused.kind(), place, refused.text(), value));
                Integer::default()
            }
        }
    }

    /// A whole number that is not below `least`.
    pub fn integer_from(&mut self, place: Place, value: &Json, least: i64) -> Integer {
        let noted = self.problems.len();
        let integer = self.integer(place.clone(), value);
        if noted == self.problems.len() && !integer.is_at_least(least) {
            let text = format!("Input should be greater than or equal to {least}");
            let problem = Problem::new("greater_than_equal", place, text, value);
            self.refuse(problem.context(json!({ "ge": least })));
        }
        integer
    }

    /// A text; nothing else will do. Null characters reach no program.
    pub fn text(&mut self, place: Place, value: &Json, longest: usize) -> String {
        let Json::Text(text) = value else {
            let message = "Input should be a valid string";
            self.refuse(Problem::new("string_type", place, message, value));
            return String::new();
        };
        if text.contains('\0') {
            let message = "the text must not hold null characters";
            self.refuse(Problem::value(place, message, value));
        } else if text.chars().count() > longest {
            let message = format!(
                "String should have at most {}",
                counted(longest, "character")
            );
            let problem = Problem::new("string_too_long", place, message, value);
            self.refuse(problem.context(json!({ "max_length": longest })));
        }
        text.clone()
    }

    /// A text that is not empty.
    pub fn filled_text(&mut self, place: Place, value: &Json, longest: usize) -> String {
        if *value == Json::Text(String::new()) {
            let message = "String should have at least 1 character";
            let problem = Problem::new("string_too_short", place, message, value);
            self.refuse(problem.context(json!({ "min_length": 1 })));
            return String::new();
        }
        self.text(place, value, longest)
    }

    /// A truth value, or what commonly stands for one.
    pub fn boolean(&mut self, place: Place, value: &Json) -> bool {
        let read = match value {
            Json::Boolean(truth) => Ok(*truth),
            Json::Integer(digits) => truth_of(digits).ok_or("bool_parsing"),
            Json::Float(number) if *number == 0.0 || *number == 1.0 => Ok(*number == 1.0),
            Json::Text(text) => truth_of(&text.to_ascii_lowercase()).ok_or("bool_parsing"),
            _ => Err("bool_type"),
        };
        read.unwrap_or_else(|kind| {
            let message = match kind {
                "bool_parsing" => "Input should be a valid boolean, unable to interpret input",
                _ => "Input should be a valid boolean",
            };
            self.refuse(Problem::new(kind, place, message, value));
            false
        })
    }

    /// One of a few words.
    pub fn one_of(
        &mut self,
        place: Place,
        value: &Json,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let known = match value {
            Json::Text(text) => words.iter().find(|word| *word == text).copied(),
            _ => None,
        };
        if known.is_none() {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            let expected = quoted.join(" or ");
            let message = format!("Input should be {expected}");
            let problem = Problem::new("literal_error", place, message, value);
            self.refuse(problem.context(json!({ "expected": expected })));
        }
        known
    }

    /// A list of at most so many elements.
    pub fn list<'a>(&mut self, place: Place, value: &'a Json, most: usize) -> &'a [Json] {
        let Json::Array(items) = value else {
            let message = "Input should be a valid list";
            self.refuse(Problem::new("list_type", place, message, value));
            return &[];
        };
        if items.len() > most {
            let message = format!(
                "List should have at most {} after validation, not {}",
                counted(most, "item"),
                items.len()
            );
            let problem = Problem::new("too_long", place, message, value);
            self.refuse(problem.context(json!({
                "field_type": "List",
                "max_length": most,
                "actual_length": items.len(),
            })));
            return &[];
        }
        items
    }

    /// A list of texts.
    pub fn texts(
        &mut self,
        place: &Place,
        value: &Json,
        most: usize,
        longest: usize,
    ) -> Vec<String> {
        let items = self.list(place.clone(), value, most).iter().enumerate();
        items
            .map(|(at, item)| self.text(place.index(at), item, longest))
            .collect()
    }

    /// An object, for reading its fields.
    pub fn object<'a>(&mut self, place: Place, value: &'a Json) -> Fields<'a> {
        let is_object = matches!(value, Json::Object(_));
        if !is_object {
            let message = "Input should be a valid dictionary or object to extract fields from";
            self.refuse(Problem::new(
                "model_attributes_type",
                place.clone(),
                message,
                value,
            ));
        }
        Fields {
            place,
            object: is_object.then_some(value),
        }
    }

    /// Something that has to be there.
    pub fn missing(&mut self, place: Place) {
        self.refuse(Problem::new(
            "missing",
            place,
            "Field required",
            &Json::Null,
        ));
    }
}

fn truth_of(word: &str) -> Option<bool> {
    match word {
        "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
        "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
        _ => None,
    }
}

fn counted(number: usize, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{s}")
}

/// The fields of an object. Of what is no object no field is missing, since that is
/// noted already.
pub struct Fields<'a> {
    place: Place,
    object: Option<&'a Json>,
}

impl<'a> Fields<'a> {
    /// Of an object that is not there, which is noted already.
    pub fn none() -> Self {
        Self {
            place: Place::body(),
            object: None,
        }
    }

    /// Where a field stands.
    pub fn place(&self, name: &str) -> Place {
        self.place.field(name)
    }

    /// A field that may be absent.
    pub fn get(&self, name: &str) -> Option<&'a Json> {
        self.object?.field(name)
    }

    /// A field that must be there.
    pub fn required(&self, checks: &mut Checks, name: &str) -> Option<&'a Json> {
        let value = self.object?.field(name);
        if value.is_none() {
            checks.missing(self.place(name));
        }
        value
    }

    /// A field that must be there and be a text.
    pub fn required_text(&self, checks: &mut Checks, name: &str, longest: usize) -> String {
        match self.required(checks, name) {
            Some(value) => checks.text(self.place(name), value, longest),
            None => String::new(),
        }
    }

    /// Names of the fields that are none of these.
    pub fn others(&self, known: &[&str]) -> Vec<&'a str> {
        match self.object {
            Some(Json::Object(fields)) => fields
                .iter()
                .map(|(name, _)| name.as_str())
                .filter(|name| !known.contains(name))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
