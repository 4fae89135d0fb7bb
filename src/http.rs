//! The HTTP client, and probes with that client.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HOST;
use rustls::{CertificateError, Error as TlsError};

/// Most bytes of a body that are read.
const BODY_LIMIT: usize = 64 * 1024;

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeAnswer {
    /// An HTTP answer, whatever its content.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The first 64 KiB of the body; non-text bytes are replaced.
        body: String,
    },
    /// The certificate is for other names than the requested name.
    OtherCertificate {
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// No complete answer: not connected, timed out, or disconnected.
    Unreachable {
        /// The error chain.
        why: String,
    },
}

/// The client: follows no redirects, so that a probe sees the original answer; 3 s to connect, 10 s in all. `run` is
/// the run's id for the user agent. Fails without CA certificates (`SSL_CERT_FILE` names others).
pub(crate) fn build_client(run: &str) -> Result<reqwest::Client, String> {
    client_builder(run).build().map_err(|error| cause_message(&error))
}

/// The settings of every client.
fn client_builder(run: &str) -> reqwest::ClientBuilder {
    let run: String = run.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .user_agent(format!("ecs-blue-green/{} (run {run})", env!("CARGO_PKG_VERSION")))
}

/// The `GET` of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeRequest {
    /// The URL. The certificate must be valid for the URL's host.
    pub(crate) url: String,
    /// Another `Host` than the URL's.
    pub(crate) host: Option<String>,
    /// More headers by name and value.
    pub(crate) headers: Vec<(String, String)>,
    /// The name to resolve instead of the URL's host. A proxy resolves the URL's host itself.
    pub(crate) at: Option<String>,
    /// The proxy on the way, by host and port.
    pub(crate) proxy: Option<String>,
}

impl ProbeRequest {
    /// The proxy and the host that it would look up, unless a lookup here shows that the host has an address of the name to
    /// look up instead. Unknown is not good (invariant 9): a proxy may find any host.
    pub(crate) async fn elsewhere(&self) -> Option<(String, String)> {
        let (proxy, host) = self.by_proxy()?;
        let (there, here) = tokio::join!(addresses(&host), addresses(self.at.as_deref()?));
        let same = there.iter().any(|ip| here.contains(ip));
        (!same).then_some((proxy, host))
    }

    /// The proxy that looks up a host itself, and this host; none if the host is looked up here.
    pub(crate) fn by_proxy(&self) -> Option<(String, String)> {
        let proxy = self.proxy.clone().filter(|_| self.at.is_some())?;
        Some((proxy, reqwest::Url::parse(&self.url).ok()?.host_str()?.to_owned()))
    }
}

/// The addresses of a name; none if it can't be looked up.
async fn addresses(name: &str) -> Vec<IpAddr> {
    let found = tokio::net::lookup_host((name, 0)).await;
    found.into_iter().flatten().map(|address| address.ip()).collect()
}

/// Resolves the probe's host as another name. All other names, such as a proxy's, are resolved as usual.
struct LookUp {
    /// The requested name.
    host: String,
    /// The name to resolve instead.
    at: String,
}

impl Resolve for LookUp {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = name.as_str().eq_ignore_ascii_case(&self.host);
        let name = if asked { self.at.clone() } else { name.as_str().to_owned() };
        Box::pin(async move {
            // reqwest replaces this port by the URL's.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A client for this request alone, because of the request's own name resolution. `run` is the run's id.
fn client_for(run: &str, wanted: &ProbeRequest) -> reqwest::Result<reqwest::Client> {
    let host = reqwest::Url::parse(&wanted.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    match host.zip(wanted.at.clone()) {
        Some((host, at)) => client_builder(run).dns_resolver(Arc::new(LookUp { host, at })).build(),
        None => client_builder(run).build(),
    }
}

/// Sends a probe once. `run` is the run's id for the user agent.
pub(crate) async fn send_probe(run: &str, wanted: &ProbeRequest) -> ProbeAnswer {
    let client = match client_for(run, wanted) {
        Ok(client) => client,
        Err(error) => return ProbeAnswer::Unreachable { why: cause_message(&error) },
    };
    let host = wanted.host.iter().map(|host| (HOST.as_str(), host));
    let headers = wanted.headers.iter().map(|(name, value)| (name.as_str(), value));
    let request = host
        .chain(headers)
        .fold(client.get(&wanted.url), |request, (name, value)| request.header(name, value));
    match send_request(request).await {
        Ok(answer) => answer,
        Err(error) => failed_probe(error),
    }
}

/// Reason for a missing answer.
fn failed_probe(error: reqwest::Error) -> ProbeAnswer {
    match tls_error(&error) {
        Some(TlsError::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented, ..
        })) => {
            // Each name has the form `DnsName("shop.example.com")`.
            let name = |shown: &String| shown.split('"').nth(1).unwrap_or(shown).to_owned();
            ProbeAnswer::OtherCertificate { names: presented.iter().map(name).collect() }
        }
        Some(_) | None => ProbeAnswer::Unreachable { why: cause_message(&error.without_url()) },
    }
}

/// The TLS error among the causes. An I/O error contains the TLS error without naming that as its cause.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    if let Some(found) = error.downcast_ref::<TlsError>() {
        return Some(found);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => tls_error(inner),
        None => error.source().and_then(tls_error),
    }
}

