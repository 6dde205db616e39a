//! What a secret type must not be able to do: be printed, copied, sent, compared carelessly or read by accident.
//!
//! Whether a type implements a trait is found out while compiling, and is a value here, so that one test can ask it of
//! every type and of types that do implement it.

use std::borrow::Borrow;
use std::fmt::{Debug, Display, LowerHex};
use std::hash::Hash;
use std::ops::Deref;

use domain::secret::{
    AccessToken, AccountNumber, AuthorizationCode, CodeVerifier, DataKey, IdToken, KeyEncryptionKey, Nonce,
    Passphrase, RefreshToken, StateValue,
};
use support::process::root;
use vault::envelope::{Fresh, Opened};

/// Whether a type implements something: the constant of the bounded `impl`, where it holds, hides the trait's.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code, reason = "hidden wherever the bound holds")]
        trait Otherwise { const IT_DOES: bool = false; }
        impl<T: ?Sized> Otherwise for T {}
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "not there where the bound does not hold")]
        impl<T: ?Sized + $($bound)+> Asked<T> { const IT_DOES: bool = true; }
        <Asked<$type>>::IT_DOES
    }};
}

/// What a type implements of all that a secret must not.
macro_rules! implemented {
    ($type:ty) => {
        [
            ("Display", implements!($type: Display)),
            ("LowerHex", implements!($type: LowerHex)),
            ("Clone", implements!($type: Clone)),
            ("Copy", implements!($type: Copy)),
            ("Default", implements!($type: Default)),
            ("Serialize", implements!($type: serde::Serialize)),
            ("Deserialize", implements!($type: serde::de::DeserializeOwned)),
            ("PartialEq", implements!($type: PartialEq)),
            ("PartialEq<str>", implements!($type: PartialEq<str>)),
            ("PartialOrd", implements!($type: PartialOrd)),
            ("Hash", implements!($type: Hash)),
            ("AsRef<str>", implements!($type: AsRef<str>)),
            ("AsRef<[u8]>", implements!($type: AsRef<[u8]>)),
            ("Borrow<str>", implements!($type: Borrow<str>)),
            ("Into<String>", implements!($type: Into<String>)),
            ("Into<Vec<u8>>", implements!($type: Into<Vec<u8>>)),
            ("Deref", implements!($type: Deref)),
            ("IntoIterator", implements!($type: IntoIterator)),
        ]
        .into_iter()
        .filter_map(|(name, it_does)| it_does.then_some(name))
        .collect::<Vec<_>>()
    };
}

macro_rules! secrets {
    ($($name:ident)*) => {
        /// Every type of `domain::secret`.
        const SECRETS: &[&str] = &[$(stringify!($name)),*];

        #[test]
        fn a_secret_implements_nothing_that_gives_it_away() {
            $(assert_eq!(implemented!($name), Vec::<&str>::new(), stringify!($name));)*
            assert_eq!(implemented!(Opened), Vec::<&str>::new(), "what was unsealed");
            assert_eq!(implemented!(Fresh), Vec::<&str>::new(), "what a seal is made with");
            assert_eq!(implemented!(vault::passphrase::Fresh), Vec::<&str>::new(), "what a wrap is made with");
        }

        #[test]
        fn a_secret_is_wiped_when_dropped() {
            $(assert!(implements!($name: zeroize::ZeroizeOnDrop), stringify!($name));)*
            assert!(!implements!(String: zeroize::ZeroizeOnDrop));
        }
    };
}
secrets! {
    AccessToken AccountNumber AuthorizationCode CodeVerifier DataKey IdToken KeyEncryptionKey Nonce Passphrase
    RefreshToken StateValue
}

/// The same question, asked of types that do.
#[test]
fn each_missing_implementation_would_be_found() {
    assert!(implements!(AccessToken: Debug), "of a secret too");
    assert_eq!(
        implemented!(String),
        [
            "Display",
            "Clone",
            "Default",
            "Serialize",
            "Deserialize",
            "PartialEq",
            "PartialEq<str>",
            "PartialOrd",
            "Hash",
            "AsRef<str>",
            "AsRef<[u8]>",
            "Borrow<str>",
            "Into<String>",
            "Into<Vec<u8>>",
            "Deref"
        ]
    );
    let of_a_number = [
        "Display",
        "LowerHex",
        "Clone",
        "Copy",
        "Default",
        "Serialize",
        "Deserialize",
        "PartialEq",
        "PartialOrd",
        "Hash",
    ];
    assert_eq!(implemented!(u32), of_a_number);
    assert!(implemented!(Vec<u8>).contains(&"IntoIterator"));
}

