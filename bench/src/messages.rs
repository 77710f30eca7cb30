//! Ten million messages in monthly partitions of PostgreSQL, made by `docs/partitions.sql`: how
//! long the service's own requests take there, a sweep, and a dropped month.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    client::Client,
    database::{Databases, Kind},
    numbers::percentile,
    scale::start,
    service::{self, Service, typical},
};

const PARTITIONS: &str = include_str!("../../docs/partitions.sql");

/// Messages of each conversation.
const EACH: u32 = 20;

/// Months before this one that have conversations.
const MONTHS: u32 = 11;

/// Requests of a kind.
const REPEATS: usize = 200;

pub async fn run(messages: u32) -> Result<()> {
    let databases = Databases::start(Kind::Postgres).await?;
    let url = databases.create("partitions").await?;
    service::migrate(&url).await?;
    let pool = PgPool::connect(&url).await?;
    execute(&pool, PARTITIONS.to_owned()).await?;
    let service = Service::start(&url, databases.folder(), &typical()).await?;
    let begun = Instant::now();
    fill(&pool, &service.widget, messages / EACH).await?;
    let months = MONTHS + 1;
    println!("{messages} messages of {EACH} in each conversation, in {months} months, PostgreSQL");
    println!(
        "  written and indexed in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    print_sizes(&pool).await?;

    println!(
        "  the service, {REPEATS} requests each on one connection: half of them, 99 of 100 within"
    );
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT id::TEXT FROM conversations TABLESAMPLE SYSTEM (1) ORDER BY random() LIMIT 200",
    )
    .fetch_all(&pool)
    .await?;
    let widget = &service.widget;
    let lists = [
        (
            "the newest 50 conversations",
            "/core/conversations?limit=50".to_owned(),
        ),
        (
            "the newest 50 of a widget",
            format!("/core/conversations?limit=50&web_widget_id={widget}"),
        ),
        (
            "50 of half a year ago",
            format!(
                "/core/conversations?limit=50&created_before={}",
                ago(&pool).await?
            ),
        ),
    ];
    for (name, path) in lists {
        measure(name, &service, async |client, _| {
            client.expect(&service.list(&path)).await.map(drop)
        })
        .await?;
    }
    measure("a transcript", &service, async |client, index| {
        let path = format!("/core/conversations/{}/messages", ids[index % ids.len()]);
        client.expect(&service.list(&path)).await.map(drop)
    })
    .await?;
    measure("a start, with its ticket", &service, async |client, _| {
        start(client, &service).await.map(drop)
    })
    .await?;
    let open = start(
        &mut Client::connect(service.server.address).await?,
        &service,
    )
    .await?;
    measure("a message more", &service, async |client, index| {
        let message = json!({"id": format!("m{index}"), "role": "agent", "text": "It left today."});
        let path = format!("/core/conversations/{open}/messages");
        client
            .expect(&service.send(&path, &message))
            .await
            .map(drop)
    })
    .await?;

    let sweep = "SELECT due_at, id FROM conversations WHERE ended_at IS NULL AND due_at <= 1 \
                 AND (due_at, id) > (0, '00000000-0000-0000-0000-000000000000') ORDER BY due_at, id LIMIT 50";
    report("a sweep that finds nothing", &pool, sweep).await?;
    report(
        "the oldest month, dropped",
        &pool,
        &format!("SELECT drop_month((now() - INTERVAL '{MONTHS} months')::DATE)"),
    )
    .await?;
    let next = MONTHS - 1;
    let name = "the next month, deleted by row";
    let statement = format!(
        "DELETE FROM conversations WHERE id < lowest_id(date_trunc('month', now() AT TIME ZONE 'UTC' - INTERVAL '{} months') AT TIME ZONE 'UTC')",
        next - 1
    );
    report(name, &pool, &statement).await?;
    print_sizes(&pool).await
}

/// Writes so many ended conversations with their messages, evenly over the months.
async fn fill(pool: &PgPool, widget: &str, conversations: u32) -> Result<()> {
    let statements = format!(
        "-- What refers to conversations was made from them.
         SET session_replication_role = replica;
         SELECT create_month((now() - n * INTERVAL '1 month')::DATE) FROM generate_series(1, {MONTHS}) n;
         INSERT INTO conversations (id, organization_id, web_widget_id, agent_id, agent_version_id,
             livekit_agent_name, origin, status, mode, custom_metadata, generation, repeat_used,
             created_at, token_at, joined_at, active_at, ended_at, end_reason, due_at)
         SELECT overlay(lowest_id(at)::TEXT placing substr(gen_random_uuid()::TEXT, 15) FROM 15)::UUID,
             w.organization_id, w.id, w.agent_id, w.agent_version_id, 'bench', 'https://shop.example',
             'completed', 'text', '{{}}', 1, FALSE, us, us, us, us, us + 60000000, 'visitor', NULL
         FROM web_widgets w, generate_series(1, {conversations}) n,
             LATERAL (SELECT date_trunc('month', now()) - INTERVAL '{MONTHS} months'
                 + n * (now() - date_trunc('month', now()) + INTERVAL '{MONTHS} months') / ({conversations} + 1) AS at) a,
             LATERAL (SELECT (extract(epoch FROM at) * 1000000)::BIGINT AS us) b
         WHERE w.id = '{widget}';
         INSERT INTO rooms (name, conversation_id, generation, created_at, attempts, removed_at)
         SELECT 'room_' || id, id, 1, created_at, 0, ended_at FROM conversations;
         INSERT INTO messages (conversation_id, reported_by, id, role, text, created_at)
         SELECT c.id, 'agent', 'SG_' || n, CASE n % 2 WHEN 0 THEN 'agent' ELSE 'visitor' END,
             'Your parcel has left our house today and arrives on Friday, ' || n, c.created_at + n
         FROM (SELECT * FROM conversations ORDER BY id) c, generate_series(1, {EACH}) n;
         SET session_replication_role = DEFAULT;"
    );
    execute(pool, statements).await?;
    execute(pool, "VACUUM ANALYZE".to_owned()).await
}

async fn execute(pool: &PgPool, statements: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(pool)
        .await?;
    Ok(())
}

async fn ago(pool: &PgPool) -> Result<String> {
    let time = "SELECT to_char(now() - INTERVAL '6 months', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    Ok(sqlx::query_scalar(time).fetch_one(pool).await?)
}

async fn measure(
    name: &str,
    service: &Service,
    ask: impl AsyncFn(&mut Client, usize) -> Result<()>,
) -> Result<()> {
    let mut client = Client::connect(service.server.address).await?;
    let mut times = Vec::new();
    for index in 0..REPEATS {
        let begun = Instant::now();
        ask(&mut client, index).await?;
        times.push(begun.elapsed());
    }
    let (half, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!(
        "    {name:32} {:7.1} ms {:7.1} ms",
        milliseconds(half),
        milliseconds(most)
    );
    Ok(())
}

async fn report(name: &str, pool: &PgPool, statement: &str) -> Result<()> {
    let begun = Instant::now();
    execute(pool, statement.to_owned()).await?;
    println!("  {name:32} {:10.1} ms", milliseconds(begun.elapsed()));
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

async fn print_sizes(pool: &PgPool) -> Result<()> {
    let (rows, size): (i64, String) = sqlx::query_as(
        "SELECT sum(reltuples)::BIGINT, pg_size_pretty(pg_database_size(current_database()))
         FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
         WHERE inhparent = 'messages'::regclass AND reltuples > 0",
    )
    .fetch_one(pool)
    .await?;
    println!("  about {rows} messages, {size} with their indexes and all else");
    Ok(())
}
