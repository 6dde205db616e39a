//! The icon: a StatusNotifierItem on the session's bus.

use gtk::gio::{Cancellable, DBusCallFlags, DBusConnection};
use gtk::glib::variant::ObjectPath;
use gtk::glib::{ToVariant as _, Variant};
use tauri::image::Image;
use tracing::warn;

use super::{Choice, Chosen, TITLE, TrayError, interface, menu, tell};

/// Whoever has this name shows icons.
pub(super) const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/app/countersign/desktop/tray";
/// Milliseconds; the bus or the desktop itself answers, so this is long.
const LIMIT: i32 = 2_000;
static ICON: Image<'_> = tauri::include_image!("../icons/32x32.png");

const INTERFACE: &str = r#"<node><interface name="org.kde.StatusNotifierItem">
<property name="Category" type="s" access="read"/>
<property name="Id" type="s" access="read"/>
<property name="Title" type="s" access="read"/>
<property name="Status" type="s" access="read"/>
<property name="WindowId" type="i" access="read"/>
<property name="IconName" type="s" access="read"/>
<property name="IconPixmap" type="a(iiay)" access="read"/>
<property name="ToolTip" type="(sa(iiay)ss)" access="read"/>
<property name="ItemIsMenu" type="b" access="read"/>
<property name="Menu" type="o" access="read"/>
<method name="Activate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="SecondaryActivate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="ContextMenu"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="Scroll"><arg type="i" direction="in"/><arg type="s" direction="in"/></method>
</interface></node>"#;

/// Whether anybody on the session bus shows tray icons. Without such a program an icon is made and never seen.
pub(super) fn has_a_place(bus: &DBusConnection) -> bool {
    let answer = bus.call_sync(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "NameHasOwner",
        Some(&(WATCHER,).to_variant()),
        None,
        DBusCallFlags::NONE,
        LIMIT,
        None::<&Cancellable>,
    );
    answer.is_ok_and(|answer| answer.get::<(bool,)>() == Some((true,)))
}

/// Answers for the icon. The bus refuses by itself what the interface does not have.
pub(super) fn serve(bus: &DBusConnection, chosen: Chosen) -> Result<(), TrayError> {
    bus.register_object(
        PATH,
        &interface(INTERFACE)?,
        move |bus, _, _, _, method, _, invocation| {
            invocation.return_value(None);
            // From a tray that does not open the menu on a click.
            if method == "Activate" {
                tell(&bus, &chosen, &[Choice::Open]);
            }
        },
        |_, _, _, _, property| value(property),
        |_, _, _, _, _, _| false,
    )?;
    Ok(())
}

fn value(property: &str) -> Variant {
    match property {
        "Category" => "ApplicationStatus".to_variant(),
        "Id" => "countersign".to_variant(),
        "Title" => TITLE.to_variant(),
        "Status" => "Active".to_variant(),
        "WindowId" => 0_i32.to_variant(),
        "IconPixmap" => vec![picture()].to_variant(),
        "ToolTip" => ("", Vec::<(i32, i32, Vec<u8>)>::new(), TITLE, "").to_variant(),
        "ItemIsMenu" => true.to_variant(),
        "Menu" => menu_path(),
        // `IconName`: the picture comes along.
        _ => "".to_variant(),
    }
}

/// As a path, which is another type than a text.
fn menu_path() -> Variant {
    ObjectPath::try_from(menu::PATH.to_owned())
        .map_or_else(|_| menu::PATH.to_variant(), |path| path.to_variant())
}

/// Width, height, and each point as alpha, red, green, blue.
fn picture() -> (i32, i32, Vec<u8>) {
    let (points, _) = ICON.rgba().as_chunks::<4>();
    let points = points.iter().flat_map(|&[red, green, blue, alpha]| [alpha, red, green, blue]).collect();
    let side = |length: u32| i32::try_from(length).unwrap_or_default();
    (side(ICON.width()), side(ICON.height()), points)
}

/// Tells the tray where the icon is.
pub(super) fn register(bus: &DBusConnection) {
    bus.call(
        Some(WATCHER),
        "/StatusNotifierWatcher",
        "org.kde.StatusNotifierWatcher",
        "RegisterStatusNotifierItem",
        Some(&(PATH,).to_variant()),
        None,
        DBusCallFlags::NONE,
        LIMIT,
        None::<&Cancellable>,
        |answer| {
            if let Err(error) = answer {
                warn!(%error, "the desktop's tray did not take the icon");
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_the_type_that_the_interface_says() {
        let interface = interface(INTERFACE).unwrap();
        assert_ne!(interface.lookup_property("IconPixmap"), None, "the bus can read it");
        for line in INTERFACE.lines().filter_map(|line| line.strip_prefix("<property name=\"")) {
            let mut words = line.split('"');
            let (name, expected) = (words.next().unwrap(), words.nth(1).unwrap());
            assert_eq!(value(name).type_().as_str(), expected, "{name}");
        }
    }

    #[test]
    fn the_picture_is_whole_and_its_alpha_comes_first() {
        let (width, height, points) = picture();
        assert_eq!((width, height, points.len()), (32, 32, 4096));
        let opaque = ICON.rgba().chunks(4).position(|point| point[3] == 255).unwrap();
        assert_eq!(points[opaque * 4], 255);
        assert_eq!(points[opaque * 4 + 1..opaque * 4 + 4], ICON.rgba()[opaque * 4..opaque * 4 + 3]);
    }
}
