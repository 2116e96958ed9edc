//! What holds for the project as a whole: its source tree and its dependencies.

mod dependencies;
mod tidy;
