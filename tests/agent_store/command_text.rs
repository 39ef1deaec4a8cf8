//! Commands as text (section 3.10).

use quickcheck::{Arbitrary, Gen, QuickCheck};
use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::{AuthKey, Blob};

use ClientCommand as Client;
use InternalCommand as Internal;

const KEY: &str = "MCowBQYDK2VwAyEABwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn key() -> AuthKey {
    AuthKey::Ed25519([7; 32])
}

fn rcv_id() -> RecipientId {
    RecipientId::from_bytes(b"rcv").unwrap()
}

fn msg_id() -> MsgId {
    MsgId::from_bytes(b"msg id").unwrap()
}

fn conn_req() -> ConnReq {
    ConnReq::from_bytes(b"simplex:/invitation#/?v=2").unwrap()
}

fn info(bytes: &[u8]) -> Blob {
    Blob::from(bytes)
}

fn new(initial_keys: InitialKeys, subscription: SubscriptionMode) -> Client {
    Client::New { enable_ntfs: true, mode: ConnectionMode::Invitation, initial_keys, subscription }
}

fn join(pq_support: bool, subscription: SubscriptionMode) -> Client {
    let conn_info = info(b"a\nb ");
    Client::Join { enable_ntfs: false, conn_req: conn_req(), pq_support, subscription, conn_info }
}

fn confirm(id: &[u8]) -> Client {
    let confirmation_id = ConfirmationId::from_bytes(id).unwrap();
    Client::Let { confirmation_id, conn_info: info(b"info") }
}

fn ack(receipt_info: Option<&[u8]>) -> Client {
    Client::Ack { message_id: AgentMsgId(42), receipt_info: receipt_info.map(info) }
}

fn examples() -> Vec<(AgentCommand, Vec<u8>)> {
    use SubscriptionMode::{OnlyCreate, Subscribe};
    let contact = Client::New {
        enable_ntfs: false,
        mode: ConnectionMode::Contact,
        initial_keys: InitialKeys::Invitation,
        subscription: OnlyCreate,
    };
    let set = |client| Client::LSet(LinkSetParams::new(b"\x02 \xff", client).unwrap());
    let link = Client::LGet(ShortLink::from_bytes(b"https://smp.example/i#id/key").unwrap());
    let client: Vec<(Client, &[u8])> = vec![
        (new(InitialKeys::Enable, Subscribe), b"NEW T INV pq=enable subscribe"),
        (new(InitialKeys::Disable, Subscribe), b"NEW T INV pq=disable subscribe"),
        (contact, b"NEW F CON pq=invitation only-create"),
        (set(None), b"LSET \x02 \xff"),
        (set(Some("{}")), b"LSET \x02 \xff {}"),
        (link, b"LGET https://smp.example/i#id/key"),
        (
            join(true, OnlyCreate),
            b"JOIN F simplex:/invitation#/?v=2 pq=enable only-create 4\na\nb ",
        ),
        (join(false, Subscribe), b"JOIN F simplex:/invitation#/?v=2 pq=disable subscribe 4\na\nb "),
        (confirm(b"\0id\n\xff"), b"LET \0id\n\xff 4\ninfo"),
        (ack(None), b"ACK 42"),
        (ack(Some(b"")), b"ACK 42 0\n"),
        (ack(Some(b"ok")), b"ACK 42 2\nok"),
        (Client::Swch, b"SWCH"),
        (Client::Del, b"DEL"),
    ];
    let with_key = |text: &str| format!("{text} {KEY}");
    let internal = vec![
        (Internal::Ack(rcv_id(), msg_id()), "ACK cmN2 bXNnIGlk".to_owned()),
        (Internal::AckDel(rcv_id(), msg_id(), InternalId(7)), "ACK_DEL cmN2 bXNnIGlk 7".to_owned()),
        (Internal::AllowSecure(rcv_id(), Some(key())), with_key("ALLOW_SECURE cmN2")),
        (Internal::AllowSecure(rcv_id(), None), "ALLOW_SECURE cmN2 ".to_owned()),
        (Internal::DuplexSecure(rcv_id(), key()), with_key("DUPLEX_SECURE cmN2")),
        (Internal::DeleteConn, "DELETE_CONN".to_owned()),
        (Internal::DeleteRcvQueue(rcv_id()), "DELETE_RCV_QUEUE cmN2".to_owned()),
        (Internal::QSecure(rcv_id(), key()), with_key("QSECURE cmN2")),
        (Internal::QDelete(rcv_id()), "QDELETE cmN2".to_owned()),
    ];
    let client = client
        .into_iter()
        .map(|(command, text)| (AgentCommand::Client(command), [b"CLIENT ", text].concat()));
    let internal = internal.into_iter().map(|(command, text)| {
        (AgentCommand::Internal(command), format!("INTERNAL {text}").into_bytes())
    });
    client.chain(internal).collect()
}

