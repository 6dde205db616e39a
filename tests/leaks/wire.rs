//! What went over the wire between the host, the browser and the bank: plain HTTP on the loopback interface.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_recv_buffer_size_force, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, recv, socket};

/// Every packet's frame type, in the byte order of the wire.
const ALL: u32 = 0x0003_u16.to_be() as u32;

/// One direction of one connection: pieces by their sequence number.
type Flow = BTreeMap<u32, Vec<u8>>;
type Flows = BTreeMap<(u16, u16), Flow>;

/// Records what is sent on this computer until it is asked what it heard.
pub(crate) struct Wire {
    flows: Arc<Mutex<Flows>>,
    done: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Wire {
    /// Starts to record.
    pub(crate) fn tap() -> Self {
        let protocol = NonZeroU32::new(ALL).map(Protocol::from_raw);
        let tap = socket(AddressFamily::PACKET, SocketType::DGRAM, protocol)
            .expect("reading the wire is root's right");
        set_socket_recv_buffer_size_force(&tap, 64 << 20).expect("a large buffer");
        set_socket_timeout(&tap, Timeout::Recv, Some(Duration::from_millis(100))).expect("a time limit");
        let (flows, done) = (Arc::new(Mutex::new(Flows::new())), Arc::new(AtomicBool::new(false)));
        let listening = std::thread::spawn({
            let (flows, done) = (Arc::clone(&flows), Arc::clone(&done));
            move || listen(&tap, &flows, &done)
        });
        Self { flows, done, listening: Some(listening) }
    }

    /// What clients sent to this port and what it answered, of all connections so far.
    pub(crate) fn heard(&self, port: u16) -> (Vec<String>, Vec<String>) {
        // What was sent a moment ago is on its way here.
        std::thread::sleep(Duration::from_millis(300));
        let flows = self.flows.lock().expect("the flows");
        let text = |flow: &Flow| {
            String::from_utf8_lossy(&flow.values().flatten().copied().collect::<Vec<u8>>()).into_owned()
        };
        let those = |which: &dyn Fn(&(u16, u16)) -> bool| {
            flows.iter().filter(|(ports, _)| which(ports)).map(|(_, flow)| text(flow)).collect()
        };
        (those(&|ports| ports.1 == port), those(&|ports| ports.0 == port))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        drop(self.listening.take().map(JoinHandle::join));
    }
}

fn listen(tap: &OwnedFd, flows: &Mutex<Flows>, done: &AtomicBool) {
    let mut packet = vec![0; 128 << 10];
    while !done.load(Ordering::Relaxed) {
        let Ok((length, _)) = recv(tap, packet.as_mut_slice(), RecvFlags::empty()) else { continue };
        if let Some((ports, sequence, payload)) = tcp(&packet[..length.min(128 << 10)]) {
            flows.lock().expect("the flows").entry(ports).or_default().insert(sequence, payload.to_vec());
        }
    }
}

/// Ports, sequence number and content of a TCP segment in an IPv4 packet.
fn tcp(packet: &[u8]) -> Option<((u16, u16), u32, &[u8])> {
    const TCP: u8 = 6;
    let ip = usize::from(packet.first()? & 0x0f) * 4;
    if packet.first()? >> 4 != 4 || *packet.get(9)? != TCP {
        return None;
    }
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    // A segment that is larger than the length can say is whole all the same.
    let segment = packet.get(ip..if total == 0 { packet.len() } else { total.min(packet.len()) })?;
    let number = |at: usize| Some(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?]));
    let sequence = u32::from(number(4)?) << 16 | u32::from(number(6)?);
    let payload = segment.get(usize::from(segment.get(12)? >> 4) * 4..)?;
    (!payload.is_empty()).then_some(((number(0)?, number(2)?), sequence, payload))
}

/// The values of a form's or query's member in texts.
pub(crate) fn form_values(texts: &[String], member: &str) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for text in texts {
        for begin in ["&", "?", "\r\n\r\n"] {
            for after in text.split(&format!("{begin}{member}=")).skip(1) {
                let end = after.find(|c: char| c == '&' || c.is_whitespace()).unwrap_or(after.len());
                let pair = format!("v={}", &after[..end]);
                let value =
                    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
                values.extend(value);
            }
        }
    }
    values
}

/// The values of a JSON text member in texts.
pub(crate) fn json_values(texts: &[String], member: &str) -> BTreeSet<String> {
    let values = texts.iter().flat_map(|text| {
        text.split(&format!("\"{member}\":\""))
            .skip(1)
            .filter_map(|after| Some(after.split_once('"')?.0.to_owned()))
            .collect::<Vec<_>>()
    });
    values.collect()
}
