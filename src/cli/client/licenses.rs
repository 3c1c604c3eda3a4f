//! The `licenses` command.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;

use super::print;

/// License of stuntdouble itself.
const OWN_LICENSE: &str = include_str!("../../../LICENSE");
/// File with the licenses of third-party software, relative to the program's folder.
/// `docker/Dockerfile` creates the file.
const THIRD_PARTY: &str = "licenses/THIRD-PARTY.txt.gz";

/// Prints stuntdouble's license and the licenses of all third-party software in it.
///
/// # Errors
/// Returns one line if the file with the third-party licenses is missing or broken.
pub fn show_licenses() -> Result<(), String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("cannot determine the path of the program: {error}"))?;
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
    print(&format!("{OWN_LICENSE}\n{text}"))
}
