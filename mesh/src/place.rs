//! Where the project and its meshes lie on this machine.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cli::At;
use crate::control::Control;
use crate::topology::Topology;

/// The manifests that every mesh and every cluster starts from.
const MANIFESTS: &str = "k8s/base";

/// The project's folders, and one mesh in it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The workspace.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// The mesh's name.
    pub name: String,
    /// The mesh's folder.
    pub state_dir: PathBuf,
}

impl Place {
    /// Finds the workspace, and the mesh's folder in it.
    pub fn find(at: &At) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if at.name.is_empty() || at.name.len() > 40 || !at.name.bytes().all(allowed) {
            bail!("--name {}: 1 to 40 letters, digits, `-` and `_` are allowed", at.name);
        }
        let root = workspace()?;
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let given = at.state_dir.clone().unwrap_or_else(|| target.join("mesh").join(&at.name));
        let state_dir =
            std::path::absolute(&given).with_context(|| format!("--state-dir {}", given.display()))?;
        Ok(Self { root, target, name: at.name.clone(), state_dir })
    }

    /// What `up` wrote of this mesh, running or not.
    pub fn topology(&self) -> Result<Topology> {
        let file = Topology::file(&self.state_dir);
        match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| {
                format!("{} is not of this version, remove it and run `cargo mesh up`", file.display())
            }),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => {
                bail!(
                    "there is no mesh `{}` in {}, start it by `cargo mesh up`",
                    self.name,
                    self.state_dir.display()
                )
            }
            Err(problem) => Err(problem).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    /// The running mesh, or an error that says that it does not run.
    pub async fn running(&self) -> Result<(Topology, Control)> {
        let topology = self.topology()?;
        let control = Control::new(&topology)?;
        if control.status().await?.is_none() {
            bail!("the mesh `{}` does not run, start it by `cargo mesh up`", self.name);
        }
        Ok((topology, control))
    }

    /// The folder of the manifests.
    pub fn manifests(&self) -> PathBuf {
        self.root.join(MANIFESTS)
    }

    /// The Envoy binary.
    pub fn envoy(&self) -> PathBuf {
        crate::envoy::binary(&self.target)
    }
}

/// cargo says where the crate is; a binary that was started by hand looks upwards.
fn workspace() -> Result<PathBuf> {
    let is_root = |folder: &Path| {
        folder.join(MANIFESTS).join("kustomization.yaml").is_file()
            && folder.join("mesh/Cargo.toml").is_file()
    };
    let by_cargo =
        env::var_os("CARGO_MANIFEST_DIR").and_then(|dir| Some(PathBuf::from(dir).parent()?.to_owned()));
    if let Some(root) = by_cargo.filter(|root| is_root(root)) {
        return Ok(root);
    }
    let current = env::current_dir().context("the current folder cannot be read")?;
    let found = current.ancestors().find(|folder| is_root(folder)).map(Path::to_owned);
    found.with_context(|| format!("{} is not inside FinPay's workspace, change to it", current.display()))
}

/// Writes a file so that readers see the old or the new content, never a part.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(content)?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
