//! Asynchronous commands that wait to be executed (section 4.9).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::db::UtcTime;

use crate::fixture::{TestStore, on_each, server};

pub(crate) fn conn(test: &TestStore, id: &[u8]) -> ConnId {
    let user = test.user();
    test.bare_connection(user, id)
}

fn smp(key_hash: u8) -> SmpServer {
    server("smp.example", "5223", &[key_hash])
}

fn other_smp() -> SmpServer {
    server("other.example", "", &[9])
}

/// The router that is registered, and one at the same place with another fingerprint.
pub(crate) fn registered(test: &TestStore) -> [SmpServer; 2] {
    test.run(|tx| tx.create_server(&smp(1))).unwrap();
    test.run(|tx| tx.create_server(&other_smp())).unwrap();
    [smp(1), smp(2)]
}

/// Commands that can be told from each other.
fn command(number: i64) -> AgentCommand {
    let (message_id, receipt_info) = (AgentMsgId(number), None);
    AgentCommand::Client(ClientCommand::Ack { message_id, receipt_info })
}

pub(crate) fn create(test: &TestStore, conn: &ConnId, server: Option<&SmpServer>, number: i64) {
    let corr_id = CorrId(b"corr".to_vec());
    test.run(|tx| tx.create_command(&corr_id, conn, server, &command(number))).unwrap();
}

type CommandRow = (i64, Option<String>, Option<String>, Option<Vec<u8>>, Vec<u8>, bool);

/// Each command's number, hosts, port, override, text, and whether it failed.
fn rows(test: &TestStore) -> Vec<CommandRow> {
    let query = "SELECT command_id, host, port, server_key_hash, command, failed FROM commands
                  ORDER BY command_id";
    test.query(query, &[], |row| {
        Ok((
            row.next("c.command_id")?,
            row.next("c.host")?,
            row.next("c.port")?,
            row.next("c.server_key_hash")?,
            row.next("c.command")?,
            row.next("c.failed")?,
        ))
    })
}

fn next(
    test: &TestStore,
    conn: &ConnId,
    server: Option<&SmpServer>,
) -> Result<Option<AgentCommand>, StoreError> {
    let found = test.run(|tx| tx.get_pending_server_command(conn, server));
    found.map(|pending| pending.map(|pending| pending.command))
}

fn failed(test: &TestStore) -> Vec<bool> {
    rows(test).into_iter().map(|(.., failed)| failed).collect()
}

#[test]
fn f126_a_command_is_kept_with_its_tag_its_time_and_its_router() {
    on_each(|test| {
        let [same, changed] = registered(test);
        let one = conn(test, b"one");
        let before = UtcTime::now();
        for server in [None, Some(&same), Some(&changed)] {
            create(test, &one, server, 7);
        }
        let (host, port) = (Some("smp.example".to_owned()), Some("5223".to_owned()));
        let text = b"CLIENT ACK 7".to_vec();
        let (at_changed, own) = ((host.clone(), port.clone()), Some(b"Ag==".to_vec()));
        let expected = [
            (1, None, None, None, text.clone(), false),
            (2, host, port, None, text.clone(), false),
            (3, at_changed.0, at_changed.1, own, text, false),
        ];
        assert_eq!(rows(test), expected);
        let query = "SELECT corr_id, command_tag, created_at FROM commands";
        let others: Vec<(Vec<u8>, Vec<u8>, UtcTime)> = test.query(query, &[], |row| {
            Ok((row.next("c.corr_id")?, row.next("c.command_tag")?, row.next("c.created_at")?))
        });
        for (corr_id, tag, created_at) in others {
            assert_eq!((&corr_id[..], &tag[..]), (&b"corr"[..], &b"CLIENT ACK"[..]));
            assert!((before..=UtcTime::now()).contains(&created_at));
        }
    });
}

#[test]
fn f126_a_router_has_to_be_registered() {
    on_each(|test| {
        let one = conn(test, b"one");
        let corr_id = CorrId(Vec::new());
        let made = test.run(|tx| tx.create_command(&corr_id, &one, Some(&smp(1)), &command(1)));
        assert_eq!(made, Err(StoreError::ServerNotFound));
        assert!(rows(test).is_empty());
    });
}

#[test]
fn f126_a_command_that_could_not_be_read_again_is_not_kept() {
    on_each(|test| {
        let one = conn(test, b"one");
        let confirmation_id = ConfirmationId::from_bytes(b"an id").unwrap();
        let conn_info = b"info"[..].into();
        let command = AgentCommand::Client(ClientCommand::Let { confirmation_id, conn_info });
        let made = test.run(|tx| tx.create_command(&CorrId(Vec::new()), &one, None, &command));
        assert!(matches!(made, Err(StoreError::Internal(_))), "{made:?}");
        assert!(rows(test).is_empty());
    });
}

