//! Pages as browsers get them.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use glassplate_pipeline::asset::{AssetId, Occurrence, Tenant};
use glassplate_pipeline::catalogue::Entry;
use glassplate_pipeline::field::Field;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelSource, LabelState, RecordLabel};
use tower::ServiceExt as _;

use super::shell::POLICY;
use crate::http::tests::{Desk, jpeg};

/// What somebody hostile writes into a caption, a path, a collection's name.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

/// A machine's claim of an object.
pub(super) fn label(name: &str) -> RecordLabel {
    RecordLabel {
        name: name.to_owned(),
        kind: LabelKind::Object,
        confidence: 0.9,
        wordnet: None,
        parents: Vec::new(),
        category: None,
        instances: Vec::new(),
        evidence: Vec::new(),
        state: LabelState::Proposed,
        doubts: Vec::new(),
        source: LabelSource {
            backend: "onnx".to_owned(),
            model: "m".to_owned(),
            version: "1".to_owned(),
            run: None,
        },
        ruled: None,
    }
}

/// A page as a browser got it.
struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    #[track_caller]
    fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        self
    }

    #[track_caller]
    fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is in {}", self.text);
        self
    }
}

async fn send(desk: &Desk, request: Request<Body>) -> Got {
    let response = desk.router().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a whole body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    Got { status: parts.status, headers: parts.headers, text }
}

async fn get(desk: &Desk, path: &str) -> Got {
    get_with(desk, path, "").await
}

async fn get_with(desk: &Desk, path: &str, cookie: &str) -> Got {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    send(desk, request.body(Body::empty()).expect("a request")).await
}

async fn post(desk: &Desk, path: &str, form: &str) -> Got {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, "localhost")
        .header(header::ORIGIN, "http://localhost");
    send(desk, request.body(Body::from(form.to_owned())).expect("a request")).await
}

/// A desk with three pictures; the first is also found where somebody hostile put it.
async fn desk() -> (Desk, AssetId) {
    let (desk, assets) = Desk::with_pictures(3).await;
    let text = |value: &str| Field {
        value: value.into(),
        source: "csv:catalogue.csv".to_owned(),
        also: Vec::new(),
    };
    let asset = assets.into_iter().next().expect("a picture");
    let found = Entry::Found {
        asset: asset.clone(),
        occurrence: Occurrence {
            collection: HOSTILE.to_owned(),
            source: format!("evil/{HOSTILE}"),
            metadata: [("title", text(HOSTILE)), ("caption", text(HOSTILE))]
                .map(|(name, field)| (name.to_owned(), field))
                .into(),
        },
        stamp: None,
    };
    desk.site.catalogue.append(&Tenant::default(), vec![found]).await.expect("appended");
    desk.catch_up().await;
    (desk, asset)
}

/// Every page there is.
async fn pages(desk: &Desk, asset: &AssetId) -> Vec<String> {
    let runs = desk.site.catalogue.runs(&Tenant::default(), None, 1).await.expect("runs");
    let mut pages: Vec<String> = [
        "/",
        "/?q=turtle",
        "/?q=alert&sort=newest",
        "/?q=turtle&object=boat",
        "/?q=nothing+here",
        "/collections",
        "/review",
        "/runs",
        "/help",
        "/keys",
        "/upload",
        "/login",
        "/nowhere",
        "/?q=%22open",
    ]
    .map(str::to_owned)
    .into();
    pages.push(format!("/assets/{asset}"));
    pages.push(format!("/review?asset={asset}&label=turtle&of=object&was={asset}+object+turtle"));
    pages.push(format!("/runs/{}", runs[0].id));
    pages
}

