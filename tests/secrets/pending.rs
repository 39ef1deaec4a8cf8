//! The file of a router's pending notifications, with damage in every place: neither errors, reports nor the
//! program's log show what a line holds.

use std::sync::Arc;

use simplex_stores::{
    ntf_store::pending::{PendingNtfFile, PendingNtfStore},
    protocol::{
        Blob, NotifierId, RoundedSeconds, Semantics,
        ntf::{Nonce, PendingNtf},
    },
    testing::MemStorage,
};

use crate::{
    messages::said,
    plants::{Search, damaged, planted},
};

const FILE: &str = "/folder/ntfs";

/// A store whose one notification is of planted values only.
fn store() -> PendingNtfStore {
    let store = PendingNtfStore::new(Semantics::Strict);
    let ntf = PendingNtf {
        message_id: Blob::from(planted::<32>(10).to_vec()),
        at: RoundedSeconds::from_seconds(1_735_690_000),
        nonce: Nonce(planted(1)),
        meta: Blob::from(planted::<32>(6).to_vec()),
    };
    let id = NotifierId::from_bytes(&planted::<32>(11)).unwrap();
    store.store(&id, &ntf);
    store
}

fn search() -> Search {
    let values = [10, 1, 6, 11].map(|number| planted::<32>(number).to_vec());
    Search::of(&values)
}

#[test]
fn race17_nothing_that_a_restore_says_shows_a_line() {
    let ((_guard, said), search) = (said(), search());
    said.take();
    let disk = MemStorage::new();
    let file = PendingNtfFile::new(FILE).storage(Arc::new(disk.clone()));
    let saved = store().save(&file).unwrap();
    assert_eq!(saved.ntfs, 1);
    let whole = disk.read(FILE).unwrap();
    assert!(search.find(&whole).is_some(), "the line holds what was planted");
    let (mut skipped, mut refused) = (0, 0);
    for line in damaged(whole.strip_suffix(b"\n").unwrap()) {
        for semantics in [Semantics::Strict, Semantics::Reference] {
            disk.put(FILE, [&whole[..], &line, b"\n", &whole].concat());
            match PendingNtfStore::restore(&file, semantics, None) {
                Ok((store, report)) => {
                    search.nothing_in_debug("the report", &report);
                    for bad in &report.bad_lines {
                        search.nothing_in("a bad line", bad.to_string());
                    }
                    search.nothing_in_debug("the store", &store);
                    skipped += report.skipped;
                }
                Err(error) => {
                    search.nothing_in_debug("the error", &error);
                    search.nothing_in("the error", error.to_string());
                    refused += 1;
                }
            }
            search.nothing_in("the program's log", said.take());
        }
    }
    assert!(skipped > 100 && refused > 100, "{skipped} skipped, {refused} refused");
}
