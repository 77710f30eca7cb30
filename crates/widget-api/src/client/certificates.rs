//! Which certificates of servers are accepted: those that the system trusts, those that an
//! authority in the caller's file signed, and those that are in that file themselves.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::Error;

/// Makes a client of `reqwest` also trust certificates (PEM), as
/// [`ClientBuilder::certificates`](super::ClientBuilder::certificates) says.
///
/// # Errors
/// When the text is not PEM with certificates, or those of the system cannot be read.
pub fn trust(pem: &[u8], builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    let provider = find_provider();
    if pem.is_empty() {
        return Ok(builder);
    }
    let listed = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Error::CertificatesInvalid)?;
    if listed.is_empty() {
        return Err(Error::CertificatesInvalid);
    }
    let extra = listed.iter().cloned();
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(_) => Error::CertificatesInvalid,
                error => Error::Unusable(error.into()),
            })?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Unusable(error.into()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { verifier, listed }))
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

/// The cryptography of this process; `ring` unless somebody chose another one before.
fn find_provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may be faster; then theirs is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let default = CryptoProvider::get_default();
    default.cloned().expect("it was installed above")
}

/// The rules of the system, with one exception: `openssl req -x509` makes certificates that sign
/// themselves as an authority (`CA:TRUE`), which may not be a server's. One that the caller listed
/// is accepted as a server's, too.
#[derive(Debug)]
struct Verifier<V> {
    verifier: V,
    listed: Vec<CertificateDer<'static>>,
}

impl<V: ServerCertVerifier> ServerCertVerifier for Verifier<V> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let result = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match result {
            // The time was checked before this error: see the test of an expired certificate.
            Err(error) if is_authority(&error) && self.listed.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Whether a certificate was refused only because it is an authority's.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(
        other.0.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}
