//! Memory on hostile input: whatever lengths it declares, however long its lines and lists are, no
//! reader takes more than a stated multiple of what it was given.
//!
//! Every allocation of this process is counted, a growing one with its old and its new place. One
//! test at a time measures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "postgres")]
mod transfer;

use std::{fs::File, hint::black_box, io::Write, path::PathBuf};

use peak_alloc::PeakAlloc;
use simplex_stores::{
    ntf_store::{
        NTF_SNAPSHOT, NtfFileConfig, NtfStore,
        pending::{PendingNtfFile, PendingNtfStore},
    },
    protocol::{LinkData, QueueRec, Semantics},
    queue_store::{BasicFactory, StmQueueStore, stm::StoreSnapshot},
    store_log::{FsStorage, LogRecord, OnDamage, StoreLogConfig, read_snapshot, write_snapshot},
    sync::{Mutex, MutexGuard},
    testing::fuzz::TARGETS,
};
use tempfile::TempDir;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock()
}

/// How much more memory was taken at any moment of `body` than before it.
fn peak_of(body: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    body();
    MEMORY.peak_usage().saturating_sub(before)
}

#[track_caller]
fn assert_below(what: &str, peak: usize, bound: usize) {
    assert!(peak <= bound, "{what}: {peak} bytes at once, and no more than {bound} are allowed");
}

/// Beginnings of lines and columns, and what a hostile one goes on with.
const STARTS: [&[u8]; 9] = [
    b"",
    b"SUSPEND ",
    b"KEYS AAAA ",
    b"LINK AAAA AAAA ",
    b"TIME AAAA ",
    b"CREATE rid=AAAA rk=",
    b"BLOCK AAAA reason=spam,notice=",
    b"NEW_SERVICE service_id=AAAA role=M cert=",
    b"STORE ",
];
const KEY: &[u8] = b"MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=,";
const PIECES: [&[u8]; 13] = [
    b"A",
    b"=",
    b",",
    b" ",
    b"9",
    b"0",
    b"[",
    b"{\"a\":",
    b"AAAA,",
    KEY,
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\xff",
];

/// A reader may hold a few decoded copies of its input: what the entry points check takes reading
/// it, writing it and reading that again, and an id of three bytes takes thirty.
#[test]
fn parsers_take_a_few_times_their_input() {
    let _alone = alone();
    for length in [KIB, 64 * KIB, MIB] {
        for start in STARTS {
            for piece in PIECES {
                let mut input = start.to_vec();
                input.extend(piece.iter().cycle().take(length));
                for (name, target) in TARGETS {
                    let peak = peak_of(|| target(&input));
                    assert_below(name, peak, 12 * input.len() + 64 * KIB);
                }
                let parse = || drop(black_box(LogRecord::parse(&input, Semantics::Strict)));
                assert_below("a record", peak_of(parse), 4 * input.len() + 4 * KIB);
            }
        }
    }
}

/// Lengths that are larger than what follows them, in every form that declares one.
#[test]
fn declared_lengths_are_not_believed() {
    let _alone = alone();
    let huge: [&[u8]; 9] = [
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff\x30",
        b"\x30\x83\xff\xff\xff\x30\x82\xff\xff\xa0\x03\x02\x01\x02",
        b"\x30\x82\xff\xff\x30\x05\x06\x03\x2b\x65\x70",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xff",
        b"\xff\xff\xff",
        b"\x01\xff\xff",
        b"\x02\xff\xff\x00",
    ];
    for input in huge {
        for (name, target) in TARGETS {
            assert_below(name, peak_of(|| target(input)), 16 * KIB);
        }
    }
}

/// A log of so many times these bytes, on a real disk, so that the file is not in memory.
fn log_of(piece: &[u8], length: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("F");
    let mut file = File::create(&path).unwrap();
    let block: Vec<u8> = piece.iter().copied().cycle().take(piece.len() * 4096).collect();
    for _ in 0..length.div_ceil(block.len()) {
        file.write_all(&block).unwrap();
    }
    (folder, path)
}

fn peak_of_replay(config: &StoreLogConfig) -> usize {
    peak_of(|| {
        let (_, report) = StmQueueStore::replay(config, BasicFactory).unwrap();
        assert_eq!(report.records, 0);
    })
}

/// Whatever a line's length, no more is held than the longest line allowed.
#[test]
fn a_gigantic_line_is_walked_over() {
    const MAX_LINE: usize = MIB;
    let _alone = alone();
    for piece in [&b"CREATE rid="[..], b"A", b"\0", b"KEYS AAAA MCow,"] {
        for end in [&b""[..], b"\n"] {
            let (_folder, path) = log_of(piece, 32 * MIB);
            File::options().append(true).open(&path).unwrap().write_all(end).unwrap();
            for semantics in [Semantics::Strict, Semantics::Reference] {
                let config = StoreLogConfig::new(&path).max_line(MAX_LINE).semantics(semantics);
                let peak = peak_of_replay(&config.integrity(true));
                assert_below("a line of 32 MiB", peak, 4 * MAX_LINE + MIB);
            }
        }
    }
}

/// Lines that are no records are told up to a limit, and counted beyond it.
#[test]
fn a_log_of_nothing_but_bad_lines_is_read_in_batches() {
    let _alone = alone();
    for piece in [&b"\n"[..], b"DELETE\n", b"CREATE rid=AAAA rk=MCow\n", b"\xff\n"] {
        let (_folder, path) = log_of(piece, 2 * MIB);
        let config = StoreLogConfig::new(&path).max_warnings(1000).on_damage(OnDamage::Skip);
        let peak = peak_of_replay(&config);
        assert_below("2 MiB of bad lines", peak, 3 * MIB);
    }
}

