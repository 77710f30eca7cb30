//! Conversations that start over HTTP, beside the same rows written to the bare database.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::{
    Measure,
    bare::Bare,
    client::{Client, connect},
    database::{Databases, Kind},
    numbers::{median, number, spread},
    process::own_processor_time,
    service::{self, Service, typical},
};

/// Conversations of one round: enough for a second or two.
const ROUND: usize = 2_000;

/// What is measured, in the order of the rates.
const NAMES: [&str; 5] = [
    "starts, with tickets made before",
    "starts and the requests for their tickets",
    "transactions of the bare database",
    "starts a processor second of the service",
    "transactions a processor second of the bare client",
];

pub async fn run(measure: &Measure) -> Result<()> {
    println!(
        "Conversations, {ROUND} a round over {} connections, {}",
        measure.connections,
        measure.conditions()
    );
    for (kind, target) in Kind::ALL.into_iter().zip([60, 75]) {
        let rates = compare(kind, measure).await?;
        println!("  {}", kind.name());
        for (name, rates) in NAMES.iter().zip(&rates) {
            println!(
                "    {name:50} {:6.0}/s ±{:.0} %",
                median(rates),
                spread(rates) / 2.0
            );
        }
        let [starts, both, bare, ..] = rates.each_ref().map(|rates| median(rates));
        let (starts, both) = (starts / bare * 100.0, both / bare * 100.0);
        println!(
            "    {starts:.0} % of the bare database, {both:.0} % with the tickets; target: {target} %"
        );
    }
    Ok(())
}

async fn compare(kind: Kind, measure: &Measure) -> Result<[Vec<f64>; 5]> {
    let databases = Databases::start(kind).await?;
    let folder = databases.folder();
    let service = Service::start(&databases.create("service").await?, folder, &typical()).await?;
    let url = databases.create("bare").await?;
    service::migrate(&url).await?;
    let bare = Bare::open(kind, &url).await?;
    let mut rates: [Vec<f64>; 5] = Default::default();
    for round in 0..=measure.rounds {
        let [tickets, starts, worked] = through_service(&service, measure.connections).await?;
        let (begun, before) = (Instant::now(), own_processor_time()?);
        bare.start_conversations(ROUND, measure.connections).await?;
        let alone = own_processor_time()?.saturating_sub(before);
        let times = [starts, tickets + starts, begun.elapsed(), worked, alone];
        // The first round only warms up.
        if round > 0 {
            for (rates, time) in rates.iter_mut().zip(times) {
                rates.push(number(ROUND) / time.as_secs_f64());
            }
        }
    }
    Ok(rates)
}

/// Gets a round of tickets and starts a conversation with each. Returns the time of both, and the
/// time that the service's processors worked for the starts.
async fn through_service(service: &Service, connections: usize) -> Result<[Duration; 3]> {
    let mut clients = connect(service.server.address, connections).await?;
    let begun = Instant::now();
    let ticket = service::ticket(&service.widget);
    let tickets = each(&mut clients, ROUND, async |client, _| {
        let body: Value = client.ask(&ticket).await?.json()?;
        Ok(service::text(&body["ticket"])?.to_owned())
    });
    let tickets = tickets.await?;
    let between = (Instant::now(), service.server.processor_time()?);
    let starts = each(&mut clients, ROUND, async |client, index| {
        let start = service::start_conversation(&service.widget, &tickets[index]);
        client.expect(&start).await.map(drop)
    });
    starts.await?;
    let worked = service.server.processor_time()?.saturating_sub(between.1);
    Ok([between.0 - begun, between.0.elapsed(), worked])
}

/// Works off so many numbers over all connections.
pub async fn each<T>(
    clients: &mut [Client],
    count: usize,
    work: impl AsyncFn(&mut Client, usize) -> Result<T>,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let (next, work) = (&next, &work);
    let runs = clients.iter_mut().map(async |client| {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok::<_, anyhow::Error>(done);
            }
            done.push(work(client, index).await?);
        }
    });
    Ok(try_join_all(runs).await?.into_iter().flatten().collect())
}
