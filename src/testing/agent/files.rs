//! Files that are received and sent.

use super::dice::{Dice, Value, flag, int, text, when};
use super::routers::Routers;
use super::rows::Rows;
use super::tables::Table;
use crate::agent_store::types::{UserId, XftpServerId};
use crate::encoding::der::KeyAlgorithm;

/// How many chunks a file has.
const CHUNKS: i64 = 4;
/// Their size, in bytes.
const CHUNK: i64 = 4 << 20;

/// The last number of each table.
#[derive(Default)]
pub(super) struct Files {
    rcv_file: i64,
    rcv_chunk: i64,
    snd_file: i64,
    snd_chunk: i64,
    snd_replica: i64,
}

impl Files {
    /// Adds a file of each direction, and a replica that is to be deleted.
    pub(super) fn add(
        &mut self,
        routers: &Routers,
        user: UserId,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) {
        let Some(router) = dice.pick(&routers.xftp).copied() else { return };
        self.received(user, router, dice, rows);
        self.sent(user, router, dice, rows);
        let deleted = [
            int(user.0),
            int(router.0),
            dice.blob(24),
            dice.private_key(KeyAlgorithm::Ed25519),
            dice.blob(32),
            dice.time(),
        ];
        rows.add(Table::DeletedReplicas, deleted);
    }

    fn received(
        &mut self,
        user: UserId,
        router: XftpServerId,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) {
        self.rcv_file += 1;
        let complete = dice.percent(50);
        let encrypted = dice.percent(50);
        let number = self.rcv_file;
        let file = [
            int(number),
            super::dice::blob(dice.own_id()),
            int(user.0),
            int(CHUNKS * CHUNK),
            dice.blob(64),
            dice.blob(32),
            dice.blob(24),
            int(CHUNK),
            text(format!("rcv/{number}")),
            when(!complete, || text(format!("rcv/{number}/tmp"))),
            text(format!("files/{number}")),
            text(if complete { "complete" } else { "receiving" }),
            dice.time(),
            when(encrypted, || dice.blob(32)),
            when(encrypted, || dice.blob(24)),
        ];
        rows.add(Table::RcvFiles, file);
        for chunk in 1..=CHUNKS {
            self.rcv_chunk += 1;
            let received = complete || dice.percent(30);
            let path = format!("rcv/{number}/tmp/{chunk}");
            let chunk = [
                int(self.rcv_chunk),
                int(number),
                int(chunk),
                int(CHUNK),
                dice.blob(32),
                when(received, || text(path)),
            ];
            rows.add(Table::RcvFileChunks, chunk);
            for replica in 1..=2 {
                let replica = [
                    int(self.rcv_chunk),
                    int(replica),
                    int(router.0),
                    dice.blob(24),
                    dice.private_key(KeyAlgorithm::Ed25519),
                    flag(received && replica == 1),
                    dice.time(),
                ];
                rows.add(Table::RcvFileReplicas, replica);
            }
        }
    }

    fn sent(&mut self, user: UserId, router: XftpServerId, dice: &mut Dice, rows: &mut Rows<'_>) {
        self.snd_file += 1;
        let complete = dice.percent(50);
        let number = self.snd_file;
        let file: [Value; 11] = [
            int(number),
            super::dice::blob(dice.own_id()),
            int(user.0),
            int(2),
            dice.blob(64),
            dice.blob(32),
            dice.blob(24),
            text(format!("files/{number}")),
            when(!complete, || text(format!("snd/{number}"))),
            text(if complete { "complete" } else { "uploading" }),
            dice.time(),
        ];
        rows.add(Table::SndFiles, file);
        for chunk in 1..=CHUNKS {
            self.snd_chunk += 1;
            let row = [
                int(self.snd_chunk),
                int(number),
                int(chunk),
                int((chunk - 1) * CHUNK),
                int(CHUNK),
                dice.blob(32),
            ];
            rows.add(Table::SndFileChunks, row);
            self.replica(complete || dice.percent(30), router, dice, rows);
        }
    }

    fn replica(
        &mut self,
        uploaded: bool,
        router: XftpServerId,
        dice: &mut Dice,
        rows: &mut Rows<'_>,
    ) {
        self.snd_replica += 1;
        let replica = [
            int(self.snd_replica),
            int(self.snd_chunk),
            int(1),
            int(router.0),
            dice.blob(24),
            dice.private_key(KeyAlgorithm::Ed25519),
            text(if uploaded { "uploaded" } else { "created" }),
            dice.time(),
        ];
        rows.add(Table::SndFileReplicas, replica);
        for _ in 0..2 {
            let recipient =
                [int(self.snd_replica), dice.blob(24), dice.private_key(KeyAlgorithm::Ed25519)];
            rows.add(Table::SndFileRecipients, recipient);
        }
    }
}
