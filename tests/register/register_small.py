"""A register small enough to be read: two streets, one with two communities, one of these with two cells."""

import json
import math
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.register import load_register
from geo import load_grid

ZONE = ZoneInfo("Asia/Shanghai")
BOXES = {  # code: west, south, east, north
    "1": (100.00, 25.00, 100.02, 25.02),
    "11": (100.00, 25.00, 100.01, 25.02),
    "111": (100.00, 25.00, 100.01, 25.01),
    "112": (100.00, 25.01, 100.01, 25.02),
    "12": (100.01, 25.00, 100.02, 25.02),
    "2": (100.02, 25.00, 100.04, 25.02),
}
FILES = {
    "units.csv": "code,name\nstreet,Street Office\nbank,The Bank\nschool,The School\n",
    "people.csv": "id,name,unit,phone\np1,Ann Archer,bank,0871-555 0101\np2,Bob Baker,,\n"
    "p3,Cy Carter,,+86 871 5550103\n"
    "p4,Dee Dyer,,\np5,Ed Eyre,,\np6,Flo Fry,street,\n",
    "cells.csv": "cell,unit,sponsor,officer,leader,coordinator\n1,street,p6,,,p4\n11,school,,,p3,\n111,bank,p1,p2,,\n",
    "population.csv": "cell,people\n111,120\n112,80\n1,1000\n",
    "phones.csv": "cell,unit,phone,days,hours\n1,,110-0001,,20:00-08:00\n11,,110-0002,1-5,08:00-20:00\n"
    ",bank,110-0003,,\n",
    "visits.csv": "id,cell,kind,every_days,since\nv1,111,weekly,7,2026-03-02\nv2,112,monthly,30,2026-03-02\n",
    "visited.csv": "task,date\nv1,2026-03-04\nv1,2026-03-25\nv1,2026-03-05\n",
    "volunteers.csv": "person,cell\np5,111\np2,11\n",
    "hours.csv": "person,date,hours,cell\np5,2026-03-07,2.5,\np5,2026-03-08,1,112\np5,2026-04-01,0.25,\n"
    "p2,2026-03-07,4,2\n",
    "firms.csv": "code,name\nf1,Firm One\nf2,Firm Two\n",
    "compounds.csv": "id,name,cell,firm,committee,sponsor,lon,lat\n"
    "c1,Rose Court,111,f1,Rose Committee,bank,100.005,25.005\n"
    "c2,Elm Court,12,f1,,,,\nc3,Oak Court,2,,,street,,\n",
}


def feature(code, box):
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"code": code, "name": f"cell {code}", "level": len(code), "parent": code[:-1] or None}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


GRID_JSON = json.dumps(
    {"type": "FeatureCollection", "features": [feature(code, box) for code, box in BOXES.items()]}
).encode()
GRID = load_grid(GRID_JSON)


def load(without=(), **changed):
    """The small register, some files replaced: `cells="cell,unit,…"`."""
    files = {name: text.encode() for name, text in FILES.items() if name not in without}
    files |= {f"{name}.csv": text if isinstance(text, bytes) else text.encode() for name, text in changed.items()}
    return load_register(files, GRID, ZONE)


def at_ms(text, zone=ZONE):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def straight_m(lon, lat, to_lon, to_lat):
    """True metres another way: the chord through the ellipsoid (WGS84), a micrometre shorter than a way of 1 km."""
    return math.dist(_earth_centred_m(lon, lat), _earth_centred_m(to_lon, to_lat))


def _earth_centred_m(lon, lat):
    a_m, f = 6378137.0, 1 / 298.257223563
    e2, phi, lam = f * (2 - f), math.radians(lat), math.radians(lon)
    n = a_m / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    return n * math.cos(phi) * math.cos(lam), n * math.cos(phi) * math.sin(lam), n * (1 - e2) * math.sin(phi)
