//! The main table: one token again and again, and what each kind of chain makes of it.

use anyhow::Result;

use super::documents::Documents;
use super::issuer::{Algorithm, Issuer};
use super::native::Native;
use super::ours::{Ours, Signatures};
use super::{COLUMNS, PATH, PREFIX};
use crate::rows::Common;
use crate::subject::Rig;
use crate::table::Table;
use crate::traffic::Traffic;
use crate::wasm::Module;

const CACHED_TOKENS: u32 = 1000;

pub(super) async fn run(rig: &Rig<'_>, algorithm: Algorithm) -> Result<Table> {
    let issuer = Issuer::new(algorithm, 1)?;
    let documents = Documents::start(&issuer.jwks, &[]).await?;
    let paths = [PREFIX.to_owned()];
    let common = Common::new(Traffic::get(PATH, &issuer.tokens(1)?)?, vec![documents.cluster()]);
    let native = |cached_tokens| Native { jwks: &issuer.jwks, cached_tokens, paths: &paths };
    let ours = |cached_tokens, signatures| {
        Ours { algorithm, cached_tokens, signatures, paths: &paths, ..Ours::default() }.configuration()
    };
    let mut rows = rig.rows();
    rows.empty(&common);
    rows.wasm(&common, "least Wasm", None, &Module::noop(rig.folder)?);
    rows.wasm(&common, "least Wasm, headers read", None, &Module::reading(rig.folder)?);
    let each = native(None).row(&mut rows, &common, "");
    let cached = native(Some(CACHED_TOKENS)).row(&mut rows, &common, "cache");
    rows.ours(&common, "", &each, &ours(Some(0), Signatures::Host));
    rows.ours(&common, "cache", &cached, &ours(None, Signatures::Host));
    rows.ours(&common, "by jwt-simple's crates in the module", &each, &ours(Some(0), Signatures::Module));
    rig.measure(&format!("{}: CPU time of Envoy per request", algorithm.name()), &COLUMNS, rows).await
}
