//! A server that answers each request as a script says, and keeps what it was sent.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::clients::{Access, Aws, Means, sdk_config};

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body as text.
    pub(crate) body: String,
    /// The body as it came.
    bytes: Vec<u8>,
}

impl Request {
    /// The operation, in any protocol: `ListTasks`.
    pub(crate) fn operation(&self) -> String {
        if self.is_cbor() {
            let path = self.head.split(' ').nth(1).unwrap_or_default();
            return path.rsplit('/').next().unwrap_or_default().to_owned();
        }
        let of_json =
            self.header("x-amz-target").and_then(|target| target.rsplit('.').next()).map(str::to_owned);
        of_json.or_else(|| self.field("Action")).unwrap_or_default()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// A field of a Query request.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.fields().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// All fields of a Query request, in their order.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (decoded(key), decoded(value))).collect()
    }

    /// Whether it speaks RPC v2 CBOR, as the SDK does to CloudWatch.
    fn is_cbor(&self) -> bool {
        self.header("smithy-protocol").is_some()
    }

    /// The body of a CBOR request.
    pub(crate) fn cbor(&self) -> serde_json::Value {
        ciborium::from_reader(self.bytes.as_slice()).unwrap()
    }

    /// The body of a JSON request.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A text of a form without its percent signs.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(b'%'));
        bytes.extend(part.bytes().skip(if code.is_some() { 2 } else { 0 }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What to answer.
pub(crate) enum Answer {
    /// A JSON body with a status.
    Json(u16, String),
    /// An XML body with a status.
    Xml(u16, String),
    /// A CBOR body with a status.
    Cbor(u16, serde_json::Value),
    /// Something else, with a status.
    Text(u16, String),
    /// Close the connection.
    Drop,
    /// Never.
    Hang,
}

/// A good JSON answer.
pub(crate) fn json(body: impl Into<String>) -> Answer {
    Answer::Json(200, body.into())
}

/// A good answer of the Query protocol: the result of an operation of ELBv2.
pub(crate) fn xml(operation: &str, result: &str) -> Answer {
    Answer::Xml(
        200,
        format!(
            "<{operation}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
             <{operation}Result>{result}</{operation}Result></{operation}Response>"
        ),
    )
}

/// An error in the protocol of the request.
pub(crate) fn refusal(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    if request.is_cbor() {
        return Answer::Cbor(status, serde_json::json!({ "__type": code, "message": message }));
    }
    if request.header("x-amz-target").is_some() {
        return Answer::Json(status, format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}"));
    }
    Answer::Xml(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

/// A running server.
pub(crate) struct Server {
    /// Its URL.
    pub(crate) url: String,
    /// What it was sent, in order.
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server; the script gets each request with its number, from 1.
    pub(crate) async fn start(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (script, kept) = (Arc::new(script), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                tokio::spawn(async move { serve(stream, &*script, &kept).await });
            }
        });
        Server { url, log }
    }

    /// What it was sent.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The operations that it was asked for.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.requests().iter().map(Request::operation).collect()
    }

    /// Clients of this server.
    pub(crate) async fn aws(&self) -> Aws {
        Aws::over(settings(&self.url).await, None)
    }
}

/// The product's own configuration with another endpoint and fixed credentials.
pub(crate) async fn settings(url: &str) -> aws_config::SdkConfig {
    let access = Access {
        means: Means::default(),
        region: "eu-west-1".to_owned(),
        app_name: "run 7".to_owned(),
        sign_in: None,
        trace: None,
        definitions: |_| (),
    };
    let credentials = aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
    sdk_config(&access).await.to_builder().endpoint_url(url).credentials_provider(provider).build()
}

/// Answers the requests of one connection.
async fn serve(
    mut stream: TcpStream,
    script: &(impl Fn(&Request, usize) -> Answer + Sync),
    log: &Mutex<Vec<Request>>,
) {
    while let Some(request) = read(&mut stream).await {
        let number = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(request.clone());
            log.len()
        };
        let (status, kind, body) = match script(&request, number) {
            Answer::Json(status, body) => (status, "application/x-amz-json-1.1", body.into_bytes()),
            Answer::Xml(status, body) => (status, "text/xml", body.into_bytes()),
            Answer::Text(status, body) => (status, "text/plain", body.into_bytes()),
            Answer::Cbor(status, body) => {
                let mut bytes = Vec::new();
                ciborium::into_writer(&body, &mut bytes).unwrap();
                (status, "application/cbor\r\nsmithy-protocol: rpc-v2-cbor", bytes)
            }
            Answer::Drop => return,
            Answer::Hang => std::future::pending().await,
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let mut request = Request { head: String::from_utf8_lossy(&head).into_owned(), ..Request::default() };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    request.bytes = body;
    Some(request)
}
