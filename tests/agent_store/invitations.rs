//! Connection requests that came through an address (section 4.6).

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::Blob;

use crate::fixture::{TestStore, on_each};

fn address(test: &TestStore) -> ConnId {
    let user = test.user();
    test.bare_connection(user, b"address")
}

fn info(text: &str) -> Blob {
    Blob::from(text.as_bytes())
}

fn invitation(contact_conn_id: &ConnId) -> NewInvitation {
    NewInvitation {
        contact_conn_id: contact_conn_id.clone(),
        conn_req: ConnReq::from_bytes(b"simplex:/invitation#/?v=2").unwrap(),
        recipient_conn_info: info("recipient"),
    }
}

fn create(test: &TestStore, seed: u64, address: &ConnId) -> InvitationId {
    let rng = &mut StdRng::seed_from_u64(seed);
    test.run(|tx| tx.create_invitation(rng, &invitation(address))).unwrap()
}

fn stored(id: &InvitationId, contact_conn_id: Option<&ConnId>) -> Invitation {
    Invitation {
        invitation_id: id.clone(),
        contact_conn_id: contact_conn_id.cloned(),
        conn_req: ConnReq::from_bytes(b"simplex:/invitation#/?v=2").unwrap(),
        recipient_conn_info: info("recipient"),
        own_conn_info: None,
        accepted: false,
    }
}

fn get(test: &TestStore, id: &InvitationId) -> Result<Invitation, StoreError> {
    test.run(|tx| tx.get_invitation("acceptContact", id))
}

fn not_found(id: &InvitationId) -> Result<Invitation, StoreError> {
    let (context, invitation_id) = ("acceptContact".to_owned(), id.clone());
    Err(StoreError::InvitationNotFound { context, invitation_id })
}

type InvitationRow = (Option<Vec<u8>>, Vec<u8>, Vec<u8>, bool, Option<Vec<u8>>);

fn row(test: &TestStore, id: &InvitationId) -> Option<InvitationRow> {
    let query =
        "SELECT contact_conn_id, cr_invitation, recipient_conn_info, accepted, own_conn_info
       FROM conn_invitations WHERE invitation_id = $1";
    let mut rows = test.query(query, &[id], |row| {
        Ok((
            row.next("i.contact_conn_id")?,
            row.next("i.cr_invitation")?,
            row.next("i.recipient_conn_info")?,
            row.next("i.accepted")?,
            row.next("i.own_conn_info")?,
        ))
    });
    rows.pop()
}

fn expected(accepted: bool, own: Option<&[u8]>) -> Option<InvitationRow> {
    let request = b"simplex:/invitation#/?v=2".to_vec();
    let (address, info) = (Some(b"address".to_vec()), b"recipient".to_vec());
    Some((address, request, info, accepted, own.map(<[u8]>::to_vec)))
}

#[test]
fn f076_f077_a_request_is_kept_under_a_random_id_and_found() {
    on_each(|test| {
        let address = address(test);
        let id = create(test, 1, &address);
        assert_eq!(id.as_bytes().len(), 16);
        assert_eq!(row(test, &id), expected(false, None));
        assert_eq!(get(test, &id), Ok(stored(&id, Some(&address))));
        let missing = InvitationId::from_bytes(b"missing").unwrap();
        assert_eq!(get(test, &missing), not_found(&missing));
    });
}

#[test]
fn f076_as38_as39_a_taken_id_is_replaced_and_without_an_address_there_is_none() {
    on_each(|test| {
        let address = address(test);
        let first = create(test, 1, &address);
        assert_ne!(create(test, 1, &address), first);
        let missing = invitation(&ConnId::from_bytes(b"missing").unwrap());
        let rng = &mut StdRng::seed_from_u64(2);
        let made = test.run(|tx| tx.create_invitation(rng, &missing));
        assert_eq!(made, Err(StoreError::UniqueId));
        let count = test.query("SELECT invitation_id FROM conn_invitations", &[], |row| {
            row.next::<InvitationId>("i.invitation_id")
        });
        assert_eq!(count.len(), 2);
    });
}

#[test]
fn f077_f078_f079_as59_an_accepted_request_is_not_found_until_that_is_taken_back() {
    on_each(|test| {
        let address = address(test);
        let [id, other] = [1, 2].map(|seed| create(test, seed, &address));
        test.run(|tx| tx.accept_invitation(&id, &info("own"))).unwrap();
        assert_eq!(row(test, &id), expected(true, Some(b"own")));
        assert_eq!(get(test, &id), not_found(&id));
        assert_eq!(row(test, &other), expected(false, None));
        test.run(|tx| tx.accept_invitation(&other, &info("other"))).unwrap();
        test.run(|tx| tx.unaccept_invitation(&id)).unwrap();
        assert_eq!(row(test, &id), expected(false, None));
        assert_eq!(get(test, &id), Ok(stored(&id, Some(&address))));
        assert_eq!(row(test, &other), expected(true, Some(b"other")));
        let missing = InvitationId::from_bytes(b"missing").unwrap();
        test.run(|tx| tx.accept_invitation(&missing, &info("own"))).unwrap();
        test.run(|tx| tx.unaccept_invitation(&missing)).unwrap();
        assert_eq!(row(test, &missing), None);
    });
}

#[test]
fn f077_as28_a_request_outlives_its_address() {
    on_each(|test| {
        let address = address(test);
        let id = create(test, 1, &address);
        test.execute("DELETE FROM connections", &[]);
        assert_eq!(get(test, &id), Ok(stored(&id, None)));
    });
}

#[test]
fn f077_a_request_that_cannot_be_read_is_named() {
    on_each(|test| {
        let id = create(test, 1, &address(test));
        test.execute("UPDATE conn_invitations SET cr_invitation = $1", &[&b"no request"]);
        let Err(StoreError::Internal(text)) = get(test, &id) else { panic!("it was read") };
        assert!(text.contains("conn_invitations.cr_invitation: not the URI"), "{text}");
    });
}

#[test]
fn f080_a_request_is_deleted() {
    on_each(|test| {
        let address = address(test);
        let [id, other] = [1, 2].map(|seed| create(test, seed, &address));
        test.run(|tx| tx.delete_invitation(&id)).unwrap();
        test.run(|tx| tx.delete_invitation(&id)).unwrap();
        assert_eq!(row(test, &id), None);
        assert_eq!(get(test, &other), Ok(stored(&other, Some(&address))));
    });
}
