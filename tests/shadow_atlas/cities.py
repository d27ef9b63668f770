"""Published coordinates of places, and the county (or its equivalent) that each lies in.

Coordinates: GeoNames (https://www.geonames.org, CC BY 4.0), by the identifier given. County
codes: ANSI INCITS 31, as listed by the Census Bureau for 2017.
"""

from typing import NamedTuple


class City(NamedTuple):
    name: str
    geonames_id: int
    lat: float
    lon: float
    state: str
    county_fips: str
    county: str


CITIES = (
    City("Milwaukee", 5263045, 43.0389, -87.90647, "WI", "55079", "Milwaukee"),
    City("Madison", 5261457, 43.07305, -89.40123, "WI", "55025", "Dane"),
    City("Omaha", 5074472, 41.25626, -95.94043, "NE", "31055", "Douglas"),
    City("Lincoln", 5072006, 40.8, -96.66696, "NE", "31109", "Lancaster"),
    City("Denver", 5419384, 39.73915, -104.9847, "CO", "08031", "Denver"),
    City("Boulder", 5574991, 40.01499, -105.27055, "CO", "08013", "Boulder"),
    City("Washington", 4140963, 38.89511, -77.03637, "DC", "11001", "District of Columbia"),
    City("Buffalo", 5110629, 42.88645, -78.87837, "NY", "36029", "Erie"),
    City("Manhattan", 5125771, 40.78343, -73.96625, "NY", "36061", "New York"),
    City("Hartford", 4835797, 41.76371, -72.68509, "CT", "09003", "Hartford"),
    City("Chicago", 4887398, 41.85003, -87.65005, "IL", "17031", "Cook"),
    City("New Orleans", 4335045, 29.95465, -90.07507, "LA", "22071", "Orleans"),
    # Cities that belong to no county; most lie inside one like an island.
    City("St. Louis", 4407066, 38.62727, -90.19789, "MO", "29510", "St. Louis"),
    City("Baltimore", 4347778, 39.29038, -76.61219, "MD", "24510", "Baltimore"),
    City("Carson City", 5501344, 39.1638, -119.7674, "NV", "32510", "Carson City"),
    City("Richmond", 4781708, 37.55376, -77.46026, "VA", "51760", "Richmond"),
    City("Charlottesville", 4752031, 38.02931, -78.47668, "VA", "51540", "Charlottesville"),
    City("Fairfax", 4758023, 38.84622, -77.30637, "VA", "51600", "Fairfax"),
    City("Lexington", 4769339, 37.78402, -79.44282, "VA", "51678", "Lexington"),
    City("Staunton", 4787440, 38.14991, -79.0732, "VA", "51790", "Staunton"),
    # Islands.
    City("Honolulu", 5856195, 21.30694, -157.85833, "HI", "15003", "Honolulu"),
    City("Key West", 4160812, 24.55524, -81.78163, "FL", "12087", "Monroe"),
    City("Nantucket", 4944903, 41.28346, -70.09946, "MA", "25019", "Nantucket"),
    City("Edgartown", 4935645, 41.38901, -70.51336, "MA", "25007", "Dukes"),
    City("Avalon", 5325305, 33.34281, -118.32785, "CA", "06037", "Los Angeles"),
    City("Galveston", 4692883, 29.30135, -94.7977, "TX", "48167", "Galveston"),
    City("Friday Harbor", 5795104, 48.53427, -123.01712, "WA", "53055", "San Juan"),
)
