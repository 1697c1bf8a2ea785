//! XMP: RDF/XML flattened into paths such as `dc:title` or `mwg-rs:Regions/mwg-rs:Name`.
//!
//! Namespaces are resolved, so a packet may use any prefix; paths are written with the
//! usual ones. Containers (`rdf:Bag`, `rdf:Seq`, `rdf:Alt`, `rdf:li`), nested
//! descriptions and `rdf:value` add nothing to a path. Entities beyond XML's five are
//! not expanded, so a packet cannot grow; depth and the number of values are bounded.
//!
//! Source: XMP specification part 1 (ISO 16684-1), section 7.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};

use super::text;

/// Deeper elements are skipped; the deepest structure in use (regions) needs about twelve.
const DEEPEST: usize = 64;

/// The most values kept; edit histories of real files reach some thousands.
const MOST_VALUES: usize = 20_000;

/// The longest path in bytes; the longest that a field is read from has about 70.
const LONGEST_PATH: usize = 256;

/// The longest language tag in bytes that must be supported (RFC 5646 section 4.4.1).
const LONGEST_LANGUAGE: usize = 35;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// One text of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    language: Option<String>,
    text: String,
}

/// One XMP packet, read.
#[derive(Debug, Default)]
pub(super) struct Xmp {
    properties: BTreeMap<String, Vec<Value>>,
    values: usize,
    is_rdf: bool,
    pub(super) damage: Vec<String>,
}

impl Xmp {
    /// Reads a packet; whatever stands before the first damage is kept.
    pub(super) fn read(packet: &[u8]) -> Self {
        let mut xmp = Self::default();
        let decoded = text::xml(packet);
        // A packet may be followed by padding of zeros or by a GIF trailer.
        let body = decoded.split('\0').next().unwrap_or_default();
        let Some(start) = body.find('<') else {
            xmp.damage.push("xmp: not XML".to_owned());
            return xmp;
        };
        if let Err(error) = xmp.walk(&body[start..]) {
            xmp.damage.push(format!("xmp: {error}"));
        }
        xmp
    }

    /// Every text at a path, in document order; of language alternatives all.
    pub(super) fn all(&self, path: &str) -> impl Iterator<Item = &str> {
        self.properties.get(path).into_iter().flatten().map(|value| value.text.as_str())
    }

    /// The text at a path; of language alternatives the default one, else the first.
    pub(super) fn one(&self, path: &str) -> Option<&str> {
        let values = self.properties.get(path)?;
        let default = values.iter().find(|value| value.language.as_deref() == Some("x-default"));
        default.or(values.first()).map(|value| value.text.as_str())
    }

    /// Tells whether there was an RDF element, without which it is not XMP.
    pub(super) fn is_rdf(&self) -> bool {
        self.is_rdf
    }

