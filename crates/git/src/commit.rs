//! A commit as git stores it.

use tappet_model::{CommitSha, Timestamp};

/// One commit. Texts that are not UTF-8 are read lossily.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Its id.
    pub sha: CommitSha,
    /// The commits it follows, first parent first.
    pub parents: Vec<CommitSha>,
    /// Who wrote the change.
    pub author_name: String,
    /// Their e-mail address.
    pub author_email: String,
    /// When they wrote it, to the second.
    pub authored_at: Timestamp,
    /// Who made the commit.
    pub committer_name: String,
    /// Their e-mail address.
    pub committer_email: String,
    /// When they made it, to the second.
    pub committed_at: Timestamp,
    /// The whole message, as stored.
    pub message: String,
}

impl Commit {
    /// The first line of the message that is not blank.
    pub fn title(&self) -> &str {
        self.message
            .trim_start()
            .lines()
            .next()
            .unwrap_or("")
            .trim_end()
    }

    /// The message without its title.
    pub fn description(&self) -> &str {
        match self.message.trim_start().split_once('\n') {
            Some((_, rest)) => rest.trim(),
            None => "",
        }
    }

    /// Reads the content of a commit object; `None` when it is not one.
    pub(crate) fn parse(sha: &CommitSha, content: &[u8]) -> Option<Commit> {
        let text = String::from_utf8_lossy(content);
        let (header, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut parents = Vec::new();
        let (mut author, mut committer) = (None, None);
        for line in header.lines() {
            match line.split_once(' ') {
                Some(("parent", id)) => parents.push(id.parse().ok()?),
                // Only the first of each counts: signatures follow and may repeat words.
                Some(("author", who)) if author.is_none() => author = Some(identity(who)?),
                Some(("committer", who)) if committer.is_none() => {
                    committer = Some(identity(who)?);
                }
                _ => {}
            }
        }
        let (author_name, author_email, authored_at) = author?;
        let (committer_name, committer_email, committed_at) = committer?;
        Some(Commit {
            sha: sha.clone(),
            parents,
            author_name,
            author_email,
            authored_at,
            committer_name,
            committer_email,
            committed_at,
            message: message.to_owned(),
        })
    }
}

/// The message of an annotated tag object, without its signature.
pub(crate) fn tag_message(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let message = text.split_once("\n\n").map_or("", |(_, message)| message);
    let message = [
        "-----BEGIN PGP SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----",
    ]
    .iter()
    .find_map(|mark| message.split_once(mark))
    .map_or(message, |(message, _)| message);
    message.trim_end().to_owned()
}

/// Reads `Name <address> seconds zone`. Old tools wrote broken dates; those count as 1970.
fn identity(text: &str) -> Option<(String, String, Timestamp)> {
    let (who, when) = text.rsplit_once('>')?;
    let (name, email) = who.split_once('<')?;
    let seconds: i64 = when
        .split_whitespace()
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0);
    let time = Timestamp(seconds.saturating_mul(1_000_000));
    Some((name.trim().to_owned(), email.trim().to_owned(), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha() -> CommitSha {
        "a".repeat(40).parse().unwrap()
    }

    fn parse(content: &[u8]) -> Commit {
        Commit::parse(&sha(), content).unwrap()
    }

    #[test]
    fn reads_a_merge() {
        let parent = "b".repeat(40);
        let commit = parse(
            format!(
                "tree {t}\nparent {parent}\nparent {parent}\nauthor A U Thor <a@x> 1700000000 +0200\n\
                 committer C <c@x> 1700000001 -0100\ngpgsig -----BEGIN\n author forged\n\nTitle  \n\nMore\nlines\n",
                t = "c".repeat(40)
            )
            .as_bytes(),
        );
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.author_name, "A U Thor");
        assert_eq!(commit.committer_email, "c@x");
        assert_eq!(commit.committed_at.unix_seconds(), 1_700_000_001);
        assert_eq!(commit.title(), "Title");
        assert_eq!(commit.description(), "More\nlines");
    }

    #[test]
    fn survives_bad_text_and_odd_dates() {
        let commit = parse(b"tree x\nauthor \xff <> never\ncommitter C <c@x>\n\n\xff\xfe");
        assert_eq!(commit.author_name, "\u{fffd}");
        assert_eq!(commit.authored_at, Timestamp(0));
        assert_eq!(commit.title(), "\u{fffd}\u{fffd}");
        assert_eq!(commit.description(), "");
    }

    #[test]
    fn an_empty_message_has_an_empty_title() {
        let commit = parse(b"tree x\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\n");
        assert_eq!((commit.title(), commit.description()), ("", ""));
    }

    #[test]
    fn other_content_is_no_commit() {
        assert_eq!(Commit::parse(&sha(), b"hello"), None);
    }

    #[test]
    fn tag_messages_lose_their_signature() {
        let tag = b"object x\ntype commit\ntag v1\n\nFirst\n\nSecond\n-----BEGIN PGP SIGNATURE-----\nabc\n";
        assert_eq!(tag_message(tag), "First\n\nSecond");
    }
}
