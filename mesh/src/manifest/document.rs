//! One YAML document: its place in a file, and its kind.

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::istio::{
    AuthorizationPolicy, DestinationRule, Gateway, PeerAuthentication, Telemetry, VirtualService, WasmPlugin,
};
use super::kubernetes::{Deployment, Kustomization, Namespace, PodDisruptionBudget, Service, ServiceAccount};

/// A document and where it was read.
#[derive(Debug, Clone)]
pub struct Located {
    /// The file.
    pub file: String,
    /// The document's number in the file, counted from 1.
    pub number: usize,
    /// What it says.
    pub document: Document,
}

impl Located {
    /// File and number, for messages.
    pub fn place(&self) -> String {
        place(&self.file, self.number)
    }
}

/// A kind of document.
pub trait Kind: Sized {
    /// The document, if it is of this kind.
    fn of(document: &Document) -> Option<&Self>;
}

macro_rules! kinds {
    ($($kind:ident $api:literal,)+) => {
        /// A document of a known kind.
        #[derive(Debug, Clone)]
        #[expect(missing_docs, reason = "the variants are the kinds, documented at their types")]
        pub enum Document {
            $($kind(Box<$kind>),)+
        }

        impl Document {
            /// Kind and name, which are unique in a mesh.
            pub fn title(&self) -> String {
                match self {
                    $(Self::$kind(body) => format!("{} `{}`", stringify!($kind), body.metadata.name),)+
                }
            }

            fn read(api: &str, kind: &str, body: Value) -> Result<Self> {
                match kind {
                    $(stringify!($kind) if api == $api => Ok(Self::$kind(typed(body)?)),)+
                    $(stringify!($kind) => {
                        bail!(concat!("apiVersion: `{}` is not known for this kind, `", $api, "` is"), api)
                    })+
                    _ => bail!("kind: `{kind}` is not known; this mesh knows {}", KINDS.join(", ")),
                }
            }
        }

        const KINDS: &[&str] = &[$(stringify!($kind),)+];

        $(impl Kind for $kind {
            fn of(document: &Document) -> Option<&Self> {
                match document {
                    Document::$kind(body) => Some(body),
                    _ => None,
                }
            }
        })+
    };
}

kinds! {
    Kustomization "kustomize.config.k8s.io/v1beta1",
    Namespace "v1",
    ServiceAccount "v1",
    Service "v1",
    Deployment "apps/v1",
    PodDisruptionBudget "policy/v1",
    DestinationRule "networking.istio.io/v1",
    VirtualService "networking.istio.io/v1",
    Gateway "networking.istio.io/v1",
    PeerAuthentication "security.istio.io/v1",
    AuthorizationPolicy "security.istio.io/v1",
    WasmPlugin "extensions.istio.io/v1alpha1",
    Telemetry "telemetry.istio.io/v1",
}

/// Reads all documents of a file's text.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Located>> {
    let values: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| anyhow!("{file}: this is not YAML: {error}"))?;
    values
        .into_iter()
        .enumerate()
        .filter(|(_, value)| !value.is_null())
        .map(|(index, value)| {
            let number = index + 1;
            let document = read(value).map_err(|error| anyhow!("{}: {error}", place(file, number)))?;
            Ok(Located { file: file.to_owned(), number, document })
        })
        .collect()
}

/// Reads one document.
pub(super) fn read(mut value: Value) -> Result<Document> {
    let Some(body) = value.as_object_mut() else { bail!("a mapping was expected") };
    let mut text = |key: &str| match body.remove(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(anyhow!("{key}: is missing")),
    };
    let (api, kind) = (text("apiVersion")?, text("kind")?);
    Document::read(&api, &kind, value).map_err(|error| anyhow!("{kind}: {error}"))
}

fn typed<T: DeserializeOwned>(body: Value) -> Result<Box<T>> {
    serde_path_to_error::deserialize(body).map(Box::new).map_err(|error| {
        let path = error.path().to_string();
        anyhow!("{path}: {}", error.into_inner())
    })
}

fn place(file: &str, number: usize) -> String {
    format!("{file}, document {number}")
}

/// A name, and what else Kubernetes wants to know of each object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Unique among the objects of a kind.
    #[serde(default)]
    pub name: String,
    /// `finpay` for all but the namespace itself.
    #[serde(default)]
    pub namespace: Option<String>,
    /// What selectors look at.
    #[serde(default)]
    pub labels: super::Labels,
    /// Read by Istio's injector; of no effect on one machine.
    #[serde(default)]
    pub annotations: super::Labels,
}
