//! What lies between a program's migrations and a database's.

use super::error::PlanError;

/// A migration as a program knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name, which also says its place: names ascend.
    pub name: &'static str,
    /// The script that does it.
    pub up: &'static str,
    /// The script that undoes it, if it can be undone. It is stored with the database.
    pub down: Option<&'static str>,
}

/// A migration as a database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its name.
    pub name: String,
    /// The script that was stored to undo it, if it can be undone.
    pub down: Option<String>,
}

/// A migration of a database that can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownMigration {
    /// Its name.
    pub name: String,
    /// The stored script that undoes it.
    pub down: String,
}

/// What is to be done so that the database is as the program expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// Nothing.
    UpToDate,
    /// To apply these, in this order.
    Up(&'a [Migration]),
    /// To undo these, the last first; here they stand in ascending order.
    Down(Vec<DownMigration>),
}

/// Compares the two lists from their beginning, by names alone.
///
/// The program's list is taken in the order given; the database's is in ascending order of names.
///
/// # Errors
///
/// [`PlanError::Different`] with the first two names that differ; [`PlanError::NoDown`] when the
/// database is ahead by migrations that can't be undone.
pub fn compare<'a>(
    program: &'a [Migration],
    database: &[AppliedMigration],
) -> Result<Plan<'a>, PlanError> {
    let differing = program.iter().zip(database).find(|(ours, theirs)| ours.name != theirs.name);
    if let Some((ours, theirs)) = differing {
        return Err(PlanError::Different {
            app_migration: ours.name.to_owned(),
            db_migration: theirs.name.clone(),
        });
    }
    if let Some(missing) = program.get(database.len()..).filter(|missing| !missing.is_empty()) {
        return Ok(Plan::Up(missing));
    }
    match database.get(program.len()..) {
        Some(ahead) if !ahead.is_empty() => down(ahead),
        _ => Ok(Plan::UpToDate),
    }
}

fn down<'a>(ahead: &[AppliedMigration]) -> Result<Plan<'a>, PlanError> {
    let without = ahead.iter().filter(|migration| migration.down.is_none());
    let db_migrations: Vec<String> = without.map(|migration| migration.name.clone()).collect();
    if !db_migrations.is_empty() {
        return Err(PlanError::NoDown { db_migrations });
    }
    let undone = ahead.iter().filter_map(|migration| {
        Some(DownMigration { name: migration.name.clone(), down: migration.down.clone()? })
    });
    Ok(Plan::Down(undone.collect()))
}
