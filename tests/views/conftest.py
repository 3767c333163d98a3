import pytest
from views_cases import Life
from views_city import City, a_rejection
from views_random import random_lives


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return random_lives(7, 150)


@pytest.fixture(scope="module")
def city(lives) -> City:
    city = City()
    city.publish(lives[:100], per_commit=9)
    city.commit([a_rejection(n) for n in range(30)], {})
    city.publish(lives[100:], per_commit=9)
    return city
