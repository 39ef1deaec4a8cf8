//! Statistics of routers (section 4.14): their JSON, and the one row that they stand in.

use std::collections::BTreeMap;

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AgentServersStats, NtfServerStats, SmpServer, SmpServerStats, UserId, XftpServerStats,
};
use simplex_stores::db::UtcTime;

use crate::fixture::{TestStore, on_each, server};

const SMP: &str = r#"{"_sentDirect":1,"_sentViaProxy":2,"_sentProxied":3,"_sentDirectAttempts":4,
    "_sentViaProxyAttempts":5,"_sentProxiedAttempts":6,"_sentAuthErrs":7,"_sentQuotaErrs":8,
    "_sentExpiredErrs":9,"_sentOtherErrs":10,"_recvMsgs":11,"_recvDuplicates":12,
    "_recvCryptoErrs":13,"_recvErrs":14,"_ackMsgs":15,"_ackAttempts":16,"_ackNoMsgErrs":17,
    "_ackOtherErrs":18,"_connCreated":19,"_connSecured":20,"_connCompleted":21,"_connDeleted":22,
    "_connDelAttempts":23,"_connDelErrs":24,"_connSubscribed":25,"_connSubAttempts":26,
    "_connSubIgnored":27,"_connSubErrs":28,"_ntfKey":29,"_ntfKeyAttempts":30,"_ntfKeyDeleted":31,
    "_ntfKeyDeleteAttempts":32}"#;
const XFTP: &str = r#"{"_uploads":-1,"_uploadsSize":9223372036854775807,"_uploadAttempts":3,
    "_uploadErrs":4,"_downloads":5,"_downloadsSize":6,"_downloadAttempts":7,"_downloadAuthErrs":8,
    "_downloadErrs":9,"_deletions":10,"_deleteAttempts":11,"_deleteErrs":12}"#;
const NTF: &str = r#"{"_ntfCreated":1,"_ntfCreateAttempts":2,"_ntfChecked":3,"_ntfCheckAttempts":4,
    "_ntfDeleted":5,"_ntfDelAttempts":6}"#;
/// 24 times the byte 1, so that no padding is needed.
const HASH: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

/// The whole object, as the reference writes it.
fn whole() -> String {
    let json = format!(
        r#"{{"smpServersStats":[[[1,"smp://{HASH}@a.example,b.onion:5223"],{SMP}],
             [[1,"smp://{HASH}@[2001:db8::1]:5223"],{SMP}],[[2,"smp://{HASH}@a.example"],{SMP}]],
             "xftpServersStats":[[[1,"xftp://{HASH}@a.example:443"],{XFTP}]],
             "ntfServersStats":[[[3,"ntf://{HASH}@10.0.0.1:443"],{NTF}]]}}"#
    );
    json.split_whitespace().collect()
}

fn stats() -> AgentServersStats {
    let smp = SmpServerStats {
        sent_direct: 1,
        sent_via_proxy: 2,
        sent_proxied: 3,
        sent_direct_attempts: 4,
        sent_via_proxy_attempts: 5,
        sent_proxied_attempts: 6,
        sent_auth_errs: 7,
        sent_quota_errs: 8,
        sent_expired_errs: 9,
        sent_other_errs: 10,
        recv_msgs: 11,
        recv_duplicates: 12,
        recv_crypto_errs: 13,
        recv_errs: 14,
        ack_msgs: 15,
        ack_attempts: 16,
        ack_no_msg_errs: 17,
        ack_other_errs: 18,
        conn_created: 19,
        conn_secured: 20,
        conn_completed: 21,
        conn_deleted: 22,
        conn_del_attempts: 23,
        conn_del_errs: 24,
        conn_subscribed: 25,
        conn_sub_attempts: 26,
        conn_sub_ignored: 27,
        conn_sub_errs: 28,
        ntf_key: 29,
        ntf_key_attempts: 30,
        ntf_key_deleted: 31,
        ntf_key_delete_attempts: 32,
    };
    let xftp = XftpServerStats {
        uploads: -1,
        uploads_size: i64::MAX,
        upload_attempts: 3,
        upload_errs: 4,
        downloads: 5,
        downloads_size: 6,
        download_attempts: 7,
        download_auth_errs: 8,
        download_errs: 9,
        deletions: 10,
        delete_attempts: 11,
        delete_errs: 12,
    };
    let ntf = NtfServerStats {
        ntf_created: 1,
        ntf_create_attempts: 2,
        ntf_checked: 3,
        ntf_check_attempts: 4,
        ntf_deleted: 5,
        ntf_del_attempts: 6,
    };
    let hash = &[1; 24];
    AgentServersStats {
        smp: BTreeMap::from([
            ((UserId(1), server("a.example,b.onion", "5223", hash)), smp),
            ((UserId(1), server("2001:db8::1", "5223", hash)), smp),
            ((UserId(2), server("a.example", "", hash)), smp),
        ]),
        xftp: BTreeMap::from([((UserId(1), server("a.example", "443", hash)), xftp)]),
        ntf: BTreeMap::from([((UserId(3), server("10.0.0.1", "443", hash)), ntf)]),
    }
}

