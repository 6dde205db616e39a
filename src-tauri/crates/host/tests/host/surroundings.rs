//! What whoever starts the host may hand it: variables, folders, limits, closed streams. It runs as it should, or says why
//! not and leaves nothing half done (attack 117).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::plain_user::as_plain_user;

const BUILT: &str = env!("CARGO_BIN_EXE_countersignd");

/// Variables that make some programs load code, log keys, trust roots, use a proxy, or say more.
const HOSTILE: [(&str, &str); 34] = [
    ("ALL_PROXY", "socks5://127.0.0.1:9"),
    ("BROWSER", "MARKS/fake %s"),
    ("CURL_CA_BUNDLE", "MARKS/roots.pem"),
    ("DBUS_SESSION_BUS_ADDRESS", "nonsense"),
    ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus"),
    ("GCONV_PATH", "MARKS"),
    ("GIO_EXTRA_MODULES", "MARKS"),
    ("GTK_MODULES", "MARKS/module.so"),
    ("GTK_PATH", "MARKS"),
    ("G_MESSAGES_DEBUG", "all"),
    ("HOME", ""),
    ("HOME", "/nonexistent/home"),
    ("HOME", "a relative\nhome"),
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("LC_ALL", "xx_YY.nonsense"),
    ("LD_AUDIT", "MARKS/audit.so"),
    ("LD_LIBRARY_PATH", "MARKS"),
    ("LD_PRELOAD", "MARKS/preload.so"),
    ("MALLOC_CONF", "prof:true"),
    ("OPENSSL_CONF", "MARKS/openssl.cnf"),
    ("PATH", "MARKS"),
    ("PATH", ""),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LOG", "trace"),
    ("SQLITE_TMPDIR", "MARKS"),
    ("SSLKEYLOGFILE", "MARKS/keys.log"),
    ("SSL_CERT_DIR", "MARKS"),
    ("SSL_CERT_FILE", "MARKS/roots.pem"),
    ("TMPDIR", "/nonexistent/temp"),
    ("TZ", "MARKS/zone"),
    ("WEBKIT_INSPECTOR_SERVER", "127.0.0.1:9"),
    ("XDG_DATA_HOME", "relative"),
    ("https_proxy", "http://127.0.0.1:9"),
];

/// A place with a data folder, a runtime folder, and one in which nothing may ever be written.
struct Place(TempDir);

/// What came of a start.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Ready,
    /// It said this, and ended or has a window in mind that says it too.
    Refused(String),
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["run", "marks", "work"] {
            fs::create_dir(place.path(name)).unwrap();
            fs::set_permissions(place.path(name), PermissionsExt::from_mode(0o700)).unwrap();
        }
        let fake = "#!/bin/sh\necho run > \"$(dirname \"$0\")/was-run\"\n";
        for name in ["fake", "xdg-open", "gio", "sh"] {
            fs::write(place.path("marks").join(name), fake).unwrap();
            fs::set_permissions(place.path("marks").join(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A host with sound surroundings, started by `sh` after these words.
    fn host(&self, before: &str) -> Command {
        let beside = std::env::current_exe().unwrap().with_file_name("countersignd");
        let program = if beside.exists() { beside } else { BUILT.into() };
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("{before}\nexec \"$0\"")).arg(program);
        command
            .env_clear()
            .env("COUNTERSIGN_HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .current_dir(self.path("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("said")).unwrap());
        command
    }

    /// Starts it and tells it to end once it is ready. `home` is where its data are.
    fn came_of(&self, mut command: Command, home: &Path) -> Came {
        let _ = fs::remove_file(home.join("endpoint.json"));
        let mut host = command.spawn().unwrap();
        for _ in 0..2000 {
            if let Some(status) = host.try_wait().unwrap() {
                assert!(!status.success(), "it ends and says that all is well: {}", self.said());
                // The system ends whoever writes more than it may.
                let for_size = status.signal() == Some(Signal::XFSZ.as_raw());
                assert!(status.code().is_some() || for_size, "{status}: {}", self.said());
                return Came::Refused(self.said());
            }
            if home.join("endpoint.json").exists() {
                let status = end(&mut host);
                // Right at the beginning it does not listen for that yet, and ends where it stands.
                assert!(status.success() || status.signal() == Some(Signal::TERM.as_raw()), "{status}");
                return Came::Ready;
            }
            if self.said().contains("ERROR host") {
                end(&mut host);
                return Came::Refused(self.said());
            }
            thread::sleep(Duration::from_millis(10));
        }
        host.kill().unwrap();
        panic!("neither ready nor refused: {}", self.said());
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap()
    }

    /// After whatever was before, a host with sound surroundings starts, and nobody wrote where nobody may.
    fn is_whole(&self, what: &str) {
        assert_eq!(self.came_of(self.host(""), &self.path("home")), Came::Ready, "{what}");
        let mut marks: Vec<_> =
            fs::read_dir(self.path("marks")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        marks.sort();
        assert_eq!(marks, ["fake", "gio", "sh", "xdg-open"], "{what}");
        assert_eq!(fs::read_dir(self.path("work")).unwrap().count(), 0, "{what}");
        let open = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
        for entry in fs::read_dir(self.path("home")).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(open(&path), 0, "{what}: others get at {}", path.display());
        }
        assert_eq!(open(&self.path("home")), 0, "{what}");
    }
}

