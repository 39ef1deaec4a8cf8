//! Registering routers.

use simplex_stores::agent_store::types::{KeyHash, NtfServer, ServerHosts, SmpServer, XftpServer};

use crate::fixture::{TestStore, on_each, server};

fn stored(test: &TestStore) -> Vec<(String, String, Vec<u8>)> {
    test.query("SELECT host, port, key_hash FROM servers ORDER BY host, port", &[], |row| {
        Ok((row.next("servers.host")?, row.next("servers.port")?, row.next("servers.key_hash")?))
    })
}

#[test]
fn f015_as37_a_router_is_registered_once_and_its_first_fingerprint_stays() {
    on_each(|test| {
        let create = |server: &SmpServer| test.run(|tx| tx.create_server(server)).unwrap();
        let first: SmpServer = server("smp.example,abc.onion", "5223", &[1; 32]);
        let other: SmpServer = server("smp.example,abc.onion", "5223", &[2; 32]);
        assert_eq!(create(&first), None, "inserted");
        assert_eq!(create(&first), None, "the same");
        assert_eq!(create(&other), Some(KeyHash(vec![2; 32])), "another fingerprint: the override");
        assert_eq!(create(&first), None, "what is stored did not change");
        let text = simplex_stores::encoding::base64url::to_string(&[1; 32]);
        let row = ("smp.example,abc.onion".to_owned(), "5223".to_owned(), text.into_bytes());
        assert_eq!(stored(test), [row], "the fingerprint's text is kept, as bytes");
    });
}

#[test]
fn f015_the_hosts_and_the_port_together_are_the_address() {
    on_each(|test| {
        let servers: [SmpServer; 4] = [
            server("smp.example", "", &[1; 32]),
            server("smp.example", "443", &[2; 32]),
            server("smp.example,abc.onion", "443", &[3; 32]),
            server("abc.onion,smp.example", "443", &[4; 32]),
        ];
        for server in &servers {
            assert_eq!(test.run(|tx| tx.create_server(server)), Ok(None), "{server}");
        }
        assert_eq!(stored(test).len(), 4);
    });
}

#[test]
fn a_notification_router_s_fingerprint_is_replaced() {
    on_each(|test| {
        let create = |hash: u8| {
            let server: NtfServer = server("ntf.example", "443", &[hash; 32]);
            test.run(|tx| tx.create_ntf_server(&server)).unwrap();
        };
        create(1);
        test.execute("UPDATE ntf_servers SET updated_at = created_at", &[]);
        create(2);
        let rows =
            test.query("SELECT ntf_host, ntf_port, ntf_key_hash FROM ntf_servers", &[], |row| {
                row.next::<ServerHosts>("ntf_servers.ntf_host")?;
                row.next::<String>("ntf_servers.ntf_port")?;
                row.next::<KeyHash>("ntf_servers.ntf_key_hash")
            });
        assert_eq!(rows, [KeyHash(vec![2; 32])]);
        let touched = "SELECT ntf_host FROM ntf_servers WHERE updated_at <> created_at";
        assert!(
            test.query(touched, &[], |row| row.next::<String>("ntf_servers.ntf_host")).is_empty()
        );
    });
}

#[test]
fn a_file_router_is_known_by_its_fingerprint_too() {
    on_each(|test| {
        let create = |hash: u8| {
            let server: XftpServer = server("xftp.example", "443", &[hash; 32]);
            test.run(|tx| tx.create_xftp_server(&server)).unwrap()
        };
        let (first, second) = (create(1), create(2));
        assert_ne!(first, second);
        assert_eq!((create(1), create(2)), (first, second));
        let ids = test.query("SELECT xftp_server_id FROM xftp_servers", &[], |row| {
            row.next::<i64>("xftp_servers.xftp_server_id")
        });
        assert_eq!(ids.len(), 2);
    });
}
