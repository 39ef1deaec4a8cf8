//! What a replay makes of records that do not fit, under both semantics (RP-6 to RP-24).

use simplex_stores::protocol::{
    ErrorType, LinkData, QueueLink, QueueRec, RoundedDate, Semantics, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{LogRecord, OnDamage, StoreLogConfig, WarningKind, compact_to};

use simplex_stores::testing::queue_store::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender, service, service_id,
};

const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

/// A replayed log: the store, and what was reported with the line of each report.
struct Replayed {
    store: StmQueueStore,
    warnings: Vec<(u64, WarningKind)>,
}

fn replay_text(semantics: Semantics, text: &[u8]) -> Replayed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.log");
    std::fs::write(&path, text).unwrap();
    let config = StoreLogConfig::new(path).semantics(semantics).on_damage(OnDamage::Skip);
    let (store, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let warnings = report.warnings.into_iter().map(|w| (w.line, w.kind)).collect();
    Replayed { store, warnings }
}

fn text(records: &[LogRecord]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        record.encode(&mut text);
        text.push(b'\n');
    }
    text
}

fn replay(semantics: Semantics, records: &[LogRecord]) -> Replayed {
    replay_text(semantics, &text(records))
}

/// Compacts what was replayed and replays that.
fn again(replayed: &Replayed) -> Replayed {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("compacted.log");
    let config = StoreLogConfig::new(folder.path().join("store.log"));
    compact_to(&config, &output, &replayed.store.replayer()).unwrap();
    replay_text(replayed.store.semantics(), &std::fs::read(output).unwrap())
}

fn create(id: u8, record: QueueRec) -> LogRecord {
    LogRecord::CreateQueue(recipient(id), record.into())
}

fn with_link(number: u8, id: u8) -> QueueRec {
    let mut record = record(number);
    record.link = Some(Box::new(QueueLink { id: link(id), data: link_data(1, 1) }));
    record
}

fn with_rcv_service(number: u8, service: u8) -> QueueRec {
    let mut record = record(number);
    record.rcv_service_id = Some(service_id(service));
    record
}

fn new_service(number: u8, cert: u8, role: ServiceRole) -> LogRecord {
    LogRecord::NewService(Box::new(service(number, cert, role)))
}

fn rejected(operation: &'static str, entity: impl ToString, error: ErrorType) -> WarningKind {
    WarningKind::Rejected { operation, entity: entity.to_string(), error }
}

fn rcv_count(replayed: &Replayed, service: u8) -> i64 {
    let party = ServiceParty::Receiver;
    replayed.store.service_count_hash(party, &service_id(service)).unwrap().count
}

#[test]
fn rp6_a_taken_recipient_or_sender_id_drops_the_record() {
    for semantics in BOTH {
        let mut same_sender = record(2);
        same_sender.sender_id = sender(1);
        let log = [create(1, record(1)), create(1, record(2)), create(2, same_sender)];
        let replayed = replay(semantics, &log);
        let expected = [
            (2, rejected("CreateQueue", recipient(1), ErrorType::Duplicate)),
            (3, rejected("CreateQueue", recipient(2), ErrorType::Duplicate)),
        ];
        assert_eq!(replayed.warnings, expected);
        assert_eq!(replayed.store.snapshot().queues.len(), 1);
    }
}

#[test]
fn rp6_race19_a_taken_link_or_notifier_costs_the_queue_only_under_reference() {
    let mut second = with_link(2, 1);
    second.notifier = Some(Box::new(creds(1, None)));
    let mut first = with_link(1, 1);
    first.notifier = Some(Box::new(creds(1, None)));
    let log = [create(1, first), create(2, second)];
    let reference = replay(Semantics::Reference, &log);
    let refused = rejected("CreateQueue", recipient(2), ErrorType::Duplicate);
    assert_eq!(reference.warnings, [(2, refused)]);
    let strict = replay(Semantics::Strict, &log);
    let entity = recipient(2).to_string();
    let expected = [
        (2, WarningKind::LinkDropped { entity: entity.clone(), link: link(1).to_string() }),
        (2, WarningKind::NotifierDropped { entity, notifier: notifier(1).to_string() }),
    ];
    assert_eq!(strict.warnings, expected);
    assert_eq!(strict.store.snapshot().queues.len(), 2);
    strict.store.check_invariants().unwrap();
    let compacted = again(&strict);
    assert_eq!(compacted.warnings, []);
    assert_eq!(compacted.store.snapshot(), strict.store.snapshot());
}

