//! States in; what is read on the screen, at several sizes, out.

use std::time::Duration;

use ratatui::{Terminal, backend::TestBackend, widgets::Widget};

use super::*;
use crate::command::top::{
    keys::Action,
    samples::{counts, events, slices},
    state::Trouble,
};

struct Whole<'a>(&'a State, bool);

impl Widget for Whole<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        *buffer = draw(self.0, Paint { colours: self.1 }, area);
    }
}

/// The lines of a screen.
fn screen(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| frame.render_widget(Whole(state, true), frame.area())).unwrap();
    let cells = terminal.backend().buffer().content().chunks(width.into());
    cells.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()).collect()
}

fn state() -> State {
    let mut state = State::new("1s".parse().unwrap(), None);
    state.count(Duration::from_mins(1), counts(&[("web", 1000, 0), ("storage", 0, 0)]));
    state.count(Duration::from_secs(70), counts(&[("web", 3000, 500), ("storage", 100, 0)]));
    state
}

fn sliced() -> State {
    let mut state = state();
    state.act(Action::Show(View::Slices));
    let owners = ["a", "a", "b", "b"];
    state.slice(Duration::from_secs(70), slices(&owners, Some(&[0, 0, 0, 0])));
    state.slice(Duration::from_secs(72), slices(&owners, Some(&[0, 2, 0, 8])));
    state
}

#[test]
fn services_with_their_rates() {
    let lines = screen(&state(), 80, 24);
    let expected = [
        "[1 services] 2 reasons  3 treatments  4 slices  5 endpoints  6 sources",
        " all services                                                         every 1 s",
        "",
        "  SERVICE  PACKETS/S▼   BITS/S  DROPPED  WOULD DROP LAST 2 MIN",
        "> (all)           210   168.0k    23.8%          0%",
        "  web             200   160.0k    25.0%          0%",
        "  storage          10     8000       0%          0%",
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} is not {expected:?}\n{}", lines.join("\n"));
    }
    assert!(lines[5].ends_with('█'), "{}", lines[5]);
    assert_eq!(lines[21], "  to no service: 0 other/s, 0 malformed/s");
    assert!(lines[23].starts_with("q quit") && lines[23].ends_with("? help"), "{}", lines[23]);
}

#[test]
fn every_size_has_its_screen() {
    let mut states = vec![state(), sliced()];
    states.extend(View::ALL.map(|view| {
        let mut state = sliced();
        state.act(Action::Show(view));
        state
    }));
    for state in &states {
        for width in (1..130).chain([200, 500]) {
            for height in [1, 2, 5, 9, 10, 11, 12, 20, 24, 50] {
                let lines = screen(state, width, height);
                let small = width < SMALLEST.0 || height < SMALLEST.1;
                assert_eq!(small, lines[0].starts_with('t'), "{width}x{height}: {lines:?}");
                assert!(small || lines.iter().any(|line| line.starts_with("q quit")), "{width}x{height}: {lines:?}");
            }
        }
    }
}

#[test]
fn the_smallest_screen_has_rows() {
    let mut state = sliced();
    let owners: Vec<_> = (0..64).map(|number| format!("e{number}")).collect();
    let owners: Vec<_> = owners.iter().map(String::as_str).collect();
    for (view, row) in [(View::Services, "> (all)"), (View::Reasons, "conform"), (View::Endpoints, "e")] {
        state.act(Action::Show(view));
        state.slice(Duration::from_secs(73), slices(&owners, None));
        let lines = screen(&state, SMALLEST.0, SMALLEST.1);
        assert!(lines.iter().any(|line| line.starts_with(row)), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("rows 1 to 0")), "{lines:#?}");
        assert!(lines[9].starts_with("q quit") && lines[9].ends_with("? help"), "{lines:#?}");
    }
}

#[test]
fn how_many_are_blocked_is_said_where_any_are() {
    let mut state = state();
    assert!(!screen(&state, 80, 24)[1].contains("blocked"));
    state.block(12_345);
    assert!(screen(&state, 80, 24)[1].ends_with("12345 blocked  every 1 s"));
    assert_eq!(screen(&state, 40, 10)[1], " all services  12345 blocked  every 1 s");
}

#[test]
fn long_names_of_endpoints_give_way_to_what_they_do() {
    let mut state = sliced();
    let name = "e".repeat(63);
    state.act(Action::Show(View::Endpoints));
    let mut found = slices(&[name.as_str()], Some(&[0]));
    (found.endpoints[0].this_host, found.endpoints[0].drain) = (true, true);
    state.slice(Duration::from_secs(74), found);
    let lines = screen(&state, 80, 24);
    assert!(lines.iter().any(|line| line.contains("eee…") && line.ends_with("this host, draining")), "{lines:#?}");
}

#[test]
fn long_names_are_cut_and_rates_are_not() {
    let name = "a-service-with-a-very-long-name-that-nobody-should-have-chosen";
    let mut state = State::new("1s".parse().unwrap(), None);
    state.count(Duration::from_secs(1), counts(&[(name, 0, 0)]));
    state.count(Duration::from_secs(2), counts(&[(name, 12_345, 0)]));
    for width in [40, 60, 80] {
        let line = screen(&state, width, 20).remove(5);
        assert!(line.contains('…') && line.contains("12.3k"), "{width}: {line}");
    }
    assert!(screen(&state, 200, 20)[5].contains(name));
}

