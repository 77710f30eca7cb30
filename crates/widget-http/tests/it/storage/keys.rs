//! Keys of both kinds.

use time::Duration;
use widget_api::Scope;
use widget_http::storage::{ApiKey, ConflictKind, ListedApiKey, SigningKey, Storage, StoreError};

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
