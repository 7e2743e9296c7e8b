//! What a route promises, beside its handler: who may call it, its parameters and
//! its replies. The API description at `/-/openapi.json` is made from this alone.

use http::{Method, StatusCode};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Who gets further than 401.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// No credential is looked at, or the route has its own in a parameter.
    Anybody,
    /// Public projects answer to anybody.
    Visitor,
    /// A signed-in user.
    User,
    /// An instance administrator.
    Admin,
}

/// Where a parameter stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// `?name=value`.
    Query,
    /// JSON, form or multipart body; the query works too.
    Body,
    /// A header.
    Header,
}

/// What a parameter holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// ISO 8601.
    Time,
    /// A list of texts.
    TextList,
    /// A list of objects.
    ObjectList,
    /// A map of text to text, or any object.
    Object,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One or several of these words.
    SomeOf(&'static [&'static str]),
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it holds.
    pub kind: Kind,
    /// The call is refused without it.
    pub is_required: bool,
    /// For people.
    pub about: &'static str,
}

impl Parameter {
    fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            place: Place::Query,
            kind,
            is_required: false,
            about: "",
        }
    }

    /// The call is refused without it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// A sentence about it.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }
}

macro_rules! parameter_kinds {
    ($($(#[$doc:meta])* $name:ident = $kind:expr;)+) => {$(
        $(#[$doc])*
        pub fn $name(name: &'static str) -> Parameter {
            Parameter::new(name, $kind)
        }
    )+};
}

parameter_kinds! {
    /// A text.
    text = Kind::Text;
    /// A whole number.
    integer = Kind::Integer;
    /// `true` or `false`.
    boolean = Kind::Boolean;
    /// A time in ISO 8601.
    time = Kind::Time;
    /// A list of texts.
    texts = Kind::TextList;
    /// A list of objects.
    objects = Kind::ObjectList;
    /// An object.
    object = Kind::Object;
}

/// One word of a list.
pub fn one_of(name: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter::new(name, Kind::OneOf(words))
}

/// One or several words of a list.
pub fn some_of(name: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter::new(name, Kind::SomeOf(words))
}

/// The schema of a reply and those that it refers to.
pub type SchemaOf = fn(&mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema>;

/// What a success looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// No body.
    Empty,
    /// Text, a file or a stream of this media type.
    Bytes(&'static str),
    /// JSON.
    Json(SchemaOf),
    /// A JSON list.
    JsonList(SchemaOf),
}

fn schema_of<T: ToSchema + PartialSchema>(all: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    T::schemas(all);
    all.push((T::name().into_owned(), T::schema()));
    utoipa::openapi::Ref::from_schema_name(T::name()).into()
}

/// A body that is more than a few parameters.
#[derive(Clone, Copy, Debug)]
pub enum WholeBody {
    /// A JSON list.
    JsonList(SchemaOf),
    /// A file of this media type.
    Bytes(&'static str),
}

/// One route.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The verb.
    pub method: Method,
    /// Address as the router takes it, below the base of its routes.
    pub path: &'static str,
    /// Address as the description shows it, when the router's is too wide.
    pub shown_path: Option<&'static str>,
    /// Name for generated clients.
    pub id: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Who may call.
    pub audience: Audience,
    /// Everything it reads beside the path.
    pub parameters: Vec<Parameter>,
    /// Its body, where that is no object of parameters.
    pub whole_body: Option<WholeBody>,
    /// Forms are not taken.
    pub is_json_only: bool,
    /// Status and body of a success.
    pub replies: Vec<(StatusCode, Shape)>,
}

/// Starts the description of a `GET`.
pub fn get(path: &'static str) -> Operation {
    Operation::new(Method::GET, path)
}

/// Starts the description of a `POST`.
pub fn post(path: &'static str) -> Operation {
    Operation::new(Method::POST, path)
}

/// Starts the description of a `PUT`.
pub fn put(path: &'static str) -> Operation {
    Operation::new(Method::PUT, path)
}

/// Starts the description of a `PATCH`.
pub fn patch(path: &'static str) -> Operation {
    Operation::new(Method::PATCH, path)
}

/// Starts the description of a `DELETE`.
pub fn delete(path: &'static str) -> Operation {
    Operation::new(Method::DELETE, path)
}

impl Operation {
    fn new(method: Method, path: &'static str) -> Self {
        Self {
            method,
            path,
            shown_path: None,
            id: "",
            about: "",
            audience: Audience::User,
            parameters: Vec::new(),
            whole_body: None,
            is_json_only: false,
            replies: Vec::new(),
        }
    }

    /// Name for generated clients: `listTriggers`.
    #[must_use]
    pub fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// One line for people.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Who may call; a signed-in user unless said otherwise.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// The address to show, where the router's pattern is wider than the route.
    #[must_use]
    pub fn shown_as(mut self, path: &'static str) -> Self {
        self.shown_path = Some(path);
        self
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(self, parameter: Parameter) -> Self {
        self.with(Place::Query, parameter)
    }

    /// A parameter of the body.
    #[must_use]
    pub fn body(self, parameter: Parameter) -> Self {
        self.with(Place::Body, parameter)
    }

    /// The body is a JSON list.
    #[must_use]
    pub fn body_list<T: ToSchema>(mut self) -> Self {
        self.whole_body = Some(WholeBody::JsonList(schema_of::<T>));
        self
    }

    /// The body is a file of this media type.
    #[must_use]
    pub fn body_bytes(mut self, media_type: &'static str) -> Self {
        self.whole_body = Some(WholeBody::Bytes(media_type));
        self
    }

    /// The body is JSON and no form.
    #[must_use]
    pub fn json_only(mut self) -> Self {
        self.is_json_only = true;
        self
    }

    /// A header.
    #[must_use]
    pub fn header(self, parameter: Parameter) -> Self {
        self.with(Place::Header, parameter)
    }

    /// `page` and `per_page`.
    #[must_use]
    pub fn paged(self) -> Self {
        self.query(integer("page").about("From 1."))
            .query(integer("per_page").about("Rows of a page; at most 100."))
    }

    fn with(mut self, place: Place, mut parameter: Parameter) -> Self {
        parameter.place = place;
        self.parameters.push(parameter);
        self
    }

    /// A success with a JSON object.
    #[must_use]
    pub fn replies<T: ToSchema>(self, status: StatusCode) -> Self {
        self.reply(status, Shape::Json(schema_of::<T>))
    }

    /// A success with a JSON list.
    #[must_use]
    pub fn replies_list<T: ToSchema>(self, status: StatusCode) -> Self {
        self.reply(status, Shape::JsonList(schema_of::<T>))
    }

    /// A success of any other shape.
    #[must_use]
    pub fn reply(mut self, status: StatusCode, shape: Shape) -> Self {
        self.replies.push((status, shape));
        self
    }
}
