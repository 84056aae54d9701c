//! What the user sees: lines on standard output, steps with their times, and errors in one line.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// One line on standard output. A closed pipe is no error: who closed it has read enough.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Text without a line end.
pub fn text(text: impl Display) {
    let mut stdout = io::stdout().lock();
    let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// `error: what, where, what to do`, in one line.
pub fn error(problem: &anyhow::Error) {
    let joined = format!("{problem:#}").split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr().lock(), "error: {joined}");
}

/// One step of a longer job.
#[derive(Debug)]
pub struct Step {
    name: String,
    started: Instant,
    spinner: Option<ProgressBar>,
}

impl Step {
    /// Begins: a spinner on a terminal, nothing elsewhere.
    pub fn begin(name: impl Into<String>) -> Self {
        let name = name.into();
        let spinner = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style).with_message(name.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { name, started: Instant::now(), spinner }
    }

    /// Begins a step whose own program shows its progress.
    pub fn begin_silent(name: impl Into<String>) -> Self {
        Self { name: name.into(), started: Instant::now(), spinner: None }
    }

    /// Shows how far it is.
    pub fn note(&self, text: &str) {
        if let Some(bar) = &self.spinner {
            bar.set_message(format!("{}: {text}", self.name));
        }
    }

    /// Ends, with the time that it took.
    pub fn done(self, detail: impl Display) {
        if let Some(bar) = &self.spinner {
            bar.finish_and_clear();
        }
        let seconds = self.started.elapsed().as_secs_f64();
        line(format!("{seconds:6.1} s  {:<10} {detail}", self.name));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.spinner {
            bar.finish_and_clear();
        }
    }
}