#[test]
fn rp7_rp19_a_stolen_link_is_refused_by_a_strict_replay_and_no_queue_is_lost() {
    let stolen = QueueLink { id: link(1), data: link_data(2, 2) };
    let log = [
        create(2, with_link(2, 1)),
        create(1, record(1)),
        LogRecord::CreateLink(recipient(1), stolen),
    ];
    let strict = replay(Semantics::Strict, &log);
    let refused = rejected("CreateLink", recipient(1), ErrorType::Duplicate);
    assert_eq!(strict.warnings, [(3, refused)]);
    assert_eq!(again(&strict).store.snapshot().queues.len(), 2);
    // The reference accepts it, and loses the queue with the greater id one start later.
    let reference = replay(Semantics::Reference, &log);
    assert_eq!(reference.warnings, []);
    let compacted = again(&reference);
    let lost = rejected("CreateQueue", recipient(2), ErrorType::Duplicate);
    assert_eq!(compacted.warnings, [(2, lost)]);
    assert_eq!(compacted.store.snapshot().queues.len(), 1);
}

#[test]
fn rp7_rp9_rp11_records_that_the_operation_refuses_have_no_effect() {
    for semantics in BOTH {
        let other = |fixed| QueueLink { id: link(1), data: link_data(fixed, 2) };
        let log = [
            create(1, with_link(1, 1)),
            LogRecord::CreateLink(recipient(1), other(9)),
            LogRecord::CreateLink(recipient(1), QueueLink { id: link(2), ..other(1) }),
            LogRecord::SecureQueue(recipient(1), key(1)),
            LogRecord::SecureQueue(recipient(1), key(1)),
            LogRecord::SecureQueue(recipient(1), key(2)),
            LogRecord::AddNotifier(recipient(1), Box::new(creds(1, None))),
            LogRecord::AddNotifier(recipient(1), Box::new(creds(1, None))),
            LogRecord::QueueService(recipient(1), ServiceParty::Notifier, None),
            LogRecord::DeleteNotifier(recipient(1)),
            LogRecord::QueueService(recipient(1), ServiceParty::Notifier, None),
        ];
        let replayed = replay(semantics, &log);
        let expected = [
            (2, rejected("CreateLink", recipient(1), ErrorType::Auth)),
            (3, rejected("CreateLink", recipient(1), ErrorType::Auth)),
            (6, rejected("SecureQueue", recipient(1), ErrorType::Auth)),
            (8, rejected("AddNotifier", recipient(1), ErrorType::Duplicate)),
            (11, rejected("QueueService", recipient(1), ErrorType::Auth)),
        ];
        assert_eq!(replayed.warnings, expected);
        let (_, record) = replayed.store.get_queue_rec(&recipient(1).into()).unwrap();
        assert_eq!(record.sender_key, Some(key(1)));
        assert_eq!(record.link.as_ref().unwrap().data, link_data(1, 1));
    }
}

#[test]
fn rp8_rp10_rp12_rp14_rp15_plain_changes_are_applied() {
    for semantics in BOTH {
        let date = RoundedDate::from_seconds(86_400);
        let log = [
            create(1, with_link(1, 1)),
            LogRecord::DeleteLink(recipient(1)),
            LogRecord::DeleteLink(recipient(1)),
            LogRecord::UpdateKeys(recipient(1), keys(7)),
            LogRecord::SuspendQueue(recipient(1)),
            LogRecord::UnblockQueue(recipient(1)),
            LogRecord::DeleteNotifier(recipient(1)),
            LogRecord::UpdateTime(recipient(1), date),
        ];
        let replayed = replay(semantics, &log);
        assert_eq!(replayed.warnings, []);
        let (_, found) = replayed.store.get_queue_rec(&recipient(1).into()).unwrap();
        let mut expected = record(1);
        expected.recipient_keys = keys(7);
        expected.updated_at = Some(date);
        assert_eq!(*found, expected);
    }
}

