//! `db migrate`: a schema to this program's version.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    db::{
        migrations::{ConfirmMode, Migrated, Question},
        postgres::CreateSchema,
    },
    queue_store::postgres::{SchemaOptions, migrate},
};

use super::connect::DatabaseArgs;
use crate::{
    failure::{Exit, Failure},
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
    /// Apply the migrations that the schema lacks.
    #[arg(long)]
    up: bool,
    /// Also undo migrations that this program doesn't know, where they can be undone.
    #[arg(long, conflicts_with = "up")]
    up_down: bool,
    /// Ask before anything is changed.
    #[arg(long, conflicts_with_all = ["up", "up_down"])]
    ask: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl MigrateArgs {
    fn mode(&self) -> ConfirmMode {
        match (self.up, self.up_down, self.ask) {
            (true, ..) => ConfirmMode::YesUp,
            (_, true, _) => ConfirmMode::YesUpDown,
            (.., true) => ConfirmMode::Console,
            _ => ConfirmMode::Error,
        }
    }
}

pub(crate) fn run(args: &MigrateArgs, out: &mut Out) -> Result<Exit, Failure> {
    let options = SchemaOptions { create: CreateSchema::Never, confirm: args.mode() };
    let migrated = migrate(&args.database.config()?, options, ask)?;
    MigratedForm::of(args.database.schema(), migrated).answer(args.json, out);
    Ok(Exit::Fine)
}

/// Asks on stderr; the answer is a line on standard input, and its end is a no.
fn ask(question: &Question<'_>) -> bool {
    let text = match question {
        Question::Up(migrations) => {
            let names: Vec<_> = migrations.iter().map(|one| one.name).collect();
            format!("apply {}?", names.join(", "))
        }
        Question::Down(migrations) => {
            let names: Vec<_> = migrations.iter().map(|one| one.name.as_str()).collect();
            format!("undo {}? Data that only they have place for are lost", names.join(", "))
        }
        Question::Disagree(_) => return true,
    };
    let _ = write!(io::stderr(), "{text} (yes/no) ");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "yes" | "y")
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
        let (applied, undone) = match migrated {
            Migrated::UpToDate => (Vec::new(), Vec::new()),
            Migrated::Up(names) => (names, Vec::new()),
            Migrated::Down(names) => (Vec::new(), names),
        };
        Self { schema: schema.to_owned(), applied, undone }
    }

    pub(crate) fn answer(&self, json: bool, out: &mut Out) {
        if json {
            return out.json(self);
        }
        for name in &self.applied {
            out.line(format_args!("applied {name}"));
        }
        for name in &self.undone {
            out.line(format_args!("undid {name}"));
        }
        out.line(format_args!("the schema {} is at this program's version", self.schema));
    }
}
