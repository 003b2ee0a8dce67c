//! Certificates: the right ones work, the wrong ones are named, and none is waited out.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use thrash::domain::{Level, NoAnswerReason, Observation, Phase};
use thrash::target::{ConnectionError, HealthError, Target};

use super::scripted::{ask, calm, connect, contract_with, no_answer, options};
use crate::support::server::Server;

/// An authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
    folder: TempDir,
}

struct Issued {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "thrash test authority");
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        Issued { certificate, key }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn ca_file(&self) -> PathBuf {
        self.file("ca.pem", &self.pem)
    }
}

impl Issued {
    fn server(&self, clients: Option<&Authority>) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = match clients {
            None => builder.unwrap().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der.clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.unwrap().with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        builder.with_single_cert(vec![self.certificate.der().clone()], key).unwrap()
    }

    fn identity(&self) -> String {
        format!("{}{}", self.certificate.pem(), self.key.serialize_pem())
    }
}

fn target(server: &Server, connection: &str) -> Target {
    target_at(&server.url(), connection)
}

fn target_at(url: &str, connection: &str) -> Target {
    connect(
        contract_with(url, &format!("connection: {{timeout: 20s, connect_timeout: 10s, {connection}}}")),
        options(),
    )
}

fn assert_tls(seen: &Observation, word: &str) {
    let (reason, detail) = no_answer(seen);
    assert_eq!(reason, NoAnswerReason::Tls, "{detail}");
    assert!(detail.contains(word), "{detail}");
    assert_eq!(seen.attempts.len(), 1, "no certificate becomes better by asking again");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_once() {
    let server = Server::start_tls(Authority::new().issue("127.0.0.1").server(None), |_| calm());
    let target = target(&server, "");
    assert_tls(&ask(&target).await, "certificate");
    assert_eq!(server.connections(), 1);
    let error = target.look().await.unwrap_err();
    assert!(matches!(error, HealthError::Unreachable { reason: NoAnswerReason::Tls, .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_of_a_private_authority_is_taken_when_that_is_named() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.issue("127.0.0.1").server(None), |_| calm());
    let ca_file = format!("ca_file: '{}'", authority.ca_file().display());
    assert_eq!(ask(&target(&server, &ca_file)).await.answer.level(), Some(Level::None));

    let other = Authority::new();
    let ca_file = format!("ca_file: '{}'", other.ca_file().display());
    assert_tls(&ask(&target(&server, &ca_file)).await, "certificate");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.issue("nlp.example").server(None), |_| calm());
    let ca_file = format!("ca_file: '{}'", authority.ca_file().display());
    assert_tls(&ask(&target(&server, &ca_file)).await, "not valid for name");
}

#[tokio::test]
async fn any_certificate_will_do_only_where_the_contract_says_so() {
    let server = Server::start_tls(Authority::new().issue("nlp.example").server(None), |_| calm());
    assert_eq!(ask(&target(&server, "insecure: true")).await.answer.level(), Some(Level::None));
    assert_tls(&ask(&target(&server, "insecure: false")).await, "certificate");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.issue("127.0.0.1").server(Some(&authority)), |_| calm());
    let ca_file = authority.ca_file();
    let identity = authority.file("client.pem", &authority.issue("thrash").identity());
    let both = format!("ca_file: '{}', client_identity: '{}'", ca_file.display(), identity.display());
    assert_eq!(ask(&target(&server, &both)).await.answer.level(), Some(Level::None));

    let without = ask(&target(&server, &format!("ca_file: '{}'", ca_file.display()))).await;
    assert_tls(&without, "");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_and_tls_on_a_plain_port_are_no_answers() {
    let secure = Server::start_tls(Authority::new().issue("127.0.0.1").server(None), |_| calm());
    let seen = ask(&target_at(&secure.url().replace("https", "http"), "")).await;
    assert!(seen.answer.level().is_none());
    assert!(secure.connections() <= 2, "{}", secure.connections());

    let plain = Server::start(|_| calm());
    let seen = ask(&target_at(&plain.url().replace("http", "https"), "insecure: true")).await;
    assert!(seen.answer.level().is_none());
    assert!(plain.requests().is_empty(), "the phrase was never sent in the clear");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connection_that_never_came_about() {
    // It reads the first bytes of the handshake, and waits for the end of an HTTP header in them.
    let silent = Server::start(|_| calm());
    let url = silent.url().replace("http", "https");
    let seen = ask(&connect(contract_with(&url, "connection: {connect_timeout: 100ms}"), options())).await;
    assert_eq!(no_answer(&seen), (NoAnswerReason::Timeout, "timed out connecting"));
    assert_eq!(seen.attempts.len(), 3, "nothing was sent, so it may be tried again");
    assert!(seen.attempts.iter().all(|attempt| attempt.phase == Some(Phase::Connect)));
    assert!(silent.all_requests().is_empty());
}

#[test]
fn files_that_hold_no_certificate_are_named_before_anything_is_sent() {
    let authority = Authority::new();
    let rubbish = authority.file("rubbish.pem", "no certificate");
    let failed = |setting: &str, path: &std::path::Path| {
        let more = format!("connection: {{{setting}: '{}'}}", path.display());
        Target::connect(contract_with("https://127.0.0.1:1", &more), options(), &|_| None).unwrap_err()
    };
    for setting in ["ca_file", "client_identity"] {
        let error = failed(setting, &rubbish);
        assert!(
            matches!(error, ConnectionError::Setting { setting: named, .. } if named == setting),
            "{error}"
        );
        let error = failed(setting, &authority.folder.path().join("missing.pem"));
        assert!(matches!(error, ConnectionError::File { .. }), "{error}");
        assert!(error.to_string().contains("missing.pem"), "{error}");
    }
}
