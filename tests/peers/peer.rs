//! An honest server, running, with what its own books say that the app has to find out.

use contract::ui::EndingView;
use support::bank::Bank;
use support::django::DjangoBank;
use support::fakes::{SharedKeychain, TestApp, private_folder};
use support::person::Person;
use tempfile::TempDir;
use url::Url;

use crate::client::Client;

/// One of them.
pub(crate) struct Peer {
    kind: Kind,
    _folder: TempDir,
    /// A customer's name at the sign-in.
    pub(crate) customer: &'static str,
    /// Whose accounts these are.
    pub(crate) holder: &'static str,
    /// The numbers of all accounts, masked.
    pub(crate) accounts: &'static [&'static str],
    /// How the attempt ends when the person says no at the bank.
    pub(crate) refused: EndingView,
    /// Whether an access token can be given back without the whole grant (RFC 7009 §2.1 leaves that to the server).
    pub(crate) access_ends_alone: bool,
}

enum Kind {
    Sandbox(Bank),
    Django(DjangoBank),
}

impl Peer {
    /// oidc-provider.
    pub(crate) fn sandbox_bank() -> Self {
        let folder = private_folder();
        Self {
            kind: Kind::Sandbox(Bank::start(folder.path(), "sandbox-bank", "Sandbox Bank")),
            _folder: folder,
            customer: "ada",
            holder: "Ada Quist",
            accounts: &["••••4821", "••••9034", "••••1176"],
            refused: EndingView::Declined,
            access_ends_alone: true,
        }
    }

    /// django-oauth-toolkit as it comes: OAuth 2.0 and no more.
    pub(crate) fn django_bank() -> Self {
        Self::django(&[])
    }

    /// django-oauth-toolkit as an OpenID provider.
    pub(crate) fn django_openid() -> Self {
        Self::django(&["--openid"])
    }

    fn django(options: &[&str]) -> Self {
        let folder = private_folder();
        Self {
            kind: Kind::Django(DjangoBank::start_with(folder.path(), options)),
            _folder: folder,
            customer: "edda",
            holder: "Edda Marrow",
            accounts: &["••••2207", "••••9415"],
            // It promises `iss` and leaves it out of errors, which are then not believed (RFC 9207 §2.4).
            refused: EndingView::UnexpectedServer,
            access_ends_alone: false,
        }
    }

    /// Its provider file.
    pub(crate) fn file(&self) -> String {
        match &self.kind {
            Kind::Sandbox(bank) => bank.provider_file(),
            Kind::Django(bank) => bank.provider_file(),
        }
    }

    /// Its id in the catalogue.
    pub(crate) fn id(&self) -> &str {
        match &self.kind {
            Kind::Sandbox(bank) => bank.id(),
            Kind::Django(_) => "django-bank",
        }
    }

    /// The app, which knows this bank by its file.
    pub(crate) async fn app(&self) -> TestApp {
        TestApp::start_with_files(private_folder(), SharedKeychain::empty(), vec![self.file()]).await
    }

    /// A customer with a browser of their own.
    pub(crate) fn person(&self) -> Person {
        Person::new(self.customer)
    }

    /// How many consents of the customer stand, by the bank's own books.
    pub(crate) async fn consents(&self) -> usize {
        match &self.kind {
            Kind::Sandbox(bank) => {
                let page = Url::parse(&format!("{}/connected-apps", bank.issuer)).unwrap();
                self.person().read(&page).await.matches("data-consent=").count()
            }
            Kind::Django(bank) => {
                let live = bank.live_tokens();
                assert_eq!(live["access"], live["refresh"], "the two live and end together here");
                usize::try_from(live["refresh"]).unwrap()
            }
        }
    }

    /// The customer withdraws one consent, on the bank's own page for that.
    pub(crate) async fn withdraw(&self) {
        let mut person = self.person();
        let help = Client::by_file(&self.file()).provider.help.expect("where consents are withdrawn");
        let page = help.url();
        match &self.kind {
            Kind::Sandbox(_) => person.press(page, &["Withdraw access"]).await,
            Kind::Django(_) => {
                let list = person.read(page).await;
                let (_, rest) = list.split_once("(<a href=\"").expect("a token in the list");
                let (to, _) = rest.split_once('"').expect("a link");
                person.press(&page.join(to).unwrap(), &["Delete"]).await;
            }
        }
    }

    /// How often a path of its API was asked for, where the bank notes that.
    pub(crate) fn calls(&self, path: &str) -> Option<usize> {
        match &self.kind {
            Kind::Sandbox(_) => None,
            Kind::Django(bank) => Some(bank.noted_at(path).len()),
        }
    }

    /// Takes it down: connections are refused.
    pub(crate) fn down(&mut self) {
        match &mut self.kind {
            Kind::Sandbox(bank) => bank.down(),
            Kind::Django(bank) => bank.down(),
        }
    }

    /// Starts it again.
    pub(crate) fn up(&mut self) {
        match &mut self.kind {
            Kind::Sandbox(bank) => bank.up(),
            Kind::Django(bank) => bank.up(),
        }
    }
}

/// Makes each of these bodies a test against each of them.
macro_rules! against_each {
    ($($body:ident)*) => {
        mod sandbox_bank {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $body() { super::$body(crate::peer::Peer::sandbox_bank()).await; })*
        }
        mod django_bank {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $body() { super::$body(crate::peer::Peer::django_bank()).await; })*
        }
        mod django_openid {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $body() { super::$body(crate::peer::Peer::django_openid()).await; })*
        }
    };
}
pub(crate) use against_each;