#[test]
fn f126_as75_a_deleted_connection_s_command_is_dropped_and_the_transaction_goes_on() {
    on_each(|test| {
        let [router, _] = registered(test);
        let missing = ConnId::from_bytes(b"missing").unwrap();
        let corr_id = CorrId(b"corr".to_vec());
        let user = test.run(|tx| {
            tx.create_command(&corr_id, &missing, Some(&router), &command(1))?;
            tx.create_user_record()
        });
        assert!(rows(test).is_empty());
        assert_eq!(test.run(|tx| tx.check_user(user.clone()?)), Ok(()));
    });
}

#[test]
fn f127_as35_connections_with_commands_are_listed_with_their_routers() {
    on_each(|test| {
        let [same, changed] = registered(test);
        let [a, b, c, d] = [b"a", b"b", b"c", b"d"].map(|id| conn(test, id));
        for server in [None, None, Some(&same), Some(&same), Some(&changed)] {
            create(test, &c, server, 1);
        }
        create(test, &a, Some(&other_smp()), 1);
        create(test, &d, None, 1);
        test.execute("UPDATE commands SET failed = 1", &[]);
        test.execute("UPDATE connections SET deleted = 1", &[]);
        let list = |ids: &[&ConnId]| {
            let ids: Vec<ConnId> = ids.iter().map(|id| (*id).clone()).collect();
            let mut found = test.run(|tx| tx.get_pending_command_servers(&ids)).unwrap();
            found.iter_mut().for_each(|(_, servers)| servers.sort());
            found
        };
        let of_c = vec![None, Some(same), Some(changed)];
        let of_a = vec![Some(other_smp())];
        assert_eq!(list(&[&c, &b, &a, &c]), [(a.clone(), of_a), (c.clone(), of_c)]);
        assert_eq!(list(&[&d]), [(d.clone(), vec![None])]);
        assert_eq!(list(&[&b]), []);
        assert_eq!(list(&[]), []);
    });
}

#[test]
fn f128_as35_all_live_connections_with_commands_are_listed() {
    on_each(|test| {
        let [same, changed] = registered(test);
        let [one, two, gone] = [&b"one"[..], b"two", b"gone"].map(|id| conn(test, id));
        conn(test, b"without");
        for server in [None, None, Some(&same), Some(&changed), Some(&changed)] {
            create(test, &one, server, 1);
        }
        create(test, &two, Some(&same), 1);
        create(test, &gone, None, 1);
        test.execute("UPDATE commands SET failed = 1", &[]);
        test.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1", &[&gone]);
        let mut found = test.run(|tx| tx.get_all_pending_command_conns()).unwrap();
        found.sort();
        let pair = |conn: &ConnId, server: Option<&SmpServer>| (conn.clone(), server.cloned());
        let expected = [
            pair(&one, None),
            pair(&one, Some(&same)),
            pair(&one, Some(&changed)),
            pair(&two, Some(&same)),
        ];
        assert_eq!(found, expected);
    });
}

#[test]
fn f129_the_oldest_command_for_the_router_is_handed_out() {
    on_each(|test| {
        let [router, _] = registered(test);
        let user = test.user();
        let one = test.bare_connection(user, b"one");
        let two = conn(test, b"two");
        assert_eq!(next(test, &one, None), Ok(None));
        for (conn, server, number) in [
            (&one, Some(&router), 1),
            (&one, Some(&router), 2),
            (&one, Some(&router), 3),
            (&one, None, 4),
            (&one, Some(&other_smp()), 5),
            (&two, Some(&router), 6),
        ] {
            create(test, conn, server, number);
        }
        let times = "UPDATE commands SET created_at = $1 WHERE command_id = $2";
        for (id, micros) in [(1, 2_000_000), (2, 1_000_000), (3, 1_000_000)] {
            test.execute(times, &[&UtcTime::from_micros(micros), &id]);
        }
        let found = test.run(|tx| tx.get_pending_server_command(&one, Some(&router)));
        let expected = PendingCommand {
            cmd_id: AsyncCmdId(2),
            corr_id: CorrId(b"corr".to_vec()),
            user_id: user,
            conn_id: one.clone(),
            command: command(2),
        };
        assert_eq!(found, Ok(Some(expected)));
        for number in [2, 3, 1] {
            assert_eq!(next(test, &one, Some(&router)), Ok(Some(command(number))));
            test.run(|tx| tx.delete_command(AsyncCmdId(number))).unwrap();
        }
        assert_eq!(next(test, &one, Some(&router)), Ok(None));
        assert_eq!(next(test, &one, None), Ok(Some(command(4))));
        assert_eq!(next(test, &one, Some(&other_smp())), Ok(Some(command(5))));
        assert_eq!(next(test, &two, Some(&router)), Ok(Some(command(6))));
        assert_eq!(next(test, &two, None), Ok(None));
    });
}

