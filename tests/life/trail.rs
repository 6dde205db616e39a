//! `audit`: what is done to an exported log is noticed, and the first bad record named.

use domain::audit::file::FileFault;
use support::trail::{Numbers, Trail, Tried, check, lines, records};

#[test]
fn wherever_a_log_is_cut_off_the_first_missing_record_is_named() {
    let tried = Trail::of(200).cut_everywhere();
    assert!(tried.tried > 20_000 && tried.missed == 0, "{tried:?}");
}

#[test]
fn an_edited_moved_doubled_or_missing_record_is_named() {
    let trail = Trail::of(200);
    let mut numbers = Numbers::of(1);
    assert_eq!(trail.edited(20_000, &mut numbers), Tried { tried: 20_000, missed: 0 });
    assert_eq!(trail.reordered(5_000, &mut numbers), Tried { tried: 5_000, missed: 0 });
}

#[test]
fn an_older_log_or_one_written_anew_is_told_by_the_anchor_and_by_nothing_else() {
    let trail = Trail::of(100);
    let mut numbers = Numbers::of(1);
    assert_eq!(trail.rolled_back(100, true, &mut numbers), Tried { tried: 100, missed: 0 });
    assert_eq!(trail.rolled_back(100, false, &mut numbers).missed, 100, "without it, a chain is a chain");
}

#[test]
fn an_empty_log_is_sound_and_an_empty_file_is_none() {
    assert_eq!(check(&lines(&[], None)).map(|header| header.records), Ok(0));
    assert_eq!(check(&[]), Err(FileFault::Header));
    assert_eq!(check(&[b"\n".to_vec()]), Err(FileFault::Header));
    let mut more = lines(&records(3), None);
    more.push(more[3].clone());
    assert_eq!(check(&more), Err(FileFault::More(3)));
}
