//! How long a run kept runners busy (GitLab: `lib/gitlab/ci/pipeline/duration.rb`).

use tappet_model::Timestamp;

/// The time covered by at least one of the intervals, in microseconds. Pauses
/// in which nothing ran do not count; an interval that ends before it begins
/// counts as empty.
pub fn busy_micros(mut intervals: Vec<(Timestamp, Timestamp)>) -> i64 {
    intervals.sort_unstable();
    let mut total = 0;
    let mut covered_until = i64::MIN;
    for (start, end) in intervals {
        let from = start.0.max(covered_until);
        total += (end.0 - from).max(0);
        covered_until = covered_until.max(end.0);
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn intervals(pairs: &[(i64, i64)]) -> Vec<(Timestamp, Timestamp)> {
        pairs
            .iter()
            .map(|&(start, end)| (Timestamp(start), Timestamp(end)))
            .collect()
    }

    #[rstest]
    #[case::nothing_ran(&[], 0)]
    #[case::one(&[(10, 15)], 5)]
    #[case::pause_between(&[(0, 5), (100, 105)], 10)]
    #[case::overlap_counts_once(&[(0, 10), (5, 15)], 15)]
    #[case::inside_another(&[(0, 100), (10, 20), (50, 60)], 100)]
    #[case::any_order(&[(50, 60), (0, 10)], 20)]
    #[case::clock_went_back(&[(10, 5), (20, 30)], 10)]
    fn covers(#[case] pairs: &[(i64, i64)], #[case] expected: i64) {
        assert_eq!(busy_micros(intervals(pairs)), expected);
    }

    proptest! {
        #[test]
        fn equals_counting_every_moment(pairs in prop::collection::vec((0i64..60, 0i64..60), 0..8)) {
            let counted = (0..60)
                .filter(|moment| pairs.iter().any(|&(start, end)| (start..end).contains(moment)))
                .count();
            prop_assert_eq!(usize::try_from(busy_micros(intervals(&pairs))).unwrap(), counted);
        }
    }
}
