//! Tasks and proofs of agents: one rule broken in each, and the error that names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::agent::AgentKey;
use domain::task::{PurposeClass, Task, Wish};
use domain::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};
use oauth::agent_jws::JwsError;
use oauth::proof::{Proof, ProofError, Proven};
use oauth::task::{TaskError, verify};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

const ISSUER: &str = "http://0123456789abcdef.countersign.localhost";
const NOW: i64 = 1_700_000_000;
const GRANT: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn signing(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn key(n: u8) -> AgentKey {
    AgentKey::from_bytes(signing(n).verifying_key().to_bytes()).unwrap()
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn signed(header: &str, claims: &str, by: u8) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = signing(by).sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "countersign-task+jwt", "kid": key(1).thumbprint()})
}

fn look() -> Value {
    json!({"type": "account_information", "actions": ["get_balance"]})
}

fn payment() -> Value {
    json!({"type": "payment_initiation", "actions": ["make_payment"],
        "instructedAmount": {"currency": "EUR", "amount": "12.50"}, "creditorName": "Water Works",
        "creditorAccount": {"id": "p1"}, "debtorAccount": {"id": "a1"}})
}

fn claims() -> Value {
    json!({"iss": key(1).thumbprint(), "aud": ISSUER, "iat": NOW, "exp": NOW + 120, "jti": "0123456789abcdef",
        "grant": GRANT, "purpose": "To see", "authorization_details": [look()], "uses": 1})
}

fn judge(text: &str) -> Result<Task, TaskError> {
    verify(text, &key(1), ISSUER, Timestamp::from_secs(NOW))
}

fn of(claims: &Value) -> Result<Task, TaskError> {
    judge(&signed(&header().to_string(), &claims.to_string(), 1))
}

/// With one claim set to this, or left out.
fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    claims
}

/// What stands where a text or a number belongs.
fn strange() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!([1]),
        json!(""),
        json!(" "),
        json!("never"),
        json!(-1),
        json!(1.5),
        json!(1e99),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("\u{0}"),
    ]
}

#[test]
fn a_sound_task_is_what_it_says() {
    let task = of(&claims()).unwrap();
    assert_eq!((task.uses, task.lifetime, task.purpose_class), (1, 300, PurposeClass::Other));
    assert_eq!(
        task.ends_at,
        Timestamp::from_secs(NOW + 181),
        "remembered for as long as it could be presented"
    );
    assert!(matches!(task.wish, Wish::Look(_)));
    let again = of(&with("jti", Some(json!("another-name-0123")))).unwrap();
    assert_eq!(again.content, task.content);
    assert_ne!(again.id, task.id);
    assert_ne!(of(&with("uses", Some(json!(2)))).unwrap().content, task.content);
    let mut named = header();
    named["alg"] = json!("Ed25519");
    assert!(judge(&signed(&named.to_string(), &claims().to_string(), 1)).is_ok(), "RFC 9864");
    assert!(matches!(
        of(&with("authorization_details", Some(json!([payment()])))).unwrap().wish,
        Wish::Pay(_)
    ));
}

#[test]
fn each_claim_is_there_and_what_it_must_be() {
    let rules = [
        ("iss", TaskError::Issuer),
        ("aud", TaskError::Audience),
        ("iat", TaskError::Issued),
        ("exp", TaskError::Expired),
        ("jti", TaskError::Jti),
        ("grant", TaskError::Grant),
        ("purpose", TaskError::Purpose),
        ("authorization_details", TaskError::Details),
        ("uses", TaskError::Uses),
    ];
    for (name, rule) in rules {
        assert_eq!(of(&with(name, None)), Err(rule), "no {name}");
        for value in strange() {
            let fits = name == "purpose" && value == json!("never");
            // A time far in the past is a time: it breaks the rule about the other.
            let old = name == "iat" && (value == json!(-1) || value == json!(i64::MIN));
            let rule = if old { TaskError::Life } else { rule };
            let found = of(&with(name, Some(value.clone())));
            assert!(if fits { found.is_ok() } else { found == Err(rule) }, "{name}: {value}: {found:?}");
        }
    }
    for (name, rule) in [("lifetime", TaskError::Lifetime), ("purpose_class", TaskError::PurposeClass)] {
        for value in strange() {
            assert_eq!(of(&with(name, Some(value.clone()))), Err(rule), "{name}: {value}");
        }
    }
    for value in strange().into_iter().filter(|value| !value.is_i64()) {
        assert_eq!(of(&with("nbf", Some(value.clone()))), Err(TaskError::NotYet), "{value}");
    }
    for extra in ["sub", "scope", "act", "cnf", "Purpose", "iss ", "__proto__"] {
        assert_eq!(of(&with(extra, Some(json!("x")))), Err(TaskError::UnknownClaim), "{extra}");
    }
}

