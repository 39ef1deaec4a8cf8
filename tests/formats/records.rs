//! JR-1 to JR-19: the vectors of section 3.5, each the line written for a record and read as it.

use std::sync::Arc;

use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, ClientNotice, EntityStatus, LinkData, NtfCreds, QueueLink,
    QueueMode, QueueRec, RecipientKeys, RoundedDate, ServiceParty, ServiceRec,
};
use simplex_stores::store_log::LogRecord;

use crate::support::{
    BOTH, CERT, CERT_HASH, DATE, ED448, ED25519, ED25519_2, LINK, NDH, NOTIFIER, RDH, RECIPIENT,
    SENDER, SERVICE, SERVICE_2, X25519, create, encode, hex, link, notifier, parse, read,
    recipient, sender, service, service_2,
};

/// Shows that a line is written for a record and that both modes read it as that record.
#[track_caller]
fn line(record: LogRecord, name: &str, text: &str) {
    assert_eq!(encode(&record), text);
    for semantics in BOTH {
        assert_eq!(parse(text, semantics).as_ref(), Ok(&record));
    }
    assert_eq!(record.operation_name(), name);
}

/// The queue of the first vector: nothing but what is always written.
fn plain() -> QueueRec {
    QueueRec {
        recipient_keys: RecipientKeys::one(read(ED25519)),
        rcv_dh_secret: read(RDH),
        sender_id: sender(),
        sender_key: None,
        queue_mode: None,
        link: None,
        notifier: None,
        updated_at: None,
        status: EntityStatus::Active,
        rcv_service_id: None,
    }
}

fn queue_link() -> QueueLink {
    let data = LinkData { fixed: b"fixed data"[..].into(), user: b"user data"[..].into() };
    QueueLink { id: link(), data }
}

fn credentials() -> NtfCreds {
    NtfCreds { notifier_id: notifier(), key: read(X25519), dh_secret: read(NDH), service_id: None }
}

fn create_record(queue: QueueRec) -> LogRecord {
    LogRecord::CreateQueue(recipient(), Arc::new(queue))
}

#[test]
fn jr1_create_of_a_queue_with_nothing_optional() {
    line(create_record(plain()), "CreateQueue", &create(""));
    let queue = QueueRec { queue_mode: Some(QueueMode::Messaging), ..plain() };
    line(create_record(queue), "CreateQueue", &create(" queue_mode=M"));
}

#[test]
fn jr15_jr16_create_of_a_queue_with_everything_in_order() {
    let queue = QueueRec {
        recipient_keys: RecipientKeys::new([read(ED25519), read(ED25519_2)]).unwrap(),
        sender_key: Some(read(ED448)),
        queue_mode: Some(QueueMode::Contact),
        link: Some(Box::new(queue_link())),
        notifier: Some(Box::new(NtfCreds { service_id: Some(service_2()), ..credentials() })),
        updated_at: Some(RoundedDate::from_seconds(DATE)),
        status: EntityStatus::Blocked(BlockingInfo { reason: BlockingReason::Spam, notice: None }),
        rcv_service_id: Some(service()),
        ..plain()
    };
    let text = format!(
        "CREATE rid={RECIPIENT} rk={ED25519},{ED25519_2} rdh={RDH} sid={SENDER} sk={ED448} \
         queue_mode=C link_id={LINK} queue_data=Zml4ZWQgZGF0YQ== dXNlciBkYXRh \
         notifier={NOTIFIER} {X25519} {NDH} nsrv={SERVICE_2} updated_at=1735689600 \
         status=blocked,reason=spam rsrv={SERVICE}"
    );
    line(create_record(queue), "CreateQueue", &text);
}

#[test]
fn jr2_jr3_link_and_its_removal() {
    line(
        LogRecord::CreateLink(recipient(), queue_link()),
        "CreateLink",
        &format!("LINK {RECIPIENT} {LINK} Zml4ZWQgZGF0YQ== dXNlciBkYXRh"),
    );
    line(LogRecord::DeleteLink(recipient()), "DeleteLink", &format!("LDELETE {RECIPIENT}"));
}

