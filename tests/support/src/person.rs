//! A person at a bank's web pages, without a window: reads the forms that are there, fills them in and presses the
//! button whose words say what they want. It knows no bank.

use std::collections::BTreeMap;

use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use url::Url;

use crate::forms::{Form, forms};

/// More pages than any bank shows between an app's request and its answer.
const MOST_PAGES: usize = 20;

/// What the person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'w> {
    /// Everything that is asked for.
    Allow,
    /// Everything but this scope.
    AllowBut(&'w str),
    /// Everything, and this scope too, which nobody asked for. Only where the page carries what is asked in one field.
    AllowMore(&'w str),
    /// Nothing.
    Refuse,
}

/// Someone with a browser of their own.
pub struct Person {
    login: String,
    passwords: Vec<&'static str>,
    cookies: BTreeMap<String, String>,
    /// How often a password was asked for.
    pub asked_for_password: usize,
}

/// A page, or where the browser is sent instead.
struct Shown {
    url: Url,
    location: Option<Url>,
    text: String,
}

impl Person {
    /// A customer with the password that all customers of these banks have.
    #[must_use]
    pub fn new(login: &str) -> Self {
        Self {
            login: login.into(),
            passwords: vec!["sandbox"],
            cookies: BTreeMap::new(),
            asked_for_password: 0,
        }
    }

    /// The same, who mistypes it first.
    #[must_use]
    pub fn mistyping(login: &str) -> Self {
        Self { passwords: vec!["sandbox", "sandbx"], ..Self::new(login) }
    }

    /// Opens what the app asks to open, goes through the bank's pages, and gives the address that the bank sends the
    /// browser to in the end; it is not opened yet.
    pub async fn go(&mut self, opened: &Url, wish: Wish<'_>) -> Url {
        let mut shown = self.send(Method::GET, opened, None).await;
        for _ in 0..MOST_PAGES {
            if let Some(location) = shown.location.take() {
                if location.origin() != opened.origin() {
                    return location;
                }
                shown = self.send(Method::GET, &location, None).await;
                continue;
            }
            let mut forms = forms(&shown.url, &shown.text);
            let asks = forms.iter().position(|form| form.fields.iter().any(|f| f.kind == "password"));
            let form = match asks {
                Some(n) => self.signed_in(forms.swap_remove(n)),
                None => decided(forms, wish),
            };
            let form = form.unwrap_or_else(|| panic!("nothing to press at {}:\n{}", shown.url, shown.text));
            let body = form.body();
            shown = self.send(Method::POST, &form.action, Some((&shown.url, body))).await;
        }
        panic!("the bank does not come to an end; it shows:\n{}", shown.text)
    }

    /// The text of a page of the bank, signed in.
    pub async fn read(&mut self, url: &Url) -> String {
        self.come_in(url).await.text
    }

    /// Presses a button on a page of the bank, signed in.
    pub async fn press(&mut self, url: &Url, words: &[&str]) {
        let shown = self.come_in(url).await;
        let form = forms(&shown.url, &shown.text).into_iter().find_map(|form| form.press(words));
        let form = form.unwrap_or_else(|| panic!("no button says {words:?} at {url}:\n{}", shown.text));
        self.send(Method::POST, &form.action, Some((&shown.url, form.body()))).await;
    }

    async fn come_in(&mut self, url: &Url) -> Shown {
        let mut shown = self.send(Method::GET, url, None).await;
        for _ in 0..MOST_PAGES {
            if let Some(location) = shown.location.take() {
                shown = self.send(Method::GET, &location, None).await;
                continue;
            }
            let mut forms = forms(&shown.url, &shown.text);
            let Some(n) = forms.iter().position(|form| form.fields.iter().any(|f| f.kind == "password"))
            else {
                return shown;
            };
            let form = self.signed_in(forms.swap_remove(n)).expect("a way in");
            let body = form.body();
            shown = self.send(Method::POST, &form.action, Some((&shown.url, body))).await;
        }
        panic!("the bank does not let {} in", self.login)
    }

    fn signed_in(&mut self, mut form: Form) -> Option<Form> {
        self.asked_for_password += 1;
        let last = self.passwords.len() == 1;
        let password = if last { self.passwords[0] } else { self.passwords.pop()? };
        for field in &mut form.fields {
            match field.kind.as_str() {
                "password" => field.value = password.into(),
                "text" => field.value.clone_from(&self.login),
                _ => {}
            }
        }
        form.press(&["Sign in"])
    }

    async fn send(&mut self, method: Method, url: &Url, form: Option<(&Url, String)>) -> Shown {
        let authority = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let stream = tokio::net::TcpStream::connect(&authority).await.expect("the bank answers");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::HOST, authority)
            .header(header::COOKIE, cookies.join("; "));
        let mut body = String::new();
        if let Some((from, text)) = form {
            request = request
                .header(header::ORIGIN, from.origin().ascii_serialization())
                .header(header::REFERER, from.as_str())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            body = text;
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        let reply = sender.send_request(request).await.expect("a reply");
        for cookie in reply.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = reply.headers().get(header::LOCATION).filter(|_| reply.status().is_redirection());
        let location = location.map(|to| url.join(to.to_str().expect("text")).expect("an address"));
        let text = reply.into_body().collect().await.expect("the page").to_bytes();
        Shown { url: url.clone(), location, text: String::from_utf8_lossy(&text).into_owned() }
    }
}

/// The consent page as the person leaves it.
fn decided(forms: Vec<Form>, wish: Wish<'_>) -> Option<Form> {
    let words: &[&str] = if wish == Wish::Refuse { &["Decline", "Cancel"] } else { &["Allow", "Authorize"] };
    let mut form = forms.into_iter().find_map(|form| form.press(words))?;
    for field in &mut form.fields {
        if field.kind == "checkbox" {
            field.sent = wish != Wish::AllowBut(&field.value);
        }
        // Where the page offers no boxes to tick, what it asks for stands in one field.
        if (&*field.kind, &*field.name) == ("hidden", "scope") {
            let asked = field.value.split(' ');
            field.value = match wish {
                Wish::AllowBut(less) => asked.filter(|scope| *scope != less).collect::<Vec<_>>().join(" "),
                Wish::AllowMore(more) => asked.chain([more]).collect::<Vec<_>>().join(" "),
                Wish::Allow | Wish::Refuse => continue,
            };
        }
    }
    Some(form)
}
