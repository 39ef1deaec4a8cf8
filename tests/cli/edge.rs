//! The directed cases of `tests/vectors/edge`, under `Semantics::Reference`.
//!
//! What a case reloaded is replayed, compacted and replayed again; what it did is done again. The
//! records that cases 01, 13 and 20 parse are in `tests/formats/edge.rs`; case 12 (a log that cannot be
//! written) and case 28 (use after closing) are races that the store closes: RACE-3, RACE-27.

use std::{fs, sync::Arc};

use serde_json::{Value, json};
use simplex_stores::{
    protocol::{
        AuthKey, ErrorType, LinkData, LinkId, NotifierId, NtfCreds, QueueRec, RecipientKeys,
        RoundedDate, Semantics, ServiceId, ServiceParty, ServiceRec, ServiceRole, TextDecode,
    },
    queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore, StoreQueue},
    store_log::{LogRecord, StoreLogConfig},
};
use tempfile::{TempDir, tempdir};

use crate::{path, run};

/// What was observed in the case whose name begins so.
fn observed(case: &str) -> Value {
    let file = fs::read_to_string(path("tests/vectors/edge/edge.jsonl")).unwrap();
    let cases = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut found = cases.filter(|it| it["case"].as_str().unwrap().starts_with(case));
    found.next().unwrap()["observed"].take()
}

fn edge(file: &str) -> String {
    path(&format!("tests/vectors/edge/{file}"))
}

/// The reference's reports of a replay in the words of this library's: unreadable lines by what
/// they hold, the others by operation, id and answer.
fn reported(out: &str) -> (Vec<String>, Vec<String>) {
    let (mut unreadable, mut others) = (Vec::new(), Vec::new());
    for line in out.lines().filter(|line| !line.starts_with("Processed: ") && !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("Error parsing log: ") {
            unreadable.push(rest.split_once(" - ").unwrap().1.to_owned());
        } else {
            let (_, text) = line.split_once(" STORE: ").unwrap();
            others.push(text.to_owned());
        }
    }
    (unreadable, others)
}

fn replay_reports(log: &str) -> (Vec<String>, Vec<String>) {
    let config = StoreLogConfig::new(log).semantics(Semantics::Reference);
    let (_, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut unreadable, mut others) = (Vec::new(), Vec::new());
    for warning in &report.warnings {
        use simplex_stores::store_log::WarningKind::{
            AlreadyDeleted, Parse, Rejected, ServiceWrongId,
        };
        match &warning.kind {
            Parse { .. } => {
                unreadable.push(lines[usize::try_from(warning.line).unwrap() - 1].to_owned());
            }
            Rejected { operation: "getCreateService", entity, error } => {
                others.push(format!("getCreateService, stored service {entity}, {error}"));
            }
            Rejected { operation, entity, error } => {
                others.push(format!("{operation}, stored queue {entity}, {error}"));
            }
            AlreadyDeleted { operation, entity } => {
                others.push(format!("{operation}, stored queue {entity}, already deleted"));
            }
            ServiceWrongId { stored, existing } => others.push(format!(
                "getCreateService, stored service {stored}, created with the wrong ID {existing}"
            )),
            _ => {}
        }
    }
    (unreadable, others)
}

/// Replays a recorded log, compacts it, and replays what that gave.
fn reload(log: &str) {
    // One was written without its last newline, which here means that the line was never
    // acknowledged (RACE-7); the reference reads it like any other (RP-2).
    let whole = tempdir().unwrap();
    let mut text = fs::read_to_string(edge(log)).unwrap();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let file = whole.path().join("store.log").to_str().unwrap().to_owned();
    fs::write(&file, text).unwrap();
    let (code, state, _) = run(["dump", "--semantics", "reference", &file]);
    assert_eq!(code, 0);
    let recorded = |suffix: &str| fs::read_to_string(edge(&format!("{log}.{suffix}")));
    assert_eq!(state, recorded("replayed.jsonl").unwrap(), "{log}");
    assert_eq!(replay_reports(&file), reported(&recorded("replay.out").unwrap()), "{log}");

    let folder = tempdir().unwrap();
    let compacted = folder.path().join("compacted.log").to_str().unwrap().to_owned();
    let compact = ["compact", "--semantics", "reference", "--output", &compacted, &file];
    assert_eq!(run(compact).0, 0);
    assert_eq!(fs::read_to_string(&compacted).unwrap(), recorded("compacted").unwrap(), "{log}");

    if let Ok(expected) = recorded("compacted_replayed.jsonl") {
        assert_eq!(run(["dump", "--semantics", "reference", &compacted]).1, expected, "{log}");
        let expected = reported(&recorded("compacted_replay.out").unwrap());
        assert_eq!(replay_reports(&compacted), expected, "{log}");
    }
}

