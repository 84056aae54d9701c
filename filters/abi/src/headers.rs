//! Header maps, as bytes: what a client sends need not be text.

use crate::ffi::{
    Refused, check, le_u32, proxy_add_header_map_value, proxy_get_header_map_pairs,
    proxy_remove_header_map_value, proxy_replace_header_map_value, received,
};

/// A header map of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Map {
    /// The request's.
    Request = 0,
    /// The request's trailers.
    RequestTrailers = 1,
    /// The response's.
    Response = 2,
    /// Those of an answer to a call of [`crate::http::call`].
    CallResponse = 6,
}

/// A copy of a header map, names in lower case as Envoy keeps them, repeated headers repeated.
#[derive(Debug, Default)]
pub struct Headers {
    /// The specification's form: the number of pairs, the lengths of each name and value, then all of them, each
    /// with a NUL behind it.
    bytes: Vec<u8>,
}

impl Headers {
    /// All headers of a map, in one call.
    pub fn read(map: Map) -> Result<Self, Refused> {
        // SAFETY: the host writes to both places before it returns.
        let bytes = received(|data, len| unsafe { proxy_get_header_map_pairs(map as u32, data, len) })?;
        Ok(Self { bytes: bytes.unwrap_or_default() })
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let count = le_u32(&self.bytes, 0).unwrap_or(0);
        let lengths_end = count.saturating_mul(8).saturating_add(4);
        let (lengths, _) = self.bytes.get(4..lengths_end).unwrap_or_default().as_chunks::<8>();
        let mut rest = self.bytes.get(lengths_end..).unwrap_or_default();
        lengths.iter().map_while(move |lengths| {
            let name = take(&mut rest, le_u32(lengths, 0)?)?;
            Some((name, take(&mut rest, le_u32(lengths, 4)?)?))
        })
    }

    /// The first value of a header.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }
}

/// A text and the NUL behind it.
fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (text, behind) = rest.split_at_checked(len)?;
    *rest = behind.get(1..)?;
    Some(text)
}

/// Adds a header beside those of its name.
pub fn add(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: the host reads both before it returns.
    check(unsafe {
        proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Sets a request header in place of all of its name.
pub fn replace(name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: the host reads both before it returns.
    check(unsafe {
        proxy_replace_header_map_value(
            Map::Request as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Removes all headers of a name.
pub fn remove(map: Map, name: &[u8]) -> Result<(), Refused> {
    // SAFETY: the host reads the name before it returns.
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// The specification's form of a header map.
pub(crate) fn serialise(headers: &[(&str, &str)]) -> Vec<u8> {
    let len = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = u32::try_from(headers.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for (name, value) in headers {
        bytes.extend_from_slice(&len(name));
        bytes.extend_from_slice(&len(value));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}
