//! The certificate authority: its certificate `ca.pem` and its key `ca.key`, in one folder.
//!
//! The key comes from the operating system's random number generator, not from the seed: a client that trusts
//! the certificate trusts everybody who has the key. A key file that is not private to its owner is
//! refused. Both files appear by rename, the key first. If only the key exists, the certificate is
//! created.
//!
//! The certificate has name constraints (RFC 5280 §4.2.1.10), so the authority, even with a stolen key,
//! is good only for the names it was created for. Adding a name needs a new authority: clients that
//! trust the old certificate would reject a server certificate that has another name.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use super::{LOCAL_NAMES, provider};
use crate::model::time::{DAY_MS, Timestamp};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const YEAR_MS: i64 = 365 * DAY_MS;
/// Validity of the server's certificate after its creation. Also backdated by a year, for
/// clients whose clocks are off. Apple accepts at most 825 days.
const CERTIFICATE_YEARS: i64 = 1;
const AUTHORITY_YEARS: i64 = 20;
/// Name that no authority with constraints permits. Detects an authority without constraints.
const UNPERMITTED_NAME: &str = "unlimited.stuntdouble.invalid";
/// Remedy in messages about unusable files.
pub(super) const RENEW: &str = "remove ca.pem and ca.key to create a new authority";
/// Permission bits of the group and of others.
const NON_OWNER_BITS: u32 = 0o077;

/// Signs the server's certificates.
pub(super) struct CertificateAuthority {
    /// Certificate of the authority in PEM, as clients get it.
    pub pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Reads the authority in `folder`. Creates it with constraints for `names` if it does not exist.
    pub fn open(folder: &Path, names: &[String], now: Timestamp) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let key = if let Some(pem) = read_optional(folder, KEY)? {
            check_private(&folder.join(KEY))?;
            KeyPair::from_pem(&pem).map_err(|error| file_error(KEY, &error))?
        } else {
            let key = KeyPair::generate().map_err(|error| error.to_string())?;
            write_atomically(folder, KEY, &key.serialize_pem())?;
            key
        };
        let params = authority_params(&key, names, now);
        let pem = if let Some(pem) = read_optional(folder, CERTIFICATE)? {
            pem
        } else {
            let issued = params
                .self_signed(&key)
                .map_err(|error| error.to_string())?;
            write_atomically(folder, CERTIFICATE, &issued.pem())?;
            issued.pem()
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| file_error(CERTIFICATE, &error))?;
        Ok(Self {
            pem,
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// Issues a certificate for `names`. Returns the certificate and its key.
    pub fn issue(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = self.sign(names, &key, now)?;
        if let Err(error) = self.check(&certificate, now) {
            let unpermitted = self.unpermitted_names(names, now);
            let is_constrained = !unpermitted.is_empty() && unpermitted.len() < names.len();
            return Err(if is_constrained {
                let unpermitted = unpermitted.join(", ");
                format!(
                    "{CERTIFICATE}: the name constraints do not permit {unpermitted}; remove that --tls-name, or {RENEW}, which clients have to trust again"
                )
            } else {
                error
            });
        }
        Ok((
            certificate,
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        ))
    }

    /// `true` if the authority's certificate has no name constraints, as in older versions.
    pub fn is_unlimited(&self, now: Timestamp) -> bool {
        self.unpermitted_names(&[UNPERMITTED_NAME.to_owned()], now)
            .is_empty()
    }

    /// Returns those of `names` that the authority's certificate does not permit. Each name is tested in
    /// a certificate together with `localhost`, which every authority permits.
    fn unpermitted_names(&self, names: &[String], now: Timestamp) -> Vec<String> {
        let is_permitted = |name: &String| {
            let names = [LOCAL_NAMES[0].to_owned(), name.clone()];
            let key = KeyPair::generate().map_err(|error| error.to_string())?;
            self.check(&self.sign(&names, &key, now)?, now)
        };
        names
            .iter()
            .filter(|name| is_permitted(name).is_err())
            .cloned()
            .collect()
    }

    /// Returns a certificate for `names` and `key`.
    fn sign(
        &self,
        names: &[String],
        key: &KeyPair,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, String> {
        let mut params = CertificateParams::new(names).map_err(|error| error.to_string())?;
        // Some clients check the common name against the authority's constraints, too.
        set_common_name(&mut params, LOCAL_NAMES[0].to_owned());
        set_validity(&mut params, now, CERTIFICATE_YEARS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params
            .signed_by(key, &self.issuer)
            .map_err(|error| error.to_string())?;
        Ok(certificate.der().clone())
    }

    /// Checks that clients that trust the authority accept the certificate `issued`.
    ///
    /// # Errors
    /// Returns a message if certificate and key do not belong together, or if the authority's
    /// certificate has expired or is not valid yet.
    fn check(&self, issued: &CertificateDer<'_>, now: Timestamp) -> Result<(), String> {
        let mismatch = |error: &dyn std::fmt::Display| {
            file_error(
                CERTIFICATE,
                &format_args!("the certificate does not match {KEY}: {error}"),
            )
        };
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.clone())
            .map_err(|error| mismatch(&error))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider())
            .build()
            .map_err(|error| mismatch(&error))?;
        let name = ServerName::try_from(LOCAL_NAMES[0]).map_err(|error| mismatch(&error))?;
        let unix_time = Duration::from_millis(u64::try_from(now.ms()).unwrap_or_default());
        let at = UnixTime::since_unix_epoch(unix_time);
        let verify = |certificate| verifier.verify_server_cert(certificate, &[], &name, &[], at);
        verify(issued).map_err(|error| mismatch(&error))?;
        // webpki does not check the validity of a root, but other clients do. So the root is verified
        // as if it were a server's certificate: that always fails, and an invalid period is the first
        // error that is reported.
        match verify(&self.certificate) {
            Err(Error::InvalidCertificate(
                error @ (CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYetContext { .. }),
            )) => Err(file_error(CERTIFICATE, &error)),
            _ => Ok(()),
        }
    }
}

/// Returns the message about an unusable file, with the remedy.
fn file_error(name: &str, problem: &dyn std::fmt::Display) -> String {
    format!("{name}: {problem}; {RENEW}")
}

/// Returns the parameters of the authority's certificate. The common name is derived from the key, so
/// that clients can tell the authorities of two servers apart. Stored certificates have this name.
fn authority_params(key: &KeyPair, names: &[String], now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let number = hex::encode(&params.key_identifier(key)[..4]);
    set_common_name(&mut params, format!("stuntdouble {number}"));
    set_validity(&mut params, now, AUTHORITY_YEARS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted_subtrees(names),
        excluded_subtrees: Vec::new(),
    });
    params
}

/// Returns the subtrees of `names`. X.509 permits a host's subdomains together with the host.
fn permitted_subtrees(names: &[String]) -> Vec<GeneralSubtree> {
    let subtree = |name: &String| match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            GeneralSubtree::IpAddress(CidrSubnet::V4(address.octets(), [255; 4]))
        }
        Ok(IpAddr::V6(address)) => {
            GeneralSubtree::IpAddress(CidrSubnet::V6(address.octets(), [255; 16]))
        }
        Err(_) => GeneralSubtree::DnsName(name.trim_start_matches("*.").to_owned()),
    };
    names.iter().map(subtree).collect()
}