#[test]
fn limits_are_held_to_the_unit() {
    let check = |name: &str, value: Value, expected: Result<(), TaskError>| {
        assert_eq!(of(&with(name, Some(value.clone()))).map(drop), expected, "{name}: {value}");
    };
    for good in [1, 100] {
        check("uses", json!(good), Ok(()));
    }
    for bad in [json!(0), json!(101), json!("1"), json!(1.0)] {
        check("uses", bad, Err(TaskError::Uses));
    }
    for good in [1, 300, 900] {
        check("lifetime", json!(good), Ok(()));
    }
    for bad in [0, 901, 86_400] {
        check("lifetime", json!(bad), Err(TaskError::Lifetime));
    }
    check("jti", json!("x".repeat(128)), Ok(()));
    check("jti", json!("x".repeat(129)), Err(TaskError::Jti));
    check("jti", json!("x".repeat(15)), Err(TaskError::Jti));
    check("purpose", json!("x".repeat(200)), Ok(()));
    check("purpose", json!("x".repeat(201)), Err(TaskError::Purpose));
    check("iat", json!(NOW + 60), Ok(()));
    check("iat", json!(NOW + 61), Err(TaskError::Issued));
    check("nbf", json!(NOW + 60), Ok(()));
    check("nbf", json!(NOW + 61), Err(TaskError::NotYet));
    let mut old = claims();
    (old["iat"], old["exp"]) = (json!(NOW - 300), json!(NOW - 59));
    assert!(of(&old).is_ok(), "a clock may be a minute behind");
    old["exp"] = json!(NOW - 60);
    assert_eq!(of(&old), Err(TaskError::Expired));
    for (exp, expected) in [
        (NOW + 300, Ok(())),
        (NOW + 301, Err(TaskError::Life)),
        (NOW + 86_400, Err(TaskError::Life)),
        (NOW, Err(TaskError::Life)),
    ] {
        check("exp", json!(exp), expected);
    }
    for audience in [
        json!("http://0123456789abcdee.countersign.localhost"),
        json!([ISSUER]),
        json!(format!("{ISSUER}/")),
        json!("HTTP://0123456789ABCDEF.countersign.localhost"),
        json!("https://0123456789abcdef.countersign.localhost"),
    ] {
        check("aud", audience, Err(TaskError::Audience));
    }
    check("iss", json!(key(2).thumbprint()), Err(TaskError::Issuer));
}

#[test]
fn the_header_names_one_algorithm_one_kind_and_one_key() {
    let check = |change: &dyn Fn(&mut Value), expected: JwsError| {
        let mut header = header();
        change(&mut header);
        let text = signed(&header.to_string(), &claims().to_string(), 1);
        assert_eq!(judge(&text), Err(expected.into()), "{header}");
    };
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("HS256"),
        json!("RS256"),
        json!("ES256"),
        json!("eddsa"),
        json!("ed25519"),
        json!("Ed448"),
        json!(""),
        json!(null),
        json!(1),
        json!(["EdDSA"]),
    ] {
        check(&|header| header["alg"] = alg.clone(), JwsError::Algorithm);
    }
    check(&|header| drop(header.as_object_mut().unwrap().remove("alg")), JwsError::Algorithm);
    for typ in [
        json!("JWT"),
        json!("dpop+jwt"),
        json!("at+jwt"),
        json!("countersign-task"),
        json!("Countersign-Task+JWT"),
        json!("application/countersign-task+jwt"),
        json!(null),
        json!(1),
    ] {
        check(&|header| header["typ"] = typ.clone(), JwsError::Type);
    }
    check(&|header| drop(header.as_object_mut().unwrap().remove("typ")), JwsError::Type);
    for member in
        ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc", "cty", "nonce", "x"]
    {
        check(&|header| header[member] = json!("x"), JwsError::HeaderMember);
    }
    check(&|header| header["crit"] = json!(["x"]), JwsError::HeaderMember);
    check(&|header| header["b64"] = json!(false), JwsError::HeaderMember);
    for kid in [
        json!(key(2).thumbprint()),
        json!("../x"),
        json!("' OR 1=1"),
        json!(""),
        json!(null),
        json!(7),
        json!(["x"]),
    ] {
        check(&|header| header["kid"] = kid.clone(), JwsError::Key);
    }
    check(&|header| drop(header.as_object_mut().unwrap().remove("kid")), JwsError::Key);
}

