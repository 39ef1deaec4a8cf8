//! Sent files that are to be cleaned up.

use simplex_stores::agent_store::types::{
    DbSndFileId, FilePath, SndFileFolder, SndFileStatus, SndFileToDelete,
};

use super::{
    DAY, HOUR, SINCE_EVER, ago, file, first_time, load, made_at, made_before_the_first_time, path,
};
use crate::fixture::{TestStore, on_each};

fn to_delete(test: &TestStore, id: DbSndFileId, prefix_path: Option<FilePath>) -> SndFileToDelete {
    let snd_file_entity_id = load(test, id).snd_file_entity_id;
    SndFileToDelete { snd_file_id: id, snd_file_entity_id, prefix_path }
}

#[test]
fn f201_ended_files_that_still_have_a_folder() {
    on_each(|test| {
        let user = test.user();
        let ended = || {
            let mut found = test.run(|tx| tx.get_cleanup_snd_files_prefix_paths()).unwrap();
            found.sort_by_key(|folder| folder.snd_file_id);
            found
        };
        let mut expected = Vec::new();
        for status in SndFileStatus::ALL {
            let id = file(test, user);
            test.run(|tx| tx.update_snd_file_status(id, *status)).unwrap();
            if matches!(status, SndFileStatus::Complete | SndFileStatus::Error) {
                let snd_file_entity_id = load(test, id).snd_file_entity_id;
                let prefix_path = path("/tmp/snd");
                expected.push(SndFileFolder { snd_file_id: id, snd_file_entity_id, prefix_path });
            }
        }
        assert_eq!((ended(), expected.len()), (expected.clone(), 2));
        test.run(|tx| tx.update_snd_file_no_prefix_path(expected[0].snd_file_id)).unwrap();
        assert_eq!(ended(), expected[1..]);
    });
}

#[test]
fn f202_files_that_are_marked_as_deleted_with_or_without_a_folder() {
    on_each(|test| {
        let user = test.user();
        let ids = [file(test, user), file(test, user), file(test, user)];
        let deleted = || {
            let mut found = test.run(|tx| tx.get_cleanup_snd_files_deleted()).unwrap();
            found.sort_by_key(|file| file.snd_file_id);
            found
        };
        assert_eq!(deleted(), []);
        test.run(|tx| {
            tx.update_snd_file_deleted(ids[0])?;
            tx.update_snd_file_deleted(ids[2])?;
            tx.update_snd_file_complete(ids[2])
        })
        .unwrap();
        let expected =
            [to_delete(test, ids[0], Some(path("/tmp/snd"))), to_delete(test, ids[2], None)];
        assert_eq!(deleted(), expected);
    });
}

#[test]
fn f203_expired_files_of_any_status_and_none_of_exactly_that_age() {
    on_each(|test| {
        let user = test.user();
        let expired = |ttl| {
            let mut found = test.run(|tx| tx.get_snd_files_expired(ttl)).unwrap();
            found.sort_by_key(|file| file.snd_file_id);
            found
        };
        let mut expected = Vec::new();
        for status in SndFileStatus::ALL {
            let id = file(test, user);
            test.run(|tx| tx.update_snd_file_status(id, *status)).unwrap();
            made_at(test, id, ago(DAY + HOUR));
            expected.push(to_delete(test, id, Some(path("/tmp/snd"))));
        }
        let young = file(test, user);
        made_at(test, young, ago(DAY - HOUR));
        assert_eq!(expired(DAY), expected);
        test.run(|tx| tx.update_snd_file_no_prefix_path(young)).unwrap();
        assert_eq!(expired(SINCE_EVER), []);
        made_at(test, young, first_time());
        assert_eq!(expired(SINCE_EVER), []);
        made_before_the_first_time(test, young);
        assert_eq!(expired(SINCE_EVER), [to_delete(test, young, None)]);
    });
}
