//! The forms of a web page, as far as a person can fill them in. The pages are well-formed: this is no parser for others.

use url::Url;

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is posted.
    pub action: Url,
    /// What it holds.
    pub fields: Vec<Field>,
    buttons: Vec<Button>,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// Whether it is sent; an empty box is not.
    pub sent: bool,
}

#[derive(Clone, Debug)]
struct Button {
    words: String,
    name: Option<String>,
    value: String,
    action: Option<Url>,
}

/// The forms of a page.
#[must_use]
pub fn forms(page: &Url, text: &str) -> Vec<Form> {
    text.split("<form")
        .skip(1)
        .filter_map(|rest| {
            let (head, rest) = rest.split_once('>')?;
            let (inside, _) = rest.split_once("</form>")?;
            let action =
                attribute(head, "action").map_or_else(|| Some(page.clone()), |to| page.join(&to).ok());
            Some(Form { action: action?, fields: fields(inside), buttons: buttons(page, inside) })
        })
        .collect()
}

impl Form {
    /// The form with one of its buttons pressed, by the words on it; none if it has no such button.
    #[must_use]
    pub fn press(mut self, words: &[&str]) -> Option<Self> {
        let button = self.buttons.iter().find(|button| {
            words.iter().any(|word| button.words == *word || button.words.starts_with(&format!("{word} ")))
        })?;
        if let Some(name) = &button.name {
            let (name, value) = (name.clone(), button.value.clone());
            self.fields.push(Field { name, kind: "submit".into(), value, sent: true });
        }
        if let Some(action) = &button.action {
            self.action = action.clone();
        }
        Some(self)
    }

    /// What is posted.
    #[must_use]
    pub fn body(&self) -> String {
        let sent = self.fields.iter().filter(|field| field.sent).map(|field| (&field.name, &field.value));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(sent).finish()
    }
}

fn fields(form: &str) -> Vec<Field> {
    tags(form, "<input")
        .filter_map(|tag| {
            let kind = attribute(tag, "type").unwrap_or_else(|| "text".into());
            let name = attribute(tag, "name").filter(|_| kind != "submit")?;
            let sent = kind != "checkbox" || has(tag, "checked");
            Some(Field { name, value: attribute(tag, "value").unwrap_or_default(), kind, sent })
        })
        .collect()
}

fn buttons(page: &Url, form: &str) -> Vec<Button> {
    let button = |tag: &str, words: Option<String>| {
        let value = attribute(tag, "value").unwrap_or_default();
        Button {
            words: words.unwrap_or_else(|| value.clone()),
            name: attribute(tag, "name"),
            value,
            action: attribute(tag, "formaction").and_then(|to| page.join(&to).ok()),
        }
    };
    let inputs = tags(form, "<input").filter(|tag| attribute(tag, "type").as_deref() == Some("submit"));
    let inputs = inputs.map(|tag| button(tag, None));
    let others = form.split("<button").skip(1).filter_map(|rest| {
        let (tag, rest) = rest.split_once('>')?;
        let (words, _) = rest.split_once("</button>")?;
        Some(button(tag, Some(decoded(words.trim()))))
    });
    inputs.chain(others).collect()
}

fn tags<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    text.split(name)
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The value of an attribute, its entities decoded.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag.get(from..)?.split_once('"').map(|(value, _)| decoded(value))
}

fn has(tag: &str, word: &str) -> bool {
    tag.split_whitespace().any(|part| part.trim_end_matches('/') == word)
}

fn decoded(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form method="post" action="/a/switch"><button type="submit">Not you?</button></form>
        <form method="post" action="/a"><input type="hidden" name="t" value="1 &amp; 2"><input name="login"/>
        <input type="checkbox" name="s" value="one" checked><input type="checkbox" name="s" value="two" >
        <button class="inert" name="stay" value="yes"></button><button id="allow" type="submit">Allow</button>
        <input type="submit" name="go" value="Authorize"/><button formaction="/a/no">Decline</button></form>"#;

    #[test]
    fn a_form_is_posted_as_it_stands_with_the_button_pressed() {
        let page = Url::parse("http://127.0.0.1:1/a?x=1").unwrap();
        let all = forms(&page, PAGE);
        assert_eq!(all.len(), 2);
        assert!(all[0].clone().press(&["Allow"]).is_none());
        let form = all[1].clone();
        assert_eq!(form.clone().press(&["Allow"]).unwrap().body(), "t=1+%26+2&login=&s=one");
        assert_eq!(form.clone().press(&["Authorize"]).unwrap().body(), "t=1+%26+2&login=&s=one&go=Authorize");
        let declined = form.press(&["Decline"]).unwrap();
        assert_eq!(declined.action.as_str(), "http://127.0.0.1:1/a/no");
        let without_action = forms(&page, "<form method=\"post\"></form>");
        assert_eq!(without_action[0].action, page);
    }
}