#[tokio::test]
async fn no_page_holds_a_script_or_a_style_of_its_own_or_asks_anybody_else() {
    let (desk, asset) = desk().await;
    for path in pages(&desk, &asset).await {
        let page = get(&desk, &path).await;
        assert_eq!(page.header(header::CONTENT_SECURITY_POLICY), POLICY, "{path}");
        let media = page.header(header::CONTENT_TYPE);
        assert_eq!(media, "text/html; charset=utf-8", "{path}");
        page.has("<main id=\"content\"").has("<html lang=\"en\">").has("</html>");
        page.lacks(" style=").lacks("<style").lacks("javascript:");
        page.lacks("http://").lacks("https://").lacks("=\"//");
        let tags: Vec<&str> = page.text.split('<').collect();
        for tag in tags.iter().filter(|tag| tag.starts_with("script")) {
            assert!(
                tag.starts_with("script src=\"/static/") && tag.ends_with('>'),
                "{path}: {tag}"
            );
        }
        for tag in tags.iter().map(|tag| tag.split('>').next().unwrap_or_default()) {
            let handler = tag.split('"').step_by(2).any(|names| names.contains(" on"));
            assert!(!handler, "{path}: {tag}");
        }
    }
}

#[tokio::test]
async fn whatever_somebody_wrote_shows_as_text() {
    let (desk, asset) = desk().await;
    for path in pages(&desk, &asset).await {
        get(&desk, &path).await.lacks("<script>").lacks("<img src=x").lacks("</script>\"'>");
    }
    let shown = "&lt;script&gt;alert(1)&lt;/script&gt;";
    get(&desk, "/?q=alert").await.has(shown);
    get(&desk, &format!("/assets/{asset}")).await.has(shown);
    get(&desk, "/?q=%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .lacks("<script>")
        .has("&lt;script&gt;");
}

#[tokio::test]
async fn a_search_shows_what_it_found_and_its_links_carry_the_conditions() {
    let (desk, _) = desk().await;
    let page = get(&desk, "/?q=turtle&collection=sea").await;
    page.has("3 pictures for turtle")
        .has("turtle: object 0.90, turtles")
        .has("width=\"255\" height=\"170\"");
    page.has("href=\"/?q=turtle&amp;collection=sea&amp;object=turtle\"");
    page.has("href=\"/?q=turtle&amp;collection=sea&amp;sort=newest\"");
    page.has("aria-label=\"Remove collection sea\"").has("href=\"/?q=turtle\"");
    page.has("value=\"turtle\"");
    let part = get(&desk, "/?q=turtle&part=hits").await;
    part.has("<ol class=\"grid\">").lacks("<html").lacks("class=\"facet\"");
}

#[tokio::test]
async fn a_query_that_is_not_understood_stays_in_the_box_with_what_is_wrong() {
    let (desk, _) = desk().await;
    let page = get(&desk, "/?q=date:never").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    page.has("role=\"alert\"").has("value=\"date:never\"").has("never");
}

#[tokio::test]
async fn an_asset_shows_all_that_is_known_of_it() {
    let (desk, asset) = desk().await;
    let page = get(&desk, &format!("/assets/{asset}")).await;
    page.has(&format!("/v1/assets/{asset}/original"));
    page.has(&format!("data-info=\"/iiif/3/{asset}/info.json\""));
    page.has("turtle").has("0.90").has("turtles").has("SHA-256").has("label:turtles");
    page.has("name=\"ruling\" value=\"approve\"").has("csv:catalogue.csv");
    for unknown in ["0123456789bcdfghjkmnp", "x", "..%2f..%2fetc"] {
        let page = get(&desk, &format!("/assets/{unknown}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{unknown}");
        page.has("<h1>Not found</h1>");
    }
}

#[tokio::test]
async fn a_ruling_by_a_form_is_written_down_and_shown() {
    let (desk, asset) = desk().await;
    let labels = format!("/assets/{asset}/labels");
    let done = post(&desk, &labels, "label=turtle&kind=object&ruling=approve").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(done.header(header::LOCATION), format!("/assets/{asset}#labels"));
    get(&desk, &format!("/assets/{asset}")).await.has("Confirmed by").has("aria-pressed=\"true\"");
    let wrong = post(&desk, &labels, "label=unicorn&kind=object&ruling=reject").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    wrong.has("unicorn");
}

#[tokio::test]
async fn a_review_asks_one_question_after_another() {
    let (desk, _) = desk().await;
    let first = get(&desk, "/review").await;
    first.has("Is there a").has("name=\"ruling\" value=\"reject\"");
    let value = |name: &str| {
        let start = first.text.find(&format!("name=\"{name}\" value=\"")).expect(name);
        let rest = &first.text[start..];
        rest.split('"').nth(3).expect("a value").to_owned()
    };
    let (asset, label, kind) = (value("asset"), value("label"), value("kind"));
    let form = format!("ruling=reject&asset={asset}&label={label}&kind={kind}&place=");
    let done = post(&desk, "/review", &form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let next = get(&desk, done.header(header::LOCATION)).await;
    next.has("Change that").has("<strong>1</strong> answered");
    next.lacks(&format!("name=\"asset\" value=\"{asset}\""));
    let back = format!("/review?asset={asset}&label={label}&of={kind}");
    get(&desk, &back).await.has("It is rejected so far.");
}

#[tokio::test]
async fn a_run_shows_its_balance() {
    let (desk, asset) = desk().await;
    let runs = pages(&desk, &asset).await.pop().expect("a run");
    let page = get(&desk, &runs).await;
    page.has("<strong>1</strong> in = 1 enriched").has("glassplate undo");
    let unknown = get(&desk, "/runs/unheard-of").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_plain_form_takes_a_picture_in() {
    let (desk, _) = desk().await;
    let form = |bytes: &[u8]| {
        let mut body = b"--x\r\ncontent-disposition: form-data; name=\"collection\"\r\n\r\nsea\r\n\
            --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\
            content-type: image/jpeg\r\n\r\n"
            .to_vec();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let request = Request::post("/upload")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .header(header::HOST, "localhost")
            .header(header::ORIGIN, "http://localhost");
        request.body(Body::from(body)).expect("a request")
    };
    let taken = send(&desk, form(&jpeg(99))).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    taken.has("The picture</a> is here").has("/assets/");
    let refused = send(&desk, form(b"no picture")).await;
    assert!(refused.status.is_client_error());
    refused.has("role=\"alert\"").has("<form class=\"drop\"");
}

#[tokio::test]
async fn after_the_first_key_everybody_signs_in_and_sees_what_their_role_may() {
    let (desk, asset) = desk().await;
    let made = post(&desk, "/keys", "name=Ada&role=reader&days=30").await;
    assert_eq!(made.header(header::CACHE_CONTROL), "no-store");
    let at = made.text.find("gp_").expect("the secret");
    let secret: String = made.text[at..].chars().take_while(|c| *c != '<').collect();
    let stranger = get(&desk, &format!("/assets/{asset}?a=1")).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{}", stranger.text);
    let login = stranger.header(header::LOCATION);
    assert_eq!(login, format!("/login?next=%2Fassets%2F{asset}%3Fa%3D1"));
    get(&desk, login).await.has(&format!("value=\"/assets/{asset}?a=1\"")).lacks("role=\"search\"");
    let wrong = post(&desk, "/login", "key=gp_0_0&next=/").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    wrong.has("opens nothing");
    let entered = post(&desk, "/login", &format!("key={secret}&next=/runs")).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
    assert_eq!(entered.header(header::LOCATION), "/runs");
    let cookie = entered.header(header::SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let page = get_with(&desk, "/", &cookie).await;
    page.has("Sign out").has("/runs").lacks("href=\"/upload\"").lacks("href=\"/review\"");
    get_with(&desk, &format!("/assets/{asset}"), &cookie).await.lacks("name=\"ruling\"");
    for forbidden in ["/review", "/keys", "/upload"] {
        let page = get_with(&desk, forbidden, &cookie).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{forbidden}");
        page.has("<h1>Not allowed</h1>");
    }
    let left = post(&desk, "/logout", "").await;
    assert!(left.header(header::SET_COOKIE).contains("Max-Age=0"), "{:?}", left.headers);
}

#[tokio::test]
async fn what_is_nowhere_is_a_page_for_browsers_alone() {
    let (desk, _) = desk().await;
    get(&desk, "/nowhere").await.has("there is no such page");
    let bare = Request::get("/nowhere").body(Body::empty()).expect("a request");
    let bare = send(&desk, bare).await;
    assert_eq!(bare.status, StatusCode::NOT_FOUND);
    bare.lacks("<html");
}
