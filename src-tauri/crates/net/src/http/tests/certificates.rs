//! Certificates that prove nothing: refused with the reason, for every kind of request, before a byte of it is sent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::port::{Http as _, HttpError};
use domain::provider::AddressRule;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, NameConstraints, PKCS_RSA_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use super::kinds::kinds;
use super::secure::{Authority, Identity, NAME, leaf_params, names, say_ok, serve};
use super::*;

/// A client that finds every name at this computer.
fn by_name(roots: Option<Vec<u8>>) -> HttpClient {
    let home: Lookup = Arc::new(|_| Box::pin(std::future::ready(Ok(vec![[127, 0, 0, 1].into()]))));
    let settings = Settings { addresses: AddressRule::DangerLoopback, extra_roots_pem: roots };
    HttpClient::build(&settings, home, SHORT).unwrap()
}

/// What the TLS library found wrong, by the first word of it.
async fn reason(client: &HttpClient, request: Request) -> String {
    let request = reqwest::Request::try_from(request).unwrap();
    let Err(err) = client.client.execute(request).await else { return "none".into() };
    let tls = chain(&err).find_map(|err| err.downcast_ref::<rustls::Error>());
    let text = format!("{:?}", tls.unwrap());
    let word = text.strip_prefix("InvalidCertificate(").unwrap_or(&text);
    word.split(['(', ' ', ')']).next().unwrap().trim_end_matches("Context").to_owned()
}

struct Case {
    name: &'static str,
    identity: Identity,
    roots: Option<Vec<u8>>,
    host: &'static str,
    reason: &'static str,
}

/// Whom a certificate is for.
fn about_the_name(authority: &Authority) -> Vec<Case> {
    let case = |name, host, reason, sans: Vec<SanType>| Case {
        name,
        identity: authority.leaf(|p| p.subject_alt_names.clone_from(&sans)),
        roots: Some(authority.pem()),
        host,
        reason,
    };
    let ip = |ip: [u8; 4]| SanType::IpAddress(ip.into());
    let wrong = "NotValidForName";
    let mut cases = vec![
        case("good", NAME, "none", names(NAME)),
        case("good, in capitals", NAME, "none", names("AS-A.Bank.TEST")),
        case("good, by a wildcard", NAME, "none", names("*.bank.test")),
        case("good, by address", "127.0.0.1", "none", vec![ip([127, 0, 0, 1])]),
        case("another name", NAME, wrong, names("as-b.bank.test")),
        case("the name above", NAME, wrong, names("bank.test")),
        case("a name below", NAME, wrong, names("x.as-a.bank.test")),
        case("a name that ends alike", NAME, wrong, names("evil-as-a.bank.test")),
        case("a name that begins alike", NAME, wrong, names("as-a.bank.test.evil.example")),
        case("this computer's name", NAME, wrong, names("localhost")),
        case("an address for a name", NAME, wrong, vec![ip([127, 0, 0, 1])]),
        case("a name for an address", "127.0.0.1", wrong, names(NAME)),
        case("the address written as a name", "127.0.0.1", wrong, names("127.0.0.1")),
        case("another address", "127.0.0.1", wrong, vec![ip([127, 0, 0, 2])]),
        case(
            "an e-mail address",
            NAME,
            wrong,
            vec![SanType::Rfc822Name("a@as-a.bank.test".try_into().unwrap())],
        ),
        case(
            "an address of the web",
            NAME,
            wrong,
            vec![SanType::URI("https://as-a.bank.test".try_into().unwrap())],
        ),
        case("a wildcard too wide", NAME, wrong, names("*.test")),
        case("a wildcard over a whole domain", "bank.test", wrong, names("*.test")),
        case("a wildcard for everything", NAME, wrong, names("*")),
        case("two wildcards", NAME, wrong, names("*.*.test")),
        case("half a wildcard", NAME, wrong, names("a*.bank.test")),
        case("a wildcard in the middle", NAME, wrong, names("as-a.*.test")),
        case("a wildcard for an address", "127.0.0.1", wrong, names("*.0.0.1")),
        case("NUL in the name", NAME, wrong, names("as-a.bank.test\0.evil.example")),
    ];
    let identity = authority.leaf(|p| {
        p.subject_alt_names.clear();
        p.distinguished_name.push(DnType::CommonName, NAME);
    });
    cases.push(Case {
        name: "the name in the common name alone",
        identity,
        ..case("", NAME, wrong, names(NAME))
    });
    cases
}

