//! The service's side: its own extractor and readers, which tell what they have read, and its own routes.

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router, middleware};
use clap::Parser as _;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use kit::amounts::{Judged, MovesMoney, Rules};
use order::domain::NewOrder;
use payment::domain::NewPayment;
use serde::Serialize;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tests::upstream::MARK;
use tokio::net::TcpListener;

use crate::posts::{ORDER, PAYMENT};

/// Says of a body that it takes, in place of doing what the body says, what it has read and what the filter has told it.
async fn read<T: MovesMoney + Serialize>(headers: HeaderMap, Judged(read): Judged<T>) -> Json<Value> {
    let told = headers.get_all("x-amount-verified").iter().map(HeaderValue::as_bytes);
    let told: Vec<_> = told.map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    Json(json!({"read": read, "told": told}))
}

async fn marked(mut response: Response) -> Response {
    response.headers_mut().insert(MARK, HeaderValue::from_static("1"));
    response
}

/// Both services as far as they read bodies. Their answers are marked.
pub(crate) async fn reader() -> Result<SocketAddr> {
    let rules = |rule| Rules::new(rule).map_err(|problem| anyhow!(problem));
    let orders = Router::new().route(ORDER, post(read::<NewOrder>)).with_state(rules(order::AMOUNT_RULE)?);
    let payments =
        Router::new().route(PAYMENT, post(read::<NewPayment>)).with_state(rules(payment::AMOUNT_RULE)?);
    serve(orders.merge(payments).layer(middleware::map_response(marked))).await
}

/// Both services themselves, with stores of their own. Nobody pays, and nobody says who may.
pub(crate) struct Services {
    pub(crate) address: SocketAddr,
    _databases: [Database; 2],
}

impl Services {
    pub(crate) async fn start() -> Result<Self> {
        let database = || Database::new(Kind::Sqlite).context("a database");
        let databases = [database()?, database()?];
        let url = |index: usize| ["service", "--database-url", &databases[index].url];
        let nobody = "http://127.0.0.1:9";
        let arguments = url(0).into_iter().chain(["--payment-url", nobody]);
        let orders = order::start(&order::config::Config::try_parse_from(arguments)?).await?;
        let arguments = url(1).into_iter().chain(["--auth-url", nobody]);
        let payments = payment::start(&payment::config::Config::try_parse_from(arguments)?).await?;
        let address = serve(order::router(orders).merge(payment::router(payments))).await?;
        Ok(Self { address, _databases: databases })
    }
}

async fn serve(routes: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = kit::server::with_defaults(routes);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}
