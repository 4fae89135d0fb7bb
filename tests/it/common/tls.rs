//! The testbed behind HTTPS, with a certificate that no machine's authorities have signed.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use rcgen::{Certificate, CertificateParams, DnType, KeyPair};
use testbed::Testbed;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate for localhost, made anew and signed by itself, with its key. The name is its issuer's: where two share
/// one, a client compares keys and finds a bad signature instead of an unknown issuer.
pub(crate) fn certificate(name: &str) -> (Certificate, KeyPair) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate"), key)
}

/// A loopback port that opens TLS and passes everything on to the testbed. It serves until the test's process ends.
pub(crate) struct TlsFront {
    /// Where it listens.
    port: u16,
    /// What a client has to trust, as PEM.
    pub(crate) certificate: String,
}

impl TlsFront {
    /// Starts one on a free port.
    pub(crate) fn start(bed: &Testbed) -> Self {
        let (certificate, key) = certificate("A proxy that opens TLS");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .expect("the certificate fits its key");
        let behind = bed.endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("localhost:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("an address").port()).expect("the test waits for it");
                serve(listener, TlsAcceptor::from(Arc::new(config)), behind).await;
            });
        });
        Self { port: told.recv().expect("the front listens"), certificate: certificate.pem() }
    }

    /// Its address, by the name in its certificate.
    pub(crate) fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

/// Passes each connection on. A client that hangs up, as at a certificate it does not trust, ends its own one only.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, behind: String) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (acceptor, behind) = (acceptor.clone(), behind.clone());
        tokio::spawn(async move {
            let Ok(mut front) = acceptor.accept(stream).await else { return };
            let mut back = TcpStream::connect(behind).await.expect("the testbed listens");
            drop(copy_bidirectional(&mut front, &mut back).await);
        });
    }
}
