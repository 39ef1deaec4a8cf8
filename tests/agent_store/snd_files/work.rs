//! Files to prepare.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{DbSndFileId, SndFileStatus};

use super::{
    DAY, HOUR, SINCE_EVER, ago, encrypted_file, failed_files, file, first_time, load, made_at,
    made_before_the_first_time,
};
use crate::fixture::{TestStore, on_each};

fn next(test: &TestStore) -> Option<DbSndFileId> {
    let found = test.run(|tx| tx.get_next_snd_file_to_prepare(DAY)).unwrap();
    found.map(|file| file.snd_file_id)
}

fn set_status(test: &TestStore, id: DbSndFileId, status: SndFileStatus) {
    test.run(|tx| tx.update_snd_file_status(id, status)).unwrap();
}

#[test]
fn f185_the_oldest_file_comes_first_whichever_of_three_statuses_it_has() {
    on_each(|test| {
        assert_eq!(next(test), None);
        let user = test.user();
        let statuses = [SndFileStatus::Encrypted, SndFileStatus::New, SndFileStatus::Encrypting];
        // The last one made is the oldest; two are equally old.
        let ids = (1..).zip(statuses.into_iter().chain(statuses)).map(|(age, status)| {
            let id = file(test, user);
            set_status(test, id, status);
            made_at(test, id, ago(HOUR * age));
            id
        });
        let ids: Vec<DbSndFileId> = ids.collect();
        let loaded = test.run(|tx| tx.get_next_snd_file_to_prepare(DAY)).unwrap();
        assert_eq!(loaded, Some(load(test, ids[5])));
        for id in ids.iter().rev() {
            assert_eq!((next(test), next(test)), (Some(*id), Some(*id)), "until it is done");
            set_status(test, *id, SndFileStatus::Uploading);
        }
        assert_eq!(next(test), None);
    });
}

#[test]
fn f185_of_files_of_one_time_the_first_made_comes_first() {
    on_each(|test| {
        let user = test.user();
        let ids = [file(test, user), file(test, user), file(test, user)];
        let time = ago(HOUR);
        for id in ids {
            made_at(test, id, time);
        }
        set_status(test, ids[0], SndFileStatus::Encrypted);
        for id in ids {
            assert_eq!(next(test), Some(id));
            test.run(|tx| tx.update_snd_file_complete(id)).unwrap();
        }
    });
}

#[test]
fn f185_what_is_done_deleted_or_failed_is_not_prepared() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 1);
        for status in [SndFileStatus::Uploading, SndFileStatus::Complete, SndFileStatus::Error] {
            set_status(test, id, status);
            assert_eq!(next(test), None, "{status:?}");
        }
        set_status(test, id, SndFileStatus::Encrypted);
        assert_eq!(next(test), Some(id));
        test.execute("UPDATE snd_files SET failed = 1", &[]);
        assert_eq!(next(test), None);
        test.execute("UPDATE snd_files SET failed = 0", &[]);
        test.run(|tx| tx.update_snd_file_deleted(id)).unwrap();
        assert_eq!(next(test), None);
    });
}

#[test]
fn f185_a_file_of_exactly_that_age_is_not_expired() {
    on_each(|test| {
        let id = file(test, test.user());
        made_at(test, id, ago(DAY + HOUR));
        assert_eq!(next(test), None);
        made_at(test, id, ago(DAY - HOUR));
        assert_eq!(next(test), Some(id));
        let next = || test.run(|tx| tx.get_next_snd_file_to_prepare(SINCE_EVER)).unwrap();
        made_at(test, id, first_time());
        assert!(next().is_some());
        made_before_the_first_time(test, id);
        assert_eq!(next(), None);
    });
}

#[test]
fn f185_as34_a_file_that_cannot_be_read_is_marked_and_the_next_one_comes() {
    on_each(|test| {
        let user = test.user();
        let ids = [encrypted_file(test, user, 1), encrypted_file(test, user, 2), file(test, user)];
        for (age, id) in (1..).zip(ids.iter().rev()) {
            made_at(test, *id, ago(HOUR * age));
        }
        test.execute("UPDATE snd_files SET key = $2 WHERE snd_file_id = $1", &[&ids[0], &[1; 31]]);
        // A file is what is below it, too.
        let damage = "UPDATE snd_file_chunks SET chunk_size = -1 WHERE snd_file_id = $1";
        test.execute(damage, &[&ids[1]]);
        for (bad, column) in [(0, "snd_files.key"), (1, "snd_file_chunks.chunk_size")] {
            let error = test.run(|tx| tx.get_next_snd_file_to_prepare(DAY)).unwrap_err();
            let StoreError::Internal(text) = &error else { panic!("{error:?}") };
            assert!(text.contains(column), "{text}");
            assert_eq!(failed_files(test).last(), Some(&ids[bad].0));
        }
        assert_eq!(next(test), Some(ids[2]));
        assert_eq!(failed_files(test), [ids[0].0, ids[1].0]);
    });
}

#[test]
fn f185_as97_when_none_can_be_looked_for_the_worker_stops() {
    on_each(|test| {
        test.execute("ALTER TABLE snd_files RENAME TO moved", &[]);
        let error = test.run(|tx| tx.get_next_snd_file_to_prepare(DAY)).unwrap_err();
        assert!(error.is_work_item(), "{error}");
        assert!(error.to_string().contains("snd_file_prepare: finding the next item"), "{error}");
    });
}
