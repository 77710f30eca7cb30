//! A client that goes away in the middle of a write: the write runs to its end.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use serde_json::json;
use sqlx::Connection as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use widget_http::web::{
    caller::TrustedProxies,
    connections::{ConnectionLimits, Connections},
};

use super::visitor::support::{Visitor, with_livekit};
use crate::{
    database,
    support::{Service, id},
};

/// How long a test waits for what has to happen.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Deletes a widget with a live room, goes away while the database makes the write wait, and then
/// lets the database continue.
#[tokio::test]
async fn a_write_is_finished_when_the_client_hangs_up() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let widget = id(&visitor.widget);

    // Each request says when its handler has run until it had to wait for the first time.
    let begun = Arc::new(Notify::new());
    let say = Arc::clone(&begun);
    let router = service
        .router
        .clone()
        .layer(from_fn(move |request: Request, next: Next| {
            let say = Arc::clone(&say);
            async move {
                let mut answer = pin!(next.run(request));
                poll_fn(|context| {
                    let poll = answer.as_mut().poll(context);
                    say.notify_one();
                    poll
                })
                .await
            }
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let connections = Connections::new(ConnectionLimits::new(100, TrustedProxies::default()));
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(async move { connections.serve(listener, router, stopped).await });

    let mut holder = database::Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    sqlx::raw_sql(database::HOLD_REVISIONS)
        .execute(&mut holder)
        .await
        .expect("nobody writes");
    let mut client = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "DELETE /core/web-widgets/{widget} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        service.key()
    );
    let sent = client.write_all(request.as_bytes()).await;
    sent.expect("it can be sent");
    begun.notified().await;
    wait_until_somebody_waits(&mut holder).await;
    client.shutdown().await.expect("it is connected");
    // The service closes the connection when it notices, and answers nothing.
    let mut answer = Vec::new();
    let read = client.read_to_end(&mut answer).await;
    assert_eq!((read.expect("it is closed"), answer), (0, Vec::new()));
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("it was begun");

    let waiting = Instant::now();
    let path = format!("/core/web-widgets/{widget}");
    while service.get(&path).await.status != 404 {
        assert!(waiting.elapsed() < WAIT_TIMEOUT, "the write was given up");
    }
    let room = service
        .storage
        .find_newest_room(started.id.parse().expect("an id"))
        .await
        .expect("storage works")
        .expect("it has one");
    assert!(room.removal_due_at.is_some(), "{room:?}");
    stop.send_replace(true);
    serving.await.expect("it ends");
}

/// Returns when a statement waits for what this connection holds, where the database can say so.
async fn wait_until_somebody_waits(holder: &mut database::Connection) {
    let Some(question) = database::COUNT_WAITING else {
        return;
    };
    let started = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(question)
            .fetch_one(&mut *holder)
            .await
            .expect("it can be asked");
        if waiting > 0 {
            return;
        }
        assert!(started.elapsed() < WAIT_TIMEOUT, "nobody waits");
    }
}
