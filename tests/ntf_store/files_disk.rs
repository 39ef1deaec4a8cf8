//! Every failing step of the disk and every power loss: a save is whole or did not happen.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use quickcheck::Gen;
use simplex_stores::ntf_store::{NtfFile, NtfFileError, NtfFileForm, NtfSnapshot, NtfStore};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::{Crash, FailingStorage, Fault, MemStorage, Plan};

use crate::files_support::{BOTH_FORMS, FILE, TOKEN, config, random_store};

const FAULTS: [Fault; 4] = [
    Fault::Error(ErrorKind::StorageFull),
    Fault::After(ErrorKind::Other),
    Fault::ShortWrite(0, ErrorKind::StorageFull),
    Fault::ShortWrite(100, ErrorKind::Other),
];

const LOSSES: [Crash; 7] = [
    Crash::Process,
    Crash::PowerSyncedOnly,
    Crash::PowerNamesKept,
    Crash::PowerDataKept,
    Crash::PowerPrefix(1),
    Crash::PowerPrefix(2),
    Crash::PowerSubset(0b10),
];

/// A store without services and removed registrations, so that both forms hold it.
fn store(seed: u64) -> NtfStore {
    let mut g = Gen::from_size_and_seed(12, seed);
    let random = random_store(&mut g, Semantics::Strict, 50);
    let (_, config, _) = crate::files_support::saved(&random, NtfFileForm::Text);
    NtfStore::load(&config).unwrap().0
}

fn loaded(disk: &MemStorage, form: NtfFileForm) -> NtfSnapshot {
    let (store, report) = NtfStore::load(&config(disk.clone(), form)).unwrap();
    assert_eq!(report.lost, 0, "what is there is whole");
    store.snapshot()
}

/// A disk on which the old store was saved, and a handle on a storage above it that fails as planned.
fn prepared(form: NtfFileForm, old: &NtfStore) -> (MemStorage, FailingStorage, NtfFile) {
    let disk = MemStorage::new();
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    let (mut file, ..) = NtfFile::open(&config(failing.clone(), form)).unwrap();
    file.save(old).unwrap();
    (disk, failing, file)
}

/// How many operations a save of this takes.
fn steps(form: NtfFileForm, old: &NtfStore, new: &NtfStore) -> u64 {
    let (_, failing, mut file) = prepared(form, old);
    failing.plan(Plan::Never);
    file.save(new).unwrap();
    failing.done().len() as u64
}

#[test]
fn a_save_that_fails_at_any_step_leaves_the_old_file_or_the_new_one() {
    let (old, new) = (store(1), store(2));
    for form in BOTH_FORMS {
        let steps = steps(form, &old, &new);
        assert!(steps >= 6, "{form:?}: {steps}");
        for step in 1..=steps {
            for fault in FAULTS {
                let (disk, failing, mut file) = prepared(form, &old);
                failing.plan(Plan::Once(step, fault));
                let refused = file.save(&new).expect_err("the disk fails");
                assert!(matches!(refused, NtfFileError::Io { .. }), "{refused}");
                assert!(refused.to_string().contains("/ntf"), "{refused}");
                let what = failing.done().into_iter().find(|done| done.failed).unwrap();
                let now = loaded(&disk, form);
                assert!(now == old.snapshot() || now == new.snapshot(), "{form:?}, {what:?}");
                assert!(disk.read(format!("{FILE}.tmp")).is_none(), "{form:?}, {what:?}");
                failing.plan(Plan::Never);
                file.save(&new).unwrap();
                assert_eq!(loaded(&disk, form), new.snapshot());
            }
        }
    }
}

