//! What forges say and what is said to them: GitHub, GitLab, Gitea (Forgejo, too) and
//! Bitbucket Cloud. [`webhook`] checks and reads what they send, [`answer`] writes the
//! calls of their APIs and reads the replies.
//!
//! Nothing here does I/O, knows a clock or decides what a project does about it.

pub mod answer;
pub mod webhook;
