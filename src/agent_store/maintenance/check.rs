//! Whether a database holds together.

use super::failed::{FailedItems, failed_items};
use super::finding::{Finding, Severity, key, shown};
use super::readable::{self, Readable};
use super::rules::{self, Rule};
use super::{services, status};
use crate::db::{DatabaseConfig, DbError, DbErrorKind, Dialect, Sql, Tx};

/// SQLite's own; it stops at a hundred problems.
const INTEGRITY: Sql =
    Sql::new("SQLite's integrity check", "SELECT integrity_check FROM pragma_integrity_check");
const FOREIGN_KEYS: Sql = Sql::new(
    "SQLite's check of foreign keys",
    "SELECT \"table\" AS child, count(*) AS count FROM pragma_foreign_key_check GROUP BY 1",
);

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckProgress {
    /// What is looked at now.
    pub doing: &'static str,
    /// How many steps are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many rules were looked at.
    pub rules: u64,
    /// How many rows were read column by column.
    pub rows: u64,
    /// What was found, damage first.
    pub findings: Vec<Finding>,
    /// Work that was marked as failed, by kind; it is no damage.
    pub failed: Vec<FailedItems>,
}

impl CheckReport {
    /// Whether nothing is damaged. Leftovers are none.
    pub fn holds(&self) -> bool {
        self.count(Severity::Damage) == 0
    }

    /// How many rows were found so.
    pub fn count(&self, severity: Severity) -> u64 {
        let found = self.findings.iter().filter(|finding| finding.severity == severity);
        found.map(|finding| finding.count).sum()
    }
}

/// Looks at everything that has to hold in a database, as it is at one moment, and changes nothing: on SQLite
/// its own integrity check; every reference, with a foreign key or without; message numbers, hashes, counts and
/// flags against the rows that they are about; and every column whose type isn't just bytes.
///
/// Rows are read one at a time, and of what is found a count and the first hundred keys are kept for each rule.
/// What can't be read at all, because the file is damaged, is a finding too, and the check goes on with what
/// can. On SQLite, other processes can't commit meanwhile.
///
/// # Errors
///
/// What the database refused; [`DbErrorKind::Schema`] when it isn't at this program's version,
/// [`DbErrorKind::Damaged`] when it is no database.
pub fn check(
    config: &DatabaseConfig,
    progress: impl FnMut(CheckProgress),
) -> Result<CheckReport, DbError> {
    config.snapshot("checking", |tx| {
        status::require(tx)?;
        let sqlite = u64::from(tx.dialect() == Dialect::Sqlite);
        let (rules, tables) = (rules::all().count() as u64, readable::TABLES.len() as u64);
        let total = rules + tables + 2 * sqlite + 2;
        let mut checker = Checker { progress, done: 0, total, report: CheckReport::default() };
        checker.run(tx)?;
        let mut report = checker.report;
        report.rules = total;
        report.findings.sort_by_key(|finding| finding.severity);
        Ok(report)
    })
}

struct Checker<P> {
    progress: P,
    done: u64,
    total: u64,
    report: CheckReport,
}

impl<P: FnMut(CheckProgress)> Checker<P> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let mut references = true;
        if tx.dialect() == Dialect::Sqlite {
            self.integrity(tx)?;
            references = self.foreign_keys(tx)?;
        }
        for rule in rules::REFERENCES {
            // What SQLite itself found whole needs no other look.
            if references { self.rule(tx, rule)? } else { self.step("references") }
        }
        for rule in rules::others() {
            self.rule(tx, rule)?;
        }
        for table in readable::TABLES {
            self.readable(tx, table)?;
        }
        self.step("services");
        let found = self.part(tx, "client_services", services::drifted)?;
        self.keep(found.into_iter());
        self.step("failed work");
        self.report.failed = self.part(tx, "failed", failed_items)?.unwrap_or_default();
        Ok(())
    }

    fn step(&mut self, doing: &'static str) {
        (self.progress)(CheckProgress { doing, done: self.done, total: self.total });
        self.done += 1;
    }

    fn keep(&mut self, findings: impl Iterator<Item = Finding>) {
        self.report.findings.extend(findings.filter(|finding| finding.count > 0));
    }

    /// Runs a part behind a savepoint; that it can't read what it should is a finding.
    fn part<T>(
        &mut self,
        tx: &mut Tx<'_>,
        table: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        match tx.savepoint(work) {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_damage(&error) => {
                let advice = "restore a backup, or copy what can be read into a new database";
                let problem = format!("can't be read: {}", error.message());
                let mut finding = Finding::new(Severity::Damage, table, problem, advice);
                finding.add(|| Ok(error.doing().to_owned()))?;
                self.keep(std::iter::once(finding));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn integrity(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        self.step("SQLite's own check");
        let advice = "restore a backup, or copy what can be read into a new database";
        let problem = "SQLite's own check found";
        let mut finding = Finding::new(Severity::Damage, "the file", problem, advice);
        self.part(tx, "the file", |tx| {
            tx.query_each(&INTEGRITY, &[], |row| match row.next("sqlite.integrity_check")? {
                "ok" => Ok(()),
                problem => finding.add(|| Ok(shown(problem))),
            })
        })?;
        self.keep(std::iter::once(finding));
        Ok(())
    }

    /// Whether there is a reference for the rules to name.
    fn foreign_keys(&mut self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        self.step("SQLite's own check of foreign keys");
        let broken = self.part(tx, "the file", |tx| {
            let mut broken = false;
            tx.query_each(&FOREIGN_KEYS, &[], |_| {
                broken = true;
                Ok(())
            })?;
            Ok(broken)
        })?;
        Ok(broken.unwrap_or(true))
    }

    fn rule(&mut self, tx: &mut Tx<'_>, rule: &Rule) -> Result<(), DbError> {
        self.step(rule.table);
        let mut finding = Finding::new(rule.severity, rule.table, rule.problem, rule.advice);
        self.part(tx, rule.table, |tx| {
            tx.query_each(&rule.find, &[], |row| finding.add(|| key(row, rule.key)))
        })?;
        self.keep(std::iter::once(finding));
        Ok(())
    }

    fn readable(&mut self, tx: &mut Tx<'_>, table: &Readable) -> Result<(), DbError> {
        self.step(table.name);
        let mut reader = table.reader();
        let rows = self.part(tx, table.name, |tx| reader.read(tx))?;
        self.report.rows += rows.unwrap_or_default();
        self.keep(reader.findings.into_values());
        Ok(())
    }
}

/// Whether it says that something is damaged, and not that something can't be done now.
fn is_damage(error: &DbError) -> bool {
    match error.kind() {
        DbErrorKind::Damaged | DbErrorKind::Row { .. } => true,
        // Damaged data, and a damaged index.
        _ => matches!(error.sqlstate(), Some("XX001" | "XX002")),
    }
}
