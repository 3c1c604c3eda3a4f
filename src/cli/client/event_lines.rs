//! Events of a stream as lines of JSON.

/// Splits a stream of server-sent events into lines of JSON.
#[derive(Debug, Default)]
pub(super) struct EventLines {
    /// Received bytes after the last complete event.
    rest: Vec<u8>,
}

impl EventLines {
    /// Adds received bytes. Returns a line for each event that is complete now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let mut lines = String::new();
        while let Some(end) = self.rest.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.rest.drain(..end + 2).collect();
            lines.extend(line(&String::from_utf8_lossy(&event)));
        }
        lines
    }

    /// Returns the bytes after the last complete event: the body of a response that is no stream.
    pub(super) fn into_rest(self) -> Vec<u8> {
        self.rest
    }
}

/// Returns the line of an event. `None` for comments, which have no data.
fn line(event: &str) -> Option<String> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let (id, name, data) = (field("id: ")?, field("event: ")?, field("data: ")?);
    Some(format!(
        "{{\"id\":{id},\"event\":\"{name}\",\"data\":{data}}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_of_pieces_returns_a_line_for_each_complete_event() {
        let mut events = EventLines::default();
        assert_eq!(
            events.push(b": events after revision 7\nid: 7\n\nid: 8\nev"),
            ""
        );
        let rest = events.push(b"ent: clock\ndata: {\"changed\":[]}\n\nid: 9\n");
        assert_eq!(
            rest,
            "{\"id\":8,\"event\":\"clock\",\"data\":{\"changed\":[]}}\n"
        );
        assert_eq!(events.into_rest(), b"id: 9\n");
    }
}
