"""The register: who stands behind each cell, and what is near a place.

It stands beside the grid and is no part of the policy: sponsoring units with their 1+1+N, team leaders, duty phones,
population, recurring visits, volunteers and their hours, compounds and who manages them. `load_register` reads its CSV
files strictly and says everything that is wrong at once; a `Register` answers. `around` and `walks` measure what is
near a place and who can walk to a service centre. No file is opened and no clock is read here.

Names of persons and telephone numbers are in what is returned: whoever shows it decides who may see them.
"""

from dispatcher.register.around import Near, Surroundings, around
from dispatcher.register.circle import AreaReach, Walk, reach_m, reaches, walks
from dispatcher.register.load import FILES, load_register
from dispatcher.register.problems import Code, Problem, RegisterError
from dispatcher.register.records import CellEntry, Compound, DutyPhone, Firm, Person, Service, Unit, VisitTask
from dispatcher.register.register import Post, Register, Responsible, Role, Served, Team
from dispatcher.register.told import told_surroundings
from dispatcher.register.visits import VisitCount, VisitState, VisitStatus, visit_counts

__all__ = [
    "FILES",
    "AreaReach",
    "CellEntry",
    "Code",
    "Compound",
    "DutyPhone",
    "Firm",
    "Near",
    "Person",
    "Post",
    "Problem",
    "Register",
    "RegisterError",
    "Responsible",
    "Role",
    "Served",
    "Service",
    "Surroundings",
    "Team",
    "Unit",
    "VisitCount",
    "VisitState",
    "VisitStatus",
    "VisitTask",
    "Walk",
    "around",
    "load_register",
    "reach_m",
    "reaches",
    "told_surroundings",
    "visit_counts",
    "walks",
]
