//! The proxy of a listener: a real port, real requests to real targets.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::{clock, port};

use super::condition::host_of;
use super::counters::{Counters, count};
use super::plane::{Chosen, Decision, Published, Table};
use super::pool::{Failure, Pool};

/// A body that is streamed through, or the load balancer's own body.
type Body = BoxBody<Bytes, hyper::Error>;
/// Number of attempts to bind a port that the testbed itself is closing.
const PORT_PATIENCE: u32 = 40;

/// An open port. Dropping it closes the port, and its connections after their current requests.
#[derive(Debug)]
pub(super) struct Door {
    /// Dropping this sender stops all connections.
    _stop: watch::Sender<()>,
}

/// The state that all connections of a listener share.
#[derive(Debug)]
struct Proxy {
    /// The published table.
    published: Arc<Published>,
    /// Connections to targets.
    pool: Pool,
    /// Number of the last request, for trace ids.
    serial: AtomicU64,
}

impl Door {
    /// Opens a port on 127.0.0.1 and serves the port on `runtime`. Waits up to a fifth of a second for a closing port.
    pub(super) fn open(port: u16, published: Arc<Published>, runtime: &Handle) -> io::Result<Self> {
        let _guard = runtime.enter();
        let listener = if clock::is_own() {
            port::hold(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?.listen()?
        } else {
            port::Listener::of_machine(bind(port)?)?
        };
        let (stop, stopped) = watch::channel(());
        let proxy = Arc::new(Proxy { published, pool: Pool::default(), serial: AtomicU64::new(0) });
        runtime.spawn(accept(listener, proxy, stopped));
        Ok(Self { _stop: stop })
    }
}

/// Binds a port.
fn bind(port: u16) -> io::Result<StdListener> {
    let mut tries = 0;
    loop {
        match StdListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < PORT_PATIENCE => {
                tries += 1;
                crate::clock::pause(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Accepts connections until the door closes.
async fn accept(mut listener: port::Listener, proxy: Arc<Proxy>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                tokio::spawn(welcome(stream, client, Arc::clone(&proxy), stopped.clone()));
            }
            // No file descriptors, or a client that left at once: continue a little later.
            Err(_) => crate::clock::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Opens TLS on a connection if the listener is HTTPS, and serves the connection. A client that leaves during the
/// handshake, for example because of the certificate, is ignored.
async fn welcome(stream: port::Stream, client: SocketAddr, proxy: Arc<Proxy>, stopped: watch::Receiver<()>) {
    match proxy.published.tls() {
        None => serve(TokioIo::new(stream), client, proxy, stopped).await,
        Some(acceptor) => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            serve(TokioIo::new(stream), client, proxy, stopped).await;
        }
    }
}

/// Serves one connection; after the door closes, only to the end of the current request.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: TokioIo<S>,
    client: SocketAddr,
    proxy: Arc<Proxy>,
    mut stopped: watch::Receiver<()>,
) {
    let service = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { Ok::<_, Infallible>(proxy.answer(request, client).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(io, service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

impl Proxy {
    /// Answers one request.
    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Body> {
        let table = self.published.get();
        let (parts, body) = request.into_parts();
        match table.decide(&self.published, &parts, client.ip()) {
            Decision::Forward(chosen) => {
                let request = Request::from_parts(parts, body);
                self.forward(&table, chosen, request, client).await
            }
            Decision::Unavailable => own(StatusCode::SERVICE_UNAVAILABLE),
            Decision::Fixed { status, content_type, body } => fixed(status, content_type.as_deref(), body),
            Decision::Redirect(config) => redirect(&config, &table, &parts),
        }
    }

    /// Sends a request to its target and the answer back.
    async fn forward(
        &self,
        table: &Table,
        chosen: Chosen,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let upgrade = is_upgrade(&parts.headers);
        let on_client = upgrade.then(|| parts.extensions.remove::<hyper::upgrade::OnUpgrade>()).flatten();
        parts.uri = path_of(&parts.uri);
        parts.version = Version::HTTP_11;
        parts.extensions.clear();
        strip(&mut parts.headers, upgrade);
        self.add_forwarded(&mut parts.headers, table, client);
        let began = clock::now();
        let sent = self.pool.send(chosen.address, Request::from_parts(parts, body));
        let mut response = match clock::within(table.idle, sent).await {
            Some(Ok(response)) => response,
            Some(Err(failure)) => return failed(&chosen.counters, Some(failure)),
            None => return failed(&chosen.counters, None),
        };
        chosen.counters.took(clock::now() - began);
        chosen.counters.answered(response.status().as_u16());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            tunnel(&mut response, on_client);
        }
        strip(response.headers_mut(), upgrade);
        for cookie in chosen.cookies {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append("set-cookie", value);
            }
        }
        response.map(BodyExt::boxed)
    }

    /// The headers that an application load balancer adds (HTTP headers and Application Load Balancers).
    fn add_forwarded(&self, headers: &mut HeaderMap, table: &Table, client: SocketAddr) {
        let ip = client.ip().to_string();
        let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let chain = before.map_or_else(|| ip.clone(), |before| format!("{before}, {ip}"));
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let seconds = crate::clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let trace = format!("Root=1-{seconds:08x}-{:08x}{serial:016x}", table.port);
        let own = [
            ("x-forwarded-for", chain),
            ("x-forwarded-proto", table.protocol.clone()),
            ("x-forwarded-port", table.port.to_string()),
        ];
        for (name, text) in own {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if let Ok(value) = HeaderValue::from_str(&trace) {
            headers.entry("x-amzn-trace-id").or_insert(value);
        }
    }
}

/// Only the path and query, the form for a request to a server.
fn path_of(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::from(path)
}

/// The answer if a target gave none: 502, or 504 after a long silence.
fn failed(counters: &Counters, failure: Option<Failure>) -> Response<Body> {
    count(&counters.bad_gateway);
    if matches!(failure, Some(Failure::Refused | Failure::Silent)) {
        count(&counters.connection_errors);
    }
    own(match failure {
        Some(Failure::Refused | Failure::Broken) => StatusCode::BAD_GATEWAY,
        Some(Failure::Silent) | None => StatusCode::GATEWAY_TIMEOUT,
    })
}

/// True if a client wants another protocol, such as WebSocket.
fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key("upgrade")
}

/// Removes headers of a single connection.
fn strip(headers: &mut HeaderMap, upgrade: bool) {
    for name in ["keep-alive", "proxy-connection", "te", "trailer"] {
        headers.remove(name);
    }
    if !upgrade {
        headers.remove("connection");
        headers.remove("upgrade");
    }
}

/// Joins the two sides of a connection that changed its protocol; the connection stays, even if weights change.
fn tunnel(response: &mut Response<Incoming>, on_client: Option<hyper::upgrade::OnUpgrade>) {
    let Some(on_client) = on_client else { return };
    let on_target = hyper::upgrade::on(response);
    tokio::spawn(async move {
        if let (Ok(client), Ok(target)) = (on_client.await, on_target.await) {
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(target)).await;
        }
    });
}

/// An answer with the load balancer's own body.
fn reply(status: StatusCode, content_type: Option<&str>, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert("server", HeaderValue::from_static("awselb/2.0"));
    if let Some(value) = content_type.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert("content-type", value);
    }
    response
}

/// The load balancer's own error page.
fn own(status: StatusCode) -> Response<Body> {
    let title = match status {
        StatusCode::SERVICE_UNAVAILABLE => "503 Service Temporarily Unavailable".to_owned(),
        StatusCode::GATEWAY_TIMEOUT => "504 Gateway Time-out".to_owned(),
        other => other.to_string(),
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    reply(status, Some("text/html"), page)
}

/// A `fixed-response` action.
fn fixed(status: u16, content_type: Option<&str>, body: Option<String>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply(status, Some(content_type.unwrap_or("text/plain")), body.unwrap_or_default())
}

/// A `redirect` action: `#{…}` is replaced by the request's own parts.
fn redirect(config: &Value, table: &Table, parts: &Parts) -> Response<Body> {
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    let own = [
        ("#{protocol}", table.protocol.clone()),
        ("#{host}", host_of(parts).to_owned()),
        ("#{port}", table.port.to_string()),
        ("#{path}", path),
        ("#{query}", parts.uri.query().unwrap_or_default().to_owned()),
    ];
    let fill = |name: &str| {
        let text = config[name].as_str().unwrap_or_default().to_owned();
        own.iter().fold(text, |text, (key, value)| text.replace(key, value))
    };
    let query = fill("Query");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let location = format!(
        "{}://{}:{}{}{query}",
        fill("Protocol").to_ascii_lowercase(),
        fill("Host"),
        fill("Port"),
        fill("Path")
    );
    let status =
        if config["StatusCode"] == "HTTP_301" { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
    let mut response = reply(status, Some("text/html"), String::new());
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert("location", value);
    }
    response
}
