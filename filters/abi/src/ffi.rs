//! The host's functions, and the memory that it hands over.

use std::alloc::{Layout, alloc};
use std::ptr::{null, null_mut, slice_from_raw_parts_mut};

use crate::Buffer;

/// A host function did not do what it was asked; the number is the specification's `proxy_status_t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub u32);

impl Refused {
    /// `PROXY_STATUS_NOT_FOUND`
    pub const NOT_FOUND: Self = Self(1);
}

/// Success is 0, everything else a refusal.
pub(crate) fn check(status: u32) -> Result<(), Refused> {
    if status == 0 { Ok(()) } else { Err(Refused(status)) }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(crate) safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    pub(crate) safe fn proxy_set_effective_context(context: u32) -> u32;
    pub(crate) safe fn proxy_continue_stream(stream: u32) -> u32;
    pub(crate) safe fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    pub(crate) safe fn proxy_record_metric(id: u32, value: u64) -> u32;
    pub(crate) fn proxy_log(level: u32, text: *const u8, len: usize) -> u32;
    pub(crate) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    pub(crate) fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    pub(crate) fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, len: *mut usize) -> u32;
    pub(crate) fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    pub(crate) fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    pub(crate) fn proxy_remove_header_map_value(map: u32, name: *const u8, name_len: usize) -> u32;
    pub(crate) fn proxy_get_shared_data(
        key: *const u8,
        key_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
        version: *mut u32,
    ) -> u32;
    pub(crate) fn proxy_set_shared_data(
        key: *const u8,
        key_len: usize,
        data: *const u8,
        len: usize,
        version: u32,
    ) -> u32;
    pub(crate) fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;
    pub(crate) fn proxy_http_call(
        cluster: *const u8,
        cluster_len: usize,
        headers: *const u8,
        headers_len: usize,
        body: *const u8,
        body_len: usize,
        trailers: *const u8,
        trailers_len: usize,
        timeout_ms: u32,
        call: *mut u32,
    ) -> u32;
    pub(crate) fn proxy_set_property(
        path: *const u8,
        path_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    pub(crate) fn proxy_define_metric(kind: u32, name: *const u8, len: usize, id: *mut u32) -> u32;
    pub(crate) fn proxy_call_foreign_function(
        name: *const u8,
        name_len: usize,
        argument: *const u8,
        argument_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
}

/// Memory that the host fills: its owner becomes whoever gets it from the call that the host fills it for.
pub fn memory_allocate(bytes: usize) -> *mut u8 {
    match Layout::array::<u8>(bytes) {
        // SAFETY: the layout is not empty.
        Ok(layout) if bytes > 0 => unsafe { alloc(layout) },
        _ => null_mut(),
    }
}

/// What a call handed over, if it was anything.
pub(crate) fn received(
    call: impl FnOnce(*mut *mut u8, *mut usize) -> u32,
) -> Result<Option<Vec<u8>>, Refused> {
    let (mut data, mut len) = (null_mut(), 0);
    check(call(&raw mut data, &raw mut len))?;
    if data.is_null() || len == 0 {
        return Ok(None);
    }
    // SAFETY: the host got this memory from `memory_allocate` with exactly this length, filled it, and gave it away.
    let bytes = unsafe { Box::from_raw(slice_from_raw_parts_mut(data, len)) };
    Ok(Some(bytes.into_vec()))
}

/// A part of a buffer.
pub fn buffer(buffer: Buffer, start: usize, max: usize) -> Result<Vec<u8>, Refused> {
    // SAFETY: the host writes to both places before it returns.
    let bytes =
        received(|data, len| unsafe { proxy_get_buffer_bytes(buffer as u32, start, max, data, len) })?;
    Ok(bytes.unwrap_or_default())
}

/// A pointer for a call that takes nothing here.
pub(crate) const NOTHING: (*const u8, usize) = (null(), 0);

/// A name or value of the host's header maps in their serialised form, from a slice that is long enough.
pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}