/// Sends the request and reads the answer up to the limit.
async fn send_request(request: reqwest::RequestBuilder) -> reqwest::Result<ProbeAnswer> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut body: Vec<u8> = Vec::new();
    while body.len() < BODY_LIMIT {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(BODY_LIMIT);
    Ok(ProbeAnswer::Answered { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// An error and its causes in words.
fn cause_message(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| (**cause).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::tests::server::{Answer, Request, Server};

    /// `GET` of a URL by this host.
    fn get(url: String, host: Option<&str>) -> ProbeRequest {
        let headers = vec![("X-Color".to_owned(), "green".to_owned())];
        ProbeRequest { url, host: host.map(str::to_owned), headers, at: None, proxy: None }
    }

    #[tokio::test]
    async fn invariant_38_a_host_that_leads_elsewhere_is_not_asked_through_a_proxy() {
        let of = async |host: &str, at: &str, proxy: Option<&str>| {
            let (at, proxy) = (Some(at.to_owned()), proxy.map(str::to_owned));
            let wanted = ProbeRequest { at, proxy, ..get(format!("https://{host}:8443/healthz"), None) };
            wanted.elsewhere().await
        };
        let proxy = Some("proxy.corp:3128");
        let apart = Some(("proxy.corp:3128".to_owned(), "127.0.0.2".to_owned()));
        assert_eq!(of("127.0.0.2", "127.0.0.1", proxy).await, apart);
        assert_eq!(of("127.0.0.1", "127.0.0.1", proxy).await, None);
        assert_eq!(
            of("127.0.0.2", "127.0.0.1", None).await,
            None,
            "without a proxy the name is looked up here"
        );
        for (host, at) in [("shop.invalid", "127.0.0.1"), ("shop.invalid", "alb.invalid")] {
            let apart = Some(("proxy.corp:3128".to_owned(), host.to_owned()));
            assert_eq!(of(host, at, proxy).await, apart, "the proxy may find it anywhere");
        }
    }

    /// One answer for each path.
    fn script(request: &Request, _number: usize) -> Answer {
        let path = request.head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/down" => Answer::Text(503, "down".to_owned()),
            "/big" => Answer::Text(200, "x".repeat(200_000)),
            "/moved" => Answer::Text(302, String::new()),
            "/drop" => Answer::Drop,
            _ => Answer::Text(200, "ok".to_owned()),
        }
    }

    #[tokio::test]
    async fn a_probe_sees_the_answer_itself() {
        let server = Server::start(script).await;
        let ask = async |path: &str| {
            send_probe("42", &get(format!("{}{path}", server.url), Some("green.shop"))).await
        };
        let answered = |status, body: &str| ProbeAnswer::Answered { status, body: body.to_owned() };
        assert_eq!(ask("/healthz").await, answered(200, "ok"));
        assert_eq!(ask("/down").await, answered(503, "down"));
        assert_eq!(ask("/moved").await, answered(302, ""));
        assert_eq!(ask("/big").await, answered(200, &"x".repeat(BODY_LIMIT)));
        let request = &server.requests()[0];
        assert_eq!(request.header("host"), Some("green.shop"));
        assert_eq!(request.header("x-color"), Some("green"));
        let agent = format!("ecs-blue-green/{} (run 42)", env!("CARGO_PKG_VERSION"));
        assert_eq!(request.header("user-agent"), Some(agent.as_str()));
    }

    /// Runs in a child process of [`invariant_38_a_proxy_is_asked_for_the_host_of_the_rule`].
    #[tokio::test]
    #[ignore = "needs a proxy"]
    async fn asks_through_a_proxy() {
        let at = Some("127.0.0.1".to_owned());
        let wanted =
            ProbeRequest { at, ..get("http://green.shop:8080/healthz".to_owned(), Some("green.shop")) };
        assert!(matches!(send_probe("42", &wanted).await, ProbeAnswer::Answered { status: 200, .. }));
    }

    #[tokio::test]
    async fn invariant_38_a_proxy_is_asked_for_the_host_of_the_rule() {
        let proxy = Server::start(script).await;
        let url = proxy.url.clone();
        let output = tokio::task::spawn_blocking(move || {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["http::tests::asks_through_a_proxy", "--exact", "--ignored"])
                .envs([("HTTP_PROXY", &url), ("http_proxy", &url)])
                .env_remove("NO_PROXY")
                .env_remove("no_proxy")
                .output()
        });
        let output = output.await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let head = proxy.requests()[0].head.clone();
        assert!(head.starts_with("GET http://green.shop:8080/healthz "), "{head}");
    }

    /// Runs in a child process of [`no_ca_certificates_are_an_error`].
    #[test]
    #[ignore = "needs a machine without CA certificates"]
    fn builds_without_ca_certificates() {
        println!("{}", build_client("42").unwrap_err());
    }

    #[test]
    fn no_ca_certificates_are_an_error() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["http::tests::builds_without_ca_certificates", "--exact", "--ignored", "--nocapture"])
            .env_clear()
            .envs([("SSL_CERT_FILE", "/nowhere/ca.pem"), ("SSL_CERT_DIR", "/nowhere")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("No CA certificates were loaded"), "{said}");
    }

    #[tokio::test]
    async fn no_answer_is_unreachable_and_says_why() {
        let server = Server::start(script).await;
        let dropped = send_probe("42", &get(format!("{}/drop", server.url), None)).await;
        assert!(matches!(dropped, ProbeAnswer::Unreachable { .. }), "{dropped:?}");
        // Bound, so that nobody else gets the port, and never listening.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap());
        let ProbeAnswer::Unreachable { why } = send_probe("42", &get(url, None)).await else {
            panic!("nobody listens")
        };
        assert!(why.contains("Connection refused"), "{why}");
        let nonsense = send_probe("42", &get("not a url".to_owned(), None)).await;
        assert!(matches!(nonsense, ProbeAnswer::Unreachable { .. }), "{nonsense:?}");
    }
}