#[test]
fn rp13_rp18_rp22_what_comes_after_a_deletion() {
    let log = [
        LogRecord::SuspendQueue(recipient(9)),
        create(1, with_link(1, 1)),
        LogRecord::DeleteQueue(recipient(1)),
        LogRecord::SuspendQueue(recipient(1)),
        create(1, record(2)),
        create(3, with_link(3, 1)),
        create(4, record(1)),
    ];
    let strict = replay(Semantics::Strict, &log);
    let expected = [
        (1, rejected("SuspendQueue", recipient(9), ErrorType::Auth)),
        (4, rejected("SuspendQueue", recipient(1), ErrorType::Auth)),
    ];
    assert_eq!(strict.warnings, expected);
    assert_eq!(strict.store.entity_counts().unwrap().queues, 3);
    let reference = replay(Semantics::Reference, &log);
    let entity = recipient(1).to_string();
    let expected = [
        (1, rejected("SuspendQueue", recipient(9), ErrorType::Auth)),
        (4, WarningKind::AlreadyDeleted { operation: "SuspendQueue", entity }),
        (5, rejected("CreateQueue", recipient(1), ErrorType::Duplicate)),
        (6, rejected("CreateQueue", recipient(3), ErrorType::Duplicate)),
    ];
    assert_eq!(reference.warnings, expected);
    assert_eq!(reference.store.entity_counts().unwrap().queues, 2, "one of them a tombstone");
    assert_eq!(again(&reference).store.entity_counts().unwrap().queues, 1);
}

#[test]
fn rp16_rp19_service_conflicts_are_reported_and_the_first_stays() {
    for semantics in BOTH {
        let log = [
            new_service(1, 1, ServiceRole::Messaging),
            new_service(1, 1, ServiceRole::Messaging),
            new_service(2, 1, ServiceRole::Messaging),
            new_service(1, 2, ServiceRole::Messaging),
            new_service(3, 1, ServiceRole::Notifier),
        ];
        let replayed = replay(semantics, &log);
        let wrong_id = WarningKind::ServiceWrongId {
            stored: service_id(2).to_string(),
            existing: service_id(1).to_string(),
        };
        let expected = [
            (3, wrong_id),
            (4, rejected("getCreateService", service_id(1), ErrorType::Duplicate)),
            (5, rejected("getCreateService", service_id(3), ErrorType::Service)),
        ];
        assert_eq!(replayed.warnings, expected);
        assert_eq!(replayed.store.snapshot().services.len(), 1);
    }
}

#[test]
fn rp20_race4_a_service_that_comes_later_is_resolved_at_the_end_under_strict() {
    let log = [
        create(1, with_rcv_service(1, 1)),
        create(2, record(2)),
        LogRecord::QueueService(recipient(2), ServiceParty::Receiver, Some(service_id(1))),
        new_service(1, 1, ServiceRole::Messaging),
    ];
    let strict = replay(Semantics::Strict, &log);
    assert_eq!((strict.warnings.len(), rcv_count(&strict, 1)), (0, 2));
    strict.store.check_invariants().unwrap();
    let reference = replay(Semantics::Reference, &log);
    assert_eq!((reference.warnings.len(), rcv_count(&reference, 1)), (0, 0));
    assert_eq!(rcv_count(&again(&reference), 1), 2, "repaired one start later");
}

#[test]
fn rp20_race5_race23_associations_that_nothing_fits_are_cleared_and_reported_under_strict() {
    let mut wrong_role = record(2);
    wrong_role.notifier = Some(Box::new(creds(2, Some(service_id(1)))));
    let log = [
        create(1, with_rcv_service(1, 9)),
        new_service(1, 1, ServiceRole::Messaging),
        create(2, wrong_role),
        create(3, with_rcv_service(3, 9)),
        LogRecord::DeleteQueue(recipient(3)),
    ];
    let strict = replay(Semantics::Strict, &log);
    let dangling = |queue, party, service| WarningKind::DanglingService {
        entity: recipient(queue).to_string(),
        party,
        service: service_id(service).to_string(),
    };
    let expected =
        [(1, dangling(1, ServiceParty::Receiver, 9)), (3, dangling(2, ServiceParty::Notifier, 1))];
    assert_eq!(strict.warnings, expected);
    assert_eq!(strict.store.entity_counts().unwrap().queues, 2, "no queue is lost");
    strict.store.check_invariants().unwrap();
    let reference = replay(Semantics::Reference, &log);
    assert_eq!(reference.warnings, []);
    assert!(reference.store.check_invariants().is_err());
}

