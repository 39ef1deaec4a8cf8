//! How much work is done, as the stress commands ask for it.

use std::time::Duration;

use clap::Args;

use super::{End, Plan};

/// So many threads at most; more only wait for each other.
const MAX_THREADS: u64 = 1024;

// No doc comment: it would take the place of the command's own in its help.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// How many threads work.
    #[arg(long, short, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=MAX_THREADS))]
    threads: u64,
    /// How long they work.
    #[arg(long, short, default_value_t = 5, conflicts_with = "operations")]
    seconds: u64,
    /// How much they do in all, instead of how long.
    #[arg(long, short)]
    operations: Option<u64>,
    /// What the work is made from. (What threads do to each other differs from run to run.)
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

impl LoadArgs {
    /// What these options ask for.
    pub(crate) fn plan(&self) -> Plan {
        let end = match self.operations {
            Some(operations) => End::Operations(operations),
            None => End::After(Duration::from_secs(self.seconds)),
        };
        let threads = usize::try_from(self.threads).unwrap_or(1);
        Plan { threads, seed: self.seed, end }
    }
}
