//! What one processor serves, and what that means for a day of many visitors.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    Measure,
    client::{Client, connect, load},
    conversations::each,
    database::{Databases, Kind},
    numbers::number,
    service::{self, Service, typical},
};

/// Page views a day of the model.
const PAGE_VIEWS: f64 = 100e6;
/// Conversations a day.
const CONVERSATIONS: f64 = 1e6;
/// Messages of a conversation, each reported by itself.
const MESSAGES: f64 = 20.0;
/// The busiest moment beside the average of a day.
const PEAK: f64 = 3.0;
/// Processors of a node, and how busy they may be at that moment.
const NODE: f64 = 2.0 * 0.6;
/// Conversations that are started and in which something is said.
const SAMPLE: usize = 2_000;
const SECONDS_OF_DAY: f64 = 86_400.0;

/// Something that visitors ask for.
struct Work {
    name: &'static str,
    /// So many a second of the service's processors.
    rate: f64,
    a_day: f64,
}

pub async fn run(measure: &Measure) -> Result<()> {
    let works = measured(measure).await?;
    println!(
        "One processor of a node, PostgreSQL, {}",
        measure.conditions()
    );
    println!(
        "  {:18} {:>12} {:>12} {:>13} {:>17}",
        "", "a second", "a day", "a second then", "processors then"
    );
    let mut needed = 0.0;
    for Work { name, rate, a_day } in &works {
        let peak = a_day / SECONDS_OF_DAY * PEAK;
        needed += peak / rate;
        let millions = a_day / 1e6;
        println!(
            "  {name:18} {rate:12.0} {millions:10.0} M {peak:13.0} {:17.2}",
            peak / rate
        );
    }
    println!(
        "  then: at the busiest moment, {PEAK} times the average; {MESSAGES} messages a conversation"
    );
    println!("  nodes of 2 processors at 60 %: {:.1}", needed / NODE);
    let cached: f64 = works
        .iter()
        .skip(2)
        .map(|work| work.a_day / SECONDS_OF_DAY * PEAK / work.rate)
        .sum();
    println!(
        "  the same with launcher configs and loaders from a cache: {:.1}",
        cached / NODE
    );
    Ok(())
}

async fn measured(measure: &Measure) -> Result<Vec<Work>> {
    let databases = Databases::start(Kind::Postgres).await?;
    let url = databases.create("service").await?;
    let service = Service::start(&url, databases.folder(), &typical()).await?;
    let widget = service.widget.as_str();
    let mut works = Vec::new();
    for (name, request, a_day) in [
        ("loaders", service::loader(widget), PAGE_VIEWS),
        ("launcher configs", service::launcher(widget), PAGE_VIEWS),
        // A visitor opens the window some times before saying something.
        (
            "window documents",
            service::window(widget),
            5.0 * CONVERSATIONS,
        ),
    ] {
        let mut clients = connect(service.server.address, measure.connections).await?;
        let time = Duration::from_secs_f64(measure.seconds);
        load(&mut clients, time, &request).await?;
        let before = service.server.processor_time()?;
        let count = load(&mut clients, time, &request).await?.len();
        let worked = service.server.processor_time()?.saturating_sub(before);
        works.push(Work {
            name,
            rate: number(count) / worked.as_secs_f64(),
            a_day,
        });
    }
    let mut clients = connect(service.server.address, measure.connections).await?;
    let before = service.server.processor_time()?;
    let ids = each(&mut clients, SAMPLE, async |client, _| {
        start(client, &service).await
    })
    .await?;
    let between = service.server.processor_time()?;
    each(&mut clients, SAMPLE, async |client, index| {
        let message = json!({"id": "m1", "role": "agent", "text": "It has left our house today."});
        let path = format!("/core/conversations/{}/messages", ids[index]);
        client
            .expect(&service.send(&path, &message))
            .await
            .map(drop)
    })
    .await?;
    let after = service.server.processor_time()?;
    let rate = |worked: Duration| number(SAMPLE) / worked.as_secs_f64();
    works.push(Work {
        name: "starts, tickets",
        rate: rate(between.saturating_sub(before)),
        a_day: CONVERSATIONS,
    });
    works.push(Work {
        name: "messages",
        rate: rate(after.saturating_sub(between)),
        a_day: MESSAGES * CONVERSATIONS,
    });
    Ok(works)
}

/// Starts a conversation, and returns its id.
pub async fn start(client: &mut Client, service: &Service) -> Result<String> {
    let body: Value = client
        .ask(&service::ticket(&service.widget))
        .await?
        .json()?;
    let start = service::start_conversation(&service.widget, service::text(&body["ticket"])?);
    let body: Value = client.ask(&start).await?.json()?;
    Ok(service::text(&body["conversation"]["id"])?.to_owned())
}
