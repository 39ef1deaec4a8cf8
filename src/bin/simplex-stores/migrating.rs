//! Bringing a database to the program's version: what may be done, asking, and what was done.

use std::io::{self, Write};

use clap::Args;
use simplex_stores::db::migrations::{ConfirmMode, Migrated, Question};

use crate::output::Out;

/// What may be done to a database.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// Apply the migrations that the schema lacks.
    #[arg(long)]
    up: bool,
    /// Also undo migrations that this program doesn't know, where they can be undone.
    #[arg(long, conflicts_with = "up")]
    up_down: bool,
    /// Ask before anything is changed.
    #[arg(long, conflicts_with_all = ["up", "up_down"])]
    ask: bool,
}

impl ConfirmArgs {
    pub(crate) fn mode(self) -> ConfirmMode {
        match (self.up, self.up_down, self.ask) {
            (true, ..) => ConfirmMode::YesUp,
            (_, true, _) => ConfirmMode::YesUpDown,
            (.., true) => ConfirmMode::Console,
            _ => ConfirmMode::Error,
        }
    }
}

/// Asks on stderr; the answer is a line on standard input, and its end is a no.
pub(crate) fn ask(question: &Question<'_>) -> bool {
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

/// The names of what was applied, and of what was undone.
pub(crate) fn names(migrated: Migrated) -> (Vec<String>, Vec<String>) {
    match migrated {
        Migrated::UpToDate => (Vec::new(), Vec::new()),
        Migrated::Up(names) => (names, Vec::new()),
        Migrated::Down(names) => (Vec::new(), names),
    }
}

/// Prints these names.
pub(crate) fn print(applied: &[String], undone: &[String], out: &mut Out) {
    for name in applied {
        out.line(format_args!("applied {name}"));
    }
    for name in undone {
        out.line(format_args!("undid {name}"));
    }
}

/// Prints which migrations a database has, and which not.
pub(crate) fn print_lists(
    applied: &[String],
    pending: &[String],
    unknown: &[String],
    out: &mut Out,
) {
    for (what, names) in [("applied", applied), ("pending", pending), ("unknown", unknown)] {
        out.line(format_args!("migrations {what}: {}", names.len()));
        names.iter().for_each(|name| out.line(format_args!("  {name}")));
    }
}
