//! Stub launchers: what they are told, what they see, and how their behaviour is read.

mod table;

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
    // The same folder, said from where this process stands: who can choose that could choose the program.
    let here = std::env::current_dir().unwrap();
    let from_here = |path: &Path| -> PathBuf {
        here.components().skip(1).map(|_| "..").collect::<PathBuf>().join(path.strip_prefix("/").unwrap())
    };
    assert!(from_here(stub.path()).join("xdg-open").is_file());
    std::fs::create_dir(empty.path().join("xdg-open")).unwrap();
    for (settings, expected) in [
        (with(None, vec![]), Err(OpenError::Absent)),
        (with(None, vec!["/nowhere".into(), "".into(), ".".into(), "..".into()]), Err(OpenError::Absent)),
        (with(None, vec![from_here(stub.path())]), Err(OpenError::Absent)),
        (with(Some(from_here(&named.path().join("opener"))), vec![]), Err(OpenError::Absent)),
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
