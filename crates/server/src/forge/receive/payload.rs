//! The JSON of a delivery. GitHub and Gitea may send it as a field of a form, which is
//! what their signature covers then.

use std::borrow::Cow;

use tappet_model::ForgeKind;

use super::HookError;

/// The field of a form that holds the JSON.
const FIELD: &str = "payload";

/// How a body says what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl Encoding {
    /// From the content type; `None` for any other.
    pub fn of(content_type: Option<&str>) -> Option<Self> {
        let essence = content_type?.split(';').next()?.trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Some(Encoding::Json)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Encoding::Form)
        } else {
            None
        }
    }
}

/// The JSON that a body holds.
pub fn of(kind: ForgeKind, encoding: Encoding, body: &[u8]) -> Result<Cow<'_, [u8]>, HookError> {
    match (encoding, kind) {
        (Encoding::Json, _) => Ok(Cow::Borrowed(body)),
        (Encoding::Form, ForgeKind::Github | ForgeKind::Gitea) => {
            let mut fields = url::form_urlencoded::parse(body);
            let field = fields.find(|(name, _)| name == FIELD);
            let (_, json) = field.ok_or(HookError::NoPayload)?;
            Ok(Cow::Owned(json.into_owned().into_bytes()))
        }
        (Encoding::Form, ForgeKind::Gitlab | ForgeKind::Bitbucket) => Err(HookError::NoForm(kind)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some("application/json"), Some(Encoding::Json))]
    #[case(Some("Application/JSON; charset=utf-8"), Some(Encoding::Json))]
    #[case(Some("application/x-www-form-urlencoded"), Some(Encoding::Form))]
    #[case(Some("text/plain"), None)]
    #[case(Some(""), None)]
    #[case(None, None)]
    fn the_content_type_tells(#[case] given: Option<&str>, #[case] expected: Option<Encoding>) {
        assert_eq!(Encoding::of(given), expected);
    }

    #[test]
    fn a_form_holds_its_json_in_one_field() {
        let body = b"a=1&payload=%7B%22ref%22%3A%22a+b%22%7D";
        let json = of(ForgeKind::Github, Encoding::Form, body).unwrap();
        assert_eq!(json.as_ref(), br#"{"ref":"a b"}"#);
        let none = of(ForgeKind::Gitea, Encoding::Form, b"a=1");
        assert!(matches!(none, Err(HookError::NoPayload)));
        let other = of(ForgeKind::Gitlab, Encoding::Form, body);
        assert!(matches!(other, Err(HookError::NoForm(_))));
    }
}
