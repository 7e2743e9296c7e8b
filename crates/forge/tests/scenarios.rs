//! What forges send and are told, with payloads in the shapes that they publish.

mod scenarios {
    mod calls;
    mod hostile;
    pub mod payloads;
    mod pull_requests;
    mod pushes;
    mod replies;
    mod signatures;
}