    fn walk(&mut self, body: &str) -> Result<(), quick_xml::Error> {
        let mut reader = NsReader::from_str(body);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let mut open: Vec<Element> = Vec::new();
        // Deeper elements are only counted.
        let mut below = 0_usize;
        loop {
            match reader.read_event()? {
                Event::Start(_) if below > 0 || open.len() >= DEEPEST => {
                    if below == 0 {
                        self.damage.push(format!("xmp: deeper than {DEEPEST} elements"));
                    }
                    below += 1;
                }
                Event::End(_) if below > 0 => below -= 1,
                Event::Start(start) => {
                    let element = self.open(&reader, &start, open.last_mut());
                    open.push(element);
                }
                Event::Empty(start) if below == 0 && open.len() < DEEPEST => {
                    let element = self.open(&reader, &start, open.last_mut());
                    self.close(element);
                }
                Event::End(_) => {
                    if let Some(element) = open.pop() {
                        self.close(element);
                    }
                }
                Event::Text(piece) if below == 0 => append(&mut open, &piece),
                Event::CData(piece) if below == 0 => append(&mut open, &piece),
                Event::GeneralRef(entity) if below == 0 => {
                    if let Some(resolved) = resolve(&entity) {
                        append(&mut open, &resolved);
                    }
                }
                Event::Eof => {
                    if !open.is_empty() {
                        self.damage.push("xmp: the packet is cut short".to_owned());
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// Opens an element: extends the path, and takes its attributes as properties.
    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        parent: Option<&mut Element>,
    ) -> Element {
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let namespace = namespace_of(&namespace);
        let mut element = Element::default();
        if let Some(parent) = parent {
            parent.has_children = true;
            element.path = parent.path.clone();
            element.language = parent.language.clone();
            element.in_rdf = parent.in_rdf;
        }
        if namespace == RDF {
            element.in_rdf = true;
            self.is_rdf = true;
        } else if element.in_rdf {
            extend(&mut element.path, &namespace, local.as_ref());
        }
        for attribute in start.attributes().with_checks(false).flatten() {
            self.attribute(reader, &mut element, attribute.key, &attribute.value);
        }
        element
    }

    fn attribute(
        &mut self,
        reader: &NsReader<&[u8]>,
        element: &mut Element,
        name: QName<'_>,
        raw: &str,
    ) {
        if name.as_namespace_binding().is_some() || !element.in_rdf {
            return;
        }
        let value = unescape(raw);
        let (namespace, local) = reader.resolver().resolve_attribute(name);
        let namespace = namespace_of(&namespace);
        match (namespace.as_ref(), local.as_ref()) {
            (XML, "lang") if value.len() <= LONGEST_LANGUAGE => {
                element.language = Some(value.to_ascii_lowercase());
            }
            // A link is the property's value: <plus:Licensor rdf:resource="https://..."/>.
            (RDF, "resource" | "value") if !element.path.is_empty() => {
                element.has_children = true;
                self.keep(element.path.clone(), None, &value);
            }
            (RDF | XML | "", _) => {}
            (namespace, local) => {
                element.has_children = true;
                let mut path = element.path.clone();
                extend(&mut path, namespace, local);
                self.keep(path, None, &value);
            }
        }
    }

    /// Closes an element: one without children is a value.
    fn close(&mut self, element: Element) {
        if !element.has_children && !element.path.is_empty() {
            self.keep(element.path, element.language, &element.text);
        }
    }

    fn keep(&mut self, path: String, language: Option<String>, raw: &str) {
        let Some(text) = text::clean(raw) else { return };
        if self.values >= MOST_VALUES {
            if self.values == MOST_VALUES {
                self.damage.push(format!("xmp: more than {MOST_VALUES} values"));
            }
            self.values = MOST_VALUES + 1;
            return;
        }
        self.values += 1;
        self.properties.entry(path).or_default().push(Value { language, text });
    }
}

/// An element being read.
#[derive(Debug, Default)]
struct Element {
    path: String,
    language: Option<String>,
    text: String,
    has_children: bool,
    in_rdf: bool,
}

fn append(open: &mut [Element], piece: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(piece);
    }
}

/// Extends a path; one that no field can have is cut to `?`, because children copy it.
fn extend(path: &mut String, namespace: &str, local: &str) {
    if path.len() + local.len() > LONGEST_PATH {
        path.clear();
        path.push('?');
        return;
    }
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(usual_prefix(namespace));
    path.push(':');
    path.push_str(local);
}

/// A namespace without the `/` or `#` at its end, which writers forget.
fn namespace_of<'a>(resolved: &'a ResolveResult<'_>) -> Cow<'a, str> {
    match resolved {
        ResolveResult::Bound(namespace) => Cow::Borrowed(namespace.0.trim_end_matches(['/', '#'])),
        _ => Cow::Borrowed(""),
    }
}

/// XML's five entities and character references; an unknown entity is dropped.
fn resolve(entity: &quick_xml::events::BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return Some(Cow::Owned(character.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(entity).map(Cow::Borrowed)
}

/// An attribute's text; one with broken references stays as it is.
fn unescape(raw: &str) -> Cow<'_, str> {
    quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw))
}

/// The usual prefix of a namespace; `?` for one that no field is read from.
fn usual_prefix(namespace: &str) -> &'static str {
    match namespace {
        "http://purl.org/dc/elements/1.1" => "dc",
        "http://ns.adobe.com/xap/1.0" => "xmp",
        "http://ns.adobe.com/xap/1.0/rights" => "xmpRights",
        "http://ns.adobe.com/xap/1.0/mm" => "xmpMM",
        "http://ns.adobe.com/xmp/note" => "xmpNote",
        "http://ns.adobe.com/photoshop/1.0" => "photoshop",
        "http://ns.adobe.com/tiff/1.0" => "tiff",
        "http://ns.adobe.com/exif/1.0" => "exif",
        "http://ns.adobe.com/exif/1.0/aux" => "aux",
        "http://cipa.jp/exif/1.0" => "exifEX",
        "http://ns.adobe.com/lightroom/1.0" => "lr",
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns" => "Iptc4xmpCore",
        "http://iptc.org/std/Iptc4xmpExt/2008-02-29" => "Iptc4xmpExt",
        "http://ns.useplus.org/ldf/xmp/1.0" => "plus",
        "http://www.metadataworkinggroup.com/schemas/regions" => "mwg-rs",
        "http://www.digikam.org/ns/1.0" => "digiKam",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(properties: &str) -> String {
        format!(
            "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
             <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description rdf:about='' xmlns:anything='http://purl.org/dc/elements/1.1/' \
             xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
             xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' photoshop:City='Köln &amp; Bonn'>\
             {properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
        )
    }

    #[test]
    fn attributes_and_elements_with_any_prefix_are_properties() {
        let xmp = Xmp::read(
            packet("<anything:creator><rdf:Seq><rdf:li>A&#246; &lt;B</rdf:li><rdf:li>C</rdf:li></rdf:Seq></anything:creator>")
                .as_bytes(),
        );
        assert_eq!(xmp.all("dc:creator").collect::<Vec<_>>(), ["Aö <B", "C"]);
        assert_eq!(xmp.one("photoshop:City"), Some("Köln & Bonn"));
        assert!(xmp.damage.is_empty(), "{:?}", xmp.damage);
    }

    #[test]
    fn the_default_language_is_taken_wherever_it_stands() {
        let xmp = Xmp::read(
            packet(
                "<anything:title><rdf:Alt><rdf:li xml:lang='de'>Turm</rdf:li>\
                 <rdf:li xml:lang='x-default'>Tower</rdf:li></rdf:Alt></anything:title>",
            )
            .as_bytes(),
        );
        assert_eq!(xmp.one("dc:title"), Some("Tower"));
    }

    #[test]
    fn structures_become_paths_in_all_their_spellings() {
        for spelling in [
            "<e:LocationShown><rdf:Bag><rdf:li rdf:parseType='Resource'><e:City>Rom</e:City></rdf:li></rdf:Bag></e:LocationShown>",
            "<e:LocationShown><rdf:Bag><rdf:li e:City='Rom'/></rdf:Bag></e:LocationShown>",
            "<e:LocationShown><rdf:Bag><rdf:li><rdf:Description e:City='Rom'/></rdf:li></rdf:Bag></e:LocationShown>",
            "<e:LocationShown><rdf:Bag><rdf:li><rdf:Description><e:City><rdf:Description><rdf:value>Rom</rdf:value></rdf:Description></e:City></rdf:Description></rdf:li></rdf:Bag></e:LocationShown>",
        ] {
            let xmp = Xmp::read(packet(spelling).as_bytes());
            assert_eq!(
                xmp.one("Iptc4xmpExt:LocationShown/Iptc4xmpExt:City"),
                Some("Rom"),
                "{spelling}"
            );
        }
    }

    #[test]
    fn utf16_packets_are_read() {
        let utf16: Vec<u8> = packet("").encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(Xmp::read(&utf16).one("photoshop:City"), Some("Köln & Bonn"));
    }

    #[test]
    fn entities_are_never_expanded() {
        let bomb = format!(
            "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>{}",
            packet("<anything:title>x&b;y</anything:title>")
        );
        assert_eq!(Xmp::read(bomb.as_bytes()).one("dc:title"), Some("xy"));
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = packet(&"<anything:title>".repeat(200_000));
        let xmp = Xmp::read(deep.as_bytes());
        assert!(xmp.damage.iter().any(|d| d.contains("deeper")), "{:?}", xmp.damage);
        let many = packet(&"<anything:subject>x</anything:subject>".repeat(MOST_VALUES + 10));
        let xmp = Xmp::read(many.as_bytes());
        assert!(xmp.all("dc:subject").count() <= MOST_VALUES);
        assert!(xmp.damage.iter().any(|d| d.contains("values")), "{:?}", xmp.damage);
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let whole = packet("<anything:title>Tower</anything:title>");
        let xmp = Xmp::read(&whole.as_bytes()[..whole.find("</rdf:Desc").expect("there")]);
        assert_eq!(xmp.one("dc:title"), Some("Tower"));
        assert_eq!(xmp.damage.len(), 1);
    }
}
