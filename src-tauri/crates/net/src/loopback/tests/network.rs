//! The listener in networks made for the test: addresses missing, a name that lies, somebody on the same wire
//! (R8252-03, R8252-04, R8252-05; attacks 6 and 8).
//!
//! A test whose name begins with `here_` runs twice: once as it stands, in this computer's own network, and once in
//! a child process in a network namespace, where [`EXPECT`] tells it what to expect.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, ListenError, Listening as _, Loopback as _};
use domain::provider::LoopbackPort;
use tokio::time::{Instant, timeout};

use super::super::{SystemLoopback, page};
use super::client::{Noise, PATH, SECOND, address, assert_genuine_passes, attempt, genuine, open, try_send};
use super::lifecycle::assert_refused_within_a_second;
use super::socket::{listening, listening_in};

/// What a `here_` test finds in the namespace it was put in.
const EXPECT: &str = "COUNTERSIGN_TEST_EXPECT";
/// The process in the namespace at the other end of the wire.
const NEIGHBOUR: &str = "COUNTERSIGN_TEST_NEIGHBOUR";

/// Set in a child alone; the same test as part of the whole suite finds nothing.
#[expect(clippy::disallowed_methods, reason = "a test tells its own child what to expect")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs one test of this program in a network of its own, after some preparations by the shell.
///
/// Whoever may make networks gets the test; root without the right, and CI, get a failure that says what is missing.
fn in_a_network(prepare: &str, test: &str, expect: &str) {
    let probe = Command::new("unshare").args(["-rnm", "ip", "link", "set", "lo", "up"]).output();
    if !probe.as_ref().is_ok_and(|probe| probe.status.success()) {
        let why = format!("no network can be made here (unshare of util-linux, ip of iproute2): {probe:?}");
        assert!(!rustix::process::geteuid().is_root() && told("CI").is_none(), "{why}");
        let _ = writeln!(std::io::stderr(), "not run: {why}");
        return;
    }
    let script = format!("set -e\nip link set lo up\n{prepare}\n\"$0\" --exact \"$1\" --nocapture");
    let test = format!("loopback::tests::network::{test}");
    let child = Command::new("unshare")
        .args(["-rnm", "bash", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .arg(&test)
        .env(EXPECT, expect)
        .output()
        .unwrap();
    let Output { status, stdout, stderr } = &child;
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    assert!(status.success() && stdout.contains("1 passed"), "{test}, {expect}: {stdout}\n{stderr}");
}

const NO_V4: &str = "ip addr del 127.0.0.1/8 dev lo";
const NO_V6: &str = "echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6";

#[test]
fn the_loopback_address_that_can_be_bound_is_used() {
    let test = "here_a_flow_completes_at_the_address_that_is_there";
    in_a_network("", test, "127.0.0.1");
    in_a_network(NO_V6, test, "127.0.0.1");
    in_a_network(NO_V4, test, "[::1]");
    in_a_network(&format!("{NO_V4}\n{NO_V6}"), test, "none");
}

/// R8252-03: a name that leads elsewhere is not asked.
#[test]
fn a_hosts_file_that_sends_localhost_elsewhere_changes_nothing() {
    let lie = "folder=$(mktemp -d)\n\
        printf '10.0.0.9 localhost\\n10.0.0.9 ip6-localhost\\n' > \"$folder/hosts\"\n\
        mount --bind \"$folder/hosts\" /etc/hosts\n\
        rm -r \"$folder\"\n\
        getent hosts localhost | grep -q 10.0.0.9";
    in_a_network(lie, "here_a_flow_completes_at_the_address_that_is_there", "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn here_a_flow_completes_at_the_address_that_is_there() {
    let expected = told(EXPECT).unwrap_or_else(|| "127.0.0.1".to_owned());
    let listener = SystemLoopback.listen(PATH, LoopbackPort::Any).await;
    if expected == "none" {
        assert_eq!(
            listener.err(),
            Some(ListenError::PortTaken),
            "a clear error, and nothing to open a browser for"
        );
        assert_eq!(
            SystemLoopback.listen(PATH, LoopbackPort::Fixed(8765)).await.err(),
            Some(ListenError::PortTaken)
        );
        return;
    }
    let listener = listener.unwrap();
    let uri = listener.redirect_uri().clone();
    assert_eq!(uri.as_str(), format!("http://{expected}:{}{PATH}", uri.port().unwrap()));
    let address = address(&listener);
    if told(EXPECT).is_some() {
        let at: Vec<SocketAddr> = listening().into_iter().map(|(at, _)| at).collect();
        assert_eq!(at, [address], "in a network of its own this socket is the only one that listens");
    }
    let mut queries = attempt(listener, CallbackPage::Done);
    assert_genuine_passes(address, &mut queries).await;
    // A port that a bank fixed follows the same addresses.
    let probe = TcpListener::bind(SocketAddr::new(address.ip(), 0)).unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let fixed = SystemLoopback.listen(PATH, LoopbackPort::Fixed(port)).await.unwrap();
    assert_eq!(fixed.redirect_uri().as_str(), format!("http://{expected}:{port}{PATH}"));
}

/// A second namespace with a cable to the first: 10.77.0.1 and fd77::1 here, .2 and ::2 there.
const WIRE: &str = "unshare -n sleep 120 & neighbour=$!\n\
    while [ \"$(readlink /proc/$neighbour/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ]; do sleep 0.01; done\n\
    there() { nsenter -t $neighbour -n \"$@\"; }\n\
    ip link add near type veth peer name far netns $neighbour\n\
    ip addr add 10.77.0.1/24 dev near\n\
    ip addr add fd77::1/64 dev near nodad\n\
    ip link set near up\n\
    there ip link set lo up\n\
    there ip addr add 10.77.0.2/24 dev far\n\
    there ip addr add fd77::2/64 dev far nodad\n\
    there ip link set far up\n\
    there ip route add default via 10.77.0.1\n\
    echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet\n\
    there sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet'\n\
    export COUNTERSIGN_TEST_NEIGHBOUR=$neighbour\n\
    trap 'kill $neighbour' EXIT";

#[test]
fn nobody_on_the_same_wire_reaches_the_listener() {
    in_a_network(WIRE, "here_other_computers_are_refused", "127.0.0.1");
    in_a_network(&format!("{WIRE}\n{NO_V4}"), "here_other_computers_are_refused", "[::1]");
}

/// Whether the neighbour gets a connection.
fn neighbour_reaches(neighbour: &str, ip: &str, port: u16) -> bool {
    let connect = format!("exec 3<>/dev/tcp/{ip}/{port}");
    let child = Command::new("nsenter")
        .args(["-t", neighbour, "-n", "timeout", "2", "bash", "-c", &connect])
        .output()
        .unwrap();
    child.status.success()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn here_other_computers_are_refused() {
    let listener = open().await;
    let address = address(&listener);
    assert!(address.ip().is_loopback());
    let (Some(neighbour), Some(expected)) = (told(NEIGHBOUR), told(EXPECT)) else { return };
    assert_eq!(address.to_string(), format!("{expected}:{}", address.port()));
    let mut queries = attempt(listener, CallbackPage::Done);
    // The control: a program that listens on all addresses is reached, so the wire works.
    let careless = TcpListener::bind("[::]:0").unwrap();
    let open_port = careless.local_addr().unwrap().port();
    for ip in ["10.77.0.1", "fd77::1"] {
        assert!(neighbour_reaches(&neighbour, ip, open_port), "the wire to {ip} works");
        assert!(!neighbour_reaches(&neighbour, ip, address.port()), "{ip} is not listened at");
    }
    // Nor by a loopback address, with the kernel told to route those over the wire.
    assert!(!neighbour_reaches(&neighbour, "127.0.0.1", address.port()));
    assert!(!neighbour_reaches(&neighbour, "::1", address.port()));
    assert_genuine_passes(address, &mut queries).await;
    assert!(queries.try_recv().is_err());
}

/// Attack 8, R8252-07: in a network of its own, where every listening socket is one of ours.
#[test]
fn no_listener_outlives_its_attempt() {
    in_a_network("", "here_two_hundred_attempts_end_in_every_way_and_leave_no_port_open", "127.0.0.1");
}

/// Whether anybody listens: anywhere where the network is ours alone, at the address where it is not.
fn listens(address: SocketAddr) -> bool {
    let mut sockets = listening_in(&["tcp"]);
    sockets.retain(|(at, _)| told(EXPECT).is_some() || *at == address);
    !sockets.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn here_two_hundred_attempts_end_in_every_way_and_leave_no_port_open() {
    let mut noise = Noise::new();
    let mut ways = [0; 5];
    for round in 0..200 {
        let mut listener = open().await;
        let address = address(&listener);
        assert!(round % 20 > 0 || listens(address), "round {round}: open while the attempt runs");
        for _ in 0..noise.below(4) {
            let stray = ["wrong=1", "code=x"][noise.below(2)];
            let request = genuine(address, stray);
            tokio::spawn(async move { try_send(address, &request.as_bytes()[..request.len() / 2]).await });
        }
        let way = noise.below(5);
        ways[way] += 1;
        match way {
            // Cancelled before anything came; cancelled while somebody waits; out of time.
            0 => drop(listener),
            1 => {
                let wait = tokio::spawn(async move { drop(listener.next().await) });
                tokio::time::sleep(Duration::from_millis(u64::try_from(noise.below(5)).unwrap())).await;
                wait.abort();
            }
            2 => {
                let _ = timeout(Duration::from_millis(5), listener.next()).await;
                drop(listener);
            }
            // Answered, with success or an error.
            _ => {
                let page = [CallbackPage::Done, CallbackPage::NotConnected][way - 3];
                let request = genuine(address, "code=good");
                let client = tokio::spawn(async move { try_send(address, request.as_bytes()).await });
                listener.next().await.unwrap().answer(page).await;
                drop(listener);
                assert_eq!(client.await.unwrap().unwrap(), page::answer(page), "round {round}");
            }
        }
        assert_refused_within_a_second(address).await;
        let begin = Instant::now();
        while listens(address) {
            assert!(begin.elapsed() < SECOND, "round {round}: still open after way {way}");
        }
    }
    assert!(ways.iter().all(|count| *count > 10), "{ways:?}");
}

/// Attack 4, R8252-06, as the kernel sees it: one socket, bound once to port 0, listening, with no option set on it.
#[test]
fn a_listener_binds_once_and_never_lets_its_port_go() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let child = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=bind,listen,setsockopt", "-o"])
        .arg(trace.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "loopback::tests::network::here_one_listener_opens_and_closes"])
        .output()
        .expect("strace is installed");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let calls = std::fs::read_to_string(trace.path()).unwrap();
    let calls: Vec<&str> =
        calls.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim()).collect();
    let [bind, listen] = calls[..] else { panic!("{calls:#?}") };
    let socket = bind.strip_prefix("bind(").and_then(|rest| rest.split(',').next()).unwrap();
    assert!(bind.contains("sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}"), "{bind}");
    assert!(bind.ends_with("= 0") && listen.ends_with("= 0"), "{calls:?}");
    assert!(listen.starts_with(&format!("listen({socket}, ")), "{calls:?}");
}

#[tokio::test]
async fn here_one_listener_opens_and_closes() {
    let listener = open().await;
    let address = address(&listener);
    assert!(address.ip().is_loopback() && address.port() > 0);
    drop(listener);
    assert_refused_within_a_second(address).await;
}
