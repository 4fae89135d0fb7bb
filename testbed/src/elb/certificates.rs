//! Certificates of a listener: one by default, others by the client's server name.

use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::Elb;
use super::input::{Input, validation};
use super::paging::page;
use super::tls;
use crate::acm::Acm;
use crate::wire::ApiError;
use crate::world::World;

/// ARNs in `Certificates`.
pub(super) fn read(input: Input<'_>) -> Vec<String> {
    input
        .list("Certificates")
        .unwrap_or_default()
        .iter()
        .filter_map(|certificate| certificate.owned("CertificateArn"))
        .collect()
}

/// HTTPS needs exactly one default certificate, HTTP accepts none. Returns the TLS acceptor for `all` certificates, the
/// default first; `given` are the certificates of the request.
pub(super) fn check(
    acm: &Acm,
    protocol: &str,
    given: &[String],
    all: &[String],
) -> Result<Option<TlsAcceptor>, ApiError> {
    if given.len() > 1 {
        return Err(ApiError::new("TooManyCertificates", "You can specify only one default certificate"));
    }
    match (protocol, all.is_empty(), given.is_empty()) {
        ("HTTPS", true, _) => Err(validation("A certificate must be specified for HTTPS listeners")),
        ("HTTPS", false, _) => tls::acceptor(acm, all),
        ("HTTP", _, false) => Err(validation("A certificate cannot be specified for HTTP listeners")),
        _ => Ok(None),
    }
}

/// DescribeListenerCertificates.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let listener = elb.listener(input.required("ListenerArn")?)?;
    let of = |(at, arn): (usize, &String)| json!({"CertificateArn": arn, "IsDefault": at == 0});
    page(elb, input, "Certificates", listener.certificates.iter().enumerate().map(of).collect())
}

/// AddListenerCertificates: existing certificates stay.
pub(super) fn add(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let given = read(input);
    let mut all = known(world, input)?;
    all.extend(given.iter().filter(|arn| !all.contains(arn)).cloned().collect::<Vec<_>>());
    replace(world, input, all)?;
    Ok(json!({"Certificates": given.iter().map(|arn| json!({"CertificateArn": arn})).collect::<Vec<_>>()}))
}

/// RemoveListenerCertificates: the default can't be removed.
pub(super) fn remove(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let given = read(input);
    let all = known(world, input)?;
    if all.first().is_some_and(|default| given.contains(default)) {
        return Err(ApiError::new("OperationNotPermitted", "Default certificates cannot be removed"));
    }
    replace(world, input, all.into_iter().filter(|arn| !given.contains(arn)).collect())?;
    Ok(json!({}))
}

/// The certificates of the listener in a request.
fn known(world: &World, input: Input<'_>) -> Result<Vec<String>, ApiError> {
    let listener = world.elb.listener(input.required("ListenerArn")?)?;
    if listener.protocol != "HTTPS" {
        return Err(validation("A certificate cannot be specified for HTTP listeners"));
    }
    Ok(listener.certificates.clone())
}

/// Sets a listener's certificates.
fn replace(world: &mut World, input: Input<'_>, all: Vec<String>) -> Result<(), ApiError> {
    let acceptor = tls::acceptor(&world.acm, &all)?;
    let listener = world.elb.listener_mut(input.required("ListenerArn")?)?;
    listener.published.set_tls(acceptor);
    listener.certificates = all;
    Ok(())
}
