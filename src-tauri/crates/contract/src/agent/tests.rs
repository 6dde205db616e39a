//! The examples of `docs/broker.md`, read as they stand there.

use serde::de::DeserializeOwned;
use serde_json::{json, to_value};

use super::*;

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn details_are_read_and_written_as_rfc_9396_has_them() {
    for text in [
        r#"{"type":"account_information","actions":["list_transactions"],"identifier":["a"],"dateFrom":"2026-01-01","dateTo":"2026-01-31"}"#,
        r#"{"type":"account_information","actions":["list_accounts"]}"#,
        r#"{"type":"payment_initiation","actions":["make_payment"],"instructedAmount":{"currency":"USD","amount":"12.50"},"creditorName":"Water Works","creditorAccount":{"id":"p"},"debtorAccount":{"id":"a"},"remittanceInformationUnstructured":"Invoice 12"}"#,
    ] {
        let detail: Detail = read(text).unwrap();
        assert_eq!(to_value(&detail).unwrap(), read::<Value>(text).unwrap());
    }
    for text in [
        r#"{"type":"account_information"}"#,
        r#"{"type":"account_information","actions":["a"],"date_from":"2026-01-01"}"#,
        r#"{"type":"account_information","actions":["a"],"locations":["x"]}"#,
        r#"{"type":"payment_initiation","actions":["a"]}"#,
        r#"{"type":"other","actions":["a"]}"#,
    ] {
        assert!(read::<Detail>(text).is_err(), "{text}");
    }
}

#[test]
fn a_task_has_the_claims_that_are_named_and_no_other() {
    let task = json!({"iss": "t", "aud": "http://x", "iat": 1, "exp": 2, "jti": "0123456789abcdef", "grant": "g",
        "purpose": "p", "purpose_class": "budgeting", "uses": 1,
        "authorization_details": [{"type": "account_information", "actions": ["a"]}]});
    let read_task: Task = serde_json::from_value(task.clone()).unwrap();
    assert_eq!(to_value(&read_task).unwrap(), task);
    for (member, value) in
        [("scope", json!("x")), ("sub", json!("x")), ("purpose_class", json!("x")), ("uses", json!(-1))]
    {
        let mut other = task.clone();
        other[member] = value;
        assert!(serde_json::from_value::<Task>(other).is_err(), "{member}");
    }
}

#[test]
fn a_key_with_more_than_its_public_members_is_refused() {
    let jwk = PublicJwk::of_x("abc".into());
    assert!(jwk.is_ed25519());
    assert_eq!(serde_json::to_string(&jwk).unwrap(), r#"{"crv":"Ed25519","kty":"OKP","x":"abc"}"#);
    assert!(read::<PublicJwk>(r#"{"kty":"OKP","crv":"Ed25519","x":"a"}"#).is_ok());
    assert!(read::<PublicJwk>(r#"{"kty":"OKP","crv":"Ed25519","x":"a","d":"b"}"#).is_err());
}

#[test]
fn grants_are_read_with_what_later_versions_may_say() {
    let text = r#"{"grants":[{"id":"0190","provider":{"id":"b","name":"B","logo":"x"},"state":"resting","until":1771632000,
        "operations":[{"id":"o","method":"GET","path":"/a/{account}","query":["q"],"body":[],"risk":"read","asks":"sometimes"}],
        "accounts":[{"id":"a","name":"Everyday","number":"••••4821","currency":"USD"}],"later":1}],"later":1}"#;
    let grants: Grants = read(text).unwrap();
    let [grant] = &grants.grants[..] else { panic!("one grant") };
    assert_eq!((grant.state, grant.until), (State::Unknown, 1_771_632_000));
    assert_eq!((grant.operations[0].risk, grant.operations[0].asks), (Risk::Read, Asks::Unknown));
}

#[test]
fn a_lease_is_read_and_not_printed() {
    let text = r#"{"access_token":"very-secret","token_type":"DPoP","expires_in":300,"scope":"a","resource":"r",
        "authorization_details":[{"type":"account_information","later":1}],"later":1}"#;
    let answer: TokenAnswer = read(text).unwrap();
    assert_eq!(answer.lease.as_str(), "very-secret");
    assert!(!format!("{answer:?}").contains("very-secret"));
    let form = RevokeForm { lease: answer.lease };
    assert_eq!(to_value(&form).unwrap(), json!({"token": "very-secret"}));
}

#[test]
fn what_waits_for_the_person_is_read() {
    let waiting = r#"{"state":"waiting","code":"H7KM-2QXP","interval":2,"expires_in":300,"later":1}"#;
    assert!(matches!(read(waiting), Ok(Enrolment::Waiting { interval: 2, expires_in: 300, .. })));
    assert_eq!(read(r#"{"state":"declined"}"#), Ok(Enrolment::Declined));
    let connected = read(r#"{"state":"connected","grant":"g"}"#);
    assert_eq!(connected, Ok(Connecting::Connected { grant: "g".into() }));
}

#[test]
fn a_wish_to_connect_is_asked_or_asked_again() {
    let ask = r#"{"provider":"sandbox-bank","permissions":["accounts"],"days":90,"purpose":"p"}"#;
    assert!(matches!(read(ask), Ok(Connect::Ask(ConnectWish { days: Some(90), .. }))));
    let again = Connect::Again(ConnectAgain { asked: "q".into() });
    assert_eq!(read(r#"{"asked":"q"}"#), Ok(again));
    for text in ["{}", r#"{"provider":"b","asked":"q"}"#, r#"{"provider":"b","yes":true}"#] {
        assert!(read::<Connect>(text).is_err(), "{text}");
    }
}

#[test]
fn each_refusal_is_the_word_it_says_it_is() {
    for code in [
        RefusalCode::AccessDenied,
        RefusalCode::AuthorizationPending,
        RefusalCode::BadGateway,
        RefusalCode::InsufficientScope,
        RefusalCode::InvalidAuthorizationDetails,
        RefusalCode::InvalidClient,
        RefusalCode::InvalidDpopProof,
        RefusalCode::InvalidGrant,
        RefusalCode::InvalidRequest,
        RefusalCode::InvalidScope,
        RefusalCode::InvalidTarget,
        RefusalCode::InvalidToken,
        RefusalCode::SlowDown,
        RefusalCode::TemporarilyUnavailable,
        RefusalCode::UnsupportedGrantType,
    ] {
        assert_eq!(to_value(code).unwrap(), json!(code.as_str()));
    }
    let later: Refusal = read(r#"{"error":"something_new","error_uri":"x"}"#).unwrap();
    assert_eq!(later.error, RefusalCode::Unknown);
    assert_eq!(
        (RefusalCode::InvalidDpopProof.status(), RefusalCode::InvalidDpopProof.status_at_call()),
        (400, 401)
    );
}
