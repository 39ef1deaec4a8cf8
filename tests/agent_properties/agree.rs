//! Both databases give the same answers, leave the same rows, and hold together.

use std::collections::BTreeSet;

use quickcheck::{Arbitrary as _, Gen, QuickCheck};
use simplex_stores::db::{Sql, Texts};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::agent_store::{AgentOp, History, columns};

use crate::compare::{Documented, compare};
use crate::explained::unexplained;
use crate::pair::Pair;

/// How many transactions a history has, beside the one that it begins with.
pub(crate) const LENGTH: usize = 20;

thread_local! {
    static STRICT: Pair = Pair::open(Semantics::Strict);
    static REFERENCE: Pair = Pair::open(Semantics::Reference);
}

fn check(property: fn(History) -> Result<(), String>) {
    let histories = std::env::var("SIMPLEX_STORES_HISTORIES").ok().and_then(|n| n.parse().ok());
    QuickCheck::new().tests(histories.unwrap_or(30)).rng(Gen::new(LENGTH)).quickcheck(property);
}

/// Runs a history on both: what differs, or is found and not explained, is an error.
fn agree(pair: &Pair, history: &History, may_differ: bool) -> Result<BTreeSet<Documented>, String> {
    let (sqlite, postgres) = pair.run(history);
    let met = compare(history, (&sqlite, &postgres), may_differ)?;
    for report in [&sqlite.report, &postgres.report].into_iter().flatten() {
        let findings = unexplained(history, report);
        if !findings.is_empty() {
            return Err(format!("a check found {findings:?}"));
        }
    }
    Ok(met)
}

#[test]
fn under_strict_both_databases_agree_and_hold_together() {
    check(|history| STRICT.with(|pair| agree(pair, &history, false)).map(drop));
}

#[test]
fn under_reference_both_databases_differ_only_as_documented() {
    check(|history| REFERENCE.with(|pair| agree(pair, &history, true)).map(drop));
}

/// Whether a history can meet one: it is run only then.
fn may_meet(history: &History) -> bool {
    let has = |names: &[&str]| history.ops().any(|op| names.contains(&op.name()));
    let loads = ["GetConns", "GetConnSubs", "GetDeletedConns", "GetConnsData"];
    has(&["UnassocQueueSubs"]) && has(&["DamageConnection"]) && has(&loads)
}

#[test]
fn under_reference_each_documented_difference_is_met() {
    let pair = Pair::open(Semantics::Reference);
    let mut met = BTreeSet::new();
    let histories =
        (0..).map(|seed| History::arbitrary(&mut Gen::from_size_and_seed(LENGTH, seed)));
    for history in histories.filter(may_meet).take(100) {
        met.extend(agree(&pair, &history, true).unwrap());
        if met.iter().eq(&Documented::ALL) {
            return;
        }
    }
    panic!("only {met:?}");
}

#[test]
fn each_operation_is_met_and_gives_a_value() {
    let pair = Pair::open(Semantics::Strict);
    let mut left: BTreeSet<&str> = AgentOp::names().into_iter().collect();
    for seed in 0..1000 {
        let history = History::arbitrary(&mut Gen::from_size_and_seed(LENGTH, seed));
        let outcome = pair.sqlite.run(&history, None);
        for (transaction, answers) in history.0.iter().zip(&outcome.answers) {
            let each = transaction.ops.iter().zip(answers);
            for (op, _) in each.filter(|(_, answer)| answer.is_value()) {
                left.remove(op.name());
            }
        }
        if left.is_empty() {
            return;
        }
    }
    panic!("never a value: {left:?}");
}

/// But for that of the migrations, whose lists differ.
#[test]
fn each_column_of_each_table_is_compared() {
    let columns_of_each = Sql::differing(
        "list columns",
        Texts {
            sqlite: "SELECT t.name || '.' || c.name AS found
                FROM pragma_table_list t JOIN pragma_table_info(t.name) c
               WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'migrations'",
            postgres: "SELECT table_name || '.' || column_name AS found
                FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name <> 'migrations'",
        },
    );
    let pair = Pair::open(Semantics::Strict);
    let compared: BTreeSet<&str> = columns().collect();
    for store in [&pair.sqlite, &pair.postgres] {
        let there = store.texts(&columns_of_each);
        assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), compared);
    }
}
