//! What is seen on standard error while it runs.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal; elsewhere one line, so that a log shows what is being measured.
pub fn bar(title: &str, steps: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        eprintln!("measures: {title}");
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}, {eta} left  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}
