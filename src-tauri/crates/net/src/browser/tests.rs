//! Stub launchers: what they are told, what they see, and how their behaviour is read.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use tempfile::TempDir;
use tokio::time::Instant;

use super::*;

/// Starting a program while another test still writes one gives "text file busy".
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Writes argument count and arguments, then the environment, each ended by NUL.
const RECORD: &str = "{ printf '%s\\0' \"$#\" \"$@\"; } >> \"$OUT/argv\"; /usr/bin/env -0 > \"$OUT/env\"; echo x >> \"$OUT/runs\"";

struct Stub {
    folder: TempDir,
}

impl Stub {
    fn new(name: &str, script: &str) -> Self {
        let stub = Self { folder: tempfile::tempdir().unwrap() };
        let path = stub.folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        stub
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self) -> OpenerSettings {
        OpenerSettings {
            program: None,
            environment: vec![
                ("OUT".into(), self.path().into()),
                ("DISPLAY".into(), ":7".into()),
                ("PATH".into(), "/nowhere".into()),
            ],
            path_dirs: vec!["relative".into(), "/nowhere".into(), self.path().into()],
            addresses: AddressRule::Public,
        }
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join(name)).ok()
    }
}

async fn open_with(settings: OpenerSettings, url: &str) -> Result<(), OpenError> {
    SystemOpener::new(settings).open(&Url::parse(url).unwrap()).await
}

