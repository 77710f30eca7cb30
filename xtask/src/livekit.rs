//! The LiveKit server: finding or building its program, and running it on this machine only.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{process, report, tools, workspace};

/// The version that this project is tried with. 1.13.6 and later cannot be built by `go install`.
const VERSION: &str = "1.13.5";

/// Finds the program: `LIVEKIT_SERVER`, then `livekit-server` on the PATH, then the one built before into the user's
/// cache; and builds it there when there is none.
///
/// # Errors
/// When it has to be built and Go is missing or the build fails.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(path) = env::var_os("LIVEKIT_SERVER").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    if let Some(path) = tools::find("livekit-server") {
        return Ok(path);
    }
    let folder = workspace::cache()?.join(format!("livekit-server-{VERSION}"));
    let program = folder.join("livekit-server");
    if program.is_file() {
        return Ok(program);
    }
    tools::require(&[tools::GO])?;
    report::part(
        "Building the LiveKit server, once (about two minutes)",
        || {
            // Built beside its place and then moved, so that a build that was stopped leaves nothing half done.
            let build = folder.join(format!("build-{}", std::process::id()));
            fs::create_dir_all(&build)?;
            process::run_logged(
                process::attached("go")
                    .arg("install")
                    .arg(format!(
                        "github.com/livekit/livekit-server/cmd/server@v{VERSION}"
                    ))
                    .env("GOBIN", &build)
                    .env("GOFLAGS", "-trimpath"),
                &workspace::target().join("xtask/livekit-build.log"),
            )?;
            fs::rename(build.join("server"), &program)
                .context("`go install` left no program `server`")?;
            let _ = fs::remove_dir(&build);
            Ok(())
        },
    )?;
    Ok(program)
}
