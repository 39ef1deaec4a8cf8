//! `db check`: whether a database holds together.

use clap::Args;
use serde::Serialize;
use simplex_stores::queue_store::postgres::maintenance::{
    AggregateDrift, CheckReport, Repaired, check, repair,
};

use super::connect::DatabaseArgs;
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Read every queue of a database, and compare the counts and hashes of services with the queues.
///
/// Ends with exit code 1 when something does not hold. With --repair the counts and hashes are computed afresh
/// first, also of services without queues, and statuses that lost their quotes in an import of the
/// reference's get them back; rows that cannot be read are only named.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Store the counts and hashes of services afresh, and the quotes of statuses.
    #[arg(long)]
    repair: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct CheckForm {
    schema: String,
    holds: bool,
    queues: u64,
    deleted: u64,
    /// Rows that can be read, and say it in another form than this program writes.
    odd: u64,
    repaired_services: Option<u64>,
    repaired_statuses: Option<u64>,
    drifted_services: Vec<DriftForm>,
    unreadable_total: u64,
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DriftForm {
    service_id: String,
    stored_count: i64,
    actual_count: i64,
    same_hash: bool,
}

pub(crate) fn run(args: &CheckArgs, out: &mut Out) -> Result<Exit, Failure> {
    let database = args.database.config()?;
    let repaired = if args.repair { Some(repair(&database)?) } else { None };
    let form = CheckForm::of(args.database.schema(), &check(&database)?, repaired);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(if form.holds { Exit::Fine } else { Exit::DoesNotHold })
}

impl From<&AggregateDrift> for DriftForm {
    fn from(drift: &AggregateDrift) -> Self {
        Self {
            service_id: drift.service_id.clone(),
            stored_count: drift.stored,
            actual_count: drift.actual,
            same_hash: drift.same_hash,
        }
    }
}

impl CheckForm {
    fn of(schema: &str, report: &CheckReport, repaired: Option<Repaired>) -> Self {
        Self {
            schema: schema.to_owned(),
            holds: report.holds(),
            queues: report.queues,
            deleted: report.deleted,
            odd: report.odd,
            repaired_services: repaired.map(|repaired| repaired.services),
            repaired_statuses: repaired.map(|repaired| repaired.statuses),
            drifted_services: report.drifted.iter().map(DriftForm::from).collect(),
            unreadable_total: report.unreadable_total,
            unreadable: report.unreadable.iter().map(ToString::to_string).collect(),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "the schema {}: {} queues read, {} deleted and not removed yet, {} written in another \
             form",
            self.schema, self.queues, self.deleted, self.odd
        ));
        if let (Some(services), Some(statuses)) = (self.repaired_services, self.repaired_statuses) {
            out.line(format_args!("repaired: {services} services, {statuses} statuses"));
        }
        out.line(format_args!("services that drifted: {}", self.drifted_services.len()));
        for drift in &self.drifted_services {
            let DriftForm { service_id, stored_count, actual_count, same_hash } = drift;
            let hash = if *same_hash { "the same hash" } else { "another hash" };
            out.line(format_args!(
                "  service {service_id}: {stored_count} queues stored, {actual_count} there, {hash}"
            ));
        }
        out.line(format_args!("rows that can't be read: {}", self.unreadable_total));
        for row in &self.unreadable {
            out.line(format_args!("  {row}"));
        }
        out.line(if self.holds { "everything holds" } else { "something does not hold" });
    }
}
