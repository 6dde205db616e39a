//! Drivers: the real window by WebKitWebDriver, the real browser by ChromeDriver; both speak W3C WebDriver.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Map, Value, json};

use crate::bank::Bank;
use crate::process::{Running, free_port, wait_until};
use crate::session::Session;

/// How long a thing may take to appear on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A driven page, in the window or in the browser.
pub struct Page {
    /// The WebDriver client.
    pub client: Client,
    _driver: Running,
    _profile: Option<tempfile::TempDir>,
}

impl Page {
    /// Attaches to the window that runs already.
    pub async fn of_window(session: &Session, inspector: u16) -> Self {
        let port = free_port();
        let driver = Running::start(
            Command::new("WebKitWebDriver")
                .arg(format!("--port={port}"))
                .arg(format!("--target=127.0.0.1:{inspector}"))
                .envs(session.environment())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        listens(port);
        let client = connect(port, Map::new()).await;
        Self { client, _driver: driver, _profile: None }
    }

    /// Starts the window's engine in a plain browser of its own, in which nothing of ours forbids anything.
    pub async fn of_engine(session: &Session) -> Self {
        let port = free_port();
        let driver = Running::start(
            Command::new("WebKitWebDriver")
                .arg(format!("--port={port}"))
                .envs(session.environment())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        listens(port);
        let mut capabilities = Map::new();
        let options = json!({ "binary": engine(), "args": ["--automation"] });
        capabilities.insert("webkitgtk:browserOptions".into(), options);
        let client = connect(port, capabilities).await;
        Self { client, _driver: driver, _profile: None }
    }

    /// Starts a browser with an empty profile.
    pub async fn of_browser(session: &Session) -> Self {
        Self::of_browser_with(session, &[]).await
    }

    /// Starts a browser that reaches these banks alone: their answers are not delivered, and stay as the page's address.
    pub async fn of_browser_that_holds(session: &Session, banks: &[Bank]) -> Self {
        let authorities: Vec<&str> =
            banks.iter().filter_map(|bank| bank.issuer.strip_prefix("http://")).collect();
        let nowhere = format!("--proxy-server=127.0.0.1:{}", free_port());
        Self::of_browser_with(
            session,
            &[nowhere, format!("--proxy-bypass-list=<-loopback>;{}", authorities.join(";"))],
        )
        .await
    }

    async fn of_browser_with(session: &Session, switches: &[String]) -> Self {
        let port = free_port();
        let driver = Running::start(
            Command::new("chromedriver")
                .arg(format!("--port={port}"))
                .envs(session.environment())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        listens(port);
        let profile = tempfile::tempdir().expect("a profile");
        let mut args: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=900,1000",
        ]
        .map(str::to_owned)
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        args.extend_from_slice(switches);
        let mut capabilities = Map::new();
        capabilities.insert("browserName".into(), json!("chrome"));
        capabilities
            .insert("goog:chromeOptions".into(), json!({ "args": args, "binary": "/usr/bin/chromium" }));
        let client = connect(port, capabilities).await;
        Self { client, _driver: driver, _profile: Some(profile) }
    }

    /// In the browser: the bank's answer that was kept.
    pub async fn held_callback(&self) -> String {
        let start = Instant::now();
        loop {
            let url = self.client.current_url().await.expect("an address");
            if url.path().starts_with("/callback/") {
                return url.into();
            }
            assert!(start.elapsed() < PATIENCE, "no answer of the bank: {url}\n{}", self.body().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The element with this `data-testid`, once it is there.
    pub async fn find(&self, testid: &str) -> Element {
        self.find_css(&format!("[data-testid=\"{testid}\"]")).await
    }

    /// The element of this selector, once it is there and shown.
    pub async fn find_css(&self, css: &str) -> Element {
        let start = Instant::now();
        loop {
            // A driver whose window ends in the middle of a command never answers it.
            let look = async {
                let element = self.client.find(Locator::Css(css)).await.ok()?;
                element.is_displayed().await.unwrap_or(false).then_some(element)
            };
            match tokio::time::timeout(PATIENCE, look).await {
                Ok(Some(element)) => return element,
                Ok(None) => {}
                Err(_) => panic!("the driver did not answer while {css} was looked for"),
            }
            if start.elapsed() > PATIENCE {
                let body = self.body().await;
                panic!("waited {PATIENCE:?} for {css}; the page says:\n{body}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether it is there now.
    pub async fn has(&self, testid: &str) -> bool {
        let css = format!("[data-testid=\"{testid}\"]");
        self.client.find(Locator::Css(&css)).await.is_ok()
    }

    /// Waits until it is gone.
    pub async fn gone(&self, testid: &str) {
        let start = Instant::now();
        while self.has(testid).await {
            assert!(start.elapsed() < PATIENCE, "{testid} is still there:\n{}", self.body().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks it, once it is there.
    pub async fn click(&self, testid: &str) {
        self.click_css(&format!("[data-testid=\"{testid}\"]")).await;
    }

    /// Clicks it if it is there at this moment, and has not gone when it is clicked.
    pub async fn click_if_there(&self, testid: &str) {
        let css = format!("[data-testid=\"{testid}\"]");
        if let Ok(found) = self.client.find(Locator::Css(&css)).await {
            let _ = found.click().await;
        }
    }

    /// Clicks the element of this selector; one that moves under the pointer is tried again.
    pub async fn click_css(&self, css: &str) {
        let start = Instant::now();
        loop {
            let clicking = self.find_css(css).await;
            let clicked = tokio::time::timeout(PATIENCE, clicking.click()).await;
            let clicked = clicked.unwrap_or_else(|_| panic!("the driver did not answer a click on {css}"));
            match clicked {
                Ok(()) => return,
                Err(err) if start.elapsed() > PATIENCE => {
                    panic!("{css} could not be clicked: {err}\n{}", self.body().await)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Types into it.
    pub async fn type_css(&self, css: &str, text: &str) {
        self.find_css(css).await.send_keys(text).await.expect("text can be typed");
    }

    /// Its text.
    pub async fn text(&self, testid: &str) -> String {
        self.find(testid).await.text().await.expect("text")
    }

    /// Waits until its text holds something.
    pub async fn says(&self, testid: &str, words: &str) {
        let start = Instant::now();
        loop {
            let text = self.text(testid).await;
            if text.contains(words) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{testid} says {text:?} and not {words:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All text on the page.
    pub async fn body(&self) -> String {
        self.run("return document.body ? document.body.innerText : ''")
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Runs a script and gives what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let ran = tokio::time::timeout(PATIENCE, self.client.execute(script, vec![])).await;
        let ran = ran.unwrap_or_else(|_| panic!("a script did not end in {PATIENCE:?}"));
        ran.unwrap_or_else(|err| json!(format!("script failed: {err}")))
    }

    /// The `data-testid` values that begin like this, in order.
    pub async fn testids(&self, prefix: &str) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll('[data-testid^=\"{prefix}\"]')].map(e => e.dataset.testid)"
        );
        let found = self.run(&script).await;
        found.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    /// Saves a picture of the page if `COUNTERSIGN_SCREENSHOTS` names a folder.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("COUNTERSIGN_SCREENSHOTS") else { return };
        let folder = crate::process::root().join(folder);
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let png = self.client.screenshot().await.expect("a picture");
        std::fs::write(folder.join(Path::new(name).with_extension("png")), png).expect("a picture on disk");
    }
}

/// The browser that comes with WebKitGTK.
fn engine() -> std::path::PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("libraries").flatten();
    let mut browsers = folders.map(|folder| folder.path().join("webkit2gtk-4.1/MiniBrowser"));
    browsers.find(|browser| browser.exists()).expect("WebKitGTK's MiniBrowser")
}

fn listens(port: u16) {
    wait_until("the driver", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
}

async fn connect(port: u16, capabilities: Map<String, Value>) -> Client {
    let start = Instant::now();
    loop {
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let url = format!("http://127.0.0.1:{port}");
        let connecting = builder.capabilities(capabilities.clone()).connect(&url);
        // A driver whose target does not listen never answers.
        match tokio::time::timeout(PATIENCE, connecting).await {
            Ok(Ok(client)) => return client,
            Ok(Err(err)) if start.elapsed() > PATIENCE => panic!("no WebDriver session: {err}"),
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(_) => panic!("no WebDriver session in {PATIENCE:?}"),
        }
    }
}
