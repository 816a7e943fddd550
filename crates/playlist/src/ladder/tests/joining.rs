//! What those find who come back, or come late.

use super::*;

/// The last segment of an encoder that leaves is short: no boundaries follow from it.
#[tokio::test]
async fn rungs_that_all_left_come_back_to_the_boundaries_that_they_had() {
    let registry = Registry::new(Settings::default());
    let names = ["show_1080p", "show_720p"];
    let mut writers = names.map(|rung| begin(&registry, rung));
    for writer in &mut writers {
        list(writer, &[10_000, 12_000, 14_000], 0, 500_000);
        let last = writer.push(segment(16_000, 768, 0, 500_000), Instant::now());
        last.expect("owned");
    }
    let _vacancies = writers.map(Writer::leave);
    let [first, second] = names.map(|rung| begin(&registry, rung));
    let grid = Grid {
        origin: Anchor {
            at: ms(16_000),
            date: segment(16_000, 0, 0, 0).date,
        },
        step: ms(2_000),
    };
    assert_eq!(first.ladder_grid(), Some(grid));
    assert_eq!(second.ladder_grid(), Some(grid));
}

#[test]
fn who_has_no_others_finds_no_boundaries() {
    let registry = Registry::new(Settings::default());
    let mut only = begin(&registry, "show_1080p");
    list(&mut only, &[0, 2_000], 0, 500_000);
    assert_eq!(only.ladder_grid(), None);
}

/// Nobody's media go back in time: of two that do not agree, the other can come up to who is ahead.
#[test]
fn of_two_clocks_the_one_ahead_leads() {
    let registry = Registry::new(Settings::default());
    let [mut behind, mut ahead] = ["show_1080p", "show_720p"].map(|rung| begin(&registry, rung));
    list(&mut behind, &[0, 2_000], 14_000, 500_000);
    list(&mut ahead, &[14_000, 16_000], 0, 500_000);
    assert_eq!(
        ladder(&registry).standings(Form::Classic),
        [
            Standing::Misfits(Misfit::Clock(ms(14_000))),
            Standing::Leads
        ]
    );
}
