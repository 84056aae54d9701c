//! Request headers as bytes.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Bytes, MapType, Status};

/// All request headers in one host call, names in lower case as Envoy keeps them.
///
/// Repeated headers stay repeated here; Envoy's single-value call would join them with a comma.
pub fn request() -> Result<Vec<(String, Bytes)>, Status> {
    hostcalls::get_map_bytes(MapType::HttpRequestHeaders)
}

/// Every value of a header.
pub fn all<'a>(headers: &'a [(String, Bytes)], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
}

/// The first value of a header.
pub fn first<'a>(headers: &'a [(String, Bytes)], name: &'a str) -> Option<&'a [u8]> {
    all(headers, name).next()
}

/// The only value of a header: `Err` when there are several.
pub fn single<'a>(headers: &'a [(String, Bytes)], name: &'a str) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = all(headers, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Repeated),
    }
}

/// A header that may come once came several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

/// Sets a request header, in place of all its values.
pub fn set(name: &str, value: &[u8]) -> Result<(), Status> {
    hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value))
}

/// Removes all values of a request header.
pub fn remove(name: &str) -> Result<(), Status> {
    hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, None)
}
