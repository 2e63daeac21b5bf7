//! Rows a second with 8 clients that send 100 rows of about 1 KB a request, each flushed to disk.
//!
//! `cargo run --release --example throughput [folder] [seconds]`

use std::error::Error;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use evalhouse_journal::{Journal, JournalOptions, Limits, Selection, split_request};

const CLIENTS: usize = 8;
const ROWS: usize = 100;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "throughput-journal".into());
    let duration = Duration::from_secs(arguments.next().map_or(Ok(5), |text| text.parse())?);
    let options = JournalOptions { bytes_max: u64::MAX, ..JournalOptions::default() };
    let (journal, _) = Journal::open(&folder, options.clone())?;

    let start = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let journal = journal.clone();
            thread::spawn(move || client_until(&journal, client, start + duration))
        })
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.join().map_err(|_| "a client panicked")??);
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let rows = latencies.len() * ROWS;
    let megabytes = journal.bytes() as f64 / 1e6;
    let mut out = std::io::stdout();
    writeln!(out, "written  {:.0} rows/s, {:.0} MB/s", rows as f64 / seconds, megabytes / seconds)?;
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    writeln!(out, "latency  p50 {:?}, p99 {:?}, max {:?}", at(0.5), at(0.99), at(1.0))?;

    drop(journal);
    let start = Instant::now();
    let (journal, recovered) = Journal::open(&folder, options)?;
    writeln!(out, "opened   {} rows, {megabytes:.0} MB in {:?}", recovered.rows, start.elapsed())?;
    let start = Instant::now();
    let mut read = 0;
    for (object, _) in journal.objects() {
        for row in journal.rows(&object, Selection::All, None) {
            row?;
            read += 1;
        }
    }
    writeln!(out, "read     {:.0} rows/s", f64::from(read) / start.elapsed().as_secs_f64())?;
    Ok(std::fs::remove_dir_all(folder)?)
}

/// Sends requests until the time is over, and says how long each took, parsing included.
fn client_until(journal: &Journal, client: usize, end: Instant) -> Result<Vec<Duration>, Box<dyn Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let rows: Vec<String> = (0..ROWS).map(|row| span(client, latencies.len() * ROWS + row)).collect();
        let body = format!(r#"{{"rows":[{}],"api_version":2}}"#, rows.join(","));
        let start = Instant::now();
        let rows = split_request(body.as_bytes(), &Limits::default())?;
        runtime.block_on(journal.append(rows))?;
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}

fn span(client: usize, number: usize) -> String {
    let text = "what a model is asked and what it answers ".repeat(8);
    format!(
        r#"{{"id":"{client:08}-{number:08}","experiment_id":"experiment-{client}","span_id":"{number:016x}","root_span_id":"{number:032x}","span_parents":null,"created":"2025-01-01T00:00:00.000000+00:00","input":{{"question":"{text}"}},"output":"{text}","metrics":{{"start":1700000000.123456,"end":1700000001.654321}},"metadata":{{"model":"m","temperature":0.5}},"span_attributes":{{"name":"task","type":"task","exec_counter":{number}}},"_is_merge":false}}"#
    )
}
