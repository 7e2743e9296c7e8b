//! An event stream that survives a restart of the server.

use crate::api::{Api, ApiError, Event, EventStream, Retries};

/// Opens its stream when it is needed, and again when it breaks off.
pub struct Resumed {
    api: Api,
    path: String,
    after: Option<String>,
    stream: Option<EventStream>,
    retries: Retries,
}

impl Resumed {
    /// The stream at `path`, from its beginning.
    pub fn new(api: Api, path: String) -> Self {
        Self {
            api,
            path,
            after: None,
            stream: None,
            retries: Retries::of_stream(),
        }
    }

    /// The next event. Streams of runs and logs say when they are over, so an end
    /// without a word is a break, too.
    pub async fn next(&mut self) -> Result<Event, ApiError> {
        loop {
            let error = match self.try_next().await {
                Ok(Some(event)) => {
                    self.retries = Retries::of_stream();
                    if !event.id.is_empty() {
                        self.after = Some(event.id.clone());
                    }
                    return Ok(event);
                }
                Ok(None) => ApiError::BrokeOff {
                    server: self.api.server().to_owned(),
                    why: "the stream ended early".to_owned(),
                },
                Err(error) => error,
            };
            self.stream = None;
            self.retries.wait_after(error).await?;
        }
    }

    async fn try_next(&mut self) -> Result<Option<Event>, ApiError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(self.api.events(&self.path, self.after.as_deref()).await?),
        };
        stream.next().await
    }
}
