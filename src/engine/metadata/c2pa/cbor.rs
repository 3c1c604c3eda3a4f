//! CBOR as a tree, with all that is of no use here left out.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

/// How deep a tree may be.
const DEPTH_MAX: usize = 16;
/// How many nodes it may have.
const NODES_MAX: usize = 4096;

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    Text(&'a str),
    Number(u64),
    List(Vec<Node<'a>>),
    /// What has a text as its key.
    Map(Vec<(&'a str, Node<'a>)>),
    /// Bytes, truth values and the like, and texts in pieces.
    Other,
}

impl<'a> Node<'a> {
    /// The tree that `bytes` begin with; none where it is torn off, too deep or too large.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut nodes = NODES_MAX;
        node(&mut Decoder::new(bytes), DEPTH_MAX, &mut nodes).ok()
    }

    /// What stands under `key`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let (_, value) = entries.iter().find(|(name, _)| *name == key)?;
        Some(value)
    }

    /// The text under `key`.
    pub fn text_of(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.text()
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// The nodes of a list; else none.
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(nodes) => nodes,
            _ => &[],
        }
    }
}

fn node<'a>(from: &mut Decoder<'a>, depth: usize, nodes: &mut usize) -> Result<Node<'a>, Error> {
    *nodes = nodes
        .checked_sub(1)
        .ok_or_else(|| Error::message("too large"))?;
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Error::message("too deep"))?;
    match from.datatype()? {
        Type::String => from.str().map(Node::Text),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => from.u64().map(Node::Number),
        Type::Tag => {
            from.tag()?;
            node(from, depth, nodes)
        }
        Type::Array | Type::ArrayIndef => {
            let mut length = from.array()?;
            let mut list = Vec::new();
            while goes_on(from, &mut length)? {
                list.push(node(from, depth, nodes)?);
            }
            Ok(Node::List(list))
        }
        Type::Map | Type::MapIndef => {
            let mut length = from.map()?;
            let mut entries = Vec::new();
            while goes_on(from, &mut length)? {
                let key = node(from, depth, nodes)?;
                let value = node(from, depth, nodes)?;
                if let Node::Text(key) = key {
                    entries.push((key, value));
                }
            }
            Ok(Node::Map(entries))
        }
        _ => from.skip().map(|()| Node::Other),
    }
}

/// Whether a list or map goes on; of one whose length is not said the end is taken.
fn goes_on(from: &mut Decoder<'_>, length: &mut Option<u64>) -> Result<bool, Error> {
    match length {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.set_position(from.position() + 1);
            Ok(false)
        }
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trees_are_read_with_lengths_and_without() {
        let tree = Node::Map(vec![
            ("a", Node::List(vec![Node::Number(300), Node::Text("b")])),
            ("c", Node::Other),
        ]);
        assert_eq!(
            Node::read(b"\xa3\x61a\x82\x19\x01\x2c\xc0\x61b\x61c\x42xy\x01\xf6"),
            Some(tree.clone())
        );
        assert_eq!(
            Node::read(b"\xbf\x61a\x9f\x19\x01\x2c\x61b\xff\x61c\xf5\xff"),
            Some(tree)
        );
    }

    #[test]
    fn what_is_too_deep_too_large_or_torn_off_is_none() {
        assert_eq!(Node::read(&vec![0x81; 100_000]), None);
        assert_eq!(
            Node::read(&[&[0x9f][..], &vec![1; 100_000], &[0xff]].concat()),
            None
        );
        assert_eq!(
            Node::read(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            None
        );
        assert_eq!(Node::read(b"\x7b\xff\xff\xff\xff\xff\xff\xff\xffabc"), None);
        assert_eq!(Node::read(b"\xa1\x61a"), None);
        assert_eq!(Node::read(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(node) = Node::read(&bytes) {
                prop_assert_eq!(node.get("\u{0}nothing"), None);
            }
        }
    }
}