/// When, and what for.
fn about_its_use(authority: &Authority) -> Vec<Case> {
    let case = |name, reason, change: &dyn Fn(&mut CertificateParams)| Case {
        name,
        identity: authority.leaf(change),
        roots: Some(authority.pem()),
        host: NAME,
        reason,
    };
    let purpose = |purposes: Vec<ExtendedKeyUsagePurpose>| {
        move |p: &mut CertificateParams| p.extended_key_usages.clone_from(&purposes)
    };
    let unknown = |p: &mut CertificateParams| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(true);
        p.custom_extensions.push(extension);
    };
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, ServerAuth};
    vec![
        case("good for servers", "none", &purpose(vec![ServerAuth])),
        case("expired", "Expired", &|p| p.not_after = date_time_ymd(2020, 1, 1)),
        case("not yet valid", "NotValidYet", &|p| p.not_before = date_time_ymd(2090, 1, 1)),
        case("for clients", "InvalidPurpose", &purpose(vec![ClientAuth])),
        case("for signing code", "InvalidPurpose", &purpose(vec![CodeSigning])),
        case("an authority's own", "Other", &|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        case("with a demand we do not know", "Other", &unknown),
    ]
}

/// A certificate whose signature says that it is SHA-1's.
fn with_sha1() -> (Identity, Vec<u8>) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = root.self_signed(&key).unwrap().pem().into_bytes();
    let own = KeyPair::generate().unwrap();
    let leaf = leaf_params().signed_by(&own, &Issuer::from_params(&root, &key)).unwrap();
    let mut der = leaf.der().to_vec();
    let sha256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    let places: Vec<usize> = (0..der.len() - 9).filter(|at| der[*at..at + 9] == sha256).collect();
    assert_eq!(places.len(), 2, "once signed, once said beside the signature");
    places.into_iter().for_each(|at| der[at + 8] = 0x05);
    (Identity { chain: vec![CertificateDer::from(der)], key: own }, pem)
}

