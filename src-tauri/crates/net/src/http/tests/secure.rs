//! Servers that speak TLS, with certificates made for the test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A certificate authority of a test's own.
pub(super) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    /// What stands between its root and its leaves.
    above: Vec<CertificateDer<'static>>,
}

impl Authority {
    pub(super) fn new(change: impl Fn(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Countersign test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        Self { params, key: KeyPair::generate().unwrap(), above: Vec::new() }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.params.self_signed(&self.key).unwrap().pem().into_bytes()
    }

    /// An authority below this one.
    pub(super) fn below(&self, change: impl Fn(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("Countersign test authority, {} below", self.above.len() + 1);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        let above = [vec![certificate.der().clone()], self.above.clone()].concat();
        Self { params, key, above }
    }

    pub(super) fn leaf(&self, change: impl Fn(&mut CertificateParams)) -> Identity {
        self.leaf_with(KeyPair::generate().unwrap(), change)
    }

    pub(super) fn leaf_with(&self, key: KeyPair, change: impl Fn(&mut CertificateParams)) -> Identity {
        let mut params = leaf_params();
        change(&mut params);
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Identity { chain: [vec![certificate.der().clone()], self.above.clone()].concat(), key }
    }
}

/// What a server shows.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: KeyPair,
}

/// The name under which tests reach a server, and its address.
pub(super) const NAME: &str = "as-a.bank.test";

pub(super) fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names(NAME);
    params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    params
}

pub(super) fn names(name: &str) -> Vec<SanType> {
    vec![SanType::DnsName(name.try_into().unwrap())]
}

/// Serves each TLS connection with a script, and counts the handshakes that were finished.
pub(super) async fn serve<F, R>(
    identity: Identity,
    alpn: &[&str],
    script: F,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(TlsStream<TcpStream>) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(key).unwrap();
    // Not looked at on this side: a hostile server shows what it likes.
    let shown = SingleCertAndKey::from(CertifiedKey::new(identity.chain, key));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, shaken, script) =
        (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)), Arc::new(script));
    let counter = Arc::clone(&shaken);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, script, counter) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&counter));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    counter.fetch_add(1, Ordering::SeqCst);
                    script(stream).await;
                }
            });
        }
    });
    (address, shaken)
}

/// Reads what comes, says yes, and closes.
pub(super) async fn say_ok(mut stream: TlsStream<TcpStream>) {
    let mut bytes = [0; 4096];
    let _ = stream.read(&mut bytes).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let _ = stream.shutdown().await;
}
