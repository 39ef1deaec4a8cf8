//! `agent`: the database of a messaging agent.

mod check;
#[cfg(feature = "testing")]
mod generate;
mod init;
mod migrate;
mod place;
mod stats;
mod status;

use clap::{Args, Subcommand};

use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Look after the database of a messaging agent, a SQLite file or a PostgreSQL schema: make it, bring it up to
/// date, look into it.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    Init(init::InitArgs),
    Migrate(migrate::MigrateArgs),
    Status(status::StatusArgs),
    Check(check::CheckArgs),
    Stats(stats::StatsArgs),
    #[cfg(feature = "testing")]
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

pub(crate) fn run(args: &AgentArgs, out: &mut Out) -> Result<Exit, Failure> {
    match &args.command {
        AgentCommand::Init(args) => init::run(args, out),
        AgentCommand::Migrate(args) => migrate::run(args, out),
        AgentCommand::Status(args) => status::run(args, out),
        AgentCommand::Check(args) => check::run(args, out),
        AgentCommand::Stats(args) => stats::run(args, out),
        #[cfg(feature = "testing")]
        AgentCommand::Generate(args) => generate::run(args, out),
    }
}
