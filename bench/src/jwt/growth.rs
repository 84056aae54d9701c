//! What grows: tokens, keys, rules, revocations, workers. ES256, with both caches large enough for all tokens.

use std::sync::Arc;

use anyhow::{Result, bail};

use super::documents::Documents;
use super::issuer::{Algorithm, Issuer};
use super::native::Native;
use super::ours::Ours;
use super::{COLUMNS, PATH, PREFIX};
use crate::rows::{Common, Rows, counted};
use crate::subject::Rig;
use crate::table::Table;
use crate::traffic::Traffic;

const TOKENS: [usize; 4] = [1, 100, 10_000, 100_000];
const KEYS: [usize; 3] = [1, 10, 100];
const RULES: [usize; 3] = [1, 10, 100];
const REVOCATIONS: [usize; 3] = [0, 1_000, 100_000];
const WORKERS: [u32; 2] = [1, 2];
/// So many tokens any cache holds by the filter's own choice; Envoy's has to be told.
const CACHED_TOKENS: usize = 1000;

/// One size of what grows.
struct Size<'a> {
    label: String,
    jwks: &'a str,
    paths: &'a [String],
    tokens: usize,
}

impl Size<'_> {
    /// Both filters, both with a cache.
    fn add(&self, rows: &mut Rows, common: &Common) -> Result<()> {
        // Twice the room that they need: lookups are measured here, not how a full cache chooses whom to drop.
        let size = u32::try_from((2 * self.tokens).max(CACHED_TOKENS))?;
        let native = Native { jwks: self.jwks, cached_tokens: Some(size), paths: self.paths };
        let native = native.row(rows, common, &self.label);
        let cached_tokens = (size as usize > CACHED_TOKENS).then_some(size);
        let ours = Ours { cached_tokens, paths: self.paths, ..Ours::default() };
        rows.ours(common, &self.label, &native, &ours.configuration());
        Ok(())
    }
}

pub(super) async fn tokens(rig: &Rig<'_>) -> Result<Table> {
    let issuer = Issuer::new(Algorithm::Es256, 1)?;
    let documents = Documents::start(&issuer.jwks, &[]).await?;
    let paths = paths(1);
    let mut common = common(&issuer, &documents)?;
    let mut rows = rig.rows();
    rows.empty(&common);
    for tokens in TOKENS {
        common.traffic = Arc::new(Traffic::get(PATH, &issuer.tokens(tokens)?)?);
        let size = Size { label: counted(tokens, "token"), jwks: &issuer.jwks, paths: &paths, tokens };
        size.add(&mut rows, &common)?;
    }
    rig.measure("Distinct tokens, one after the other", &COLUMNS, rows).await
}

pub(super) async fn keys(rig: &Rig<'_>) -> Result<Table> {
    let paths = paths(1);
    let mut rows = rig.rows();
    // They have to serve until all is measured.
    let mut all_documents = Vec::new();
    for keys in KEYS {
        let issuer = Issuer::new(Algorithm::Es256, keys)?;
        let documents = Documents::start(&issuer.jwks, &[]).await?;
        let common = common(&issuer, &documents)?;
        if keys == KEYS[0] {
            rows.empty(&common);
        }
        let size = Size { label: counted(keys, "key"), jwks: &issuer.jwks, paths: &paths, tokens: 1 };
        size.add(&mut rows, &common)?;
        all_documents.push(documents);
    }
    rig.measure("Keys in the set", &COLUMNS, rows).await
}

pub(super) async fn rules(rig: &Rig<'_>) -> Result<Table> {
    let issuer = Issuer::new(Algorithm::Es256, 1)?;
    let documents = Documents::start(&issuer.jwks, &[]).await?;
    let common = common(&issuer, &documents)?;
    let mut rows = rig.rows();
    rows.empty(&common);
    for rules in RULES {
        let paths = paths(rules);
        let size = Size { label: counted(rules, "rule"), jwks: &issuer.jwks, paths: &paths, tokens: 1 };
        size.add(&mut rows, &common)?;
    }
    rig.measure("Rules, of which the last matches", &COLUMNS, rows).await
}

pub(super) async fn revocations(rig: &Rig<'_>) -> Result<Table> {
    let issuer = Issuer::new(Algorithm::Es256, 1)?;
    let documents = Documents::start(&issuer.jwks, &REVOCATIONS).await?;
    let common = common(&issuer, &documents)?;
    let paths = paths(1);
    let mut rows = rig.rows();
    rows.empty(&common);
    let cached_tokens = Some(u32::try_from(CACHED_TOKENS)?);
    let native = Native { jwks: &issuer.jwks, cached_tokens, paths: &paths };
    let native = native.row(&mut rows, &common, "which knows none");
    for revocations in REVOCATIONS {
        let ours = Ours { paths: &paths, revocations: Some(revocations), ..Ours::default() };
        rows.ours(&common, &counted(revocations, "revocation"), &native, &ours.configuration());
    }
    let table = rig.measure("Revocations that the filter holds", &COLUMNS, rows).await?;
    let measured = table.rows.iter().filter(|row| row.skipped.is_none()).count();
    if measured == REVOCATIONS.len() + 2
        && let Some(size) = documents.unread()
    {
        bail!("the filter did not read the feed of {size} revocations to its end");
    }
    Ok(table)
}

pub(super) async fn workers(rig: &Rig<'_>) -> Result<Table> {
    let issuer = Issuer::new(Algorithm::Es256, 1)?;
    let documents = Documents::start(&issuer.jwks, &[]).await?;
    let paths = paths(1);
    let mut common = common(&issuer, &documents)?;
    let mut rows = rig.rows();
    for workers in WORKERS {
        common.workers = workers;
        common.empty = format!("empty, {}", counted(workers, "worker"));
        rows.empty(&common);
        let size = Size { label: counted(workers, "worker"), jwks: &issuer.jwks, paths: &paths, tokens: 1 };
        size.add(&mut rows, &common)?;
    }
    rig.measure("Worker threads of Envoy", &COLUMNS, rows).await
}

fn common(issuer: &Issuer, documents: &Documents) -> Result<Common> {
    Ok(Common::new(Traffic::get(PATH, &issuer.tokens(1)?)?, vec![documents.cluster()]))
}

/// So many prefixes; the last is that of the requests.
fn paths(count: usize) -> Vec<String> {
    let others = (1..count).map(|number| format!("/reports/of-kind-{number}"));
    others.chain([PREFIX.to_owned()]).collect()
}
