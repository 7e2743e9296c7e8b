//! Texts of refusals hold names from the repository. GitLab takes what looks like
//! HTML out of them, for whoever shows them on a page
//! (`lib/gitlab/ci/pipeline/chain/helpers.rb`).

/// The text without tags and comments. A `<` that opens none stays.
pub fn without_tags(text: String) -> String {
    if !text.contains('<') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let opens = after.starts_with(|first: char| {
            first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')
        });
        match after.split_once('>').filter(|_| opens) {
            Some((_, behind)) => rest = behind,
            None => {
                plain.push('<');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("no tags", "no tags")]
    #[case("jobs:<b>x</b> config", "jobs:x config")]
    #[case("on '<img src=x onerror=y>'", "on ''")]
    #[case("a<!-- x -->b<?x?>c", "abc")]
    #[case("(<unknown>): did not find", "(): did not find")]
    #[case("1 < 2 and 2 > 1", "1 < 2 and 2 > 1")]
    #[case("<", "<")]
    #[case("<b", "<b")]
    #[case("<<b>script>", "<script>")]
    fn tags_are_taken_out(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(without_tags(text.to_owned()), expected);
    }
}
