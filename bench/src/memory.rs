//! Memory of the service, and how long it takes to start.

use std::{path::Path, time::Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    Measure,
    bare::Bare,
    client::{Client, connect},
    conversations::each,
    database::{Databases, Kind},
    numbers::{median, spread},
    process::Server,
    service::{self, Service, typical},
};

/// Starts whose time is measured.
const STARTS: usize = 10;

pub async fn run(measure: &Measure) -> Result<()> {
    println!("Memory in MiB (resident set), SQLite");
    let databases = Databases::start(Kind::Sqlite).await?;
    let folder = databases.folder();

    let server = start(&databases, "hot", &typical(), 10_000).await?;
    print("idle, after its start", server.server.memory()?, 32.0);
    let widgets = sample(&server, 10_000).await?;
    read(&server.server, &widgets, measure.connections).await?;
    print("10,000 hot widgets", server.server.memory()?, 200.0);
    drop(server);

    let server = start(&databases, "unknown", &unknown_values(), 300).await?;
    let widgets = sample(&server, 300).await?;
    read(&server.server, &widgets, measure.connections).await?;
    print(
        "300 widgets of 62 KiB of small unknown values",
        server.server.memory()?,
        200.0,
    );
    drop(server);

    let server = start(&databases, "list", &unknown_values(), 200).await?;
    let mut client = Client::connect(server.server.address).await?;
    client
        .expect(&server.list("/core/web-widgets?limit=1"))
        .await?;
    server.server.forget_peak()?;
    let before = server.server.memory()?.0;
    client
        .expect(&server.list("/core/web-widgets?limit=200"))
        .await?;
    let added = server.server.memory()?.1 - before;
    print("a list of 200 such widgets adds", (added, added), 20.0);
    drop(server);

    let url = format!("sqlite:{}", folder.join("hot").display());
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(first_answer(&url, folder).await?);
    }
    println!(
        "Start on an existing SQLite file to the first answer: {:.0} ms ±{:.0} %, target: 100 ms",
        median(&times),
        spread(&times) / 2.0
    );
    Ok(())
}

fn print(name: &str, (now, peak): (f64, f64), target: f64) {
    println!("  {name:46} {now:5.0} (peak {peak:.0}), target: {target}");
}

/// A service that was just started, on a database with so many widgets of that config.
async fn start(databases: &Databases, name: &str, config: &Value, count: usize) -> Result<Service> {
    let (url, folder) = (databases.create(name).await?, databases.folder());
    let mut service = Service::start(&url, folder, config).await?;
    let bare = Bare::open(Kind::Sqlite, &url).await?;
    bare.copy_widget(&service.widget, count).await?;
    bare.close().await;
    service.server = service::start(&url, folder).await?;
    Ok(service)
}

async fn sample(service: &Service, count: usize) -> Result<Vec<String>> {
    let bare = Bare::open(Kind::Sqlite, &service.url).await?;
    let ids = bare.sample_widgets(count).await?;
    bare.close().await;
    Ok(ids)
}

/// Reads the launcher config and the window of each widget, as visitors do.
async fn read(server: &Server, widgets: &[String], connections: usize) -> Result<()> {
    let mut clients = connect(server.address, connections).await?;
    let reads = each(&mut clients, widgets.len(), async |client, index| {
        let widget = &widgets[index];
        client.expect(&service::launcher(widget)).await?;
        client.expect(&service::window(widget)).await.map(drop)
    });
    reads.await.map(drop)
}

/// Milliseconds from the start of a process to its first answer.
async fn first_answer(url: &str, folder: &Path) -> Result<f64> {
    let begun = Instant::now();
    let server = service::start(url, folder).await?;
    let mut client = Client::connect(server.address).await?;
    client.expect(&service::loader("x")).await?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// Some 62 KiB of small values that nothing reads.
fn unknown_values() -> Value {
    let keys = (0..6_200).map(|key| (format!("k{key}"), json!(key % 10)));
    json!({"v1": keys.collect::<serde_json::Map<_, _>>()})
}
