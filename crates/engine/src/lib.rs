//! The state machine of a run: (state, event) → transitions.
//!
//! It never reads a clock, never does I/O and never draws random numbers: the
//! same events always give the same state. The store calls it inside one
//! transaction and writes what it returns.
//!
//! An event is checked and applied to the job it is about (`step`); then every
//! job that still waits is looked at once, in processing order (`order`), and
//! goes on, is skipped or waits (`process`, `gate`) by the composite status of
//! those before it (`composite`) and the room in its group (`groups`). Last comes the status of the run
//! (`run_status`). A step costs time linear in jobs and needs.

mod allow_failure;
mod composite;
mod event;
mod gate;
mod graph;
mod groups;
mod order;
mod process;
mod retry;
mod run_status;
mod state;
mod step;

pub use allow_failure::is_allowed_failure;
pub use composite::{StatusSet, composite, has_warnings};
pub use event::{Event, JobEvent, Refused, RunEvent, StageEvent, Transition};
pub use graph::{Graph, GraphJob};
pub use state::{JobState, RunHold, RunState};
