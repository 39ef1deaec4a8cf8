//! `man`: manual pages, one on standard output or all into a folder.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::{
    cli::Cli,
    failure::{Exit, Failure},
    output::Out,
};

/// Print the manual page, or write it and one for each command into a folder.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write all pages into this folder, which is made when missing.
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, out: &mut Out) -> Result<Exit, Failure> {
    match &args.dir {
        Some(dir) => {
            fs::create_dir_all(dir).map_err(Failure::writing(dir))?;
            clap_mangen::generate_to(Cli::command(), dir).map_err(Failure::writing(dir))?;
            out.line(format_args!("manual pages written to {}", dir.display()));
        }
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page).map_err(Failure::from_output)?;
            out.bytes(&page);
        }
    }
    Ok(Exit::Fine)
}