#[test]
fn reasons_and_treatments_have_their_share() {
    let mut state = state();
    state.act(Action::Down);
    state.act(Action::Show(View::Reasons));
    let lines = screen(&state, 80, 24);
    assert!(lines[1].starts_with(" web"), "{}", lines[1]);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines[4])[..5], ["conform", "150", "120.0k", "75.0%", "2500"]);
    assert_eq!(words(&lines[5])[..5], ["field-mismatch", "50.0".trim_end_matches(".0"), "40.0k", "25.0%", "500"]);
    state.act(Action::Show(View::Treatments));
    let lines = screen(&state, 80, 24);
    assert_eq!(words(&lines[5])[..2], ["drop", "50"]);
    assert!(lines[8].starts_with("(would drop)"), "{}", lines[8]);
}

#[test]
fn slices_are_a_map_with_its_legend() {
    let mut state = sliced();
    let lines = screen(&state, 80, 24);
    assert_eq!(lines[3], "web: 5.0 frames/s over 4 slices");
    assert_eq!(lines[4], "      0 ·░·█");
    assert_eq!(lines[5], "· none  ░ to █ 4.0 frames/s; busiest: slice 3 of b, 4.0/s");
    assert_eq!(lines[7], "bare: no slices: set slice_bits for it, and give the config [[endpoint]]s");
    state.slice(Duration::from_secs(73), slices(&["a"; 4], None));
    assert!(screen(&state, 80, 24)[3].contains("slice_counters = true"));
    // Folded: four thousand slices, two lines of a power of two.
    let many = vec!["a"; 4096];
    state.slice(Duration::from_secs(74), slices(&many, Some(&vec![0; 4096])));
    state.slice(Duration::from_secs(75), slices(&many, Some(&vec![7; 4096])));
    let lines = screen(&state, 60, 20);
    assert!(lines[3].contains("a place is"), "{}", lines.join("\n"));
    let places: usize = lines.iter().map(|line| line.matches('█').count()).sum();
    assert!(places > 64 && (places - 1).is_power_of_two(), "{}", lines.join("\n"));
}

#[test]
fn endpoints_have_their_share() {
    let mut state = sliced();
    state.act(Action::Show(View::Endpoints));
    let lines = screen(&state, 80, 24);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines[4]), ["a", "2", "50.0%", "1", "1.0", "20.0%"]);
    assert_eq!(words(&lines[5]), ["b", "2", "50.0%", "1", "4.0", "80.0%"]);
}

#[test]
fn sources_are_sorted_by_their_events() {
    let mut state = state();
    state.act(Action::Show(View::Sources));
    assert_eq!(screen(&state, 80, 24)[3], "no look yet");
    let sites = [("2001:db8:1::/48", "web", 1), ("2001:db8:1234::/48", "storage", 6), ("2001:db8:2::/48", "web", 3)];
    state.source(Duration::from_secs(71), events(&sites, 100));
    let expected = [
        "SOURCE /48          EVENTS▼  SHARE SERVICE REASON",
        "2001:db8:1234::/48        6  60.0% storage field-mismatch",
        "2001:db8:2::/48           3  30.0% web     field-mismatch",
        "2001:db8:1::/48           1  10.0% web     field-mismatch",
    ];
    let lines = screen(&state, 80, 24);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (line, expected) in lines[3..].iter().zip(expected) {
        assert_eq!(words(line), words(expected), "{}", lines.join("\n"));
    }
    assert_eq!(lines[21], "a sample: events of the last minute, at most 100 a second");
    state.act(Action::Sort);
    assert!(screen(&state, 80, 24)[4].starts_with("2001:db8:1::/48"));
    // Of one service alone.
    state.act(Action::Down);
    assert_eq!(state.chosen.as_deref(), Some("web"));
    assert!(screen(&state, 80, 24)[4..].iter().all(|line| !line.contains("storage")));
    state.source(Duration::from_secs(200), events(&[], 0));
    assert!(screen(&state, 80, 24)[3].starts_with("no events are kept"));
}

#[test]
fn trouble_and_help_are_said() {
    let mut state = state();
    state.fail(Trouble { message: "nothing is loaded at /x".into(), hint: Some("load a config".into()) });
    let lines = screen(&state, 60, 20);
    assert_eq!(lines[3..6], ["nothing is loaded at /x", "hint: load a config", "looks again by itself"]);
    state.act(Action::Help);
    state.act(Action::Pause);
    let lines = screen(&state, 80, 24);
    assert!(lines[1].ends_with("PAUSED") && lines.iter().any(|line| line.starts_with("q, Ctrl-C")), "{lines:?}");
}

#[test]
fn without_colours_nothing_is_coloured() {
    for state in [state(), sliced()] {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| frame.render_widget(Whole(&state, false), frame.area())).unwrap();
        let cells = terminal.backend().buffer().content();
        assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}
