//! Snapshots: every kind of damage has its own clear error, and a crash leaves the old one or the
//! new one.

use std::{collections::BTreeMap, io::ErrorKind, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use simplex_stores::{
    store_log::{SnapshotError, SnapshotKind, read_snapshot, write_snapshot},
    sync::atomic::{AtomicU64, Ordering},
    testing::{Crash, FailingStorage, Fault, MemStorage, Plan},
};

const KIND: SnapshotKind = *b"TESTSNAP";

fn path() -> &'static Path {
    Path::new("/snap/S")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Value {
    name: String,
    entries: BTreeMap<u32, Vec<u8>>,
}

fn value(count: u32) -> Value {
    let entries = (0..count).map(|number| (number, vec![number as u8; 5])).collect();
    Value { name: "a value".to_owned(), entries }
}

fn written(value: &Value) -> MemStorage {
    let disk = MemStorage::new();
    let length = write_snapshot(&disk, path(), KIND, value).unwrap();
    assert_eq!(disk.read(path()).unwrap().len() as u64, length);
    disk
}

fn read(disk: &MemStorage) -> Result<Value, SnapshotError> {
    read_snapshot(disk, path(), KIND)
}

#[test]
fn what_was_written_is_read() {
    for count in [0, 1, 100, 100_000] {
        assert_eq!(read(&written(&value(count))).unwrap(), value(count));
    }
}

/// A value that somebody changes while it is written.
struct Restless(AtomicU64);

impl Serialize for Restless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn a_value_that_encodes_differently_each_time_is_not_written() {
    let disk = written(&value(1));
    let before = disk.read(path());
    let restless = Restless(AtomicU64::new(7));
    let error = write_snapshot(&disk, path(), KIND, &restless).unwrap_err();
    assert!(matches!(error, SnapshotError::Encode { .. }), "{error}");
    assert_eq!((disk.read(path()), disk.names().len()), (before, 1));
}

#[test]
fn every_changed_bit_is_refused() {
    let disk = written(&value(10));
    for at in 0..disk.read(path()).unwrap().len() {
        for bit in 0..8 {
            disk.damage(path(), |bytes| bytes[at] ^= 1 << bit);
            let error = read(&disk).unwrap_err();
            match at {
                0..8 => assert!(matches!(error, SnapshotError::BadMagic), "{at}: {error}"),
                8..12 => {
                    assert!(matches!(error, SnapshotError::UnknownVersion { .. }), "{at}: {error}")
                }
                16..24 => assert!(matches!(error, SnapshotError::WrongKind), "{at}: {error}"),
                24..32 => assert!(
                    matches!(
                        error,
                        SnapshotError::Truncated { .. } | SnapshotError::TrailingBytes { .. }
                    ),
                    "{at}: {error}"
                ),
                _ => assert!(matches!(error, SnapshotError::Checksum), "{at}: {error}"),
            }
            disk.damage(path(), |bytes| bytes[at] ^= 1 << bit);
        }
    }
    read(&disk).unwrap();
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let disk = written(&value(10));
    let whole = disk.read(path()).unwrap();
    for cut in 0..whole.len() {
        disk.damage(path(), |bytes| *bytes = whole[..cut].to_vec());
        let error = read(&disk).unwrap_err();
        let SnapshotError::Truncated { expected, found } = error else { panic!("{cut}: {error}") };
        let header = if cut < 64 { 64 } else { whole.len() as u64 };
        assert_eq!((expected, found), (header, cut as u64));
    }
    disk.damage(path(), |bytes| {
        *bytes = whole.clone();
        bytes.push(0);
    });
    assert!(matches!(read(&disk).unwrap_err(), SnapshotError::TrailingBytes { count: 1 }));
}

#[test]
fn a_length_beyond_the_file_is_refused_before_anything_is_allocated() {
    let disk = written(&value(10));
    for length in [u64::MAX, u64::MAX - 63, 1 << 50] {
        disk.damage(path(), |bytes| bytes[24..32].copy_from_slice(&length.to_le_bytes()));
        let error = read(&disk).unwrap_err();
        assert!(matches!(error, SnapshotError::Truncated { .. }), "{error}");
    }
}

#[test]
fn a_file_that_never_was_a_snapshot_is_called_so() {
    let disk = MemStorage::new();
    for text in
        ["CREATE rid=AAAA", "x", "SXSTLOGI and so on, for more than sixty-four bytes, which it is"]
    {
        disk.put(path(), text);
        assert!(matches!(read(&disk).unwrap_err(), SnapshotError::BadMagic));
    }
    disk.put(path(), "");
    assert!(matches!(read(&disk).unwrap_err(), SnapshotError::Truncated { .. }));
}

#[test]
fn a_missing_file_is_not_found() {
    let error = read(&MemStorage::new()).unwrap_err();
    let SnapshotError::Io { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::NotFound);
}

#[test]
fn another_kind_and_another_type_are_refused() {
    let disk = written(&value(3));
    let other = read_snapshot::<Value>(&disk, path(), *b"ANOTHER ").unwrap_err();
    assert!(matches!(other, SnapshotError::WrongKind), "{other}");
    // A sum that is right does not make the payload one of the expected type.
    let shorter = read_snapshot::<String>(&disk, path(), KIND).unwrap_err();
    assert!(matches!(shorter, SnapshotError::TrailingBytes { .. }), "{shorter}");
    write_snapshot(&disk, path(), KIND, &u64::MAX).unwrap();
    let huge = read_snapshot::<Vec<u8>>(&disk, path(), KIND).unwrap_err();
    assert!(matches!(huge, SnapshotError::Decode { .. }), "{huge}");
    let huge = read_snapshot::<String>(&disk, path(), KIND).unwrap_err();
    assert!(matches!(huge, SnapshotError::Decode { .. }), "{huge}");
}

#[test]
fn a_crash_while_writing_leaves_the_old_one_or_the_new_one() {
    let rehearsal = FailingStorage::new(Arc::new(written(&value(1))));
    write_snapshot(&rehearsal, path(), KIND, &value(2)).unwrap();
    let mut old = 0;
    let count = rehearsal.done().len() as u64;
    for number in 1..=count + 1 {
        for crash in [
            Crash::Process,
            Crash::PowerSyncedOnly,
            Crash::PowerNamesKept,
            Crash::PowerDataKept,
            Crash::PowerPrefix(1),
        ] {
            let disk = written(&value(1));
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            failing.plan(Plan::From(number, Fault::Error(ErrorKind::Other)));
            let done = write_snapshot(&failing, path(), KIND, &value(2));
            disk.crash(crash);
            let found = read(&disk).unwrap();
            assert!(
                found == value(2) || (found == value(1) && done.is_err()),
                "{number} {crash:?}"
            );
            old += u32::from(found == value(1));
        }
    }
    assert!(old > 0);
}

#[test]
fn a_failed_write_leaves_no_side_file() {
    let disk = written(&value(1));
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    failing.plan(Plan::NthOf(
        simplex_stores::testing::Operation::Write,
        2,
        Fault::ShortWrite(3, ErrorKind::StorageFull),
    ));
    let error = write_snapshot(&failing, path(), KIND, &value(2)).unwrap_err();
    assert!(error.to_string().starts_with("/snap/S.tmp: "), "{error}");
    assert_eq!(disk.names(), [path()]);
    assert_eq!(read(&disk).unwrap(), value(1));
}
