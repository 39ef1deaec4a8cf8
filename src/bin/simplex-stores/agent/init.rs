//! `agent init`: a database with the agent's tables.

use clap::Args;
use simplex_stores::{
    agent_store::{SchemaOptions, migrate},
    db::migrations::ConfirmMode,
};

use super::{migrate::MigratedForm, place::PlaceArgs};
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Make the database with all its tables: the file and its folder, or the schema.
///
/// A database that is there at this program's version stays as it is; one of another version is refused, for
/// `agent migrate` to bring it up to date. At a server the extension pgcrypto is made when it is missing, which
/// may take an administrator.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InitArgs, out: &mut Out) -> Result<Exit, Failure> {
    let place = args.place.place()?;
    let options = SchemaOptions { confirm: ConfirmMode::Error, create_schema: true };
    let migrated = migrate(&place.config, options, |_| false);
    let migrated = migrated.map_err(|error| place.not_migrated(error))?;
    MigratedForm::of(&place, migrated).answer(args.json, out);
    Ok(Exit::Fine)
}
