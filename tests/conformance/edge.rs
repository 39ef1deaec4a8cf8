//! The recorded edge cases that drive a store, or replay what one wrote. Those that are about lines alone are in
//! `tests/formats/edge.rs`.

use serde_json::{Value, json};
use simplex_stores::protocol::{
    ErrorType, IdsHash, LinkId, NotifierId, RecipientKeys, RoundedDate, Semantics, SenderId,
    ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::stm::StoreSnapshot;
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::store_log::{OnDamage, ReplayReport, StoreLogConfig, WarningKind, compact_to};

use crate::sample::{
    BOTH, CHANGES, MESSAGING, NOTIFIER, REFERENCE, Running, STRICT, auth, creds, data, finds,
    full_rec, key, lid, nid, rec, rid, service, sid, vid,
};

/// What was observed in a case.
fn observed(case: &str) -> Value {
    let recorded = include_str!("../vectors/edge/edge.jsonl").lines();
    let mut cases = recorded.map(|line| serde_json::from_str::<Value>(line).unwrap());
    cases.find(|recorded| recorded["case"] == case).unwrap()["observed"].take()
}

/// Replays a text; gives the store, the report and the compacted lines.
fn replay(semantics: Semantics, text: &[u8]) -> (StmQueueStore, ReplayReport, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, text).unwrap();
    let config = StoreLogConfig::new(path).semantics(semantics).on_damage(OnDamage::Skip);
    let (store, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let output = folder.path().join("compacted");
    compact_to(&config, &output, &store.replayer()).unwrap();
    let compacted = std::fs::read_to_string(output).unwrap().lines().map(str::to_owned).collect();
    (store, report, compacted)
}

fn text(lines: &Value) -> Vec<u8> {
    let lines = lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines.flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

fn shown(answer: Result<(), ErrorType>) -> Value {
    answer.map_or_else(|error| json!(format!("err {error}")), |()| json!("ok"))
}

/// Holds the recorded log of a case against what a replay under `Reference` makes of it.
fn reloads_as_recorded(seen: &Value) {
    let (_, _, compacted) = replay(REFERENCE, &text(&seen["reload"]["log"]));
    assert_eq!(json!(compacted), seen["reload"]["compacted"]);
    let (_, report, _) = replay(REFERENCE, &text(&json!(compacted)));
    let replayed = seen["reload"]["compacted_replay_output"].as_array().unwrap();
    assert_eq!(report.warnings_total as usize, replayed.len() - 1, "and a line of totals");
}

/// Holds that a strict replay of the recorded log is sound, and stays the same when compacted.
fn reloads_soundly(seen: &Value) -> StoreSnapshot {
    let (store, _, compacted) = replay(STRICT, &text(&seen["reload"]["log"]));
    store.check_invariants().unwrap();
    let (again, report, _) = replay(STRICT, &text(&json!(compacted)));
    assert_eq!(report.warnings_total, 0);
    assert_eq!(again.snapshot(), store.snapshot());
    store.snapshot()
}

#[test]
fn edge02_a_stolen_link_loses_a_queue_only_under_reference() {
    let seen = observed("02 addQueueLinkData with a link id of another queue");
    reloads_as_recorded(&seen);
    assert_eq!(reloads_soundly(&seen).queues.len(), 2);
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let first = store.add_queue(rid(1), full_rec(1)).unwrap();
        let second = store.add_queue(rid(2), rec(2)).unwrap();
        let answer = shown(store.add_link_data(&second, lid(1), data(2, 2)));
        let strict = semantics == STRICT;
        assert_eq!(answer, if strict { json!("err DUPLICATE_") } else { seen["add to b"].clone() });
        assert_eq!(
            store.get_link_data(&first, &lid(1)).is_ok(),
            seen["getQueueLinkData a"] == "ok"
        );
        store.delete_link_data(&first).unwrap();
        assert_eq!(store.get_queue(&lid(1).into()).err(), Some(ErrorType::Auth));
        assert_eq!(store.get_link_data(&second, &lid(1)).is_ok(), !strict);
    }
}

#[test]
fn edge03_what_is_left_of_a_deleted_queue() {
    let seen = observed("03 deleted queue: what is left");
    reloads_as_recorded(&seen);
    assert_eq!(reloads_soundly(&seen).queues.len(), 1);
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        store.delete_queue(&queue).unwrap();
        let found = |key: QueueKey| shown(store.get_queue(&key).map(drop));
        let adds = |id, record| shown(store.add_queue(id, record).map(drop));
        let answers = [
            ("getQueue_ recipient", found(rid(1).into())),
            ("getQueue_ sender", found(sid(1).into())),
            ("getQueue_ notifier", found(nid(1).into())),
            ("getQueue_ link", found(lid(1).into())),
            ("re-add same recipient id", adds(rid(1), rec(3))),
            ("add other queue with the link id of the deleted one", {
                let mut record = rec(4);
                record.link = full_rec(1).link;
                adds(rid(4), record)
            }),
            ("add other queue with the sender id of the deleted one", adds(rid(5), rec(1))),
        ];
        for (name, answer) in answers {
            let strict = if name.contains("add") { json!("ok") } else { json!("err AUTH") };
            let expected = if semantics == STRICT { &strict } else { &seen[name] };
            assert_eq!(&answer, expected, "{name}");
        }
        for (name, change) in CHANGES {
            assert_eq!(change(&store, &queue), auth(), "{name}");
        }
    }
}

