//! `db status`: what state a database is in.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;
use simplex_stores::queue_store::postgres::maintenance::{DatabaseCounts, DatabaseStatus, status};

use super::connect::DatabaseArgs;
use crate::{
    failure::{Exit, Failure},
    migrating,
    output::Out,
};

/// Look at a database without changing it: the server, the schema and its migrations, counts and sizes.
///
/// Ends with exit code 1 when the schema isn't there or isn't at this program's version.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct StatusForm {
    ready: bool,
    server: String,
    schema: String,
    exists: bool,
    applied: Vec<String>,
    pending: Vec<String>,
    unknown: Vec<String>,
    problem: Option<String>,
    counts: Option<CountsForm>,
    /// Bytes of each table, indexes included.
    tables: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct CountsForm {
    queues: u64,
    notifiers: u64,
    links: u64,
    deleted: u64,
    services: u64,
    messages: u64,
}

pub(crate) fn run(args: &StatusArgs, out: &mut Out) -> Result<Exit, Failure> {
    let form = StatusForm::from(status(&args.database.config()?)?);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(if form.ready { Exit::Fine } else { Exit::DoesNotHold })
}

impl From<DatabaseStatus> for StatusForm {
    fn from(status: DatabaseStatus) -> Self {
        Self {
            ready: status.is_ready(),
            server: status.server,
            schema: status.schema,
            exists: status.exists,
            applied: status.applied,
            pending: status.pending,
            unknown: status.unknown,
            problem: status.problem.map(|problem| problem.to_string()),
            counts: status.counts.map(CountsForm::from),
            tables: status.tables.into_iter().map(|one| (one.table, one.bytes)).collect(),
        }
    }
}

impl From<DatabaseCounts> for CountsForm {
    fn from(counts: DatabaseCounts) -> Self {
        Self {
            queues: counts.queues,
            notifiers: counts.notifiers,
            links: counts.links,
            deleted: counts.deleted,
            services: counts.services,
            messages: counts.messages,
        }
    }
}

impl StatusForm {
    fn print(&self, out: &mut Out) {
        out.line(format_args!("server: PostgreSQL {}", self.server));
        out.line(format_args!("schema: {}, {}", self.schema, self.verdict()));
        migrating::print_lists(&self.applied, &self.pending, &self.unknown, out);
        if let Some(counts) = &self.counts {
            out.line(format_args!(
                "state: {} queues, {} notifiers, {} links, {} services, {} messages",
                counts.queues, counts.notifiers, counts.links, counts.services, counts.messages
            ));
            out.line(format_args!("deleted and not removed yet: {} queues", counts.deleted));
        }
        for (table, bytes) in &self.tables {
            out.line(format_args!("  {table:<14}{bytes:>14} bytes"));
        }
    }

    fn verdict(&self) -> String {
        if let Some(problem) = &self.problem {
            return problem.clone();
        }
        let verdict = match (self.exists, self.pending.is_empty(), self.unknown.is_empty()) {
            (false, ..) => "not there; `db init` makes it",
            (_, false, _) => "older than this program; `db migrate --up` brings it up to date",
            (.., false) => "newer than this program",
            _ => "at this program's version",
        };
        verdict.to_owned()
    }
}
