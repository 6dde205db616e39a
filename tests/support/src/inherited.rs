//! Variables with which whoever starts a program could open it to a debugger, load code into it, send its traffic
//! elsewhere or make its libraries talk. Values that would show, were they heeded.

use std::collections::BTreeMap;

/// By name; a port stands for `{port}`, a folder of the test for `{dir}`.
pub const HOSTILE: &[(&str, &str)] = &[
    // Debuggers of the webview and of GTK.
    ("WEBKIT_INSPECTOR_SERVER", "127.0.0.1:{port}"),
    ("WEBKIT_INSPECTOR_HTTP_SERVER", "127.0.0.1:{port}"),
    ("WEBKIT_INSPECTOR_RESOURCES_PATH", "{dir}"),
    ("TAURI_WEBVIEW_AUTOMATION", "true"),
    ("WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS", "--remote-debugging-port={port}"),
    ("QTWEBENGINE_REMOTE_DEBUGGING", "{port}"),
    ("GTK_DEBUG", "interactive"),
    ("GDK_DEBUG", "events"),
    ("G_DEBUG", "fatal-warnings"),
    ("JSC_dumpOptions", "2"),
    ("JSC_useDollarVM", "1"),
    ("GST_DEBUG", "9"),
    ("GST_DEBUG_FILE", "{dir}/gst.log"),
    // Code of others.
    ("GTK_MODULES", "{dir}/evil.so"),
    ("GTK3_MODULES", "{dir}/evil.so"),
    ("GTK_PATH", "{dir}"),
    ("GTK_EXE_PREFIX", "{dir}"),
    ("GTK_DATA_PREFIX", "{dir}"),
    ("GTK_IM_MODULE_FILE", "{dir}/immodules.cache"),
    ("GDK_PIXBUF_MODULE_FILE", "{dir}/loaders.cache"),
    ("GDK_PIXBUF_MODULEDIR", "{dir}"),
    ("GIO_EXTRA_MODULES", "{dir}"),
    ("GIO_MODULE_DIR", "{dir}"),
    ("GIO_USE_VFS", "evil"),
    ("GSETTINGS_BACKEND", "evil"),
    ("GSETTINGS_SCHEMA_DIR", "{dir}"),
    ("GST_PLUGIN_PATH", "{dir}"),
    ("GST_PLUGIN_SYSTEM_PATH_1_0", "{dir}"),
    ("LIBGL_DRIVERS_PATH", "{dir}"),
    ("LIBVA_DRIVERS_PATH", "{dir}"),
    ("VK_ICD_FILENAMES", "{dir}/icd.json"),
    ("WEBKIT_EXEC_PATH", "{dir}"),
    ("WEBKIT_INJECTED_BUNDLE_PATH", "{dir}"),
    ("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1"),
    ("WEBKIT_FORCE_SANDBOX", "0"),
    ("LD_PRELOAD", "{dir}/evil.so"),
    ("LD_AUDIT", "{dir}/evil.so"),
    ("LD_LIBRARY_PATH", "{dir}"),
    ("LD_DEBUG", "unused"),
    ("GCONV_PATH", "{dir}"),
    ("LOCPATH", "{dir}"),
    ("NLSPATH", "{dir}"),
    ("PYTHONPATH", "{dir}"),
    ("PYTHONSTARTUP", "{dir}/evil.py"),
    ("PERL5LIB", "{dir}"),
    ("NODE_OPTIONS", "--inspect=127.0.0.1:{port}"),
    ("BASH_ENV", "{dir}/evil.sh"),
    ("ENV", "{dir}/evil.sh"),
    ("BROWSER", "{dir}/evil"),
    ("XDG_CONFIG_DIRS", "{dir}"),
    // Trust and traffic.
    ("SSLKEYLOGFILE", "{dir}/keys.log"),
    ("SSL_CERT_FILE", "{dir}/evil.pem"),
    ("SSL_CERT_DIR", "{dir}"),
    ("HTTP_PROXY", "http://127.0.0.1:{port}"),
    ("HTTPS_PROXY", "http://127.0.0.1:{port}"),
    ("ALL_PROXY", "socks5://127.0.0.1:{port}"),
    ("http_proxy", "http://127.0.0.1:{port}"),
    ("https_proxy", "http://127.0.0.1:{port}"),
    ("all_proxy", "socks5://127.0.0.1:{port}"),
    ("NO_PROXY", "evil.example"),
    ("RES_OPTIONS", "debug"),
    ("HOSTALIASES", "{dir}/hosts"),
    ("LOCALDOMAIN", "evil.example"),
    // Talk.
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "full"),
    ("G_MESSAGES_DEBUG", "all"),
    ("WEBKIT_DEBUG", "all"),
    ("SOUP_DEBUG", "all"),
    ("DBUS_VERBOSE", "1"),
    ("MALLOC_TRACE", "{dir}/malloc.log"),
    // Ours in later programs, or what somebody may take for ours.
    ("COUNTERSIGN_TOKEN", "x"),
    ("COUNTERSIGN_PASSPHRASE", "x"),
    ("COUNTERSIGN_WEBVIEW_DATA", "{dir}/webview"),
    ("TAURI_CONFIG", "{\"app\":{\"withGlobalTauri\":true}}"),
    ("CARGO_MANIFEST_DIR", "{dir}"),
];

/// With values for one test. What the linker would act on before `main` is left out: it concerns the program that was
/// started, and nothing that the program does.
#[must_use]
pub fn hostile(dir: &str, port: u16) -> BTreeMap<String, String> {
    let fill = |value: &str| value.replace("{dir}", dir).replace("{port}", &port.to_string());
    HOSTILE.iter().map(|(name, value)| ((*name).to_owned(), fill(value))).collect()
}
