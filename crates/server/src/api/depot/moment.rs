//! Points in time as protobuf has them.

use buffa_types::google::protobuf;
use tappet_model::Timestamp;

/// The message of a moment.
pub fn message(moment: Timestamp) -> protobuf::Timestamp {
    let micros = moment.0.rem_euclid(1_000_000);
    let nanos = i32::try_from(micros * 1000).expect("less than a second of nanoseconds");
    protobuf::Timestamp::from_unix(moment.0.div_euclid(1_000_000), nanos)
}
