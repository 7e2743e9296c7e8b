//! The messages and services of Depot's API as Connect, gRPC and gRPC-web speak them:
//! generated from `proto/` by `cargo xtask rpc`, and nothing else.
//!
//! A service is a trait to implement, [`depot::ci::v1::CiService`] for one; its
//! `…Ext::register` mounts it on a [`connectrpc::Router`].

#[expect(
    missing_docs,
    reason = "the protobuf files have names, numbers and no prose for each"
)]
#[rustfmt::skip]
#[path = "generated/packages.rs"]
mod generated;

pub use generated::depot;
