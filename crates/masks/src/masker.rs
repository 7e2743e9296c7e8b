//! Replaces secrets in a stream of bytes by a mask such as `[MASKED]`.
//!
//! The result is that of looking at the whole log at once: every occurrence of
//! every spelling is found, occurrences that overlap become one mask, and
//! how the log was cut into pieces on its way changes nothing. To that end the
//! end of a piece is held back while it may be the beginning of a secret, and
//! no longer: an ordinary line passes at once.
//!
//! The masker keeps no state of its own. What is held back is a value
//! ([`HeldBack`]) that the caller stores, so a restarted server goes on where
//! the killed one stopped.

mod search;

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::BuildError;

use self::search::Search;

/// What stands where a secret stood, in GitLab's words.
pub const MASKED: &[u8] = b"[MASKED]";
/// The same in GitHub's.
pub const STARS: &[u8] = b"***";

/// The end of what came so far, kept back because a secret may begin in it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct HeldBack {
    /// Raw bytes.
    pub bytes: Vec<u8>,
    /// How many of them, from the first, belong to a mask already given out.
    pub covered: usize,
    /// The rest holds a whole secret, so it must not be given out as it is.
    pub hides_secret: bool,
}

impl HeldBack {
    /// What to give out when the log ends and no masker is at hand.
    pub fn release_unseen<'a>(&'a self, mask: &'a [u8]) -> &'a [u8] {
        if self.hides_secret {
            mask
        } else {
            &self.bytes[self.covered..]
        }
    }

    /// Masks what is held back, whatever comes, and returns what to give out
    /// for it; more of the same secret then adds nothing. For a text that must
    /// go between.
    pub fn cover<'m>(&mut self, mask: &'m [u8]) -> &'m [u8] {
        if self.covered == self.bytes.len() {
            return b"";
        }
        self.covered = self.bytes.len();
        self.hides_secret = false;
        mask
    }
}

/// Knows the secrets of one attempt.
pub struct Masker {
    search: Option<Search>,
    mask: &'static [u8],
}

impl Masker {
    /// Puts `mask` in the place of each of `spellings` (see [`crate::spellings`]).
    ///
    /// # Errors
    /// The spellings are gigabytes long.
    pub fn new(spellings: &[Vec<u8>], mask: &'static [u8]) -> Result<Self, BuildError> {
        let search = match spellings {
            [] => None,
            spellings => Some(Search::new(spellings)?),
        };
        Ok(Self { search, mask })
    }

    /// The most bytes that are ever held back.
    pub fn longest_held_back(&self) -> usize {
        self.search.as_ref().map_or(0, |search| search.longest)
    }