#[test]
fn edge05_a_notifier_with_a_service_enters_its_set_only_under_strict() {
    let seen = observed("05 addQueueNotifier with a service id does not enter the service's set");
    reloads_as_recorded(&seen);
    let services = reloads_soundly(&seen).services;
    let later = observed("05 the service after compaction and replay");
    let recorded: Value = serde_json::from_str(later[0].as_str().unwrap()).unwrap();
    let (store, _, _) = replay(REFERENCE, &text(&seen["reload"]["compacted"]));
    for set in [&services[0].ntf, &store.snapshot().services[0].ntf] {
        let ids: Vec<String> = set.ids.iter().map(NotifierId::to_string).collect();
        assert_eq!(json!({"ids": ids, "hash": set.hash.to_string()}), {
            json!({"ids": recorded["ntf"]["ids"], "hash": recorded["ntf"]["hash"]})
        });
    }
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.get_or_create_service(service(1, 1, NOTIFIER)).unwrap();
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        let state = || store.service_count_hash(ServiceParty::Notifier, &vid(1)).unwrap();
        store.add_notifier(&queue, creds(1, Some(1))).unwrap();
        let strict = semantics == STRICT;
        assert_eq!(json!(state().count), if strict { json!(1) } else { seen["count"].clone() });
        store.delete_notifier(&queue).unwrap();
        assert_eq!((state().count, state().hash == IdsHash::EMPTY), (0, strict));
    }
}

#[test]
fn edge06_an_unknown_service_is_refused_only_under_strict() {
    let seen = observed("06 service id that does not exist yet");
    reloads_as_recorded(&seen);
    reloads_soundly(&seen);
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        let party = ServiceParty::Receiver;
        let set = |service: Option<u8>| store.set_queue_service(&queue, party, service.map(vid));
        let state = || store.service_count_hash(party, &vid(1)).unwrap();
        let strict = semantics == STRICT;
        let recorded = |name: &str| seen[name].clone();
        let answer = shown(set(Some(1)));
        assert_eq!(answer, if strict { json!("err AUTH") } else { recorded("setQueueService") });
        store.get_or_create_service(service(1, 1, MESSAGING)).unwrap();
        assert_eq!((state().count, state().hash), (0, IdsHash::EMPTY));
        set(Some(1)).unwrap();
        assert_eq!(state().count, i64::from(strict), "state2: the record has the id already");
        set(None).unwrap();
        assert_eq!((state().count, state().hash == IdsHash::EMPTY), (0, strict), "state3: phantom");
    }
}

#[test]
fn edge07_a_notifier_id_in_use_is_a_duplicate() {
    let seen = observed("07 addQueueNotifier with the notifier id that is in use");
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let first = store.add_queue(rid(1), full_rec(1)).unwrap();
        let second = store.add_queue(rid(2), rec(2)).unwrap();
        let same = shown(store.add_notifier(&first, creds(1, None)).map(drop));
        let other = shown(store.add_notifier(&second, creds(1, None)).map(drop));
        assert_eq!((&same, &other), (&seen["same queue same id"], &seen["other queue same id"]));
        let replaced = store.add_notifier(&first, creds(2, None));
        assert_eq!(replaced, Ok(Some(creds(1, None))));
        let old = shown(store.get_queue(&nid(1).into()).map(drop));
        assert_eq!(old, seen["old id after replacement"]);
    }
}

#[test]
fn edge08_services_are_found_by_their_certificate() {
    let seen = observed("08 getCreateService");
    for semantics in BOTH {
        let running = Running::new(semantics);
        let get = |record| match running.store.get_or_create_service(record) {
            Ok(id) => json!(format!("8{}", if id == vid(1) { 'a' } else { 'c' })),
            Err(error) => json!(format!("err {error}")),
        };
        let answers = [
            ("new", get(service(1, 1, MESSAGING))),
            ("same again", get(service(1, 1, MESSAGING))),
            ("same cert, other id", get(service(2, 1, MESSAGING))),
            ("same cert, other role", get(service(1, 1, NOTIFIER))),
            ("other cert, same id", get(service(1, 2, MESSAGING))),
            ("proxy role", get(service(3, 3, ServiceRole::Proxy))),
        ];
        for (name, answer) in answers {
            assert_eq!(answer, seen[name], "{name}");
        }
        assert_eq!(json!(running.text().lines().count()), seen["log lines"]);
    }
}

