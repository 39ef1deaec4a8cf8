//! `db compact`: removes what was deleted long ago.

use clap::Args;
use serde::Serialize;
use simplex_stores::queue_store::postgres::maintenance::{Retention, purge};

use super::connect::DatabaseArgs;
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Remove queues that were deleted longer ago than some days, with their messages.
///
/// Nothing goes early: a row of the reference has only the day of its deletion, which counts from that day's
/// end; one written under strict semantics has the second, and goes a day late. A router may be running.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// How many days a deleted queue stays.
    #[arg(long, value_name = "N", default_value_t = 21)]
    retention_days: u32,
    /// Mean it when the days are fewer than seven.
    #[arg(long)]
    short_retention: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct CompactForm {
    schema: String,
    retention_days: u32,
    removed: u64,
}

pub(crate) fn run(args: &CompactArgs, out: &mut Out) -> Result<Exit, Failure> {
    let retention = Retention::days(args.retention_days);
    if retention.is_short() && !args.short_retention {
        return Err(Failure::usage(format!(
            "--retention-days {}: deleted queues would be gone within a week; if that is meant, say so \
             with --short-retention",
            args.retention_days
        )));
    }
    let form = CompactForm {
        schema: args.database.schema().to_owned(),
        retention_days: args.retention_days,
        removed: purge(&args.database.config()?, retention)?,
    };
    match args.json {
        true => out.json(&form),
        false => out.line(format_args!(
            "the schema {}: removed {} queues that were deleted more than {} days ago",
            form.schema, form.removed, form.retention_days
        )),
    }
    Ok(Exit::Fine)
}
