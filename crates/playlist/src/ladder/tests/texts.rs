//! How often texts are made.

use super::*;

#[test]
fn a_text_is_made_once_for_each_change() {
    let registry = Registry::new(Settings::default());
    let [mut one, mut other] = ["show_720p", "show_360p"].map(|rung| begin(&registry, rung));
    for writer in [&mut one, &mut other] {
        list(writer, &[0, 2_000], 0, 500_000);
    }
    let text = |place| {
        let text = ladder(&registry).multivariant(Form::Classic, place);
        text.expect("two variants")
    };
    let mut sound = begin(&registry, "show_audio1");
    let german = Label::new(Some("Deutsch"), Some("de"), false);
    let changes: [&mut dyn FnMut(); 4] = [
        &mut || list(&mut one, &[4_000], 0, 600_000),
        &mut || list(&mut other, &[4_000], 0, 700_000),
        &mut || list(&mut sound, &[2_000], 0, 700_000),
        &mut || {
            begin(&registry, "show_audio1")
                .label(german.clone())
                .expect("owned")
        },
    ];
    for change in changes {
        let [before, above] = [Place::Folder, Place::Above].map(text);
        assert!(Arc::ptr_eq(&before, &text(Place::Folder)));
        assert!(Arc::ptr_eq(&above, &text(Place::Above)));
        change();
        assert!(!Arc::ptr_eq(&before, &text(Place::Folder)));
    }
}
