//! The secret that signs, and the types that keep secrets apart from everything else.
//!
//! `data/secret.key` holds one key a line, the newest first: the first signs, all verify. It is
//! made at the first start and is never in the database, so a stolen database signs nobody in.

mod file;
mod seal;

pub use seal::{SEAL_OVERHEAD, Seal};

use super::{error::Error, private, random::Random};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hkdf};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::{io::Write, path::Path};

/// 256 bits, the least that HS256 may be keyed with (RFC 7518, 3.2).
const KEY_LEN: usize = 32;

/// The keys of this deployment, newest first. All nodes share them.
pub struct Secret(Vec<[u8; KEY_LEN]>);

/// A key made for one purpose; what one purpose signs means nothing to another.
pub struct DerivedKey {
    /// Names the key in a token's header; tells nothing about it.
    pub id: String,
    /// The key itself.
    pub bytes: [u8; KEY_LEN],
}

impl DerivedKey {
    /// Names a key.
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        let id = BASE64_URL_SAFE_NO_PAD.encode(&sha256(&bytes)[..6]);
        Self { id, bytes }
    }
}

impl Secret {
    /// Reads keys as written in the file or the environment.
    ///
    /// # Errors
    /// If a line is not 32 bytes in base64url, or there is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let keys: Vec<[u8; KEY_LEN]> = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let bytes = BASE64_URL_SAFE_NO_PAD
                    .decode(line.trim_end_matches('='))
                    .ok();
                bytes.and_then(|bytes| bytes.try_into().ok())
            })
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Error::Config("a key of the secret is not 32 bytes in base64url".to_owned())
            })?;
        if keys.is_empty() {
            return Err(Error::Config("the secret holds no key".to_owned()));
        }
        Ok(Self(keys))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If there is none, other users of the machine can read it, or it holds no keys.
    pub fn load(file: &Path) -> Result<Self, Error> {
        private::require(file)?;
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::Config(format!(
                "{}: the signing secret cannot be read: {error}. Run the command in the folder of the server and as \
                 its user, or set CLOAKROOM_DATA_DIR or CLOAKROOM_SECRET_KEY. If it is lost, start the server: it makes a new one and \
                 says what to do.",
                private::absolute(file)
            ))
        })?;
        Self::parse(&text)
    }

    /// Reads the file, making it first where there is none (mode 0600).
    ///
    /// # Errors
    /// If the file can be neither read nor made, other users of the machine can read it, or it holds no keys.
    pub fn load_or_make(file: &Path, random: &Random) -> Result<Self, Error> {
        let io = |source| Error::Io {
            what: file.display().to_string(),
            source,
        };
        if !file.exists() {
            let key = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<KEY_LEN>()?);
            // Another process may have been first; its key is as good.
            make_whole(file, &format!("{key}\n"), &random.id()?).map_err(io)?;
        }
        Self::load(file)
    }

    /// What tells this secret from another, newest key first; it tells nothing else.
    ///
    /// # Errors
    /// Never in practice: the lengths are fixed.
    pub fn fingerprints(&self) -> Result<Vec<String>, Error> {
        let keys = self.derive("fingerprint")?;
        Ok(keys.into_iter().map(|key| key.id).collect())
    }

    /// One key a purpose (HKDF-SHA256, RFC 5869), newest first.
    ///
    /// # Errors
    /// Never in practice: the lengths are fixed.
    pub fn derive(&self, purpose: &'static str) -> Result<Vec<DerivedKey>, Error> {
        self.derive_for(purpose)
    }

    /// Derives one key a purpose and epoch, newest first. The empty epoch gives the keys of
    /// [`Self::derive`].
    ///
    /// # Errors
    /// Never in practice: the lengths are fixed.
    pub fn derive_in(&self, purpose: &'static str, epoch: &str) -> Result<Vec<DerivedKey>, Error> {
        if epoch.is_empty() {
            return self.derive(purpose);
        }
        self.derive_for(&format!("{purpose} {epoch}"))
    }

    fn derive_for(&self, purpose: &str) -> Result<Vec<DerivedKey>, Error> {
        self.0
            .iter()
            .map(|key| {
                let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"cloakroom").extract(key);
                let mut bytes = [0; KEY_LEN];
                prk.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
                    .and_then(|okm| okm.fill(&mut bytes))
                    .map_err(|_| Error::Crypto("hkdf"))?;
                Ok(DerivedKey::new(bytes))
            })
            .collect()
    }
}

/// Makes a private file that is never seen half written, unless there is one already.
fn make_whole(file: &Path, text: &str, name: &str) -> std::io::Result<()> {
    let draft = file.with_file_name(format!(".{name}.new"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&draft)?;
    let written = new
        .write_all(text.as_bytes())
        .and_then(|()| new.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, file))
        // The name must outlive a power cut as well.
        .and_then(|()| sync_folder(file));
    std::fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn sync_folder(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// One short text for several, which no other texts have: for looking up what need not be stored.
pub fn fingerprint(texts: &[&str]) -> String {
    // The lengths keep "ab" and "c" apart from "a" and "bc".
    let joined = texts.iter().map(|text| format!("{} {text} ", text.len()));
    BASE64_URL_SAFE_NO_PAD.encode(sha256(joined.collect::<String>().as_bytes()))
}

/// A session's secret identifier, 128 random bits. It lives in the cookie alone.
pub struct PlainSid(String);

impl PlainSid {
    /// A new one.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate(random: &Random) -> Result<Self, Error> {
        random.id().map(Self)
    }

    /// One that came back inside a token whose signature was right.
    pub fn from_token(sid: String) -> Self {
        Self(sid)
    }

    /// The text that goes into the token, and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps. A fast hash is right for 128 random bits (ASVS 6.5.2).
    pub fn hashed(&self) -> HashedSid {
        HashedSid(BASE64_URL_SAFE_NO_PAD.encode(sha256(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for PlainSid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainSid(…)")
    }
}

/// The SHA-256 of a sid: what a stolen database holds, and no cookie can be made from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HashedSid(String);

impl HashedSid {
    /// One that the database holds.
    pub fn from_row(hashed: String) -> Self {
        Self(hashed)
    }

    /// The text of the column.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client proves itself by, 256 random bits. It is shown once, when it is made.
pub struct PlainClientSecret(String);

impl PlainClientSecret {
    /// A new one. What it begins with lets scanners of source code find a leaked one.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate(random: &Random) -> Result<Self, Error> {
        let bytes = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>()?);
        Ok(Self(format!("cs_{bytes}")))
    }

    /// One that somebody shows.
    pub fn shown(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// The text, for the operator's eyes alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps. A fast hash is right for 256 random bits (ASVS 6.5.2).
    pub fn hashed(&self) -> HashedClientSecret {
        HashedClientSecret(BASE64_URL_SAFE_NO_PAD.encode(sha256(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for PlainClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainClientSecret(…)")
    }
}

/// The SHA-256 of a client's secret: nobody can authenticate with it.
#[derive(Clone, Debug)]
pub struct HashedClientSecret(String);

impl HashedClientSecret {
    /// One that the database holds.
    pub fn from_row(hashed: String) -> Self {
        Self(hashed)
    }

    /// The text of the column.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is its secret, in the same time whatever is shown.
    pub fn is_of(&self, shown: &PlainClientSecret) -> bool {
        let shown = shown.hashed();
        verify_slices_are_equal(self.0.as_bytes(), shown.0.as_bytes()).is_ok()
    }
}