fn set(test: &TestStore, json: &str) {
    test.execute("UPDATE servers_stats SET servers_stats = $1", &[&json]);
}

fn read(test: &TestStore) -> Result<Option<AgentServersStats>, StoreError> {
    test.run(|tx| tx.get_servers_stats()).map(|(_, stats)| stats)
}

/// The text, and the three times.
fn row(test: &TestStore) -> (Option<String>, [UtcTime; 3]) {
    let query = "SELECT servers_stats, started_at, created_at, updated_at FROM servers_stats
                  WHERE servers_stats_id = 1";
    let rows = test.query(query, &[], |row| {
        let text = row.next("s.servers_stats")?;
        Ok((
            text,
            [row.next("s.started_at")?, row.next("s.created_at")?, row.next("s.updated_at")?],
        ))
    });
    let [row] = <[_; 1]>::try_from(rows).unwrap();
    row
}

/// The row with all its times at one that is long past.
fn set_times(test: &TestStore) -> UtcTime {
    let past = UtcTime::from_micros(1_000_000).unwrap();
    let update = "UPDATE servers_stats SET started_at = $1, created_at = $1, updated_at = $1";
    test.execute(update, &[&past]);
    past
}

#[test]
fn f210_what_is_written_is_the_reference_s_json_and_the_time() {
    on_each(|test| {
        let past = set_times(test);
        let before = UtcTime::now();
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        let (text, [started, created, updated]) = row(test);
        let written: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&whole()).unwrap();
        // The order of pairs is that of the keys, which isn't that of the text above.
        let sorted = |value: &serde_json::Value, name: &str| {
            let mut pairs: Vec<String> =
                value[name].as_array().unwrap().iter().map(ToString::to_string).collect();
            pairs.sort();
            pairs
        };
        for name in ["smpServersStats", "xftpServersStats", "ntfServersStats"] {
            assert_eq!(sorted(&written, name), sorted(&expected, name));
        }
        assert_eq!(written.as_object().unwrap().len(), 3);
        assert_eq!((started, created), (past, past));
        assert!((before..=UtcTime::now()).contains(&updated));
    });
}

#[test]
fn f211_what_the_reference_wrote_is_read() {
    on_each(|test| {
        let past = set_times(test);
        assert_eq!(test.run(|tx| tx.get_servers_stats()), Ok((past, None)));
        set(test, &whole());
        assert_eq!(test.run(|tx| tx.get_servers_stats()), Ok((past, Some(stats()))));
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        assert_eq!(read(test), Ok(Some(stats())));
        test.run(|tx| tx.update_servers_stats(&AgentServersStats::default())).unwrap();
        let empty = r#"{"smpServersStats":[],"xftpServersStats":[],"ntfServersStats":[]}"#;
        assert_eq!(row(test).0.as_deref(), Some(empty));
        assert_eq!(read(test), Ok(Some(AgentServersStats::default())));
    });
}

