//! Frames of streams: a byte of flags, the length, the payload.

use serde_json::Value;

/// One frame.
pub fn envelope(flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[flags], &length[..], payload].concat()
}

/// The frames of a whole body.
pub fn frames(mut body: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [flags, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (payload, after) = rest.split_at(length);
        frames.push((*flags, payload));
        body = after;
    }
    frames
}

/// The messages of a JSON stream.
pub fn messages(body: &[u8]) -> Vec<Value> {
    let all = frames(body).into_iter().filter(|(flags, _)| *flags == 0);
    all.map(|(_, payload)| serde_json::from_slice(payload).unwrap())
        .collect()
}

/// What the last frame of a Connect stream says.
pub fn end(body: &[u8]) -> Value {
    let all = frames(body);
    let (flags, payload) = all.last().unwrap();
    assert_eq!(*flags, 2, "the last frame ends the stream");
    serde_json::from_slice(payload).unwrap()
}
