//! Variables of a job that refer to each other in circles, which no job can
//! start with (GitLab: `pipeline/seed/build.rb`).

use tappet_model::Variable;

use crate::expansion::{ExpansionError, expand_collection};

/// The names of each circle.
pub(crate) type Circles = Vec<Vec<String>>;

/// The circles among variables of the file.
pub(crate) fn find(variables: &[Variable]) -> Circles {
    if variables.iter().filter(|one| may_refer(one)).count() < 2 {
        return Circles::new();
    }
    match expand_collection(variables.to_vec()) {
        Err(ExpansionError::CircularReference { names }) => names,
        Ok(_) | Err(ExpansionError::TooBig { .. }) => Circles::new(),
    }
}

/// Whether a variable can be part of a circle.
pub(crate) fn may_refer(variable: &Variable) -> bool {
    !variable.raw && variable.value.contains(['$', '%'])
}

/// GitLab's message for the circles that stay when some variables get other
/// values from outside the file; none when that opens all of them.
pub(crate) fn message(
    job: &str,
    circles: &[Vec<String>],
    is_replaced: impl Fn(&str) -> bool,
) -> Option<String> {
    let names: Circles = circles
        .iter()
        .filter(|circle| !circle.iter().any(|name| is_replaced(name)))
        .cloned()
        .collect();
    (!names.is_empty()).then(|| format!("{job}: {}", ExpansionError::CircularReference { names }))
}
