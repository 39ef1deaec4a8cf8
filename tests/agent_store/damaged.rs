//! Files that are damaged, or no databases: errors that say so, or findings, and never a panic.

use simplex_stores::agent_store::AgentStore;
use simplex_stores::agent_store::maintenance::{check, stats, status};
use simplex_stores::db::{DatabaseConfig, DbError, DbErrorKind};
use simplex_stores::testing::agent::{FillError, Shape, fill};

use crate::fixture::on_each_place;

const SHAPE: Shape = Shape { connections: 40, messages: 4, seed: 3 };

/// A file with these bytes, and what each look at it says.
fn looked_at(bytes: &[u8]) -> [Result<bool, DbError>; 3] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    std::fs::write(&path, bytes).unwrap();
    let config = AgentStore::config(path.to_str().unwrap()).unwrap();
    let looked = [
        status(&config).map(|status| status.is_ready()),
        check(&config, |_| {}).map(|report| report.holds()),
        stats(&config).map(|_| true),
    ];
    for error in looked.iter().filter_map(|one| one.as_ref().err()) {
        use DbErrorKind::{Connect, Damaged, Io, Other, Row, Schema};
        let kinds = matches!(error.kind(), Damaged | Schema | Io | Connect | Other | Row { .. });
        assert!(kinds && !error.advice().is_empty(), "{error:?}");
    }
    looked
}

fn sound() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    let config = AgentStore::config(path.to_str().unwrap()).unwrap();
    fill(&config, &SHAPE, |_| {}).unwrap();
    std::fs::read(path).unwrap()
}

/// Numbers that are the same in every run.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |bound| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % bound
    }
}

#[test]
fn bytes_that_are_no_database_are_told_as_that() {
    let mut number = numbers(1);
    for length in [100, 512, 4_096, 20_000] {
        let bytes: Vec<u8> = (0..length).map(|_| number(256) as u8).collect();
        for looked in looked_at(&bytes) {
            assert_eq!(*looked.unwrap_err().kind(), DbErrorKind::Damaged);
        }
    }
    let [status, check, stats] = looked_at(b"");
    assert_eq!(status, Ok(false));
    for refused in [check, stats] {
        assert_eq!(*refused.unwrap_err().kind(), DbErrorKind::Schema);
    }
}

#[test]
fn a_file_that_ends_early_does_not_hold() {
    let sound = sound();
    assert_eq!(looked_at(&sound), [Ok(true), Ok(true), Ok(true)]);
    let mut number = numbers(2);
    for _ in 0..40 {
        let length = 512 + number(sound.len() - 1_024);
        let [_, check, _] = looked_at(&sound[..length]);
        assert_ne!(check, Ok(true), "{length} of {} bytes", sound.len());
    }
}

#[test]
fn a_page_that_is_overwritten_does_not_hold() {
    let sound = sound();
    let pages = sound.len() / 4_096;
    let mut number = numbers(3);
    for _ in 0..40 {
        let mut bytes = sound.clone();
        let page = 1 + number(pages - 1);
        // A page of the free list, or one that maps others, may have any bytes in its unused part.
        bytes[page * 4_096..][..4_096].iter_mut().for_each(|byte| *byte = number(256) as u8);
        let [_, check, _] = looked_at(&bytes);
        assert_ne!(check, Ok(true), "page {page} of {pages}");
    }
}

/// A bit that flips in a text or a blob may make another value that is one: only a crash would be wrong.
#[test]
fn flipped_bits_are_an_error_or_a_finding_or_another_value() {
    let sound = sound();
    let mut number = numbers(4);
    let mut found = 0;
    for _ in 0..120 {
        let mut bytes = sound.clone();
        for _ in 0..8 {
            let at = number(bytes.len());
            bytes[at] ^= 1 << number(8);
        }
        let [_, check, _] = looked_at(&bytes);
        found += usize::from(check != Ok(true));
    }
    assert!(found > 20, "only {found} of 120 were noticed");
}

#[test]
fn what_is_not_there_is_not_made() {
    on_each_place(|place| {
        let config: DatabaseConfig = place.config();
        let found = status(&config).unwrap();
        assert!(!found.exists && !found.is_ready() && found.applied.is_empty());
        assert!(!found.pending.is_empty() && found.problem.is_none());
        let kinds = [DbErrorKind::Connect, DbErrorKind::Schema];
        assert!(kinds.contains(check(&config, |_| {}).unwrap_err().kind()));
        assert!(kinds.contains(stats(&config).unwrap_err().kind()));
        assert!(!status(&config).unwrap().exists);
    });
}

#[test]
fn statistics_count_what_was_made() {
    on_each_place(|place| {
        let config = place.config();
        let filled = fill(&config, &SHAPE, |_| {}).unwrap();
        let counted = stats(&config).unwrap();
        let rows = |table: &str| counted.tables.iter().find(|one| one.table == table).unwrap().rows;
        assert_eq!((rows("connections"), filled.connections), (40, 40));
        assert_eq!(rows("messages"), filled.messages);
        assert_eq!(counted.tables.len(), 35);
        let of = |counts: &[u64]| counts.iter().sum::<u64>();
        let conns: Vec<u64> = counted.connections.iter().map(|one| one.count).collect();
        assert_eq!(of(&conns), 40);
        assert!(counted.connections.iter().all(|one| one.kind.is_some()));
        let queues: Vec<u64> = counted.rcv_queues.iter().map(|one| one.count).collect();
        assert_eq!(of(&queues), rows("rcv_queues"));
        assert!(counted.rcv_queues.iter().all(|one| one.status.is_some()));
        assert_eq!(counted.pending_deliveries, rows("snd_message_deliveries"));
        assert!(counted.oldest_undelivered.is_some() && counted.counted_since.is_some());
        assert!(counted.bytes > 100_000);
        let again = fill(&config, &SHAPE, |_| {});
        assert_eq!(again, Err(FillError::NotEmpty));
    });
}

#[test]
fn the_same_seed_makes_the_same_rows_in_both_databases() {
    let tables = std::cell::RefCell::new(Vec::new());
    on_each_place(|place| {
        let config = place.config();
        fill(&config, &SHAPE, |_| {}).unwrap();
        let mut counted = stats(&config).unwrap();
        counted.bytes = 0;
        counted.counted_since = None;
        // Each database has its own list of migrations.
        counted.tables.retain(|one| one.table != "migrations");
        tables.borrow_mut().push(counted);
    });
    let tables = tables.into_inner();
    assert_eq!(tables[0], tables[1]);
}