#[test]
fn only_the_compact_form_in_one_spelling_is_read() {
    let good = signed(&header().to_string(), &claims().to_string(), 1);
    assert!(judge(&good).is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let [h, c, s] = [parts[0], parts[1], parts[2]];
    let bad = [
        String::new(),
        ".".into(),
        "..".into(),
        h.into(),
        format!("{h}.{c}"),
        format!("{h}.{c}."),
        format!("{h}.{c}.{s}."),
        format!("{h}.{c}.{s}.{s}"),
        format!("{h}=.{c}.{s}"),
        format!("{h}.{c}=.{s}"),
        format!("{h}.{c}.{s}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{h}.{c} .{s}"),
        format!("{h}.{c}.{}", s.replace(['-', '_'], "+")),
        json!({"payload": c, "signatures": [{"protected": h, "signature": s}]}).to_string(),
        json!({"payload": c, "protected": h, "signature": s}).to_string(),
        format!("Bearer {good}"),
    ];
    for text in &bad {
        let found = judge(text);
        assert!(matches!(found, Err(TaskError::Jws(_))), "{text}: {found:?}");
    }
    let raw = |header: &str, claims: &str| judge(&signed(header, claims, 1));
    let (header, claims) = (header().to_string(), claims().to_string());
    for text in ["", "null", "[]", "1", "\"x\"", "{", "{}{}", "\u{feff}{}", &claims.replace('}', ",}")] {
        assert_eq!(
            raw(&header, text).err(),
            Some(JwsError::Malformed.into()).filter(|_| text != "{}"),
            "{text}"
        );
        let found = raw(text, &claims);
        assert!(matches!(found, Err(TaskError::Jws(_))), "{text}: {found:?}");
    }
    for name in ["iss", "aud", "uses", "grant", "authorization_details", "exp"] {
        let twice = claims.replacen('{', &format!("{{\"{name}\":1,"), 1);
        assert_eq!(raw(&header, &twice), Err(JwsError::Malformed.into()), "{name} twice");
    }
    let twice = header.replacen('{', "{\"alg\":\"none\",", 1);
    assert_eq!(raw(&twice, &claims), Err(JwsError::Malformed.into()));
    let deep =
        format!("{}{}{}", claims.trim_end_matches('}'), ",\"x\":", "[".repeat(40) + &"]".repeat(40) + "}");
    assert_eq!(raw(&header, &deep), Err(JwsError::Malformed.into()));
    let long = signed(&header, &claims.replace("To see", &"x".repeat(16 * 1024)), 1);
    assert_eq!(judge(&long), Err(JwsError::TooLong.into()));
    let utf16: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let text = format!("{}.{}.{s}", part(&header), URL_SAFE_NO_PAD.encode(utf16));
    assert!(judge(&text).is_err());
}

#[test]
fn no_bit_of_a_task_can_be_changed() {
    let good = signed(&header().to_string(), &claims().to_string(), 1);
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        assert!(judge(&text).is_err(), "byte {at}");
    }
    let by_another = signed(&header().to_string(), &claims().to_string(), 2);
    assert_eq!(judge(&by_another), Err(JwsError::Signature.into()));
    // The same signature in another spelling: S + L instead of S (RFC 8032 §5.1.7).
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + add + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    let other = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(judge(&other), Err(JwsError::Signature.into()));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let check = |details: Value| {
        assert_eq!(
            of(&with("authorization_details", Some(details.clone()))),
            Err(TaskError::Details),
            "{details}"
        );
    };
    check(json!([look(), payment()]));
    check(json!([payment(), payment()]));
    check(json!(vec![look(); 9]));
    for change in [
        json!({"type": "other"}),
        json!({"type": null}),
        json!({"actions": []}),
        json!({"actions": "get_balance"}),
        json!({"actions": ["*"]}),
        json!({"actions": ["Get_Balance"]}),
        json!({"actions": ["get_balance", "get_balance"]}),
        json!({"actions": [1]}),
        json!({"identifier": []}),
        json!({"identifier": "a1"}),
        json!({"identifier": [""]}),
        json!({"identifier": ["a\n"]}),
        json!({"identifier": [null]}),
        json!({"dateFrom": "2026-02-30"}),
        json!({"dateFrom": 1}),
        json!({"dateTo": ""}),
        json!({"dateTo": "2026-01-01T00:00:00Z"}),
        json!({"privileges": ["x"]}),
        json!({"datatypes": []}),
        json!({"locations": ["http://evil.test"]}),
        json!({"Actions": ["get_balance"]}),
        json!({"actions": vec!["x"; 65]}),
        json!({"identifier": ["x".repeat(257)]}),
    ] {
        let mut entry = look();
        entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        check(json!([entry]));
    }
    for change in [
        json!({"actions": ["make_payment", "x"]}),
        json!({"instructedAmount": null}),
        json!({"instructedAmount": {"currency": "EUR", "amount": 12.5}}),
        json!({"instructedAmount": {"currency": "EUR", "amount": "-1"}}),
        json!({"instructedAmount": {"currency": "EUR", "amount": "0"}}),
        json!({"instructedAmount": {"currency": "EUR", "amount": "1e18"}}),
        json!({"instructedAmount": {"currency": "EUR", "amount": "1000000000000000000"}}),
        json!({"instructedAmount": {"currency": "eur", "amount": "1"}}),
        json!({"instructedAmount": {"amount": "1"}}),
        json!({"instructedAmount": {"currency": "EUR", "amount": "1", "x": 1}}),
        json!({"creditorAccount": null}),
        json!({"creditorAccount": {}}),
        json!({"creditorAccount": {"id": ""}}),
        json!({"creditorAccount": {"id": "p1", "iban": "x"}}),
        json!({"debtorAccount": {"id": 1}}),
        json!({"creditorName": "Water\u{202e}Works"}),
        json!({"creditorName": "a\nb"}),
        json!({"creditorName": ""}),
        json!({"creditorName": "x".repeat(141)}),
        json!({"remittanceInformationUnstructured": "a  b"}),
        json!({"remittanceInformationUnstructured": "x".repeat(141)}),
        json!({"requestedExecutionDate": "2026-01-01"}),
    ] {
        let mut entry = payment();
        entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        check(json!([entry]));
    }
    let twice = {
        let mut claims = with("authorization_details", Some(json!([payment()])));
        claims["uses"] = json!(2);
        of(&claims)
    };
    assert_eq!(twice, Err(TaskError::Uses), "a payment is made once");
}

