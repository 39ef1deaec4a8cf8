//! The command line of simplex-stores: replay, check, dump, compact, make and exercise store logs.
//!
//! One file per subcommand; what they share is in [`forms`] (the JSON forms), [`loading`] (a log
//! into a store), [`load`] (concurrent random work), [`recorded`] (recorded runs), [`output`], [`progress`] and [`failure`] (exit
//! codes).

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod agent;
mod cli;
mod compact;
mod completions;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_url;
#[cfg(feature = "postgres")]
mod db;
mod demo;
mod dice;
mod dump;
mod failure;
mod files;
mod forms;
mod generate;
mod load;
mod loading;
mod man;
mod memory;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod migrating;
mod ntf;
mod output;
mod progress;
mod races;
mod recorded;
mod replay;
mod report;
mod stress;
mod trace;
mod verify;

use std::{io::Write, process::ExitCode};

use clap::Parser;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use cli::{Cli, Command};
use failure::{Exit, Failure};
use output::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_tracing(cli.verbose);
    let mut out = Out::new();
    let outcome = run(&cli.command, &mut out);
    let written = out.finish();
    match outcome.and_then(|exit| written.map(|()| exit).map_err(Failure::from_output)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            failure.exit().into()
        }
    }
}

fn run(command: &Command, out: &mut Out) -> Result<Exit, Failure> {
    match command {
        Command::Replay(args) => replay::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Dump(args) => dump::run(args, out),
        Command::Compact(args) => compact::run(args, out),
        #[cfg(feature = "postgres")]
        Command::Import(args) => db::import::run(args, out),
        #[cfg(feature = "postgres")]
        Command::Export(args) => db::export::run(args, out),
        #[cfg(feature = "postgres")]
        Command::Db(args) => db::run(args, out),
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        Command::Agent(args) => agent::run(args, out),
        Command::Generate(args) => generate::run(args, out),
        Command::Stress(args) => stress::run(args, out),
        Command::Trace(args) => trace::run(args, out),
        Command::Ntf(args) => ntf::run(args, out),
        Command::Races(args) => races::run(args, out),
        Command::Demo(args) => demo::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
    }
}

/// Diagnostics go to stderr: errors always, more with `-v`; `RUST_LOG` overrides both.
fn start_tracing(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::WARN,
        2 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}
