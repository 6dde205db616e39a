//! The icon's menu, as com.canonical.dbusmenu: it never changes, so nothing is ever told of it.

use std::collections::HashMap;

use gtk::gio::{DBusConnection, DBusMethodInvocation};
use gtk::glib::{ToVariant, Variant};

use super::{Choice, Chosen, TrayError, interface, tell};

pub(super) const PATH: &str = "/app/countersign/desktop/menu";
/// The menu itself; its entries are numbered from one.
const ROOT: i32 = 0;
const REVISION: u32 = 1;

const INTERFACE: &str = r#"<node><interface name="com.canonical.dbusmenu">
<property name="Version" type="u" access="read"/>
<property name="TextDirection" type="s" access="read"/>
<property name="Status" type="s" access="read"/>
<property name="IconThemePath" type="as" access="read"/>
<method name="GetLayout"><arg type="i" direction="in"/><arg type="i" direction="in"/><arg type="as" direction="in"/>
<arg type="u" direction="out"/><arg type="(ia{sv}av)" direction="out"/></method>
<method name="GetGroupProperties"><arg type="ai" direction="in"/><arg type="as" direction="in"/>
<arg type="a(ia{sv})" direction="out"/></method>
<method name="GetProperty"><arg type="i" direction="in"/><arg type="s" direction="in"/>
<arg type="v" direction="out"/></method>
<method name="Event"><arg type="i" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="in"/>
<arg type="u" direction="in"/></method>
<method name="EventGroup"><arg type="a(isvu)" direction="in"/><arg type="ai" direction="out"/></method>
<method name="AboutToShow"><arg type="i" direction="in"/><arg type="b" direction="out"/></method>
<method name="AboutToShowGroup"><arg type="ai" direction="in"/>
<arg type="ai" direction="out"/><arg type="ai" direction="out"/></method>
<signal name="ItemsPropertiesUpdated"><arg type="a(ia{sv})"/><arg type="a(ias)"/></signal>
<signal name="LayoutUpdated"><arg type="u"/><arg type="i"/></signal>
<signal name="ItemActivationRequested"><arg type="i"/><arg type="u"/></signal>
</interface></node>"#;

/// What an entry looks like.
type Properties = HashMap<&'static str, Variant>;
/// Something that was done to an entry: its number, what, more of it, and when.
type Event = (i32, String, Variant, u32);

/// Answers for the menu. The bus refuses by itself what the interface does not have.
pub(super) fn serve(bus: &DBusConnection, chosen: Chosen) -> Result<(), TrayError> {
    bus.register_object(
        PATH,
        &interface(INTERFACE)?,
        move |bus, _, _, _, method, given, invocation| {
            answer(method, &given, invocation);
            tell(&bus, &chosen, &choices(method, &given));
        },
        |_, _, _, _, property| value(property),
        |_, _, _, _, _, _| false,
    )?;
    Ok(())
}

fn value(property: &str) -> Variant {
    match property {
        "Version" => 3_u32.to_variant(),
        "TextDirection" => "ltr".to_variant(),
        "IconThemePath" => Vec::<String>::new().to_variant(),
        // `Status`
        _ => "normal".to_variant(),
    }
}

fn answer(method: &str, given: &Variant, invocation: DBusMethodInvocation) {
    match reply(method, given) {
        Some(reply) => invocation.return_value(Some(&reply)),
        None => invocation.return_dbus_error(
            "org.freedesktop.DBus.Error.InvalidArgs",
            "there is no such entry in the menu",
        ),
    }
}

/// The answer to a call; nothing where it speaks of an entry that there is not.
fn reply(method: &str, given: &Variant) -> Option<Variant> {
    match method {
        "GetLayout" => {
            let (parent, depth, _): (i32, i32, Vec<String>) = given.get()?;
            Some((REVISION, layout(parent, depth)?).to_variant())
        }
        "GetGroupProperties" => {
            let (ids, _): (Vec<i32>, Vec<String>) = given.get()?;
            Some((properties_of(&ids),).to_variant())
        }
        "GetProperty" => {
            let (id, name): (i32, String) = given.get()?;
            properties(id)?.remove(name.as_str()).map(|value| (value,).to_variant())
        }
        "Event" => is_there(given.get::<Event>()?.0).then(|| ().to_variant()),
        "EventGroup" => {
            let (events,): (Vec<Event>,) = given.get()?;
            let unknown: Vec<i32> =
                events.into_iter().map(|(id, ..)| id).filter(|id| !is_there(*id)).collect();
            Some((unknown,).to_variant())
        }
        "AboutToShow" => {
            let (id,): (i32,) = given.get()?;
            is_there(id).then(|| (false,).to_variant())
        }
        "AboutToShowGroup" => {
            let (ids,): (Vec<i32>,) = given.get()?;
            let unknown: Vec<i32> = ids.into_iter().filter(|id| !is_there(*id)).collect();
            Some((Vec::<i32>::new(), unknown).to_variant())
        }
        _ => None,
    }
}

/// Number, properties and, where the depth reaches them, what is below.
fn layout(id: i32, depth: i32) -> Option<(i32, Properties, Vec<Variant>)> {
    let below = if id == ROOT && depth != 0 {
        entries().filter_map(|(id, _)| layout(id, 0)).map(|entry| entry.to_variant()).collect()
    } else {
        Vec::new()
    };
    Some((id, properties(id)?, below))
}