#[test]
fn every_command_has_its_documented_text() {
    let mut tags = Vec::new();
    for (command, text) in examples() {
        assert_eq!(command.to_bytes().unwrap(), text, "{command:?}");
        assert_eq!(AgentCommand::from_bytes(&text).as_ref(), Ok(&command));
        assert!(text.starts_with(command.tag().text().as_bytes()));
        tags.push(command.tag());
    }
    tags.dedup();
    assert_eq!(tags, AgentCommandTag::ALL);
}

#[test]
fn commands_of_earlier_versions_are_read_with_what_they_lack() {
    use SubscriptionMode::{OnlyCreate, Subscribe};
    let cases: [(&[u8], Client); 10] = [
        (b"NEW T INV", new(InitialKeys::Disable, Subscribe)),
        (b"NEW T INV ", new(InitialKeys::Disable, Subscribe)),
        (b"NEW T INV subscribe", new(InitialKeys::Disable, Subscribe)),
        (b"NEW T INV only-create", new(InitialKeys::Disable, OnlyCreate)),
        (b"NEW T INV pq=enable", new(InitialKeys::Enable, Subscribe)),
        (b"NEW T INV pq=enable ", new(InitialKeys::Enable, Subscribe)),
        (b"JOIN F simplex:/invitation#/?v=2 4\na\nb ", join(false, Subscribe)),
        (b"JOIN F simplex:/invitation#/?v=2 only-create 4\na\nb ", join(false, OnlyCreate)),
        (b"JOIN F simplex:/invitation#/?v=2 pq=enable 4\na\nb ", join(true, Subscribe)),
        (b"ACK +42", ack(None)),
    ];
    for (text, command) in cases {
        let read = AgentCommand::from_bytes(&[b"CLIENT ", text].concat());
        assert_eq!(read, Ok(AgentCommand::Client(command)), "{}", text.escape_ascii());
    }
    let read = AgentCommand::from_bytes(b"INTERNAL ALLOW_SECURE cmN2");
    assert_eq!(read, Ok(AgentCommand::Internal(Internal::AllowSecure(rcv_id(), None))));
}