#[test]
fn edge_02_a_link_taken_over_costs_a_queue_after_compaction() {
    reload("edge-0.log");
}

#[test]
fn edge_03_a_deleted_queue_is_gone_after_compaction() {
    reload("edge-1.log");
}

#[test]
fn edge_05_notifier_credentials_with_a_service_enter_its_set_after_compaction() {
    reload("edge-2.log");
    let service = observed("05 the service after")[0].as_str().unwrap().to_owned();
    let log = edge("edge-2.log.compacted");
    assert!(run(["dump", "--semantics", "reference", &log]).1.lines().any(|it| it == service));
}

#[test]
fn edge_06_a_service_registered_late_leaves_phantoms() {
    reload("edge-3.log");
}

#[test]
fn edge_21_odd_records_are_reported_and_left_out() {
    reload("edge-replay.log");
}

#[test]
fn edge_21_a_last_line_without_its_newline_is_set_aside() {
    let file = edge("edge-replay.log");
    let last = fs::read_to_string(&file).unwrap().lines().last().unwrap().to_owned();
    for semantics in ["strict", "reference"] {
        let (code, report, _) = run(["replay", "--semantics", semantics, "--json", &file]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((code, &report["torn_tail"]["line"]), (0, &json!(14)), "{report:#}");
        assert_eq!(report["torn_tail"]["length"], last.len(), "{report:#}");
        assert_eq!(report["lines"], 13, "{report:#}");
    }
}

#[test]
fn edge_logs_replay_under_strict_without_losing_a_live_queue() {
    for log in ["edge-0.log", "edge-1.log", "edge-2.log", "edge-3.log", "edge-replay.log"] {
        let (code, strict, _) = run(["dump", &edge(log)]);
        assert_eq!(code, 0);
        let reference = run(["dump", "--semantics", "reference", &edge(log)]).1;
        let live = |state: &str| -> Vec<String> {
            let lines = state.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let live = lines.filter(|it| it["kind"] == "queue" && !it["rec"].is_null());
            live.map(|it| it["rid"].as_str().unwrap().to_owned()).collect()
        };
        for queue in live(&reference) {
            assert!(live(&strict).contains(&queue), "{log}: {queue}");
        }
    }
}

/// A store with a journal, and what is needed to do a case's operations.
struct Case {
    store: StmQueueStore,
    log: String,
    lines: usize,
    _folder: TempDir,
}

/// Ids and keys are told apart by one byte.
fn id<T: From<simplex_stores::protocol::EntityId>>(byte: u8) -> T {
    simplex_stores::protocol::EntityId::from_bytes(&[byte; 24]).unwrap().into()
}

fn key(byte: u8) -> AuthKey {
    AuthKey::X25519([byte; 32])
}

fn record(sender: u8) -> QueueRec {
    let line = "rk=MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w= \
                rdh=WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4= \
                sid=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3 sk= queue_mode=M updated_at=1735689600";
    let record = QueueRec::from_text(line.as_bytes(), Semantics::Reference).unwrap();
    QueueRec { sender_id: id(sender), ..record }
}

fn creds(notifier: NotifierId, service_id: Option<ServiceId>) -> NtfCreds {
    let dh_secret = simplex_stores::protocol::DhSecret::new([9; 32]);
    NtfCreds { notifier_id: notifier, key: key(7), dh_secret, service_id }
}

fn link_data(fixed: &str, user: &str) -> LinkData {
    LinkData { fixed: fixed.as_bytes().into(), user: user.as_bytes().into() }
}

/// A service under an id, with a fingerprint of its own.
fn service(service_id: u8, role: ServiceRole, fingerprint: u8) -> ServiceRec {
    ServiceRec {
        service_id: id(service_id),
        role,
        cert_chain: Default::default(),
        cert_hash: simplex_stores::protocol::CertFingerprint::new([fingerprint; 32]),
        created_at: RoundedDate::from_seconds(1_735_689_600),
    }
}

impl Case {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        let log = folder.path().join("store.log").to_str().unwrap().to_owned();
        let config = StoreLogConfig::new(&log).semantics(Semantics::Reference);
        let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        Self { store, log, lines: 0, _folder: folder }
    }

    fn queue(&mut self, rid: u8, record: QueueRec) -> Arc<BasicQueue> {
        let queue = self.store.add_queue(id(rid), record).unwrap();
        assert_eq!(self.new_lines(), 1);
        queue
    }

    /// How many lines were written since the last call.
    fn new_lines(&mut self) -> usize {
        let lines = fs::read_to_string(&self.log).unwrap().lines().count();
        lines - std::mem::replace(&mut self.lines, lines)
    }

    /// A result and the lines that it wrote, as case 09 records them.
    fn result<T>(&mut self, result: Result<T, ErrorType>) -> Value {
        json!({"result": word(&result), "log lines written": self.new_lines()})
    }
}

