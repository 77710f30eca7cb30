//! One million widgets beside one thousand: how long a read takes.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    Measure,
    bare::Bare,
    client::Client,
    database::{Databases, Kind},
    numbers::percentile,
    service::{self, Service, typical},
};

/// Widgets that are read, out of all.
const SAMPLE: usize = 1_000;

/// Reads of each widget while it is in memory.
const REPEATS: usize = 5;

/// A little longer than a widget is answered from memory.
const STALE: Duration = Duration::from_millis(5_100);

pub async fn run(measure: &Measure, many: usize) -> Result<()> {
    println!(
        "Launcher configs on one connection, time at the 99th of 100, {}",
        measure.conditions()
    );
    for kind in Kind::ALL {
        let databases = Databases::start(kind).await?;
        let few = read(&databases, kind, "few", SAMPLE, measure).await?;
        let many = read(&databases, kind, "many", many, measure).await?;
        println!("  {}", kind.name());
        for (name, few, many) in [
            ("from memory", few.0, many.0),
            ("from the database", few.1, many.1),
        ] {
            let ratio = many.as_secs_f64() / few.as_secs_f64();
            println!("    {name:18} {few:?} and {many:?}: {ratio:.2} times, target: 2");
        }
    }
    Ok(())
}

/// The 99th of 100 times of a read from memory, and from a database with so many widgets.
async fn read(
    databases: &Databases,
    kind: Kind,
    name: &str,
    count: usize,
    measure: &Measure,
) -> Result<(Duration, Duration)> {
    let url = databases.create(name).await?;
    let service = Service::start(&url, databases.folder(), &typical()).await?;
    let bare = Bare::open(kind, &url).await?;
    bare.copy_widget(&service.widget, count).await?;
    let ids = bare.sample_widgets(SAMPLE).await?;
    bare.close().await;
    let requests: Vec<_> = ids.iter().map(|id| service::launcher(id)).collect();
    let mut client = Client::connect(service.server.address).await?;
    let (mut hot, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..measure.rounds {
        tokio::time::sleep(STALE).await;
        for request in &requests {
            cold.push(time(&mut client, request).await?);
        }
        for request in requests.iter().cycle().take(REPEATS * SAMPLE) {
            hot.push(time(&mut client, request).await?);
        }
    }
    Ok((percentile(&mut hot, 99), percentile(&mut cold, 99)))
}

async fn time(client: &mut Client, request: &[u8]) -> Result<Duration> {
    let begun = Instant::now();
    client.expect(request).await?;
    Ok(begun.elapsed())
}
