//! `Debug` of everything that holds a secret, and the search itself on types that show theirs.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose};
use simplex_stores::{
    protocol::{Blob, DhSecret, RecipientId},
    queue_store::{BasicFactory, BasicQueue, QueueStore, StmQueueStore},
    stm::TVar,
    store_log::{Line, StoreLogConfig},
    testing::{
        MemStorage,
        history::SequentialModel,
        queue_store::{QueueModel, QueueOp, sample},
    },
};

use crate::plants::{Search, credentials, lines, link_data, planted, queue, records, secrets};

#[test]
fn race17_no_debug_output_shows_a_secret() {
    let search = Search::of(&secrets());
    let show = |what: &str, value: &dyn std::fmt::Debug| search.nothing_in_debug(what, value);
    show("DhSecret", &DhSecret::new(planted(1)));
    show("Blob", &Blob::from(planted::<32>(3).to_vec()));
    show("LinkData", &link_data());
    show("NtfCreds", &credentials());
    show("QueueRec", &queue());
    for record in records() {
        show("Line", &Line { number: 1, offset: 0, record: record.clone() });
        show("LogRecord", &record);
    }
    let id: RecipientId = sample::recipient(1);
    let object = BasicQueue::new(id.clone(), Arc::new(queue()));
    show("BasicQueue", &object);
    show("TVar", &TVar::new(Some(Arc::new(queue()))));
    show("QueueOp", &QueueOp::Add(id.clone(), Box::new(queue())));
    show("QueueOp", &QueueOp::AddLink(id.clone(), sample::link(1), link_data()));
    show("QueueOp", &QueueOp::AddNotifier(id, Box::new(credentials())));
    let mut model = QueueModel::default();
    let _answer = model.apply(&QueueOp::Add(sample::recipient(1), Box::new(queue())));
    show("QueueModel", &model);
}

#[test]
fn race17_no_debug_output_of_a_store_or_a_disk_shows_a_secret() {
    let search = Search::of(&secrets());
    let disk = MemStorage::new();
    disk.put("F", lines().concat());
    search.nothing_in_debug("MemStorage", &disk);
    let config = StoreLogConfig::new("F").storage(Arc::new(disk));
    search.nothing_in_debug("StoreLogConfig", &config);
    let (store, report) = StmQueueStore::open(&config, BasicFactory).unwrap();
    search.nothing_in_debug("StartReport", &report);
    search.nothing_in_debug("StmQueueStore", &store);
    let snapshot = store.snapshot();
    assert_eq!(snapshot.queues.len(), 1);
    search.nothing_in_debug("StoreSnapshot", &snapshot);
    let queues = store.loaded_queues();
    search.nothing_in_debug("loaded queues", &queues);
}

/// Types as they would be if nobody had thought of it.
#[derive(Debug)]
#[allow(dead_code, reason = "shown by Debug")]
struct Leaky {
    secret: [u8; 32],
}

#[derive(Debug)]
#[allow(dead_code, reason = "shown by Debug")]
struct Line64 {
    line: String,
}

/// The twin: whatever the form, the search finds it.
#[test]
fn twin_types_that_leak_are_found_out() {
    let search = Search::of(&secrets());
    let secret = planted::<32>(1);
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = [
        format!("{:?}", Leaky { secret }),
        format!("{:#?}", Leaky { secret }),
        format!("{:?}", Line64 { line: String::from_utf8(lines()[0].clone()).unwrap() }),
        format!("{}", secret.escape_ascii()),
        format!("{:?}", &secret[11..25]),
        general_purpose::URL_SAFE.encode(secret),
        general_purpose::URL_SAFE_NO_PAD.encode(secret),
        general_purpose::STANDARD.encode(secret),
        general_purpose::STANDARD_NO_PAD.encode([&[7][..], &secret].concat()),
        general_purpose::URL_SAFE.encode([&[7, 7][..], &secret].concat()),
        hex.to_uppercase(),
        format!("at byte 7 of {hex}"),
    ];
    for text in shown {
        assert!(search.find(&text).is_some(), "{text}");
        assert!(search.find(format!("before {text} after")).is_some(), "{text}");
    }
    assert!(search.find([b"raw ", &secret[3..20]].concat()).is_some());
    assert!(search.find("nothing of the kind, 1, 2, 3").is_none());
}

#[test]
#[should_panic(expected = "Leaky at Some")]
fn twin_a_leak_fails_the_test() {
    let secret = planted(1);
    Search::of(&secrets()).nothing_in_debug("Leaky", &Leaky { secret });
}
