//! Under which name the results of a job are shown.

/// The job's name without the numbering of parallel jobs, so that their results
/// stand in one suite: `rspec 1/3` and `rspec 2/3` are `rspec`
/// (GitLab: `Ci::Build#group_name`).
pub fn suite_name(job: &str) -> &str {
    let mut rest = job;
    for _ in 0..3 {
        match without_number(rest.trim_end()) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    rest.trim()
}

/// What stands before a trailing ` 1/3`, ` 1 3`, `:1:3` or ` [a, b]`.
fn without_number(name: &str) -> Option<&str> {
    let is_gap = |c: char| c.is_whitespace() || c == ':';
    let before = if name.ends_with(']') {
        let open = name
            .match_indices('[')
            .find(|(index, _)| name[..*index].ends_with(is_gap))?;
        &name[..open.0]
    } else {
        let before = without_digits(name)?;
        let shorter = before.trim_end_matches(|c: char| is_gap(c) || c == '/' || c == '\\');
        if shorter.len() == before.len() {
            return None;
        }
        without_digits(shorter)?
    };
    let shorter = before.trim_end_matches(is_gap);
    (shorter.len() < before.len()).then_some(shorter)
}

fn without_digits(text: &str) -> Option<&str> {
    let shorter = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (shorter.len() < text.len()).then_some(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("rspec", "rspec")]
    #[case("rspec 1/3", "rspec")]
    #[case("rspec:1/3", "rspec")]
    #[case("rspec 1 3", "rspec")]
    #[case("rspec 0 : / 1", "rspec")]
    #[case("rspec:[linux, a]", "rspec")]
    #[case("rspec: [linux] 1/2", "rspec")]
    #[case("rspec 1", "rspec 1")]
    #[case("rspec1/2", "rspec1/2")]
    #[case("1/2", "1/2")]
    #[case("v2", "v2")]
    fn numbering_is_left_out(#[case] job: &str, #[case] suite: &str) {
        assert_eq!(suite_name(job), suite);
    }
}