#[test]
fn rp21_race24_notifier_credentials_with_a_service_enter_its_set_under_strict() {
    let log = [
        new_service(1, 1, ServiceRole::Notifier),
        create(1, record(1)),
        LogRecord::AddNotifier(recipient(1), Box::new(creds(1, Some(service_id(1))))),
    ];
    for (semantics, now) in [(Semantics::Strict, 1), (Semantics::Reference, 0)] {
        let count = |replayed: &Replayed| {
            let party = ServiceParty::Notifier;
            replayed.store.service_count_hash(party, &service_id(1)).unwrap().count
        };
        let replayed = replay(semantics, &log);
        assert_eq!(count(&replayed), now);
        assert_eq!(count(&again(&replayed)), 1, "the next start enters it under both");
    }
}

#[test]
fn rp17_an_association_moves_the_queue_between_the_sets() {
    for semantics in BOTH {
        let log = [
            new_service(1, 1, ServiceRole::Messaging),
            new_service(2, 2, ServiceRole::Messaging),
            create(1, with_rcv_service(1, 1)),
            LogRecord::QueueService(recipient(1), ServiceParty::Receiver, Some(service_id(2))),
        ];
        let replayed = replay(semantics, &log);
        assert_eq!(replayed.warnings, []);
        assert_eq!((rcv_count(&replayed, 1), rcv_count(&replayed, 2)), (0, 1));
        replayed.store.check_invariants().unwrap();
    }
}

#[test]
fn race14_empty_link_data_survives_a_restart_under_strict() {
    let mut empty = record(1);
    let data = LinkData::default();
    empty.link = Some(Box::new(QueueLink { id: link(1), data }));
    let strict = replay(Semantics::Strict, &[create(1, empty)]);
    assert_eq!(strict.warnings, []);
    assert_eq!(again(&strict).store.snapshot(), strict.store.snapshot());
}

#[test]
fn race13_a_blocked_queue_with_notice_and_service_survives_restarts_under_strict() {
    use simplex_stores::protocol::{BlockingInfo, BlockingReason, ClientNotice, EntityStatus};
    let notice = Some(ClientNotice { ttl: Some(86_400) });
    let mut blocked = with_rcv_service(1, 1);
    blocked.status =
        EntityStatus::Blocked(BlockingInfo { reason: BlockingReason::Content, notice });
    let log = [new_service(1, 1, ServiceRole::Messaging), create(1, blocked)];
    let strict = replay(Semantics::Strict, &log);
    assert_eq!(strict.warnings, []);
    assert_eq!(again(&again(&strict)).store.snapshot(), strict.store.snapshot());
    let reference = replay(Semantics::Reference, &log);
    assert!(matches!(reference.warnings[..], [(2, WarningKind::Parse { .. })]));
    assert_eq!(reference.store.entity_counts().unwrap().queues, 0);
}

#[test]
fn cp6_compaction_writes_services_then_live_queues_in_ascending_order() {
    for semantics in BOTH {
        let log = [
            new_service(2, 2, ServiceRole::Messaging),
            new_service(1, 1, ServiceRole::Notifier),
            create(3, record(3)),
            create(1, record(1)),
            create(2, record(2)),
            LogRecord::DeleteQueue(recipient(2)),
        ];
        let replayed = replay(semantics, &log);
        let mut compacted = Vec::new();
        let emit = &mut |record| {
            compacted.push(record);
            Ok(())
        };
        replayed.store.compacted(emit).unwrap();
        assert_eq!(compacted, [log[1].clone(), log[0].clone(), log[3].clone(), log[2].clone()]);
    }
}
