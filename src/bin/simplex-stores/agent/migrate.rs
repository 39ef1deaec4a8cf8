//! `agent migrate`: a database to this program's version.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    agent_store::{SchemaOptions, migrate},
    db::{DatabaseConfig, migrations::Migrated},
};

use super::place::{Place, PlaceArgs};
use crate::{
    failure::{Exit, Failure},
    migrating::{self, ConfirmArgs},
    output::Out,
};

/// Bring a database to this program's version.
///
/// Without --up, --up-down or --ask nothing is changed: what would have to be is said, with exit code 1.
/// Each migration is a transaction: when one fails, those before it stay. A file is copied before it is
/// changed, under its name with `.bak` appended; an earlier copy is replaced.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// The folder for the copy of a file; without it, the file's own.
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_backup")]
    backup: Option<PathBuf>,
    /// Make no copy of a file.
    #[arg(long)]
    no_backup: bool,
    /// Compact a file after migrations were applied.
    #[arg(long)]
    vacuum: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &MigrateArgs, out: &mut Out) -> Result<Exit, Failure> {
    let mut place = args.place.existing()?;
    place.config = args.configured(place.config);
    let options = SchemaOptions { confirm: args.confirm.mode(), create_schema: false };
    let migrated = migrate(&place.config, options, migrating::ask);
    let migrated = migrated.map_err(|error| place.not_migrated(error))?;
    MigratedForm::of(&place, migrated).answer(args.json, out);
    Ok(Exit::Fine)
}

impl MigrateArgs {
    fn configured(&self, config: DatabaseConfig) -> DatabaseConfig {
        match config {
            #[cfg(feature = "sqlite")]
            DatabaseConfig::Sqlite(config) => {
                let config = config.vacuum_after_migration(self.vacuum);
                DatabaseConfig::Sqlite(match self.no_backup {
                    true => config,
                    false => config.backup_into(self.backup.clone().unwrap_or_default()),
                })
            }
            config => config,
        }
    }
}

/// What was done to a database.
#[derive(Debug, Serialize)]
pub(crate) struct MigratedForm {
    database: String,
    applied: Vec<String>,
    undone: Vec<String>,
}

impl MigratedForm {
    pub(crate) fn of(place: &Place, migrated: Migrated) -> Self {
        let (applied, undone) = migrating::names(migrated);
        Self { database: place.to_string(), applied, undone }
    }

    pub(crate) fn answer(&self, json: bool, out: &mut Out) {
        if json {
            return out.json(self);
        }
        migrating::print(&self.applied, &self.undone, out);
        out.line(format_args!("{} is at this program's version", self.database));
    }
}