fn proof_header() -> Value {
    let x = URL_SAFE_NO_PAD.encode(signing(1).verifying_key().as_bytes());
    json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}})
}

fn proof_claims() -> Value {
    json!({"jti": "p", "htm": "POST", "htu": format!("{ISSUER}/token"), "iat": NOW})
}

fn prove_with(header: &Value, claims: &Value, lease: Option<&str>) -> Result<Proof, ProofError> {
    let address = Url::parse(&format!("{ISSUER}/token")).unwrap();
    let proven = Proven { method: "POST", address: &address, lease, now: Timestamp::from_secs(NOW) };
    Proof::check(&signed(&header.to_string(), &claims.to_string(), 1), &proven)
}

#[test]
fn a_proof_is_for_this_request_now_and_by_this_key() {
    let check = |name: &str, value: Value, expected: Result<(), ProofError>| {
        let mut claims = proof_claims();
        claims[name] = value.clone();
        assert_eq!(prove_with(&proof_header(), &claims, None).map(drop), expected, "{name}: {value}");
    };
    assert_eq!(prove_with(&proof_header(), &proof_claims(), None).unwrap().key, key(1));
    for method in ["GET", "post", "", "PUT"] {
        check("htm", json!(method), Err(ProofError::Method));
    }
    let host = "0123456789abcdef.countersign.localhost";
    for good in [
        format!("{ISSUER}/token"),
        format!("HTTP://{host}/token"),
        format!("http://{}/token", host.to_uppercase()),
        format!("http://{host}:80/token"),
    ] {
        check("htu", json!(good), Ok(()));
    }
    for bad in [
        format!("{ISSUER}/revoke"),
        format!("{ISSUER}/token/"),
        format!("{ISSUER}/Token"),
        format!("{ISSUER}/token?x=1"),
        format!("{ISSUER}/token#x"),
        format!("https://{host}/token"),
        format!("http://{host}:81/token"),
        format!("http://user@{host}/token"),
        "http://evil.test/token".into(),
        "/token".into(),
        String::new(),
    ] {
        check("htu", json!(bad), Err(ProofError::Address));
    }
    for (seconds, expected) in
        [(60, Ok(())), (-60, Ok(())), (61, Err(ProofError::Issued)), (-61, Err(ProofError::Issued))]
    {
        check("iat", json!(NOW + seconds), expected);
    }
    for value in [json!("now"), json!(null), json!(1.5e9), json!(i64::MIN), json!(u64::MAX)] {
        check("iat", value, Err(ProofError::Issued));
    }
    for value in [json!(""), json!(null), json!(1), json!("x".repeat(129))] {
        check("jti", value, Err(ProofError::Jti));
    }
    check("ath", json!("x"), Err(ProofError::Lease));
}