#[test]
fn debug_prints_the_name_of_the_type_and_nothing_else() {
    macro_rules! of_text {
        ($($name:ident)*) => {[$((stringify!($name), {
            let secret = $name::parse("s3cret-value".into()).unwrap();
            [format!("{secret:?}"), format!("{secret:#?}"), format!("{:?}", Some(&secret))]
        })),*]};
    }
    macro_rules! of_keys {
        ($($name:ident)*) => {[$((stringify!($name), {
            let secret = $name::from_random([0x5a; 32]);
            [format!("{secret:?}"), format!("{secret:#?}"), format!("{:?}", Some(&secret))]
        })),*]};
    }
    let texts = of_text!(AccessToken AccountNumber AuthorizationCode CodeVerifier IdToken Nonce Passphrase RefreshToken StateValue);
    let keys = of_keys!(DataKey KeyEncryptionKey);
    for (name, printed) in texts.into_iter().chain(keys) {
        assert_eq!(printed, [name.to_owned(), name.to_owned(), format!("Some({name})")]);
    }
}

#[test]
fn every_secret_type_is_asked() {
    let text = std::fs::read_to_string(root().join("src-tauri/crates/domain/src/secret.rs")).unwrap();
    let mut named: Vec<&str> = Vec::new();
    for begin in ["\ntext_secret! {", "\nphrase_secret! {", "\nkey_secret! {"] {
        let (_, after) = text.split_once(begin).expect("the list");
        let (list, _) = after.split_once("\n}").expect("its end");
        named.extend(list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("///")));
    }
    named.sort_unstable();
    assert_eq!(named, SECRETS);
    let by_hand = text.lines().filter(|line| line.starts_with("pub struct")).collect::<Vec<_>>();
    assert_eq!(
        by_hand,
        Vec::<&str>::new(),
        "a secret is made by the macros, so that none lacks what they give"
    );
}

/// A secret that is let out by accident: into a panic, an error, a line of a log.
#[test]
fn a_secret_in_a_panic_or_an_error_is_its_name() {
    #[derive(Debug)]
    struct Outer(AccessToken, Inner);
    #[derive(Debug)]
    struct Inner(KeyEncryptionKey);
    impl Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "outer: {:?}", self.0)
        }
    }
    impl Display for Inner {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "inner: {:?}", self.0)
        }
    }
    impl std::error::Error for Inner {}
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.1)
        }
    }
    let token = || AccessToken::parse("s3cret-value".into()).unwrap();
    let error = anyhow::Error::new(Outer(token(), Inner(KeyEncryptionKey::from_random([b'Z'; 32]))));
    for printed in [format!("{error}"), format!("{error:#}"), format!("{error:?}"), format!("{error:#?}")] {
        assert!(
            !printed.contains("s3cret") && !printed.contains("ZZ") && !printed.contains("90, 90"),
            "{printed}"
        );
        assert!(printed.contains("AccessToken"), "it is known what it was: {printed}");
    }
    let refuse = || -> Result<(), AccessToken> { Err(token()) };
    let unwrapped = || refuse().unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(unwrapped)).unwrap_err();
    let said = panic.downcast_ref::<String>().expect("a text");
    assert!(said.contains("AccessToken") && !said.contains("s3cret"), "{said}");
}

/// `Zeroizing` wipes and prints all the same: what holds one prints itself by hand, or not at all.
#[test]
fn nothing_that_prints_itself_holds_bytes_that_are_wiped() {
    let holds = |text: &str| {
        let mut found = Vec::new();
        for (at, _) in text.match_indices("#[derive(") {
            let rest = text.get(at..).unwrap_or_default();
            let Some((derived, item)) = rest.split_once("]\n") else { continue };
            let body = item.split_once("\n}").map_or(item, |(body, _)| body);
            let item = if body.contains('{') { body } else { body.split(';').next().unwrap_or(body) };
            if derived.contains("Debug") && !item.contains("#[derive(") && item.contains("Zeroizing<") {
                found.push(item.lines().next().unwrap_or_default().to_owned());
            }
        }
        found
    };
    let planted = "#[derive(Clone, Debug)]\npub struct Leak {\n    token: Zeroizing<String>,\n}\n";
    assert_eq!(holds(planted), ["pub struct Leak {"], "a planted one is found");
    let mut folders = vec![root().join("src-tauri")];
    let (mut files, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                wrong.extend(
                    holds(&std::fs::read_to_string(&path).unwrap()).into_iter().map(|it| (path.clone(), it)),
                );
                files += 1;
            }
        }
    }
    assert_eq!(wrong, []);
    assert!(files > 100, "{files}");
}
