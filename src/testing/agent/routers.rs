//! Routers, users, services and the token: what there are few of.

use super::dice::{Dice, Value, blob, int, text, when};
use super::rows::Rows;
use super::tables::Table;
use crate::agent_store::types::{
    KeyHash, NtfServer, Port, Protocol, Server, ServerHosts, SmpServer, UserId, XftpServer,
    XftpServerId,
};
use crate::agent_store::{AgentStore, StoreError};
use crate::encoding::der::KeyAlgorithm;
use crate::testing::Certificate;

const SMP_ROUTERS: u64 = 12;
const NTF_ROUTERS: u64 = 2;
const XFTP_ROUTERS: u64 = 6;
const USERS: u64 = 3;

/// A router's hosts and port.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) hosts: String,
    pub(super) port: String,
}

impl Address {
    fn of<P: Protocol>(server: &Server<P>) -> Self {
        Self { hosts: server.hosts.to_text(), port: server.port.0.clone() }
    }

    pub(super) fn host(&self) -> Value {
        text(&*self.hosts)
    }

    pub(super) fn port(&self) -> Value {
        text(&*self.port)
    }
}

/// What rows belong to.
pub(super) struct Routers {
    pub(super) users: Vec<UserId>,
    pub(super) smp: Vec<Address>,
    pub(super) ntf: Vec<Address>,
    pub(super) xftp: Vec<XftpServerId>,
    /// The users and message routers that have a service.
    pub(super) services: Vec<(UserId, Address)>,
}

impl Routers {
    /// Makes them by the store's own operations.
    pub(super) fn register(store: &AgentStore, dice: &mut Dice) -> Result<Self, StoreError> {
        store.transaction("registering routers", |tx| {
            let mut routers = Self {
                users: Vec::new(),
                smp: Vec::new(),
                ntf: Vec::new(),
                xftp: Vec::new(),
                services: Vec::new(),
            };
            for _ in 0..USERS {
                routers.users.push(tx.create_user_record()?);
            }
            for number in 0..SMP_ROUTERS {
                let Some(server): Option<SmpServer> = server("smp", number, "5223", dice) else {
                    continue;
                };
                tx.create_server(&server)?;
                routers.smp.push(Address::of(&server));
            }
            for number in 0..NTF_ROUTERS {
                let Some(server): Option<NtfServer> = server("ntf", number, "443", dice) else {
                    continue;
                };
                tx.create_ntf_server(&server)?;
                routers.ntf.push(Address::of(&server));
            }
            for number in 0..XFTP_ROUTERS {
                let Some(server): Option<XftpServer> = server("xftp", number, "", dice) else {
                    continue;
                };
                routers.xftp.push(tx.create_xftp_server(&server)?);
            }
            let first = routers.users.first().copied();
            let served = routers.smp.iter().take(2);
            routers.services =
                first.map_or(Vec::new(), |user| served.map(|one| (user, one.clone())).collect());
            Ok(routers)
        })
    }

    /// Their rows, besides those of the store's own operations.
    pub(super) fn rows(&self, dice: &mut Dice, rows: &mut Rows<'_>) {
        for (number, (user, address)) in self.services.iter().enumerate() {
            let certificate = certificate(dice);
            let known = number == 0;
            let service = [
                int(user.0),
                address.host(),
                address.port(),
                blob(certificate),
                blob(crate::encoding::base64url::to_string(&dice.bytes(32))),
                dice.private_key(KeyAlgorithm::Ed25519),
                when(known, || dice.blob(24)),
            ];
            rows.add(Table::ClientServices, service);
        }
        for address in self.ntf.iter().take(1) {
            rows.add(Table::NtfTokens, token(address, dice));
        }
        for address in self.ntf.iter().skip(1) {
            let row = [
                address.host(),
                address.port(),
                blob(crate::encoding::base64url::to_string(&dice.bytes(32))),
                dice.blob(24),
                dice.private_key(KeyAlgorithm::Ed25519),
                dice.time(),
            ];
            rows.add(Table::NtfTokensToDelete, row);
        }
    }

    /// Whether the user has a service at this router.
    pub(super) fn serves(&self, user: UserId, address: &Address) -> bool {
        self.services.iter().any(|(of, at)| *of == user && at.hosts == address.hosts)
    }
}

fn token(address: &Address, dice: &mut Dice) -> [Value; 12] {
    [
        text("apns_prod"),
        dice.blob(32),
        address.host(),
        address.port(),
        dice.blob(24),
        dice.public_key(KeyAlgorithm::Ed25519),
        dice.private_key(KeyAlgorithm::Ed25519),
        dice.public_key(KeyAlgorithm::X25519),
        dice.private_key(KeyAlgorithm::X25519),
        dice.blob(32),
        text("ACTIVE"),
        text("INSTANT"),
    ]
}

/// A router by its number; every other one has a second host.
fn server<P: Protocol>(name: &str, number: u64, port: &str, dice: &mut Dice) -> Option<Server<P>> {
    let mut hosts = format!("{name}{number}.example.com");
    if number % 2 == 1 {
        hosts.push(',');
        hosts.extend(dice.bytes(56).iter().map(|byte| char::from(b'a' + byte % 26)));
        hosts.push_str(".onion");
    }
    let hosts = ServerHosts::from_text(&hosts)?;
    Some(Server::new(hosts, Port(port.to_owned()), KeyHash(dice.bytes(32))))
}

/// A chain of one certificate: their number, then each with its length.
fn certificate(dice: &mut Dice) -> Vec<u8> {
    let mut random = quickcheck::Gen::from_size_and_seed(40, dice.below(u64::MAX));
    let Certificate(der) = quickcheck::Arbitrary::arbitrary(&mut random);
    let length = u16::try_from(der.len()).unwrap_or(0).to_be_bytes();
    [&[1][..], &length, &der].concat()
}
