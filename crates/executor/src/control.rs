//! What the outside world may ask of a running attempt.

/// The wish in force. It only ever grows stronger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Control {
    /// Go on.
    #[default]
    Run,
    /// Stop the script (TERM, grace, KILL), then run `after_script` and upload.
    CancelGracefully,
    /// Stop everything (TERM, grace, KILL) and end.
    Abort,
}