/// A result in the words of the cases.
fn word<T>(result: &Result<T, ErrorType>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("err {error}"),
    }
}

#[test]
fn edge_02_both_queues_answer_for_the_link_that_one_took_from_the_other() {
    let (mut case, expected) = (Case::new(), observed("02"));
    let link: LinkId = id(0x60);
    let mut with_link = record(0x20);
    with_link.link = Some(Box::new(simplex_stores::protocol::QueueLink {
        id: link.clone(),
        data: link_data("F", "U"),
    }));
    let (a, b) = (case.queue(1, with_link), case.queue(2, record(0x21)));
    let store = &case.store;
    let added = store.add_link_data(&b, link.clone(), link_data("G", "V"));
    assert_eq!(word(&added), expected["add to b"]);
    let by_link = || store.get_queue(&QueueKey::Link(link.clone()));
    assert_eq!(by_link().unwrap().recipient_id(), b.recipient_id());
    assert_eq!(word(&store.get_link_data(&a, &link)), expected["getQueueLinkData a"]);
    assert_eq!(word(&store.get_link_data(&b, &link)), expected["getQueueLinkData b"]);
    store.delete_link_data(&a).unwrap();
    assert_eq!(word(&by_link().map(drop)), expected["getQueue_ by link after it"]);
    assert_eq!(word(&store.get_link_data(&b, &link)), expected["getQueueLinkData b after it"]);
}

#[test]
fn edge_03_what_is_left_of_a_deleted_queue() {
    let (mut case, expected) = (Case::new(), observed("03"));
    let mut whole = record(0x20);
    whole.link = Some(Box::new(simplex_stores::protocol::QueueLink {
        id: id(0x60),
        data: link_data("F", "U"),
    }));
    whole.notifier = Some(Box::new(creds(id(0x40), None)));
    let queue = case.queue(1, whole.clone());
    let store = &case.store;
    assert_eq!(word(&store.delete_queue(&queue)), expected["delete"]);
    let found = |key: QueueKey| word(&store.get_queue(&key));
    assert_eq!(found(QueueKey::Recipient(id(1))), expected["getQueue_ recipient"]);
    assert_eq!(found(QueueKey::Sender(id(0x20))), expected["getQueue_ sender"]);
    assert_eq!(found(QueueKey::Notifier(id(0x40))), expected["getQueue_ notifier"]);
    assert_eq!(found(QueueKey::Link(id(0x60))), expected["getQueue_ link"]);
    let add = |rid: u8, record: QueueRec| word(&store.add_queue(id(rid), record));
    assert_eq!(add(1, record(0x21)), expected["re-add same recipient id"]);
    let other = QueueRec { sender_id: id(0x22), notifier: None, ..whole };
    assert_eq!(add(2, other), expected["add other queue with the link id of the deleted one"]);
    let same_sender = "add other queue with the sender id of the deleted one";
    assert_eq!(add(3, record(0x20)), expected[same_sender]);
    assert_eq!(store.entity_counts().unwrap().queues, expected["counts"]["queueCount"]);
    let results = [
        word(&store.add_link_data(&queue, id(0x61), link_data("F", "U"))),
        word(&store.get_link_data(&queue, &id(0x60))),
        word(&store.delete_link_data(&queue)),
        word(&store.secure_queue(&queue, key(1))),
        word(&store.update_keys(&queue, RecipientKeys::one(key(1)))),
        word(&store.add_notifier(&queue, creds(id(0x41), None))),
        word(&store.delete_notifier(&queue)),
        word(&store.suspend_queue(&queue)),
        word(&store.unblock_queue(&queue)),
        word(&store.delete_queue(&queue)),
    ];
    assert_eq!(json!(results), expected["operations on the deleted queue"]);
}