#[test]
fn what_is_no_command_is_refused_with_its_place() {
    let wrong: [&[u8]; 36] = [
        b"",
        b"CLIENT",
        b"CLIENT ",
        b"NEW T INV",
        b"client NEW T INV",
        b"CLIENT  NEW T INV",
        b"CLIENT NEWS T INV",
        b"CLIENT NEW",
        b"CLIENT NEW t INV",
        b"CLIENT NEW T inv",
        b"CLIENT NEW T INV pq=maybe",
        b"CLIENT NEW T INV subscribe pq=enable",
        b"CLIENT NEW T INV pq=enable subscribe ?",
        b"CLIENT NEW T INV  subscribe",
        b"CLIENT LSET",
        b"CLIENT LSET ",
        b"CLIENT LGET",
        b"CLIENT LGET a b",
        b"CLIENT JOIN T uri pq=invitation subscribe 0\n",
        b"CLIENT JOIN T  0\n",
        b"CLIENT JOIN T uri 1\n",
        b"CLIENT JOIN T uri 0\nx",
        b"CLIENT JOIN T uri 4294967296\n",
        b"CLIENT JOIN T uri -1\n",
        b"CLIENT LET  0\n",
        b"CLIENT LET id 1\r\nx",
        b"CLIENT ACK",
        b"CLIENT ACK 9223372036854775808",
        b"CLIENT ACK 1 ",
        b"CLIENT SWCH ",
        b"CLIENT QDELETE cmN2",
        b"INTERNAL NEW T INV",
        b"INTERNAL QDELETE cmN",
        b"INTERNAL ACK_DEL cmN2 bXNnIGlk",
        b"INTERNAL DELETE_CONN ",
        b"INTERNAL ALLOW_SECURE cmN2 x",
    ];
    for text in wrong {
        let read = AgentCommand::from_bytes(text);
        let error = read.expect_err(&text.escape_ascii().to_string());
        assert!(error.offset <= text.len());
    }
    let with_end = format!("INTERNAL ALLOW_SECURE cmN2 {KEY} ");
    assert!(AgentCommand::from_bytes(with_end.as_bytes()).is_err());
}

#[test]
fn an_id_that_would_end_early_has_no_place_in_a_command() {
    let command = AgentCommand::Client(confirm(b"an id"));
    assert_eq!(command.to_bytes(), Err(UnwritableCommand));
}

#[test]
fn tags_are_kind_and_name() {
    let texts: Vec<&str> = AgentCommandTag::ALL.iter().map(|tag| tag.text()).collect();
    let client = ["NEW", "LSET", "LGET", "JOIN", "LET", "ACK", "SWCH", "DEL"];
    let internal = [
        "ACK",
        "ACK_DEL",
        "ALLOW_SECURE",
        "DUPLEX_SECURE",
        "DELETE_CONN",
        "DELETE_RCV_QUEUE",
        "QSECURE",
        "QDELETE",
    ];
    let client = client.iter().map(|tag| format!("CLIENT {tag}"));
    let internal = internal.iter().map(|tag| format!("INTERNAL {tag}"));
    assert_eq!(texts, client.chain(internal).collect::<Vec<String>>());
}

/// Any command that can be written.
#[derive(Clone, Debug)]
struct Any(AgentCommand);

fn some(g: &mut Gen) -> Vec<u8> {
    let mut bytes = Vec::<u8>::arbitrary(g);
    bytes.push(u8::arbitrary(g));
    bytes
}

fn some_without_spaces(g: &mut Gen) -> Vec<u8> {
    some(g).into_iter().map(|byte| if byte == b' ' { b'_' } else { byte }).collect()
}

fn some_uri(g: &mut Gen) -> Vec<u8> {
    let is_control = |byte: u8| byte <= b' ' || byte == 0x7f;
    some(g).into_iter().map(|byte| if is_control(byte) { b'/' } else { byte }).collect()
}

fn some_key(g: &mut Gen) -> AuthKey {
    let byte = u8::arbitrary(g);
    match byte % 3 {
        0 => AuthKey::Ed25519([byte; 32]),
        1 => AuthKey::X25519([byte; 32]),
        _ => AuthKey::Ed448(Box::new([byte; 57])),
    }
}