/// So it is with the file of a router's pending notifications, where bad lines are listed up to a limit.
#[test]
fn a_file_of_pending_notifications_is_read_line_by_line() {
    const MAX_LINE: usize = MIB;
    let _alone = alone();
    let giant = [&b"v1 AAAA "[..], b"v1 ", b"\0"].map(|piece| (piece, 16 * MIB));
    let many = [&b"\n"[..], b"v2 AAAA AAAA 1 AAAA AAAA\n"].map(|piece| (piece, 2 * MIB));
    for (piece, length) in giant.into_iter().chain(many) {
        let (_folder, path) = log_of(piece, length);
        let file = PendingNtfFile::new(&path).max_line(MAX_LINE);
        for semantics in [Semantics::Reference, Semantics::Strict] {
            let restore = || match PendingNtfStore::restore(&file, semantics, None) {
                Ok((_, report)) => assert_eq!((report.restored, semantics), (0, Semantics::Strict)),
                Err(_) => assert_eq!(semantics, Semantics::Reference),
            };
            assert_below("a file without notifications", peak_of(restore), 4 * MAX_LINE + MIB);
        }
    }
}

/// A sum that is right makes a payload no safer to believe.
#[test]
fn a_snapshot_is_not_believed_about_lengths() {
    const KIND: [u8; 8] = *b"hostile ";
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("S");
    for lengths in [vec![u64::MAX; 4], vec![1 << 40; 64], vec![1 << 28; 1000], vec![1 << 20; 9000]]
    {
        let length = write_snapshot(&FsStorage, &path, KIND, &lengths).unwrap() as usize;
        let bound = 16 * length + 4 * MIB;
        fn read<T: serde::de::DeserializeOwned>(path: &std::path::Path) {
            black_box(read_snapshot::<T>(&FsStorage, path, KIND).is_err());
        }
        assert_below("a snapshot", peak_of(|| read::<StoreSnapshot>(&path)), bound);
        assert_below("a snapshot", peak_of(|| read::<Vec<LogRecord>>(&path)), bound);
        assert_below("a snapshot", peak_of(|| read::<QueueRec>(&path)), bound);
        assert_below("a snapshot", peak_of(|| read::<LinkData>(&path)), bound);
        assert_below("a snapshot", peak_of(|| read::<Vec<String>>(&path)), bound);
        assert_below("a snapshot", peak_of(|| read::<Vec<Vec<Vec<u64>>>>(&path)), bound);
    }
}

/// Whatever stands where a sidecar should be, it is read entry by entry.
#[test]
fn a_sidecar_is_read_entry_by_entry() {
    let _alone = alone();
    for piece in [&b"\xff"[..], b"SXSTLOGI", b"\0"] {
        let (_folder, path) = log_of(b"\n", 4096);
        let (_other, sidecar) = log_of(piece, 16 * MIB);
        std::fs::rename(sidecar, path.with_file_name("F.integrity")).unwrap();
        let config = StoreLogConfig::new(&path).integrity(true);
        assert_below("a sidecar of 16 MiB", peak_of_replay(&config), 4 * MIB);
    }
}

/// The twin: a reader that believes what it is told is found out.
#[test]
#[should_panic(expected = "a trusting reader")]
fn twin_a_reader_that_believes_a_length_is_found_out() {
    let _alone = alone();
    let input = [b"\x84\x04\xff\xff\xff".as_slice(), b"and little more"].concat();
    let declared = u32::from_be_bytes(input[1..5].try_into().unwrap()) as usize;
    let peak = peak_of(|| drop(black_box(Vec::<u8>::with_capacity(declared))));
    assert_below("a trusting reader", peak, 12 * input.len() + 64 * KIB);
}

/// The same of a file of notifications: a gigantic line, nothing but bad lines, lengths in a snapshot.
#[test]
fn a_file_of_notifications_is_not_believed() {
    const MAX_LINE: usize = MIB;
    let _alone = alone();
    let peak = |config: &NtfFileConfig| {
        peak_of(|| match NtfStore::load(config) {
            Ok((_, report)) => {
                assert_eq!((report.tokens, report.subscriptions, report.last_ntfs), (0, 0, 0));
            }
            Err(error) => drop(error),
        })
    };
    for piece in [&b"tknId="[..], b"subId=AAAA smpQueue=smp://", b"v1 ", b"\0"] {
        let (_folder, path) = log_of(piece, 32 * MIB);
        let config = NtfFileConfig::new(&path).max_line(MAX_LINE);
        assert_below("a line of 32 MiB", peak(&config), 4 * MAX_LINE + MIB);
    }
    for piece in [&b"\n"[..], b"tknId=AAAA\n", b"v1 AAAA smp://\n", b"\xff\n"] {
        let (_folder, path) = log_of(piece, 2 * MIB);
        let config = NtfFileConfig::new(&path).max_warnings(1000);
        assert_below("2 MiB of bad lines", peak(&config), 8 * MIB);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("S");
    for lengths in [vec![u64::MAX; 4], vec![1 << 40; 64], vec![1 << 28; 1000], vec![1 << 20; 9000]]
    {
        let length = write_snapshot(&FsStorage, &path, NTF_SNAPSHOT, &lengths).unwrap() as usize;
        assert_below("a snapshot", peak(&NtfFileConfig::new(&path)), 16 * length + 4 * MIB);
    }
}
