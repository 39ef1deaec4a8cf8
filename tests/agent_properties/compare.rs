//! What two outcomes of a history have to have in common.

use std::collections::BTreeSet;

use simplex_stores::agent_store::maintenance::CheckReport;
use simplex_stores::testing::agent_store::{AgentOp, Answer, History};

use crate::pair::Outcome;

/// Where the databases differ as the specification says, under `Reference` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Documented {
    /// The queues that are taken from a service: on PostgreSQL all of the user's on the router (AS-49).
    Q4,
    /// A connection that can't be read fails the loading of many on PostgreSQL; its transaction with it, so
    /// that what comes after is not compared.
    As51,
}

impl Documented {
    pub(crate) const ALL: [Self; 2] = [Self::Q4, Self::As51];

    /// The difference that this is one of.
    fn of(op: Option<&AgentOp>, sqlite: &Answer, postgres: &Answer) -> Option<Self> {
        match (op?.name(), sqlite, postgres) {
            ("UnassocQueueSubs", Answer::Value(_), Answer::Value(_)) => Some(Self::Q4),
            (
                "GetConns" | "GetConnSubs" | "GetDeletedConns" | "GetConnsData",
                Answer::Value(_),
                Answer::Failed(_),
            ) => Some(Self::As51),
            _ => None,
        }
    }
}

/// Compares each answer, then each row of each table, and what was found by the checks; gives the documented
/// differences, if there may be any, or says where there is another.
pub(crate) fn compare(
    history: &History,
    (sqlite, postgres): (&Outcome, &Outcome),
    may_differ: bool,
) -> Result<BTreeSet<Documented>, String> {
    let mut met = BTreeSet::new();
    for (transaction, answers) in history.0.iter().zip(sqlite.answers.iter().zip(&postgres.answers))
    {
        for (at, (one, other)) in answers.0.iter().zip(answers.1).enumerate() {
            if one == other {
                continue;
            }
            // After the operations there is the transaction's own answer.
            let op = transaction.ops.get(at);
            let documented = Documented::of(op, one, other).filter(|_| may_differ);
            let Some(documented) = documented else {
                return Err(format!("{op:?}\n{one:?}\n{other:?}\nin {transaction:?}"));
            };
            met.insert(documented);
            if documented == Documented::As51 {
                return Ok(met);
            }
        }
        if answers.0.len() != answers.1.len() {
            return Err(format!("{answers:?}\nin {transaction:?}"));
        }
    }
    for (table, rows) in &sqlite.rows {
        let others = &postgres.rows[table];
        if rows != others {
            return Err(format!("the rows of {table}\n{rows:?}\n{others:?}"));
        }
    }
    match (&sqlite.report, &postgres.report) {
        (Some(one), Some(other)) if found(one) != found(other) => {
            Err(format!("what checks found\n{:?}\n{:?}", found(one), found(other)))
        }
        _ => Ok(met),
    }
}

fn found(report: &CheckReport) -> BTreeSet<(&str, &str, u64)> {
    let each = report.findings.iter();
    each.map(|finding| (finding.table, &*finding.problem, finding.count)).collect()
}
