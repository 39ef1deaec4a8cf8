//! `agent stats`: how much of what there is.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;
use simplex_stores::agent_store::{
    maintenance::{AgentStats, ConnCount, QueueCount, stats},
    types::ConnType,
};

use super::{
    check::{failed_form, print_failed},
    place::{Place, PlaceArgs},
};
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Count what is in a database: rows of each table, connections and queues by kind, what waits for delivery.
///
/// It changes nothing, and reads every table.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct StatsForm {
    database: String,
    bytes: u64,
    connections: Vec<ConnForm>,
    rcv_queues: Vec<QueueForm>,
    snd_queues: Vec<QueueForm>,
    pending_deliveries: u64,
    oldest_undelivered: Option<String>,
    failed: BTreeMap<&'static str, u64>,
    /// Since when the statistics of routers are counted.
    counted_since: Option<String>,
    /// The rows of each table.
    tables: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct ConnForm {
    kind: &'static str,
    state: &'static str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct QueueForm {
    status: &'static str,
    deleted: bool,
    count: u64,
}

pub(crate) fn run(args: &StatsArgs, out: &mut Out) -> Result<Exit, Failure> {
    let place = args.place.existing()?;
    let counted = stats(&place.config).map_err(|error| place.failed(error))?;
    let form = StatsForm::of(&place, &counted);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(Exit::Fine)
}

impl From<&ConnCount> for ConnForm {
    fn from(counted: &ConnCount) -> Self {
        Self {
            kind: match counted.kind {
                Some(ConnType::New) => "new",
                Some(ConnType::Rcv) => "rcv",
                Some(ConnType::Snd) => "snd",
                Some(ConnType::Duplex) => "duplex",
                Some(ConnType::Contact) => "contact",
                None => "none",
            },
            state: match (counted.deleted, counted.waiting) {
                (false, false) => "live",
                (_, true) => "deleted when delivered",
                (true, false) => "deleted",
            },
            count: counted.count,
        }
    }
}

impl From<&QueueCount> for QueueForm {
    fn from(counted: &QueueCount) -> Self {
        let status = counted.status.map_or("unreadable", |status| status.text());
        Self { status, deleted: counted.deleted, count: counted.count }
    }
}

impl StatsForm {
    fn of(place: &Place, stats: &AgentStats) -> Self {
        Self {
            database: place.to_string(),
            bytes: stats.bytes,
            connections: stats.connections.iter().map(ConnForm::from).collect(),
            rcv_queues: stats.rcv_queues.iter().map(QueueForm::from).collect(),
            snd_queues: stats.snd_queues.iter().map(QueueForm::from).collect(),
            pending_deliveries: stats.pending_deliveries,
            oldest_undelivered: stats.oldest_undelivered.map(|time| time.to_text()),
            failed: failed_form(&stats.failed),
            counted_since: stats.counted_since.map(|time| time.to_text()),
            tables: stats.tables.iter().map(|one| (one.table, one.rows)).collect(),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!("{}: {} bytes", self.database, self.bytes));
        out.line("connections:");
        for ConnForm { kind, state, count } in &self.connections {
            out.line(format_args!("  {kind}, {state}: {count}"));
        }
        for (what, queues) in
            [("receive queues", &self.rcv_queues), ("send queues", &self.snd_queues)]
        {
            out.line(format_args!("{what}:"));
            for QueueForm { status, deleted, count } in queues {
                let deleted = if *deleted { ", deleted" } else { "" };
                out.line(format_args!("  {status}{deleted}: {count}"));
            }
        }
        let oldest = self.oldest_undelivered.as_deref().unwrap_or("none");
        out.line(format_args!(
            "deliveries to be done: {}, the oldest message: {oldest}",
            self.pending_deliveries
        ));
        print_failed(&self.failed, out);
        let since = self.counted_since.as_deref().unwrap_or("never");
        out.line(format_args!("statistics of routers counted since: {since}"));
        out.line("rows:");
        for (table, rows) in &self.tables {
            out.line(format_args!("  {table:<34}{rows:>12}"));
        }
    }
}
