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

/// The shortest and the longest wait between connections that bring nothing, whatever the service
/// says.
const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The events of a conversation, over as many connections as it needs.
pub struct ConversationEvents {
    client: Client,
    id: ConversationId,
    last_event_id: Option<HeaderValue>,
    retry: Duration,
    /// Whether its end was seen: then there is little reason to wait for more.
    has_ended: bool,
    /// How many connections one after the other have brought nothing, with the present one.
    fruitless: u32,
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
            fruitless: 0,
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
                self.fruitless = self.fruitless.saturating_add(1);
            }
            let Some(connection) = &mut self.connection else {
                return Ok(None);
            };
            if let Some(Ok(sent)) = connection.next().await {
                if let Some(event) = self.read(sent)? {
                    self.fruitless = 0;
                    return Ok(Some(event));
                }
                continue;
            }
            // What has arrived was read; the rest follows over another connection.
            self.connection = None;
            sleep(self.pause()).await;
        }
    }

    /// How long to wait before the next connection. The first one behind the end of the
    /// conversation is made at once, since it says whether there is more; the longer nothing comes,
    /// the later are the others.
    fn pause(&self) -> Duration {
        if self.has_ended && self.fruitless == 0 {
            return Duration::ZERO;
        }
        let doubled = 2_u32.saturating_pow(self.fruitless.saturating_sub(1));
        let grown = self.retry.max(MIN_PAUSE).saturating_mul(doubled);
        grown.min(MAX_PAUSE.max(self.retry))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_bring_nothing_are_made_less_and_less_often() {
        let client = Client::builder("http://127.0.0.1:9".parse().expect("an address"))
            .build()
            .expect("a client");
        let id = ConversationId::from_uuid(uuid::Uuid::nil());
        let mut events = client.follow_conversation(id);
        let mut pauses = |has_ended, retry| {
            (events.has_ended, events.retry) = (has_ended, Duration::from_millis(retry));
            [0, 1, 2, 3, 6, 100].map(|fruitless| {
                events.fruitless = fruitless;
                events.pause().as_millis()
            })
        };
        assert_eq!(
            pauses(false, 1_000),
            [1_000, 1_000, 2_000, 4_000, 30_000, 30_000]
        );
        assert_eq!(
            pauses(true, 1_000),
            [0, 1_000, 2_000, 4_000, 30_000, 30_000]
        );
        assert_eq!(pauses(true, 0), [0, 200, 400, 800, 6_400, 30_000]);
        assert_eq!(pauses(false, 60_000), [60_000; 6]);
    }
}
