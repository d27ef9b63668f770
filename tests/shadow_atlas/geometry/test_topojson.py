"""The build script's TopoJSON decoder, on topologies small enough to check by eye."""

import pytest
from shapely import Point

from scripts.build_geometry import (
    SOURCE_SHA256,
    decode_arcs,
    decode_geometry,
    decode_ring,
    group_counties,
    main,
)
from shadow_atlas.geometry import STATES_BY_POSTAL

# Two unit squares side by side, which share the arc from (1, 0) to (1, 1).
TWO_SQUARES = {
    "transform": {"scale": [0.5, 0.25], "translate": [10.0, 20.0]},
    "arcs": [
        [[2, 0], [0, 4]],
        [[2, 4], [-2, 0], [0, -4], [2, 0]],
        [[2, 0], [2, 0], [0, 4], [-2, 0]],
    ],
}


def test_arcs_are_running_sums_scaled_and_moved():
    arcs = decode_arcs(TWO_SQUARES)

    assert arcs[0] == [(11.0, 20.0), (11.0, 21.0)]


def test_reversed_arc_closes_the_neighbouring_ring():
    arcs = decode_arcs(TWO_SQUARES)

    ring = decode_ring([2, ~0], arcs)

    assert ring == [(11.0, 20.0), (12.0, 20.0), (12.0, 21.0), (11.0, 21.0), (11.0, 20.0)]


def test_neighbours_share_a_border_and_no_area():
    arcs = decode_arcs(TWO_SQUARES)

    west = decode_geometry({"type": "Polygon", "arcs": [[0, 1]]}, arcs)
    east = decode_geometry({"type": "Polygon", "arcs": [[2, ~0]]}, arcs)

    assert (west.area, east.area) == (1.0, 1.0)
    assert west.intersection(east).area == 0.0
    assert west.touches(east)


def test_hole_stays_a_hole():
    arcs = [
        [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0), (0.0, 0.0)],
        [(3.0, 3.0), (3.0, 6.0), (6.0, 6.0), (6.0, 3.0), (3.0, 3.0)],
    ]

    area = decode_geometry({"type": "Polygon", "arcs": [[0], [1]]}, arcs)

    assert area.covers(Point(1, 1))
    assert not area.covers(Point(4, 4))


def test_collapsed_islet_is_left_out():
    arcs = [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)], [(5.0, 5.0), (5.0, 5.0)]]

    area = decode_geometry({"type": "MultiPolygon", "arcs": [[[0]], [[1]]]}, arcs)

    assert len(area.geoms) == 1


def test_point_is_refused_as_an_area():
    with pytest.raises(ValueError, match="got 'Point'"):
        decode_geometry({"type": "Point", "coordinates": [0, 0]}, [])


def test_counties_are_grouped_from_west_to_east_without_a_gap():
    counties = [_square_county(f"550{number:02d}", lon=-number) for number in range(1, 21)]

    districts = list(group_counties(counties, state=STATES_BY_POSTAL["WI"], level="congressional"))

    assert [each["properties"]["fips"] for each in districts] == [f"55{n:02d}" for n in range(1, 9)]
    wests = [each["geometry"]["coordinates"][0][0][0][0] for each in districts]
    assert wests == sorted(wests)


def test_another_edition_of_the_source_is_refused(tmp_path, capsys):
    other = tmp_path / "counties-10m.json"
    other.write_text("{}")

    code = main([str(other)])

    assert code == 1
    assert f"expected {SOURCE_SHA256}" in capsys.readouterr().err


def _square_county(fips, *, lon):
    ring = [[lon, 0.0], [lon + 1.0, 0.0], [lon + 1.0, 1.0], [lon, 1.0], [lon, 0.0]]
    return {
        "type": "Feature",
        "properties": {"level": "county", "fips": fips, "name": fips, "state": "WI"},
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
    }
