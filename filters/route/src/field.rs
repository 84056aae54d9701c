//! Names of header fields: how they are written, and which of them a filter may fill.

use config::ConfigError;

/// Fields that make up a message.
const RESERVED: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "transfer-encoding",
];

/// RFC 9110 section 5.6.2: what names of fields, schemes and parameters consist of.
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A configured name in lower case. The error is told with its path.
pub fn name(text: &str, path: &str) -> Result<String, ConfigError> {
    if text.is_empty() || !text.bytes().all(is_tchar) {
        return Err(ConfigError::new(path, "must be an RFC 9110 header name"));
    }
    Ok(text.to_ascii_lowercase())
}

/// The same for a field that is to be a filter's own: none that makes up the message.
pub fn own_name(text: &str, path: &str) -> Result<String, ConfigError> {
    let name = name(text, path)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(ConfigError::new(path, "makes up the message itself"));
    }
    Ok(name)
}

/// Whether a server could read a header's name as ours, which is in lower case: some take `_` for `-`.
pub fn is_spelt(name: &[u8], ours: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() == ours.len() && name.iter().zip(ours).all(|(theirs, ours)| plain(theirs) == *ours)
}
