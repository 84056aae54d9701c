//! What the VMs of one process share: data by key, with versions. Keys and data live as long as the process.

use crate::ffi::{Refused, check, proxy_get_shared_data, proxy_set_shared_data, received};

/// The data of a key, and their version.
pub fn get(key: &str) -> Result<Option<(Vec<u8>, u32)>, Refused> {
    let mut version = 0;
    let place = &raw mut version;
    let data = received(|data, len| {
        // SAFETY: the host reads the key, and writes to the three places, before it returns.
        unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, len, place) }
    });
    match data {
        Ok(data) => Ok(Some((data.unwrap_or_default(), version))),
        Err(Refused::NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Sets the data of a key; with a version only if it is still that one. It is compared for keys that exist alone.
pub fn set(key: &str, data: &[u8], version: Option<u32>) -> Result<(), Refused> {
    // SAFETY: the host reads both before it returns.
    check(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), data.as_ptr(), data.len(), version.unwrap_or(0))
    })
}