/// Tells it to end, and waits until it has.
fn end(host: &mut Child) -> ExitStatus {
    kill_process(Pid::from_child(host), Signal::TERM).unwrap();
    for _ in 0..1000 {
        if let Some(status) = host.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(10));
    }
    host.kill().unwrap();
    panic!("it does not end when it is told to");
}

#[test]
fn no_variable_makes_the_host_do_anything_else() {
    as_plain_user("surroundings::no_variable_makes_the_host_do_anything_else", &[BUILT.as_ref()], || {
        for (name, value) in HOSTILE {
            let place = Place::new();
            let value = value.replace("MARKS", place.path("marks").to_str().unwrap());
            let mut command = place.host("");
            command.env(name, &value);
            assert_eq!(place.came_of(command, &place.path("home")), Came::Ready, "{name}={value}");
            place.is_whole(&format!("{name}={value}"));
        }
    });
}

#[test]
fn a_folder_that_will_not_do_is_refused_with_the_reason_or_made_do_without() {
    let name = "surroundings::a_folder_that_will_not_do_is_refused_with_the_reason_or_made_do_without";
    as_plain_user(name, &[BUILT.as_ref()], || {
        let long = "l".repeat(90);
        let odd = |place: &Place, name: &[u8]| place.0.path().join(OsString::from_vec(name.to_vec()));
        let (mut refused, mut ready) = (0, 0);
        for (variable, kind) in ["COUNTERSIGN_HOME", "XDG_RUNTIME_DIR"]
            .into_iter()
            .flat_map(|variable| (0..9).map(move |kind| (variable, kind)))
        {
            let place = Place::new();
            let odd_place = match kind {
                0 => odd(&place, b"with a\nnew line"),
                1 => odd(&place, b"not \xff utf-8"),
                2 => place.path(&long).join(&long),
                3 => {
                    fs::write(place.path("a file"), "").unwrap();
                    place.path("a file")
                }
                4 => {
                    fs::create_dir(place.path("closed")).unwrap();
                    fs::set_permissions(place.path("closed"), PermissionsExt::from_mode(0o500)).unwrap();
                    place.path("closed").join("within")
                }
                5 => {
                    fs::create_dir(place.path("loose")).unwrap();
                    fs::set_permissions(place.path("loose"), PermissionsExt::from_mode(0o777)).unwrap();
                    place.path("loose")
                }
                6 => {
                    symlink("/nonexistent/place", place.path("a link")).unwrap();
                    place.path("a link")
                }
                7 => "/proc/self/nothing".into(),
                _ => "/dev/null".into(),
            };
            let mut command = place.host("");
            command.env(variable, &odd_place);
            let home = if variable == "COUNTERSIGN_HOME" { odd_place.clone() } else { place.path("home") };
            match place.came_of(command, &home) {
                Came::Ready => ready += 1,
                Came::Refused(said) => {
                    refused += 1;
                    assert!(said.contains("host") && said.lines().count() < 20, "{kind}: {said:?}");
                    assert!(!said.contains("panicked"), "{variable} {kind}: {said}");
                }
            }
            place.is_whole(&format!("{variable}, {kind}"));
        }
        assert!(refused >= 9 && ready >= 2, "{refused} refused, {ready} ready");
    });
}

#[test]
fn limits_masks_and_closed_streams_leave_nothing_half_done() {
    let name = "surroundings::limits_masks_and_closed_streams_leave_nothing_half_done";
    as_plain_user(name, &[BUILT.as_ref()], || {
        for (before, must_run) in [
            ("umask 000", true),
            ("umask 777", false),
            ("exec 2>&-", true),
            ("exec 0>&- 1>&- 2>&-", true),
            ("trap '' PIPE TERM HUP", false),
            ("ulimit -c unlimited", true),
            ("ulimit -l 0", true),
            ("ulimit -n 8", false),
            ("ulimit -n 16", false),
            ("ulimit -n 24", false),
            ("ulimit -n 64", true),
            ("ulimit -f 0", false),
            ("ulimit -f 16", false),
            ("ulimit -f 64", false),
            ("ulimit -f 256", false),
            ("cd /", true),
        ] {
            let place = Place::new();
            if before.contains("TERM") {
                // It ends when told to all the same: a handler of its own is set.
                assert_eq!(place.came_of(place.host(before), &place.path("home")), Came::Ready, "{before}");
            } else {
                let came = place.came_of(place.host(before), &place.path("home"));
                assert!(!must_run || came == Came::Ready, "{before}: {came:?}");
            }
            place.is_whole(before);
        }
    });
}

#[test]
fn a_host_that_is_held_or_told_to_end_at_any_moment_of_its_start_leaves_nothing_half_done() {
    let name = "surroundings::a_host_that_is_held_or_told_to_end_at_any_moment_of_its_start_leaves_nothing_half_done";
    as_plain_user(name, &[BUILT.as_ref()], || {
        for moment in 0..24_u64 {
            let place = Place::new();
            let mut host = place.host("").spawn().unwrap();
            thread::sleep(Duration::from_millis(moment * 6));
            let pid = Pid::from_child(&host);
            if moment % 2 == 0 {
                kill_process(pid, Signal::STOP).unwrap();
                thread::sleep(Duration::from_millis(50));
                kill_process(pid, Signal::CONT).unwrap();
            }
            kill_process(pid, Signal::TERM).unwrap();
            host.wait().unwrap();
            place.is_whole(&format!("after {moment} moments"));
        }
    });
}
