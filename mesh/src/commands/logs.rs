//! Prints logs, and follows them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use crate::console::text;
use crate::place::Place;

const POLL: Duration = Duration::from_millis(200);

/// All logs whose name begins with `process`; one log exactly when it is a whole name.
pub async fn run(place: &Place, process: Option<&str>, follow: bool) -> Result<()> {
    let topology = place.topology()?;
    let folder = topology.state_dir.join("logs");
    let wanted = process.unwrap_or_default();
    let mut offsets: BTreeMap<PathBuf, u64> = BTreeMap::new();
    loop {
        let files = matching(&folder, wanted)?;
        if files.is_empty() {
            bail!("no process `{wanted}` has a log in {}, see `cargo mesh status`", folder.display());
        }
        let several = files.len() > 1;
        for file in files {
            let offset = offsets.entry(file.clone()).or_default();
            let news = read_from(&file, offset)?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            if several {
                news.lines().for_each(|line| text(format!("{name} {line}\n")));
            } else {
                text(news);
            }
        }
        if !follow {
            return Ok(());
        }
        sleep(POLL).await;
    }
}

fn matching(folder: &std::path::Path, wanted: &str) -> Result<Vec<PathBuf>> {
    let exact = folder.join(format!("{wanted}.log"));
    if exact.is_file() {
        return Ok(vec![exact]);
    }
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(wanted)));
    files.sort();
    Ok(files)
}

/// Whole lines only: what is being written is shown the next time.
fn read_from(path: &std::path::Path, offset: &mut u64) -> Result<String> {
    let context = || format!("{} cannot be read", path.display());
    let mut file = File::open(path).with_context(context)?;
    file.seek(SeekFrom::Start(*offset)).with_context(context)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(context)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    bytes.truncate(end);
    *offset += end as u64;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