#[test]
fn edge09_repeats_answer_and_are_journalled_as_recorded() {
    let seen = observed("09 repeats: results and log lines");
    for semantics in BOTH {
        let running = Running::new(semantics);
        let mut record = rec(1);
        record.updated_at = Some(RoundedDate::from_seconds(172_800));
        let queue = &*running.store.add_queue(rid(1), record).unwrap();
        type Step<'s> = Box<dyn Fn(&StmQueueStore) -> Result<(), ErrorType> + 's>;
        let time = |seconds| -> Step<'_> {
            let date = RoundedDate::from_seconds(seconds);
            Box::new(move |store| store.update_time(queue, date).map(drop))
        };
        let secure = |number| -> Step<'_> { Box::new(move |s| s.secure_queue(queue, key(number))) };
        let link = |id, fixed, user| -> Step<'_> {
            Box::new(move |store| store.add_link_data(queue, lid(id), data(fixed, user)))
        };
        let service = |party| -> Step<'_> {
            Box::new(move |store| store.set_queue_service(queue, party, None))
        };
        let steps: [(&str, Step<'_>); 20] = [
            ("secureQueue first", secure(1)),
            ("secureQueue same key", secure(1)),
            ("secureQueue other key", secure(2)),
            ("updateQueueTime same date", time(172_800)),
            ("updateQueueTime earlier date", time(86_400)),
            ("updateQueueTime not a multiple of a day", time(86_401)),
            ("setQueueService R Nothing (unchanged)", service(ServiceParty::Receiver)),
            ("setQueueService N without notifier", service(ServiceParty::Notifier)),
            ("deleteQueueLinkData without link", Box::new(|s| s.delete_link_data(queue))),
            ("deleteQueueNotifier without notifier", {
                Box::new(|s| s.delete_notifier(queue).map(drop))
            }),
            ("unblockQueue on active", Box::new(|s| s.unblock_queue(queue))),
            ("suspendQueue", Box::new(|s| s.suspend_queue(queue))),
            ("suspendQueue again", Box::new(|s| s.suspend_queue(queue))),
            ("unblockQueue on suspended", Box::new(|s| s.unblock_queue(queue))),
            ("addQueueLinkData", link(1, 1, 1)),
            ("addQueueLinkData same link and data", link(1, 1, 1)),
            ("addQueueLinkData same link, other user data", link(1, 1, 2)),
            ("addQueueLinkData same link, other fixed data", link(1, 2, 2)),
            ("addQueueLinkData other link", link(2, 1, 2)),
            ("updateKeys same keys", {
                Box::new(|s| s.update_keys(queue, RecipientKeys::one(key(1))))
            }),
        ];
        for (name, step) in &steps {
            let (answer, tags) = running.tags(|store| step(store));
            let answer = json!({"result": shown(answer), "log lines written": tags.len()});
            assert_eq!(answer, seen[*name], "{name}");
        }
    }
}

#[test]
fn edge12_a_journal_that_cannot_be_written_is_store_for_every_change() {
    let seen = observed("12 store log cannot be written");
    assert_eq!(seen["addQueue_"], "ok", "what the reference hides is said here");
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        running.store.close().unwrap();
        let secured = running.store.secure_queue(&queue, key(1));
        let added = running.store.add_queue(rid(2), rec(2)).map(drop);
        let closed = Err(ErrorType::Store("closed".into()));
        assert_eq!((secured, added), (closed.clone(), closed));
    }
}

#[test]
fn edge14_one_id_may_be_all_four_of_a_queue() {
    assert_eq!(
        observed("14 the same id as recipient, sender, notifier and link id of one queue"),
        "ok"
    );
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let id = rid(1);
        let mut record = full_rec(1);
        record.sender_id = SenderId::from_bytes(id.as_bytes()).unwrap();
        record.link.as_mut().unwrap().id = LinkId::from_bytes(id.as_bytes()).unwrap();
        let notifier_id = NotifierId::from_bytes(id.as_bytes()).unwrap();
        record.notifier.as_mut().unwrap().notifier_id = notifier_id.clone();
        store.add_queue(id, record).unwrap();
        assert!(finds(&store, notifier_id));
        store.check_invariants().unwrap();
    }
}

