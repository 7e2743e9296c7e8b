//! The state machine of a run: (state, event) → transitions.
//!
//! It never reads a clock, never does I/O and never draws random numbers: the
//! same events always give the same state. The store calls it inside one
//! transaction and writes what it returns.

mod event;
mod graph;
mod state;

pub use event::{Event, JobEvent, Refused, RunEvent, Transition};
pub use graph::{Graph, GraphJob};
pub use state::{JobState, RunState};