fn some_client(g: &mut Gen) -> Client {
    let subscription =
        *g.choose(&[SubscriptionMode::Subscribe, SubscriptionMode::OnlyCreate]).unwrap();
    let keys = [InitialKeys::Invitation, InitialKeys::Enable, InitialKeys::Disable];
    let (enable_ntfs, conn_info) = (bool::arbitrary(g), Blob::from(&*Vec::<u8>::arbitrary(g)));
    match u8::arbitrary(g) % 8 {
        0 => {
            let mode = *g.choose(ConnectionMode::ALL).unwrap();
            Client::New { enable_ntfs, mode, initial_keys: *g.choose(&keys).unwrap(), subscription }
        }
        1 => Client::LSet(LinkSetParams::from_bytes(&some(g)).unwrap()),
        2 => Client::LGet(ShortLink::from_bytes(&some_uri(g)).unwrap()),
        3 => Client::Join {
            enable_ntfs,
            conn_req: ConnReq::from_bytes(&some_uri(g)).unwrap(),
            pq_support: bool::arbitrary(g),
            subscription,
            conn_info,
        },
        4 => {
            let confirmation_id = ConfirmationId::from_bytes(&some_without_spaces(g)).unwrap();
            Client::Let { confirmation_id, conn_info }
        }
        5 => Client::Ack {
            message_id: AgentMsgId(i64::arbitrary(g)),
            receipt_info: enable_ntfs.then_some(conn_info),
        },
        6 => Client::Swch,
        _ => Client::Del,
    }
}

fn some_internal(g: &mut Gen) -> Internal {
    let rcv_id = RecipientId::from_bytes(&some(g)).unwrap();
    let msg_id = MsgId::from_bytes(&some(g)).unwrap();
    match u8::arbitrary(g) % 8 {
        0 => Internal::Ack(rcv_id, msg_id),
        1 => Internal::AckDel(rcv_id, msg_id, InternalId(i64::arbitrary(g))),
        2 => Internal::AllowSecure(rcv_id, bool::arbitrary(g).then(|| some_key(g))),
        3 => Internal::DuplexSecure(rcv_id, some_key(g)),
        4 => Internal::DeleteConn,
        5 => Internal::DeleteRcvQueue(rcv_id),
        6 => Internal::QSecure(rcv_id, some_key(g)),
        _ => Internal::QDelete(rcv_id),
    }
}

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(match bool::arbitrary(g) {
            true => AgentCommand::Client(some_client(g)),
            false => AgentCommand::Internal(some_internal(g)),
        })
    }
}

/// A command's text with some bytes changed, left out or put in.
#[derive(Clone, Debug)]
struct Damaged(Vec<u8>);

impl Arbitrary for Damaged {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut text = Any::arbitrary(g).0.to_bytes().unwrap();
        for _ in 0..1 + u8::arbitrary(g) % 3 {
            let place = usize::arbitrary(g) % (text.len() + 1);
            let byte = *g.choose(b" \n019-=ATaz\0\xff").unwrap();
            match u8::arbitrary(g) % 3 {
                0 => text.insert(place, byte),
                1 => text.truncate(place),
                _ => text.iter_mut().skip(place).take(1).for_each(|old| *old = byte),
            }
        }
        Self(text)
    }
}

#[test]
fn any_command_comes_back() {
    fn check(command: Any) -> bool {
        AgentCommand::from_bytes(&command.0.to_bytes().unwrap()) == Ok(command.0)
    }
    QuickCheck::new().tests(5_000).quickcheck(check as fn(_) -> bool);
}

#[test]
fn damaged_commands_are_refused_or_are_commands_that_come_back() {
    fn check(text: &[u8]) -> bool {
        AgentCommand::from_bytes(text).map_or(true, |command| {
            let again = command.to_bytes().unwrap();
            AgentCommand::from_bytes(&again) == Ok(command)
        })
    }
    fn damaged(text: Damaged) -> bool {
        check(&text.0)
    }
    fn any(bytes: Vec<u8>) -> bool {
        check(&[b"CLIENT ", &bytes[..]].concat()) && check(&bytes)
    }
    QuickCheck::new().tests(20_000).quickcheck(damaged as fn(_) -> bool);
    QuickCheck::new().tests(2_000).quickcheck(any as fn(_) -> bool);
}
