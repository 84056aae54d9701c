//! The `log` crate's messages in Envoy's log.

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::ffi::proxy_log;

struct HostLog;

static LOG: HostLog = HostLog;
const LEVEL: LevelFilter = LevelFilter::Info;
/// The specification's `PROXY_LOG_CRITICAL`.
const CRITICAL: u32 = 5;

/// Sends messages from info on, and what a panic has to say, to the host. Called once, when a VM starts.
pub fn init() {
    // Another logger can only be one that was set here before.
    let _ = log::set_logger(&LOG);
    log::set_max_level(LEVEL);
    std::panic::set_hook(Box::new(|panic| write(CRITICAL, &panic.to_string())));
}

impl Log for HostLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LEVEL
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Trace => 0,
            Level::Debug => 1,
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        write(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

fn write(level: u32, text: &str) {
    // SAFETY: the host reads the text before it returns. There is nobody to tell that a message was not taken.
    let _ = unsafe { proxy_log(level, text.as_ptr(), text.len()) };
}
