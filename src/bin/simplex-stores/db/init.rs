//! `db init`: the schema with its tables.

use clap::Args;
use simplex_stores::{
    db::{migrations::ConfirmMode, postgres::CreateSchema},
    queue_store::postgres::{SchemaOptions, migrate},
};

use super::{connect::DatabaseArgs, migrate::MigratedForm};
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Make the schema with all its tables.
///
/// A schema that is there at this program's version stays as it is; one of another version is refused, for
/// `db migrate` to bring it up to date. The extension pgcrypto is made when it is missing, which may take an
/// administrator.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InitArgs, out: &mut Out) -> Result<Exit, Failure> {
    let options = SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::Error };
    let migrated = migrate(&args.database.config()?, options, |_| false)?;
    MigratedForm::of(args.database.schema(), migrated).answer(args.json, out);
    Ok(Exit::Fine)
}
