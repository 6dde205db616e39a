//! The program, run against the host of a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use broker::Hub;
use contract::channel::EndpointFile;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use ipc::listen::Listener;
use support::fakes::TestApp;
use support::process::programs;
use tempfile::TempDir;

const INSTALL: &str = "0707070707070707.countersign.localhost";

/// What it printed, and what it ended with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program with this data folder, without a terminal.
pub(crate) fn run(home: &Path, line: &str) -> Ran {
    run_words(home, &line.split_whitespace().collect::<Vec<_>>())
}

/// The same with words that hold blanks.
pub(crate) fn run_words(home: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(programs().join("countersign"));
    command.args(words).env_clear().env("COUNTERSIGN_HOME", home).stdin(Stdio::null());
    ran(&command.output().expect("countersign"))
}

pub(crate) fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    Ran { exit: output.status.code().expect("an end"), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A host of the public socket over a test's app.
pub(crate) struct Door {
    folder: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl Door {
    pub(crate) fn open(app: &TestApp) -> Self {
        let folder = support::fakes::private_folder();
        let socket = folder.path().join("countersign/0707070707070707/broker.sock");
        let listener = Listener::bind(&socket).expect("a socket");
        let endpoint = EndpointFile {
            socket: socket.to_str().expect("text").to_owned(),
            issuer: format!("http://{INSTALL}"),
        };
        let text = serde_json::to_vec(&endpoint).expect("JSON");
        std::fs::write(folder.path().join("endpoint.json"), text).expect("a file");
        let (hub, mut heard) = Hub::new();
        // Whoever asks for the window is heard and left alone.
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
        let routes = broker::public::routes(app.app.clone(), hub, INSTALL.into());
        let serving = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let service = TowerToHyperService::new(routes.clone());
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { folder, serving }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs the program; the host goes on meanwhile.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        self.run_words(words).await
    }

    pub(crate) async fn run_words(&self, words: Vec<String>) -> Ran {
        let home = self.home();
        let running = tokio::task::spawn_blocking(move || {
            run_words(&home, &words.iter().map(String::as_str).collect::<Vec<_>>())
        });
        running.await.expect("a run")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
