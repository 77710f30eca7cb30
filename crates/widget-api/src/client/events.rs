//! What happens in a conversation, while it happens: server-sent events.

use std::{fmt, io::Cursor, pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use sse_stream::{Sse, SseByteStream};
use tokio::time::sleep;
use widget_core::id::ConversationId;

use super::{Chunks, Client, Error};
use crate::events::{ConversationEvent, EventType};

const OPERATION: &str = "followConversation";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long to wait before connecting again, until the service says another time.
const RETRY: Duration = Duration::from_secs(1);

/// The events of a conversation, over as many connections as it needs.
pub struct ConversationEvents {
    client: Client,
    id: ConversationId,
    last_event_id: Option<HeaderValue>,
    retry: Duration,
    /// Whether its end was seen: then there is little reason to wait for more.
    has_ended: bool,
    connection: Option<SseByteStream<Parts>>,
}

type Parts = Pin<Box<dyn Stream<Item = Result<Cursor<Vec<u8>>, Error>> + Send>>;

impl Client {
    /// Follows a conversation: everything that has happened in it, and then what happens. Connects
    /// with the first event that is asked for.
    #[must_use]
    pub fn follow_conversation(&self, id: ConversationId) -> ConversationEvents {
        ConversationEvents {
            client: self.clone(),
            id,
            last_event_id: None,
            retry: RETRY,
            has_ended: false,
            connection: None,
        }
    }
}

impl fmt::Debug for ConversationEvents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConversationEvents")
            .field("id", &self.id)
            .field("last_event_id", &self.last_event_id)
            .field("is_connected", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}

impl ConversationEvents {
    /// The next event, whenever it happens; `None` when the conversation is over. A connection
    /// that ends is made again, and continues after the last event.
    ///
    /// # Errors
    /// When there is no connection, after the usual repetitions. Asking again afterwards continues
    /// after the last event, too.
    pub async fn next(&mut self) -> Result<Option<ConversationEvent>, Error> {
        loop {
            if self.connection.is_none() {
                self.connection = self.connect().await?;
            }
            let Some(connection) = &mut self.connection else {
                return Ok(None);
            };
            if let Some(Ok(sent)) = connection.next().await {
                if let Some(event) = self.read(sent)? {
                    return Ok(Some(event));
                }
                continue;
            }
            // What has arrived was read; the rest follows over another connection.
            self.connection = None;
            if !self.has_ended {
                sleep(self.retry).await;
            }
        }
    }

    async fn connect(&self) -> Result<Option<SseByteStream<Parts>>, Error> {
        let segments = ["core", "conversations", &self.id.to_string(), "events"];
        let mut call = self.client.call(OPERATION, Method::GET, &segments);
        if let Some(id) = &self.last_event_id {
            call = call.header(LAST_EVENT_ID, id.clone());
        }
        Ok(call.events().await?.map(build_connection))
    }

    /// Reads what was sent; `None` for what only says how to connect again.
    fn read(&mut self, sent: Sse) -> Result<Option<ConversationEvent>, Error> {
        if let Some(retry) = sent.retry {
            self.retry = Duration::from_millis(retry);
        }
        if let Some(id) = sent.id {
            self.last_event_id = HeaderValue::try_from(id).ok();
        }
        let Some(data) = sent.data else {
            return Ok(None);
        };
        let event: ConversationEvent =
            serde_json::from_str(&data).map_err(|source| Error::AnswerUnreadable {
                service: self.client.service().origin().to_string(),
                operation: OPERATION,
                source,
            })?;
        self.has_ended |= event.r#type == EventType::Ended;
        Ok(Some(event))
    }
}

fn build_connection(chunks: Chunks) -> SseByteStream<Parts> {
    let parts = stream::try_unfold(chunks, async |mut chunks| {
        let part = chunks.next().await?;
        Ok(part.map(|part| (Cursor::new(part), chunks)))
    });
    SseByteStream::new(Box::pin(parts))
}
