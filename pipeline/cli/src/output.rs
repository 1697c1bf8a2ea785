//! What goes to stdout (data) and to stderr (talk). A closed pipe ends the program quietly.

use std::io::{self, IsTerminal as _, Write as _};

/// Prints one line of data.
#[allow(clippy::print_stdout, reason = "this is the one place that writes data")]
pub(crate) fn data(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    if let Err(e) = writeln!(stdout, "{line}") {
        end_on_closed_pipe(&e);
    }
}

/// Prints one value as a line of JSON data.
pub(crate) fn json(value: &impl serde::Serialize) {
    data(serde_json::to_string(value).expect("our own values are JSON"));
}

/// Says something to the person, on stderr.
#[allow(clippy::print_stderr, reason = "this is the one place that talks")]
pub(crate) fn say(line: impl std::fmt::Display) {
    // Nobody is left to be told when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Tells whether stderr is a terminal that can show progress in place.
pub(crate) fn talks_to_a_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes a number of bytes for people: `4.2 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            let digits = usize::from(unit != "B" && value < 99.5);
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} PB")
}

/// Shows control characters as escapes, so that a file name cannot play with the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            escaped.into_iter().flatten().chain((!c.is_control()).then_some(c))
        })
        .collect()
}

fn end_on_closed_pipe(error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    say(format!("error: cannot write to stdout: {error}"));
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let said: Vec<_> =
            [0, 999, 1000, 99_960, 1_500_000, 2_000_000_000_000_000].map(bytes).into();
        assert_eq!(said, ["0 B", "999 B", "1.0 kB", "100 kB", "1.5 MB", "2.0 PB"]);
    }

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(plain("a\n\u{1b}[31mü"), "a\\n\\u{1b}[31mü");
    }
}