#[test]
fn edge_07_a_notifier_id_in_use_is_a_duplicate_on_its_own_queue_too() {
    let (mut case, expected) = (Case::new(), observed("07"));
    let (a, b) = (case.queue(1, record(0x20)), case.queue(2, record(0x21)));
    let store = &case.store;
    let first = creds(id(0x40), None);
    store.add_notifier(&a, first.clone()).unwrap();
    let add =
        |queue: &BasicQueue, notifier: u8| store.add_notifier(queue, creds(id(notifier), None));
    assert_eq!(word(&add(&a, 0x40)), expected["same queue same id"]);
    assert_eq!(word(&add(&b, 0x40)), expected["other queue same id"]);
    assert_eq!(add(&a, 0x41).unwrap(), Some(first));
    let old = store.get_queue(&QueueKey::Notifier(id(0x40)));
    assert_eq!(word(&old), expected["old id after replacement"]);
}

#[test]
fn edge_08_a_certificate_decides_which_service_it_is() {
    let (mut case, expected) = (Case::new(), observed("08"));
    let made = |service_id, role, fingerprint| {
        let result = case.store.get_or_create_service(service(service_id, role, fingerprint));
        match result {
            Ok(id) => format!("{:02x}", id.as_bytes()[0]),
            Err(error) => format!("err {error}"),
        }
    };
    assert_eq!(made(0x8a, ServiceRole::Messaging, 1), expected["new"]);
    assert_eq!(made(0x8a, ServiceRole::Messaging, 1), expected["same again"]);
    assert_eq!(made(0x8b, ServiceRole::Messaging, 1), expected["same cert, other id"]);
    assert_eq!(made(0x8a, ServiceRole::Notifier, 1), expected["same cert, other role"]);
    assert_eq!(made(0x8a, ServiceRole::Messaging, 2), expected["other cert, same id"]);
    assert_eq!(made(0x8c, ServiceRole::Proxy, 3), expected["proxy role"]);
    assert_eq!(case.new_lines(), expected["log lines"]);
}

#[test]
fn edge_09_repeats_succeed_and_write_records() {
    let (mut case, expected) = (Case::new(), observed("09"));
    let queue = case.queue(1, record(0x20));
    let q = &*queue;
    let date = RoundedDate::from_seconds;
    let link = |user, fixed| (id::<LinkId>(0x60), link_data(fixed, user));
    type Operation<'a> = Box<dyn Fn(&StmQueueStore) -> Result<(), ErrorType> + 'a>;
    let add_link = |(id, data): (LinkId, LinkData)| -> Operation<'_> {
        Box::new(move |it| it.add_link_data(q, id.clone(), data.clone()))
    };
    let operations: Vec<(&str, Operation<'_>)> = vec![
        ("secureQueue first", Box::new(|it| it.secure_queue(q, key(1)))),
        ("secureQueue same key", Box::new(|it| it.secure_queue(q, key(1)))),
        ("secureQueue other key", Box::new(|it| it.secure_queue(q, key(2)))),
        (
            "updateQueueTime same date",
            Box::new(|it| it.update_time(q, date(1_735_689_600)).map(drop)),
        ),
        (
            "updateQueueTime earlier date",
            Box::new(|it| it.update_time(q, date(1_735_603_200)).map(drop)),
        ),
        (
            "updateQueueTime not a multiple of a day",
            Box::new(|it| it.update_time(q, date(1_735_689_601)).map(drop)),
        ),
        (
            "setQueueService R Nothing (unchanged)",
            Box::new(|it| it.set_queue_service(q, ServiceParty::Receiver, None)),
        ),
        (
            "setQueueService N without notifier",
            Box::new(|it| it.set_queue_service(q, ServiceParty::Notifier, None)),
        ),
        ("deleteQueueLinkData without link", Box::new(|it| it.delete_link_data(q))),
        ("deleteQueueNotifier without notifier", Box::new(|it| it.delete_notifier(q).map(drop))),
        ("unblockQueue on active", Box::new(|it| it.unblock_queue(q))),
        ("suspendQueue", Box::new(|it| it.suspend_queue(q))),
        ("suspendQueue again", Box::new(|it| it.suspend_queue(q))),
        ("unblockQueue on suspended", Box::new(|it| it.unblock_queue(q))),
        ("addQueueLinkData", add_link(link("U1", "F"))),
        ("addQueueLinkData same link and data", add_link(link("U1", "F"))),
        ("addQueueLinkData same link, other user data", add_link(link("U2", "F"))),
        ("addQueueLinkData same link, other fixed data", add_link(link("U2", "G"))),
        ("addQueueLinkData other link", add_link((id(0x61), link_data("F", "U2")))),
        ("updateKeys same keys", Box::new(|it| it.update_keys(q, record(0x20).recipient_keys))),
    ];
    assert_eq!(operations.len() + 1, expected.as_object().unwrap().len());
    for (name, operation) in operations {
        let result = operation(&case.store);
        assert_eq!(case.result(result), expected[name], "{name}");
    }
    let last = queue.record().read_atomic().unwrap();
    let expected = &expected["final record"];
    assert_eq!(last.updated_at.unwrap().seconds(), expected["updated_at"]);
    assert_eq!(last.link.as_ref().unwrap().data, link_data("F", "U2"));
}