#[test]
fn f129_as76_the_router_s_fingerprint_is_not_compared() {
    on_each(|test| {
        let [same, changed] = registered(test);
        let one = conn(test, b"one");
        create(test, &one, Some(&changed), 1);
        for server in [same, changed, smp(3)] {
            assert_eq!(next(test, &one, Some(&server)), Ok(Some(command(1))));
        }
    });
}

#[test]
fn f129_as34_a_command_that_cannot_be_read_is_marked_and_the_next_call_goes_on() {
    on_each(|test| {
        let [router, _] = registered(test);
        let one = conn(test, b"one");
        for server in [Some(&router), None] {
            let first = rows(test).len() as i64 + 1;
            for number in first..first + 4 {
                create(test, &one, server, number);
            }
            let damage = "UPDATE commands SET command = $1 WHERE command_id = $2";
            let damages: [&[u8]; 3] = [b"", b"CLIENT ACK 1 ", b"INTERNAL QDELETE \xff\x00"];
            for (id, text) in (first..).zip(damages) {
                test.execute(damage, &[&text, &id]);
            }
            for id in first..first + 3 {
                let Err(StoreError::Internal(text)) = next(test, &one, server) else {
                    panic!("command {id} was read")
                };
                assert!(text.contains("commands.command: not a command: at byte"), "{text}");
                let marked: Vec<bool> = (first..first + 4).map(|one| one <= id).collect();
                assert_eq!(failed(test)[first as usize - 1..], marked);
            }
            assert_eq!(next(test, &one, server), Ok(Some(command(first + 3))));
        }
    });
}

#[test]
fn f129_as97_a_worker_stops_when_the_next_command_cannot_be_found() {
    on_each(|test| {
        let one = conn(test, b"one");
        create(test, &one, None, 1);
        test.execute("UPDATE commands SET command = $1", &[&b"?"]);
        test.execute("ALTER TABLE commands RENAME COLUMN failed TO failing", &[]);
        let unfound = next(test, &one, None).unwrap_err();
        assert!(unfound.is_work_item(), "{unfound}");
        assert!(unfound.to_string().contains("command: finding the next item"), "{unfound}");
    });
}

#[test]
fn f130_a_command_gets_another_router() {
    on_each(|test| {
        let [same, changed] = registered(test);
        let one = conn(test, b"one");
        for server in [None, Some(&other_smp())] {
            create(test, &one, server, 1);
        }
        let update = |id, server: &SmpServer| {
            test.run(|tx| tx.update_command_server(AsyncCmdId(id), server))
        };
        let place = |id: usize| {
            let (_, host, port, own, ..) = rows(test).swap_remove(id - 1);
            (host, port, own)
        };
        let at = |host: &str, port: &str, own: Option<&[u8]>| {
            (Some(host.to_owned()), Some(port.to_owned()), own.map(<[u8]>::to_vec))
        };
        assert_eq!(update(1, &changed), Ok(()));
        assert_eq!(place(1), at("smp.example", "5223", Some(b"Ag==")));
        assert_eq!(update(1, &same), Ok(()));
        assert_eq!(place(1), at("smp.example", "5223", None));
        let unknown = server("unknown.example", "", &[1]);
        assert_eq!(update(1, &unknown), Err(StoreError::ServerNotFound));
        assert_eq!(place(1), at("smp.example", "5223", None));
        assert_eq!(place(2), at("other.example", "", None));
        assert_eq!(update(3, &same), Ok(()));
    });
}

#[test]
fn f131_a_command_is_deleted() {
    on_each(|test| {
        let one = conn(test, b"one");
        for number in [1, 2] {
            create(test, &one, None, number);
        }
        test.run(|tx| tx.delete_command(AsyncCmdId(1))).unwrap();
        test.run(|tx| tx.delete_command(AsyncCmdId(1))).unwrap();
        let left: Vec<i64> = rows(test).into_iter().map(|(id, ..)| id).collect();
        assert_eq!(left, [2]);
    });
}
