//! What a webview keeps goes with it: after a session nothing of what a page could store is on the disk, in our folders
//! or in those that the platform has for caches.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use support::driver::{PATIENCE, Page};
use support::process::{signal, wait_until};
use support::scan::{Needles, each_file};
use support::session::Session;
use support::world::World;

/// Stores a mark in every place that a page has, and says where it could.
const STORE: &str = r"
    const [mark, done] = [arguments[0], arguments[arguments.length - 1]];
    const kept = [];
    const put = async (name, how) => { try { await how(); kept.push(name); } catch {} };
    (async () => {
        await put('localStorage', () => localStorage.setItem('mark', mark));
        await put('sessionStorage', () => sessionStorage.setItem('mark', mark));
        await put('cookie', () => { document.cookie = `mark=${mark}; max-age=9999`; if (!document.cookie.includes(mark)) throw 0; });
        await put('indexedDB', () => new Promise((resolve, reject) => {
            const opening = indexedDB.open('mark', 1);
            opening.onupgradeneeded = () => opening.result.createObjectStore('marks');
            opening.onerror = reject;
            opening.onsuccess = () => {
                const writing = opening.result.transaction('marks', 'readwrite');
                writing.objectStore('marks').put(mark, 'mark');
                writing.oncomplete = resolve; writing.onerror = reject;
            };
        }));
        await put('caches', async () => (await caches.open('mark')).put('/mark', new Response(mark)));
        await put('history', () => history.replaceState({ mark }, '', `#${mark}`));
        await put('a file system', async () => {
            const file = await (await navigator.storage.getDirectory()).getFileHandle(mark, { create: true });
            const writer = await file.createWritable(); await writer.write(mark); await writer.close();
        });
        await put('a field', () => {
            const field = document.createElement('input');
            Object.assign(field, { name: 'mark', autocomplete: 'on', value: mark }); document.body.append(field);
        });
        done(kept.sort());
    })();";

/// The files of a session in which a mark stands, in their content or their name.
fn files_with(folder: &Path, mark: &str) -> BTreeSet<String> {
    let needles = Needles::of([("mark", mark)]);
    let mut files = BTreeSet::new();
    each_file(folder, &mut |path, bytes| {
        let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        if !needles.found_in(bytes).is_empty() || !needles.found_in(name.as_bytes()).is_empty() {
            files.insert(name);
        }
    });
    files
}

async fn store(window: &Page, mark: &str) -> Vec<String> {
    let kept = window.client.execute_async(STORE, vec![json!(mark)]).await.expect("the script runs");
    kept.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A window in which a mark is stored, and on the disk: the control of what follows.
async fn marked(world: &World, mark: &str) {
    let window = world.window().await;
    let kept = store(&window, mark).await;
    for place in ["localStorage", "sessionStorage", "indexedDB"] {
        assert!(kept.iter().any(|name| name == place), "a page can store something here: {kept:?}");
    }
    wait_until("the mark on the disk", PATIENCE, || !files_with(world.session.dir(), mark).is_empty());
    let found = files_with(world.session.dir(), mark);
    assert!(
        found.iter().all(|file| file.starts_with("data/webview/")),
        "elsewhere than in the webview's folder: {found:?}"
    );
}

/// What of a webview there is in the folders that the platform has for programs' own files.
fn elsewhere(session: &Session) -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["home", "run"] {
        each_file(&session.dir().join(folder), &mut |path, _| {
            let name = path.strip_prefix(session.dir()).unwrap_or(path).display().to_string();
            let lower = name.to_lowercase();
            let of_webkit = [
                "webkit",
                "favicon",
                "indexeddb",
                "localstorage",
                "cookies",
                "hsts",
                "countersign-desktop",
                "serviceworker",
            ];
            if of_webkit.iter().any(|word| lower.contains(word)) {
                files.push(name);
            }
        });
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_page_stored_outlives_its_window() {
    let mut world = World::with(Session::start(), &[], |_| {});
    let webview = world.session.data().join("webview");

    // Closed by the person.
    let mark = format!("mark-of-{}-closed", std::process::id());
    marked(&world, &mark).await;
    world.session.close_window("Countersign");
    wait_until("the window's end", PATIENCE, || {
        world.host().window().is_none() && world.host().tray().is_none()
    });
    wait_until("the end of what it stored", PATIENCE, || files_with(world.session.dir(), &mark).is_empty());
    assert_eq!(elsewhere(&world.session), Vec::<String>::new());

    // Killed.
    assert_eq!(support::host::Host::start_second(&world.session), Some(0));
    wait_until("a window", PATIENCE, || world.host().window().is_some());
    let mark = format!("mark-of-{}-killed", std::process::id());
    marked(&world, &mark).await;
    let old = world.host().window().unwrap();
    signal(old, "KILL");
    wait_until("a fresh window", PATIENCE, || world.host().window().is_some_and(|pid| pid != old));
    assert_eq!(files_with(world.session.dir(), &mark), BTreeSet::new());

    // Killed with its host: the next start finds what was left, and wipes it before it makes a window.
    let mark = format!("mark-of-{}-orphaned", std::process::id());
    marked(&world, &mark).await;
    let window = world.host().window().unwrap();
    world.kill_host();
    signal(window, "KILL");
    wait_until("its end", PATIENCE, || std::fs::read_link(format!("/proc/{window}/exe")).is_err());
    assert!(!files_with(world.session.dir(), &mark).is_empty(), "nobody was there to wipe it");
    world.start_host();
    assert_eq!(files_with(world.session.dir(), &mark), BTreeSet::new());

    // Ended in an orderly way.
    let mark = format!("mark-of-{}-ended", std::process::id());
    marked(&world, &mark).await;
    world.stop_host();
    assert!(!webview.exists());
    assert_eq!(files_with(world.session.dir(), &mark), BTreeSet::new());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(elsewhere(&world.session), Vec::<String>::new(), "no process of a webview wrote later");
}