#[test]
fn edge_14_one_id_serves_all_four_parties_of_a_queue() {
    let (mut case, expected) = (Case::new(), observed("14"));
    let mut record = record(1);
    record.notifier = Some(Box::new(creds(id(1), None)));
    record.link = Some(Box::new(simplex_stores::protocol::QueueLink {
        id: id(1),
        data: link_data("F", "U"),
    }));
    assert_eq!(word(&case.store.add_queue(id(1), record)), expected);
    assert_eq!(case.new_lines(), 1);
    let keys: [QueueKey; 4] = [
        QueueKey::Recipient(id(1)),
        QueueKey::Sender(id(1)),
        QueueKey::Notifier(id(1)),
        QueueKey::Link(id(1)),
    ];
    for key in keys {
        assert!(case.store.get_queue(&key).is_ok(), "{key:?}");
    }
}

#[test]
fn edge_18_groups_come_in_descending_order_and_empty_ones_too() {
    let (case, expected) = (Case::new(), observed("18"));
    let ids: Vec<NotifierId> = (0x40..0x44).map(id).collect();
    let ntfs = |order: &[usize]| -> Vec<(NotifierId, usize)> {
        order.iter().enumerate().map(|(number, it)| (ids[*it].clone(), number)).collect()
    };
    let numbers = |ntfs: &[(NotifierId, usize)]| -> Vec<usize> {
        ntfs.iter().map(|(_, number)| *number).collect()
    };
    let empty = case.store.group_by_ntf_service(ntfs(&[0])).unwrap();
    assert_eq!(empty.services, vec![(None, Vec::new())]);
    for service_id in [0x81, 0x82, 0x83] {
        let new = service(service_id, ServiceRole::Notifier, service_id);
        case.store.get_or_create_service(new).unwrap();
    }
    // Notifier 0 belongs to the last service, 1 to the first, 2 to none; 3 is nobody's.
    for (number, service_id) in [(0, Some(0x83)), (1, Some(0x81)), (2, None)] {
        let mut record = record(0x20 + number);
        record.notifier = Some(Box::new(creds(id(0x40 + number), service_id.map(id))));
        case.store.add_queue(id(number), record).unwrap();
    }
    let groups = case.store.group_by_ntf_service(ntfs(&[0, 1, 2, 3, 0])).unwrap();
    let services = &expected["service ids in ascending order"];
    let place = |service: &Option<ServiceId>| -> Value {
        match service {
            Some(service) => services[usize::from(service.as_bytes()[0]) - 0x81].clone(),
            None => Value::Null,
        }
    };
    let got: Vec<Value> =
        groups.services.iter().map(|(it, ntfs)| json!([place(it), numbers(ntfs)])).collect();
    assert_eq!(json!(got), expected["result"]["services"]);
    assert_eq!(json!(numbers(&groups.deleted)), expected["result"]["delete"]);
}

#[test]
fn edge_12_and_28_nothing_changes_once_a_store_is_closed() {
    let mut case = Case::new();
    let queue = case.queue(1, record(0x20));
    case.store.close().unwrap();
    // The reference changes memory and answers `ok` (RACE-3, RACE-27).
    let results = [
        word(&case.store.secure_queue(&queue, key(1))),
        word(&case.store.add_queue(id(2), record(0x21))),
    ];
    for result in results {
        assert!(result.starts_with("err STORE"), "{result}");
    }
    assert!(queue.record().read_atomic().unwrap().sender_key.is_none());
    assert_eq!(case.new_lines(), 0);
}

#[test]
fn edge_logs_hold_records_that_read_back_to_themselves() {
    for log in ["edge-0.log", "edge-1.log", "edge-2.log", "edge-3.log"] {
        for line in fs::read_to_string(edge(log)).unwrap().lines() {
            let record = LogRecord::parse(line.as_bytes(), Semantics::Reference).unwrap();
            let mut written = Vec::new();
            record.encode(&mut written);
            assert_eq!(written, line.as_bytes());
        }
    }
}
