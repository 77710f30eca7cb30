//! Keys of both kinds.

use time::Duration;
use widget_api::Scope;
use widget_http::storage::{
    ApiKey, ConflictKind, CreateKeyError, ListPage, ListedApiKey, SigningKey, Storage, StoreError,
};

use super::organization;
use crate::support::START;

pub(super) async fn api_keys(storage: &dyn Storage) {
    let key = ApiKey {
        id: "first".to_owned(),
        organization_id: organization("keys"),
        name: "für den Arbeiter".to_owned(),
        scopes: vec![Scope::ConversationsReadSensitive, Scope::ConversationsWrite].into(),
        secret_hash: [0xA5; 32],
        created_at: START,
        expires_at: Some(START + Duration::microseconds(1)),
        revoked_at: None,
        created_by: None,
        last_used_on: None,
    };
    let listed = ListedApiKey {
        key: key.clone(),
        creator_name: None,
    };
    storage.insert_api_key(&key).await.expect("it is new");
    let again = storage.insert_api_key(&key).await;
    let kind = ConflictKind::Unique;
    assert!(
        matches!(&again, Err(StoreError::Conflict { kind: found, .. }) if *found == kind),
        "{again:?}"
    );
    assert_eq!(
        storage.find_api_key("first").await.expect("works"),
        Some(key.clone())
    );
    assert_eq!(storage.find_api_key("second").await.expect("works"), None);
    assert_eq!(
        storage
            .list_api_keys(Some(&organization("keys")))
            .await
            .expect("works"),
        std::slice::from_ref(&listed)
    );
    assert_eq!(
        storage
            .list_api_keys(Some(&organization("nobody")))
            .await
            .expect("works"),
        []
    );
    assert!(
        storage
            .list_api_keys(None)
            .await
            .expect("works")
            .contains(&listed)
    );
    for (id, after, expected) in [
        ("second", 0, None),
        ("first", 0, Some(0)),
        ("first", 1, Some(0)),
    ] {
        let revoked = storage
            .revoke_api_key(id, START + Duration::hours(after))
            .await;
        assert_eq!(revoked.expect("works"), expected, "{id}");
    }
    let revoked = storage
        .find_api_key("first")
        .await
        .expect("works")
        .expect("it is kept");
    assert_eq!(revoked.revoked_at, Some(START));
}

pub(super) async fn signing_keys(storage: &dyn Storage) {
    let key = |id: &str, hours| SigningKey {
        id: id.to_owned(),
        secret: vec![1; 32].into(),
        created_at: START + Duration::hours(hours),
        retired_at: None,
    };
    let ids = async || -> Vec<(String, bool)> {
        let keys = storage.list_signing_keys().await.expect("works");
        keys.into_iter()
            .map(|key| (key.id, key.retired_at.is_some()))
            .collect()
    };
    storage
        .ensure_signing_key(&key("a", 0))
        .await
        .expect("works");
    storage
        .ensure_signing_key(&key("b", 1))
        .await
        .expect("works");
    assert_eq!(ids().await, [("a".to_owned(), false)]);
    storage
        .rotate_signing_key(&key("c", 2), START)
        .await
        .expect("works");
    assert_eq!(
        ids().await,
        [("c".to_owned(), false), ("a".to_owned(), true)]
    );
    storage
        .rotate_signing_key(&key("d", 50), START + Duration::hours(26))
        .await
        .expect("works");
    assert_eq!(
        ids().await,
        [("d".to_owned(), false), ("c".to_owned(), true)]
    );
}

/// A key that another one creates: it ends with it, and the last use of each is kept.
pub(super) async fn created_keys(storage: &dyn Storage) {
    let ours = organization("created-keys");
    let key = |id: &str, created_by: Option<&str>| ApiKey {
        id: id.to_owned(),
        organization_id: ours.clone(),
        name: format!("the {id}"),
        scopes: vec![Scope::ApiKeysManage].into(),
        secret_hash: [0xA6; 32],
        created_at: START,
        expires_at: None,
        revoked_at: None,
        created_by: created_by.map(str::to_owned),
        last_used_on: None,
    };
    let creator = key("creator", None);
    storage.insert_api_key(&creator).await.expect("it is new");
    let created = key("created", Some("creator"));
    let outcome = storage.create_api_key(&created, "creator").await;
    outcome.expect("its creator is valid");
    let page = ListPage {
        before: None,
        limit: 9,
    };
    let listed = storage.list_api_keys_of(&ours, page).await.expect("works");
    let listed: Vec<_> = listed.into_iter().map(|row| row.item).collect();
    let named = |key: &ApiKey, creator_name: Option<&str>| {
        Some(ListedApiKey {
            key: key.clone(),
            creator_name: creator_name.map(str::to_owned),
        })
    };
    assert_eq!(
        listed,
        [named(&creator, None), named(&created, Some("the creator"))]
    );
    let day = START.date();
    for expected in [true, false] {
        let noted = storage.note_key_use("created", day).await;
        assert_eq!(noted.expect("works"), expected);
    }
    let revoked = storage.revoke_api_key("creator", START).await;
    assert_eq!(revoked.expect("works"), Some(1));
    let found = storage.find_api_key("created").await.expect("works");
    let found = found.expect("it is kept");
    assert_eq!(
        (found.last_used_on, found.revoked_at),
        (Some(day), Some(START))
    );
    let late = key("late", Some("creator"));
    let late = storage.create_api_key(&late, "creator").await;
    assert!(
        matches!(late, Err(CreateKeyError::CreatorEnded)),
        "{late:?}"
    );
}
