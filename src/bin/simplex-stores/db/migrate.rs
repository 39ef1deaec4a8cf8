//! `db migrate`: a schema to this program's version.

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    db::{migrations::Migrated, postgres::CreateSchema},
    queue_store::postgres::{SchemaOptions, migrate},
};

use super::connect::DatabaseArgs;
use crate::{
    failure::{Exit, Failure},
    migrating::{self, ConfirmArgs},
    output::Out,
};

/// Bring a schema to this program's version.
///
/// Without --up, --up-down or --ask nothing is changed: what would have to be is said, with exit code 1.
/// Each migration is a transaction: when one fails, those before it stay.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &MigrateArgs, out: &mut Out) -> Result<Exit, Failure> {
    let options = SchemaOptions { create: CreateSchema::Never, confirm: args.confirm.mode() };
    let migrated = migrate(&args.database.config()?, options, migrating::ask)?;
    MigratedForm::of(args.database.schema(), migrated).answer(args.json, out);
    Ok(Exit::Fine)
}

/// What was done to a schema.
#[derive(Debug, Serialize)]
pub(crate) struct MigratedForm {
    schema: String,
    applied: Vec<String>,
    undone: Vec<String>,
}

impl MigratedForm {
    pub(crate) fn of(schema: &str, migrated: Migrated) -> Self {
        let (applied, undone) = migrating::names(migrated);
        Self { schema: schema.to_owned(), applied, undone }
    }

    pub(crate) fn answer(&self, json: bool, out: &mut Out) {
        if json {
            return out.json(self);
        }
        migrating::print(&self.applied, &self.undone, out);
        out.line(format_args!("the schema {} is at this program's version", self.schema));
    }
}
