//! The step that the Depot CLI puts behind a checkout to bring the caller's
//! local changes. Its script asks a host that is not ours, so the runner applies
//! the changes itself.
//!
//! Depot CLI 2.102: `pkg/cmd/ci/run.go`.

const NAME: &str = "Apply local patch from Depot Cache";

/// The key of the cache entry with the changes, when this is that step:
/// `patch/<12 hex digits>/<16 hex digits>`.
pub(super) fn cache_key(name: Option<&str>, script: &str) -> Option<String> {
    if name != Some(NAME) {
        return None;
    }
    script.match_indices("patch/").find_map(|(at, prefix)| {
        let rest = &script[at + prefix.len()..];
        let (base, rest) = rest.split_once('/')?;
        let digest_end = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        let digest = &rest[..digest_end];
        let is_base = base.len() == 12 && base.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_base && digest.len() == 16).then(|| format!("patch/{base}/{digest}"))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        NAME,
        r#"-d '{"entry_type":"generic","key":"patch/0123456789ab/0123456789abcdef"}'"#,
        true
    )]
    #[case(NAME, "KEY=patch/0123456789ab/0123456789abcdef\ncurl …", true)]
    #[case(NAME, "git apply my.patch", false)]
    #[case(NAME, "git apply patch/1/fix", false)]
    #[case("Mine", "KEY=patch/0123456789ab/0123456789abcdef", false)]
    fn it_is_known_by_its_name_and_its_key(
        #[case] name: &str,
        #[case] script: &str,
        #[case] is_patch_step: bool,
    ) {
        let expected = is_patch_step.then(|| "patch/0123456789ab/0123456789abcdef".to_owned());
        assert_eq!(cache_key(Some(name), script), expected);
    }
}
