//! The authority: `ca.pem`, its certificate, and `ca.key`, its key, in a folder of their own.
//!
//! The key is drawn from the operating system, and not from the seed: who trusts the certificate
//! trusts whoever has the key. It is readable by its owner alone. Both files appear by rename, the
//! key first; a key without a certificate is given one.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use super::{LOCAL, provider};
use crate::model::time::{DAY_MS, Timestamp};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const YEAR_MS: i64 = 365 * DAY_MS;
/// Clients whose clocks are a year off take it too, and two years are all that Apple's take at once.
const CERTIFICATE_YEARS: i64 = 1;
const AUTHORITY_YEARS: i64 = 20;

/// Who signs the server's certificates.
pub(super) struct Authority {
    /// Its certificate as it is given out.
    pub pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The one in the folder, which is made if it is not there.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let broken = |error: rcgen::Error| error.to_string();
        let key = if let Some(pem) = read(folder, KEY)? {
            KeyPair::from_pem(&pem).map_err(|error| amiss(KEY, &error))?
        } else {
            let key = KeyPair::generate().map_err(broken)?;
            keep(folder, KEY, 0o600, &key.serialize_pem())?;
            key
        };
        let params = params(&key, now);
        let pem = if let Some(pem) = read(folder, CERTIFICATE)? {
            pem
        } else {
            let made = params.self_signed(&key).map_err(broken)?;
            keep(folder, CERTIFICATE, 0o644, &made.pem())?;
            made.pem()
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| amiss(CERTIFICATE, &error))?;
        Ok(Self {
            pem,
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// A certificate for these names, and its key.
    pub fn certify(
        &self,
        names: Vec<String>,
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), String> {
        let broken = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate().map_err(broken)?;
        let mut params = CertificateParams::new(names).map_err(broken)?;
        named(&mut params, "stuntdouble".to_owned());
        valid(&mut params, now, CERTIFICATE_YEARS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let made = params.signed_by(&key, &self.issuer).map_err(broken)?;
        let made = made.der().clone();
        self.check(&made, now)?;
        Ok((made, PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
    }

    /// Whether clients that trust the authority will take what it has signed: they do not where the
    /// two files are not of one another, or its years are over or have not come.
    fn check(&self, made: &CertificateDer<'_>, now: Timestamp) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| {
            amiss(
                CERTIFICATE,
                &format_args!("it is not good for {KEY}: {error}"),
            )
        };
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.clone())
            .map_err(|error| told(&error))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider());
        let verifier = verifier.build().map_err(|error| told(&error))?;
        let name = ServerName::try_from(LOCAL[0]).map_err(|error| told(&error))?;
        let since = Duration::from_millis(u64::try_from(now.ms()).unwrap_or_default());
        let at = UnixTime::since_unix_epoch(since);
        let judged = |certificate| verifier.verify_server_cert(certificate, &[], &name, &[], at);
        judged(made).map_err(|error| told(&error))?;
        // A root's years are not looked at there, but by other clients. As a server's certificate it
        // is never good; its years are what is told of first.
        match judged(&self.certificate) {
            Err(Error::InvalidCertificate(
                error @ (CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYetContext { .. }),
            )) => Err(amiss(CERTIFICATE, &error)),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a file that was there, and what to do.
fn amiss(name: &str, why: &dyn std::fmt::Display) -> String {
    format!("{name}: {why}; remove {CERTIFICATE} and {KEY}, and new ones are made")
}

/// The authority's certificate. Its name is told by its key: those of two servers are never taken
/// for one another. Data directories hold certificates of that name, so it stays.
fn params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let number = hex::encode(&params.key_identifier(key)[..4]);
    named(&mut params, format!("stuntdouble {number}"));
    valid(&mut params, now, AUTHORITY_YEARS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(params: &mut CertificateParams, name: String) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
}

/// Valid from a year before on.
fn valid(params: &mut CertificateParams, now: Timestamp, years: i64) {
    let at = |instant: Timestamp| {
        let ms = u64::try_from(instant.ms()).unwrap_or_default();
        date_time_ymd(1970, 1, 1) + Duration::from_secs(ms / 1000)
    };
    params.not_before = at(now.plus_ms(-YEAR_MS));
    params.not_after = at(now.plus_ms(years * YEAR_MS));
}

/// The file's text; none if there is no such file.
fn read(folder: &Path, name: &str) -> Result<Option<String>, String> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn keep(folder: &Path, name: &str, mode: u32, text: &str) -> Result<(), String> {
    let kept = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name))?;
        Ok(())
    };
    kept().map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_773_309_600_000);

    /// What is told where the authority was made so many years before.
    fn told(years: i64) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a directory");
        let then = NOW.plus_ms(-years * YEAR_MS);
        Authority::open(folder.path(), then).expect("it is made");
        let kept = Authority::open(folder.path(), NOW).expect("it is read");
        kept.certify(vec![LOCAL[0].to_owned()], NOW).map(drop)
    }

    #[test]
    fn an_authority_is_good_in_its_years_alone() {
        assert_eq!(told(AUTHORITY_YEARS - 1), Ok(()));
        for years in [AUTHORITY_YEARS + 1, -2] {
            let line = told(years).expect_err("clients do not take it");
            assert!(line.starts_with("ca.pem: "), "{line}");
            let ends = "; remove ca.pem and ca.key, and new ones are made";
            assert!(line.ends_with(ends), "{line}");
        }
    }
}
