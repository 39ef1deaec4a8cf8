//! The command line as clap sees it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use simplex_stores::{
    protocol::Semantics,
    store_log::{Durability, OnDamage},
};

use crate::{
    compact::CompactArgs, completions::CompletionsArgs, demo::DemoArgs, dump::DumpArgs,
    failure::EXIT_CODES, generate::GenerateArgs, man::ManArgs, ntf::NtfArgs, races::RacesArgs,
    replay::ReplayArgs, stress::StressArgs, trace::TraceArgs, verify::VerifyArgs,
};

/// Work with the store logs of a SimpleX router, and with the files of a notification server: replay, check,
/// dump, compact, make and exercise them.
#[derive(Debug, Parser)]
#[command(name = "simplex-stores", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Say more on stderr: warnings, then information, then details (RUST_LOG overrides).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Replay(ReplayArgs),
    Verify(VerifyArgs),
    Dump(DumpArgs),
    Compact(CompactArgs),
    #[cfg(feature = "postgres")]
    Import(crate::db::import::ImportArgs),
    #[cfg(feature = "postgres")]
    Export(crate::db::export::ExportArgs),
    #[cfg(feature = "postgres")]
    Db(crate::db::DbArgs),
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Agent(crate::agent::AgentArgs),
    Generate(GenerateArgs),
    Stress(StressArgs),
    Trace(TraceArgs),
    Ntf(NtfArgs),
    Races(RacesArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// How a log is read: shared by the commands that read one.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    /// Whose answers: strict ones, or the reference's with its defects.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) semantics: SemanticsArg,
    /// Compare the log with its integrity sidecar LOG.integrity first.
    #[arg(long)]
    pub(crate) integrity: bool,
}

/// The semantics of a store, as an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SemanticsArg {
    /// One sane answer, and no live queue is lost.
    #[default]
    Strict,
    /// The reference's answers, byte for byte.
    Reference,
}

impl From<SemanticsArg> for Semantics {
    fn from(arg: SemanticsArg) -> Self {
        match arg {
            SemanticsArg::Strict => Self::Strict,
            SemanticsArg::Reference => Self::Reference,
        }
    }
}

/// When a change counts as written, as an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// At once; a crash of the process may lose the last few.
    Memory,
    /// When the operating system has it; a power loss may lose the last few.
    #[default]
    Flush,
    /// When it is on stable storage.
    Fsync,
}

impl From<DurabilityArg> for Durability {
    fn from(arg: DurabilityArg) -> Self {
        match arg {
            DurabilityArg::Memory => Self::Memory,
            DurabilityArg::Flush => Self::Flush,
            DurabilityArg::Fsync => Self::Fsync,
        }
    }
}

/// What to do about lines that cannot be read, as an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDamageArg {
    /// Change nothing and end with exit code 4.
    Refuse,
    /// Leave them out, and keep the original beside the log.
    Skip,
    /// Refuse where the integrity sidecar proves damage, else skip.
    #[default]
    RefuseIfProven,
}

impl From<OnDamageArg> for OnDamage {
    fn from(arg: OnDamageArg) -> Self {
        match arg {
            OnDamageArg::Refuse => Self::Refuse,
            OnDamageArg::Skip => Self::Skip,
            OnDamageArg::RefuseIfProven => Self::RefuseIfProven,
        }
    }
}