#[test]
fn f211_what_came_later_may_be_missing_and_is_zero_or_empty() {
    on_each(|test| {
        let whole = whole();
        let without_map = whole.split(r#","ntfServersStats""#).next().unwrap().to_owned() + "}";
        set(test, &without_map);
        let mut expected = AgentServersStats { ntf: BTreeMap::new(), ..stats() };
        assert_eq!(read(test), Ok(Some(expected.clone())));
        for (name, value) in [("", 29), ("Attempts", 30), ("Deleted", 31), ("DeleteAttempts", 32)] {
            let counter = format!(r#","_ntfKey{name}":{value}"#);
            assert!(whole.contains(&counter));
            set(test, &without_map.replace(&counter, ""));
            let mut expected = expected.clone();
            for counters in expected.smp.values_mut() {
                match value {
                    29 => counters.ntf_key = 0,
                    30 => counters.ntf_key_attempts = 0,
                    31 => counters.ntf_key_deleted = 0,
                    _ => counters.ntf_key_delete_attempts = 0,
                }
            }
            assert_eq!(read(test), Ok(Some(expected)), "without {counter}");
        }
        set(test, &without_map.replace(r#""_recvMsgs""#, r#""_unknown":{"a":[1]},"_recvMsgs""#));
        assert_eq!(read(test), Ok(Some(expected.clone())), "unknown names are passed over");
        let first = expected.smp.keys().next().unwrap().clone();
        set(
            test,
            &without_map
                .replace("[[2,", "[[1,")
                .replace("@a.example\"", "@a.example,b.onion:5223\""),
        );
        expected.smp.retain(|(user, _), _| *user == first.0);
        assert_eq!(read(test), Ok(Some(expected)), "of one key's pairs, one is there");
    });
}

#[test]
fn f211_json_that_is_no_statistics_is_an_error_that_names_the_column() {
    on_each(|test| {
        let whole = whole();
        let required = [SMP, XFTP, NTF].map(|object| {
            let object: String = object.split_whitespace().collect();
            object.trim_matches(['{', '}']).split(',').map(str::to_owned).collect::<Vec<String>>()
        });
        let required = required.iter().flatten().filter(|counter| !counter.contains("_ntfKey"));
        // A counter stands after an opening brace or after a comma.
        let without = |counter: &String| {
            whole.replace(&format!("{{{counter},"), "{").replace(&format!(",{counter}"), "")
        };
        let mut hostile: Vec<String> = required.map(without).collect();
        assert_eq!(hostile.len(), 28 + 12 + 6);
        let replaced = [
            ("smpServersStats", "smp"),
            ("xftpServersStats", "xftp"),
            (r#""_sentDirect":1"#, r#""_sentDirect":1.5"#),
            (r#""_sentDirect":1"#, r#""_sentDirect":"1""#),
            (r#""_sentDirect":1"#, r#""_sentDirect":null"#),
            (r#""_sentDirect":1"#, r#""_sentDirect":1,"_sentDirect":1"#),
            ("9223372036854775807", "9223372036854775808"),
            ("[[2,", "[[2.5,"),
            ("[[2,", "[[null,"),
            ("[[2,", "[[2,2,"),
            ("smp://", "xftp://"),
            ("smp://", "smp:/"),
            (HASH, ""),
            (HASH, "*"),
            ("@", ""),
            ("@a.example,b.onion", "@"),
            (":5223", ":"),
            (":5223", ":52x"),
            (":5223", ":5223,c.example"),
            ("[2001:db8::1]", "[2001:db8::1"),
        ];
        hostile.extend(replaced.map(|(from, to)| whole.replace(from, to)));
        let others = ["", "null", "[]", "{}", "{\"smpServersStats\":", "secret"];
        hostile.extend(others.map(str::to_owned));
        hostile.push(format!(r#"{{"x":{}"#, "[".repeat(100_000)));
        for json in &hostile {
            assert_ne!(*json, whole);
            set(test, json);
            let Err(StoreError::Internal(error)) = read(test) else { panic!("{json} was read") };
            let place = "servers_stats.servers_stats: not statistics in JSON: line ";
            assert!(error.contains(place), "{error}");
            assert!(!error.contains("secret") && !error.contains("example"), "{error}");
        }
    });
}

#[test]
fn f210_a_router_that_could_not_be_read_again_is_not_written() {
    on_each(|test| {
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        for (hosts, port) in [("a.example", "52 23"), ("a.example", "x"), ("2001:db8::1", "]")] {
            let odd: SmpServer = server(hosts, port, &[1; 32]);
            let odd = AgentServersStats {
                smp: BTreeMap::from([((UserId(1), odd), SmpServerStats::default())]),
                ..AgentServersStats::default()
            };
            assert!(test.run(|tx| tx.update_servers_stats(&odd)).is_err());
        }
        assert_eq!(read(test), Ok(Some(stats())));
    });
}

#[test]
fn f212_a_reset_forgets_the_statistics_and_starts_at_a_given_time() {
    on_each(|test| {
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        let past = set_times(test);
        let start = UtcTime::from_micros(1_700_000_000_123_456).unwrap();
        test.run(|tx| tx.reset_servers_stats(start)).unwrap();
        assert_eq!(row(test), (None, [start, past, start]));
        assert_eq!(test.run(|tx| tx.get_servers_stats()), Ok((start, None)));
    });
}

#[test]
fn as18_the_statistics_are_row_1_and_it_is_never_made_again() {
    on_each(|test| {
        test.execute("INSERT INTO servers_stats DEFAULT VALUES", &[]);
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        let other = "SELECT servers_stats FROM servers_stats WHERE servers_stats_id <> 1";
        let text =
            |row: &mut simplex_stores::db::Row<'_>| row.next::<Option<String>>("s.servers_stats");
        assert_eq!(test.query(other, &[], text), [None]);
        test.execute("DELETE FROM servers_stats WHERE servers_stats_id = 1", &[]);
        assert_eq!(test.run(|tx| tx.get_servers_stats()), Err(StoreError::ServersStatsNotFound));
        test.run(|tx| tx.update_servers_stats(&stats())).unwrap();
        test.run(|tx| tx.reset_servers_stats(UtcTime::now())).unwrap();
        assert_eq!(test.run(|tx| tx.get_servers_stats()), Err(StoreError::ServersStatsNotFound));
        assert_eq!(test.query("SELECT servers_stats FROM servers_stats", &[], text), [None]);
    });
}