/// Who says so.
fn about_the_chain(authority: &Authority) -> Vec<Case> {
    let case =
        |name, identity, roots: Option<Vec<u8>>, reason| Case { name, identity, roots, host: NAME, reason };
    let (namesake, trusted) = (Authority::new(|_| {}), Some(authority.pem()));
    let stranger = Authority::new(|p| p.distinguished_name.push(DnType::CommonName, "Another authority"));
    let self_signed = || {
        let (params, key) = (leaf_params(), KeyPair::generate().unwrap());
        Identity { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    };
    let below = |change: &dyn Fn(&mut CertificateParams)| authority.below(change).leaf(|_| {});
    let missing = {
        let mut identity = below(&|_| {});
        identity.chain.truncate(1);
        identity
    };
    let altered = {
        let mut identity = authority.leaf(|_| {});
        let mut der = identity.chain[0].to_vec();
        *der.last_mut().unwrap() ^= 1;
        identity.chain[0] = CertificateDer::from(der);
        identity
    };
    let limited = |subtree: GeneralSubtree| {
        Authority::new(move |p| {
            let (permitted_subtrees, excluded_subtrees) = (vec![subtree.clone()], Vec::new());
            p.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        })
    };
    let (elsewhere, other_nets) = (
        limited(GeneralSubtree::DnsName("other.test".into())),
        limited(GeneralSubtree::IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0]))),
    );
    let short = authority.below(|p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let (sha1, sha1_root) = with_sha1();
    vec![
        case("good, root added", authority.leaf(|_| {}), trusted.clone(), "none"),
        case(
            "good, two roots added",
            authority.leaf(|_| {}),
            Some([stranger.pem(), authority.pem()].concat()),
            "none",
        ),
        case("good, through another authority", below(&|_| {}), trusted.clone(), "none"),
        case("root not added", authority.leaf(|_| {}), None, "UnknownIssuer"),
        case("unknown authority", stranger.leaf(|_| {}), trusted.clone(), "UnknownIssuer"),
        case("an authority of the same name", namesake.leaf(|_| {}), trusted.clone(), "BadSignature"),
        case("self-signed", self_signed(), trusted.clone(), "UnknownIssuer"),
        case("self-signed, no roots added", self_signed(), None, "UnknownIssuer"),
        case("intermediate missing", missing, trusted.clone(), "UnknownIssuer"),
        case("altered", altered, trusted.clone(), "BadSignature"),
        case("through a leaf", below(&|p| p.is_ca = IsCa::NoCa), trusted.clone(), "Other"),
        case(
            "through one that says it is none",
            below(&|p| p.is_ca = IsCa::ExplicitNoCa),
            trusted.clone(),
            "Other",
        ),
        case(
            "through an authority for clients",
            below(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            trusted.clone(),
            "InvalidPurpose",
        ),
        case(
            "through one that expired",
            below(&|p| p.not_after = date_time_ymd(2020, 1, 1)),
            trusted.clone(),
            "Expired",
        ),
        case("a chain longer than it may be", short.below(|_| {}).leaf(|_| {}), trusted, "Other"),
        case("outside its authority's names", elsewhere.leaf(|_| {}), Some(elsewhere.pem()), "Other"),
        case("outside its authority's networks", other_nets.leaf(|_| {}), Some(other_nets.pem()), "Other"),
        case("signed with SHA-1", sha1, Some(sha1_root), "UnsupportedSignatureAlgorithm"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_proves_nothing_gets_no_request() {
    let authority = Authority::new(|_| {});
    let cases = [about_the_name(&authority), about_its_use(&authority), about_the_chain(&authority)];
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for Case { name, identity, roots, host, reason: expected } in cases.into_iter().flatten() {
        let (address, shaken) = serve(identity, &["http/1.1"], say_ok).await;
        let (client, base) = (by_name(roots), format!("https://{host}:{}", address.port()));
        let found = reason(&client, request(&Method::GET, &base)).await;
        if found != expected {
            wrong.push(format!("{name}: {found}, not {expected}"));
        }
        let before = shaken.load(Ordering::SeqCst);
        let sent = kinds(&base);
        let count = sent.len();
        for (kind, request) in sent {
            let got = client.send(request).await.map(|reply| reply.status);
            let good = if expected == "none" { got == Ok(200) } else { got == Err(HttpError::Tls) };
            if !good {
                wrong.push(format!("{name}, {kind}: {got:?}"));
            }
        }
        let shaken = shaken.load(Ordering::SeqCst);
        let allowed = if expected == "none" { before + count } else { 0 };
        refused += usize::from(expected != "none");
        if shaken != allowed {
            wrong.push(format!("{name}: {shaken} connections were accepted"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 30, "{refused}");
}

#[test]
fn extra_roots_that_are_none_are_refused() {
    let truncated = {
        let pem = Authority::new(|_| {}).pem();
        pem[..pem.len() / 2].to_vec()
    };
    for (case, pem) in [
        ("empty", Vec::new()),
        ("not PEM", b"hello".to_vec()),
        ("a key", KeyPair::generate().unwrap().serialize_pem().into_bytes()),
        ("not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        ("truncated", truncated),
    ] {
        let settings = Settings { addresses: AddressRule::Public, extra_roots_pem: Some(pem) };
        assert_eq!(HttpClient::new(settings).err(), Some(SetupError::Roots), "{case}");
    }
    assert!(HttpClient::new(Settings { addresses: AddressRule::Public, extra_roots_pem: None }).is_ok());
}
