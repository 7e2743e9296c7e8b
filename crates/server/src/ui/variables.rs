//! The variables a run was started with, for those who may see them.

use tappet_model::{Variable, VariableKind};
use tappet_store::{Project, Run};

use super::moment::size_text;
use super::problem::PageResult;
use super::visit::Visit;
use crate::intake;
use crate::rights::reads_run_values;

/// Longer values are cut on the page; the API gives all of them.
const SHOWN_BYTES: usize = 64 * 1024;

/// What a page shows under "Variables".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GivenVariables {
    /// There are none.
    None,
    /// Not for this visitor.
    Hidden,
    /// They were encrypted with another key.
    Unreadable,
    /// In the order in which they were given.
    Shown(Vec<GivenVariable>),
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenVariable {
    /// Name.
    pub key: String,
    /// How its value looks.
    pub value: ShownValue,
}

/// The value of a variable on a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShownValue {
    /// As text.
    Text(String),
    /// Its file's content, folded.
    File {
        /// Beginning of the content.
        content: String,
        /// Of the whole.
        size: String,
        /// The content goes on.
        is_cut: bool,
    },
    /// Masked in logs, so hidden here.
    Masked,
}

/// Reads them. As in the API, they are for maintainers and for developers who
/// started the run themselves.
pub async fn given(visit: &Visit, project: &Project, run: &Run) -> PageResult<GivenVariables> {
    let Some(sealed) = visit.app.store.run_variables(run.id).await? else {
        return Ok(GivenVariables::None);
    };
    let standing = visit.app.standing(visit.user.as_ref(), project).await?;
    if !reads_run_values(&standing, project, run) {
        return Ok(GivenVariables::Hidden);
    }
    Ok(match intake::unseal(&visit.app.secrets, &sealed) {
        Ok(variables) if variables.is_empty() => GivenVariables::None,
        Ok(variables) => GivenVariables::Shown(variables.into_iter().map(shown).collect()),
        Err(_) => GivenVariables::Unreadable,
    })
}

fn shown(variable: Variable) -> GivenVariable {
    let value = match variable.kind {
        _ if variable.masked => ShownValue::Masked,
        VariableKind::File => ShownValue::File {
            size: size_text(variable.value.len() as u64),
            is_cut: variable.value.len() > SHOWN_BYTES,
            content: beginning(&variable.value).to_owned(),
        },
        VariableKind::EnvVar => ShownValue::Text(beginning(&variable.value).to_owned()),
    };
    GivenVariable {
        key: variable.key,
        value,
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_values_never_reach_the_page() {
        let secret = shown(Variable::secret("TOKEN", "s3cret"));
        assert_eq!(secret.value, ShownValue::Masked);
        let mut file = Variable::file("KEY", "s3cret");
        file.masked = true;
        assert_eq!(shown(file).value, ShownValue::Masked);
    }

    #[test]
    fn a_long_file_is_cut_between_characters() {
        let long = "é".repeat(SHOWN_BYTES);
        let ShownValue::File {
            content,
            size,
            is_cut,
        } = shown(Variable::file("TRIGGER_PAYLOAD", long)).value
        else {
            panic!("not a file");
        };
        assert_eq!(content.len(), SHOWN_BYTES);
        assert_eq!(size, "131 KB");
        assert!(is_cut);
    }
}
