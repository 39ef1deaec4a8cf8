//! The log of a connection: messages with their details, hashes, bodies and deliveries.

use super::dice::{Dice, Value, blob, flag, int, text, when};
use super::rows::Rows;
use super::tables::Table;

/// How many messages share a body.
const SHARED_BY: u64 = 10;

/// Which directions a connection has.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    pub(super) receives: bool,
    pub(super) sends: bool,
}

/// Bodies that several messages share.
#[derive(Default)]
pub(super) struct Bodies {
    last: i64,
    used: u64,
}

impl Bodies {
    /// The number of a body for one message more.
    fn take(&mut self, dice: &mut Dice, rows: &mut Rows<'_>) -> i64 {
        if self.used == 0 {
            self.last += 1;
            let body = [&b"M"[..], &dice.bytes(150)].concat();
            rows.add(Table::SndMessageBodies, [int(self.last), blob(body)]);
        }
        self.used = (self.used + 1) % SHARED_BY;
        self.last
    }
}

/// Where the log of a connection has come.
#[derive(Default)]
pub(super) struct Log {
    pub(super) last_id: i64,
    pub(super) last_rcv_id: i64,
    pub(super) last_snd_id: i64,
    pub(super) last_external_id: i64,
    /// The last message that was received.
    received: i64,
    pub(super) rcv_hash: Vec<u8>,
    pub(super) snd_hash: Vec<u8>,
}

impl Log {
    /// Adds the rows of so many messages.
    pub(super) fn make(
        conn: &[u8],
        messages: u32,
        sides: Sides,
        bodies: &mut Bodies,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) -> Self {
        let mut log = Self::default();
        for number in 1..=messages {
            let pending = number == messages && dice.percent(40);
            match (sides.receives, sides.sends) {
                (true, true) if pending || dice.percent(50) => {
                    log.sent(conn, pending, bodies, dice, rows);
                }
                (true, _) => log.received(conn, dice, rows),
                (false, true) => log.sent(conn, pending, bodies, dice, rows),
                (false, false) => {}
            }
        }
        log
    }

    pub(super) fn messages(&self) -> u64 {
        u64::try_from(self.last_id).unwrap_or(0)
    }

    fn received(&mut self, conn: &[u8], dice: &mut Dice, rows: &mut Rows<'_>) {
        self.last_id += 1;
        self.last_rcv_id += 1;
        self.last_external_id += 1;
        self.received = self.last_id;
        let hash = dice.bytes(32);
        let before = std::mem::replace(&mut self.rcv_hash, hash.clone());
        let body = dice.bytes(100);
        let message = [
            blob(conn),
            int(self.last_id),
            dice.time(),
            int(self.last_rcv_id),
            Value::Null,
            blob(*b"M"),
            blob(body),
            text("T"),
            flag(true),
        ];
        rows.add(Table::Messages, message);
        let details = [
            blob(conn),
            int(self.last_rcv_id),
            int(self.last_id),
            int(self.last_external_id),
            dice.blob(24),
            dice.time(),
            blob(hash),
            blob(before),
            blob(*b"OK"),
            flag(dice.percent(95)),
            int(1),
        ];
        rows.add(Table::RcvMessages, details);
        rows.add(Table::EncryptedHashes, [blob(conn), dice.blob(32), dice.time()]);
    }

    fn sent(
        &mut self,
        conn: &[u8],
        pending: bool,
        bodies: &mut Bodies,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) {
        self.last_id += 1;
        self.last_snd_id += 1;
        let hash = dice.bytes(32);
        let before = std::mem::replace(&mut self.snd_hash, hash.clone());
        let shared = pending && dice.percent(50);
        let message = [
            blob(conn),
            int(self.last_id),
            dice.time(),
            Value::Null,
            int(self.last_snd_id),
            blob(*b"M"),
            // A message that is kept for its receipt has no body any more, nor one that is encrypted later.
            if pending && !shared { dice.blob(150) } else { blob(*b"") },
            text("T"),
            flag(true),
        ];
        rows.add(Table::Messages, message);
        let retried = pending && dice.percent(20);
        let receipt = !pending && self.last_rcv_id > 0 && dice.percent(30);
        let details = [
            blob(conn),
            int(self.last_snd_id),
            int(self.last_id),
            blob(hash),
            blob(before),
            when(retried, || int(2_000_000)),
            when(retried, || int(1_000_000)),
            when(receipt, || int(self.received)),
            when(receipt, || text("ok")),
            when(shared, || encrypt_key(dice)),
            when(shared, || int(15_856)),
            if shared { int(bodies.take(dice, rows)) } else { Value::Null },
        ];
        rows.add(Table::SndMessages, details);
        if pending {
            rows.add(Table::Deliveries, [blob(conn), int(1), int(self.last_id)]);
        }
    }
}

/// The ratchet's version, associated data, a key and its IV, and an encrypted header, with their lengths.
fn encrypt_key(dice: &mut Dice) -> Value {
    let (data, key, iv, header) = (dice.bytes(64), dice.bytes(32), dice.bytes(16), dice.bytes(123));
    blob([&[0, 3, 64][..], &data, &[32], &key, &[16], &iv, &[0, 123], &header].concat())
}