/// Checks that only its owner can use the key.
///
/// # Errors
/// Returns a message if the group or others have permissions on the file.
fn check_private(key: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(key).map_err(|error| format!("{KEY}: {error}"))?;
    let mode = metadata.mode() & 0o7777;
    if mode & NON_OWNER_BITS == 0 {
        return Ok(());
    }
    let shown = key.display();
    Err(format!(
        "{KEY}: only its owner may have access (mode {mode:03o}); run chmod 600 {shown}, or {RENEW}"
    ))
}

fn set_common_name(params: &mut CertificateParams, name: String) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
}

/// Sets the validity from a year before `now` to `years` after it.
fn set_validity(params: &mut CertificateParams, now: Timestamp, years: i64) {
    let at = |instant: Timestamp| {
        let ms = u64::try_from(instant.ms()).unwrap_or_default();
        date_time_ymd(1970, 1, 1) + Duration::from_secs(ms / 1000)
    };
    params.not_before = at(now.plus_ms(-YEAR_MS));
    params.not_after = at(now.plus_ms(years * YEAR_MS));
}

/// Returns the text of a file. `None` if the file does not exist.
fn read_optional(folder: &Path, name: &str) -> Result<Option<String>, String> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn write_atomically(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name))?;
        Ok(())
    };
    write().map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_773_309_600_000);

    /// Issues a certificate by an authority that was created `years` before.
    fn issue_after_years(years: i64) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a directory");
        let created_at = NOW.plus_ms(-years * YEAR_MS);
        let names = LOCAL_NAMES.map(str::to_owned);
        CertificateAuthority::open(folder.path(), &names, created_at).expect("a new authority");
        let authority =
            CertificateAuthority::open(folder.path(), &names, NOW).expect("a stored authority");
        authority.issue(&names, NOW).map(drop)
    }

    #[test]
    fn issue_outside_the_validity_of_the_authority_fails() {
        assert_eq!(issue_after_years(AUTHORITY_YEARS - 1), Ok(()));
        for years in [AUTHORITY_YEARS + 1, -2] {
            let message = issue_after_years(years).expect_err("an invalid authority");
            assert!(message.starts_with("ca.pem: "), "{message}");
            assert!(message.ends_with(RENEW), "{message}");
        }
    }
}