    /// Takes the next piece of the log after what was held back of the earlier
    /// ones; gives what can be shown and what is held back now.
    pub fn feed<'a>(&self, held: &HeldBack, piece: &'a [u8]) -> (Cow<'a, [u8]>, HeldBack) {
        let Some(search) = &self.search else {
            return (Cow::Borrowed(piece), HeldBack::default());
        };
        if held.bytes.is_empty() {
            let found = search.scan(piece, 0);
            let shown_to = piece.len() - found.possible_prefix;
            if found.secrets.is_empty() {
                let held = HeldBack {
                    bytes: piece[shown_to..].to_vec(),
                    ..HeldBack::default()
                };
                return (Cow::Borrowed(&piece[..shown_to]), held);
            }
            let (shown, held) = self.show(piece, 0, &found.secrets, shown_to);
            return (Cow::Owned(shown), held);
        }
        let text = [&held.bytes, piece].concat();
        let found = search.scan(&text, held.covered);
        let shown_to = text.len() - found.possible_prefix;
        let (shown, held) = self.show(&text, held.covered, &found.secrets, shown_to);
        (Cow::Owned(shown), held)
    }

    /// What is shown of the held-back bytes when nothing follows.
    pub fn finish(&self, held: &HeldBack) -> Vec<u8> {
        match &self.search {
            None => held.bytes[held.covered..].to_vec(),
            Some(search) => {
                let found = search.scan(&held.bytes, held.covered);
                self.show(&held.bytes, held.covered, &found.secrets, held.bytes.len())
                    .0
            }
        }
    }

    /// Masks a text that stands alone.
    pub fn mask(&self, text: &[u8]) -> Vec<u8> {
        let (shown, held) = self.feed(&HeldBack::default(), text);
        [shown.as_ref(), &self.finish(&held)].concat()
    }

    /// Builds what is shown of `text[..shown_to]`, and holds back the rest.
    ///
    /// `secrets` are disjoint and in order; the first of them begins at 0 if bytes
    /// are `covered`. One that begins at or before `shown_to` is shown as a whole,
    /// since nothing to come can begin before it.
    fn show(
        &self,
        text: &[u8],
        covered: usize,
        secrets: &[Range<usize>],
        shown_to: usize,
    ) -> (Vec<u8>, HeldBack) {
        let mut shown = Vec::with_capacity(shown_to + self.mask.len());
        let mut position = 0;
        let mut hides_secret = false;
        for secret in secrets {
            let is_shown_already = covered > 0 && secret.start == 0;
            if secret.start > shown_to {
                hides_secret = true;
                break;
            }
            shown.extend_from_slice(&text[position..secret.start]);
            if !is_shown_already {
                shown.extend_from_slice(self.mask);
            }
            position = secret.end;
        }
        if position < shown_to {
            shown.extend_from_slice(&text[position..shown_to]);
        }
        let held = HeldBack {
            bytes: text[shown_to..].to_vec(),
            covered: position.saturating_sub(shown_to),
            hides_secret,
        };
        (shown, held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::spellings;

    fn masker(patterns: &[&str]) -> Masker {
        let patterns: Vec<Vec<u8>> = patterns
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        Masker::new(&patterns, MASKED).unwrap()
    }

    fn in_all_spellings(secrets: &[String]) -> Masker {
        Masker::new(&spellings::of_all(secrets, spellings::SHORTEST), MASKED).unwrap()
    }

    /// What the definition says: all occurrences, overlapping ones merged.
    fn by_definition(patterns: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for start in 0..text.len() {
            for pattern in patterns {
                if text[start..].starts_with(pattern) {
                    let end = start + pattern.len();
                    match ranges.last_mut() {
                        Some(last) if start < last.end => last.end = last.end.max(end),
                        _ => ranges.push(start..end),
                    }
                }
            }
        }
        let mut shown = Vec::new();
        let mut position = 0;
        for range in ranges {
            shown.extend_from_slice(&text[position..range.start]);
            shown.extend_from_slice(MASKED);
            position = range.end;
        }
        shown.extend_from_slice(&text[position..]);
        shown
    }

    fn in_pieces(masker: &Masker, text: &[u8], cuts: &[usize]) -> Vec<u8> {
        let mut shown = Vec::new();
        let mut held = HeldBack::default();
        let mut position = 0;
        for cut in cuts.iter().copied().chain([text.len()]) {
            let (now, rest) = masker.feed(&held, &text[position..cut]);
            shown.extend_from_slice(&now);
            held = rest;
            position = cut;
        }
        shown.extend(masker.finish(&held));
        shown
    }

    #[rstest]
    #[case::alone(&["hunter22"], "hunter22", "[MASKED]")]
    #[case::inside(&["hunter22"], "a hunter22 b", "a [MASKED] b")]
    #[case::twice(&["hunter22"], "hunter22hunter22", "[MASKED][MASKED]")]
    #[case::longer_wins(&["s3cr3t!!", "s3cr3t!!-token"], "x s3cr3t!!-token", "x [MASKED]")]
    #[case::inner_one(&["xx-secret12-yy", "secret12"], "xx-secret12-zz", "xx-[MASKED]-zz")]
    #[case::overlapping(&["abcdefgh12", "12ijklmnop"], "abcdefgh12ijklmnop.", "[MASKED].")]
    #[case::chain(&["abcdefgh", "ghijklmn", "mnopqrst"], "-abcdefghijklmnopqrst-", "-[MASKED]-")]
    #[case::overlapping_itself(&["abababab"], "ababababab", "[MASKED]")]
    #[case::over_lines(&["first line\nlast line"], "a first line\nlast line\n", "a [MASKED]\n")]
    #[case::beginning_only(&["hunter22"], "hunter2", "hunter2")]
    fn secrets_are_replaced(#[case] secrets: &[&str], #[case] text: &str, #[case] shown: &str) {
        let masker = masker(secrets);
        let bytes = text.as_bytes();
        assert_eq!(String::from_utf8_lossy(&masker.mask(bytes)), shown);
        let every: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(
            String::from_utf8_lossy(&in_pieces(&masker, bytes, &every)),
            shown
        );
    }

    #[test]
    fn an_ordinary_line_is_not_held_back_or_copied() {
        let masker = masker(&["hunter22"]);
        let (shown, held) = masker.feed(&HeldBack::default(), b"building\n");
        assert!(matches!(shown, Cow::Borrowed(b"building\n")));
        assert_eq!(held, HeldBack::default());
    }

    #[test]
    fn only_a_possible_beginning_is_held_back() {
        let masker = masker(&["hunter22"]);
        let (shown, held) = masker.feed(&HeldBack::default(), b"see hunt");
        assert_eq!(&*shown, b"see ");
        let (shown, held) = masker.feed(&held, b"ing\n");
        assert_eq!(&*shown, b"hunting\n");
        assert_eq!(held, HeldBack::default());
    }

    #[test]
    fn a_whole_secret_is_shown_masked_at_once() {
        let masker = masker(&["hunter22"]);
        let (shown, held) = masker.feed(&HeldBack::default(), b"is hunter22");
        assert_eq!(&*shown, b"is [MASKED]");
        assert_eq!(masker.finish(&held), b"");
    }

    #[test]
    fn without_secrets_everything_passes_uncopied() {
        let masker = in_all_spellings(&["1234567".to_owned()]);
        let (shown, held) = masker.feed(&HeldBack::default(), b"1234567");
        assert!(matches!(shown, Cow::Borrowed(b"1234567")));
        assert_eq!(held, HeldBack::default());
        assert_eq!(masker.longest_held_back(), 0);
    }

    #[test]
    fn what_is_held_back_can_be_released_without_the_masker() {
        let masker = masker(&["xx-secret12-yy", "secret12"]);
        let (_, innocent) = masker.feed(&HeldBack::default(), b"xx-secret1");
        assert_eq!(innocent.release_unseen(MASKED), b"xx-secret1");
        let (_, secret) = masker.feed(&HeldBack::default(), b"xx-secret12-y");
        assert_eq!(secret.release_unseen(MASKED), MASKED);
    }

    #[test]
    fn what_is_covered_stays_part_of_its_secret() {
        let masker = masker(&["hunter22"]);
        let (_, mut held) = masker.feed(&HeldBack::default(), b"hunt");
        assert_eq!(held.cover(MASKED), MASKED);
        assert_eq!(held.cover(MASKED), b"");
        let (shown, _) = masker.feed(&held, b"er22 end\n");
        assert_eq!(&*shown, b" end\n");
    }

    #[rstest]
    #[case::base64("Authorization: aHVudGVyMi1zZWNyZXQ=\n", "Authorization: [MASKED]=\n")]
    #[case::basic_auth("Basic cm9vdDpodW50ZXIyLXNlY3JldA==", "Basic cm9vdDp[MASKED]A==")]
    #[case::url("https://h/?t=hunter2-secret", "https://h/?t=[MASKED]")]
    fn encoded_secrets_are_replaced(#[case] text: &str, #[case] shown: &str) {
        let masker = in_all_spellings(&["hunter2-secret".to_owned()]);
        assert_eq!(
            String::from_utf8_lossy(&masker.mask(text.as_bytes())),
            shown
        );
    }

    #[test]
    fn a_thousand_secrets_and_a_huge_one_are_all_masked() {
        let mut secrets: Vec<String> = (0..1000).map(|n| format!("secret-number-{n:04}")).collect();
        secrets.push("0123456789abcdef".repeat(64 * 1024));
        let masker = in_all_spellings(&secrets);
        let text = secrets.join("\n");
        let shown = in_pieces(&masker, text.as_bytes(), &[5, 7000, 500_000]);
        assert_eq!(shown, ["[MASKED]"; 1001].join("\n").as_bytes());
    }

    /// Few letters, so that secrets overlap, nest and repeat.
    fn secrets() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(
            prop::collection::vec(prop::sample::select(b"ab".to_vec()), 8..14),
            1..6,
        )
    }

    fn text(secrets: Vec<Vec<u8>>) -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>, Vec<usize>)> {
        let piece = prop_oneof![
            prop::sample::select(secrets.clone()),
            prop::collection::vec(prop::sample::select(b"abc\n\0\xff".to_vec()), 0..12),
            (prop::sample::select(secrets.clone()), 0..14_usize).prop_map(
                |(mut secret, length)| {
                    secret.truncate(length);
                    secret
                }
            ),
        ];
        prop::collection::vec(piece, 0..12)
            .prop_map(|pieces| pieces.concat())
            .prop_flat_map(move |text| {
                let cuts = prop::collection::vec(0..=text.len(), 0..20).prop_map(|mut cuts| {
                    cuts.sort_unstable();
                    cuts
                });
                (Just(secrets.clone()), Just(text), cuts)
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_cutting_gives_what_the_definition_says((secrets, text, cuts) in secrets().prop_flat_map(text)) {
            let masker = Masker::new(&secrets, MASKED).unwrap();
            let expected = by_definition(&secrets, &text);
            prop_assert_eq!(&in_pieces(&masker, &text, &cuts), &expected);
            for secret in &secrets {
                prop_assert!(!expected.windows(secret.len()).any(|window| window == &secret[..]));
            }
        }

        #[test]
        fn no_more_is_held_back_than_may_begin_a_secret((secrets, text, _) in secrets().prop_flat_map(text)) {
            let masker = Masker::new(&secrets, MASKED).unwrap();
            let (_, held) = masker.feed(&HeldBack::default(), &text);
            let longest = (0..=text.len())
                .map(|start| &text[start..])
                .find(|end| secrets.iter().any(|secret| secret.starts_with(end)))
                .unwrap();
            prop_assert_eq!(held.bytes, longest);
        }
    }
}
