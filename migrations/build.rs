//! Tells cargo that a new migration is a reason to build: `sqlx::migrate!` reads this folder.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
