//! A job log as GitHub shows it: groups as headings, annotations as sentences, masked values as `***`.

/// The runner's memory from line to line.
#[derive(Debug, Default)]
pub(super) struct Renderer {
    /// Values that are never shown.
    masks: Vec<String>,
    /// The token that ends a stretch without commands.
    stopped: Option<String>,
    /// True while a group is open.
    grouped: bool,
    /// The title of a group that is shown closed.
    folded: &'static str,
    /// Number of hidden lines since the closed group began.
    hidden: Option<usize>,
}

impl Renderer {
    /// A renderer that shows the group of this title closed, as GitHub shows every group.
    pub(super) fn folding(folded: &'static str) -> Self {
        Self { folded, ..Self::default() }
    }

    /// The lines to show for one line of output.
    pub(super) fn lines(&mut self, line: &str) -> Vec<String> {
        if let Some(token) = &self.stopped {
            if line.strip_prefix("::").and_then(|rest| rest.strip_suffix("::")) == Some(token) {
                self.stopped = None;
                return Vec::new();
            }
            return vec![self.plain(line)];
        }
        match command(line) {
            Some((name, title, data)) => self.command(name, title, &data),
            None => match &mut self.hidden {
                Some(hidden) => {
                    *hidden += 1;
                    Vec::new()
                }
                None => vec![self.plain(line)],
            },
        }
    }

    /// A line without a command.
    fn plain(&self, line: &str) -> String {
        let indent = if self.grouped { "  " } else { "" };
        format!("{indent}{}", self.masked(line))
    }

    /// A text with hidden secrets.
    fn masked(&self, text: &str) -> String {
        self.masks.iter().fold(text.to_owned(), |text, mask| text.replace(mask, "***"))
    }

    /// The lines of a command.
    fn command(&mut self, name: &str, title: Option<String>, data: &str) -> Vec<String> {
        match name {
            "group" if data == self.folded => {
                self.hidden = Some(0);
                Vec::new()
            }
            "group" => {
                self.grouped = true;
                vec![format!("▼ {}", self.masked(data))]
            }
            "endgroup" => {
                self.grouped = false;
                let closed = self.hidden.take().map(|lines| format!("▶ {} ({lines} lines)", self.folded));
                closed.into_iter().collect()
            }
            "add-mask" => {
                self.masks.push(data.to_owned());
                Vec::new()
            }
            "stop-commands" => {
                self.stopped = Some(data.to_owned());
                Vec::new()
            }
            "error" | "warning" | "notice" => self.annotation(name, title, data),
            _ => Vec::new(),
        }
    }

    /// An annotation: its title, then its message.
    fn annotation(&self, level: &str, title: Option<String>, data: &str) -> Vec<String> {
        let title = title.map(|title| format!("{level} annotation: {title}"));
        let message = data.lines().map(|line| format!("  {line}"));
        title.into_iter().chain(message).map(|line| self.masked(&line)).collect()
    }
}

/// Splits a workflow command: name, title, data. None if the line is text.
fn command(line: &str) -> Option<(&str, Option<String>, String)> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let title = properties.split(',').find_map(|property| property.trim().strip_prefix("title="));
    let title = title.map(|title| unescaped(&title.replace("%3A", ":").replace("%2C", ",")));
    Some((name, title, unescaped(data)))
}

/// Undoes the escapes of a command's data.
fn unescaped(text: &str) -> String {
    text.replace("%0D", "").replace("%0A", "\n").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_reads_like_on_github() {
        let log = "::add-mask::hush\nbegin\n::group::Look at %25\nsee hush\n::endgroup::\n::stop-commands::T1\n\
                   ::error::x\n::T1::\n::error title=Not a%3A b::why%0Ahow\nend";
        let mut renderer = Renderer::default();
        let lines: Vec<String> = log.lines().flat_map(|line| renderer.lines(line)).collect();
        let wanted = [
            "begin",
            "▼ Look at %",
            "  see ***",
            "::error::x",
            "error annotation: Not a: b",
            "  why",
            "  how",
            "end",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn a_group_that_is_closed_has_one_line_and_its_annotations() {
        let log =
            "::group::Look\none\n::warning::mind\ntwo\n::endgroup::\n::group::Plan\nthree\n::endgroup::";
        let mut renderer = Renderer::folding("Look");
        let lines: Vec<String> = log.lines().flat_map(|line| renderer.lines(line)).collect();
        assert_eq!(lines, ["  mind", "▶ Look (2 lines)", "▼ Plan", "  three"]);
    }
}
