//! What is planted, and the search for it.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Debug,
    sync::Arc,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use simplex_stores::{
    protocol::{
        AuthKey, Blob, DhSecret, EntityStatus, LinkData, NtfCreds, QueueLink, QueueRec,
        RecipientId, RecipientKeys, RoundedDate, ServiceParty,
    },
    store_log::LogRecord,
    testing::queue_store::sample,
};

/// How much of a secret counts as one that shows. Nine bytes are twelve characters of base64, so
/// the encoding of a text that holds the secret holds that of a piece of it, wherever it begins.
const PIECE: usize = 9;

/// Bytes that nothing else has, different for each number.
pub(crate) fn planted<const N: usize>(number: u8) -> [u8; N] {
    let mut state = u64::from(number) + 0x9E37_79B9;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    })
}

/// The secrets of [`records`].
pub(crate) fn secrets() -> Vec<Vec<u8>> {
    (1..=6).map(|number| planted::<32>(number).to_vec()).collect()
}

/// The public values of [`records`] that no message about a log shows either.
pub(crate) fn public() -> Vec<Vec<u8>> {
    (10..=13).map(|number| planted::<32>(number).to_vec()).collect()
}

pub(crate) fn link_data() -> LinkData {
    LinkData {
        fixed: Blob::from(planted::<32>(3).to_vec()),
        user: planted::<32>(4).to_vec().into(),
    }
}

pub(crate) fn credentials() -> NtfCreds {
    let dh_secret = DhSecret::new(planted(2));
    NtfCreds { key: AuthKey::X25519(planted(12)), dh_secret, ..sample::creds(1, None) }
}

pub(crate) fn queue() -> QueueRec {
    let link = QueueLink { id: sample::link(1), data: link_data() };
    QueueRec {
        recipient_keys: RecipientKeys::one(AuthKey::Ed25519(planted(10))),
        rcv_dh_secret: DhSecret::new(planted(1)),
        sender_key: Some(AuthKey::X25519(planted(11))),
        link: Some(Box::new(link)),
        notifier: Some(Box::new(credentials())),
        updated_at: Some(RoundedDate::from_seconds(1_735_689_600)),
        status: EntityStatus::Off,
        ..sample::record(1)
    }
}

/// Records of most kinds, each with a secret where it has place for one.
pub(crate) fn records() -> Vec<LogRecord> {
    use LogRecord as R;
    let id: fn() -> RecipientId = || sample::recipient(1);
    let link = QueueLink { id: sample::link(2), data: link_data() };
    let second = QueueRec {
        sender_id: sample::sender(2),
        rcv_dh_secret: DhSecret::new(planted(5)),
        ..sample::record(2)
    };
    let other = NtfCreds { dh_secret: DhSecret::new(planted(6)), ..sample::creds(3, None) };
    vec![
        R::CreateQueue(id(), Arc::new(queue())),
        R::DeleteLink(id()),
        R::CreateLink(id(), link),
        R::SecureQueue(id(), AuthKey::X25519(planted(11))),
        R::UpdateKeys(id(), RecipientKeys::one(AuthKey::Ed25519(planted(13)))),
        R::DeleteNotifier(id()),
        R::AddNotifier(id(), Box::new(other)),
        R::SuspendQueue(id()),
        R::UnblockQueue(id()),
        R::UpdateTime(id(), RoundedDate::from_seconds(1_735_776_000)),
        R::QueueService(id(), ServiceParty::Receiver, None),
        R::CreateQueue(sample::recipient(2), Arc::new(second)),
        R::DeleteQueue(sample::recipient(2)),
    ]
}

pub(crate) fn lines() -> Vec<Vec<u8>> {
    let line = |record: &LogRecord| {
        let mut line = Vec::new();
        record.encode(&mut line);
        line.push(b'\n');
        line
    };
    records().iter().map(line).collect()
}

/// Small damage to a line in every place: a byte changed in three ways, the line cut there, a piece
/// left out, and the rest said twice.
pub(crate) fn damaged(line: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..line.len()).flat_map(move |at| {
        let changed = [0x01, 0x20, 0x80].map(|bits| {
            let mut line = line.to_vec();
            line[at] ^= bits;
            line
        });
        let without = [&line[..at], &line[line.len().min(at + 5)..]].concat();
        let twice = [line, &line[at..]].concat();
        changed.into_iter().chain([line[..at].to_vec(), without, twice])
    })
}

/// Finds pieces of planted values in a text, in every form that a program may print bytes in.
pub(crate) struct Search {
    texts: HashSet<Vec<u8>>,
    lengths: BTreeSet<usize>,
    /// The first two bytes of each: what saves the search most look-ups.
    beginnings: HashSet<[u8; 2]>,
    /// As `Debug` prints a list of numbers, without spaces.
    lists: Vec<String>,
}

impl Search {
    pub(crate) fn of(values: &[Vec<u8>]) -> Self {
        let (mut texts, mut lists) = (HashSet::new(), Vec::new());
        for piece in values.iter().flat_map(|value| value.windows(PIECE)) {
            let hex = piece.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            texts.insert(piece.to_vec());
            texts.insert(URL_SAFE.encode(piece).into_bytes());
            texts.insert(STANDARD.encode(piece).into_bytes());
            texts.insert(hex.to_uppercase().into_bytes());
            texts.insert(hex.into_bytes());
            texts.insert(piece.escape_ascii().to_string().into_bytes());
            lists.push(piece.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
        }
        let lengths = texts.iter().map(Vec::len).collect();
        let beginnings = texts.iter().map(|text| [text[0], text[1]]).collect();
        Self { texts, lengths, beginnings, lists }
    }

    /// Where a planted value shows.
    pub(crate) fn find(&self, text: impl AsRef<[u8]>) -> Option<usize> {
        let text = text.as_ref();
        for (at, pair) in text.windows(2).enumerate() {
            let rest = &text[at..];
            let begins = || self.lengths.iter().filter_map(|length| rest.get(..*length));
            if self.beginnings.contains(pair) && begins().any(|text| self.texts.contains(text)) {
                return Some(at);
            }
        }
        let close: Vec<u8> =
            text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let close = String::from_utf8_lossy(&close);
        self.lists.iter().find_map(|list| close.find(list.as_str()))
    }

    /// Fails when a planted value shows in the text.
    pub(crate) fn nothing_in(&self, what: &str, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let found = self.find(text);
        assert!(found.is_none(), "{what} at {found:?}: {}", String::from_utf8_lossy(text));
    }

    /// Fails when a planted value shows in one of the value's two `Debug` forms.
    pub(crate) fn nothing_in_debug(&self, what: &str, value: &dyn Debug) {
        self.nothing_in(what, format!("{value:?}"));
        self.nothing_in(what, format!("{value:#?}"));
    }
}
