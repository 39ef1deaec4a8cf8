//! What a connection has besides queues and messages: ratchets, confirmations, commands, subscriptions.

use super::connections::{Conn, Made};
use super::dice::{Dice, Value, blob, flag, int, text, when};
use super::routers::Address;
use super::rows::Rows;
use super::tables::Table;
use crate::encoding::base64url;
use crate::encoding::der::KeyAlgorithm;

pub(super) fn add(made: &Made<'_>, ntf: &[Address], dice: &mut Dice, rows: &mut Rows<'_>) {
    match made.kind {
        Conn::New => {}
        Conn::Contact => invitations(made, dice, rows),
        Conn::Rcv => confirmation(made, dice, rows),
        Conn::Snd | Conn::Duplex => ratchet(made, dice, rows),
    }
    if dice.percent(2) {
        command(made, dice, rows);
    }
    if made.notified {
        subscription(made, ntf, dice, rows);
    }
    if made.kind == Conn::Snd && dice.percent(20) {
        short_link(made, dice, rows);
    }
}

/// The notifier's id of a connection's queue: the queue and the subscription have the same.
pub(super) fn notifier_id(conn: &[u8]) -> Vec<u8> {
    [b"notifier", conn].concat()
}

/// A document as a ratchet's is: a version, keys, chains.
fn ratchet_state(dice: &mut Dice) -> Value {
    let mut key = |length| base64url::to_string(&dice.bytes(length));
    let document = serde_json::json!({
        "rcVersion": [2, 3],
        "rcAD": key(112),
        "rcDHRs": key(72),
        "rcRK": key(32),
        "rcSnd": { "rcDHRr": key(68), "rcCKs": key(32), "rcHKs": key(32) },
        "rcRcv": { "rcCKr": key(32), "rcHKr": key(32) },
        "rcNs": 5, "rcNr": 5, "rcPN": 1, "rcNHKs": key(32), "rcNHKr": key(32),
    });
    blob(document.to_string())
}

fn ratchet(made: &Made<'_>, dice: &mut Dice, rows: &mut Rows<'_>) {
    rows.add(Table::Ratchets, [blob(made.id.clone()), ratchet_state(dice)]);
    if dice.percent(5) {
        let header = dice.bytes(32);
        for number in 0..3 {
            let key = [&[32][..], &dice.bytes(32), &[16], &dice.bytes(16)].concat();
            let row = [blob(made.id.clone()), blob(header.clone()), int(number), blob(key)];
            rows.add(Table::SkippedMessages, row);
        }
    }
    if dice.percent(5) {
        let row = [blob(made.id.clone()), dice.blob(32), dice.time()];
        rows.add(Table::RatchetHashes, row);
    }
}

fn confirmation(made: &Made<'_>, dice: &mut Dice, rows: &mut Rows<'_>) {
    let row = [
        blob(dice.own_id()),
        blob(made.id.clone()),
        dice.public_key(KeyAlgorithm::X25519),
        when(dice.percent(80), || dice.public_key(KeyAlgorithm::X25519)),
        ratchet_state(dice),
        dice.blob(120),
        flag(false),
        dice.time(),
        int(4),
    ];
    rows.add(Table::ConnConfirmations, row);
}

fn invitations(made: &Made<'_>, dice: &mut Dice, rows: &mut Rows<'_>) {
    for _ in 0..2 {
        let row = [
            blob(dice.own_id()),
            blob(made.id.clone()),
            blob(invitation(dice)),
            dice.blob(120),
            flag(false),
            dice.time(),
        ];
        rows.add(Table::ConnInvitations, row);
    }
}

/// The URI of a request: a queue's address, and keys for the ratchet.
fn invitation(dice: &mut Dice) -> String {
    let mut key = |length| base64url::to_string(&dice.bytes(length));
    format!(
        "simplex:/invitation#/?v=2-7&smp=smp%3A%2F%2F{}%40peer.example.com%3A5223%2F{}%23%2F%3Fv%3D1-4\
         %26dh%3D{}%26q%3Dm&e2e=v%3D2-3%26x3dh%3D{}%2C{}",
        key(32),
        key(24),
        key(44),
        key(68),
        key(68),
    )
}

/// A command that waits: for a router, or for none.
fn command(made: &Made<'_>, dice: &mut Dice, rows: &mut Rows<'_>) {
    let router = made.router.filter(|_| made.kind != Conn::New);
    let (tag, command) = match router {
        Some(_) => ("INTERNAL DELETE_CONN", "INTERNAL DELETE_CONN"),
        None => ("CLIENT NEW", "CLIENT NEW T INV pq=disable subscribe"),
    };
    let row = [
        blob(made.id.clone()),
        router.map_or(Value::Null, Address::host),
        router.map_or(Value::Null, Address::port),
        dice.blob(24),
        blob(tag),
        blob(command),
        dice.time(),
    ];
    rows.add(Table::Commands, row);
}

fn subscription(made: &Made<'_>, ntf: &[Address], dice: &mut Dice, rows: &mut Rows<'_>) {
    let (Some(router), Some(ntf)) = (made.router, dice.pick(ntf).cloned()) else { return };
    let created = dice.percent(90);
    let row = [
        blob(made.id.clone()),
        router.host(),
        router.port(),
        blob(notifier_id(&made.id)),
        ntf.host(),
        ntf.port(),
        when(created, || dice.blob(24)),
        text(if created { "CREATED ACTIVE" } else { "KEY" }),
        text(if created { "C" } else { "N" }),
        Value::Null,
        dice.time(),
    ];
    rows.add(Table::NtfSubscriptions, row);
}

fn short_link(made: &Made<'_>, dice: &mut Dice, rows: &mut Rows<'_>) {
    let Some(router) = made.router else { return };
    let row = [
        router.host(),
        router.port(),
        dice.blob(24),
        dice.blob(32),
        dice.private_key(KeyAlgorithm::Ed25519),
        when(dice.percent(50), || dice.blob(24)),
    ];
    rows.add(Table::InvShortLinks, row);
}
