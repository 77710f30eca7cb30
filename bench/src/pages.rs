//! What browsers load, beside a static route that answers the same bytes and headers.

use std::{fs, path::Path, time::Duration};

use anyhow::Result;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    Measure,
    baseline::recorded,
    client::{Client, connect, load},
    database::{Databases, Kind},
    numbers::{median, number, spread},
    process::{Server, beside},
    service::{self, Service, typical},
};

/// Requests a second of one side, by the clock and by the time of its processors.
#[derive(Debug, Default)]
struct Rates {
    clock: Vec<f64>,
    processor: Vec<f64>,
}

pub async fn run(measure: &Measure) -> Result<()> {
    let databases = Databases::start(Kind::Sqlite).await?;
    let folder = databases.folder();
    let service =
        Service::start(&databases.create("widgets.db").await?, folder, &typical()).await?;
    let widget = service.widget.as_str();
    let pages = [
        ("launcher config", service::launcher(widget), 85),
        ("loader", service::loader(widget), 85),
        ("window document", service::window(widget), 60),
    ];
    let mut recordings: Vec<Value> = Vec::new();
    let mut client = Client::connect(service.server.address).await?;
    for (_, request, _) in &pages {
        let path = String::from_utf8_lossy(request);
        let path = path.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        recordings.push(recorded(&path, &client.expect(request).await?));
    }
    let answers = folder.join("answers.json");
    fs::write(&answers, serde_json::to_vec(&recordings)?)?;
    let silent = baseline(&answers, folder, false).await?;
    let logging = baseline(&answers, folder, true).await?;

    println!(
        "Pages over HTTP/1.1, {} connections, {}",
        measure.connections,
        measure.conditions()
    );
    println!("  requests a second by the clock, and by the time of the server's processors");
    for (name, request, target) in pages {
        let mut rates: [Rates; 3] = Default::default();
        let servers = [&service.server, &silent, &logging];
        for round in 0..=measure.rounds {
            for (server, rates) in servers.iter().zip(&mut rates) {
                let (clock, processor) = rate(server, &request, measure).await?;
                // The first round only warms up.
                if round > 0 {
                    rates.clock.push(clock);
                    rates.processor.push(processor);
                }
            }
        }
        println!("  {name}");
        let names = [
            "service",
            "static route",
            "static route, one log line a request",
        ];
        for (name, rates) in names.iter().zip(&rates) {
            print_rates(name, rates);
        }
        for (name, baseline) in names.iter().zip(&rates).skip(1) {
            let of = |own: &[f64], other: &[f64]| median(own) / median(other) * 100.0;
            let clock = of(&rates[0].clock, &baseline.clock);
            let processor = of(&rates[0].processor, &baseline.processor);
            println!("    {clock:.0} % ({processor:.0} % by processor time) of: {name}");
        }
        println!("    target: {target} %");
    }
    Ok(())
}

fn print_rates(name: &str, rates: &Rates) {
    println!(
        "    {name:38} {:7.0}/s ±{:.0} %   {:7.0} a processor second ±{:.0} %",
        median(&rates.clock),
        spread(&rates.clock) / 2.0,
        median(&rates.processor),
        spread(&rates.processor) / 2.0,
    );
}

async fn rate(server: &Server, request: &[u8], measure: &Measure) -> Result<(f64, f64)> {
    let mut clients = connect(server.address, measure.connections).await?;
    let before = server.processor_time()?;
    let time = Duration::from_secs_f64(measure.seconds);
    let times = load(&mut clients, time, request).await?;
    let worked = server.processor_time()?.saturating_sub(before);
    let count = number(times.len());
    Ok((count / measure.seconds, count / worked.as_secs_f64()))
}

async fn baseline(answers: &Path, folder: &Path, logs: bool) -> Result<Server> {
    let mut command = Command::new(beside("widget-bench")?);
    command.arg("static-server").arg(answers);
    if logs {
        command.arg("--log-requests");
    }
    Server::start(&mut command, &folder.join("baseline.log")).await
}
