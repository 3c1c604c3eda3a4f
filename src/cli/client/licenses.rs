//! The `licenses` command.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;

use super::print;

/// License of stuntdouble itself.
const OWN: &str = include_str!("../../../LICENSE");
/// File with the licenses of third-party software, in the program's folder. `docker/Dockerfile` makes it.
const THIRD_PARTY: &str = "licenses/THIRD-PARTY.txt.gz";

/// Writes stuntdouble's own license and those of all third-party software in it to standard output.
///
/// # Errors
/// Returns one line if the file with the third-party licenses is missing or broken.
pub fn show_licenses() -> Result<(), String> {
    let program =
        std::env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
    let path = program.with_file_name(THIRD_PARTY);
    let file = fs::File::open(&path).map_err(|error| {
        format!(
            "cannot read {}: {error}; only the container image has it, and docker/third_party.py prints \
             the same licenses",
            path.display()
        )
    })?;
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .map_err(|error| format!("{} is broken: {error}", path.display()))?;
    print(&format!("{OWN}\n{text}"))
}