#[test]
fn edge18_notifications_are_grouped_as_recorded() {
    let seen = observed("18 getQueueNtfServices: order, empty groups, repeated ids");
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let ids = seen["service ids in ascending order"].as_array().unwrap();
        let numbered = |number: usize| service(number as u8 + 1, number as u8 + 1, NOTIFIER);
        for number in 0..ids.len() {
            store.get_or_create_service(numbered(number)).unwrap();
        }
        // Notifications 0 and 4 are one notifier's of the last service, 1 the first's, 2 without one, 3 unknown.
        for (number, service) in [(1, Some(3)), (2, Some(1)), (3, None)] {
            let mut record = rec(number);
            record.notifier = Some(Box::new(creds(number, service)));
            store.add_queue(rid(number), record).unwrap();
        }
        let ntfs = [1, 2, 3, 9, 1].into_iter().enumerate().map(|(n, id)| (nid(id), n)).collect();
        let groups = store.group_by_ntf_service(ntfs).unwrap();
        let number = |id: &_| (1..4).position(|number| &vid(number) == id);
        let plain =
            |ntfs: &[(NotifierId, usize)]| -> Vec<usize> { ntfs.iter().map(|(_, n)| *n).collect() };
        let services: Vec<Value> = groups
            .services
            .iter()
            .map(|(id, ntfs)| {
                let id = id.as_ref().and_then(number).map(|number| ids[number].clone());
                json!([id, plain(ntfs)])
            })
            .collect();
        let result = json!({"services": services, "delete": plain(&groups.deleted)});
        assert_eq!(result, seen["result"]);
    }
}

#[test]
fn edge21_odd_records_are_reported_as_recorded_but_for_the_torn_line() {
    let seen = observed("21 replay of odd records");
    let log = include_bytes!("../vectors/edge/edge-replay.log");
    let (_, report, compacted) = replay(REFERENCE, log);
    // The reference takes a last line without its newline (RACE-7); here it is set aside.
    let recorded = seen["compacted"].as_array().unwrap();
    assert_eq!(json!(compacted), json!(recorded[..1]));
    assert!(report.torn_tail.is_some());
    let (whole, report, compacted) = replay(REFERENCE, &[log, &b"\n"[..]].concat());
    assert_eq!((json!(compacted), whole.snapshot().services.len()), (seen["compacted"].clone(), 1));
    let kinds: Vec<String> = report.warnings.iter().map(|warning| said(&warning.kind)).collect();
    let recorded = seen["replay_output"].as_array().unwrap().iter();
    let recorded: Vec<&str> = recorded.map(|line| line.as_str().unwrap()).collect();
    let unreadable = recorded.iter().filter(|line| line.starts_with("Error parsing")).count();
    assert_eq!(kinds.iter().filter(|kind| *kind == "unreadable").count(), unreadable);
    let reported: Vec<&String> = kinds.iter().filter(|kind| *kind != "unreadable").collect();
    let expected: Vec<&str> = recorded
        .iter()
        .filter_map(|line| line.split_once("STORE: "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(reported, expected);
    let (store, _, _) = replay(STRICT, &[log, &b"\n"[..]].concat());
    store.check_invariants().unwrap();
    assert_eq!(store.snapshot().queues.len(), 2, "the id of the deleted queue is used again");
}

/// A warning in the reference's words.
fn said(kind: &WarningKind) -> String {
    let stored = |operation: &str| match operation {
        "getCreateService" => "stored service",
        _ => "stored queue",
    };
    match kind {
        WarningKind::Rejected { operation, entity, error } => {
            format!("{operation}, {} {entity}, {error}", stored(operation))
        }
        WarningKind::AlreadyDeleted { operation, entity } => {
            format!("{operation}, stored queue {entity}, already deleted")
        }
        WarningKind::ServiceWrongId { stored, existing } => {
            format!(
                "getCreateService, stored service {stored}, created with the wrong ID {existing}"
            )
        }
        _ => "unreadable".to_owned(),
    }
}

#[test]
fn edge28_a_closed_store_empties_nothing_and_refuses_everything() {
    let seen = observed("28 closeQueueStore: what is left, and an add after it");
    assert_eq!(seen["add same"], "ok", "the reference takes what it will never write");
    for semantics in BOTH {
        let running = Running::new(semantics);
        running.store.add_queue(rid(1), full_rec(1)).unwrap();
        let before = running.store.snapshot();
        running.store.close().unwrap();
        assert_eq!(running.store.snapshot(), before);
        let closed = Some(ErrorType::Store("closed".into()));
        assert_eq!(running.store.add_queue(rid(1), full_rec(1)).err(), closed);
        assert_eq!(running.store.get_queue(&rid(1).into()).err(), closed);
    }
}
