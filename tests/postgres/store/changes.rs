//! Every operation that changes something, each in all ways in which its statements differ.

use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, QueueLink, QueueRec, RoundedDate, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::postgres::PostgresQueueStore;
use simplex_stores::testing::history::SequentialModel as _;
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};

/// What there is before a change: services 1 to 3; queue 1 with a link, a notifier and services of both; queue 2
/// with nothing, suspended. The ids of queue 3 are those of a row that is deleted softly.
fn before() -> Vec<QueueOp> {
    let service = |number, role| QueueOp::Service(Box::new(sample::service(number, number, role)));
    let full = QueueRec { rcv_service_id: Some(sample::service_id(1)), ..with_ids(1) };
    vec![
        service(1, ServiceRole::Messaging),
        service(2, ServiceRole::Notifier),
        service(3, ServiceRole::Notifier),
        QueueOp::Add(sample::recipient(1), Box::new(full)),
        QueueOp::Add(sample::recipient(2), Box::new(sample::record(2))),
        QueueOp::Add(sample::recipient(3), Box::new(with_ids(3))),
        QueueOp::Delete(sample::recipient(3)),
        QueueOp::Suspend(sample::recipient(2)),
    ]
}

/// A record with a link and a notifier of service 2.
fn with_ids(number: u8) -> QueueRec {
    let link = QueueLink { id: sample::link(number), data: sample::link_data(number, 1) };
    QueueRec {
        link: Some(Box::new(link)),
        notifier: Some(Box::new(sample::creds(number, Some(sample::service_id(2))))),
        ..sample::record(number)
    }
}

/// The changes, each of which succeeds.
pub(crate) fn changes() -> Vec<QueueOp> {
    use QueueOp as Op;

    let (full, plain) = (|| sample::recipient(1), || sample::recipient(2));
    let (of, some) = (|number| Some(sample::service_id(number)), |creds| Box::new(creds));
    let of_service = QueueRec { rcv_service_id: of(1), ..with_ids(9) };
    let info = BlockingInfo { reason: BlockingReason::Spam, notice: None };
    vec![
        Op::Add(sample::recipient(8), Box::new(sample::record(8))),
        Op::Add(sample::recipient(9), Box::new(of_service)),
        Op::Add(sample::recipient(3), Box::new(with_ids(3))),
        Op::AddLink(full(), sample::link(1), sample::link_data(1, 2)),
        Op::AddLink(plain(), sample::link(2), sample::link_data(2, 2)),
        Op::AddLink(plain(), sample::link(3), sample::link_data(2, 2)),
        Op::DeleteLink(full()),
        Op::Secure(full(), sample::key(7)),
        Op::Keys(full(), sample::keys(7)),
        Op::AddNotifier(plain(), some(sample::creds(2, None))),
        Op::AddNotifier(full(), some(sample::creds(4, of(2)))),
        Op::AddNotifier(full(), some(sample::creds(5, of(3)))),
        Op::AddNotifier(plain(), some(sample::creds(3, of(3)))),
        Op::DeleteNotifier(full()),
        Op::Suspend(full()),
        Op::Block(full(), info),
        Op::Unblock(plain()),
        Op::Time(full(), RoundedDate::from_seconds(1_735_689_600)),
        Op::Delete(full()),
        Op::Service(Box::new(sample::service(7, 7, ServiceRole::Messaging))),
        Op::SetService(plain(), ServiceParty::Receiver, of(1)),
        Op::SetService(full(), ServiceParty::Notifier, of(3)),
        Op::SetServices(vec![full(), plain()], ServiceParty::Receiver, None),
        Op::SetServices(vec![plain(), full()], ServiceParty::Receiver, of(1)),
    ]
}

/// Fills an empty store with what there is before a change, and says what that is.
pub(crate) fn filled(store: &PostgresQueueStore) -> QueueModel {
    let mut model = QueueModel::default();
    for op in before() {
        assert_eq!(run(store, &op), model.apply(&op), "{op:?}");
    }
    model
}