/// The properties of those that are there; of all where none is named.
fn properties_of(ids: &[i32]) -> Vec<(i32, Properties)> {
    let all = std::iter::once(ROOT).chain(entries().map(|(id, _)| id));
    let wanted = all.filter(|id| ids.is_empty() || ids.contains(id));
    wanted.filter_map(|id| Some((id, properties(id)?))).collect()
}

fn properties(id: i32) -> Option<Properties> {
    if id == ROOT {
        return Some(HashMap::from([("children-display", "submenu".to_variant())]));
    }
    Some(HashMap::from([("label", choice(id)?.words().to_variant())]))
}

/// What a call chooses: the entries that it says were clicked.
fn choices(method: &str, given: &Variant) -> Vec<Choice> {
    let events = match method {
        "Event" => given.get::<Event>().into_iter().collect(),
        "EventGroup" => given.get::<(Vec<Event>,)>().map(|(events,)| events).unwrap_or_default(),
        _ => Vec::new(),
    };
    events.into_iter().filter(|(_, what, ..)| what == "clicked").filter_map(|(id, ..)| choice(id)).collect()
}

fn entries() -> impl Iterator<Item = (i32, Choice)> {
    (1..).zip(Choice::ALL)
}

fn choice(id: i32) -> Option<Choice> {
    entries().find(|(number, _)| *number == id).map(|(_, choice)| choice)
}

fn is_there(id: i32) -> bool {
    id == ROOT || choice(id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a call is answered, and what was chosen by it.
    fn call(method: &str, given: impl ToVariant) -> (Option<Variant>, Vec<Choice>) {
        let given = given.to_variant();
        (reply(method, &given), choices(method, &given))
    }

    fn event(id: i32, what: &str) -> (i32, &str, Variant, u32) {
        (id, what, 0_i32.to_variant(), 0)
    }

    #[test]
    fn every_answer_has_the_type_that_the_interface_says() {
        let none = Vec::<String>::new();
        for (method, given, expected) in [
            ("GetLayout", (0, -1, none.clone()).to_variant(), "(u(ia{sv}av))"),
            ("GetGroupProperties", (vec![1], none).to_variant(), "(a(ia{sv}))"),
            ("GetProperty", (1, "label").to_variant(), "(v)"),
            ("Event", event(1, "opened").to_variant(), "()"),
            ("EventGroup", (vec![event(1, "opened")],).to_variant(), "(ai)"),
            ("AboutToShow", (0,).to_variant(), "(b)"),
            ("AboutToShowGroup", (vec![0],).to_variant(), "(aiai)"),
        ] {
            assert_eq!(reply(method, &given).unwrap().type_().as_str(), expected, "{method}");
        }
        for line in INTERFACE.lines().filter_map(|line| line.strip_prefix("<property name=\"")) {
            let mut words = line.split('"');
            let (name, expected) = (words.next().unwrap(), words.nth(1).unwrap());
            assert_eq!(value(name).type_().as_str(), expected, "{name}");
        }
    }

    #[test]
    fn only_a_click_on_an_entry_chooses_it() {
        assert_eq!(call("Event", event(1, "clicked")).1, [Choice::Open]);
        assert_eq!(call("Event", event(2, "clicked")).1, [Choice::StopAgents]);
        assert_eq!(call("Event", event(3, "clicked")).1, [Choice::Quit]);
        for (id, what) in [(1, "hovered"), (0, "clicked"), (4, "clicked"), (-1, "clicked")] {
            assert_eq!(call("Event", event(id, what)).1, [], "{id} {what}");
        }
        let both = (vec![event(3, "clicked"), event(9, "clicked")],);
        let (answer, chosen) = call("EventGroup", both);
        assert_eq!((answer.unwrap().get::<(Vec<i32>,)>(), chosen), (Some((vec![9],)), vec![Choice::Quit]));
    }

    #[test]
    fn what_is_not_in_the_menu_is_refused() {
        let none = Vec::<String>::new();
        assert_eq!(call("GetLayout", (7, -1, none.clone())).0, None);
        assert_eq!(call("GetProperty", (1, "icon-data")).0, None);
        assert_eq!(call("AboutToShow", (4,)).0, None);
        let (answer, _) = call("AboutToShowGroup", (vec![0, 4],));
        assert_eq!(answer.unwrap().get::<(Vec<i32>, Vec<i32>)>(), Some((vec![], vec![4])));
        assert_eq!(call("GetGroupProperties", (vec![4], none)).0.unwrap().child_value(0).n_children(), 0);
    }

    #[test]
    fn a_tray_that_asks_for_the_menu_alone_gets_no_entries() {
        let (answer, _) = call("GetLayout", (0, 0, Vec::<String>::new()));
        assert_eq!(answer.unwrap().child_value(1).child_value(2).n_children(), 0);
        let (answer, _) = call("GetLayout", (0, 1, Vec::<String>::new()));
        assert_eq!(answer.unwrap().child_value(1).child_value(2).n_children(), 3);
    }
}