#[test]
fn jr4_jr5_keys() {
    line(
        LogRecord::SecureQueue(recipient(), read(ED25519_2)),
        "SecureQueue",
        &format!("SECURE {RECIPIENT} {ED25519_2}"),
    );
    line(
        LogRecord::UpdateKeys(
            recipient(),
            RecipientKeys::new([read(ED25519_2), read(ED448)]).unwrap(),
        ),
        "UpdateKeys",
        &format!("KEYS {RECIPIENT} {ED25519_2},{ED448}"),
    );
}

#[test]
fn jr6_jr11_notifier_and_its_removal() {
    line(
        LogRecord::AddNotifier(recipient(), Box::new(credentials())),
        "AddNotifier",
        &format!("NOTIFIER {RECIPIENT} {NOTIFIER} {X25519} {NDH}"),
    );
    line(
        LogRecord::AddNotifier(
            recipient(),
            Box::new(NtfCreds { service_id: Some(service_2()), ..credentials() }),
        ),
        "AddNotifier",
        &format!("NOTIFIER {RECIPIENT} {NOTIFIER} {X25519} {NDH} nsrv={SERVICE_2}"),
    );
    line(LogRecord::DeleteNotifier(recipient()), "DeleteNotifier", &format!("NDELETE {RECIPIENT}"));
}

#[test]
fn jr7_to_jr10_status_and_removal() {
    line(LogRecord::SuspendQueue(recipient()), "SuspendQueue", &format!("SUSPEND {RECIPIENT}"));
    let spam = BlockingInfo { reason: BlockingReason::Spam, notice: None };
    line(
        LogRecord::BlockQueue(recipient(), spam),
        "BlockQueue",
        &format!("BLOCK {RECIPIENT} reason=spam"),
    );
    let notice = Some(ClientNotice { ttl: Some(86_400) });
    line(
        LogRecord::BlockQueue(
            recipient(),
            BlockingInfo { reason: BlockingReason::Content, notice },
        ),
        "BlockQueue",
        &format!("BLOCK {RECIPIENT} reason=content,notice={{\"ttl\":86400}}"),
    );
    line(LogRecord::UnblockQueue(recipient()), "UnblockQueue", &format!("UNBLOCK {RECIPIENT}"));
    line(LogRecord::DeleteQueue(recipient()), "DeleteQueue", &format!("DELETE {RECIPIENT}"));
}

#[test]
fn jr12_time() {
    line(
        LogRecord::UpdateTime(recipient(), RoundedDate::from_seconds(DATE)),
        "UpdateTime",
        &format!("TIME {RECIPIENT} 1735689600"),
    );
}

#[test]
fn jr13_new_service() {
    let text = format!(
        "service_id={SERVICE} role=M cert={CERT} cert_hash={CERT_HASH} created_at=1735689600"
    );
    let service: ServiceRec = read(&text);
    line(LogRecord::NewService(Box::new(service)), "NewService", &format!("NEW_SERVICE {text}"));
}

#[test]
fn jr14_jr19_queue_service_ends_in_a_space_when_it_clears() {
    line(
        LogRecord::QueueService(recipient(), ServiceParty::Receiver, Some(service())),
        "QueueService",
        &format!("QUEUE_SERVICE {RECIPIENT} R {SERVICE}"),
    );
    let cleared = String::from_utf8(hex(concat!(
        "51554555455f534552564943452041414543417751464267634943516f4c44413",
        "04f4478415245684d5546525958204e20"
    )))
    .unwrap();
    line(
        LogRecord::QueueService(recipient(), ServiceParty::Notifier, None),
        "QueueService",
        &cleared,
    );
}

#[test]
fn jr18_no_record_holds_a_newline() {
    let record = create_record(QueueRec { link: Some(Box::new(queue_link())), ..plain() });
    assert!(!encode(&record).contains('\n'));
}

#[test]
fn encoding_appends_to_what_is_there() {
    let mut out = b"before\n".to_vec();
    LogRecord::DeleteQueue(recipient()).encode(&mut out);
    assert_eq!(out, format!("before\nDELETE {RECIPIENT}").into_bytes());
}

#[test]
fn only_a_service_is_about_no_queue() {
    assert_eq!(LogRecord::DeleteLink(recipient()).recipient_id(), Some(&recipient()));
    let text = format!("service_id={SERVICE} role=P cert= cert_hash={CERT_HASH} created_at=0");
    assert_eq!(LogRecord::NewService(Box::new(read(&text))).recipient_id(), None);
}
