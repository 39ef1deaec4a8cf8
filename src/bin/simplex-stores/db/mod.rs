//! `db`, `import` and `export`: the database of a router, and moving its queues there and back.

mod check;
mod compact;
pub(crate) mod connect;
mod content;
pub(crate) mod export;
pub(crate) mod import;
mod init;
mod migrate;
mod status;

use clap::{Args, Subcommand};

use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Look after the PostgreSQL database of a router: make its schema, bring it up to date, look into it.
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    Init(init::InitArgs),
    Migrate(migrate::MigrateArgs),
    Status(status::StatusArgs),
    Check(check::CheckArgs),
    Compact(compact::CompactArgs),
}

pub(crate) fn run(args: &DbArgs, out: &mut Out) -> Result<Exit, Failure> {
    match &args.command {
        DbCommand::Init(args) => init::run(args, out),
        DbCommand::Migrate(args) => migrate::run(args, out),
        DbCommand::Status(args) => status::run(args, out),
        DbCommand::Check(args) => check::run(args, out),
        DbCommand::Compact(args) => compact::run(args, out),
    }
}