/// Runs one opener at a time.
fn run<T>(work: impl Future<Output = T>) -> T {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// An address, and what the launcher is handed: nothing, if it may not be opened.
const ADDRESSES: &[(&str, Option<&str>)] = &[
    ("https://as-a.test/authorize?state=x", Some("https://as-a.test/authorize?state=x")),
    ("https://as-a.test", Some("https://as-a.test/")),
    ("https://as-a.test:8443/a", Some("https://as-a.test:8443/a")),
    ("https://93.184.216.34/a", Some("https://93.184.216.34/a")),
    ("https://[2606:2800::1]/a", Some("https://[2606:2800::1]/a")),
    ("https://xn--bcher-kva.example/", Some("https://xn--bcher-kva.example/")),
    ("https://b\u{fc}cher.example/", Some("https://xn--bcher-kva.example/")),
    ("https://b\u{430}nk.test/", Some("https://xn--bnk-6cd.test/")),
    (
        "https://as-a.test/a?x=$(calc)&calc.exe;%USERPROFILE%\"'",
        Some("https://as-a.test/a?x=$(calc)&calc.exe;%USERPROFILE%%22%27"),
    ),
    ("https://as-a.test/$(touch pwn)", Some("https://as-a.test/$(touch%20pwn)")),
    ("https://as-a.test/`touch pwn`", Some("https://as-a.test/%60touch%20pwn%60")),
    ("https://as-a.test/?`id`", Some("https://as-a.test/?`id`")),
    ("https://as-a.test/?a|b", Some("https://as-a.test/?a|b")),
    ("https://as-a.test/?a;b&&c||d>e<f", Some("https://as-a.test/?a;b&&c||d%3Ee%3Cf")),
    ("https://as-a.test/?$IFS${PATH}", Some("https://as-a.test/?$IFS${PATH}")),
    ("https://as-a.test/?%s%d%n", Some("https://as-a.test/?%s%d%n")),
    ("https://as-a.test/?!!", Some("https://as-a.test/?!!")),
    ("https://as-a.test/?*?[a]{b,c}~", Some("https://as-a.test/?*?[a]{b,c}~")),
    ("https://as-a.test/?a\\b", Some("https://as-a.test/?a\\b")),
    ("https://as-a.test/-rf", Some("https://as-a.test/-rf")),
    ("https://as-a.test/?--help", Some("https://as-a.test/?--help")),
    ("https://as-a.test/?x=%00%0a%0d", Some("https://as-a.test/?x=%00%0a%0d")),
    ("https://as-a.test/?\u{202e}", Some("https://as-a.test/?%E2%80%AE")),
    ("https://as-a.test/a b", Some("https://as-a.test/a%20b")),
    ("https://as-a.test/#fragment", Some("https://as-a.test/#fragment")),
    ("https://as-a.test/a/../b", Some("https://as-a.test/b")),
    ("HTTPS://AS-A.TEST/", Some("https://as-a.test/")),
    // Read by the address parser as the browser would read them; provider files are stricter.
    ("https:\\\\evil.test\\a", Some("https://evil.test/a")),
    ("https:evil.test", Some("https://evil.test/")),
    ("https://as-a.test/\ta\nb", Some("https://as-a.test/ab")),
    (" https://as-a.test/ ", Some("https://as-a.test/")),
    // A name before an at sign hides where the person goes.
    ("https://u:p@as-a.test/", None),
    ("https://u@as-a.test/", None),
    ("https://:p@as-a.test/", None),
    ("https://as-a.test%40evil.test@evil.test/", None),
    ("https://as-a.test:443@evil.test/", None),
    ("https://as-a.test\\@evil.test", Some("https://as-a.test/@evil.test")),
    // Not https.
    ("http://as-a.test/", None),
    ("HTTP://as-a.test/", None),
    ("http://127.0.0.1/", None),
    ("http://127.0.0.1.evil.test/", None),
    ("http://[::1]/", None),
    ("http://localhost/", None),
    ("javascript:1", None),
    ("javascript://as-a.test/%0aalert(1)", None),
    ("data:text/html,x", None),
    ("file:///c:/x.exe", None),
    ("file:///etc/passwd", None),
    ("file://as-a.test/share", None),
    ("vbscript:x", None),
    ("smb://h/s", None),
    ("search-ms:q", None),
    ("ms-msdt:x", None),
    ("ftp://h/", None),
    ("mailto:a@b", None),
    ("countersign://x", None),
    ("ws://as-a.test/", None),
    ("wss://as-a.test/", None),
    ("blob:https://as-a.test/1", None),
    ("view-source:https://as-a.test/", None),
    ("about:blank", None),
    ("chrome://settings", None),
    ("tel:1", None),
    ("ssh://-oProxyCommand=x/", None),
    ("httpsx://as-a.test/", None),
    ("x-https://as-a.test/", None),
    ("intent://as-a.test/#Intent;end", None),
    ("jar:https://as-a.test/!/", None),
    ("about:https://as-a.test/", None),
];

#[test]
fn an_address_is_one_argument_or_none() {
    let stub = Stub::new("xdg-open", RECORD);
    run(async {
        for (text, expected) in ADDRESSES {
            let _ = std::fs::remove_file(stub.path().join("argv"));
            let got = open_with(stub.settings(), text).await;
            match expected {
                Some(expected) => {
                    assert_eq!(got, Ok(()), "{text}");
                    assert_eq!(stub.read("argv"), Some(format!("1\0{expected}\0")), "{text}");
                    assert!(!expected.starts_with('-'));
                }
                None => {
                    assert_eq!(got, Err(OpenError::Unfit), "{text}");
                    assert_eq!(stub.read("argv"), None, "{text}");
                }
            }
        }
    });
    assert!(ADDRESSES.len() >= 60);
    let opened = ADDRESSES.iter().filter(|(_, expected)| expected.is_some()).count();
    assert_eq!(stub.read("runs").unwrap().lines().count(), opened, "one run for one address");
}

#[test]
fn what_cannot_be_an_address_never_becomes_one() {
    for text in [
        "",
        "-",
        "-https://as-a.test",
        "https://",
        "https:///",
        "https:// /",
        "https://as-a.test:99999/",
        "\0",
        "https://a\0b/",
        "https://a b/",
        "https://a%00b/",
        "https://a%2fb/",
        "https://exa^mple/",
        "//as-a.test/",
        "as-a.test",
    ] {
        if let Ok(url) = Url::parse(text) {
            assert!(!may_open(&url, AddressRule::Public), "{text:?}");
        }
    }
}

#[test]
fn long_addresses_are_refused_whole() {
    let stub = Stub::new("xdg-open", RECORD);
    let base = "https://as-a.test/?";
    run(async {
        let fits = format!("{base}{}", "x".repeat(MAX_URL - base.len()));
        assert_eq!(open_with(stub.settings(), &fits).await, Ok(()));
        assert_eq!(stub.read("argv"), Some(format!("1\0{fits}\0")));
        assert_eq!(open_with(stub.settings(), &format!("{fits}x")).await, Err(OpenError::Unfit));
    });
}

#[test]
fn loopback_addresses_are_for_the_sandbox() {
    for (text, expected) in [
        ("http://127.0.0.1:4000/authorize", true),
        ("http://[::1]:4000/authorize", true),
        ("https://127.0.0.1/", true),
        ("http://0x7f.1/", true),
        ("http://10.0.0.1/", false),
        ("http://[::ffff:127.0.0.1]/", false),
        ("http://localhost:4000/", false),
        ("http://127.0.0.1.evil.test/", false),
        ("http://user@127.0.0.1/", false),
        ("ftp://127.0.0.1/", false),
    ] {
        assert_eq!(may_open(&Url::parse(text).unwrap(), AddressRule::DangerLoopback), expected, "{text}");
    }
}

#[test]
fn the_launcher_sees_the_listed_environment_alone() {
    let stub = Stub::new("xdg-open", RECORD);
    run(async { open_with(stub.settings(), "https://as-a.test/").await.unwrap() });
    let environment = stub.read("env").unwrap();
    let mut names: Vec<&str> =
        environment.split_terminator('\0').map(|entry| entry.split_once('=').unwrap().0).collect();
    names.sort_unstable();
    // The shell of the stub adds PWD and the like; nothing else is there.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    assert_eq!(names, ["DISPLAY", "OUT", "PATH"]);
    assert!(environment.contains("DISPLAY=:7\0"));
}

#[test]
fn the_launcher_has_a_group_and_null_streams_of_its_own() {
    let script = "ps -o pgid= -p $$ > \"$OUT/group\"; echo $$ > \"$OUT/pid\"; pwd > \"$OUT/pwd\"; \
        for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done > \"$OUT/streams\"; ls -l /proc/$$/fd > \"$OUT/fds\"";
    let stub = Stub::new("xdg-open", script);
    let mut settings = stub.settings();
    settings.environment.retain(|(name, _)| name != "PATH");
    settings.environment.push(("PATH".into(), "/usr/bin:/bin".into()));
    // An open file of ours, as the store and the sockets would be.
    let _open = std::fs::File::open("/etc/hostname").unwrap();
    run(async { open_with(settings, "https://as-a.test/").await.unwrap() });
    assert_eq!(stub.read("group").unwrap().trim(), stub.read("pid").unwrap().trim());
    assert_eq!(stub.read("pwd").unwrap().trim(), "/");
    // The second stream is the redirection of the loop itself.
    let streams = stub.read("streams").unwrap();
    assert_eq!((streams.lines().next(), streams.lines().last()), (Some("/dev/null"), Some("/dev/null")));
    let files = stub.read("fds").unwrap();
    assert!(files.contains("/dev/null") && !files.contains("/etc/hostname"), "{files}");
}

#[test]
fn behaviour_has_a_name() {
    for (script, expected) in [
        ("exit 0", Ok(())),
        ("exit 1", Err(OpenError::Failed)),
        ("exit 3", Err(OpenError::Failed)),
        ("kill -9 $$", Err(OpenError::Failed)),
        ("kill -15 $$", Err(OpenError::Failed)),
    ] {
        let stub = Stub::new("xdg-open", script);
        assert_eq!(run(open_with(stub.settings(), "https://as-a.test/")), expected, "{script}");
    }
}

#[test]
fn a_launcher_that_stays_is_the_browser_and_is_reaped_when_it_ends() {
    let stub = Stub::new("xdg-open", "echo $$ > \"$OUT/pid\"; exec /bin/sleep 4");
    run(async {
        let begin = Instant::now();
        assert_eq!(open_with(stub.settings(), "https://as-a.test/").await, Ok(()));
        let waited = begin.elapsed();
        assert!(waited >= PATIENCE && waited < PATIENCE + Duration::from_millis(800), "{waited:?}");
        let process = format!("/proc/{}", stub.read("pid").unwrap().trim());
        assert!(Path::new(&process).exists(), "it was not ended");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!Path::new(&process).exists(), "it was waited for");
    });
}

