//! Test coverage of a job, read from the end of its log when the job ends
//! (GitLab: `Gitlab::Ci::Trace::Stream#extract_coverage`).

mod lines_backwards;

use std::error::Error;
use std::io::{self, Read, Seek};

use tappet_gitlab_ci::coverage::{CoveragePattern, InLine};
use tappet_model::AttemptId;

use crate::app::App;
use crate::logs::stamp;
use lines_backwards::LinesBackwards;

impl App {
    /// Notes what the log of an attempt says of coverage, if its job asks for it.
    /// Nothing that goes wrong here keeps the job from its end.
    pub async fn note_coverage(&self, id: AttemptId) {
        if let Err(error) = self.try_note_coverage(id).await {
            tracing::error!(attempt = %id, %error, "cannot find the coverage in a log");
        }
    }

    async fn try_note_coverage(&self, id: AttemptId) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(written) = self.store.coverage_pattern(id).await? else {
            return Ok(());
        };
        let Some((log, length)) = self.logs.open(id).await? else {
            return Ok(());
        };
        let log = log.into_std().await;
        let percent = tokio::task::spawn_blocking(move || {
            let pattern = CoveragePattern::new(&written)
                .ok_or_else(|| io::Error::other("the job's pattern is none"))?;
            last_in(log, length, &pattern)
        });
        if let Some(percent) = percent.await?? {
            self.store.set_coverage(id, percent).await?;
        }
        Ok(())
    }
}

/// The figure of the last line that has one, of the first `length` bytes.
fn last_in(
    log: impl Read + Seek,
    length: u64,
    pattern: &CoveragePattern,
) -> io::Result<Option<f64>> {
    for line in LinesBackwards::new(log, length) {
        let line = line?;
        let line = String::from_utf8_lossy(stamp::split(&line).1);
        match pattern.in_line(&line) {
            InLine::Percent(percent) => return Ok(Some(percent)),
            InLine::Unclear => return Ok(None),
            InLine::Nothing => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use rstest::rstest;

    use super::*;

    fn last(pattern: &str, log: &str) -> Option<f64> {
        let pattern = CoveragePattern::new(pattern).unwrap();
        last_in(Cursor::new(log.as_bytes()), log.len() as u64, &pattern).unwrap()
    }

    #[rstest]
    #[case::the_last_line("/\\d+%/", "1%\n2%\nend\n", Some(2.0))]
    #[case::the_last_in_it("/\\d+%/", "1% 2%", Some(2.0))]
    #[case::past_lines_without_a_number("/total: (.*)/", "total: 7\ntotal: none\n", Some(7.0))]
    #[case::nothing("/\\d+%/", "no figure\n", None)]
    #[case::no_log("/\\d+%/", "", None)]
    #[case::line_ends("/(\\d+)%$/", "9%\r\n", Some(9.0))]
    #[case::timestamps("/^(\\d+)%/", "2024-05-09T10:11:12.123456Z 00O 8%\n", Some(8.0))]
    #[case::no_further_when_unclear("/(\\d)%|x/", "5%\nx\n", None)]
    fn the_figure_of_a_log(#[case] pattern: &str, #[case] log: &str, #[case] found: Option<f64>) {
        assert_eq!(last(pattern, log), found);
    }

    #[test]
    fn only_the_stored_bytes_count() {
        let pattern = CoveragePattern::new("/\\d+%/").unwrap();
        let log = Cursor::new(b"1%\n2%\n");
        assert_eq!(last_in(log, 3, &pattern).unwrap(), Some(1.0));
    }
}
