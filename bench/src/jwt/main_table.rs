//! The main table: one token again and again, and what each kind of chain makes of it.

use std::sync::Arc;

use anyhow::Result;
use serde_json::Value;
use tests::envoy::Setup;

use super::issuer::{Algorithm, Issuer};
use super::native::Native;
use super::ours::{self, Ours, Signatures};
use super::{Bench, PATH, PREFIX};
use crate::chain::Chain;
use crate::load::Traffic;
use crate::origin::Origin;
use crate::rounds;
use crate::table::Table;
use crate::wasm::Module;

const CACHED_TOKENS: u32 = 1000;
const EMPTY: &str = "empty";
const NATIVE: &str = "Envoy's jwt_authn";
const NATIVE_CACHED: &str = "Envoy's jwt_authn, cache";

pub(super) async fn run(bench: &Bench<'_>, name: &str, algorithm: Algorithm) -> Result<Table> {
    let issuer = Issuer::new(algorithm, 1)?;
    let origin = Origin::start(ours::documents(issuer.jwks.clone())).await?;
    let traffic = Arc::new(Traffic::new(PATH, &issuer.tokens(1)?)?);
    let paths = [PREFIX.to_owned()];
    let chain = |name: &str, native: Option<&str>, filters: Vec<Value>, module: Option<&Module>| Chain {
        name: name.to_owned(),
        over: (name != EMPTY).then(|| EMPTY.to_owned()),
        native: native.map(str::to_owned),
        setup: Setup { http_filters: filters, clusters: vec![origin.cluster()], plain: true, concurrency: 1 },
        traffic: Arc::clone(&traffic),
        module_bytes: module.map(|module| module.bytes),
    };
    let wasm = |name: &str, native: Option<&str>, module: &Module, configuration: &str| {
        chain(name, native, vec![module.filter(configuration)], Some(module))
    };
    let native = |cached_tokens| Native { jwks: &issuer.jwks, cached_tokens, paths: &paths }.filter();
    let ours = |cached_tokens, signatures| {
        Ours { algorithm, cached_tokens, signatures, paths: &paths }.configuration()
    };
    let module = Module::open(bench.module.clone())?;
    let chains = vec![
        chain(EMPTY, None, vec![], None),
        wasm("least Wasm", None, &Module::noop(bench.folder)?, ""),
        wasm("least Wasm, headers read", None, &Module::reading(bench.folder)?, ""),
        chain(NATIVE, None, vec![native(None)], None),
        chain(NATIVE_CACHED, None, vec![native(Some(CACHED_TOKENS))], None),
        wasm("this filter", Some(NATIVE), &module, &ours(Some(0), Signatures::Default)),
        wasm("this filter, cache", Some(NATIVE_CACHED), &module, &ours(None, Signatures::Default)),
        wasm(
            "this filter, signatures in the module",
            Some(NATIVE),
            &module,
            &ours(Some(0), Signatures::Module),
        ),
    ];
    let title = format!("{}: CPU time of Envoy per request", algorithm.name());
    let measured = rounds::run(&title, chains, bench.plan, bench.envoy).await?;
    Ok(Table::new(name, &title, &measured))
}