#[test]
fn a_call_that_is_given_up_leaves_no_zombie() {
    let stub = Stub::new("xdg-open", "echo $$ > \"$OUT/pid\"; exec /bin/sleep 0.5");
    run(async {
        let opening = open_with(stub.settings(), "https://as-a.test/");
        assert!(tokio::time::timeout(Duration::from_millis(200), opening).await.is_err());
        let process = format!("/proc/{}", stub.read("pid").unwrap().trim());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!Path::new(&process).exists());
    });
}

#[test]
fn only_a_program_in_an_absolute_folder_is_used() {
    let (stub, named) = (Stub::new("xdg-open", RECORD), Stub::new("opener", RECORD));
    let with = |program: Option<PathBuf>, path_dirs: Vec<PathBuf>| OpenerSettings {
        program,
        path_dirs,
        ..stub.settings()
    };
    let empty = tempfile::tempdir().unwrap();
    std::fs::create_dir(empty.path().join("xdg-open")).unwrap();
    for (settings, expected) in [
        (with(None, vec![]), Err(OpenError::Absent)),
        (with(None, vec!["/nowhere".into(), "".into(), ".".into(), "..".into()]), Err(OpenError::Absent)),
        (with(None, vec![empty.path().into()]), Err(OpenError::Absent)),
        (with(None, vec![empty.path().into(), stub.path().into()]), Ok(())),
        (with(Some("opener".into()), vec![named.path().into()]), Err(OpenError::Absent)),
        (with(Some("/nowhere/opener".into()), vec![stub.path().into()]), Err(OpenError::Absent)),
        (with(Some(named.path().join("opener")), vec![]), Ok(())),
    ] {
        let said = format!("{settings:?}");
        assert_eq!(run(open_with(settings, "https://as-a.test/")), expected, "{said}");
    }
    let unstartable = Stub::new("xdg-open", "exit 0");
    std::fs::set_permissions(unstartable.path().join("xdg-open"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    assert_eq!(run(open_with(unstartable.settings(), "https://as-a.test/")), Err(OpenError::Failed));
    std::fs::write(unstartable.path().join("xdg-open"), "#!/nowhere/sh\n").unwrap();
    std::fs::set_permissions(unstartable.path().join("xdg-open"), std::fs::Permissions::from_mode(0o755))
        .unwrap();
    assert_eq!(run(open_with(unstartable.settings(), "https://as-a.test/")), Err(OpenError::Absent));
}
