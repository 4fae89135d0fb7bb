//! AWS Certificate Manager: certificates for listeners, issued at once by the account's own authority.

use crate::wire::ApiError;
use crate::world::World;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The account's certificates.
#[derive(Default)]
pub struct Acm {
    /// Created with the first certificate.
    authority: Option<Authority>,
    /// In the order of their requests.
    certificates: Vec<Certificate>,
}

/// The authority that clients have to trust.
struct Authority {
    /// The signer.
    issuer: Issuer<'static, KeyPair>,
    /// The authority's certificate.
    pem: String,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// The ARN.
    pub(crate) arn: String,
    /// The certificate's names, such as `shop.example` and `*.shop.example`.
    pub(crate) names: Vec<String>,
    /// The certificate and key for a listener.
    pub(crate) key: Arc<CertifiedKey>,
    /// Only the certificate.
    pem: String,
}

impl Certificate {
    /// True if the certificate covers this name. A `*` matches only the first label (RFC 9525).
    pub(crate) fn is_for(&self, name: &str) -> bool {
        let rest = name.split_once('.').map(|(_, rest)| rest);
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name) || matches(own.strip_prefix("*."), rest))
    }
}

/// True if both parts of names exist and are equal.
fn matches(own: Option<&str>, given: Option<&str>) -> bool {
    own.zip(given).is_some_and(|(own, given)| own.eq_ignore_ascii_case(given))
}

impl Acm {
    /// A certificate by ARN.
    pub(crate) fn find(&self, arn: &str) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| certificate.arn == arn)
    }

    /// The authority's own certificate as PEM; none before the first certificate.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_ref().map(|authority| authority.pem.as_str())
    }
}

/// Answers one call of the API (`acm`, 2015-12-08): RequestCertificate and GetCertificate.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "RequestCertificate" => request(world, input),
        "GetCertificate" => get(&world.acm, input),
        other => Err(ApiError::new("UnknownOperationException", format!("no operation is known as {other}"))),
    }
}

/// RequestCertificate. Validation takes no time here.
fn request(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let invalid = || ApiError::new("ValidationException", "DomainName is missing");
    let name = input["DomainName"].as_str().ok_or_else(invalid)?;
    let more = input["SubjectAlternativeNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut names = vec![name.to_owned()];
    names.extend(more.filter(|other| *other != name).map(str::to_owned));
    let id = world.new_uuid();
    let arn = world.arn("acm", &format!("certificate/{id}"));
    let made = issue(&mut world.acm, arn.clone(), names);
    let certificate = made.map_err(|why| ApiError::new("InvalidDomainValidationOptionsException", why))?;
    world.acm.certificates.push(certificate);
    Ok(json!({ "CertificateArn": arn }))
}

/// GetCertificate: with the authority as the chain.
fn get(acm: &Acm, input: &Value) -> Result<Value, ApiError> {
    let arn = input["CertificateArn"].as_str().unwrap_or_default();
    let missing = || ApiError::new("ResourceNotFoundException", format!("Could not find certificate {arn}."));
    let certificate = acm.find(arn).ok_or_else(missing)?;
    Ok(json!({ "Certificate": certificate.pem, "CertificateChain": acm.authority() }))
}

/// Makes a certificate for these names.
fn issue(acm: &mut Acm, arn: String, names: Vec<String>) -> Result<Certificate, String> {
    let authority = match &mut acm.authority {
        Some(known) => known,
        none => none.insert(authority().map_err(|why| why.to_string())?),
    };
    let mut params = CertificateParams::new(names.clone()).map_err(|why| why.to_string())?;
    params.distinguished_name.push(DnType::CommonName, names[0].as_str());
    let own = KeyPair::generate().map_err(|why| why.to_string())?;
    let certificate = params.signed_by(&own, &authority.issuer).map_err(|why| why.to_string())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let key = any_supported_type(&key).map_err(|why| why.to_string())?;
    let key = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
    Ok(Certificate { arn, names, key, pem: certificate.pem() })
}

/// Makes the authority.
fn authority() -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "The testbed's authority");
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok(Authority { issuer: Issuer::new(params, key), pem })
}

#[cfg(test)]
mod tests {
    use super::{Acm, issue};

    #[test]
    fn a_star_stands_for_one_label() {
        let names = vec!["shop.example".to_owned(), "*.shop.example".to_owned()];
        let certificate = issue(&mut Acm::default(), "arn".to_owned(), names).unwrap();
        for name in ["shop.example", "Green.shop.example"] {
            assert!(certificate.is_for(name), "{name}");
        }
        for name in ["a.green.shop.example", "example", "other.example"] {
            assert!(!certificate.is_for(name), "{name}");
        }
    }
}
