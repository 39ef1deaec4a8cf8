//! Connections with their queues.

use super::Shape;
use super::dice::{Dice, Value, blob, flag, int, text, when};
use super::files::Files;
use super::handshakes;
use super::messages::{Bodies, Log, Sides};
use super::routers::{Address, Routers};
use super::rows::Rows;
use super::tables::Table;
use crate::agent_store::types::UserId;
use crate::encoding::der::KeyAlgorithm;

/// Which queues a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conn {
    New,
    Rcv,
    Snd,
    Duplex,
    Contact,
}

/// A connection that is being made.
pub(super) struct Made<'r> {
    pub(super) id: Vec<u8>,
    pub(super) kind: Conn,
    pub(super) user: UserId,
    pub(super) router: Option<&'r Address>,
    pub(super) notified: bool,
}

/// What makes connections one after the other.
pub(super) struct Connections<'r> {
    shape: Shape,
    routers: &'r Routers,
    notices: i64,
    bodies: Bodies,
    files: Files,
    made: u64,
}

impl<'r> Connections<'r> {
    pub(super) fn new(shape: &Shape, routers: &'r Routers) -> Self {
        Self {
            shape: *shape,
            routers,
            notices: 0,
            bodies: Bodies::default(),
            files: Files::default(),
            made: 0,
        }
    }