#[test]
fn a_proof_with_a_lease_names_it() {
    let hash = |lease: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(lease));
    let mut claims = proof_claims();
    assert_eq!(prove_with(&proof_header(), &claims, Some("l")), Err(ProofError::Lease));
    claims["ath"] = json!(hash("l"));
    assert!(prove_with(&proof_header(), &claims, Some("l")).is_ok());
    for value in [json!(hash("m")), json!("l"), json!(null), json!(format!("{}=", hash("l")))] {
        claims["ath"] = value;
        assert_eq!(prove_with(&proof_header(), &claims, Some("l")), Err(ProofError::Lease));
    }
}

#[test]
fn the_key_of_a_proof_is_a_public_ed25519_key_and_nothing_more() {
    let check = |change: Value, expected: JwsError| {
        let mut header = proof_header();
        let jwk = header["jwk"].as_object_mut().unwrap();
        jwk.extend(change.as_object().unwrap().clone());
        assert_eq!(prove_with(&header, &proof_claims(), None).map(drop), Err(expected.into()), "{change}");
    };
    check(json!({"d": "x"}), JwsError::Key);
    check(json!({"kty": "EC"}), JwsError::Key);
    check(json!({"crv": "X25519"}), JwsError::Key);
    check(json!({"x": ""}), JwsError::Key);
    check(json!({"x": "A".repeat(43)}), JwsError::Key);
    check(json!({"k": "x"}), JwsError::Key);
    check(json!({"x5c": []}), JwsError::Key);
    let other = URL_SAFE_NO_PAD.encode(signing(2).verifying_key().as_bytes());
    check(json!({"x": other}), JwsError::Signature);
    for (name, value, expected) in [
        ("typ", json!("JWT"), JwsError::Type),
        ("typ", json!("countersign-task+jwt"), JwsError::Type),
        ("alg", json!("HS256"), JwsError::Algorithm),
        ("alg", json!("none"), JwsError::Algorithm),
        ("kid", json!("x"), JwsError::HeaderMember),
        ("nonce", json!("x"), JwsError::HeaderMember),
        ("jwk", json!("x"), JwsError::Key),
    ] {
        let mut header = proof_header();
        header[name] = value;
        assert_eq!(prove_with(&header, &proof_claims(), None).map(drop), Err(expected.into()), "{name}");
    }
    // A task is no proof, and a proof no task.
    let task = signed(&header().to_string(), &claims().to_string(), 1);
    let address = Url::parse(&format!("{ISSUER}/token")).unwrap();
    let proven = Proven { method: "POST", address: &address, lease: None, now: Timestamp::from_secs(NOW) };
    assert!(Proof::check(&task, &proven).is_err());
    let proof = signed(&proof_header().to_string(), &proof_claims().to_string(), 1);
    assert!(judge(&proof).is_err());
}
