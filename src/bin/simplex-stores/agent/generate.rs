//! `agent generate`: a database to test with (feature `testing`).

use std::time::Instant;

use clap::Args;
use serde::Serialize;
use simplex_stores::testing::agent::{FillError, Shape, fill};

use super::place::{Place, PlaceArgs};
use crate::{
    failure::{Exit, Failure},
    output::Out,
    progress,
};

/// Make a database to test with: the same seed makes the same rows.
///
/// Connections of every kind with their queues, messages, deliveries, ratchets, commands, subscriptions, files
/// and services. The database is made when it isn't there, and has to be empty.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// How many connections there are.
    #[arg(long, short)]
    connections: u32,
    /// How many messages each of them has.
    #[arg(long, short, default_value_t = 10)]
    messages: u32,
    /// What the rows are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct GenerateForm {
    database: String,
    seed: u64,
    connections: u64,
    messages: u64,
    rows: u64,
    seconds: f64,
}

pub(crate) fn run(args: &GenerateArgs, out: &mut Out) -> Result<Exit, Failure> {
    let place = args.place.place()?;
    let started = Instant::now();
    let bar = progress::count_bar(args.connections.into());
    bar.set_message("generating");
    let GenerateArgs { connections, messages, seed, .. } = *args;
    let shape = Shape { connections, messages, seed };
    let filled = fill(&place.config, &shape, |done| bar.set_position(done));
    bar.finish_and_clear();
    let filled = filled.map_err(|error| not_filled(&place, error))?;
    let form = GenerateForm {
        database: place.to_string(),
        seed,
        connections: filled.connections,
        messages: filled.messages,
        rows: filled.rows,
        seconds: started.elapsed().as_secs_f64(),
    };
    match args.json {
        true => out.json(&form),
        false => out.line(format_args!(
            "{}: {} connections, {} messages, {} rows",
            form.database, form.connections, form.messages, form.rows
        )),
    }
    Ok(Exit::Fine)
}

fn not_filled(place: &Place, error: FillError) -> Failure {
    match error {
        FillError::Open(error) => place.not_migrated(error),
        FillError::Database(error) => place.failed(error),
        FillError::NotEmpty => Failure::usage(format!("{place}: {error}")),
        error => Failure::broken(&error.to_string()),
    }
}
