//! `replay`: reads a log into a store and says what was in it.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::ReadArgs,
    failure::{Exit, Failure},
    loading::load,
    output::Out,
    report::ReplayForm,
};

/// Replay a log without changing anything, and report what was in it.
///
/// Counts records by kind, lists what was left out with its line, and measures records a second
/// and bytes of memory a queue. Damage is reported, never refused: `verify` checks.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The log.
    log: PathBuf,
}

pub(crate) fn run(args: &ReplayArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.log, &args.read)?;
    let form = ReplayForm::of(&args.log, &loaded)
        .map_err(|error| Failure::store("counting queues", &error))?;
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(Exit::Fine)
}