#[test]
fn a_power_loss_at_any_step_leaves_the_old_file_or_the_new_one() {
    let (old, new) = (store(1), store(2));
    for form in BOTH_FORMS {
        for step in 1..=steps(form, &old, &new) {
            for loss in LOSSES {
                let (disk, failing, mut file) = prepared(form, &old);
                failing.plan(Plan::From(step, Fault::Error(ErrorKind::Other)));
                file.save(&new).expect_err("the disk is gone");
                drop(file);
                disk.crash(loss);
                let now = loaded(&disk, form);
                assert!(
                    now == old.snapshot() || now == new.snapshot(),
                    "{form:?}, {step}, {loss:?}"
                );
                // The next start goes on as if nothing had been.
                let (mut file, ..) = NtfFile::open(&config(disk.clone(), form)).unwrap();
                file.save(&new).unwrap();
                assert_eq!(loaded(&disk, form), new.snapshot());
            }
        }
    }
}

#[test]
fn what_a_save_returned_for_survives_every_power_loss() {
    let (old, new) = (store(1), store(2));
    for form in BOTH_FORMS {
        for loss in LOSSES {
            let (disk, _, mut file) = prepared(form, &old);
            file.save(&new).unwrap();
            disk.crash(loss);
            assert_eq!(loaded(&disk, form), new.snapshot(), "{form:?}, {loss:?}");
        }
    }
}

/// The names that keep a damaged file.
fn kept(disk: &MemStorage) -> Vec<Vec<u8>> {
    let names =
        disk.names().into_iter().filter(|name| name.to_string_lossy().ends_with(".damaged"));
    names.map(|name| disk.read(name).unwrap()).collect()
}

#[test]
fn a_damaged_file_is_there_or_kept_whatever_step_of_the_save_fails() {
    let damaged = format!("{TOKEN}\nbad\n").into_bytes();
    let new = store(2);
    let run = |plan: Plan, loss: Option<Crash>| {
        let disk = MemStorage::new();
        disk.put(FILE, damaged.clone());
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        let config = config(failing.clone(), NtfFileForm::Text);
        let (mut file, _, report) = NtfFile::open(&config).unwrap();
        assert_eq!(report.lost, 1);
        failing.plan(plan);
        let saved = file.save(&new);
        let steps = failing.done().len() as u64;
        if let Some(loss) = loss {
            drop(file);
            disk.crash(loss);
        }
        let here = disk.read(Path::new(FILE)).unwrap();
        match here == damaged {
            true => assert!(saved.is_err()),
            false => {
                assert_eq!(kept(&disk), std::slice::from_ref(&damaged));
                assert_eq!(loaded(&disk, NtfFileForm::Text), new.snapshot());
            }
        }
        steps
    };
    let steps = run(Plan::Never, None);
    assert!(steps >= 12, "{steps}");
    for step in 1..=steps {
        for fault in FAULTS {
            run(Plan::Once(step, fault), None);
        }
        for loss in LOSSES {
            run(Plan::From(step, Fault::Error(ErrorKind::Other)), Some(loss));
        }
    }
}

#[test]
fn opening_that_fails_at_any_step_says_which_file_and_changes_nothing() {
    let old = store(1);
    for form in BOTH_FORMS {
        let (disk, failing, file) = prepared(form, &old);
        drop(file);
        let before = disk.read(FILE).unwrap();
        let config = config(failing.clone(), form);
        failing.plan(Plan::Never);
        drop(NtfFile::open(&config).unwrap());
        for step in 1..=failing.done().len() as u64 {
            failing.plan(Plan::Once(step, Fault::Error(ErrorKind::PermissionDenied)));
            let refused = NtfFile::open(&config).expect_err("the disk fails").to_string();
            assert!(refused.starts_with("/ntf/F"), "{refused}");
            assert!(refused.ends_with("permission denied"), "{refused}");
            failing.plan(Plan::Never);
            assert_eq!(disk.read(FILE).unwrap(), before);
        }
        drop(NtfFile::open(&config).unwrap());
    }
}

#[cfg(unix)]
#[test]
fn who_may_read_the_file_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("F");
    std::fs::write(&path, format!("{TOKEN}\nbad\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for form in BOTH_FORMS {
        let config = simplex_stores::ntf_store::NtfFileConfig::new(&path).form(form);
        let (mut file, store, _) = NtfFile::open(&config).unwrap();
        let kept = file.save(&store).unwrap().kept;
        for path in kept.iter().chain([&path]) {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
