//! The authority: `ca.pem`, its certificate, and `ca.key`, its key, in a folder of their own.
//!
//! The key is drawn from the operating system, and not from the seed: who trusts the certificate
//! trusts whoever has the key. It is readable by its owner alone; one that others can read is refused.
//! Both files appear by rename, the key first; a key without a certificate is given one.
//!
//! The certificate has name constraints (RFC 5280 §4.2.1.10) for the names that it was made for, so
//! that whoever trusts it, or gets hold of the key, has an authority for these names and no other.
//! A name that is added later is refused with the way to a new authority: clients that trust the old
//! certificate would refuse the server's whole certificate if it had the name.

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
/// Clients whose clocks are a year off take it too, and two years are all that Apple's take at once.
const CERTIFICATE_YEARS: i64 = 1;
const AUTHORITY_YEARS: i64 = 20;
/// Name that no authority with constraints permits.
const UNPERMITTED: &str = "unlimited.stuntdouble.invalid";
/// Remedy for files that cannot be used.
pub(super) const RENEW: &str = "remove ca.pem and ca.key, and new ones are made";
/// Permission bits of the group and of others.
const NOT_OWNER: u32 = 0o077;

/// Who signs the server's certificates.
pub(super) struct CertificateAuthority {
    /// Its certificate as it is given out.
    pub pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// The one in the folder, which is made for `names` if it is not there.
    pub fn open(folder: &Path, names: &[String], now: Timestamp) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let broken = |error: rcgen::Error| error.to_string();
        let key = if let Some(pem) = read(folder, KEY)? {
            check_private(&folder.join(KEY))?;
            KeyPair::from_pem(&pem).map_err(|error| file_error(KEY, &error))?
        } else {
            let key = KeyPair::generate().map_err(broken)?;
            write_atomically(folder, KEY, &key.serialize_pem())?;
            key
        };
        let params = params(&key, names, now);
        let pem = if let Some(pem) = read(folder, CERTIFICATE)? {
            pem
        } else {
            let issued = params.self_signed(&key).map_err(broken)?;
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

    /// A certificate for these names, and its key.
    pub fn issue(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = self.sign(names, &key, now)?;
        if let Err(error) = self.check(&certificate, now) {
            let refused = self.unpermitted(names, now);
            let is_limit = !refused.is_empty() && refused.len() < names.len();
            return Err(if is_limit {
                let refused = refused.join(", ");
                format!(
                    "{CERTIFICATE}: it was made for other names and does not permit {refused}; leave that --tls-name out, or {RENEW}, which clients have to trust anew"
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

    /// Returns `true` if its certificate has no name constraints, as older versions made it.
    pub fn is_unlimited(&self, now: Timestamp) -> bool {
        self.unpermitted(&[UNPERMITTED.to_owned()], now).is_empty()
    }

    /// Returns those of `names` that its certificate does not permit: each is tried beside a name
    /// that every authority permits.
    fn unpermitted(&self, names: &[String], now: Timestamp) -> Vec<String> {
        let is_permitted = |name: &String| {
            let names = [LOCAL_NAMES[0].to_owned(), name.clone()];
            let key = KeyPair::generate().map_err(|error| error.to_string())?;
            self.check(&self.sign(&names, &key, now)?, now)
        };
        let refused = names.iter().filter(|name| is_permitted(name).is_err());
        refused.cloned().collect()
    }

    /// A certificate for these names and that key.
    fn sign(
        &self,
        names: &[String],
        key: &KeyPair,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, String> {
        let broken = |error: rcgen::Error| error.to_string();
        let mut params = CertificateParams::new(names).map_err(broken)?;
        // Some clients hold the common name against the authority's constraints, too.
        set_common_name(&mut params, LOCAL_NAMES[0].to_owned());
        set_validity(&mut params, now, CERTIFICATE_YEARS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(key, &self.issuer).map_err(broken)?;
        Ok(certificate.der().clone())
    }

    /// Whether clients that trust the authority will take what it has signed: they do not where the
    /// two files are not of one another, or its years are over or have not come.
    fn check(&self, issued: &CertificateDer<'_>, now: Timestamp) -> Result<(), String> {
        let describe = |error: &dyn std::fmt::Display| {
            file_error(
                CERTIFICATE,
                &format_args!("it is not good for {KEY}: {error}"),
            )
        };
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.clone())
            .map_err(|error| describe(&error))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider());
        let verifier = verifier.build().map_err(|error| describe(&error))?;
        let name = ServerName::try_from(LOCAL_NAMES[0]).map_err(|error| describe(&error))?;
        let since = Duration::from_millis(u64::try_from(now.ms()).unwrap_or_default());
        let at = UnixTime::since_unix_epoch(since);
        let judged = |certificate| verifier.verify_server_cert(certificate, &[], &name, &[], at);
        judged(issued).map_err(|error| describe(&error))?;
        // A root's years are not looked at there, but by other clients. As a server's certificate it
        // is never good; its years are what is told of first.
        match judged(&self.certificate) {
            Err(Error::InvalidCertificate(
                error @ (CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYetContext { .. }),
            )) => Err(file_error(CERTIFICATE, &error)),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a file that was there, and what to do.
fn file_error(name: &str, why: &dyn std::fmt::Display) -> String {
    format!("{name}: {why}; {RENEW}")
}

/// The authority's certificate. Its name is told by its key: those of two servers are never taken
/// for one another. Data directories hold certificates of that name, so it stays.
fn params(key: &KeyPair, names: &[String], now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let number = hex::encode(&params.key_identifier(key)[..4]);
    set_common_name(&mut params, format!("stuntdouble {number}"));
    set_validity(&mut params, now, AUTHORITY_YEARS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted(names),
        excluded_subtrees: Vec::new(),
    });
    params
}

/// Subtrees of the names and of nothing else. X.509 permits a host's subdomains with the host.
fn permitted(names: &[String]) -> Vec<GeneralSubtree> {
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

/// # Errors
/// If the group or others may read or write the key.
fn check_private(key: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(key).map_err(|error| format!("{KEY}: {error}"))?;
    let mode = metadata.mode() & 0o7777;
    if mode & NOT_OWNER == 0 {
        return Ok(());
    }
    let shown = key.display();
    Err(format!(
        "{KEY}: not only its owner can read it (mode {mode:03o}); run chmod 600 {shown}, or {RENEW}"
    ))
}

fn set_common_name(params: &mut CertificateParams, name: String) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
}

/// Valid from a year before on.
fn set_validity(params: &mut CertificateParams, now: Timestamp, years: i64) {
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

fn write_atomically(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let stored = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name))?;
        Ok(())
    };
    stored().map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_773_309_600_000);

    /// What is told where the authority was made so many years before.
    fn open_after_years(years: i64) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a directory");
        let then = NOW.plus_ms(-years * YEAR_MS);
        let names = LOCAL_NAMES.map(str::to_owned);
        CertificateAuthority::open(folder.path(), &names, then).expect("it is made");
        let stored = CertificateAuthority::open(folder.path(), &names, NOW).expect("it is read");
        stored.issue(&names, NOW).map(drop)
    }

    #[test]
    fn an_authority_is_good_in_its_years_alone() {
        assert_eq!(open_after_years(AUTHORITY_YEARS - 1), Ok(()));
        for years in [AUTHORITY_YEARS + 1, -2] {
            let line = open_after_years(years).expect_err("clients do not take it");
            assert!(line.starts_with("ca.pem: "), "{line}");
            let ends = "; remove ca.pem and ca.key, and new ones are made";
            assert!(line.ends_with(ends), "{line}");
        }
    }
}
