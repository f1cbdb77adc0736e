//! The views, their names, and the columns that each can be sorted by.

/// What the screen shows. A view more is a line in each match here, and a file in `draw`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    #[default]
    Services,
    Reasons,
    Treatments,
    Slices,
    Endpoints,
    Sources,
}

/// The column that rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Packets,
    Bits,
    Dropped,
    WouldDrop,
    Total,
    Slices,
    Weight,
    Frames,
}

impl View {
    /// All, by their keys: the first has 1.
    pub(super) const ALL: [Self; 6] =
        [Self::Services, Self::Reasons, Self::Treatments, Self::Slices, Self::Endpoints, Self::Sources];

    /// The name in the header.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Reasons => "reasons",
            Self::Treatments => "treatments",
            Self::Slices => "slices",
            Self::Endpoints => "endpoints",
            Self::Sources => "sources",
        }
    }

    /// Whether slices must be read for it, of which there may be a million.
    pub(super) const fn needs_slices(self) -> bool {
        match self {
            Self::Services | Self::Reasons | Self::Treatments | Self::Sources => false,
            Self::Slices | Self::Endpoints => true,
        }
    }

    /// Whether events must be read for it.
    pub(super) const fn needs_events(self) -> bool {
        matches!(self, Self::Sources)
    }

    /// What it can be sorted by: at first by the first.
    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Services => &[Column::Packets, Column::Bits, Column::Dropped, Column::WouldDrop, Column::Name],
            Self::Reasons | Self::Treatments => &[Column::Packets, Column::Bits, Column::Total, Column::Name],
            Self::Slices => &[],
            Self::Endpoints => &[Column::Name, Column::Slices, Column::Weight, Column::Frames],
            Self::Sources => &[Column::Packets, Column::Name],
        }
    }

    /// The view so many places on, around the end.
    pub(super) fn turn(self, places: usize) -> Self {
        Self::ALL[(self as usize + places) % Self::ALL.len()]
    }
}

impl Column {
    /// Whether the largest comes first.
    pub(super) const fn falls(self) -> bool {
        !matches!(self, Self::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::View;

    #[test]
    fn views_turn_around() {
        for (place, view) in View::ALL.into_iter().enumerate() {
            assert_eq!(view as usize, place);
            assert_eq!(view.turn(View::ALL.len()), view);
        }
        assert_eq!(View::Sources.turn(1), View::Services);
        assert_eq!(View::Services.turn(View::ALL.len() - 1), View::Sources);
    }
}
