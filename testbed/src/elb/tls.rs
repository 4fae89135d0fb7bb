//! TLS of an HTTPS listener: the choice of a certificate for a client.

use super::input::validation;
use crate::acm::{Acm, Certificate};
use crate::wire::ApiError;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The certificates of a listener, the default first.
#[derive(Debug)]
struct Shown(Vec<Certificate>);

impl ResolvesServerCert for Shown {
    /// The certificate for the client's server name, or else the default (ALB: "SNI certificates").
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name();
        let own = asked.and_then(|name| self.0.iter().find(|certificate| certificate.is_for(name)));
        own.or_else(|| self.0.first()).map(|certificate| Arc::clone(&certificate.key))
    }
}

/// The TLS acceptor of a listener; none without certificates.
pub(super) fn acceptor(acm: &Acm, arns: &[String]) -> Result<Option<TlsAcceptor>, ApiError> {
    let missing =
        |arn: &String| ApiError::new("CertificateNotFound", format!("Certificate '{arn}' not found"));
    let found = arns.iter().map(|arn| acm.find(arn).cloned().ok_or_else(|| missing(arn)));
    let found: Vec<Certificate> = found.collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Ok(None);
    }
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| validation(error.to_string()))?;
    let config = config.with_no_client_auth().with_cert_resolver(Arc::new(Shown(found)));
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
