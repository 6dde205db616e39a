//! What a hostile environment can make of the host: nothing that is not on its list.

use super::*;

/// Runs one test again in a process with this environment and no other; gives what it prints.
pub(crate) fn again(test: &str, environment: &[(&str, String)]) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", test]).env_clear().env("TEST_CHILD", "1");
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What the test was told by the one that runs it.
pub(crate) fn told(name: &str) -> Option<OsString> {
    variable(name)
}

/// Names that make a program load code, trust roots, use a proxy, write keys down, open a debugger, start another
/// program, or find its own files elsewhere.
const HOSTILE: [&str; 75] = [
    "ALL_PROXY",
    "BASH_ENV",
    "BROWSER",
    "CURL_CA_BUNDLE",
    "DYLD_INSERT_LIBRARIES",
    "ENV",
    "FONTCONFIG_FILE",
    "FTP_PROXY",
    "GCONV_PATH",
    "GDK_DEBUG",
    "GDK_PIXBUF_MODULE_FILE",
    "GDK_PIXBUF_MODULEDIR",
    "GIO_EXTRA_MODULES",
    "GIO_LAUNCH_DESKTOP",
    "GIO_MODULE_DIR",
    "GIO_USE_VFS",
    "GI_TYPELIB_PATH",
    "GLIBC_TUNABLES",
    "GSETTINGS_BACKEND",
    "GSETTINGS_SCHEMA_DIR",
    "GST_PLUGIN_PATH",
    "GST_PLUGIN_SYSTEM_PATH",
    "GTK3_MODULES",
    "GTK_DEBUG",
    "GTK_EXE_PREFIX",
    "GTK_IM_MODULE_FILE",
    "GTK_MODULES",
    "GTK_PATH",
    "GTK_PREFIX",
    "G_DEBUG",
    "G_MESSAGES_DEBUG",
    "HOSTALIASES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JSC_dumpOptions",
    "LD_AUDIT",
    "LD_DEBUG",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_TRACE",
    "NIX_SSL_CERT_FILE",
    "NLSPATH",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NO_PROXY",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "PERL5LIB",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "QT_PLUGIN_PATH",
    "REQUESTS_CA_BUNDLE",
    "RES_OPTIONS",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SHELLOPTS",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "VK_ICD_FILENAMES",
    "WEBKIT_DEBUG",
    "WEBKIT_EXEC_PATH",
    "WEBKIT_INJECTED_BUNDLE_PATH",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
    "XDG_CONFIG_DIRS",
    "XLOCALEDIR",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// The switches of demo and tests, and what lets a debugger attach.
const SWITCHES: [&str; 6] = [
    "COUNTERSIGN_CA",
    "COUNTERSIGN_CATALOGUE",
    "COUNTERSIGN_CLOCK",
    "COUNTERSIGN_OPENER",
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_INSPECTOR_SERVER",
];

#[test]
fn what_is_not_on_the_list_reaches_no_child() {
    const NAME: &str = "environment::tests::what_is_not_on_the_list_reaches_no_child";
    if told("TEST_CHILD").is_some() {
        let environment = Environment::read();
        let mut names: Vec<_> =
            environment.session().iter().map(|(name, _)| name.to_string_lossy()).collect();
        names.sort();
        let all = environment.session().iter().cloned().chain(environment.own_switches());
        let marked = all.filter(|(_, value)| value.to_string_lossy().contains("hostile"));
        let switches = environment.own_switches();
        println!("session: {}", names.join(" "));
        println!(
            "marked: {}",
            marked.map(|(name, _)| name.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        );
        println!(
            "switches: {}",
            switches.iter().map(|(name, _)| name.to_string_lossy()).collect::<Vec<_>>().join(" ")
        );
        println!("loopback: {}", environment.addresses() == AddressRule::DangerLoopback);
        let sandbox = environment.sandbox();
        let read = [
            sandbox.catalogue.is_some(),
            sandbox.opener.is_some(),
            sandbox.extra_ca.is_some(),
            sandbox.clock.is_some(),
        ];
        println!("read: {read:?} {}", sandbox.handed_on.len());
        return;
    }
    assert!(HOSTILE.iter().all(|name| !SESSION.contains(name)));
    let mut environment: Vec<_> = HOSTILE.iter().map(|name| (*name, "/hostile/x".to_owned())).collect();
    environment.extend(SWITCHES.iter().map(|name| (*name, "/switch".to_owned())));
    environment.extend(SESSION.iter().map(|name| (*name, "/session".to_owned())));
    environment.push(("COUNTERSIGN_HOME", "/home/x".into()));
    environment.push(("COUNTERSIGN_LOG", "info".into()));
    // Names that differ in case or by a tail are others.
    environment.push(("Display", "/hostile/x".into()));
    environment.push(("PATH_", "/hostile/x".into()));
    let said = again(NAME, &environment);
    let line = |key: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap_or_else(|| panic!("{key} {said}"))
            .trim()
            .to_owned()
    };
    assert_eq!(line("session:"), SESSION.join(" "));
    assert_eq!(line("marked:"), "");
    let (switches, read) = if crate::SANDBOX {
        (
            "COUNTERSIGN_HOME COUNTERSIGN_LOG COUNTERSIGN_CATALOGUE COUNTERSIGN_OPENER COUNTERSIGN_CA COUNTERSIGN_CLOCK \
          TAURI_WEBVIEW_AUTOMATION WEBKIT_INSPECTOR_SERVER",
            "[true, true, true, true] 6",
        )
    } else {
        ("COUNTERSIGN_HOME COUNTERSIGN_LOG", "[false, false, false, false] 0")
    };
    assert_eq!(line("switches:"), switches);
    assert_eq!(line("read:"), read);
    assert_eq!(line("loopback:"), crate::SANDBOX.to_string());
}

#[test]
fn folders_are_absolute_whatever_they_were_said_to_be() {
    const NAME: &str = "environment::tests::folders_are_absolute_whatever_they_were_said_to_be";
    if told("TEST_CHILD").is_some() {
        let environment = Environment::read();
        println!("data: {}", environment.data_folder().display());
        println!("run: {}", environment.runtime_folder().display());
        println!("shown: {:?}", environment.shown_home().is_some());
        return;
    }
    let here = std::env::current_dir().unwrap().join("here").display().to_string();
    for (environment, data, run, shown) in [
        (vec![("HOME", "/h")], "/h/.local/share/countersign", "/h/.local/share/countersign/run", false),
        (
            vec![("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_RUNTIME_DIR", "/r")],
            "/d/countersign",
            "/r",
            false,
        ),
        (
            vec![("HOME", "/h"), ("XDG_DATA_HOME", "d"), ("XDG_RUNTIME_DIR", "r")],
            "/h/.local/share/countersign",
            "/h/.local/share/countersign/run",
            false,
        ),
        (vec![("HOME", "/h"), ("COUNTERSIGN_HOME", "/c")], "/c", "/c/run", true),
        (
            vec![("HOME", "/h"), ("COUNTERSIGN_HOME", "")],
            "/h/.local/share/countersign",
            "/h/.local/share/countersign/run",
            false,
        ),
        (
            vec![("HOME", "/h"), ("COUNTERSIGN_HOME", "here"), ("XDG_RUNTIME_DIR", "/r")],
            here.as_str(),
            "/r",
            true,
        ),
    ] {
        let environment: Vec<_> =
            environment.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let said = again(NAME, &environment);
        let expected = format!("data: {data}\nrun: {run}\nshown: {shown}\n");
        assert!(said.contains(&expected), "{environment:?}: {said}");
    }
}
