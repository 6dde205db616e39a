//! TLS 1.2 and 1.3 with the roots in this program; the system's own roots, `SSL_CERT_FILE` and key logs play no part.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, NoKeyLog, RootCertStore, crypto::aws_lc_rs};

use super::SetupError;

/// The client's side of TLS.
pub(super) fn config(extra_roots_pem: Option<&[u8]>) -> Result<ClientConfig, SetupError> {
    let roots = roots(extra_roots_pem)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| SetupError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.key_log = Arc::new(NoKeyLog {});
    // Nothing of one request is left for the next; early data, which could be played back, needs a session too.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

fn roots(extra_pem: Option<&[u8]>) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if roots.is_empty() {
        return Err(SetupError::Client);
    }
    let Some(pem) = extra_pem else { return Ok(roots) };
    let bundled = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| SetupError::Roots)?).map_err(|_| SetupError::Roots)?;
    }
    if roots.len() == bundled { Err(SetupError::Roots) } else { Ok(roots) }
}