    /// The ids of all of them, ascending: then every row goes to the end of most indexes, and none of them
    /// has to be read again.
    pub(super) fn ids(&self, dice: &mut Dice) -> Vec<Vec<u8>> {
        let mut ids: Vec<_> = (0..self.shape.connections).map(|_| dice.own_id()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Adds the rows of a connection, and says how many messages it has.
    pub(super) fn add(&mut self, id: &[u8], dice: &mut Dice, rows: &mut Rows<'_>) -> u64 {
        let made = self.decide(id, dice);
        let sides = Sides {
            receives: !matches!(made.kind, Conn::New | Conn::Snd),
            sends: matches!(made.kind, Conn::Snd | Conn::Duplex),
        };
        let deleted = dice.percent(1);
        let log = Log::make(&made.id, self.shape.messages, sides, &mut self.bodies, dice, rows);
        rows.add(Table::Connections, connection(&made, &log, deleted, dice));
        self.queues(&made, deleted, dice, rows);
        handshakes::add(&made, &self.routers.ntf, dice, rows);
        self.made += 1;
        if self.made % 100 == 1 {
            self.files.add(self.routers, made.user, dice, rows);
        }
        log.messages()
    }

    fn decide(&self, id: &[u8], dice: &mut Dice) -> Made<'r> {
        let kind = match dice.below(100) {
            0 => Conn::New,
            1..=4 => Conn::Rcv,
            5..=8 => Conn::Snd,
            9..=12 => Conn::Contact,
            _ => Conn::Duplex,
        };
        let first = self.routers.users.first();
        let user = if dice.percent(80) { first } else { dice.pick(&self.routers.users) };
        let router = dice.pick(&self.routers.smp);
        let receives = matches!(kind, Conn::Rcv | Conn::Duplex);
        Made {
            id: id.to_vec(),
            kind,
            user: user.copied().unwrap_or(UserId(1)),
            router,
            notified: receives && dice.percent(40),
        }
    }

    fn queues(&mut self, made: &Made<'_>, deleted: bool, dice: &mut Dice, rows: &mut Rows<'_>) {
        let Some(router) = made.router else { return };
        if matches!(made.kind, Conn::Rcv | Conn::Duplex | Conn::Contact) {
            let notice = self.notice(router, dice, rows);
            let replaced = made.kind == Conn::Duplex && dice.percent(3);
            let switching = if replaced { Some("sending_quse") } else { None };
            let first = RcvRow { number: 1, replaces: None, switching, notice, deleted };
            self.receive_queue(made, router, &first, dice, rows);
            if replaced && let Some(next) = dice.pick(&self.routers.smp) {
                let next_row =
                    RcvRow { number: 2, replaces: Some(1), switching: None, notice: None, deleted };
                self.receive_queue(made, next, &next_row, dice, rows);
            }
        }
        if matches!(made.kind, Conn::Snd | Conn::Duplex)
            && let Some(peers) = dice.pick(&self.routers.smp)
        {
            rows.add(Table::SndQueues, send_queue(made, peers, dice));
        }
    }

    /// A notice for few queues.
    fn notice(&mut self, at: &Address, dice: &mut Dice, rows: &mut Rows<'_>) -> Option<Notice> {
        if dice.below(200) > 0 {
            return None;
        }
        self.notices += 1;
        let queue = dice.bytes(24);
        let since = 1_735_689_600 + i64::try_from(dice.below(30_000_000)).unwrap_or(0);
        let row = [
            int(self.notices),
            text("smp"),
            at.host(),
            at.port(),
            blob(queue.clone()),
            when(dice.percent(50), || int(86_400)),
            int(since),
            int(since),
        ];
        rows.add(Table::ClientNotices, row);
        Some(Notice { number: self.notices, queue })
    }

    fn receive_queue(
        &self,
        made: &Made<'_>,
        router: &Address,
        row: &RcvRow,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) {
        let linked = made.kind == Conn::Contact && dice.percent(50);
        // Only the first: a queue's notifier is on its router.
        let notified = made.notified && row.number == 1;
        let served = self.routers.serves(made.user, router) && dice.percent(50);
        let confirmed = made.kind == Conn::Duplex;
        let id = row.notice.as_ref().map_or_else(|| dice.bytes(24), |notice| notice.queue.clone());
        let mode = if made.kind == Conn::Contact { "C" } else { "M" };
        let notifier = notified.then(|| super::handshakes::notifier_id(&made.id));
        let values = [
            router.host(),
            router.port(),
            blob(id),
            blob(made.id.clone()),
            dice.private_key(KeyAlgorithm::X25519),
            dice.blob(32),
            dice.private_key(KeyAlgorithm::X25519),
            when(confirmed, || dice.blob(32)),
            dice.blob(24),
            text(if confirmed { "active" } else { "new" }),
            int(4),
            when(notified, || dice.public_key(KeyAlgorithm::X25519)),
            when(notified, || dice.private_key(KeyAlgorithm::X25519)),
            notifier.map_or(Value::Null, blob),
            when(notified, || dice.blob(32)),
            int(row.number),
            flag(true),
            row.replaces.map_or(Value::Null, int),
            row.switching.map_or(Value::Null, text),
            flag(row.deleted),
            when(linked, || dice.blob(24)),
            when(linked, || dice.blob(32)),
            when(linked, || dice.private_key(KeyAlgorithm::Ed25519)),
            when(linked, || dice.blob(200)),
            text(mode),
            row.notice.as_ref().map_or(Value::Null, |notice| int(notice.number)),
            flag(served),
            when(confirmed, || dice.time()),
        ];
        rows.add(Table::RcvQueues, values);
    }
}

struct Notice {
    number: i64,
    queue: Vec<u8>,
}

/// What tells the receive queues of a connection apart.
struct RcvRow {
    number: i64,
    replaces: Option<i64>,
    switching: Option<&'static str>,
    notice: Option<Notice>,
    deleted: bool,
}

fn connection(made: &Made<'_>, log: &Log, deleted: bool, dice: &mut Dice) -> [Value; 14] {
    let mode = if made.kind == Conn::Contact { "CON" } else { "INV" };
    [
        blob(made.id.clone()),
        text(mode),
        int(log.last_id),
        int(log.last_rcv_id),
        int(log.last_snd_id),
        int(log.last_external_id),
        blob(log.rcv_hash.clone()),
        blob(log.snd_hash.clone()),
        int(7),
        flag(true),
        when(dice.percent(90), || flag(made.notified)),
        flag(deleted),
        int(made.user.0),
        flag(dice.percent(80)),
    ]
}

fn send_queue(made: &Made<'_>, router: &Address, dice: &mut Dice) -> [Value; 12] {
    [
        router.host(),
        router.port(),
        dice.blob(24),
        blob(made.id.clone()),
        dice.private_key(KeyAlgorithm::X25519),
        dice.blob(32),
        text(if made.kind == Conn::Duplex { "active" } else { "new" }),
        int(4),
        dice.public_key(KeyAlgorithm::X25519),
        int(1),
        flag(true),
        text("M"),
    ]
}
